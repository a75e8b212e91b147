/// A moment as people and programs read it.
#pragma once

#include "schemas/types.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <string>

namespace ebb {

/// RFC 3339 in UTC, with milliseconds. `x`: since 1970.
[[nodiscard]] inline std::string moment_text(micros x) {
  const auto seconds = static_cast<std::time_t>(x / micros_per_second);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds),
                     x % micros_per_second / 1000);
}

} // namespace ebb
