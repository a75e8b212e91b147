#include "actors/runtime/subtask_roll.hpp"
#include "tests/support/stream_under_test.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

struct stage_set : stream_under_test {
  explicit stage_set(std::uint32_t parallelism) : stream_under_test(shuffled_stream(parallelism)) {}
};

} // namespace

BOOST_AUTO_TEST_SUITE(roll)

BOOST_AUTO_TEST_CASE(concludes_when_all_are_gone) {
  subtask_roll x(2);
  x.done(0, false);
  BOOST_TEST((x.down(0) == subtask_roll::effect::none));
  x.done(1, true);
  BOOST_TEST((x.down(1) == subtask_roll::effect::conclude));
  BOOST_TEST(!x.problem());
  BOOST_TEST(x.cut());
}

BOOST_AUTO_TEST_CASE(keeps_the_first_failure_and_lets_the_others_go) {
  subtask_roll x(3);
  BOOST_TEST((x.failed(1, make_error(ec::io, "first")) == subtask_roll::effect::abandon_others));
  BOOST_TEST((x.failed(0, make_error(ec::io, "second")) == subtask_roll::effect::none));
  BOOST_TEST((x.down(2) == subtask_roll::effect::none));
  BOOST_TEST((x.down(1) == subtask_roll::effect::none));
  BOOST_TEST((x.down(1) == subtask_roll::effect::none));
  BOOST_TEST((x.down(0) == subtask_roll::effect::conclude));
  BOOST_TEST(x.problem()->message == "first");
}

