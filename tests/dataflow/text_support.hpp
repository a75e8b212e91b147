/// Calls scalar functions in tests: arguments and results as text.
///
/// An argument is written `kind:text`, for example `t:abc`, `i:5`, `i[]:{1,2}`; a NULL is `t:\N`.
/// Kinds: t text, s smallint, i integer, I bigint, b boolean, f real, d double precision, n
/// numeric, y bytea, D date, T timestamp, Z timestamptz, V interval.
#pragma once

#include "actors/dataflow/function.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::test {

/// The type of a kind letter, with `[]` for arrays.
[[nodiscard]] sql_type type_of(std::string_view kind);

/// One constant value from `kind:text`.
[[nodiscard]] column value_of(std::string_view written);

/// Result of the overload for exactly these argument types as text, `NULL`, or `error: …`.
///
/// The call is made on constants, on columns, and on a column and constants; the answers must
/// agree, and strict functions must give NULL for a row of NULLs. If not, the text says so. `name`
/// may be `cast->kind`, `cast->t(3)` for VARCHAR(3), `fit->t(3)` for its assignment.
[[nodiscard]] std::string call(std::string_view name, std::span<const std::string_view> args);

struct call_case {
  const char* name;
  std::vector<std::string_view> args;
  const char* expected;
};

/// Checks every case with Boost.Test.
void check(const std::vector<call_case>& cases);

} // namespace ebb::test
