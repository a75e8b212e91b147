// OVER against computing every row's frame from the sorted partition.

#include "actors/dataflow/operators/over.hpp"
#include "tests/dataflow/joins_support.hpp"
#include "tests/support/aggregate_calls.hpp"

#include <algorithm>
#include <map>

namespace ebb::test {

namespace {

// Rows are time, partition, second order key, value, text.
const std::vector<sql_type> types{time_type, bigint_type, bigint_type, bigint_type, text_type};
constexpr micros second = micros_per_second;

over_call aggregate_over(std::string_view name, std::vector<std::uint32_t> args, frame_spec frame) {
  over_call call;
  call.call = call_of(name, std::move(args), types);
  call.frame = frame;
  return call;
}

over_call function_over(over_call::kind what, std::vector<std::uint32_t> args = {},
                        frame_spec frame = {true, true, 0}, std::int64_t distance = 1) {
  over_call call;
  call.what = what;
  call.call.type = args.empty() ? bigint_type : types[args.front()];
  call.call.args = std::move(args);
  call.frame = frame;
  call.distance = distance;
  return call;
}

struct over_case {
  bool partitioned = true;
  bool two_keys = false; ///< ORDER BY time, column 2 DESC NULLS LAST
  std::vector<over_call> calls;
};

int compare(const cells& a, const cells& b, bool two_keys) {
  const auto three_way = [](const cell& x, const cell& y, bool descending) {
    if (!x || !y)
      return static_cast<int>(!x) - static_cast<int>(!y); // NULLs last
    const int result = *x < *y ? -1 : *x > *y ? 1 : 0;
    return descending ? -result : result;
  };
  const int first = three_way(a[0], b[0], false);
  return first != 0 || !two_keys ? first : three_way(a[2], b[2], true);
}

cell evaluate_call(const over_call& call, const std::vector<cells>& part, std::size_t i,
                   bool two_keys) {
  const auto peer = [&](std::size_t a, std::size_t b) {
    return compare(part[a], part[b], two_keys) == 0;
  };
  std::size_t group_first = i;
  while (group_first > 0 && peer(group_first - 1, i))
    --group_first;
  std::size_t group_last = i;
  while (group_last + 1 < part.size() && peer(group_last + 1, i))
    ++group_last;
  std::size_t from = 0;
  if (!call.frame.unbounded) {
    if (!call.frame.range) {
      from = i - std::min<std::size_t>(i, static_cast<std::size_t>(call.frame.preceding));
    } else {
      from = group_first;
      while (call.frame.preceding > 0 && part[i][0] && from > 0 && part[from - 1][0]
             && *part[from - 1][0] >= *part[i][0] - call.frame.preceding)
        --from;
    }
  }
  const auto before = static_cast<std::size_t>(-call.frame.following); // the frame ends there
  const bool none = i < before || i - before < from;
  const std::size_t to = call.frame.range ? group_last : none ? 0 : i - before;
  using kind = over_call::kind;
  switch (call.what) {
  case kind::row_number:
    return static_cast<std::int64_t>(i + 1);
  case kind::rank:
    return static_cast<std::int64_t>(group_first + 1);
  case kind::dense_rank: {
    std::int64_t groups = 1;
    for (std::size_t k = 1; k <= group_first; ++k)
      groups += peer(k - 1, k) ? 0 : 1;
    return groups;
  }
  case kind::lag:
    return i < static_cast<std::size_t>(call.distance)
               ? cell{}
               : part[i - static_cast<std::size_t>(call.distance)][call.call.args[0]];
  case kind::first_value:
    return none ? cell{} : part[from][call.call.args[0]];
  case kind::last_value:
    return none ? cell{} : part[to][call.call.args[0]];
  default:
    break;
  }
  const auto& name = call.call.function->name;
  std::int64_t count = 0;
  cell value;
  for (auto k = from; k <= to && !none; ++k) {
    if (call.call.args.empty()) {
      ++count;
      continue;
    }
    const auto x = part[k][call.call.args[0]];
    if (!x)
      continue;
    ++count;
    if (!value)
      value = x;
    else if (name == "sum")
      *value += *x;
    else if (name == "max")
      *value = std::max(*value, *x);
  }
  return name == "count" ? cell{count} : value;
}

void run_case(const over_case& x, std::uint64_t seed, std::size_t batch_size, std::uint32_t budget,
              bool restores, std::size_t count, std::int64_t partitions) {
  std::mt19937_64 random(seed);
  std::vector<cells> rows;
  std::vector<micros> watermarks;
  micros latest = min_time;
  for (std::size_t i = 0; i < count; ++i) {
    const auto now = static_cast<micros>(i / 6) * second;
    const auto number = [&](std::int64_t range) {
      return random() % 9 == 0
                 ? cell{}
                 : cell{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range))};
    };
    rows.push_back({now - static_cast<micros>(random() % 4) * second, number(partitions), number(3),
                    number(100), static_cast<std::int64_t>(i)});
    if (random() % 60 == 0)
      rows.back()[0] = std::nullopt;
    watermarks.push_back(latest);
    latest = std::max(latest, now - 4 * second);
  }
  driver run(
      [&] {
        over_spec spec;
        if (x.partitioned)
          spec.partition = {1};
        spec.time_column = 0;
        spec.order_by = {{0, false, false}};
        if (x.two_keys)
          spec.order_by.push_back({2, true, false});
        spec.calls = x.calls;
        return make_over(spec, {"over", {types}, 8});
      },
      seed, budget, restores);
  for (std::size_t at = 0; at < count; at += batch_size) {
    const auto stop = std::min(count, at + batch_size);
    run.feed(rows_item(0, batch_of(types, {rows.begin() + static_cast<std::ptrdiff_t>(at),
                                           rows.begin() + static_cast<std::ptrdiff_t>(stop)})));
    run.feed(watermark_item(0, stop < count ? watermarks[stop] : max_time));
  }
  run.feed(end_item(0));
  // The expected rows, by their unique text.
  std::map<cell, std::vector<cells>> parts;
  for (const auto& row : rows)
    parts[x.partitioned ? row[1] : cell{}].push_back(row);
  std::map<cell, cells> expected;
  for (auto& [name, part] : parts) {
    std::stable_sort(part.begin(), part.end(),
                     [&](const cells& a, const cells& b) { return compare(a, b, x.two_keys) < 0; });
    for (std::size_t i = 0; i < part.size(); ++i) {
      auto row = part[i];
      for (const auto& call : x.calls)
        row.push_back(evaluate_call(call, part, i, x.two_keys));
      expected[row[4]] = std::move(row);
    }
  }
  BOOST_TEST_CONTEXT("seed " << seed << " batch " << batch_size << " budget " << budget
                             << " restores " << restores << " partitioned " << x.partitioned
                             << " two keys " << x.two_keys) {
    BOOST_REQUIRE_EQUAL(run.out.rows.size(), rows.size());
    for (std::size_t i = 0; i < run.out.rows.size(); ++i) {
      const auto& row = run.out.rows[i];
      if (row[0]) {
        BOOST_REQUIRE_GE(*row[0], run.out.before[i]);
        if (i != 0)
          BOOST_REQUIRE(run.out.rows[i - 1][0] && *run.out.rows[i - 1][0] <= *row[0]);
      }
      const auto& wanted = expected.at(row[4]);
      BOOST_REQUIRE_MESSAGE(row == wanted, "got\n"
                                               << to_string({row}) << "expected\n"
                                               << to_string({wanted}));
    }
    BOOST_TEST(run.counters().late_rows == 0U);
    BOOST_TEST(run.counters().rows_out == rows.size());
    BOOST_TEST(run.out.watermarks.back() == max_time);
  }
}

