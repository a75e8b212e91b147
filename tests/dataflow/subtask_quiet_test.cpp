/// How a subtask tells its operators of quiet sources, and when it wants to be woken.
#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/window_aggregate.hpp"
#include "actors/dataflow/subtask.hpp"
#include "tests/support/scripted.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

/// Tells of its two partitions, then does what comes next.
source_action told(std::vector<std::uint32_t> quiet, source_action next) {
  return [quiet = std::move(quiet), next = std::move(next)](micros now, output& out) {
    auto* const to = dynamic_cast<news_output*>(&out);
    BOOST_REQUIRE(to != nullptr);
    to->tell({2, 0, quiet});
    return next(now, out);
  };
}

source_action wait() {
  return wait_until(max_time);
}

/// Rows of one partition of two.
source_action rows(std::uint32_t partition, std::vector<std::int64_t> times) {
  auto x = std::make_shared<batch>(*rows_of(times));
  x->partition = partition;
  x->partitions = 2;
  return emit_rows(std::move(x));
}

class stream {
public:
  /// source, watermarks, then what is written down or windows of so long, sink.
  stream(std::vector<source_action> script, quiet_time quiet, micros window = 0) {
    const std::vector<sql_type> types{sql_type{type_kind::bigint}};
    subtask_parts parts;
    parts.stream = "s";
    parts.advances = quiet.advance_after != max_time;
    parts.steps.resize(4);
    parts.steps[0].body = std::make_unique<scripted_source>(std::move(script));
    parts.steps[1].body = make_assign_watermarks({0, 0}, {"src", {types}, 16}, quiet);
    if (window != 0) {
      window_aggregate_spec spec;
      spec.window = {window_kind::tumble, 0, window};
      parts.steps[2].body = make_window_aggregate(spec, {"w", {types}, 16});
    } else {
      parts.steps[2].body = std::make_unique<passing_operator>(&trace);
    }
    parts.steps[3].body = std::make_unique<logging_sink>(log);
    for (std::uint32_t i = 1; i < 4; ++i)
      parts.steps[i].inputs = {{false, i - 1}};
    task = std::make_unique<subtask>(std::move(parts));
  }

  work_state settle(micros now) {
    for (int i = 0; i < 1'000'000; ++i) {
      const auto state = task->work(now);
      if (!state)
        BOOST_FAIL(to_string(state.error()));
      if (*state != work_state::ready)
        return *state;
    }
    BOOST_FAIL("never settles");
    return work_state::ready;
  }

  std::string trace;
  sink_log log;
  std::unique_ptr<subtask> task;
};

} // namespace

BOOST_AUTO_TEST_SUITE(subtasks_and_quiet_sources)

BOOST_AUTO_TEST_CASE(a_quiet_partition_falls_idle_by_a_timer) {
  stream x({rows(0, {9}), rows(1, {4}), told({0, 1}, wait()), told({1}, rows(0, {30})),
            told({0, 1}, wait()), told({0, 1}, wait())},
           {50, max_time});
  x.settle(10);
  BOOST_TEST(x.trace == "b1 b1 w4");
  BOOST_TEST(x.task->next_time() == 60);
  BOOST_TEST(x.task->alarm().at == 60);
  x.settle(40);
  BOOST_TEST(x.trace == "b1 b1 w4");
  x.task->wake();
  x.settle(40);
  BOOST_TEST(x.trace == "b1 b1 w4 b1");
  BOOST_TEST(x.task->next_time() == 60);
  x.settle(60);
  BOOST_TEST(x.trace == "b1 b1 w4 b1 w30"); // partition 0 goes on without 1
  BOOST_TEST(x.task->next_time() == 90);
  x.settle(90);
  BOOST_TEST(x.trace == "b1 b1 w4 b1 w30 i");
  BOOST_TEST(x.task->next_time() == max_time);
  x.task->wake();
  x.settle(200);
  BOOST_TEST(x.trace == "b1 b1 w4 b1 w30 i");
  BOOST_TEST(x.task->alarm().at == max_time);
}

BOOST_AUTO_TEST_CASE(a_source_that_is_to_be_read_is_read_before_it_is_called_idle) {
  stream x({rows(0, {9}), rows(1, {4}), told({0, 1}, wait()), told({0}, rows(1, {12})),
            told({0, 1}, wait())},
           {50, max_time});
  x.settle(10);
  // Woken, but it could not work until long after.
  x.task->wake();
  BOOST_TEST(x.task->next_time() == max_time);
  x.settle(100);
  BOOST_TEST(x.trace == "b1 b1 w4 b1 w12");
  x.settle(149);
  BOOST_TEST(x.trace == "b1 b1 w4 b1 w12");
  x.settle(150);
  BOOST_TEST(x.trace == "b1 b1 w4 b1 w12 i");
}

BOOST_AUTO_TEST_CASE(an_advancing_watermark_fires_windows_and_says_when) {
  constexpr micros s = micros_per_second;
  stream x({rows(0, {105 * s, 250 * s}), rows(1, {107 * s}), told({0, 1}, wait())},
           {max_time, 20 * s}, 100 * s);
  x.settle(1000 * s);
  auto alarm = x.task->alarm();
  BOOST_TEST(alarm.at == max_time);
  BOOST_TEST(alarm.windows == 1093 * s);
  BOOST_TEST(alarm.advances_from == 1020 * s);
  BOOST_TEST(x.task->next_time() == 1020 * s);
  x.settle(1020 * s);
  BOOST_TEST(x.log.values.empty());
  alarm = x.task->alarm();
  BOOST_TEST(alarm.windows == 1093 * s);
  BOOST_TEST(alarm.advances_from == min_time);
  BOOST_TEST(x.task->next_time() == 1020 * s + partition_clocks::advance_period);
  x.settle(1093 * s);
  BOOST_TEST(x.log.values.size() == 1U);
  BOOST_TEST(x.task->alarm().windows == 1193 * s);
  // As after a sleep.
  x.settle(1'000'000 * s);
  BOOST_TEST(x.log.values.size() == 2U);
  BOOST_TEST(x.task->alarm().windows == max_time); // nothing is open
}

BOOST_AUTO_TEST_CASE(stopped_it_says_when_it_would_have_gone_on) {
  stream x({rows(0, {105}), rows(1, {107}), told({0, 1}, wait())}, {70, 20}, 100);
  x.settle(1000);
  x.task->interrupt();
  x.settle(1001);
  const auto alarm = x.task->alarm();
  BOOST_TEST(alarm.at == 1070);
  BOOST_TEST(alarm.windows == 1095);
  BOOST_TEST(alarm.advances_from == 1020);
  // Its last checkpoint has been made: what is due now comes after it.
  x.settle(5'000'000);
  BOOST_TEST(x.log.values.empty());
  BOOST_TEST(x.task->alarm().windows == 1095);
}

BOOST_AUTO_TEST_CASE(it_says_which_partition_holds_the_watermark) {
  stream x({told({1}, rows(0, {105})), told({0, 1}, wait())}, {50, max_time});
  x.settle(1000);
  const auto held = x.task->stats()[1].held;
  BOOST_REQUIRE(held.has_value());
  BOOST_TEST(held->partition == 1U);
  BOOST_TEST(held->watermark == min_time);
  x.settle(1050);
  BOOST_TEST(!x.task->stats()[1].held.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
