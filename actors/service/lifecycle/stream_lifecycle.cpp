#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include "actors/service/lifecycle/lifecycle_text.hpp"
#include "schemas/assert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ebb {

stream_lifecycle::stream_lifecycle(std::shared_ptr<const lifecycle_policy> policy,
                                   const lifecycle_record& recorded, std::uint64_t definition,
                                   micros now)
    : policy_(std::move(policy)), definition_(definition) {
  EBB_ASSERT(policy_ != nullptr && definition != 0);
  load(recorded, now);
}

stream_lifecycle::stream_lifecycle(stream_lifecycle&&) noexcept = default;
stream_lifecycle& stream_lifecycle::operator=(stream_lifecycle&&) noexcept = default;
stream_lifecycle::~stream_lifecycle() = default;

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

stream_lifecycle::active_part& stream_lifecycle::active() {
  if (!active_)
    active_ = std::make_unique<active_part>();
  return *active_;
}

stream_lifecycle::effect& stream_lifecycle::emit(effect::kind what) {
  auto& x = effects_.emplace_back();
  x.what = what;
  return x;
}

void stream_lifecycle::note(std::string text) {
  emit(effect::kind::log_decision).text =
      fmt::format("{} {}: {}", to_string(phase_), to_string(reason_), text);
}

void stream_lifecycle::enter(lifecycle_phase phase, lifecycle_reason reason, step next,
                             micros now) {
  if (phase_ != phase)
    since_ = now;
  phase_ = phase;
  reason_ = reason;
  step_ = next;
  deadline_ = max_time;
  comparing_ = false;
  compare_again_ = false;
}

void stream_lifecycle::open_trace(micros trigger, micros now) {
  close_trace();
  active().moved_at = 0;
  active().trace = {};
  active().trace.cause = reason_;
  active().trace.trigger = std::min(trigger, now);
  active().trace.decide = now;
  active().traced = false;
}

void stream_lifecycle::close_trace() {
  if (!active_ || active_->traced || active_->trace.start == 0)
    return;
  active_->traced = true;
  emit(effect::kind::log_wake).trace = active_->trace;
}

// Records: one at a time, always of what is so when it is written.

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

void stream_lifecycle::on_recorded(micros now) {
  switch (step_) {
  case step::record:
    if (active().rewind_to.empty())
      return place(now);
    // Left only by its answer: one that takes effect later would hit the next run.
    step_ = step::rewind;
    emit(effect::kind::rewind).text = active().rewind_to;
    return;
  case step::record_end:
    // Subscribed first: whatever is appended after the comparison is told.
    step_ = step::compare_end;
    emit(effect::kind::arm);
    armed_ = true;
    return ask_compare(now);
  case step::settle:
    if (held_ != 0)
      emit(effect::kind::release).placement = std::exchange(held_, 0);
    disarm();
    step_ = step::settled;
    if (phase_ == lifecycle_phase::stopped)
      active_.reset();
    if (aim_ == lifecycle_aim::deleted) {
      step_ = step::gone;
      emit(effect::kind::forget);
    }
    return;
  default:
    return;
  }
}

// Going to sleep and waking.

void stream_lifecycle::ask_compare(micros now) {
  if (phase_ == lifecycle_phase::asleep)
    step_ = step::compare;
  comparing_ = true;
  compare_again_ = false;
  deadline_ = now + policy_->answer_within;
  emit(effect::kind::compare).number = ++compare_number_;
}

void stream_lifecycle::compared(std::uint32_t number, comparison found, micros now) {
  if (!comparing_ || number != compare_number_)
    return;
  comparing_ = false;
  if (found == comparison::unknown) {
    deadline_ = now + micros_per_second;
    return;
  }
  if (found == comparison::more) {
    const auto trigger = active_ && active_->moved_at != 0 ? active_->moved_at : now;
    if (phase_ == lifecycle_phase::asleep)
      return wake_up(lifecycle_reason::input, trigger, now);
    return resume(lifecycle_reason::input, trigger, now);
  }
  if (compare_again_)
    return ask_compare(now);
  if (phase_ != lifecycle_phase::asleep)
    return fall_asleep(now);
  step_ = step::rest;
  deadline_ = max_time;
  active_.reset();
}

void stream_lifecycle::input_moved(micros appended, micros now) {
  if (step_ != step::rest && step_ != step::compare && step_ != step::compare_end)
    return;
  auto& a = active();
  a.moved_at = a.moved_at != 0 ? a.moved_at : std::min(appended, now);
  if (comparing_)
    compare_again_ = true;
  else
    ask_compare(now);
}

