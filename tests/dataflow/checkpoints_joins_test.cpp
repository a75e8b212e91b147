/// Joins with checkpoints, failures and rescaling, against an undisturbed run.
#include "tests/dataflow/checkpoint_cases.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <algorithm>

namespace {

using namespace ebb;
using namespace ebb::test;

} // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(window_joins_go_on) {
  with_seeds("window joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const auto type : {join_type::inner, join_type::left, join_type::right, join_type::full})
      for (const int keys : {0, 1}) {
        window_join_spec spec;
        spec.type = type;
        spec.left_end = spec.right_end = 1;
        if (keys == 1)
          spec.left_keys = spec.right_keys = {2};
        spec.residual = keys == 1 ? nullptr : at_least(3, 7);
        const std::vector<std::uint32_t> routed{keys == 1 ? 2U : 1U};
        BOOST_TEST_CONTEXT("type " << static_cast<int>(type) << " keys " << keys)
        check_checkpoints(case_of("window_join", {window_types, window_types},
                                  {route::hash, route::hash}, {routed, routed}, operator_spec{spec},
                                  window_row, random),
                          seed);
      }
  });
}

// Windows that take many steps, so that restarted ones are cut again.
BOOST_AUTO_TEST_CASE(window_joins_of_many_rows_go_on) {
  const make_row row = [](std::mt19937_64& random, std::uint32_t input, micros time) {
    auto made = window_row(random, input, time);
    made[2] = cell(static_cast<std::int64_t>(random() % 60));
    return made;
  };
  with_seeds("window joins of many rows", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const auto type : {join_type::inner, join_type::full}) {
      window_join_spec spec;
      spec.type = type;
      spec.left_end = spec.right_end = 1;
      spec.left_keys = spec.right_keys = {2};
      auto x = case_of("window_join", {window_types, window_types}, {route::hash, route::hash},
                       {{2}, {2}}, operator_spec{spec}, row, random);
      x.script = script_of(x.inputs, row, random, 80, 100);
      check_checkpoints(x, seed);
    }
  });
}

BOOST_AUTO_TEST_CASE(window_joins_beside_a_spread_side_go_on) {
  with_seeds("spread window joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const std::int32_t spread : {0, 1})
      for (const bool outer : {false, true})
        for (const int keys : {0, 1}) {
          // One row a window, each when its time has come.
          std::vector<micros> made;
          const make_row row = [&](std::mt19937_64& r, std::uint32_t input, micros time) {
            auto x = window_row(r, input, time);
            if (static_cast<std::int32_t>(input) != spread)
              return x;
            const auto next = made.empty() ? micros{-200} : made.back() + 50;
            if (next > time + 100) {
              x[1] = std::nullopt;
              return x;
            }
            made.push_back(next);
            x[0] = next;
            x[1] = next + 50;
            x[2] = cell(static_cast<std::int64_t>(1 + r() % 4));
            return x;
          };
          window_join_spec spec;
          spec.type = !outer ? join_type::inner : spread == 1 ? join_type::left : join_type::right;
          spec.left_end = spec.right_end = 1;
          if (keys == 1)
            spec.left_keys = spec.right_keys = {2};
          else
            spec.residual = at_least(3, 7);
          spec.spread = spread;
          std::vector<route> routes{route::anywhere, route::anywhere};
          routes[static_cast<std::size_t>(spread)] = route::everywhere;
          BOOST_TEST_CONTEXT("spread " << spread << " outer " << outer << " keys " << keys)
          check_checkpoints(case_of("spread window_join", {window_types, window_types}, routes,
                                    {{}, {}}, operator_spec{spec}, row, random),
                            seed);
        }
  });
}

BOOST_AUTO_TEST_CASE(interval_joins_go_on) {
  with_seeds("interval joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const auto type : {join_type::inner, join_type::left, join_type::right, join_type::full}) {
      interval_join_spec spec;
      spec.type = type;
      spec.lower = -15;
      spec.upper = 10;
      spec.left_keys = spec.right_keys = {1};
      BOOST_TEST_CONTEXT("type " << static_cast<int>(type))
      check_checkpoints(case_of("interval_join", {event_types, event_types},
                                {route::hash, route::hash}, {{1}, {1}}, operator_spec{spec},
                                event_row, random),
                        seed);
    }
  });
}

BOOST_AUTO_TEST_CASE(interval_joins_beside_a_spread_side_go_on) {
  with_seeds("spread interval joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    for (const std::int32_t spread : {0, 1})
      for (const bool outer : {false, true})
        for (const int keys : {0, 1}) {
          interval_join_spec spec;
          spec.type = !outer ? join_type::inner : spread == 1 ? join_type::left : join_type::right;
          spec.lower = -15;
          spec.upper = 10;
          if (keys == 1)
            spec.left_keys = spec.right_keys = {1};
          spec.spread = spread;
          std::vector<route> routes{route::anywhere, route::anywhere};
          routes[static_cast<std::size_t>(spread)] = route::everywhere;
          BOOST_TEST_CONTEXT("spread " << spread << " outer " << outer << " keys " << keys)
          check_checkpoints(case_of("spread interval_join", {event_types, event_types}, routes,
                                    {{}, {}}, operator_spec{spec}, event_row, random),
                            seed);
        }
  });
}

BOOST_AUTO_TEST_CASE(stream_joins_go_on) {
  const make_row row = [](std::mt19937_64& random, std::uint32_t input, micros time) {
    auto made = event_row(random, input, time);
    if (made[1])
      made[1] = *made[1] * 10 + static_cast<std::int64_t>(random() % 6);
    return made;
  };
  with_seeds("stream joins", [&](std::mt19937_64& random, std::uint64_t seed) {
    stream_join_spec spec;
    spec.left_keys = spec.right_keys = {1};
    check_checkpoints(case_of("stream_join", {event_types, event_types}, {route::hash, route::hash},
                              {{1}, {1}}, operator_spec{spec}, row, random),
                      seed);
  });
}

BOOST_AUTO_TEST_SUITE_END()
