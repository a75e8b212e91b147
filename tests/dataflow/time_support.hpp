/// Calls of functions on times, written as text.
#pragma once

#include "actors/dataflow/function.hpp"

#include <string>
#include <utility>
#include <vector>

namespace ebb::tests {

/// One call: arguments as PostgreSQL's input text, and its output text (`NULL`, or `ERROR: ` and
/// the message). A cast is `cast:` and the target type.
struct function_row {
  const char* name;
  std::vector<std::pair<type_kind, const char*>> args;
  const char* expected;
};

/// The functions of register_time and register_time_casts.
[[nodiscard]] const function_catalog& time_functions();

/// A plain column of these values; null pointers are NULL.
[[nodiscard]] column column_of(type_kind kind, const std::vector<const char*>& values);
[[nodiscard]] column constant_of(type_kind kind, const char* value, std::uint32_t rows);

/// Text of row i: `NULL` for NULL; doubles with 15 digits.
[[nodiscard]] std::string text_of(const column& x, std::uint32_t i);

/// Binds (constants as literals) and runs; null validity means that all rows count.
[[nodiscard]] result<column> call(const char* name, const std::vector<column>& args,
                                  const std::uint8_t* valid = nullptr);

/// Runs the row's call and gives its text.
[[nodiscard]] std::string run(const function_row& row);

} // namespace ebb::tests
