#pragma once

#include <string>

namespace ebb {

/// What the system said, behind the names of files, of which each attempt has others: whether an
/// alarm says something new.
[[nodiscard]] inline std::string alarm_reason(const std::string& alarm) {
  const auto at = alarm.rfind(": ");
  return at == std::string::npos ? alarm : alarm.substr(at);
}

} // namespace ebb
