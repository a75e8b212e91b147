/// Media types: what a client sends, and what it would like to get.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Which of `offered` the client likes best by its Accept header; of equals the first. Empty header
/// = the first. -1 where it takes none of them, or the header is malformed.
[[nodiscard]] int choose_media_type(std::string_view accept,
                                    const std::vector<std::string_view>& offered);

/// The type without parameters, lower case; empty where the text is none. A charset other than
/// UTF-8 sets `other_charset`.
[[nodiscard]] std::string media_type_of(std::string_view content_type, bool& other_charset);

} // namespace ebb
