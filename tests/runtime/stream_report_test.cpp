#include "actors/runtime/build_stream.hpp"
#include "tests/support/scripted_stream.hpp"

#include <boost/test/unit_test.hpp>

using namespace ebb; // NOLINT
using namespace ebb::test;

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(an_operator_counts_what_enters_it_and_what_its_last_step_emits) {
  // `first` is split in two phases around the exchange; `second` follows in the same stage.
  auto stream = shuffled_stream(2);
  auto& stages = stream.plan.stages;
  auto second = stages[1].steps[0];
  second.inputs = {{false, 0}};
  stages[1].steps[0].name = "first";
  stages[1].steps.push_back(second);
  stages[2].inputs[0].from_step = 1;

  std::vector<std::shared_ptr<stats_board>> boards;
  const auto publish = [&](std::vector<step_stats> steps, micros watermark) {
    boards.push_back(std::make_shared<stats_board>());
    boards.back()->publish({std::move(steps), watermark});
  };
  const auto rows = [](std::uint64_t in, std::uint64_t out, std::uint64_t late,
                       std::uint64_t state) {
    step_stats x;
    x.rows = {in, out, late, state};
    return x;
  };
  step_stats source;
  source.source = {100, 1000, 3};
  step_stats sink;
  sink.sink = {7, 70, 12345};
  publish({source, rows(100, 20, 1, 10)}, max_time);
  publish({source, rows(100, 30, 2, 20)}, max_time);
  publish({rows(25, 4, 0, 100), rows(4, 3, 5, 0)}, max_time);
  publish({rows(25, 5, 0, 200), rows(5, 4, 0, 0)}, max_time);
  publish({sink}, 42);

  const auto x = report_of(stream.plan, stream.definition, boards);
  BOOST_TEST(x.sources.at(0).rows == 200U);
  BOOST_TEST(x.sources.at(0).bytes == 2000U);
  BOOST_TEST(x.sources.at(0).bad_rows == 6U);
  BOOST_TEST(x.operators.at(0).name == "first");
  BOOST_TEST(x.operators.at(0).rows_in == 200U);
  BOOST_TEST(x.operators.at(0).rows_out == 9U);
  BOOST_TEST(x.operators.at(0).late_rows == 3U);
  BOOST_TEST(x.operators.at(0).state_bytes == 330U);
  BOOST_TEST(x.operators.at(1).rows_in == 9U);
  BOOST_TEST(x.operators.at(1).rows_out == 7U);
  BOOST_TEST(x.operators.at(1).late_rows == 5U);
  BOOST_TEST(x.sinks.at(0).rows == 7U);
  BOOST_TEST(x.sinks.at(0).hash == 12345U);
  BOOST_TEST(x.watermark == 42);
}

BOOST_AUTO_TEST_CASE(nothing_was_shown_yet) {
  const auto stream = shuffled_stream(2);
  std::vector<std::shared_ptr<stats_board>> boards;
  for (int i = 0; i < 5; ++i)
    boards.push_back(std::make_shared<stats_board>());
  const auto x = report_of(stream.plan, stream.definition, boards);
  BOOST_TEST(x.sources.at(0).rows == 0U);
  BOOST_TEST(x.watermark == min_time);
}

BOOST_AUTO_TEST_SUITE_END()
