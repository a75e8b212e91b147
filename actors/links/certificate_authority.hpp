/// Gives the workers of an installation their certificates.
#pragma once

#include "actors/links/link_credential.hpp"
#include "actors/links/link_identity.hpp"
#include "schemas/error.hpp"

#include <memory>
#include <string>

namespace ebb {

struct certificate_times {
  /// From the moment when it is made.
  micros lifetime = micros_per_day;
  /// Holds for so long already when it is made: clocks of machines differ.
  micros slack = 7'200 * micros_per_second;
};

/// Certificate and key are the worker's alone; PEM.
struct issued_identity {
  std::string authority;
  std::string certificate;
  std::string key;
  link_credential credential; ///< with its end

  /// As the worker uses it.
  [[nodiscard]] result<std::shared_ptr<const link_identity>> open() const;
};

/// Thread-safe; nothing blocks but `load`.
class certificate_authority {
public:
  /// The one that `link_identity::make` has made in `folder`. ec::internal, naming what is wrong.
  [[nodiscard]] static result<std::shared_ptr<const certificate_authority>>
  load(const std::string& folder, const certificate_times& times = {});
  ~certificate_authority();
  certificate_authority(const certificate_authority&) = delete;
  certificate_authority& operator=(const certificate_authority&) = delete;

  /// A new key, with a certificate that names `x` and no other. `now`: wall clock.
  /// ec::invalid_argument: a name in it cannot be written into one.
  [[nodiscard]] result<issued_identity> issue(link_credential x, micros now) const;

  [[nodiscard]] const certificate_times& times() const noexcept {
    return times_;
  }

  /// From when on the worker is to get another one.
  [[nodiscard]] micros renewal_of(const link_credential& x) const noexcept {
    return x.ends - times_.lifetime / 3;
  }

private:
  struct parts;
  certificate_authority(std::unique_ptr<parts> made, const certificate_times& times);

  const std::unique_ptr<parts> parts_;
  const certificate_times times_;
};

} // namespace ebb
