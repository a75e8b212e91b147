#include "actors/runtime/meeting_sources.hpp"
#include "tests/support/stream_under_test.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

/// Source → watermarks → hash → operator that waits for the watermark → gather → sink.
planned_stream waiting_stream(std::uint32_t parallelism) {
  auto x = shuffled_stream(parallelism);
  x.plan.stages[0].steps[1].what = operator_spec{assign_watermarks_spec{}};
  x.plan.stages[1].steps[0].what = operator_spec{over_spec{}};
  return x;
}

/// Counts the reads of each source subtask.
struct race : stream_under_test {
  explicit race(read_amount allowance, std::uint32_t parallelism = 2)
      : stream_under_test(waiting_stream(parallelism)), reads(parallelism) {
    environment.source_allowance = allowance;
    connectors.script = [this](std::uint32_t subtask, std::uint32_t) { return script(subtask); };
  }

  ~race() {
    stop();
  }

  race(const race&) = delete;
  race& operator=(const race&) = delete;

  std::vector<source_action> script(std::uint32_t subtask) {
    std::vector<source_action> actions;
    for (std::uint32_t i = 0; i < length; ++i)
      actions.push_back([this, subtask, i](micros, output& out) -> result<read_status> {
        out.emit(row_range(i, 1));
        out.advance(static_cast<micros>(i));
        reads[subtask] = i + 1;
        const auto [least, most] = std::minmax_element(reads.begin(), reads.end());
        if (*least != 0 && *most != length)
          lead = std::max(lead, *most - *least);
        return read_status{};
      });
    if (subtask == quiet) {
      actions.resize(3);
      actions.push_back(wait_until(max_time));
    }
    return actions;
  }

  static constexpr std::uint32_t length = 300;
  static constexpr std::uint32_t nobody = UINT32_MAX;

  std::vector<std::uint32_t> reads; ///< by subtask
  std::uint32_t lead = 0;           ///< largest, while all read
  std::uint32_t quiet = nobody;
};

} // namespace

BOOST_AUTO_TEST_SUITE(alignment_of_actors)

BOOST_AUTO_TEST_CASE(sources_that_meet_stay_together_in_any_order) {
  std::uint32_t unbound = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    for (const std::uint32_t parallelism : {2U, 3U})
      BOOST_TEST_CONTEXT("seed " << seed << " parallelism " << parallelism) {
        race bound(8, parallelism);
        bound.start();
        bound.actors.settle_seeded(seed);
        BOOST_TEST(bound.ended_well());
        BOOST_TEST(bound.lead <= 2 * 8 + 2U);
        BOOST_TEST(bound.connectors.log.values.size() == parallelism * race::length);
        race free(1'000'000, parallelism);
        free.start();
        free.actors.settle_seeded(seed);
        BOOST_TEST(free.ended_well());
        unbound = std::max(unbound, free.lead);
      }
  BOOST_TEST(unbound > 18U); // the order of the seeds alone would not keep them together
}

BOOST_AUTO_TEST_CASE(a_quiet_source_holds_nobody_and_an_interrupt_ends_all) {
  race x(8);
  x.quiet = 1;
  x.start();
  x.actors.settle();
  BOOST_TEST(x.reads[0] == race::length);
  BOOST_TEST(!x.run->outcome());
  x.run->interrupt();
  x.actors.settle();
  BOOST_TEST(x.ended_well());
}

BOOST_AUTO_TEST_CASE(an_interrupt_reaches_a_source_that_waits_for_another) {
  race x(8);
  x.start();
  for (int i = 0; i < 40 && !x.run->outcome(); ++i)
    x.actors.settle(5);
  x.run->interrupt();
  x.actors.settle();
  BOOST_TEST(x.ended_well());
}

