/// Every operator with state, with checkpoints, failures and rescaling, against an undisturbed run.
#include "tests/dataflow/checkpoint_harness.hpp"
#include "tests/dataflow/joins_support.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <algorithm>

namespace {

using namespace ebb;
using namespace ebb::test;

const std::vector<sql_type> event_types{time_type, bigint_type, bigint_type, text_type};
const std::vector<sql_type> window_types{time_type, time_type, bigint_type, bigint_type};

std::string seed_text(std::uint64_t seed) {
  return "seed " + std::to_string(seed);
}

using make_row = std::function<cells(std::mt19937_64&, std::uint32_t input, micros time)>;

/// Batches of each input with times around one that goes on, and watermarks behind it.
std::vector<scripted_item> script_of(const std::vector<std::vector<sql_type>>& inputs,
                                     const make_row& row, std::mt19937_64& random,
                                     std::size_t items = 100, std::size_t rows_max = 24) {
  std::vector<scripted_item> script;
  std::vector<micros> watermarks(inputs.size(), min_time);
  micros now = 0;
  for (std::size_t i = 0; i < items; ++i) {
    const auto input = static_cast<std::uint32_t>(random() % inputs.size());
    now += static_cast<micros>(random() % 12);
    if (random() % 4 == 0) {
      auto& watermark = watermarks[input];
      watermark = std::max(watermark, now - static_cast<micros>(random() % 40));
      script.push_back({input, nullptr, watermark});
      continue;
    }
    std::vector<cells> rows;
    for (std::size_t k = random() % rows_max; k-- > 0;)
      rows.push_back(row(random, input, now - static_cast<micros>(random() % 45)));
    if (!rows.empty())
      script.push_back({input, batch_of(inputs[input], rows), 0});
  }
  for (std::uint32_t input = 0; input < inputs.size(); ++input)
    script.push_back({input, nullptr, max_time});
  return script;
}

cells event_row(std::mt19937_64& random, std::uint32_t, micros time) {
  const auto key = static_cast<std::int64_t>(random() % 20);
  return {cell(time), key == 0 ? cell() : cell(key),
          cell(static_cast<std::int64_t>(random() % 100)),
          cell(static_cast<std::int64_t>(random() % 7))};
}

cells window_row(std::mt19937_64& random, std::uint32_t, micros time) {
  const auto start = time - ((time % 50) + 50) % 50;
  const auto key = static_cast<std::int64_t>(random() % 12);
  return {cell(start), cell(start + 50), key == 0 ? cell() : cell(key),
          cell(static_cast<std::int64_t>(random() % 10))};
}

checkpoint_case case_of(const std::string& name, std::vector<std::vector<sql_type>> inputs,
                        std::vector<route> routes, std::vector<std::vector<std::uint32_t>> keys,
                        const operator_spec& spec, const make_row& row, std::mt19937_64& random) {
  checkpoint_case x;
  x.name = name;
  x.inputs = inputs;
  x.routes = std::move(routes);
  x.route_keys = std::move(keys);
  x.make = [spec](operator_context context) { return make_operator(spec, std::move(context)); };
  x.script = script_of(inputs, row, random);
  x.loads_late = std::holds_alternative<window_top_n_spec>(spec)
                 || std::holds_alternative<over_spec>(spec)
                 || std::holds_alternative<window_join_spec>(spec);
  return x;
}

template <class Check>
void with_seeds(const char* what, Check check, std::uint64_t count = 1) {
  const auto first = next_seed(what);
  for (auto seed = first; seed < first + count; ++seed)
    BOOST_TEST_CONTEXT(seed_text(seed)) {
      std::mt19937_64 random(seed);
      check(random, seed);
    }
}

window_spec window_of(window_kind kind, micros size, micros slide = 0) {
  window_spec w;
  w.kind = kind;
  w.time_column = kind == window_kind::attached ? -1 : 0;
  w.size = size;
  w.slide = slide;
  return w;
}

} // namespace

BOOST_AUTO_TEST_SUITE(checkpoints)

