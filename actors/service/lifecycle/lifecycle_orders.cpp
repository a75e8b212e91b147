// What persons want of a stream.

#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include <utility>

namespace ebb {

namespace {
error refusal(const char* what, const char* hint) {
  return make_error(ec::conflict, what, hint);
}
} // namespace

result<void> stream_lifecycle::sleep(micros now) {
  if (aim_ == lifecycle_aim::deleted)
    return refusal("the stream is being deleted", "");
  if (phase_ == lifecycle_phase::stopped || phase_ == lifecycle_phase::failed)
    return refusal("the stream does not run", "wake it first");
  if (phase_ == lifecycle_phase::asleep)
    return {};
  if (aim_ == lifecycle_aim::stopped)
    return refusal("the stream is being stopped", "wait until it is stopped");
  if (step_ == step::run) {
    begin_stop(lifecycle_aim::asleep, lifecycle_reason::person, now);
    want_record();
    return {};
  }
  // Its state is in order only after a run: it starts and then goes to sleep at once.
  aim_ = lifecycle_aim::asleep;
  if (phase_ == lifecycle_phase::going_to_sleep)
    reason_ = lifecycle_reason::person;
  return {};
}

result<void> stream_lifecycle::wake(micros now) {
  if (aim_ == lifecycle_aim::deleted)
    return refusal("the stream is being deleted", "");
  if (reason_ == lifecycle_reason::completed)
    return refusal("the stream has read all of its input",
                   "restore a savepoint, or delete it and apply it again");
  retry_at_ = now;
  const auto cause = lifecycle_reason::person;
  switch (step_) {
  case step::compare:
  case step::rest:
    wake_up(cause, now, now);
    return {};
  case step::settle:
  case step::settled:
    failures_ = 0;
    if (held_ != 0)
      resume(cause, now, now);
    else
      wake_up(cause, now, now);
    return {};
  case step::backoff:
    try_start(now);
    break;
  case step::run:
    active().idle_since = now;
    break;
  case step::stop:
    reason_ = cause;
    aim_ = lifecycle_aim::awake;
    want_record();
    return {};
  case step::record_end:
  case step::compare_end:
    resume(cause, now, now);
    return {};
  default:
    break;
  }
  aim_ = lifecycle_aim::awake;
  return {};
}

result<void> stream_lifecycle::stop(micros now) {
  if (aim_ == lifecycle_aim::deleted)
    return refusal("the stream is being deleted", "");
  if (phase_ == lifecycle_phase::stopped)
    return {};
  aim_ = lifecycle_aim::stopped;
  if (step_ == step::rewind)
    return {};
  if (active_)
    active_->rewind_to.clear();
  switch (step_) {
  case step::run:
    begin_stop(aim_, lifecycle_reason::person, now);
    want_record();
    return {};
  case step::stop:
    reason_ = lifecycle_reason::person;
    want_record();
    return {};
  case step::adopt:
    want_record();
    return {};
  case step::start:
    cut_off();
    break;
  default:
    break;
  }
  settle(lifecycle_phase::stopped, lifecycle_reason::person, now);
  return {};
}

void stream_lifecycle::remove(micros now) {
  if (aim_ == lifecycle_aim::deleted)
    return;
  cut_off();
  if (active_)
    active_->rewind_to.clear();
  aim_ = lifecycle_aim::deleted;
  settle(lifecycle_phase::stopped, lifecycle_reason::deleted, now);
}

result<void> stream_lifecycle::restore(std::string savepoint, micros now) {
  if (aim_ == lifecycle_aim::deleted)
    return refusal("the stream is being deleted", "");
  if (active_ && !active_->rewind_to.empty())
    return refusal("the stream is being restored already", "wait until it runs");
  cut_off();
  leave_queue();
  auto& a = active();
  a.rewind_to = std::move(savepoint);
  a.before_rewind = phase_;
  a.reason_before_rewind = reason_;
  a.message.clear();
  a.hint.clear();
  failures_ = 0;
  retry_at_ = now;
  if (held_ != 0)
    resume(lifecycle_reason::restored, now, now);
  else
    wake_up(lifecycle_reason::restored, now, now);
  return {};
}

void stream_lifecycle::rewound(const result<void>& done, micros now) {
  if (step_ != step::rewind)
    return;
  auto& a = active();
  if (!done) {
    a.message = done.error().message;
    a.hint = done.error().hint;
    // Whether it has happened is not known: once more.
    if (done.error().code == ec::io || done.error().code == ec::resource) {
      deadline_ = now + micros_per_second;
      return;
    }
  }
  a.rewind_to.clear();
  if (aim_ == lifecycle_aim::stopped)
    return settle(lifecycle_phase::stopped, lifecycle_reason::person, now);
  const bool rests =
      a.before_rewind == lifecycle_phase::stopped || a.before_rewind == lifecycle_phase::failed;
  if (done || !rests)
    return place(now);
  if (a.before_rewind == lifecycle_phase::stopped
      && a.reason_before_rewind == lifecycle_reason::person)
    aim_ = lifecycle_aim::stopped;
  settle(a.before_rewind, a.reason_before_rewind, now);
}

void stream_lifecycle::define(std::uint64_t definition,
                              std::shared_ptr<const lifecycle_policy> policy, micros now) {
  policy_ = std::move(policy);
  if (definition == definition_ || aim_ == lifecycle_aim::deleted)
    return;
  definition_ = definition;
  const auto cause = lifecycle_reason::changed;
  switch (step_) {
  case step::compare:
  case step::rest:
    wake_up(cause, now, now);
    return;
  case step::settle:
  case step::settled:
    if (aim_ == lifecycle_aim::stopped)
      return;
    failures_ = 0;
    retry_at_ = now;
    if (held_ != 0)
      resume(cause, now, now);
    else
      wake_up(cause, now, now);
    return;
  case step::backoff:
    failures_ = 0;
    retry_at_ = now;
    return try_start(now);
  case step::run:
    return begin_stop(lifecycle_aim::awake, cause, now);
  case step::record_end:
  case step::compare_end:
    return resume(cause, now, now);
  case step::record:
  case step::rewind:
    return want_record();
  default:
    return;
  }
}

} // namespace ebb
