#include "actors/service/lifecycle/wake_queue.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace ebb; // NOLINT

namespace {

constexpr micros s = micros_per_second;

std::string granted(wake_queue& x) {
  std::string text;
  for (const auto& stream : x.take_granted())
    text += (text.empty() ? "" : " ") + stream;
  return text;
}

wake_queue_limits few() {
  wake_queue_limits x;
  x.starting = 2;
  x.waiting = 6;
  x.waiting_in_namespace = 4;
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(wake_queue_)

BOOST_AUTO_TEST_CASE(namespaces_take_turns) {
  auto limits = few();
  limits.starting = 1;
  wake_queue x(limits);
  for (const auto* stream : {"a1", "a2", "a3"})
    BOOST_TEST(bool(x.ask("a", stream, 0)));
  BOOST_TEST(bool(x.ask("b", "b1", 0)));
  BOOST_TEST(bool(x.ask("c", "c1", 0)));
  std::string order;
  for (int i = 0; i < 5; ++i) {
    const auto next = granted(x);
    order += next + ' ';
    BOOST_TEST(granted(x) == "");
    x.leave(next);
  }
  BOOST_TEST(order == "a1 b1 c1 a2 a3 ");
  BOOST_TEST(x.starting() == 0U);
}

BOOST_AUTO_TEST_CASE(only_so_many_start_at_once) {
  wake_queue x(few());
  for (const auto* stream : {"1", "2", "3", "4"})
    BOOST_TEST(bool(x.ask("a", stream, 0)));
  BOOST_TEST(granted(x) == "1 2");
  BOOST_TEST(granted(x) == "");
  BOOST_TEST(x.waiting() == 2U);
  // Asking again, waiting or started, changes nothing.
  BOOST_TEST(bool(x.ask("a", "1", 0)));
  BOOST_TEST(bool(x.ask("a", "3", 0)));
  BOOST_TEST(x.waiting() == 2U);
  x.leave("2");
  x.leave("2");
  BOOST_TEST(granted(x) == "3");
  x.leave("4");
  x.leave("1");
  BOOST_TEST(granted(x) == "");
  BOOST_TEST(x.waiting() == 0U);
  BOOST_TEST(x.starting() == 1U);
}

BOOST_AUTO_TEST_CASE(who_leaves_and_comes_again_is_last) {
  wake_queue x(few());
  for (const auto* stream : {"1", "2", "3", "4"})
    BOOST_TEST(bool(x.ask("a", stream, 0)));
  x.leave("1");
  BOOST_TEST(bool(x.ask("a", "1", 0)));
  BOOST_TEST(granted(x) == "2 3");
  x.leave("2");
  x.leave("3");
  BOOST_TEST(granted(x) == "4 1");
}

BOOST_AUTO_TEST_CASE(too_many_are_refused) {
  wake_queue x(few());
  for (const auto* stream : {"1", "2", "3", "4"})
    BOOST_TEST(bool(x.ask("a", stream, 0)));
  const auto crowded = x.ask("a", "5", 0);
  BOOST_REQUIRE(!crowded);
  BOOST_TEST((crowded.error().code == ec::resource));
  BOOST_TEST(crowded.error().message == "4 streams wait to be woken in namespace a");
  BOOST_TEST(bool(x.ask("b", "5", 0)));
  BOOST_TEST(bool(x.ask("b", "6", 0)));
  const auto full = x.ask("c", "7", 0);
  BOOST_REQUIRE(!full);
  BOOST_TEST(full.error().message == "6 streams wait to be woken");
  BOOST_TEST(granted(x) == "1 5");
  BOOST_TEST(bool(x.ask("c", "7", 0)));
}

BOOST_AUTO_TEST_CASE(the_late_are_told_once) {
  wake_queue x(few());
  for (const auto* stream : {"1", "2", "3", "4"})
    BOOST_TEST(bool(x.ask("a", stream, stream[0] * s)));
  BOOST_TEST(granted(x) == "1 2");
  BOOST_TEST(x.next_time() == ('3' + 10) * s);
  BOOST_TEST(x.take_late(('3' + 10) * s - 1).empty());
  const auto late = x.take_late(('3' + 10) * s);
  BOOST_REQUIRE_EQUAL(late.size(), 1U);
  BOOST_TEST(late[0].stream == "3");
  BOOST_TEST(late[0].waited == 10 * s);
  BOOST_TEST(x.take_late(('3' + 10) * s).empty());
  BOOST_TEST(x.next_time() == ('4' + 10) * s);
  x.leave("4");
  BOOST_TEST(x.next_time() == max_time);
  BOOST_TEST(x.why("3") == "0 streams of its namespace are before it, 1 waits in all, 2 start");
  BOOST_TEST(x.why("1") == "");
}

BOOST_AUTO_TEST_CASE(ten_thousand_wake) {
  wake_queue x({});
  for (int i = 0; i < 10'000; ++i)
    BOOST_REQUIRE(bool(x.ask("n" + std::to_string(i % 100), std::to_string(i), i)));
  std::size_t woken = 0;
  while (x.waiting() != 0)
    for (const auto& stream : x.take_granted()) {
      ++woken;
      x.leave(stream);
    }
  BOOST_TEST(woken == 10'000U);
  BOOST_TEST(x.next_time() == max_time);
}

BOOST_AUTO_TEST_CASE(coming_and_going_leaves_nothing_behind) {
  wake_queue x(few());
  for (const auto* stream : {"1", "2", "3"})
    BOOST_TEST(bool(x.ask("a", stream, 0)));
  BOOST_TEST(granted(x) == "1 2");
  for (int i = 0; i < 100'000; ++i) {
    BOOST_REQUIRE(bool(x.ask("a", "4", 0)));
    x.leave("4");
  }
  BOOST_TEST(bool(x.ask("a", "4", 0)));
  x.leave("1");
  x.leave("2");
  BOOST_TEST(granted(x) == "3 4");
}

BOOST_AUTO_TEST_SUITE_END()
