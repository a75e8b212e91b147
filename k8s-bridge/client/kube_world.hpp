/// What code about a cluster reaches the world through: requests, time, chance. One thread.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ebb {

struct kube_request {
  std::string method = "GET";
  std::string path; ///< with its query, `/api/v1/pods?limit=5`
  std::string content_type;
  std::string body;
  micros timeout = 15 * micros_per_second; ///< of the whole exchange
  std::size_t most_bytes = std::size_t{64} << 20;
};

struct kube_response {
  int status = 0;
  std::string body;
  micros retry_after = 0; ///< as the server asks; 0 = it does not
};

/// Handlers run on the world's thread, never within the call that they were given to, and not after
/// the world's end.
class kube_world {
public:
  virtual ~kube_world() = default;

  using done_function = std::function<void(result<kube_response>)>;
  /// False: no more is wanted, the exchange ends with ec::cancelled.
  using data_function = std::function<bool(std::string_view)>;

  /// ec::io: no answer, or not a whole one; ec::resource: it is larger than `most_bytes`.
  virtual void send(kube_request request, done_function done) = 0;

  /// The body of an answer with status 200 goes to `data` as it comes; another one to `done`.
  virtual void stream(kube_request request, data_function data, done_function done) = 0;

  /// Monotone.
  [[nodiscard]] virtual micros now() const = 0;
  /// Since 1970.
  [[nodiscard]] virtual micros wall_time() const = 0;
  virtual void call_after(micros delay, std::function<void()> call) = 0;
  /// Evenly from [0, 1).
  [[nodiscard]] virtual double chance() = 0;
};

} // namespace ebb
