// What workers say of runs.

#include "actors/service/lifecycle/lifecycle_text.hpp"
#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ebb {

namespace {
/// Another try would end the same way: it would read the same record again.
bool is_final(ec code) noexcept {
  switch (code) {
  case ec::invalid_argument:
  case ec::unsupported:
  case ec::corrupt:
  case ec::conflict:
  case ec::bad_record:
  case ec::evaluation:
    return true;
  case ec::not_found:
  case ec::io:
  case ec::resource:
  case ec::cancelled:
  case ec::internal:
    return false;
  }
  return false;
}
} // namespace

bool stream_lifecycle::is_live() const noexcept {
  return step_ == step::start || step_ == step::run || step_ == step::stop || step_ == step::adopt;
}

bool stream_lifecycle::accepts(std::uint64_t placement) const noexcept {
  return placement != 0 && is_live() && placement == (step_ == step::adopt ? placement_ : held_);
}

void stream_lifecycle::place(micros now) {
  const auto before = std::exchange(held_, placement_);
  placed_definition_ = definition_;
  step_ = step::start;
  deadline_ = now + policy_->start_within;
  active().heard = false;
  active().status = {};
  active().trace.placement = placement_;
  active().trace.place = now;
  auto& x = emit(effect::kind::place);
  x.placement = placement_;
  x.after = before;
  x.definition = definition_;
  x.cause = reason_;
  if (before != 0)
    emit(effect::kind::release).placement = before;
}

void stream_lifecycle::started(std::uint64_t placement, std::uint64_t generation, micros now) {
  if (!accepts(placement)) {
    if (placement != held_)
      emit(effect::kind::kill).placement = placement;
    return;
  }
  if (step_ == step::start)
    run(reason_, generation, now);
}

void stream_lifecycle::adopted(std::uint64_t placement, std::uint64_t generation,
                               std::uint64_t definition, micros now) {
  if (!accepts(placement)) {
    if (placement != held_)
      emit(effect::kind::kill).placement = placement;
    return;
  }
  if (step_ == step::adopt) {
    held_ = placement;
    placed_definition_ = definition != 0 ? definition : placed_definition_;
    run(lifecycle_reason::adopted, generation, now);
  } else {
    started(placement, generation, now);
  }
}

void stream_lifecycle::run(lifecycle_reason why, std::uint64_t generation, micros now) {
  auto& a = active();
  if (step_ == step::start) {
    const auto took = std::max<micros>(now - a.trace.grant, 1);
    wake_took_ = wake_took_ == 0 ? took : (3 * wake_took_ + took) / 4;
    a.trace.start = now;
  }
  generation_ = generation;
  a.heard = false;
  a.idle_since = now;
  leave_queue();
  enter(lifecycle_phase::running, why, step::run, now);
  deadline_ = now + policy_->silent_after;
  note(fmt::format("placement {}, generation {}", held_, generation));
  if (aim_ == lifecycle_aim::asleep || aim_ == lifecycle_aim::stopped)
    begin_stop(aim_, lifecycle_reason::person, now);
  else if (placed_definition_ != definition_)
    begin_stop(lifecycle_aim::awake, lifecycle_reason::changed, now);
}

void stream_lifecycle::status(std::uint64_t placement, const run_status& x, micros now) {
  // A worker says it of a run that has started, whatever else of it was lost on the way.
  if (!accepts(placement) || step_ == step::start || step_ == step::adopt)
    adopted(placement, x.generation, 0, now);
  if (!accepts(placement))
    return;
  auto& a = active();
  if (!a.heard || x.busy || x.activity != a.status.activity)
    a.idle_since = now;
  a.heard = true;
  a.status = x;
  auto& t = a.trace;
  t.map = t.map != 0 ? t.map : x.mapped;
  t.first_record = t.first_record != 0 ? t.first_record : x.first_record;
  t.first_output = t.first_output != 0 ? t.first_output : x.first_output;
  if (t.first_output != 0)
    close_trace();
  if (step_ != step::run)
    return;
  deadline_ = now + policy_->silent_after;
  if (sleep_time() <= now)
    begin_stop(lifecycle_aim::asleep, lifecycle_reason::idle, now);
}

void stream_lifecycle::begin_stop(lifecycle_aim aim, lifecycle_reason why, micros now) {
  const auto idle = duration_text(std::max<micros>(now - active().idle_since, 0));
  const auto awake = duration_text(std::max<micros>(now - since_, 0));
  enter(lifecycle_phase::going_to_sleep, why, step::stop, now);
  aim_ = aim;
  deadline_ = now + policy_->stop_within;
  note(fmt::format("ran for {}, last activity {} ago", awake, idle));
  emit(effect::kind::stop).placement = held_;
}

