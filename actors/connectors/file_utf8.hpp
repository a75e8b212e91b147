/// Whether bytes are UTF-8.
#pragma once

#include <string_view>

namespace ebb {

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

} // namespace ebb