BOOST_AUTO_TEST_CASE(a_silent_departure_is_a_failure) {
  subtask_roll x(2);
  BOOST_TEST((x.down(0) == subtask_roll::effect::abandon_others));
  BOOST_TEST(x.problem()->message == "subtask 0 stopped without a reason");
  subtask_roll last(1);
  BOOST_TEST((last.down(0) == subtask_roll::effect::conclude));
  BOOST_TEST(last.problem().has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(stream_of_actors)

BOOST_AUTO_TEST_CASE(every_row_arrives_once_whatever_parallelism_and_order) {
  const auto expected = values_of(*row_range(0, 6000));
  for (const std::uint32_t parallelism : {1U, 2U, 5U})
    for (const std::uint64_t seed : {1U, 2U, 3U})
      BOOST_TEST_CONTEXT("parallelism " << parallelism << " seed " << seed) {
        stage_set x(parallelism);
        x.connectors.script = counting_script(60);
        x.start();
        x.actors.settle_seeded(seed);
        BOOST_TEST(x.ended_well());
        BOOST_TEST(x.connectors.log.sorted() == expected, boost::test_tools::per_element());
        BOOST_TEST(x.connectors.log.finished == 1U);
        BOOST_TEST(x.connectors.log.abandoned == 0U);
        if (parallelism == 1)
          BOOST_TEST(x.connectors.log.values == expected, boost::test_tools::per_element());
      }
}

BOOST_AUTO_TEST_CASE(the_report_adds_up_subtasks) {
  stage_set x(2);
  x.connectors.script = counting_script(60);
  x.start();
  x.actors.settle();
  const auto report = x.run->report();
  BOOST_TEST(report.name == "s");
  BOOST_TEST(report.finished);
  BOOST_TEST(!report.interrupted);
  BOOST_TEST(report.watermark == max_time);
  BOOST_TEST(report.sources.at(0).name == "in");
  BOOST_TEST(report.sources.at(0).rows == 120U);
  BOOST_TEST(report.operators.at(0).rows_in == 6000U);
  BOOST_TEST(report.operators.at(1).name == "second");
  BOOST_TEST(report.operators.at(1).rows_out == 6000U);
  BOOST_TEST(report.sinks.at(0).rows == 6000U);
  BOOST_TEST(x.connectors.sink_columns.at(0).name == "v");
}

BOOST_AUTO_TEST_CASE(a_sink_that_is_behind_holds_the_sources) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    stage_set x(2);
    x.environment.channel_window = 10'000;
    x.environment.batches.bytes_max = 2'000;
    x.connectors.backlog = sink_backlog_max + 1;
    x.connectors.script = counting_script(5000);
    x.start();
    x.actors.settle_seeded(seed);
    BOOST_TEST(!x.run->outcome());
    BOOST_TEST(x.connectors.log.values.empty());
    // Show what was read.
    x.actors.advance(100'000);
    const auto read = x.run->report().operators.at(0).rows_in;
    // 4 + 2 channels of 10 kB and what waits around them, at 8 to 16 bytes a row.
    BOOST_TEST(read < 15'000U);
    BOOST_TEST(read > 2'000U);
    x.connectors.sink_->backlog_ = 0;
    x.connectors.wake_all();
    x.actors.settle_seeded(seed);
    BOOST_TEST(x.ended_well());
    BOOST_TEST(x.connectors.log.values.size() == 500'000U);
  }
}

BOOST_AUTO_TEST_CASE(a_failed_source_ends_the_stream_with_its_error) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    stage_set x(5);
    x.connectors.script = [](std::uint32_t subtask, std::uint32_t parallelism) {
      auto script = counting_script(100)(subtask, parallelism);
      if (subtask == 3)
        script[4] = fail_with(make_error(ec::bad_record, "line 17 is cut short"));
      return script;
    };
    x.start();
    x.actors.settle_seeded(seed);
    BOOST_REQUIRE(x.run->outcome().has_value());
    BOOST_REQUIRE(x.run->outcome()->problem.has_value());
    BOOST_TEST(to_string(*x.run->outcome()->problem)
               == "stream s, source in: line 17 is cut short");
    BOOST_TEST(x.connectors.log.abandoned == 1U);
    BOOST_TEST(x.connectors.log.finished == 0U);
    BOOST_TEST(!x.run->report().finished);
  }
}

BOOST_AUTO_TEST_CASE(a_thrown_exception_is_an_error_too) {
  stage_set x(2);
  x.connectors.script = [](std::uint32_t subtask, std::uint32_t) {
    std::vector<source_action> script;
    if (subtask == 1)
      script.emplace_back([](micros, output&) -> result<read_status> {
        throw std::runtime_error("from a library");
      });
    return script;
  };
  x.start();
  x.actors.settle();
  BOOST_REQUIRE(x.run->outcome().has_value());
  BOOST_TEST(x.run->outcome()->problem->message == "unexpected exception: from a library");
}

BOOST_AUTO_TEST_CASE(an_interrupt_drains_what_is_in_flight) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    stage_set x(2);
    x.connectors.opens_source = [](const auto&) { return std::make_unique<endless_source>(); };
    x.start();
    x.actors.settle_seeded(seed, 500);
    BOOST_TEST(!x.run->outcome());
    x.run->interrupt();
    x.actors.settle_seeded(seed);
    BOOST_TEST(x.ended_well());
    const auto report = x.run->report();
    BOOST_TEST(report.interrupted);
    BOOST_TEST(!report.finished);
    BOOST_TEST(report.sources.at(0).rows > 0U);
    BOOST_TEST(report.sinks.at(0).rows == report.sources.at(0).rows);
    BOOST_TEST(x.connectors.log.finished == 1U);
    BOOST_TEST(x.connectors.log.abandoned == 0U);
  }
}

BOOST_AUTO_TEST_CASE(an_interrupt_before_anything_ran_ends_it) {
  stage_set x(1);
  x.connectors.opens_source = [](const auto&) { return std::make_unique<endless_source>(); };
  x.start();
  x.run->interrupt();
  x.actors.settle();
  BOOST_TEST(x.ended_well());
  BOOST_TEST(x.connectors.log.finished == 1U);
}

