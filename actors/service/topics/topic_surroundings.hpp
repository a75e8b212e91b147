/// What the topics of a registry share.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/service/topics/deadline_timer.hpp"
#include "actors/service/topics/topic_metrics.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "actors/service/topics/use_gate.hpp"

#include <atomic>
#include <functional>
#include <utility>

namespace ebb {

/// What all topics use; outlives each of them, since what waits on the I/O pool holds it.
struct topic_surroundings {
  topic_surroundings(topic_registry_options how, io_executor& pool, std::function<micros()> now,
                     topic_metrics counts)
      : options(std::move(how)), io(pool), clock(std::move(now)), metrics(counts) {}

  topic_registry_options options;
  io_executor& io;
  std::function<micros()> clock;
  topic_metrics metrics;
  deadline_timer timer;
  std::atomic<std::size_t> open_logs = 0;
  use_gate hooks; ///< of the options: they may be gone when the registry is
  /// A log was opened: too many may be. From any thread, without locks of a host.
  std::function<void()> opened = {};
};

} // namespace ebb
