/// What streams, topics, namespaces and savepoints may be called.
#pragma once

#include <string_view>

namespace ebb {

/// DNS label (RFC 1123): 1 to 63 of a-z, 0-9 and -, not at the ends.
[[nodiscard]] bool is_label(std::string_view text) noexcept;

} // namespace ebb