BOOST_AUTO_TEST_CASE(partitions_keep_their_watermarks_whoever_reads_them) {
  const operator_spec spec{assign_watermarks_spec{0, 5}};
  const auto make = [&](std::uint32_t subtask, std::uint32_t parallelism) {
    return make_operator(spec, {"head", {event_types}, 16, subtask, parallelism});
  };
  const auto feed = [](stream_operator& op, std::uint32_t partition, std::uint32_t ended,
                       std::vector<micros> times, collector& out, std::uint32_t partitions = 2) {
    std::vector<cells> rows;
    for (const auto t : times)
      rows.push_back({cell(t), cell(1), cell(1), cell(1)});
    auto x = *batch_of(event_types, rows);
    x.partition = partition;
    x.partitions = partitions;
    x.partitions_ended = ended;
    auto item = rows_item(0, std::make_shared<batch>(std::move(x)));
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  // Two instances read partitions 0, 2 and 1, 3.
  kept_state state;
  std::vector<std::vector<kept_state::change>> deltas;
  for (const std::uint32_t subtask : {0U, 1U}) {
    const auto op = make(subtask, 2);
    collector out;
    feed(*op, 0, 0, {100 + micros{subtask}}, out);
    feed(*op, 1, 0, {60 + micros{subtask} * 20}, out);
    BOOST_TEST(out.watermarks.back() == 55 + micros{subtask} * 20);
    const auto mark = op->mark();
    change_list list;
    op->save(unkeyed_group, 0, list);
    feed(*op, 1, 1, {200}, out);
    static_cast<void>(op->mark());
    change_list more;
    op->save(unkeyed_group, mark, more);
    BOOST_TEST(more.changes.size() == 2U); // partition 0 has ended
    if (subtask == 1)
      std::copy(more.changes.begin(), more.changes.end(), std::back_inserter(list.changes));
    deltas.push_back(std::move(list.changes));
  }
  state.apply(deltas);
  BOOST_TEST(state.all().size() == 3U); // 1 is gone
  // Partition 0 and 2 were read together and had sent 55; 3 goes on alone, at 195. No partition was
  // without rows, and 1 has ended: what holds is said again without a row.
  const std::vector<std::vector<micros>> sent{
      {55}, {55, 195}, {55, min_time, 55}, {55, min_time, 55, 195}};
  const auto restored = [&](std::uint32_t subtask, std::uint32_t parallelism, collector& out) {
    auto op = make(subtask, parallelism);
    for (const auto& [at, value] : state.all())
      BOOST_REQUIRE(bool(op->load(std::get<0>(at), std::get<1>(at), std::get<2>(at), value)));
    auto again = watermark_item(0, min_time);
    step_budget budget;
    BOOST_REQUIRE(bool(op->step(&again, budget, out)));
    return op;
  };
  for (std::uint32_t parallelism = 1; parallelism <= 4; ++parallelism)
    for (std::uint32_t subtask = 0; subtask < parallelism; ++subtask)
      BOOST_TEST_CONTEXT(subtask << " of " << parallelism) {
        collector out;
        const auto op = restored(subtask, parallelism, out);
        const auto wanted = sent[parallelism - 1][subtask];
        BOOST_TEST((out.watermarks.empty() ? min_time : out.watermarks.front()) == wanted);
        const auto partitions = (4 - subtask + parallelism - 1) / parallelism;
        const auto ended = subtask == 1 ? 1U : 0U;
        if (partitions > ended)
          feed(*op, partitions - 1, ended, {0}, out, partitions);
        BOOST_TEST((out.watermarks.empty() ? min_time : out.watermarks.back()) >= wanted);
      }
}

BOOST_AUTO_TEST_CASE(a_partition_without_rows_has_promised_nothing) {
  const operator_spec spec{assign_watermarks_spec{0, 5}};
  const auto make = [&](std::uint32_t subtask, std::uint32_t parallelism) {
    return make_operator(spec, {"head", {event_types}, 16, subtask, parallelism});
  };
  const auto feed = [](stream_operator& op, std::uint32_t partitions, collector& out) {
    auto x = *batch_of(event_types, {{cell(100), cell(1), cell(1), cell(1)}});
    x.partitions = partitions;
    auto item = rows_item(0, std::make_shared<batch>(std::move(x)));
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  // Of partitions 0 and 1 with an instance each, 1 has had no rows; of 0 and 1 with one instance,
  // too.
  for (const std::uint32_t before : {2U, 1U}) {
    change_list list;
    {
      collector out;
      const auto op = make(0, before);
      feed(*op, before == 2 ? 1 : 2, out);
      BOOST_TEST((out.watermarks.empty() ? min_time : out.watermarks.back())
                 == (before == 2 ? 95 : min_time));
      static_cast<void>(op->mark());
      op->save(unkeyed_group, 0, list);
    }
    for (const std::uint32_t after : {2U, 1U})
      BOOST_TEST_CONTEXT(before << " to " << after) {
        auto changes = list.changes;
        // Nor does a restart without rows in between lose what is known.
        for (int restarts = 0; restarts < 2; ++restarts) {
          const auto op = make(0, after);
          for (const auto& x : changes)
            BOOST_REQUIRE(
                bool(op->load(std::get<0>(x.at), std::get<1>(x.at), std::get<2>(x.at), x.value)));
          collector out;
          auto again = watermark_item(0, min_time);
          step_budget budget;
          BOOST_REQUIRE(bool(op->step(&again, budget, out)));
          const bool promises = before == 2 && after == 2;
          BOOST_TEST(out.watermarks.size() == (promises ? 1U : 0U));
          static_cast<void>(op->mark());
          change_list next;
          op->save(unkeyed_group, 0, next);
          changes = next.changes;
        }
      }
  }
}

BOOST_AUTO_TEST_CASE(processing_time_does_not_go_back) {
  window_spec window;
  window.size = 100;
  window.processing_time = true;
  const auto aggregate = [&](window_kind kind) {
    window_aggregate_spec spec;
    spec.window = window;
    spec.window.kind = kind;
    spec.keys = {1};
    spec.calls = {call_of("count", {}, event_types)};
    return operator_spec{spec};
  };
  const operator_spec specs[] = {operator_spec{stamp_time_spec{}},
                                 operator_spec{window_assign_spec{window}},
                                 aggregate(window_kind::tumble), aggregate(window_kind::session)};
  const auto tick = [](stream_operator& op, micros time, collector& out) {
    stream_item item;
    item.kind = item_kind::tick;
    item.time = time;
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  const auto rows = [](stream_operator& op, std::int64_t key, collector& out) {
    auto item = rows_item(0, batch_of(event_types, {{cell(5), cell(key), cell(1), cell(1)}}));
    step_budget budget;
    BOOST_REQUIRE(bool(op.step(&item, budget, out)));
  };
  for (const auto& spec : specs) {
    collector out;
    auto op = make_operator(spec, {"time", {event_types}, 16, 0, 1});
    tick(*op, 1050, out);
    rows(*op, 1, out);
    static_cast<void>(op->mark());
    change_list list;
    for (std::uint16_t g = 0; g <= 16; ++g) {
      list.select_group(g == 16 ? unkeyed_group : g);
      op->save(g == 16 ? unkeyed_group : g, 0, list);
    }
    BOOST_TEST(!list.changes.empty());
    op = make_operator(spec, {"time", {event_types}, 16, 0, 1});
    for (const auto& x : list.changes)
      BOOST_REQUIRE(
          bool(op->load(std::get<0>(x.at), std::get<1>(x.at), std::get<2>(x.at), x.value)));
    out.rows.clear();
    out.restored = true;
    auto again = watermark_item(0, min_time);
    step_budget budget;
    BOOST_REQUIRE(bool(op->step(&again, budget, out)));
    tick(*op, 700, out); // the clock was set back
    rows(*op, 1, out);
    tick(*op, 2000, out);
    // All that came lies at 1050: in one window, or with that stamp.
    BOOST_REQUIRE_EQUAL(out.rows.size(), 1U);
    const auto& made = out.rows.front();
    const auto time = made.size() == 5 ? made[4] : made.size() == 6 ? made[4] : made[1];
    BOOST_TEST(*time >= 1000);
    BOOST_TEST(*time <= 1050);
    if (made.size() == 4)
      BOOST_TEST(*made[3] == 2);
  }
}

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
          spec.calls = {call_of("count", {}, event_types), call_of("sum", {2}, event_types)};
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
    const make_row row = [](std::mt19937_64& r, std::uint32_t, micros time) {
      const auto end = time > 250 ? 500 : 250;
      return cells{cell(end - 250), cell(end), cell(static_cast<std::int64_t>(r() % 3)),
                   cell(time + static_cast<std::int64_t>(r() % 100))};
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
