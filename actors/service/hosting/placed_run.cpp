#include "actors/service/hosting/placed_run.hpp"

#include "actors/plan/manifest.hpp"
#include "actors/plan/plan_graph.hpp"

#include <utility>
#include <vector>

namespace ebb {

result<planned_stream> placed_run::plan() const {
  std::vector<error> ignored;
  EBB_ASSIGN(auto streams, parse_manifest(order_.manifest, order_.name + ".yaml", ignored));
  if (streams.size() != 1)
    return make_error(ec::internal, "the order to start a stream has another number of streams");
  planned_stream result;
  auto& definition = result.definition;
  definition = std::move(streams.front());
  definition.name_space = order_.name_space;
  definition.name = qualified_name(order_.name_space, order_.name);
  definition.folder = order_.folder;
  if (order_.parallelism != 0)
    definition.parallelism = order_.parallelism;
  EBB_ASSIGN(const auto graph, plan_stream(definition));
  EBB_ASSIGN(result.plan, make_stages(graph, definition));
  return result;
}

} // namespace ebb
