/// Which column of the schema a name in a file means: the same name, else the one column that
/// differs only in the case of ASCII letters.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// For each name of a CSV header the column it means, or -1. Every column must have exactly one
/// name.
[[nodiscard]] result<std::vector<std::int32_t>> match_header(const std::vector<std::string>& names,
                                                             const schema& columns);

} // namespace ebb
