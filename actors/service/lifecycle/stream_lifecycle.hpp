/// When one stream sleeps, wakes, is placed on a worker, retries and gives up. Pure.
#pragma once

#include "actors/service/lifecycle/lifecycle_effect.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// What a worker says of a placement: at least every few seconds, at once when `busy` ends.
struct run_status {
  std::uint64_t generation = 0;
  bool busy = false;          ///< rows are under way, or output is not applied yet
  std::uint64_t activity = 0; ///< changes whenever the stream has done something
  micros next_timer = max_time;
  micros mapped =
      0; ///< when its state was in place, its first row was read, and so on; 0 = not yet
  micros first_record = 0;
  micros first_output = 0;
};

/// How a run ended.
struct run_end {
  enum class kind : std::uint8_t {
    cut,      ///< final checkpoint made, its output applied, as `stop` asks
    finished, ///< the input has ended, all output is in
    failed,
  };
  kind what = kind::cut;
  micros next_timer = max_time; ///< cut: processing time at which it wants to be woken
  error problem;                ///< failed
};

enum class comparison : std::uint8_t { nothing, more, unknown };

/// Events go in, effects come out; `now` is processing time and never falls. Every phase has a
/// deadline, a next action and a reason. Asleep it is this object alone, without heap.
///
/// The order that loses nothing: a placement is recorded before it starts (so that a stream whose
/// state may change is never called asleep); the end of a run is recorded before its place is
/// given up; topics are subscribed to before their ends are compared. Whether there is input is a
/// level that is looked at, not an event that is remembered. Events of a placement that is not the
/// current one change nothing but that placement: it is killed or released.
class stream_lifecycle {
public:
  using effect = lifecycle_effect;

  /// A stream as the control database has it, when the control process starts or the stream is
  /// created (then with a default record that is durable already). `definition` numbers what is to
  /// run: another number than the record's is a change. The worker that had it calls `adopted` or
  /// `ended`; `worker_lost` when it is known that there is none.
  stream_lifecycle(std::shared_ptr<const lifecycle_policy> policy, const lifecycle_record& recorded,
                   std::uint64_t definition, micros now);
  stream_lifecycle(stream_lifecycle&&) noexcept;
  stream_lifecycle& operator=(stream_lifecycle&&) noexcept;
  ~stream_lifecycle();

  // Answers to effects.

  void recorded(std::uint32_t number, const result<void>& done, micros now);
  void compared(std::uint32_t number, comparison found, micros now);
  void granted(micros now);
  /// The wake queue is full; `why` for the person.
  void refused(const std::string& why, micros now);
  void rewound(const result<void>& done, micros now);

  // What workers say.

  void started(std::uint64_t placement, std::uint64_t generation, micros now);
  /// A worker that came back runs `placement`, placed with `definition`.
  void adopted(std::uint64_t placement, std::uint64_t generation, std::uint64_t definition,
               micros now);
  void status(std::uint64_t placement, const run_status& x, micros now);
  /// Said again until `release` or `kill` comes, also by a worker that came back.
  void ended(std::uint64_t placement, const run_end& x, micros now);
  /// The worker is dead, or will be before anything else runs there.
  void worker_lost(std::uint64_t placement, micros now);

  // The world.

  /// A topic that it reads has grown, at `appended`. More often than needed is harmless.
  void input_moved(micros appended, micros now);
  void tick(micros now);

  // Persons. ec::conflict says why it cannot be.

  [[nodiscard]] result<void> sleep(micros now);
  [[nodiscard]] result<void> wake(micros now);
  /// Final checkpoint, then stopped until a person wakes it.
  [[nodiscard]] result<void> stop(micros now);
  [[nodiscard]] result<void> restore(std::string savepoint, micros now);
  void remove(micros now);
  /// The definition or its policy has changed (manifest, parallelism); durable already.
  void define(std::uint64_t definition, std::shared_ptr<const lifecycle_policy> policy, micros now);

  [[nodiscard]] std::vector<effect> take_effects();
  /// When to call `tick` next; max_time = no need.
  [[nodiscard]] micros next_time() const noexcept;

  // What it looks like.

  [[nodiscard]] lifecycle_phase phase() const noexcept {
    return phase_;
  }

  [[nodiscard]] lifecycle_reason reason() const noexcept {
    return reason_;
  }

  [[nodiscard]] micros since() const noexcept {
    return since_;
  }

  /// The alarm of a stream that is asleep; max_time = none.
  [[nodiscard]] micros next_wake() const noexcept {
    return next_wake_;
  }

  /// Of the run that is or was the last; 0 = not known.
  [[nodiscard]] std::uint64_t generation() const noexcept {
    return generation_;
  }

  /// The placement that has a place on a worker; 0 = none.
  [[nodiscard]] std::uint64_t held() const noexcept {
    return held_;
  }

  /// Calls of other placements are to be refused.
  [[nodiscard]] bool accepts(std::uint64_t placement) const noexcept;
  /// No step is under way: nothing happens until an input, an alarm or a person.
  [[nodiscard]] bool settled() const noexcept;
  /// One sentence for the status; of a failure its message.
  [[nodiscard]] std::string message(micros now) const;
  /// Sentences: phase, reason, inputs of the decision, what comes next and when.
  [[nodiscard]] std::vector<std::string> why(micros now) const;
  /// Of the wake under way or the last one; nothing when asleep.
  [[nodiscard]] const wake_trace* trace() const noexcept;

private:
  enum class step : std::uint8_t;
  struct active_part;

  std::shared_ptr<const lifecycle_policy> policy_;
};

} // namespace ebb
