// What is written and read again. Records are written one at a time, each of what is so when it is
// written.

#include "actors/service/lifecycle/lifecycle_text.hpp"
#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb {

void stream_lifecycle::load(const lifecycle_record& x, micros now) {
  phase_ = x.phase;
  reason_ = x.reason;
  since_ = x.since;
  placement_ = x.placement;
  placed_definition_ = x.definition;
  failures_ = x.failures;
  // The clock may have gone back since then.
  retry_at_ = std::min(x.retry_at, now + policy_->backoff_max);
  wake_took_ = x.wake_took;
  if (!x.message.empty() && x.phase != lifecycle_phase::asleep) {
    active().message = x.message;
    active().hint = x.hint;
  }
  const bool changed = x.definition != definition_;
  switch (x.phase) {
  case lifecycle_phase::asleep:
    if (changed)
      return wake_up(lifecycle_reason::changed, now, now);
    next_wake_ = x.next_wake;
    emit(effect::kind::arm);
    armed_ = true;
    return ask_compare(now);
  case lifecycle_phase::stopped:
    aim_ = x.aim;
    if (aim_ == lifecycle_aim::deleted) {
      step_ = step::gone;
      emit(effect::kind::forget);
      return;
    }
    if (changed && x.reason == lifecycle_reason::completed)
      return wake_up(lifecycle_reason::changed, now, now);
    step_ = step::settled;
    return;
  case lifecycle_phase::failed:
    step_ = step::settled;
    if (changed) {
      failures_ = 0;
      wake_up(lifecycle_reason::changed, now, now);
    }
    return;
  default:
    break;
  }
  aim_ = x.aim;
  phase_ = lifecycle_phase::waking;
  open_trace(now, now);
  if (!x.placed)
    return try_start(now);
  enter(lifecycle_phase::waking, lifecycle_reason::adopting, step::adopt, now);
  deadline_ = now + policy_->adopt_within;
  note(fmt::format("waits for the worker that may have placement {}", placement_));
}

lifecycle_record stream_lifecycle::make_record() const {
  lifecycle_record x;
  const bool asleep =
      phase_ == lifecycle_phase::asleep || step_ == step::record_end || step_ == step::compare_end;
  x.phase = asleep                               ? lifecycle_phase::asleep
            : phase_ == lifecycle_phase::stopped ? lifecycle_phase::stopped
            : phase_ == lifecycle_phase::failed  ? lifecycle_phase::failed
                                                 : lifecycle_phase::running;
  x.reason = reason_;
  x.aim = aim_;
  x.since = since_;
  x.next_wake = asleep ? next_wake_ : max_time;
  x.placement = placement_;
  x.placed = is_live() || step_ == step::record || step_ == step::rewind;
  x.definition = step_ == step::record || step_ == step::rewind ? definition_ : placed_definition_;
  x.failures = failures_;
  x.retry_at = retry_at_;
  x.wake_took = wake_took_;
  if (active_ && !asleep) {
    x.message = active_->message;
    x.hint = active_->hint;
  }
  return x;
}

void stream_lifecycle::want_record() {
  if (recording_) {
    record_due_ = true;
    return;
  }
  emit_record();
}

void stream_lifecycle::emit_record() {
  recording_ = true;
  record_due_ = false;
  record_retry_at_ = max_time;
  auto& x = emit(effect::kind::record);
  x.number = ++record_number_;
  x.record = make_record();
}

void stream_lifecycle::recorded(std::uint32_t number, const result<void>& done, micros now) {
  if (!recording_ || number != record_number_ || record_retry_at_ != max_time)
    return;
  if (!done) {
    // The outcome is unknown: the same is written again, and nothing that needs it happens.
    record_tries_ = static_cast<std::uint16_t>(std::min(record_tries_ + 1, 16));
    const auto delay = micros_per_second << std::min(record_tries_ - 1, 10);
    record_retry_at_ = now + std::min(delay, policy_->record_retry_max);
    active().record_problem = done.error().message;
    note(fmt::format("its record could not be written ({}), tried again in {}",
                     done.error().message, duration_text(record_retry_at_ - now)));
    return;
  }
  recording_ = false;
  record_tries_ = 0;
  if (active_)
    active_->record_problem.clear();
  if (record_due_)
    return emit_record();
  on_recorded(now);
}

} // namespace ebb
