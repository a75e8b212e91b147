/// An actor system in one thread, with a virtual clock and seeded order.
#pragma once

#include "schemas/types.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

namespace ebb::test {

/// Nothing runs but by `settle` and `advance`. Same seed, same order. Messages of one sender to one
/// receiver keep their order, as in production. Actors must have ended before it is destroyed.
class deterministic_system {
public:
  static constexpr std::size_t endless = std::numeric_limits<std::size_t>::max();

  deterministic_system() : system_(config_) {}

  [[nodiscard]] caf::actor_system& system() noexcept {
    return system_;
  }

  /// Runs messages, first in first out, until none is left or `messages_max` have run; how many.
  std::size_t settle(std::size_t messages_max = endless) {
    std::size_t count = 0;
    while (count < messages_max && scheduler().try_run_once())
      ++count;
    return count;
  }

  /// The same with a random actor before each message.
  std::size_t settle_seeded(std::uint64_t seed, std::size_t messages_max = endless) {
    std::mt19937_64 random(seed);
    auto& jobs = scheduler().jobs;
    std::size_t count = 0;
    while (count < messages_max && !jobs.empty()) {
      const auto pick = static_cast<std::ptrdiff_t>(random() % jobs.size());
      std::rotate(jobs.begin(), jobs.begin() + pick, jobs.begin() + pick + 1);
      scheduler().run_once();
      ++count;
    }
    return count;
  }

  /// Moves the clock, so that timers fire, then settles.
  void advance(micros by) {
    scheduler().advance_time(std::chrono::microseconds(by));
    settle();
  }

  /// The virtual clock.
  [[nodiscard]] micros now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               scheduler().clock().now().time_since_epoch())
        .count();
  }

private:
  struct config : caf::actor_system_config {
    config() {
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  config config_;
  caf::actor_system system_;
};

} // namespace ebb::test