void stream_lifecycle::ended(std::uint64_t placement, const run_end& x, micros now) {
  if (!accepts(placement)) {
    // The end of a run that still holds its place was heard before.
    if (placement != held_)
      emit(effect::kind::release).placement = placement;
    return;
  }
  held_ = placement;
  close_trace();
  if (x.what == run_end::kind::failed) {
    active().message = x.problem.message;
    active().hint = x.problem.hint;
    const bool changed = placed_definition_ != definition_;
    if (is_final(x.problem.code) && !changed)
      return settle(lifecycle_phase::failed, lifecycle_reason::will_not_work, now);
    return lose(lifecycle_reason::crashed, effect::kind::release, true, now);
  }
  if (x.what == run_end::kind::finished) {
    if (placed_definition_ != definition_)
      return resume(lifecycle_reason::changed, now, now);
    return settle(lifecycle_phase::stopped, lifecycle_reason::completed, now);
  }
  next_wake_ = x.next_timer;
  if (step_ == step::stop)
    return end_run(now);
  if (step_ != step::adopt && reason_ != lifecycle_reason::adopted)
    return lose(lifecycle_reason::worker_lost, effect::kind::release, true, now);
  // It was asked to before the control process started; sleeping is safe where it is allowed.
  const bool sleeps = policy_->idle_after != max_time && policy_->cannot_wake.empty();
  if (aim_ == lifecycle_aim::awake && !sleeps)
    return resume(lifecycle_reason::adopted, now, now);
  if (aim_ == lifecycle_aim::awake)
    aim_ = lifecycle_aim::asleep;
  enter(lifecycle_phase::going_to_sleep, lifecycle_reason::idle, step::stop, now);
  end_run(now);
}

void stream_lifecycle::end_run(micros now) {
  if (placed_definition_ != definition_ && aim_ == lifecycle_aim::asleep)
    return resume(lifecycle_reason::changed, now, now);
  switch (aim_) {
  case lifecycle_aim::awake:
    return resume(reason_, now, now);
  case lifecycle_aim::stopped:
    return settle(lifecycle_phase::stopped, lifecycle_reason::person, now);
  default:
    break;
  }
  // It has worked off all there was.
  failures_ = 0;
  step_ = step::record_end;
  deadline_ = max_time;
  want_record();
}

void stream_lifecycle::settle(lifecycle_phase phase, lifecycle_reason why, micros now) {
  leave_queue();
  enter(phase, why, step::settle, now);
  next_wake_ = max_time;
  note(active_ && !active_->message.empty() ? active_->message : std::string("ends here"));
  want_record();
}

void stream_lifecycle::worker_lost(std::uint64_t placement, micros now) {
  if (accepts(placement))
    return lose(lifecycle_reason::worker_lost, effect::kind::kill, step_ != step::adopt, now);
  if (placement == 0 || placement != held_)
    return;
  // Its run had ended: what is under way needs only its place.
  held_ = 0;
  emit(effect::kind::kill).placement = placement;
}

void stream_lifecycle::restarted(micros now) {
  if (step_ == step::adopt)
    lose(lifecycle_reason::restarted, effect::kind::kill, false, now);
}

void stream_lifecycle::lose(lifecycle_reason why, effect::kind how, bool counts, micros now) {
  emit(how).placement = step_ == step::adopt ? placement_ : held_;
  held_ = 0;
  close_trace();
  leave_queue();
  if (aim_ == lifecycle_aim::stopped)
    return settle(lifecycle_phase::stopped, lifecycle_reason::person, now);
  if (counts) {
    // What comes after progress is no repetition, if it was not the stream's own error.
    const bool progressed = why == lifecycle_reason::worker_lost
                            && (step_ == step::run || step_ == step::stop)
                            && active().status.progressed;
    if (progressed || (step_ == step::run && well_time() <= now))
      failures_ = 0;
    ++failures_;
    // A worker that dies says little about the stream: the first time it goes on at once.
    const bool at_once = why == lifecycle_reason::worker_lost && failures_ == 1;
    retry_at_ = at_once ? now : now + backoff();
  }
  if (why != lifecycle_reason::crashed && active_) {
    active_->message.clear();
    active_->hint.clear();
  }
  enter(lifecycle_phase::waking, why, step::queue, now);
  aim_ = lifecycle_aim::awake;
  next_wake_ = max_time;
  open_trace(now, now);
  note(why == lifecycle_reason::restarted && failures_ == 0
           ? std::string("its last run ended with the service")
           : fmt::format("{} failure{} in a row, next try in {}", failures_,
                         failures_ == 1 ? "" : "s",
                         duration_text(std::max<micros>(retry_at_ - now, 0))));
  try_start(now);
  if (counts)
    want_record();
}

void stream_lifecycle::cut_off() {
  if (!is_live())
    return;
  emit(effect::kind::kill).placement = step_ == step::adopt ? placement_ : held_;
  held_ = 0;
}

micros stream_lifecycle::backoff() const noexcept {
  const auto doublings = std::min<std::uint32_t>(failures_ == 0 ? 0 : failures_ - 1, 20);
  return std::min(policy_->backoff_min << doublings, policy_->backoff_max);
}

micros stream_lifecycle::well_time() const noexcept {
  return since_ + std::max(policy_->well_after, backoff());
}

micros stream_lifecycle::awake_time() const noexcept {
  const auto pays = std::min(wake_took_, policy_->awake_max) * policy_->awake_pays;
  return std::clamp(pays, policy_->awake_min, policy_->awake_max);
}

micros stream_lifecycle::sleep_time() const noexcept {
  if (step_ != step::run || !active_ || !active_->heard || active_->status.busy
      || policy_->idle_after == max_time || !policy_->cannot_wake.empty())
    return max_time;
  const auto at = std::max(active_->idle_since + policy_->idle_after, since_ + awake_time());
  // Not for a nap that costs more than it saves; the timer changes the activity when it fires.
  const auto timer = active_->status.next_timer;
  return timer != max_time && timer - at < awake_time() ? max_time : at;
}

} // namespace ebb
