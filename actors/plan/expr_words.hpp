/// Expressions in words, for people and for comparing: two that differ have different words.
#pragma once

#include "actors/dataflow/expr.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// `sum + 1000`. `columns`: words for each input column. Whatever the manifest's spelling; without
/// control characters; long ones are cut, with a digest of the rest.
[[nodiscard]] std::string words_of(const expr& x, const std::vector<std::string>& columns);

/// Without control characters.
[[nodiscard]] std::string one_line(std::string_view text);

/// `text`, or its beginning and a digest where it has more than `most` bytes.
[[nodiscard]] std::string cut_words(std::string text, std::size_t most);

} // namespace ebb
