// Runs that fail, workers that are lost, deadlines, records that cannot be written.

#include "tests/service/lifecycle/lifecycle_driver.hpp"

using namespace ebb;                 // NOLINT
using namespace ebb::lifecycle_test; // NOLINT

BOOST_AUTO_TEST_SUITE(stream_lifecycle_)

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

BOOST_AUTO_TEST_SUITE_END()
