/// Topics of the control process, as the connectors of a stream in a worker see them.
#pragma once

#include "actors/links/link_calls.hpp"
#include "actors/runtime/topic_access.hpp"
#include "actors/service/worker/topic_watches.hpp"

#include <chrono>
#include <memory>

namespace ebb {

/// Blocking functions give up after `patience` (ec::resource): what they were to do may have been
/// done.
[[nodiscard]] std::unique_ptr<topic_access>
make_remote_topics(std::shared_ptr<link_calls> calls, std::shared_ptr<topic_watches> watches,
                   stream_placement of,
                   std::chrono::milliseconds patience = std::chrono::seconds(30));

} // namespace ebb
