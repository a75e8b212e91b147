/// Topics of the control process, as the connectors of a stream in a worker see them.
#pragma once

#include "actors/links/link_calls.hpp"
#include "actors/runtime/topic_access.hpp"
#include "actors/service/worker/topic_watches.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace ebb {

/// How rows of a topic come to a worker.
enum class topic_reading : std::uint8_t {
  files, ///< it reads the log's files: it is on the control process's machine
  link,  ///< the control process reads them, and sends rows
};

/// Blocking functions give up after `patience` (ec::resource): what they were to do may have been
/// done.
[[nodiscard]] std::unique_ptr<topic_access>
make_remote_topics(std::shared_ptr<link_calls> calls, std::shared_ptr<topic_watches> watches,
                   stream_placement of, topic_reading how = topic_reading::files,
                   std::chrono::milliseconds patience = std::chrono::seconds(30));

} // namespace ebb
