/// The lifecycle of one stream, driven by hand.
#pragma once

#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb::lifecycle_test {

inline constexpr micros s = micros_per_second;

inline lifecycle_policy quick() {
  lifecycle_policy x;
  x.idle_after = 10 * s;
  return x;
}

inline lifecycle_record asleep(std::uint64_t placement = 4) {
  lifecycle_record x;
  x.phase = lifecycle_phase::asleep;
  x.reason = lifecycle_reason::idle;
  x.placement = placement;
  x.definition = 1;
  return x;
}

inline lifecycle_record running(std::uint64_t placement = 4) {
  lifecycle_record x;
  x.reason = lifecycle_reason::input;
  x.placement = placement;
  x.placed = true;
  x.definition = 1;
  return x;
}

/// A stream and the time; effects as text, records and answers by hand or at once.
struct driver {
  explicit driver(const lifecycle_record& known = {}, const lifecycle_policy& policy = quick(),
                  std::uint64_t definition = 1)
      : life(std::make_shared<const lifecycle_policy>(policy), known, definition, now) {}

  /// Without decisions and wakes, which `decisions` and `wakes` collect.
  std::string effects() {
    using kind = lifecycle_effect::kind;
    std::string text;
    for (auto& x : life.take_effects()) {
      if (x.what == kind::log_decision) {
        decisions.push_back(x.text);
        continue;
      }
      if (x.what == kind::log_wake) {
        wakes.push_back(x.trace);
        continue;
      }
      text += text.empty() ? "" : ", ";
      text += to_string(x.what);
      if (x.what == kind::record) {
        record = x.record;
        record_number = x.number;
        text += std::string(" ") + to_string(x.record.phase);
      }
      if (x.what == kind::compare)
        compare_number = x.number;
      if (x.placement != 0)
        text += " " + std::to_string(x.placement);
      if (x.after != 0)
        text += " after " + std::to_string(x.after);
      if (x.what == kind::rewind)
        text += " " + x.text;
    }
    return text;
  }

  std::string recorded() {
    life.recorded(record_number, {}, now);
    return effects();
  }

  std::string compared(comparison found) {
    life.compared(compare_number, found, now);
    return effects();
  }

  std::string granted() {
    life.granted(now);
    return effects();
  }

  std::string ended(std::uint64_t placement, run_end::kind what = run_end::kind::cut,
                    ec code = ec::io) {
    run_end x;
    x.what = what;
    x.next_timer = timer;
    if (what == run_end::kind::failed)
      x.problem = make_error(code, "it broke", "mend it");
    life.ended(placement, x, now);
    return effects();
  }

  std::string tick(micros later) {
    now += later;
    life.tick(now);
    return effects();
  }

  std::string status(std::uint64_t placement, std::uint64_t activity, bool busy = false) {
    run_status x;
    x.generation = 1;
    x.activity = activity;
    x.busy = busy;
    x.next_timer = timer;
    life.status(placement, x, now);
    return effects();
  }

  /// Until the next placement runs.
  void start() {
    effects();
    granted();
    recorded();
    life.started(life.held(), 1, now);
    effects();
    BOOST_REQUIRE(life.phase() == lifecycle_phase::running);
  }

  /// Until it is asked to stop.
  void idle() {
    const auto last = life.held();
    status(last, 7);
    now += 11 * s;
    BOOST_REQUIRE_EQUAL(status(last, 7), "stop " + std::to_string(last));
  }

  void fall_asleep() {
    idle();
    ended(life.held());
    recorded();
    compared(comparison::nothing);
    BOOST_REQUIRE(life.phase() == lifecycle_phase::asleep);
    BOOST_REQUIRE(life.settled());
  }

  std::string phase() const {
    return std::string(to_string(life.phase())) + ' ' + to_string(life.reason());
  }

  bool says(const std::string& part) const {
    const auto lines = life.why(now);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const auto& x) { return x.find(part) != std::string::npos; });
  }

  micros now = 100 * s;
  micros timer = max_time;
  std::vector<std::string> decisions;
  std::vector<wake_trace> wakes;
  lifecycle_record record;
  std::uint32_t record_number = 0;
  std::uint32_t compare_number = 0;
  stream_lifecycle life;
};

} // namespace ebb::lifecycle_test
