#include "actors/dataflow/operator.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// Where the rows of a batch come from, as far as that is known: `source a, file b, records 3 to
/// 7`.
std::string origins_text(const batch& rows) {
  if (rows.rows < 2 || !rows.origin.source)
    return rows.rows == 0 ? std::string{} : origin_text(rows, 0);
  std::uint64_t first = rows.origin.first;
  std::uint64_t last = first + rows.rows - 1;
  if (rows.origin.rows) {
    const auto* distances = rows.origin.rows.as<const std::uint32_t>();
    const auto [least, most] = std::minmax_element(distances, distances + rows.rows);
    last = first + *most;
    first += *least;
  }
  return *rows.origin.source + ", records " + std::to_string(first) + " to " + std::to_string(last);
}

} // namespace

error name_row(error problem, const batch& input, std::string_view operator_name) {
  // The manifest was right, or the operator would not run: what is wrong is one of the rows.
  const bool wrong_rows = problem.code == ec::invalid_argument;
  if (wrong_rows)
    problem.code = ec::evaluation;
  if (problem.row || wrong_rows) {
    const auto origin = problem.row ? origin_text(input, *problem.row) : origins_text(input);
    problem.message += origin.empty() ? std::string{} : " (" + origin + ')';
    problem.row.reset();
  }
  if (problem.place.field.empty())
    problem.place.field = "operator " + std::string(operator_name);
  return problem;
}

} // namespace ebb
