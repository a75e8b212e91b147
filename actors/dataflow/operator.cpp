#include "actors/dataflow/operator.hpp"

#include <algorithm>
#include <array>

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

struct remedy {
  std::string_view part; ///< of PostgreSQL's message
  const char* hint;
};

/// The first whose part is in the message counts; that of the last is in every one.
constexpr std::array remedies{
    remedy{"bigint out of range", "use NUMERIC, from before the computing on: x::numeric"},
    remedy{"smallint out of range",
           "use a wider type, in the cast or from before the computing on: x::bigint"},
    remedy{"integer out of range",
           "use a wider type, in the cast or from before the computing on: x::bigint"},
    remedy{"division by zero", "divide by NULLIF(x, 0), which gives NULL there, or leave such rows "
                               "out with WHERE"},
    remedy{"value out of range: ", "compute with NUMERIC: x::numeric, or leave such rows out with "
                                   "WHERE"},
    remedy{"out of range for type", "cast to a wider type: NUMERIC or DOUBLE PRECISION"},
    remedy{"invalid input syntax", "leave such rows out with WHERE, or turn what is no value into "
                                   "NULL: NULLIF(x, 'n/a')"},
    remedy{"value too long for type", "cut it with left(x, n), or cast to a longer type or to "
                                      "TEXT"},
    remedy{"square root of a negative", "leave such rows out with WHERE, or take the root of "
                                        "GREATEST(x, 0)"},
    remedy{"logarithm of", "leave such rows out with WHERE x > 0, or turn zero into NULL: "
                           "NULLIF(x, 0)"},
    remedy{"date/time field value out of range",
           "leave such rows out with WHERE, or read them with to_timestamp(x, format)"},
    remedy{"timestamp out of range", "leave such rows out with WHERE, or bound the time with LEAST "
                                     "and GREATEST"},
    remedy{"", "leave such rows out with WHERE, or give them another value with CASE"},
};

const char* hint_for(std::string_view message) {
  return std::find_if(
             remedies.begin(), remedies.end(),
             [&](const remedy& x) { return message.find(x.part) != std::string_view::npos; })
      ->hint;
}

} // namespace

error name_row(error problem, const batch& input, std::string_view operator_name) {
  // The manifest was right, or the operator would not run: what is wrong, or asks for what ebb does
  // not do, is one of the rows.
  const bool wrong_rows =
      problem.code == ec::invalid_argument || problem.code == ec::unsupported;
  if (wrong_rows)
    problem.code = ec::evaluation;
  if (problem.code == ec::evaluation && problem.hint.empty())
    problem.hint = hint_for(problem.message);
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
