/// The error of a row that is to be deleted and is not there.
#pragma once

#include "actors/dataflow/value_text.hpp"
#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

inline constexpr std::string_view missing_row_text = "a row is deleted that is not there";

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
                    std::string(missing_row_text)
                        + (values.empty() ? "" : ": " + std::string(what) + "(" + text + ")"),
                    "look at the source: each deletion must take back a row that it gave");
}

/// Where rows change hands it is no longer known which record a deletion was. `sources`: those that
/// it can have come from; none = nothing is known of them.
inline void name_sources(error& problem, const std::vector<std::string>& sources) {
  if (sources.empty() || !problem.message.starts_with(missing_row_text))
    return;
  std::string names;
  for (std::size_t i = 0; i < sources.size(); ++i)
    names += (i == 0 ? "" : i + 1 == sources.size() ? " or " : ", ") + sources[i];
  problem.hint = "look at source " + names
                 + ": each deletion must take back a row that it gave; with a PRIMARY KEY in its "
                   "schema before need not be right";
}

} // namespace ebb
