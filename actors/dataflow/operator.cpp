#include "actors/dataflow/operator.hpp"

namespace ebb {

error name_row(error problem, const batch& input, std::string_view operator_name) {
  if (problem.row) {
    const auto origin = origin_text(input, *problem.row);
    problem.message += origin.empty() ? std::string{} : " (" + origin + ')';
    problem.row.reset();
  }
  if (problem.place.field.empty())
    problem.place.field = "operator " + std::string(operator_name);
  return problem;
}

} // namespace ebb
