#include "actors/service/lifecycle/lifecycle_text.hpp"

#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ebb {

std::string duration_text(micros x) {
  if (x == max_time)
    return "ever";
  if (x < micros_per_second)
    return fmt::format("{} ms", std::max<micros>(x, 0) / 1000);
  const auto seconds = x / micros_per_second;
  if (seconds < 180)
    return fmt::format("{} s", seconds);
  if (seconds < 3 * 3600)
    return fmt::format("{} min", seconds / 60);
  if (seconds < 2 * 86'400)
    return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86'400);
}

namespace {
std::string ago(micros t, micros now) {
  return duration_text(std::max<micros>(now - t, 0));
}

std::string until(micros t, micros now) {
  return duration_text(std::max<micros>(t - now, 0));
}

const char* phrase(lifecycle_reason x) {
  switch (x) {
  case lifecycle_reason::created:
    return "it is new";
  case lifecycle_reason::input:
    return "a topic that it reads has more than it has read";
  case lifecycle_reason::alarm:
    return "one of its timers was due";
  case lifecycle_reason::person:
    return "a person asked for it";
  case lifecycle_reason::changed:
    return "its definition was changed";
  case lifecycle_reason::restored:
    return "it goes back to a savepoint";
  case lifecycle_reason::adopting:
    return "the control process has started anew";
  case lifecycle_reason::adopted:
    return "its worker had it when the control process started anew";
  case lifecycle_reason::idle:
    return "nothing happened for long enough";
  case lifecycle_reason::crashed:
    return "its last run ended with an error";
  case lifecycle_reason::worker_lost:
    return "its worker was lost";
  case lifecycle_reason::start_too_slow:
    return "it did not start in time";
  case lifecycle_reason::stop_too_slow:
    return "its last run did not end in time";
  case lifecycle_reason::silent:
    return "nothing was heard of its last run for too long";
  case lifecycle_reason::completed:
    return "its input has ended and all of its output is in";
  case lifecycle_reason::deleted:
    return "it is deleted";
  case lifecycle_reason::will_not_work:
    return "it will not work as it is";
  case lifecycle_reason::restarted:
    return "it goes on after the service was ended and started again";
  }
  return "";
}
} // namespace

const wake_trace* stream_lifecycle::trace() const noexcept {
  return active_ && active_->trace.decide != 0 ? &active_->trace : nullptr;
}

std::string stream_lifecycle::message(micros now) const {
  if (active_ && !active_->record_problem.empty())
    return fmt::format("its record cannot be written: {}", active_->record_problem);
  if (active_ && !active_->message.empty())
    return active_->hint.empty() ? active_->message
                                 : fmt::format("{} ({})", active_->message, active_->hint);
  return fmt::format("{}, {}", phrase(reason_), next_action(now));
}

std::string stream_lifecycle::awake_because(micros now) const {
  const auto& p = *policy_;
  const auto& a = *active_;
  if (!p.cannot_wake.empty())
    return fmt::format("it never sleeps: source {} could not wake it", p.cannot_wake);
  if (p.idle_after == max_time)
    return "it never sleeps: sleep.idleAfter is never";
  if (!a.heard)
    return "its worker has not said yet what it does";
  if (a.status.busy)
    return "it is busy: rows are under way or output is not applied yet";
  if (sleep_time() == max_time)
    return fmt::format("it is idle, its next timer is due in {}: too soon to sleep",
                       until(a.status.next_timer, now));
  auto text =
      fmt::format("last activity {} ago, sleeps after {} without: in {}", ago(a.idle_since, now),
                  duration_text(p.idle_after), until(sleep_time(), now));
  if (since_ + awake_time() > a.idle_since + p.idle_after)
    text += fmt::format(" (it stays awake at least {}, since waking it takes {})",
                        duration_text(awake_time()), duration_text(wake_took_));
  return text;
}

std::string stream_lifecycle::next_action(micros now) const {
  switch (step_) {
  case step::compare:
    return comparing_ ? "its topics are being compared with its positions"
                      : fmt::format("its topics could not be compared, again in {}",
                                    until(deadline_, now));
  case step::rest:
    return next_wake_ == max_time
               ? std::string("sleeps until a message comes or a person wakes it")
               : fmt::format("sleeps until a message comes, or for {}", until(next_wake_, now));
  case step::backoff:
    return fmt::format("starts in {} after {} failure{} in a row", until(retry_at_, now), failures_,
                       failures_ == 1 ? "" : "s");
  case step::queue:
    return !active_ || active_->queue_problem.empty()
               ? fmt::format("waits in the wake queue, asks again in {}", until(deadline_, now))
               : fmt::format("the wake queue is full ({}), asks again in {}",
                             active_->queue_problem, until(deadline_, now));
  case step::record:
    return fmt::format("placement {} is being recorded", placement_);
  case step::rewind:
    return fmt::format(
        "savepoint {} is being restored{}", active_ ? active_->rewind_to : std::string(),
        deadline_ == max_time ? std::string()
                              : fmt::format(", tried again in {}", until(deadline_, now)));
  case step::start:
    return fmt::format("placement {} has {} left to start", held_, until(deadline_, now));
  case step::adopt:
    return fmt::format("the worker of placement {} has {} left to come back", placement_,
                       until(deadline_, now));
  case step::run:
    return awake_because(now);
  case step::stop:
    return fmt::format("placement {} has {} left to make its final checkpoint", held_,
                       until(deadline_, now));
  case step::record_end:
    return "its end is being recorded";
  case step::compare_end:
    return comparing_ ? "its topics are being compared with its positions"
                      : fmt::format("its topics could not be compared, again in {}",
                                    until(deadline_, now));
  case step::settle:
    return "is being recorded";
  case step::settled:
    if (phase_ == lifecycle_phase::failed)
      return "waits for a changed definition or for a person to wake it";
    return reason_ == lifecycle_reason::completed ? "nothing is left to do"
                                                  : "waits for a person to wake it";
  case step::gone:
    return "only its files are left";
  }
  return "";
}

std::vector<std::string> stream_lifecycle::why(micros now) const {
  std::vector<std::string> lines;
  lines.push_back(
      fmt::format("{} for {}: {}", to_string(phase_), ago(since_, now), phrase(reason_)));
  lines.push_back(next_action(now));
  if (step_ == step::run && failures_ != 0)
    lines.push_back(fmt::format("{} failure{} in a row, forgotten when it has run well for {} more",
                                failures_, failures_ == 1 ? "" : "s", until(well_time(), now)));
  if (active_ && !active_->message.empty()) {
    lines.push_back(fmt::format("last failure: {}", active_->message));
    if (!active_->hint.empty())
      lines.push_back(fmt::format("hint: {}", active_->hint));
  }
  if (recording_) {
    if (record_retry_at_ == max_time)
      lines.push_back("a record is being written");
    else
      lines.push_back(fmt::format("its record cannot be written ({}), tried {} times, again in {}",
                                  active_ ? active_->record_problem : std::string(), record_tries_,
                                  until(record_retry_at_, now)));
  }
  if (placed_definition_ != definition_ && placed_definition_ != 0)
    lines.push_back("its definition has changed since it was placed");
  return lines;
}

} // namespace ebb
