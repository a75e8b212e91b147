#include "actors/runtime/run_stream.hpp"

#include "actors/runtime/io_pool.hpp"
#include "actors/runtime/processing_time.hpp"
#include "actors/runtime/run_plans.hpp"

#include <chrono>
#include <utility>

namespace ebb {

clock_function processing_time() {
  return [wall = std::chrono::system_clock::now(), start = std::chrono::steady_clock::now()] {
    const auto now = wall + (std::chrono::steady_clock::now() - start);
    return std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  };
}

micros wall_clock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

result<std::vector<stream_report>> run_plans(std::span<const planned_stream> streams,
                                             connector_factory& connectors,
                                             const run_options& options) {
  // Jobs of connectors may outlive their actors: the pool goes last and runs what is left.
  io_pool pool;
  stream_environment environment;
  environment.make = make_operator;
  environment.io = &pool;
  environment.clock = processing_time();
  environment.data_folder = options.data_folder;
  environment.note = options.note;
  environment.interrupted = options.interrupted;
  return run_plans_in(environment, streams, connectors, options);
}

result<std::vector<stream_report>> run_streams(std::span<const stream_definition> streams,
                                               connector_factory& connectors,
                                               const run_options& options) {
  std::vector<planned_stream> planned;
  planned.reserve(streams.size());
  for (const auto& definition : streams) {
    EBB_ASSIGN(const auto graph, plan_stream(definition));
    EBB_ASSIGN(auto plan, make_stages(graph, definition));
    planned.push_back({definition, std::move(plan)});
  }
  return run_plans(planned, connectors, options);
}

} // namespace ebb
