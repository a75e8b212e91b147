/// Calls of workers that are about topics.
#pragma once

#include "actors/service/topics/topic_registry.hpp"
#include "schemas/link_operations.hpp"

#include <functional>
#include <string>

namespace ebb {

/// All but topic_append. Topics of other namespaces are not found. Blocks.
[[nodiscard]] call_outcome answer_topic_call(topic_registry& topics, const std::string& name_space,
                                             const call_operation& what);

/// ec::not_found where it is no topic of the namespace.
[[nodiscard]] result<void> may_use(const topic_registry& topics, const std::string& name_space,
                                   const std::string& topic_uid);

/// `answer` is called once, from any thread.
void append_rows(topic_registry& topics, topic_append_call&& what,
                 std::function<void(call_outcome&&)> answer);

} // namespace ebb
