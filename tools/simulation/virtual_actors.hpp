/// An actor system in one thread, with a virtual clock.
#pragma once

#include "schemas/types.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>

namespace ebb::sim {

/// Nothing runs but by `run` and `advance`. Messages of one sender to one receiver keep their
/// order.
class virtual_actors {
public:
  virtual_actors()
      : system_(config_),
        scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {}

  [[nodiscard]] caf::actor_system& system() noexcept {
    return system_;
  }

  /// Actors with something to do.
  [[nodiscard]] std::size_t ready() const noexcept {
    return scheduler_.jobs.size();
  }

  /// One of them; null where it is none of ours.
  [[nodiscard]] caf::scheduled_actor* actor(std::size_t i) {
    return dynamic_cast<caf::scheduled_actor*>(scheduler_.jobs[i]);
  }

  /// Lets it handle one message.
  void run(std::size_t i) {
    auto& jobs = scheduler_.jobs;
    const auto at = jobs.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(jobs.begin(), at, at + 1);
    scheduler_.run_once();
  }

  /// Until nobody has anything to do.
  void settle() {
    while (scheduler_.try_run_once()) {
    }
  }

  /// Moves the clock; timers fire.
  void advance(micros by) {
    scheduler_.advance_time(std::chrono::microseconds(by));
  }

  [[nodiscard]] micros now() {
    return micros_of(scheduler_.clock().now());
  }

  /// When the next timer fires; max_time = there is none.
  [[nodiscard]] micros next_time() {
    const auto& timers = scheduler_.clock().schedule();
    return timers.empty() ? max_time : micros_of(timers.begin()->first) + 1;
  }

  /// Fires all timers, so that none is left of actors that have ended.
  void flush_timers() {
    while (scheduler_.has_pending_timeout()) {
      scheduler_.trigger_timeouts();
      settle();
    }
  }

  [[nodiscard]] std::size_t running() {
    return system_.registry().running();
  }

private:
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  template <class Time>
  [[nodiscard]] static micros micros_of(Time t) {
    return std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count();
  }

  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
};

} // namespace ebb::sim
