#include "actors/service/lifecycle/stream_lifecycle.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace ebb; // NOLINT

namespace {

constexpr micros s = micros_per_second;

lifecycle_policy quick() {
  lifecycle_policy x;
  x.idle_after = 10 * s;
  return x;
}

lifecycle_record asleep(std::uint64_t placement = 4) {
  lifecycle_record x;
  x.phase = lifecycle_phase::asleep;
  x.reason = lifecycle_reason::idle;
  x.placement = placement;
  x.definition = 1;
  return x;
}

lifecycle_record running(std::uint64_t placement = 4) {
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

} // namespace

BOOST_AUTO_TEST_SUITE(stream_lifecycle_)

BOOST_AUTO_TEST_CASE(a_placement_is_recorded_before_it_starts) {
  driver x;
  BOOST_TEST(x.effects() == "ask_grant");
  BOOST_TEST(x.phase() == "Waking Created");
  BOOST_TEST(x.granted() == "record Running");
  BOOST_TEST(x.record.placement == 1U);
  BOOST_TEST(x.record.placed);
  BOOST_TEST(!x.life.accepts(1));
  BOOST_TEST(x.recorded() == "place 1");
  BOOST_TEST(x.life.accepts(1));
  BOOST_TEST(!x.life.accepts(2));
  x.life.started(1, 5, x.now);
  BOOST_TEST(x.effects() == "give_back");
  BOOST_TEST(x.phase() == "Running Created");
  BOOST_TEST(x.life.generation() == 5U);
}

BOOST_AUTO_TEST_CASE(going_to_sleep_has_its_order) {
  driver x;
  x.start();
  x.idle();
  BOOST_TEST(x.phase() == "GoingToSleep Idle");
  x.timer = 500 * s;
  BOOST_TEST(x.ended(1) == "record Asleep");
  BOOST_TEST(x.record.next_wake == 500 * s);
  BOOST_TEST(!x.record.placed);
  BOOST_TEST(x.life.held() == 1U);
  BOOST_TEST(x.recorded() == "arm, compare");
  BOOST_TEST(x.life.held() == 1U);
  BOOST_TEST(x.compared(comparison::nothing) == "release 1");
  BOOST_TEST(x.phase() == "Asleep Idle");
  BOOST_TEST(x.life.settled());
  BOOST_TEST(x.life.next_time() == 500 * s);
  BOOST_TEST(x.life.trace() == nullptr);
}

BOOST_AUTO_TEST_CASE(more_input_resumes_on_the_same_worker) {
  driver x;
  x.start();
  x.idle();
  x.ended(1);
  x.recorded();
  BOOST_TEST(x.compared(comparison::more) == "disarm, record Running");
  BOOST_TEST(x.phase() == "Waking InputArrived");
  BOOST_TEST(x.recorded() == "place 2 after 1, release 1");
  x.life.started(2, 2, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.phase() == "Running InputArrived");
}

BOOST_AUTO_TEST_CASE(what_moves_during_a_comparison_is_compared_again) {
  driver x;
  x.start();
  x.idle();
  x.ended(1);
  x.recorded();
  const auto old = x.compare_number;
  x.life.input_moved(x.now, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.compared(comparison::nothing) == "compare");
  // An answer that comes twice is the old one's.
  x.life.compared(old, comparison::nothing, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.compared(comparison::nothing) == "release 1");
}

BOOST_AUTO_TEST_CASE(a_message_wakes_a_sleeper_and_a_false_alarm_does_not) {
  driver x;
  x.start();
  x.fall_asleep();
  x.life.input_moved(x.now, x.now);
  BOOST_TEST(x.effects() == "compare");
  BOOST_TEST(x.compared(comparison::nothing) == "");
  BOOST_TEST(x.life.settled());
  const auto appended = x.now;
  x.now += s;
  x.life.input_moved(appended, x.now);
  BOOST_TEST(x.effects() == "compare");
  BOOST_TEST(x.compared(comparison::more) == "disarm, ask_grant");
  BOOST_TEST(x.life.trace()->trigger == appended);
  x.start();
  BOOST_TEST(x.phase() == "Running InputArrived");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_compared_is_compared_again) {
  driver x;
  x.start();
  x.idle();
  x.ended(1);
  x.recorded();
  BOOST_TEST(x.compared(comparison::unknown) == "");
  BOOST_TEST(x.life.held() == 1U);
  BOOST_TEST(x.says("could not be compared"));
  BOOST_TEST(x.tick(s) == "compare");
  // Nor is one that gets no answer.
  BOOST_TEST(x.tick(10 * s) == "compare");
  BOOST_TEST(x.compared(comparison::nothing) == "release 1");
}

BOOST_AUTO_TEST_CASE(sleeps_only_when_idle) {
  driver x;
  x.start();
  BOOST_TEST(x.tick(20 * s) == ""); // nothing was said yet
  BOOST_TEST(x.says("has not said yet"));
  BOOST_TEST(x.status(1, 1, true) == "");
  BOOST_TEST(x.says("busy"));
  BOOST_TEST(x.tick(20 * s) == "");
  // What is not busy any more has just been.
  BOOST_TEST(x.status(1, 2) == "");
  BOOST_TEST(x.life.next_time() == x.now + 10 * s);
}

BOOST_AUTO_TEST_CASE(activity_postpones_sleep) {
  driver x;
  x.start();
  x.status(1, 1);
  BOOST_TEST(x.tick(9 * s) == "");
  x.status(1, 2);
  BOOST_TEST(x.tick(9 * s) == "");
  BOOST_TEST(x.says("last activity 9 s ago, sleeps after 10 s without: in 1 s"));
  BOOST_TEST(x.life.next_time() == x.now + s);
  BOOST_TEST(x.tick(s) == "stop 1");
}

BOOST_AUTO_TEST_CASE(who_cannot_be_woken_does_not_sleep) {
  auto never = quick();
  never.idle_after = max_time;
  auto files = quick();
  files.cannot_wake = "clicks";
  for (const auto& policy : {never, files}) {
    driver x({}, policy);
    x.start();
    for (int i = 0; i < 100; ++i) {
      BOOST_TEST(x.status(1, 1) == "");
      BOOST_TEST(x.tick(20 * s) == "");
    }
    BOOST_TEST(x.says("never sleeps"));
  }
}

BOOST_AUTO_TEST_CASE(a_timer_that_is_due_soon_keeps_it_awake) {
  driver x;
  x.start();
  x.timer = x.now + 10 * s + s / 2;
  x.status(1, 1);
  BOOST_TEST(x.tick(10 * s) == "");
  BOOST_TEST(x.says("too soon to sleep"));
  x.timer = x.now + 30 * s;
  BOOST_TEST(x.status(1, 2) == "");
  BOOST_TEST(x.tick(10 * s) == "stop 1");
}

BOOST_AUTO_TEST_CASE(a_costly_wake_is_used_for_longer) {
  auto policy = quick();
  policy.idle_after = s;
  driver x({}, policy);
  x.effects();
  x.granted();
  x.recorded();
  x.now += 2 * s;
  x.life.started(1, 1, x.now);
  x.effects();
  x.status(1, 1);
  BOOST_TEST(x.tick(20 * s) == "");
  BOOST_TEST(x.says("it stays awake at least 40 s, since waking it takes 2 s"));
  x.status(1, 1);
  BOOST_TEST(x.tick(20 * s) == "stop 1");
  x.ended(1);
  BOOST_TEST(x.record.wake_took == 2 * s);
}

BOOST_AUTO_TEST_CASE(an_alarm_wakes) {
  driver x;
  x.start();
  x.timer = x.now + 60 * s;
  x.fall_asleep();
  x.timer = max_time;
  BOOST_TEST(x.says("or for"));
  BOOST_TEST(x.tick(60 * s) == "disarm, ask_grant");
  BOOST_TEST(x.phase() == "Waking AlarmDue");
  x.start();
  x.fall_asleep();
  BOOST_TEST(x.life.next_time() == max_time);
}

BOOST_AUTO_TEST_CASE(crashes_back_off_and_are_forgotten) {
  driver x;
  micros expected = s;
  for (std::uint32_t i = 1; i <= 12; ++i) {
    x.start();
    const auto last = x.life.held();
    BOOST_TEST(x.ended(last, run_end::kind::failed)
               == "release " + std::to_string(last) + ", record Running");
    BOOST_TEST(x.record.failures == i);
    BOOST_TEST(x.record.retry_at == x.now + expected);
    BOOST_TEST(!x.record.placed);
    BOOST_TEST(x.recorded() == "");
    BOOST_TEST(x.phase() == "Waking Crashed");
    BOOST_TEST(x.says("it broke"));
    BOOST_TEST(x.tick(expected - 1) == "");
    BOOST_TEST(x.life.next_time() == x.now + 1);
    BOOST_TEST(x.tick(1) == "ask_grant");
    expected = std::min(2 * expected, 300 * s);
  }
  // The control process starts anew: the back-off goes on.
  auto due = x.record;
  due.retry_at = 0;
  driver y(due);
  y.start();
  // It has to run as long as the back-off was to be trusted again.
  for (int i = 0; i < 14; ++i) {
    y.status(y.life.held(), static_cast<std::uint64_t>(i), true);
    BOOST_TEST(y.tick(20 * s) == "");
  }
  y.status(y.life.held(), 20, true);
  BOOST_TEST(y.tick(20 * s) == "record Running");
  BOOST_TEST(y.record.failures == 0U);
}

BOOST_AUTO_TEST_CASE(a_back_off_outlives_the_control_process) {
  auto record = running();
  record.placed = false;
  record.failures = 3;
  record.retry_at = 104 * s;
  record.message = "it broke";
  driver x(record);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.says("starts in 4 s after 3 failures in a row"));
  BOOST_TEST(x.says("it broke"));
  BOOST_TEST(x.tick(4 * s) == "ask_grant");
  // A clock that went back does not make it wait for ever.
  record.retry_at = 1'000'000 * s;
  driver y(record);
  BOOST_TEST(y.life.next_time() == y.now + 300 * s);
}

