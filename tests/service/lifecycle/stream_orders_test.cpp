// What persons ask: sleep, wake, delete, restore, another definition.

#include "tests/service/lifecycle/lifecycle_driver.hpp"

using namespace ebb;                 // NOLINT
using namespace ebb::lifecycle_test; // NOLINT

BOOST_AUTO_TEST_SUITE(stream_lifecycle_)

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

BOOST_AUTO_TEST_SUITE_END()
