/// Aggregates, top-N and OVER with checkpoints, failures and rescaling, against an undisturbed run.
#include "tests/dataflow/checkpoint_cases.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <algorithm>

namespace {

using namespace ebb;
using namespace ebb::test;

} // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(window_aggregates_go_on_at_any_parallelism) {
  const std::pair<const char*, window_spec> windows[] = {
      {"tumble", window_of(window_kind::tumble, 30)},
      {"hop", window_of(window_kind::hop, 30, 10)},
      {"running hop", window_of(window_kind::hop, 60, 10)},
      {"cumulate", window_of(window_kind::cumulate, 60, 10)},
      {"session", window_of(window_kind::session, 9)}};
  with_seeds("window aggregates", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const auto& [name, window] : windows)
      for (const bool by_text : {false, true})
        for (const bool all : {false, true}) {
          window_aggregate_spec spec;
          spec.window = window;
          spec.keys = by_text ? std::vector<std::uint32_t>{3, 1} : std::vector<std::uint32_t>{1};
          spec.calls = {call_of("count", {}, event_types), call_of("sum", {2}, event_types),
                        call_of("mode", {2}, event_types)};
          spec.calls.back().order_by = {{2, true, false}};
          if (all)
            spec.calls.push_back(call_of("max", {3}, event_types));
          BOOST_TEST_CONTEXT(name << (by_text ? " by text" : "") << (all ? " all" : " sums"))
          check_checkpoints(case_of(name, {event_types}, {route::hash}, {spec.keys},
                                    operator_spec{spec}, event_row, random),
                            seed);
        }
  });
}

BOOST_AUTO_TEST_CASE(aggregates_over_windows_go_on) {
  with_seeds("attached windows", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const int shape : {0, 1, 2}) {
      window_aggregate_spec spec;
      spec.window = window_of(window_kind::attached, 0);
      spec.window.end_column = 1;
      spec.window.start_column = shape == 1 ? -1 : 0;
      std::vector<std::uint32_t> routed{0, 1};
      if (shape == 1)
        routed = {1};
      if (shape == 2)
        routed = spec.keys = {2};
      spec.calls = {call_of("count", {}, window_types), call_of("sum", {3}, window_types)};
      BOOST_TEST_CONTEXT("shape " << shape)
      check_checkpoints(case_of("attached", {window_types}, {route::hash}, {routed},
                                operator_spec{spec}, window_row, random),
                        seed);
    }
  });
}

BOOST_AUTO_TEST_CASE(top_n_goes_on) {
  const make_row row = [](std::mt19937_64& random, std::uint32_t input, micros time) {
    auto made = window_row(random, input, time);
    if (random() % 20 == 0)
      made[1] = std::nullopt; // of no window
    return made;
  };
  with_seeds("top-n", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const bool partitioned : {false, true})
      for (const auto rank : {rank_kind::row_number, rank_kind::rank}) {
        window_top_n_spec spec;
        spec.window_start = 0;
        spec.window_end = 1;
        if (partitioned)
          spec.partition = {2};
        spec.order_by = {{3, true, false}, {2, false, false}};
        spec.rank = rank;
        spec.limit = 3;
        spec.with_rank = true;
        BOOST_TEST_CONTEXT((partitioned ? "partitioned" : "whole"))
        check_checkpoints(
            case_of("top_n", {window_types}, {route::hash},
                    {partitioned ? std::vector<std::uint32_t>{2} : std::vector<std::uint32_t>{1}},
                    operator_spec{spec}, row, random),
            seed);
      }
  });
}

// Rows that no longer rank are many, so that stores are rebuilt between saves, and not in one.
BOOST_AUTO_TEST_CASE(top_n_of_many_rows_goes_on) {
  with_seeds("top-n of many rows", [&](std::mt19937_64& random, std::uint64_t seed) {
    window_top_n_spec spec;
    spec.window_start = 0;
    spec.window_end = 1;
    spec.partition = {2};
    spec.order_by = {{3, true, false}};
    spec.rank = rank_kind::row_number;
    spec.limit = 2;
    // Each row outranks those before it.
    std::int64_t number = 0;
    const make_row row = [&](std::mt19937_64& r, std::uint32_t, micros time) {
      const auto end = time > 150 ? 300 : 150;
      return cells{cell(end - 150), cell(end), cell(static_cast<std::int64_t>(r() % 3)),
                   cell(++number)};
    };
    auto x =
        case_of("top_n", {window_types}, {route::hash}, {{2}}, operator_spec{spec}, row, random);
    x.script = script_of(x.inputs, row, random, 60, 2500);
    check_checkpoints(x, seed);
  });
}

BOOST_AUTO_TEST_CASE(over_goes_on) {
  with_seeds("over", [&](std::mt19937_64& random, std::uint64_t seed) {
    over_spec spec;
    spec.partition = {1};
    spec.time_column = 0;
    spec.order_by = {{0, false, false}, {2, false, false}};
    over_call numbered;
    numbered.what = over_call::kind::row_number;
    over_call first;
    first.what = over_call::kind::first_value;
    first.call.args = {2};
    first.call.arg_types = {bigint_type};
    over_call sum;
    sum.call = call_of("sum", {2}, event_types);
    over_call framed;
    framed.call = call_of("count", {}, event_types);
    framed.frame = {true, false, 20};
    spec.calls = {numbered, first, sum, framed};
    check_checkpoints(case_of("over", {event_types}, {route::hash}, {spec.partition},
                              operator_spec{spec}, event_row, random),
                      seed);
  });
}

BOOST_AUTO_TEST_CASE(over_of_many_rows_goes_on) {
  with_seeds("over of many rows", [&](std::mt19937_64& random, std::uint64_t seed) {
    over_spec spec;
    spec.partition = {1};
    spec.time_column = 0;
    spec.order_by = {{0, false, false}, {2, false, false}, {3, false, false}};
    over_call before;
    before.what = over_call::kind::lag;
    before.call.args = {2};
    before.call.arg_types = {bigint_type};
    before.distance = 2;
    over_call count;
    count.call = call_of("count", {}, event_types);
    spec.calls = {before, count};
    auto x = case_of("over", {event_types}, {route::hash}, {spec.partition}, operator_spec{spec},
                     event_row, random);
    x.script = script_of(x.inputs, event_row, random, 40, 700);
    check_checkpoints(x, seed);
  });
}

BOOST_AUTO_TEST_SUITE_END()
