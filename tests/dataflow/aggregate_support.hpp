/// Aggregates run over values written as text, by several ways that must agree.
#pragma once

#include "actors/dataflow/aggregate.hpp"

#include <string>
#include <vector>

namespace ebb::test {

/// `double precision`, `text[]`, …
[[nodiscard]] sql_type type_of(const std::string& name);

/// A column from text, values with bars between them, `null` for NULL.
[[nodiscard]] column values(const std::string& type, const std::string& list);

[[nodiscard]] std::string text_of(const column& x, std::uint32_t i);

/// A call of the overload for these types; its arguments are columns 0, 1, …
[[nodiscard]] aggregate_call make_call(const std::string& name, std::vector<sql_type> types);

enum class way {
  once,          ///< all rows in one update
  rows,          ///< one row at a time
  merged,        ///< from two halves
  through_state, ///< from the states of two halves
  after_clear,
  taken_back ///< all rows and the second half again, then the second half subtracted
};

/// The aggregate over all rows, or `ERROR` and what it says.
[[nodiscard]] std::string answer(const aggregate_call& call, const std::vector<column>& args,
                                 way how);

/// Equal, or numbers whose last digits differ.
[[nodiscard]] bool close_enough(const std::string& a, const std::string& b);

} // namespace ebb::test
