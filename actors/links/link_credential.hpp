/// What a worker's certificate says of it.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebb {

/// A worker of an installation, and the one start of a stream that it may speak for. Written into
/// the certificate as `ebb://WORKER` or `ebb://WORKER/NAMESPACE/UID/PLACEMENT`.
struct link_credential {
  std::string worker; ///< its name; empty = the certificate names none
  std::string name_space;
  std::string uid; ///< of the stream; empty = of none yet
  std::uint64_t placement = 0;
  micros ends = 0; ///< of the certificate, wall clock; 0 = there is none

  /// Whether it may speak for this start of the stream. For an earlier one, too: the end of that is
  /// still to be said.
  [[nodiscard]] bool covers(std::string_view stream, std::uint64_t start) const noexcept {
    return !uid.empty() && uid == stream && start <= placement;
  }

  bool operator==(const link_credential&) const = default;
};

/// Empty where a part has characters that have no place in it, or the worker has no name.
[[nodiscard]] std::string uri_of(const link_credential& x);

/// Of a URI of that form; without `ends`.
[[nodiscard]] std::optional<link_credential> parse_credential(std::string_view uri);

/// `worker-7 for stream 1f… in default, start 3`, for people.
[[nodiscard]] std::string to_string(const link_credential& x);

} // namespace ebb
