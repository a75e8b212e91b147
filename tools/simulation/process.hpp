/// One incarnation of the simulated process: what may go wrong in it, and whether it lives.
#pragma once

#include "schemas/error.hpp"
#include "tools/simulation/dice.hpp"
#include "tools/simulation/trace.hpp"

#include <cstdint>

namespace ebb::sim {

/// Chances in a million: of a message, of a durable step. Drawn once a seed, so that each seed has
/// a character of its own.
struct fault_rates {
  std::uint32_t lose = 0;   ///< a message of a checkpoint
  std::uint32_t twice = 0;  ///< the same, delivered twice
  std::uint32_t delay = 0;  ///< any message between two actors
  std::uint32_t stale = 0;  ///< a message of an older generation comes to this one
  std::uint32_t kill = 0;   ///< an actor, instead of handling a message
  std::uint32_t crash = 0;  ///< the process, before or after a durable step, or between messages
  std::uint32_t refuse = 0; ///< a durable step fails; half of them have happened all the same
  std::uint32_t slow = 0;   ///< an I/O job takes long
  std::uint32_t jump = 0;   ///< the clock of the subtasks jumps
};

/// Used by the world and by everything durable.
class process {
public:
  process(std::uint64_t generation, const fault_rates& rates, dice& random, trace& log) noexcept
      : generation_(generation), rates_(&rates), random_(&random), log_(&log) {}

  [[nodiscard]] std::uint64_t generation() const noexcept {
    return generation_;
  }

  [[nodiscard]] bool dead() const noexcept {
    return dead_;
  }

  void die() noexcept {
    dead_ = true;
  }

  /// What becomes of a durable step: `happens` says whether it takes effect, the result what the
  /// caller is told. `repeatable`: when it fails nothing of it has happened.
  struct fate {
    bool happens = true;
    bool told = true;
    bool full = false; ///< the disk had no room: nothing has happened, and it may be tried again

    [[nodiscard]] error problem() const {
      return full ? make_error(ec::resource, "no space left on the simulated disk")
                  : make_error(ec::io, "the simulated disk has failed");
    }
  };

  fate durable_step(const char* what, std::uint64_t number, bool repeatable = false) {
    if (dead_)
      return {false, false};
    log_->note(what, number);
    if (random_->chance(rates_->crash)) {
      dead_ = true;
      const bool after = random_->below(2) == 1;
      log_->note(after ? "crash after it" : "crash before it", number);
      return {after, false};
    }
    if (random_->chance(rates_->refuse)) {
      if (repeatable || random_->below(2) == 1) {
        log_->note("disk full", number);
        return {false, false, true};
      }
      const bool after = random_->below(2) == 1;
      log_->note(after ? "error though done" : "error", number);
      return {after, false};
    }
    return {};
  }

private:
  std::uint64_t generation_;
  const fault_rates* rates_;
  dice* random_;
  trace* log_;
  bool dead_ = false;
};

} // namespace ebb::sim
