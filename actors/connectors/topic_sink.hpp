/// The `topic` sink.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/topic_access.hpp"

#include <memory>

namespace ebb {

/// Rows go to the partition of their key; where the topic has none, all rows of a lane go to one
/// partition, and so keep their order. A lane is a subtask.
///
/// - Exactly once: each epoch's rows wait in the output folder (topic_output.hpp) until they are
///   appended, with the mark of the lane, after the commit.
/// - At least once, and without checkpoints: appended at once. An epoch is sealed when all its rows
///   have been answered.
///
/// Blocks while opening.
[[nodiscard]] result<std::unique_ptr<sink_writer>>
open_topic_sink(const sink_definition& sink, const topic_sink& options, const schema& columns,
                topic_access& topics, const connector_context& context);

/// Whether a committed output is one of these.
[[nodiscard]] bool is_for_topic(const sealed_output& output) noexcept;

/// Appends a committed output to its topic, if that has not been done, and removes its file.
/// Blocks.
[[nodiscard]] result<void> apply_to_topic(const sealed_output& output, topic_access& topics);

} // namespace ebb
