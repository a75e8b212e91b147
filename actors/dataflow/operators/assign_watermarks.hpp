/// Head of a source's chain: derives watermarks from the event-time column.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/partition_clocks.hpp"

namespace ebb {

/// A partition's watermark is its largest time so far less the allowed delay; the watermark of all
/// is the least of the partitions that are not idle, and is sent on after each batch that moves it.
/// Where rows lie behind it, a batch carries it row by row (as it was before each row). NULL and
/// infinite times move nothing. Also a source_clock: a partition of which the reader says that it
/// is quiet does as `quiet` says, by ticks.
[[nodiscard]] std::unique_ptr<stream_operator>
make_assign_watermarks(const assign_watermarks_spec& spec, operator_context context,
                       const quiet_time& quiet = {});

[[nodiscard]] std::vector<sql_type>
output_types_of(const assign_watermarks_spec& spec,
                const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