std::vector<over_case> all_cases() {
  using kind = over_call::kind;
  const frame_spec all_rows{false, true, 0};
  const frame_spec all_range{true, true, 0};
  const frame_spec few_rows{false, false, 3};
  const frame_spec rows_before{false, false, 4, false, -2};
  const frame_spec one_row{false, false, 0};
  const frame_spec peers{true, false, 0};
  const frame_spec seconds{true, false, 5 * second};
  std::vector<over_call> plain{
      function_over(kind::row_number),
      function_over(kind::rank),
      function_over(kind::dense_rank),
      function_over(kind::lag, {3}),
      function_over(kind::lag, {4}, all_range, 4),
      function_over(kind::lag, {3}, all_range, 0),
      function_over(kind::first_value, {4}, all_range),
      function_over(kind::first_value, {3}, few_rows),
      function_over(kind::first_value, {4}, peers),
      function_over(kind::last_value, {4}, all_rows),
      function_over(kind::last_value, {4}, all_range),
      aggregate_over("sum", {3}, all_rows),
      aggregate_over("sum", {3}, all_range),
      aggregate_over("count", {}, few_rows),
      aggregate_over("sum", {3}, rows_before),
      function_over(kind::first_value, {4}, rows_before),
      function_over(kind::last_value, {3}, rows_before),
      aggregate_over("sum", {3}, few_rows),
      aggregate_over("max", {3}, one_row),
      aggregate_over("max", {3}, peers),
  };
  auto by_time = plain;
  by_time.push_back(aggregate_over("sum", {3}, seconds));
  by_time.push_back(function_over(kind::first_value, {4}, seconds));
  // Each alone as well: what is kept depends on which calls ask for it.
  std::vector<over_case> cases{
      {true, false, by_time}, {false, false, by_time}, {true, true, plain}};
  for (const auto& call : by_time)
    cases.push_back({true, false, {call}});
  return cases;
}

} // namespace

