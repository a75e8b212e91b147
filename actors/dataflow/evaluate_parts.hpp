/// Parts of the evaluation of expressions: logic and choice. Internal to evaluate*.cpp.
#pragma once

#include "actors/dataflow/expr.hpp"

#include <cstdint>

namespace ebb::evaluation {

[[nodiscard]] column constant_of(column one_row, std::uint32_t rows);

/// A one-row plain column from a constant one, for kernels, which never see only constants.
[[nodiscard]] column single(column constant);

/// Three-valued truth of each row, in an order that makes AND the minimum and OR the maximum.
enum truth : std::uint8_t { no = 0, maybe = 1, yes = 2 };

/// Truth of the first `rows` rows of a BOOLEAN column, constant or not.
void truth_of(const column& x, std::uint32_t rows, std::uint8_t* out);

[[nodiscard]] result<column> and_or(const expr& x, const batch& input, selection picked);
[[nodiscard]] result<column> case_of(const expr& x, const batch& input, selection picked);
[[nodiscard]] result<column> coalesce(const expr& x, const batch& input, selection picked);

} // namespace ebb::evaluation
