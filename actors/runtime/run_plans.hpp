/// Runs planned streams in an actor system of their own.
#pragma once

#include "actors/runtime/build_stream.hpp"
#include "actors/runtime/run_stream.hpp"

#include <span>
#include <vector>

namespace ebb {

/// `run_plans` with everything that it takes from the process handed in.
[[nodiscard]] result<std::vector<stream_report>>
run_plans_in(const stream_environment& environment, std::span<const planned_stream> streams,
             connector_factory& connectors, const run_options& options);

} // namespace ebb