BOOST_AUTO_TEST_CASE(an_error_that_stays_waits_for_a_person) {
  for (const auto code : {ec::invalid_argument, ec::unsupported, ec::corrupt, ec::conflict,
                          ec::bad_record, ec::evaluation}) {
    driver x;
    x.start();
    BOOST_TEST(x.ended(1, run_end::kind::failed, code) == "record Failed");
    BOOST_TEST(x.record.message == "it broke");
    BOOST_TEST(x.record.hint == "mend it");
    BOOST_TEST(x.recorded() == "release 1");
    BOOST_TEST(x.phase() == "Failed WillNotWork");
    BOOST_TEST(x.life.message(x.now) == "it broke (mend it)");
    BOOST_TEST(x.tick(1'000'000 * s) == "");
    driver y(x.record);
    BOOST_TEST(y.effects() == "");
    BOOST_TEST(y.life.message(y.now) == "it broke (mend it)");
    BOOST_TEST(bool(y.life.wake(y.now)));
    BOOST_TEST(y.effects() == "ask_grant");
    // A changed definition is another try, too.
    driver z(x.record, quick(), 2);
    BOOST_TEST(z.effects() == "ask_grant");
    BOOST_TEST(z.phase() == "Waking Changed");
  }
}

BOOST_AUTO_TEST_CASE(input_that_ends_completes_it) {
  driver x;
  x.start();
  BOOST_TEST(x.ended(1, run_end::kind::finished) == "record Stopped");
  BOOST_TEST(x.recorded() == "release 1");
  BOOST_TEST(x.phase() == "Stopped Completed");
  const auto refused = x.life.wake(x.now);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ec::conflict));
  driver y(x.record);
  BOOST_TEST(y.effects() == "");
  BOOST_TEST(y.life.settled());
}