void stream_lifecycle::fall_asleep(micros now) {
  enter(lifecycle_phase::asleep, reason_, step::rest, now);
  note(next_wake_ == max_time ? std::string("nothing is left to read")
                              : fmt::format("nothing is left to read, its alarm is in {}",
                                            duration_text(std::max<micros>(next_wake_ - now, 0))));
  if (held_ != 0)
    emit(effect::kind::release).placement = std::exchange(held_, 0);
  active_.reset();
}

void stream_lifecycle::wake_up(lifecycle_reason why, micros trigger, micros now) {
  EBB_ASSERT(held_ == 0);
  const auto before = fmt::format("was {} for {}", to_string(phase_),
                                  duration_text(std::max<micros>(now - since_, 0)));
  enter(lifecycle_phase::waking, why, step::queue, now);
  aim_ = lifecycle_aim::awake;
  next_wake_ = max_time;
  open_trace(trigger, now);
  note(before);
  disarm();
  try_start(now);
}

void stream_lifecycle::resume(lifecycle_reason why, micros trigger, micros now) {
  enter(lifecycle_phase::waking, why, step::record, now);
  aim_ = lifecycle_aim::awake;
  next_wake_ = max_time;
  open_trace(trigger, now);
  active().trace.grant = now;
  note("goes on where it has its place");
  disarm();
  prepare_placement();
}

void stream_lifecycle::disarm() {
  if (std::exchange(armed_, false))
    emit(effect::kind::disarm);
}

void stream_lifecycle::try_start(micros now) {
  if (now < retry_at_) {
    step_ = step::backoff;
    deadline_ = retry_at_;
    return;
  }
  step_ = step::queue;
  deadline_ = now + policy_->grant_within;
  asked_ = true;
  emit(effect::kind::ask_grant).cause = reason_;
}

void stream_lifecycle::leave_queue() {
  if (std::exchange(asked_, false))
    emit(effect::kind::give_back);
}

void stream_lifecycle::granted(micros now) {
  if (step_ != step::queue) {
    // Its wish was withdrawn before the grant came.
    if (!asked_)
      emit(effect::kind::give_back);
    return;
  }
  asked_ = true;
  active().queue_problem.clear();
  active().trace.grant = now;
  step_ = step::record;
  prepare_placement();
}

void stream_lifecycle::refused(const std::string& why, micros now) {
  if (step_ != step::queue)
    return;
  active().queue_problem = why;
  deadline_ = now + micros_per_second;
}

void stream_lifecycle::prepare_placement() {
  ++placement_;
  deadline_ = max_time;
  want_record();
}

void stream_lifecycle::tick(micros now) {
  if (record_retry_at_ <= now)
    emit_record();
  const bool late = deadline_ <= now;
  switch (step_) {
  case step::compare:
  case step::rest:
    if (next_wake_ <= now)
      return wake_up(lifecycle_reason::alarm, next_wake_, now);
    if (late)
      ask_compare(now);
    return;
  case step::compare_end:
    if (next_wake_ <= now)
      return resume(lifecycle_reason::alarm, next_wake_, now);
    if (late)
      ask_compare(now);
    return;
  case step::backoff:
  case step::queue:
    if (late)
      try_start(now);
    return;
  case step::rewind:
    if (late) {
      deadline_ = max_time;
      emit(effect::kind::rewind).text = active().rewind_to;
    }
    return;
  case step::start:
    if (late)
      lose(lifecycle_reason::start_too_slow, effect::kind::kill, true, now);
    return;
  case step::adopt:
    if (late)
      lose(lifecycle_reason::worker_lost, effect::kind::kill, false, now);
    return;
  case step::run:
    if (late)
      return lose(lifecycle_reason::silent, effect::kind::kill, true, now);
    if (failures_ != 0 && well_time() <= now) {
      failures_ = 0;
      active().message.clear();
      active().hint.clear();
      note("ran well, earlier failures are forgotten");
      want_record();
    }
    if (sleep_time() <= now)
      begin_stop(lifecycle_aim::asleep, lifecycle_reason::idle, now);
    return;
  case step::stop:
    if (late)
      lose(lifecycle_reason::stop_too_slow, effect::kind::kill, true, now);
    return;
  default:
    return;
  }
}

std::vector<stream_lifecycle::effect> stream_lifecycle::take_effects() {
  return std::exchange(effects_, {});
}

micros stream_lifecycle::next_time() const noexcept {
  auto x = std::min(deadline_, record_retry_at_);
  if (step_ == step::compare || step_ == step::rest || step_ == step::compare_end)
    x = std::min(x, next_wake_);
  if (step_ == step::run)
    x = std::min({x, sleep_time(), failures_ != 0 ? well_time() : max_time});
  return x;
}

bool stream_lifecycle::settled() const noexcept {
  return !recording_ && (step_ == step::rest || step_ == step::settled || step_ == step::gone);
}

} // namespace ebb
