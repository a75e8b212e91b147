#include "actors/dataflow/operators/window_aggregate.hpp"

#include "actors/dataflow/operators/pane_aggregate.hpp"
#include "actors/dataflow/operators/partial_aggregate.hpp"
#include "actors/dataflow/operators/session_aggregate.hpp"

namespace ebb {

std::unique_ptr<stream_operator> make_window_aggregate(const window_aggregate_spec& spec,
                                                       operator_context context) {
  if (spec.window.kind == window_kind::session)
    return std::make_unique<session_aggregate>(spec, std::move(context));
  if (spec.phase == aggregate_phase::partial)
    return std::make_unique<partial_aggregate>(spec, std::move(context));
  return std::make_unique<pane_aggregate>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const window_aggregate_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  std::vector<sql_type> types;
  for (std::size_t k = 0; k < spec.keys.size(); ++k)
    types.push_back(inputs[0][spec.phase == aggregate_phase::final ? k : spec.keys[k]]);
  types.insert(types.end(), 2, sql_type{type_kind::timestamp});
  for (const auto& call : spec.calls) {
    if (spec.phase == aggregate_phase::partial)
      for (const auto& type : state_types(call))
        types.push_back(type);
    else
      types.push_back(call.type);
  }
  return types;
}

} // namespace ebb