BOOST_AUTO_TEST_CASE(a_start_has_a_deadline) {
  driver x;
  x.effects();
  x.granted();
  x.recorded();
  BOOST_TEST(x.life.next_time() == x.now + 30 * s);
  BOOST_TEST(x.tick(30 * s) == "kill 1, give_back, record Running");
  BOOST_TEST(x.phase() == "Waking StartTimedOut");
  BOOST_TEST(!x.life.accepts(1));
}

BOOST_AUTO_TEST_CASE(a_stop_has_a_deadline) {
  driver x;
  x.start();
  x.idle();
  BOOST_TEST(x.tick(60 * s) == "kill 1, record Running");
  BOOST_TEST(x.phase() == "Waking StopTimedOut");
  // Its end comes too late.
  BOOST_TEST(x.ended(1) == "release 1");
  BOOST_TEST(x.phase() == "Waking StopTimedOut");
}

BOOST_AUTO_TEST_CASE(silence_has_a_deadline) {
  driver x;
  x.start();
  x.status(1, 1, true);
  BOOST_TEST(x.tick(29 * s) == "");
  x.status(1, 1, true);
  BOOST_TEST(x.tick(29 * s) == "");
  BOOST_TEST(x.tick(s) == "kill 1, record Running");
  BOOST_TEST(x.phase() == "Waking Silent");
}

