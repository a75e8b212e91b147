/// Shared parts of pattern functions.
#pragma once

#include "actors/dataflow/functions/text_kernel.hpp"

#include <optional>
#include <string>

namespace ebb {

/// The TEXT value of a constant expression; nothing when it is not constant or NULL.
[[nodiscard]] std::optional<std::string> constant_text(const expr& x);

// The parts of register_pattern, one a file.
void register_regex(function_catalog& catalog); ///< ~, regexp_like, regexp_match, substring …
void register_regex_replace(function_catalog& catalog);
void register_regex_count(function_catalog& catalog); ///< regexp_count, regexp_instr, …
void register_similar(function_catalog& catalog);     ///< similar_to_escape and its substring

} // namespace ebb
