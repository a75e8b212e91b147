// Sleep and wake: in which order, when, why.

#include "tests/service/lifecycle/lifecycle_driver.hpp"

using namespace ebb;                 // NOLINT
using namespace ebb::lifecycle_test; // NOLINT

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