BOOST_AUTO_TEST_CASE(a_lost_worker_is_replaced_at_once_the_first_time) {
  driver x;
  x.start();
  x.life.worker_lost(1, x.now);
  BOOST_TEST(x.effects() == "kill 1, ask_grant, record Running");
  x.life.granted(x.now);
  BOOST_TEST(x.effects() == ""); // the record under way comes first
  BOOST_TEST(x.recorded() == "record Running");
  BOOST_TEST(x.recorded() == "place 2");
  x.life.worker_lost(1, x.now);
  BOOST_TEST(x.effects() == "");
  x.life.worker_lost(2, x.now);
  BOOST_TEST(x.effects() == "kill 2, give_back, record Running");
  BOOST_TEST(x.record.retry_at == x.now + 2 * s);
}

BOOST_AUTO_TEST_CASE(workers_lost_between_checkpoints_are_no_repetition) {
  driver x;
  x.start();
  for (std::uint64_t i = 1; i < 9; ++i) {
    run_status status;
    status.progressed = true;
    x.life.status(i, status, x.now);
    x.life.worker_lost(i, x.now);
    BOOST_TEST(x.record.failures <= 1U);
    BOOST_TEST(x.effects() == "kill " + std::to_string(i) + ", ask_grant, record Running");
    BOOST_TEST(x.record.failures == 1U);
    BOOST_TEST(x.record.retry_at == x.now);
    BOOST_TEST(x.recorded() == "");
    x.start();
  }
  // An error of its own is one, whatever went before.
  run_status status;
  status.progressed = true;
  x.life.status(9, status, x.now);
  x.ended(9, run_end::kind::failed);
  BOOST_TEST(x.record.failures == 2U);
}

BOOST_AUTO_TEST_CASE(a_worker_lost_after_the_end_does_not_matter) {
  driver x;
  x.start();
  x.idle();
  x.ended(1);
  x.life.worker_lost(1, x.now);
  BOOST_TEST(x.effects() == "kill 1");
  BOOST_TEST(x.recorded() == "arm, compare");
  BOOST_TEST(x.compared(comparison::more) == "disarm, record Running");
  BOOST_TEST(x.recorded() == "place 2");
}

BOOST_AUTO_TEST_CASE(a_record_that_fails_is_tried_again_and_nothing_happens_before) {
  driver x;
  x.start();
  x.idle();
  x.ended(1);
  for (const auto delay : {1, 2, 4, 8, 16, 30, 30}) {
    x.life.recorded(x.record_number, make_error(ec::resource, "disk full"), x.now);
    BOOST_TEST(x.effects() == "");
    BOOST_TEST(x.life.held() == 1U);
    BOOST_TEST(x.life.message(x.now) == "its record cannot be written: disk full");
    BOOST_TEST(x.life.next_time() == x.now + delay * s);
    BOOST_TEST(x.tick(delay * s) == "record Asleep");
  }
  BOOST_TEST(x.recorded() == "arm, compare");
  BOOST_TEST(!x.says("disk full"));
}

BOOST_AUTO_TEST_CASE(sleepers_are_compared_when_the_control_process_starts) {
  driver x(asleep());
  BOOST_TEST(x.effects() == "arm, compare");
  BOOST_TEST(x.compared(comparison::more) == "disarm, ask_grant");
  driver y(asleep());
  y.effects();
  BOOST_TEST(y.compared(comparison::nothing) == "");
  BOOST_TEST(y.life.settled());
  // An alarm that was due meanwhile.
  auto due = asleep();
  due.next_wake = 50 * s;
  driver z(due);
  z.effects();
  BOOST_TEST(z.life.next_time() <= z.now);
  BOOST_TEST(z.tick(0) == "disarm, ask_grant");
  // A definition that nobody was told of.
  driver w(asleep(), quick(), 2);
  BOOST_TEST(w.effects() == "ask_grant");
  BOOST_TEST(w.phase() == "Waking Changed");
}

