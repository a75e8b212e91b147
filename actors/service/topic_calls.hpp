/// Calls of workers that are about topics.
#pragma once

#include "actors/service/topics/topic_registry.hpp"
#include "schemas/link_operations.hpp"

#include <functional>
#include <string>

namespace ebb {

/// topic_find and topic_append_file. Blocks.
[[nodiscard]] call_outcome answer_topic_call(topic_registry& topics, const std::string& name_space,
                                             const call_operation& what);

/// `answer` is called once, from any thread.
void append_rows(topic_registry& topics, topic_append_call&& what,
                 std::function<void(call_outcome&&)> answer);

} // namespace ebb
