/// When one stream sleeps, wakes, is placed on a worker, retries and gives up. Pure.
#pragma once

#include "actors/service/lifecycle/lifecycle_effect.hpp"
#include "actors/service/lifecycle/lifecycle_event.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

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
  /// run, from 1: another number than the record's is a change. The worker that had it calls
  /// `adopted` or `ended`; `worker_lost` when it is known that there is none, or `restarted`.
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
  /// A worker that came back runs `placement`, placed with `definition` (0 = it does not know: then
  /// what was recorded with the placement).
  void adopted(std::uint64_t placement, std::uint64_t generation, std::uint64_t definition,
               micros now);
  void status(std::uint64_t placement, const run_status& x, micros now);
  /// Said again until `release` or `kill` comes, also by a worker that came back.
  void ended(std::uint64_t placement, const run_end& x, micros now);
  /// The worker is dead, or will be before anything else runs there.
  void worker_lost(std::uint64_t placement, micros now);
  /// No worker comes back with `awaited`: its run ended with the service.
  void restarted(micros now);

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

  /// The next call is what a request has led to, with this traceparent: a wake that comes of it
  /// says so.
  void on_behalf_of(std::string traceparent);

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

  /// The placement whose worker is to come back to a new control process; 0 = none.
  [[nodiscard]] std::uint64_t awaited() const noexcept {
    return step_ == step::adopt ? placement_ : 0;
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
  /// Tests tell states apart by all that is in them.
  friend struct lifecycle_probe;

  /// What is under way in a phase.
  enum class step : std::uint8_t {
    compare,     ///< asleep: topics are being compared
    rest,        ///< asleep
    backoff,     ///< waking: not before `retry_at_`
    queue,       ///< waking: asked for a grant
    record,      ///< waking: the placement is being recorded
    rewind,      ///< waking: the savepoint is made the newest record
    start,       ///< waking: placed
    adopt,       ///< waking: some worker may have `placement_`
    run,         ///< running
    stop,        ///< going to sleep: the run is asked to end
    record_end,  ///< going to sleep: its end is being recorded
    compare_end, ///< going to sleep: subscribed, topics are being compared
    settle,      ///< stopped or failed: being recorded
    settled,     ///< stopped or failed
    gone,        ///< deleted
  };

  /// What a stream needs only while it is not at rest.
  struct active_part {
    run_status status;
    bool heard = false; ///< `status` is of this run
    micros idle_since = 0;
    wake_trace trace;
    bool traced = false; ///< `trace` was given out
    std::string parent;  ///< of the next trace
    micros moved_at = 0; ///< first append that was told since it went to sleep
    std::string message; ///< of the last failure
    std::string hint;
    std::string queue_problem;
    std::string record_problem;
    std::string rewind_to;
    lifecycle_phase before_rewind = lifecycle_phase::asleep;
    lifecycle_reason reason_before_rewind = lifecycle_reason::idle;
  };

  active_part& active();
  effect& emit(effect::kind what);
  void note(std::string text);
  void enter(lifecycle_phase phase, lifecycle_reason reason, step next, micros now);
  void open_trace(micros trigger, micros now);
  void close_trace();

  void load(const lifecycle_record& x, micros now);
  [[nodiscard]] lifecycle_record make_record() const;
  void want_record();
  void emit_record();
  void on_recorded(micros now);

  void ask_compare(micros now);
  void fall_asleep(micros now);
  void wake_up(lifecycle_reason why, micros trigger, micros now);
  void resume(lifecycle_reason why, micros trigger, micros now);
  void try_start(micros now);
  void leave_queue();
  void disarm();
  void prepare_placement();
  void place(micros now);
  void run(lifecycle_reason why, std::uint64_t generation, micros now);
  void begin_stop(lifecycle_aim aim, lifecycle_reason why, micros now);
  void end_run(micros now);
  void settle(lifecycle_phase phase, lifecycle_reason why, micros now);
  /// The run is gone; another one comes, later if it `counts` as a failure.
  void lose(lifecycle_reason why, effect::kind how, bool counts, micros now);
  /// Kills what may be running, so that nothing of it counts any more.
  void cut_off();

  [[nodiscard]] bool is_live() const noexcept;
  [[nodiscard]] micros awake_time() const noexcept;
  [[nodiscard]] micros sleep_time() const noexcept;
  [[nodiscard]] micros well_time() const noexcept;
  [[nodiscard]] micros backoff() const noexcept;
  [[nodiscard]] std::string next_action(micros now) const;
  [[nodiscard]] std::string awake_because(micros now) const;

  std::shared_ptr<const lifecycle_policy> policy_;
  std::unique_ptr<active_part> active_;
  std::vector<effect> effects_;
  micros since_ = 0;
  micros deadline_ = max_time; ///< of the step
  micros next_wake_ = max_time;
  micros retry_at_ = 0;
  micros record_retry_at_ = max_time;
  micros wake_took_ = 0;
  std::uint64_t placement_ = 0; ///< highest number given out
  std::uint64_t held_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t definition_ = 0;
  std::uint64_t placed_definition_ = 0;
  std::uint32_t failures_ = 0;
  std::uint32_t record_number_ = 0;
  std::uint32_t compare_number_ = 0;
  std::uint16_t record_tries_ = 0;
  lifecycle_phase phase_ = lifecycle_phase::waking;
  lifecycle_reason reason_ = lifecycle_reason::created;
  lifecycle_aim aim_ = lifecycle_aim::awake;
  step step_ = step::queue;
  bool armed_ = false;
  bool asked_ = false; ///< has, or may have, an entry in the wake queue
  bool comparing_ = false;
  bool compare_again_ = false; ///< something moved meanwhile
  bool recording_ = false;
  bool record_due_ = false; ///< another record is to follow the one under way
};

} // namespace ebb