BOOST_AUTO_TEST_CASE(runs_are_adopted) {
  driver x(running());
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.phase() == "Waking Adopting");
  BOOST_TEST(x.life.accepts(4));
  x.life.adopted(3, 2, 1, x.now);
  BOOST_TEST(x.effects() == "kill 3");
  x.life.adopted(4, 3, 1, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.phase() == "Running Adopted");
  BOOST_TEST(x.life.held() == 4U);
  // Nobody comes.
  driver y(running());
  BOOST_TEST(y.tick(10 * s) == "kill 4, ask_grant");
  BOOST_TEST(y.granted() == "record Running");
  BOOST_TEST(y.record.placement == 5U);
  BOOST_TEST(y.record.failures == 0U);
  y.life.adopted(4, 3, 1, y.now);
  BOOST_TEST(y.effects() == "kill 4");
  // It is known that nobody can.
  driver z(running());
  z.life.worker_lost(4, z.now);
  BOOST_TEST(z.effects() == "kill 4, ask_grant");
  // It runs what is not wanted any more.
  driver w(running(), quick(), 2);
  w.life.adopted(4, 3, 1, w.now);
  BOOST_TEST(w.effects() == "stop 4");
  driver v(running(), quick(), 2);
  v.life.adopted(4, 3, 0, v.now);
  BOOST_TEST(v.effects() == "stop 4");
}

BOOST_AUTO_TEST_CASE(a_run_that_ended_meanwhile_goes_to_sleep) {
  driver x(running());
  BOOST_TEST(x.ended(4) == "record Asleep");
  BOOST_TEST(x.recorded() == "arm, compare");
  // A person wanted it stopped before.
  auto stopped = running();
  stopped.aim = lifecycle_aim::stopped;
  driver y(stopped);
  BOOST_TEST(y.ended(4) == "record Stopped");
  driver z(stopped);
  z.life.adopted(4, 3, 1, z.now);
  BOOST_TEST(z.effects() == "stop 4");
  driver w(stopped);
  BOOST_TEST(w.tick(10 * s) == "kill 4, record Stopped");
}

BOOST_AUTO_TEST_CASE(what_others_say_changes_nothing) {
  driver x;
  x.start();
  BOOST_TEST(x.ended(9) == "release 9");
  BOOST_TEST(x.status(9, 1) == "kill 9");
  x.life.started(9, 9, x.now);
  BOOST_TEST(x.effects() == "kill 9");
  x.life.worker_lost(9, x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.phase() == "Running Created");
  // Nor what comes twice.
  x.idle();
  x.ended(1);
  BOOST_TEST(x.ended(1) == "");
  x.life.recorded(77, {}, x.now);
  BOOST_TEST(x.effects() == "");
  x.recorded();
  BOOST_TEST(x.recorded() == "");
}

BOOST_AUTO_TEST_CASE(a_status_stands_for_a_start_that_was_not_heard) {
  driver x;
  x.effects();
  x.granted();
  x.recorded();
  BOOST_TEST(x.status(1, 1) == "give_back");
  BOOST_TEST(x.phase() == "Running Created");
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_asked_again) {
  driver x;
  x.effects();
  x.life.refused("1000 streams wait", x.now);
  BOOST_TEST(x.says("1000 streams wait"));
  BOOST_TEST(x.tick(s) == "ask_grant");
  BOOST_TEST(x.tick(30 * s) == "ask_grant");
  // A grant for a wish that was withdrawn gives its place back.
  BOOST_TEST(bool(x.life.stop(x.now)));
  BOOST_TEST(x.effects() == "give_back, record Stopped");
  BOOST_TEST(x.granted() == "give_back");
}

