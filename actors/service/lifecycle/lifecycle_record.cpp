#include "actors/service/lifecycle/lifecycle_record.hpp"

#include "actors/service/lifecycle/lifecycle_effect.hpp"
#include "schemas/assert.hpp"

namespace ebb {

const char* to_string(lifecycle_phase x) noexcept {
  switch (x) {
  case lifecycle_phase::asleep:
    return "Asleep";
  case lifecycle_phase::waking:
    return "Waking";
  case lifecycle_phase::running:
    return "Running";
  case lifecycle_phase::going_to_sleep:
    return "GoingToSleep";
  case lifecycle_phase::stopped:
    return "Stopped";
  case lifecycle_phase::failed:
    return "Failed";
  }
  EBB_UNREACHABLE("phase");
}

const char* to_string(lifecycle_reason x) noexcept {
  switch (x) {
  case lifecycle_reason::created:
    return "Created";
  case lifecycle_reason::input:
    return "InputArrived";
  case lifecycle_reason::alarm:
    return "AlarmDue";
  case lifecycle_reason::person:
    return "Requested";
  case lifecycle_reason::changed:
    return "Changed";
  case lifecycle_reason::restored:
    return "Restored";
  case lifecycle_reason::adopting:
    return "Adopting";
  case lifecycle_reason::adopted:
    return "Adopted";
  case lifecycle_reason::idle:
    return "Idle";
  case lifecycle_reason::crashed:
    return "Crashed";
  case lifecycle_reason::worker_lost:
    return "WorkerLost";
  case lifecycle_reason::start_too_slow:
    return "StartTimedOut";
  case lifecycle_reason::stop_too_slow:
    return "StopTimedOut";
  case lifecycle_reason::silent:
    return "Silent";
  case lifecycle_reason::completed:
    return "Completed";
  case lifecycle_reason::deleted:
    return "Deleted";
  case lifecycle_reason::will_not_work:
    return "WillNotWork";
  case lifecycle_reason::restarted:
    return "Restarted";
  }
  EBB_UNREACHABLE("reason");
}

const char* to_string(lifecycle_effect::kind x) noexcept {
  using kind = lifecycle_effect::kind;
  switch (x) {
  case kind::record:
    return "record";
  case kind::arm:
    return "arm";
  case kind::disarm:
    return "disarm";
  case kind::compare:
    return "compare";
  case kind::ask_grant:
    return "ask_grant";
  case kind::give_back:
    return "give_back";
  case kind::place:
    return "place";
  case kind::stop:
    return "stop";
  case kind::kill:
    return "kill";
  case kind::release:
    return "release";
  case kind::rewind:
    return "rewind";
  case kind::log_decision:
    return "log_decision";
  case kind::log_wake:
    return "log_wake";
  case kind::forget:
    return "forget";
  }
  EBB_UNREACHABLE("effect");
}

} // namespace ebb