BOOST_AUTO_TEST_SUITE(overs)

BOOST_AUTO_TEST_CASE(equals_computing_each_frame) {
  const auto seed = next_seed("over");
  std::uint64_t number = 0;
  for (const auto& x : all_cases()) {
    for (const std::size_t size : {1, 7, 4096})
      run_case(x, seed + number++, size, 4096, false, 300, 3);
    run_case(x, seed + number++, 5, 1, true, 150, 3);
    run_case(x, seed + number++, 40, 7, true, 300, 10);
  }
}

BOOST_AUTO_TEST_CASE(many_rows) {
  const auto seed = next_seed("large over");
  using kind = over_call::kind;
  const over_case x{true,
                    false,
                    {function_over(kind::row_number), function_over(kind::lag, {3}),
                     aggregate_over("sum", {3}, {false, true, 0}),
                     aggregate_over("sum", {3}, {false, false, 2})}};
  run_case(x, seed, 4096, 4096, false, 40'000, 5000);
}

BOOST_AUTO_TEST_CASE(ordered_aggregates_keep_their_order) {
  over_spec spec;
  spec.time_column = 0;
  spec.order_by = {{0, false, false}};
  auto call = aggregate_over("array_agg", {3}, {false, true, 0});
  spec.calls = {call};

  struct last_batch final : output {
    void emit(batch_ptr x) override {
      rows = std::move(x);
    }

    void advance(micros) override {}

    void idle() override {}

    batch_ptr rows;
  } out;

  auto x = make_over(spec, {"over", {types}, 8});
  auto rows = rows_item(0, batch_of(types, {{3, 1, 1, 30, 1}, {1, 1, 1, 10, 1}, {2, 1, 1, 20, 1}}));
  step_budget budget;
  BOOST_REQUIRE(static_cast<bool>(x->step(&rows, budget, out)));
  BOOST_TEST(!out.rows);
  auto watermark = watermark_item(0, 4);
  BOOST_REQUIRE(static_cast<bool>(x->step(&watermark, budget, out)));
  BOOST_REQUIRE(out.rows && out.rows->rows == 3);
  const auto& lists = out.rows->columns.back();
  const auto* offsets = lists.data<std::uint32_t>();
  for (std::uint32_t i = 0; i < 3; ++i) {
    BOOST_REQUIRE_EQUAL(offsets[i + 1] - offsets[i], i + 1);
    for (std::uint32_t k = 0; k <= i; ++k)
      BOOST_TEST(lists.child->data<std::int64_t>()[offsets[i] + k] == 10 * (k + 1));
  }
}

BOOST_AUTO_TEST_CASE(late_rows_are_dropped) {
  over_spec spec;
  spec.time_column = 0;
  spec.order_by = {{0, false, false}};
  spec.calls = {function_over(over_call::kind::row_number)};
  driver run([&] { return make_over(spec, {"over", {types}, 8}); }, 1, 4096, false);
  run.feed(rows_item(0, batch_of(types, {{10, 1, 1, 1, 1}, {20, 1, 1, 1, 2}})));
  run.feed(watermark_item(0, 20));
  BOOST_TEST(run.out.rows.size() == 1U); // peers of time 20 may still come
  run.feed(rows_item(0, batch_of(types, {{19, 1, 1, 1, 3}, {20, 1, 1, 1, 4}})));
  BOOST_TEST(run.counters().late_rows == 1U);
  // Behind its own partition's watermark, unless another channel holds it back.
  run.feed(rows_item(0, batch_of(types, {{25, 1, 1, 1, 5}}, {30})));
  BOOST_TEST(run.counters().late_rows == 2U);
  run.feed(rows_item(0, batch_of(types, {{25, 1, 1, 1, 6}}, {30}), 22));
  BOOST_TEST(run.counters().late_rows == 2U);
  run.feed(watermark_item(0, max_time));
  run.feed(end_item(0));
  BOOST_REQUIRE_EQUAL(run.out.rows.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i)
    BOOST_TEST(*run.out.rows[i][5] == static_cast<std::int64_t>(i + 1));
  BOOST_TEST(*run.out.rows[3][4] == 6);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb::test
