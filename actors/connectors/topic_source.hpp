/// The `topic` source.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/topic_access.hpp"

#include <memory>

namespace ebb {

/// How many partitions the topic has. ec::not_found where there is no such topic. Blocks.
[[nodiscard]] result<std::uint32_t> topic_partitions(const source_definition& source,
                                                     const topic_source& options,
                                                     topic_access& topics);

/// A reader of partitions i, i + parallelism, … where i = context.subtask. It never ends; at the
/// end of its partitions it costs nothing until the topic says that it has moved. A partition
/// without a position begins at its oldest row, or at its end (`latest`). Rows that retention has
/// removed before they were read, and positions of another topic of the name, are errors. Blocks
/// on the file system while opening.
[[nodiscard]] result<std::unique_ptr<source_reader>>
open_topic_source(const source_definition& source, const topic_source& options,
                  topic_access& topics, const connector_context& context);

} // namespace ebb