BOOST_AUTO_TEST_CASE(a_slow_sink_and_alignment_do_not_block_each_other) {
  race x(8);
  x.environment.channel_window = 256;
  x.connectors.backlog = sink_backlog_max + 1;
  x.start();
  x.actors.settle();
  BOOST_TEST(!x.run->outcome());
  x.connectors.sink_->backlog_ = 0;
  x.connectors.wake_all();
  x.actors.settle();
  BOOST_TEST(x.ended_well());
  BOOST_TEST(x.connectors.log.values.size() == 2U * race::length);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(sources_that_meet)

BOOST_AUTO_TEST_CASE(where_rows_wait_for_the_watermark) {
  auto x = waiting_stream(2).plan;
  const auto groups = meeting_sources(x);
  BOOST_REQUIRE(groups.size() == 1U);
  BOOST_REQUIRE(groups[0].size() == 1U);
  BOOST_TEST(groups[0][0].stage == 0U);
  BOOST_TEST(groups[0][0].step == 0U);
  BOOST_TEST(groups[0][0].time_step == 1U);
  BOOST_TEST(meeting_sources(waiting_stream(1).plan).empty()); // alone

  auto passes = x;
  passes.stages[1].steps[0].what = operator_spec{union_all_spec{1}};
  BOOST_TEST(meeting_sources(passes).empty()); // nothing waits

  auto timeless = x;
  timeless.stages[0].steps[1].what = operator_spec{filter_project_spec{}};
  BOOST_TEST(meeting_sources(timeless).empty());

  auto of_now = x;
  window_aggregate_spec window;
  window.window.processing_time = true;
  of_now.stages[1].steps[0].what = operator_spec{window};
  BOOST_TEST(meeting_sources(of_now).empty());
}

/// Sources 0 and 1 meet in a join, 1 and 2 in another, 3 in none.
BOOST_AUTO_TEST_CASE(groups_join_over_common_sources) {
  stage_plan plan;
  const auto add_source = [&] {
    auto& at = plan.stages.emplace_back();
    at.steps = {stage_step{"s", {}, source_node{0}, {}, {}},
                stage_step{"w", {}, operator_spec{assign_watermarks_spec{}}, {{false, 0}}, {}}};
  };
  for (int i = 0; i < 4; ++i)
    add_source();
  const auto add_join = [&](std::uint32_t a, std::uint32_t b) {
    auto& at = plan.stages.emplace_back();
    at.inputs = {{a, 1, exchange_kind::hash, {0}}, {b, 1, exchange_kind::hash, {0}}};
    at.steps = {stage_step{"j", {}, operator_spec{window_join_spec{}}, {{true, 0}, {true, 1}}, {}}};
  };
  add_join(0, 1);
  auto groups = meeting_sources(plan);
  BOOST_REQUIRE(groups.size() == 1U);
  BOOST_TEST(groups[0].size() == 2U);
  add_join(2, 1);
  groups = meeting_sources(plan);
  BOOST_REQUIRE(groups.size() == 1U);
  BOOST_TEST(groups[0].size() == 3U);
}

/// A stream with event time and a file without meet in a lookup join; a third source in none.
BOOST_AUTO_TEST_CASE(sources_of_a_table_and_of_what_is_looked_up_in_it) {
  stage_plan plan;
  const auto add_source = [&](bool timed) {
    auto& at = plan.stages.emplace_back();
    at.steps = {stage_step{"s", {}, source_node{0}, {}, {}}};
    at.steps.push_back(stage_step{"w",
                                  {},
                                  timed ? operator_spec{assign_watermarks_spec{}}
                                        : operator_spec{filter_project_spec{}},
                                  {{false, 0}},
                                  {}});
  };
  add_source(true);
  add_source(false);
  add_source(true);
  changelog_join_spec join;
  join.lookup = 1;
  auto& at = plan.stages.emplace_back();
  at.inputs = {{0, 1, exchange_kind::hash, {0}}, {1, 1, exchange_kind::hash, {0}}};
  at.steps = {stage_step{"j", {}, operator_spec{join}, {{true, 0}, {true, 1}}, {}}};
  const auto groups = meeting_sources(plan);
  BOOST_REQUIRE(groups.size() == 1U);
  BOOST_REQUIRE(groups[0].size() == 2U);
  const auto& stream = groups[0][0];
  const auto& table = groups[0][1];
  BOOST_TEST(!stream.role.is_table);
  BOOST_TEST(stream.time_step == 1U);
  BOOST_TEST(table.role.is_table);
  BOOST_TEST(table.time_step == 0U);
  BOOST_TEST(stream.role.group != table.role.group);
}

BOOST_AUTO_TEST_SUITE_END()