BOOST_AUTO_TEST_CASE(persons_put_to_sleep_and_wake) {
  driver x;
  x.start();
  BOOST_TEST(bool(x.life.sleep(x.now)));
  BOOST_TEST(x.effects() == "stop 1, record Running");
  BOOST_TEST((x.record.aim == lifecycle_aim::asleep));
  // Woken on the way: it goes on.
  BOOST_TEST(bool(x.life.wake(x.now)));
  BOOST_TEST(x.recorded() == "record Running");
  x.recorded();
  BOOST_TEST(x.ended(1) == "record Running");
  BOOST_TEST(x.recorded() == "place 2 after 1, release 1");
  x.life.started(2, 2, x.now);
  x.effects();
  BOOST_TEST(bool(x.life.sleep(x.now)));
  x.effects();
  x.recorded();
  x.ended(2);
  x.recorded();
  BOOST_TEST(x.compared(comparison::nothing) == "release 2");
  BOOST_TEST(x.phase() == "Asleep Requested");
  BOOST_TEST(bool(x.life.sleep(x.now)));
  BOOST_TEST(bool(x.life.wake(x.now)));
  BOOST_TEST(x.effects() == "disarm, ask_grant");
  // Sleep while it starts: when it has.
  BOOST_TEST(bool(x.life.sleep(x.now)));
  x.granted();
  x.recorded();
  x.life.started(3, 3, x.now);
  BOOST_TEST(x.effects() == "give_back, stop 3");
}

