/// The error of a row that is to be deleted and is not there.
#pragma once

#include "actors/dataflow/value_text.hpp"
#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ebb {

/// `what` says whose values row i of the columns has (`its key is `); it may be empty.
[[nodiscard]] inline error missing_row(std::string_view what, std::span<const column* const> values,
                                       std::uint32_t i) {
  std::string text;
  for (const auto* x : values) {
    text += text.empty() ? "" : ", ";
    if (x->is_null(i))
      text += "NULL";
    else
      append_value_text(*x, i, text);
  }
  return make_error(ec::invalid_argument,
                    "a row is deleted that is not there: " + std::string(what) + "(" + text + ")",
                    "look at the source: each deletion must take back a row that it gave");
}

} // namespace ebb