BOOST_AUTO_TEST_CASE(a_waiting_source_is_read_at_its_time_and_costs_nothing_before) {
  stage_set x(1);
  const auto start = x.actors.now();
  x.connectors.script = [=](std::uint32_t, std::uint32_t) {
    return std::vector<source_action>{wait_until(start + 7'000'000), emit_rows(rows_of({1})),
                                      wait_until(max_time), emit_rows(rows_of({2}))};
  };
  x.start();
  x.actors.settle();
  x.actors.advance(1'000'000);
  BOOST_TEST(x.actors.settle() == 0U);
  x.actors.advance(5'999'999);
  BOOST_TEST(x.connectors.log.values.empty());
  x.actors.advance(1);
  BOOST_TEST(x.connectors.log.values.size() == 1U);
  x.actors.advance(1'000'000);
  BOOST_TEST(!x.run->outcome());
  x.connectors.wake_all();
  x.connectors.wake_all();
  x.actors.settle();
  BOOST_TEST(x.ended_well());
  BOOST_TEST(x.connectors.log.values.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_wake_after_the_end_does_nothing) {
  stage_set x(1);
  x.connectors.script = counting_script(1);
  x.start();
  x.actors.settle();
  BOOST_TEST(x.ended_well());
  x.run.reset();
  x.connectors.wake_all();
  BOOST_TEST(x.actors.settle() == 0U);
}

BOOST_AUTO_TEST_CASE(nothing_stays_open_when_a_connector_cannot_be_opened) {
  stage_set x(2);
  x.connectors.script = counting_script(1);
  auto& stages = x.stream.plan.stages;
  x.stream.definition.sinks.emplace_back().name = "bad";
  stages[2].steps.push_back({"bad", {}, sink_node{1}, {{true, 0}}, {}});
  x.connectors.unwritable = "bad";
  const auto setup = build_stream(x.stream.plan, x.stream.definition, x.connectors, x.environment);
  BOOST_REQUIRE(!setup);
  BOOST_TEST(setup.error().message == "permission denied");
  BOOST_TEST(x.connectors.log.abandoned == 1U);
}

BOOST_AUTO_TEST_CASE(a_killed_supervisor_takes_its_subtasks_along) {
  stage_set x(2);
  x.connectors.opens_source = [](const auto&) { return std::make_unique<endless_source>(); };
  x.start();
  x.actors.settle(300);
  x.run.reset();
  x.actors.settle();
  BOOST_TEST(x.connectors.log.abandoned == 1U);
}

BOOST_AUTO_TEST_CASE(broadcast_and_forward_reach_the_right_subtasks) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    stage_set x(3);
    x.stream.plan.stages[1].inputs[0].kind = exchange_kind::broadcast;
    x.connectors.script = counting_script(10);
    x.start();
    x.actors.settle_seeded(seed);
    BOOST_TEST(x.ended_well());
    BOOST_TEST(x.connectors.log.values.size() == 3000U);
    stage_set y(3);
    y.stream.plan.stages[1].inputs[0].kind = exchange_kind::forward;
    y.connectors.script = counting_script(10);
    y.start();
    y.actors.settle_seeded(seed);
    BOOST_TEST(y.ended_well());
    BOOST_TEST(y.connectors.log.sorted() == values_of(*row_range(0, 1000)),
               boost::test_tools::per_element());
  }
}

// Time comes as far as the one partition says, at whatever moment the other instances of the source end.
BOOST_AUTO_TEST_CASE(instances_without_a_partition_hold_no_watermark_back) {
  for (const auto kind : {exchange_kind::hash, exchange_kind::forward})
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
      BOOST_TEST_CONTEXT("seed " << seed) {
        std::string trace;
        stage_set x(3);
        x.stream.plan.stages[1].inputs[0].kind = kind;
        x.connectors.opens_source = [](const connector_context& context) {
          std::vector<source_action> script;
          if (context.subtask == 0)
            script = {emit_watermark(1), emit_watermark(2), emit_watermark(3)};
          return std::make_unique<scripted_source>(std::move(script), context.subtask == 0 ? 1 : 0);
        };
        x.environment.make = [&](const operator_spec&, const operator_context& known) {
          const bool traced = known.name == "second" && known.subtask == 0;
          return std::make_unique<passing_operator>(traced ? &trace : nullptr);
        };
        x.start();
        x.actors.settle_seeded(seed);
        BOOST_TEST(x.ended_well());
        BOOST_TEST(trace == "w1 w2 w3 wmax e");
        x.stop();
      }
}

BOOST_AUTO_TEST_SUITE_END()
