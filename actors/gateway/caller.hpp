/// Who sent a request.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

enum class access_role : std::uint8_t { viewer, operator_, submitter };

[[nodiscard]] const char* to_string(access_role role) noexcept;

struct caller {
  std::string token; ///< id of its token; empty: nobody, on loopback without tokens
  access_role role = access_role::operator_;
  std::vector<std::string> topics; ///< it may use no others; empty = all

  /// For what names a topic elsewhere than in its path, such as a receipt.
  [[nodiscard]] bool may_use_topic(std::string_view name) const noexcept {
    return topics.empty() || std::find(topics.begin(), topics.end(), name) != topics.end();
  }
};

} // namespace ebb