BOOST_AUTO_TEST_CASE(a_stopped_stream_sleeps_through_everything) {
  driver x(asleep());
  x.effects();
  x.compared(comparison::nothing);
  BOOST_TEST(bool(x.life.stop(x.now)));
  BOOST_TEST(x.effects() == "record Stopped");
  BOOST_TEST(x.recorded() == "disarm");
  BOOST_TEST(x.phase() == "Stopped Requested");
  x.life.input_moved(x.now, x.now);
  x.life.define(2, std::make_shared<const lifecycle_policy>(quick()), x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(!x.life.sleep(x.now));
  BOOST_TEST(bool(x.life.wake(x.now)));
  BOOST_TEST(x.effects() == "ask_grant");
}

BOOST_AUTO_TEST_CASE(deleting_ends_in_nothing_from_any_phase) {
  // What has been done before, and what the deletion then asks for.
  struct row {
    int steps;
    const char* asks;
    const char* then;
  };

  for (const auto& row : {row{0, "give_back, record Stopped", "forget"}, // in the queue
                          row{1, "record Stopped", "forget"},            // being recorded
                          row{2, "kill 1, give_back, record Stopped", "forget"},
                          row{3, "kill 1, record Stopped", "forget"}, // runs
                          row{4, "kill 1, record Stopped", "forget"}, // is stopping
                          row{5, "", "release 1, forget"},            // its end is being recorded
                          row{6, "record Stopped", "release 1, disarm, forget"},
                          row{7, "record Stopped", "disarm, forget"}}) {
    driver x;
    x.effects();
    const std::vector<std::function<void()>> steps = {[&] { x.granted(); },
                                                      [&] { x.recorded(); },
                                                      [&] { x.life.started(1, 1, x.now); },
                                                      [&] { x.idle(); },
                                                      [&] { x.ended(1); },
                                                      [&] { x.recorded(); },
                                                      [&] { x.compared(comparison::nothing); }};
    for (int i = 0; i < row.steps; ++i) {
      steps[static_cast<std::size_t>(i)]();
      x.effects();
    }
    x.life.remove(x.now);
    auto asks = x.effects();
    if (row.steps == 1 || row.steps == 5) { // after the record that is under way
      BOOST_TEST(asks == (row.steps == 1 ? "give_back" : ""));
      asks = x.recorded();
      BOOST_TEST(asks == "record Stopped");
    } else {
      BOOST_TEST(asks == row.asks);
    }
    BOOST_TEST((x.record.aim == lifecycle_aim::deleted));
    x.life.remove(x.now);
    BOOST_TEST(!x.life.wake(x.now));
    BOOST_TEST(!x.life.restore("a", x.now));
    BOOST_TEST(x.effects() == "");
    BOOST_TEST(x.recorded() == row.then);
    BOOST_TEST(x.life.settled());
    BOOST_TEST(x.life.held() == 0U);
    driver again(x.record);
    BOOST_TEST(again.effects() == "forget");
  }
}

BOOST_AUTO_TEST_CASE(restoring_kills_records_rewinds_and_starts) {
  driver x;
  x.start();
  BOOST_TEST(bool(x.life.restore("monday", x.now)));
  BOOST_TEST(x.effects() == "kill 1, ask_grant");
  BOOST_TEST(!x.life.restore("tuesday", x.now));
  BOOST_TEST(x.granted() == "record Running");
  BOOST_TEST(x.recorded() == "rewind monday");
  x.life.rewound(make_error(ec::io, "not sure"), x.now);
  BOOST_TEST(x.effects() == "");
  BOOST_TEST(x.tick(s) == "rewind monday");
  x.life.rewound({}, x.now);
  BOOST_TEST(x.effects() == "place 2");
  x.life.rewound({}, x.now);
  BOOST_TEST(x.effects() == "");
}

BOOST_AUTO_TEST_CASE(a_restore_that_cannot_be_changes_nothing) {
  driver x;
  x.start();
  BOOST_TEST(bool(x.life.stop(x.now)));
  x.effects();
  x.recorded();
  x.ended(1);
  x.recorded();
  BOOST_TEST(bool(x.life.restore("monday", x.now)));
  x.effects();
  x.granted();
  x.recorded();
  x.life.rewound(make_error(ec::not_found, "no savepoint monday"), x.now);
  BOOST_TEST(x.effects() == "give_back, record Stopped");
  x.recorded();
  BOOST_TEST(x.phase() == "Stopped Requested");
  // A stop waits for the answer: what comes later would hit the next run.
  BOOST_TEST(bool(x.life.restore("monday", x.now)));
  x.effects();
  x.granted();
  x.recorded();
  BOOST_TEST(bool(x.life.stop(x.now)));
  BOOST_TEST(x.effects() == "");
  x.life.rewound({}, x.now);
  BOOST_TEST(x.effects() == "give_back, record Stopped");
}

BOOST_AUTO_TEST_CASE(another_definition_is_another_run) {
  driver x;
  x.start();
  const auto policy = std::make_shared<const lifecycle_policy>(quick());
  x.life.define(1, policy, x.now);
  BOOST_TEST(x.effects() == "");
  x.life.define(2, policy, x.now);
  BOOST_TEST(x.effects() == "stop 1");
  BOOST_TEST(x.says("its definition has changed"));
  BOOST_TEST(x.ended(1) == "record Running");
  BOOST_TEST(x.record.definition == 2U);
  BOOST_TEST(x.recorded() == "place 2 after 1, release 1");
  // While it starts: when it has.
  x.life.define(3, policy, x.now);
  BOOST_TEST(x.effects() == "");
  x.life.started(2, 2, x.now);
  BOOST_TEST(x.effects() == "stop 2");
  BOOST_TEST(x.phase() == "GoingToSleep Changed");
}

BOOST_AUTO_TEST_CASE(a_wake_leaves_a_trace) {
  driver x;
  x.start();
  x.fall_asleep();
  x.wakes.clear();
  const auto at = x.now;
  const auto later = [&](micros by) { x.now += by; };
  later(1000);
  x.life.input_moved(at, x.now);
  x.effects();
  later(1000);
  x.compared(comparison::more);
  later(1000);
  x.granted();
  later(1000);
  x.recorded();
  later(5000);
  x.life.started(2, 2, x.now);
  x.effects();
  run_status status;
  status.activity = 1;
  status.mapped = x.now + 1;
  status.first_record = x.now + 2;
  later(3);
  x.life.status(2, status, x.now);
  x.effects();
  BOOST_TEST(x.wakes.empty());
  status.first_output = x.now + 4;
  later(4);
  x.life.status(2, status, x.now);
  x.effects();
  BOOST_REQUIRE_EQUAL(x.wakes.size(), 1U);
  const wake_trace expected{lifecycle_reason::input,
                            2,
                            at,
                            at + 2000,
                            at + 3000,
                            at + 4000,
                            at + 9000,
                            at + 9001,
                            at + 9002,
                            at + 9007};
  BOOST_TEST((x.wakes[0] == expected));
}

BOOST_AUTO_TEST_CASE(a_sleeper_is_small_and_costs_no_time) {
  BOOST_TEST(sizeof(stream_lifecycle) <= 256U);
  driver x(asleep());
  x.effects();
  x.compared(comparison::nothing);
  BOOST_TEST(x.life.trace() == nullptr); // nothing on the heap
  BOOST_TEST(x.life.next_time() == max_time);
}

BOOST_AUTO_TEST_CASE(decisions_say_why) {
  driver x;
  x.start();
  x.idle();
  BOOST_REQUIRE(!x.decisions.empty());
  BOOST_TEST(x.decisions.back() == "GoingToSleep Idle: ran for 11 s, last activity 11 s ago");
}

BOOST_AUTO_TEST_SUITE_END()
