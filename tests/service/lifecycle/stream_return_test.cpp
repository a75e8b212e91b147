// What a new control process finds, and what is heard out of order.

#include "tests/service/lifecycle/lifecycle_driver.hpp"

using namespace ebb;                 // NOLINT
using namespace ebb::lifecycle_test; // NOLINT

BOOST_AUTO_TEST_SUITE(stream_lifecycle_)

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
  BOOST_TEST(z.phase() == "Waking WorkerLost");
  // It went with the service.
  driver u(running());
  u.life.restarted(u.now);
  BOOST_TEST(u.effects() == "kill 4, ask_grant");
  BOOST_TEST(u.phase() == "Waking Restarted");
  u.granted();
  u.recorded();
  BOOST_CHECK(u.record.reason == lifecycle_reason::restarted);
  u.life.restarted(u.now);
  BOOST_TEST(u.effects() == "");
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

BOOST_AUTO_TEST_SUITE_END()
