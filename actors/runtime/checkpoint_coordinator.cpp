#include "actors/runtime/checkpoint_coordinator.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

checkpoint_coordinator::checkpoint_coordinator(const checkpoint_settings& settings,
                                               epoch_number recorded, std::uint32_t subtasks,
                                               std::uint32_t processes, micros now)
    : settings_(settings), undrained_(subtasks), is_drained_(subtasks), has_written_(processes),
      now_(now), due_(now + settings.interval), recorded_(recorded) {}

void checkpoint_coordinator::tick(micros now, std::uint64_t activity) {
  now_ = std::max(now_, now);
  activity_ = activity;
  if (phase_ == checkpoint_phase::none && !reserving_) {
    begin_when_due();
    return;
  }
  if (!alarmed_ && now_ - phase_began_ >= settings_.alarm_intervals * settings_.interval) {
    alarmed_ = true;
    effects_.push_back({effect::kind::alarm, current()});
  }
  // What is being committed may be durable already: only a snapshot can be given up.
  if (phase_ == checkpoint_phase::snapshot && now_ - phase_began_ >= settings_.abort_after) {
    effects_.push_back({effect::kind::give_up, epoch_});
    end(now_);
  }
}

void checkpoint_coordinator::reserved(epoch_number first) {
  // An answer that comes twice may be one of an earlier block.
  if (!reserving_ || first < block_end_)
    return;
  reserving_ = false;
  EBB_ASSERT(first > recorded_);
  next_ = first;
  block_end_ = first + settings_.epoch_block;
  if (phase_ == checkpoint_phase::none)
    begin_when_due();
}

void checkpoint_coordinator::written(std::uint32_t process, epoch_number epoch, micros now) {
  now_ = std::max(now_, now);
  if (phase_ != checkpoint_phase::snapshot || epoch != epoch_ || has_written_[process])
    return;
  has_written_[process] = true;
  if (--unwritten_ != 0)
    return;
  timing_.snapshot = now_ - phase_began_;
  enter(checkpoint_phase::commit);
  effects_.push_back({effect::kind::commit, epoch_});
}

void checkpoint_coordinator::committed(epoch_number epoch, micros now) {
  now_ = std::max(now_, now);
  if (phase_ != checkpoint_phase::commit || epoch != epoch_)
    return;
  timing_.commit = now_ - phase_began_;
  recorded_ = epoch_;
  attempts_ = 0;
  fulfilled_ = std::max(fulfilled_, fulfils_);
  enter(checkpoint_phase::apply);
  effects_.push_back({effect::kind::apply, epoch_});
}

void checkpoint_coordinator::applied(epoch_number epoch, micros now) {
  now_ = std::max(now_, now);
  if (phase_ != checkpoint_phase::apply || epoch != epoch_)
    return;
  timing_.apply = now_ - phase_began_;
  end(now_);
}

void checkpoint_coordinator::drained(std::uint32_t subtask, micros now) {
  now_ = std::max(now_, now);
  if (is_drained_[subtask])
    return;
  is_drained_[subtask] = true;
  --undrained_;
  if (phase_ == checkpoint_phase::none)
    begin_when_due();
}

void checkpoint_coordinator::wish(micros now) {
  now_ = std::max(now_, now);
  ++wishes_;
  if (phase_ == checkpoint_phase::none)
    begin_when_due();
}

std::vector<checkpoint_coordinator::effect> checkpoint_coordinator::take_effects() {
  return std::exchange(effects_, {});
}

micros checkpoint_coordinator::next_time() const noexcept {
  if (concluded_)
    return max_time;
  if (phase_ == checkpoint_phase::none && !reserving_)
    return std::max(due_, now_ + 1);
  const auto alarm =
      alarmed_ ? max_time : phase_began_ + settings_.alarm_intervals * settings_.interval;
  const auto abort =
      phase_ == checkpoint_phase::snapshot ? phase_began_ + settings_.abort_after : max_time;
  return std::min(alarm, abort);
}

void checkpoint_coordinator::begin_when_due() {
  if (concluded_ || reserving_)
    return;
  const bool last = undrained_ == 0;
  const bool wished = wishes_ != fulfilled_;
  if (!last && !wished) {
    if (now_ < due_)
      return;
    if (saved_any_ && activity_ == saved_activity_) {
      due_ = now_ + settings_.interval;
      return;
    }
  }
  if (next_ == block_end_) {
    reserving_ = true;
    enter(checkpoint_phase::none);
    effects_.push_back({effect::kind::reserve});
    return;
  }
  reason_ = last     ? checkpoint_reason::final
            : wished ? checkpoint_reason::savepoint
                     : checkpoint_reason::interval;
  begin();
}

void checkpoint_coordinator::begin() {
  epoch_ = next_++;
  saved_any_ = true;
  saved_activity_ = activity_;
  fulfils_ = wishes_;
  std::fill(has_written_.begin(), has_written_.end(), false);
  unwritten_ = static_cast<std::uint32_t>(has_written_.size());
  timing_ = {};
  timing_.started = now_;
  enter(checkpoint_phase::snapshot);
  effects_.push_back(
      {effect::kind::request, epoch_, recorded_, attempts_ >= settings_.attempts_max});
  attempts_ = std::min(attempts_ + 1, settings_.attempts_max);
}

void checkpoint_coordinator::enter(checkpoint_phase phase) {
  phase_ = phase;
  phase_began_ = now_;
  alarmed_ = false;
}

void checkpoint_coordinator::end(micros now) {
  const bool done = phase_ == checkpoint_phase::apply;
  // What burdens the stream; a record may wait for a control process that is away.
  const auto duration = timing_.snapshot;
  // After one that was given up the next begins at once: channels that wait for a barrier that
  // never came are held until then.
  due_ = done ? std::max(timing_.started + std::max(settings_.interval, settings_.pace * duration),
                         now)
              : now;
  enter(checkpoint_phase::none);
  if (done && reason_ == checkpoint_reason::final) {
    concluded_ = true;
    effects_.push_back({effect::kind::conclude});
    return;
  }
  if (!done)
    saved_any_ = false;
  begin_when_due();
}

} // namespace ebb
