/// Times of the API as people read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebb::client {

/// Microseconds since 1970 of an RFC 3339 time; nothing where it is none.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);

/// Microseconds since 1970 by the machine's clock.
[[nodiscard]] std::int64_t time_now();

/// A span in its one or two greatest units that matter: `45s`, `5m`, `5m20s`, `3h5m`, `30h`,
/// `3d4h`, `90d`. Below zero (another machine's clock) counts as `0s`.
[[nodiscard]] std::string span_text(std::int64_t micros);

/// How long ago an RFC 3339 time was; the text itself where it is none.
[[nodiscard]] std::string age_text(std::string_view time, std::int64_t now);

/// How far ahead it is: `in 5m`; `now` where it has passed.
[[nodiscard]] std::string ahead_text(std::string_view time, std::int64_t now);

} // namespace ebb::client
