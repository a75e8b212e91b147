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
  active().trace.parent = std::exchange(active().parent, {});
  active().traced = false;
}

void stream_lifecycle::on_behalf_of(std::string traceparent) {
  active().parent = std::move(traceparent);
}

void stream_lifecycle::close_trace() {
  if (!active_ || active_->traced || active_->trace.start == 0)
    return;
  active_->traced = true;
  emit(effect::kind::log_wake).trace = active_->trace;
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
