// Windowed top-N against sorting every partition.

#include "actors/dataflow/operators/window_top_n.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <algorithm>
#include <map>

namespace ebb::test {

namespace {

// Rows are start, end, partition, order 1, order 2, text.
const std::vector<sql_type> types{time_type,    time_type, bigint_type,
                                  numeric_type, text_type, array_type};

struct top_case {
  rank_kind rank = rank_kind::row_number;
  std::int64_t limit = 3;
  bool partitioned = true;
  bool with_rank = true;
  std::vector<sort_key> order{{3, false, false}};
};

int compare(const cells& a, const cells& b, const std::vector<sort_key>& order) {
  // The text of a number: "v:" + number.
  const auto text = [](std::int64_t value) {
    auto result = "v:" + std::to_string(value);
    if (value % 3 == 0)
      result += ":" + std::string(static_cast<std::size_t>(40 + value % 7), 'x');
    return result;
  };
  for (const auto& key : order) {
    const auto& x = a[key.column];
    const auto& y = b[key.column];
    if (!x && !y)
      continue;
    if (!x || !y)
      return !x == key.nulls_first ? -1 : 1;
    int result = 0;
    if (types[key.column].kind == type_kind::text)
      result = text(*x).compare(text(*y));
    else
      result = *x < *y ? -1 : *x > *y ? 1 : 0;
    if (result != 0)
      return key.descending ? -result : result;
  }
  return 0;
}

// Rows of each window in the order of their ends, per partition in rank order.
std::map<std::pair<std::int64_t, cell>, std::vector<cells>>
expected_rows(const top_case& x, const std::vector<cells>& rows) {
  std::map<std::pair<std::int64_t, cell>, std::vector<cells>> parts;
  for (const auto& row : rows)
    parts[{row[1] && row[0] ? *row[1] : max_time, x.partitioned ? row[2] : cell{}}].push_back(row);
  for (auto& [name, part] : parts) {
    std::stable_sort(part.begin(), part.end(),
                     [&](const cells& a, const cells& b) { return compare(a, b, x.order) < 0; });
    std::vector<cells> kept;
    std::int64_t number = 0;
    std::int64_t rank = 0;
    std::int64_t dense = 0;
    for (std::size_t i = 0; i < part.size(); ++i) {
      ++number;
      if (i == 0 || compare(part[i - 1], part[i], x.order) != 0) {
        rank = number;
        ++dense;
      }
      const auto value = x.rank == rank_kind::row_number ? number
                         : x.rank == rank_kind::rank     ? rank
                                                         : dense;
      if (value > x.limit)
        break;
      auto row = part[i];
      if (x.with_rank)
        row.push_back(value);
      kept.push_back(std::move(row));
    }
    part = std::move(kept);
  }
  return parts;
}

void run_case(const top_case& x, std::uint64_t seed, std::size_t batch_size, std::uint32_t budget,
              bool restores, std::size_t count, std::int64_t values) {
  std::mt19937_64 random(seed);
  std::vector<cells> rows;
  std::vector<micros> watermarks;
  micros latest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto now = static_cast<micros>(i / 20);
    const auto start = std::max<micros>(0, now - static_cast<micros>(random() % 15)) / 10 * 10;
    const auto number = [&](std::int64_t range) {
      return random() % 9 == 0
                 ? cell{}
                 : cell{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range))};
    };
    rows.push_back({start, start + 10, number(4), number(values), number(values),
                    static_cast<std::int64_t>(i)});
    if (random() % 50 == 0)
      rows.back()[1] = std::nullopt;
    watermarks.push_back(latest);
    latest = std::max(latest, now - 15);
  }
  driver run(
      [&] {
        window_top_n_spec spec;
        spec.window_start = 0;
        spec.window_end = 1;
        if (x.partitioned)
          spec.partition = {2};
        spec.order_by = x.order;
        spec.rank = x.rank;
        spec.limit = x.limit;
        spec.with_rank = x.with_rank;
        return make_window_top_n(spec, {"top", {types}, 8});
      },
      seed, budget, restores);
  for (std::size_t at = 0; at < count; at += batch_size) {
    const auto stop = std::min(count, at + batch_size);
    run.feed(rows_item(0, batch_of(types, {rows.begin() + static_cast<std::ptrdiff_t>(at),
                                           rows.begin() + static_cast<std::ptrdiff_t>(stop)})));
    run.feed(watermark_item(0, stop < count ? watermarks[stop] : max_time));
  }
  run.feed(end_item(0));
  const auto expected = expected_rows(x, rows);
  BOOST_TEST_CONTEXT("seed " << seed << " batch " << batch_size << " budget " << budget << " rank "
                             << static_cast<int>(x.rank) << " limit " << x.limit << " restores "
                             << restores) {
    std::map<std::pair<std::int64_t, cell>, std::vector<cells>> got;
    std::int64_t last_end = min_time;
    for (const auto& row : run.out.rows) {
      const auto end = row[1] && row[0] ? *row[1] : max_time;
      BOOST_REQUIRE_GE(end, last_end);
      last_end = end;
      got[{end, x.partitioned ? row[2] : cell{}}].push_back(row);
    }
    BOOST_REQUIRE_EQUAL(got.size(), expected.size());
    for (const auto& [name, part] : expected)
      BOOST_REQUIRE_MESSAGE(got[name] == part, "got\n"
                                                   << to_string(got[name]) << "expected\n"
                                                   << to_string(part));
    BOOST_TEST(run.counters().late_rows == 0U);
    BOOST_TEST(run.counters().rows_out == run.out.rows.size());
    BOOST_TEST(run.out.largest_batch <= budget);
    BOOST_TEST(run.out.watermarks.back() == max_time);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(window_top)

BOOST_AUTO_TEST_CASE(equals_sorting) {
  const auto seed = next_seed("window top-N");
  const std::vector<std::vector<sort_key>> orders{{{3, false, false}},
                                                  {{3, true, true}},
                                                  {{4, false, true}, {3, true, false}},
                                                  {{5, true, false}}};
  std::uint64_t number = 0;
  for (const auto rank : {rank_kind::row_number, rank_kind::rank, rank_kind::dense_rank})
    for (const std::int64_t limit : {std::int64_t{1}, std::int64_t{3}, std::int64_t{50}, INT64_MAX})
      for (const auto& order : orders) {
        const top_case x{rank, limit, number % 3 != 0, number % 2 == 0, order};
        const auto values = number % 5 < 2 ? 4 : 1000;
        for (const std::size_t size : {1, 7, 4096})
          run_case(x, seed + number++, size, 4096, false, 500, values);
        run_case(x, seed + number++, 7, 1, true, 300, values);
        run_case(x, seed + number++, 30, 10, true, 500, values);
      }
}

BOOST_AUTO_TEST_CASE(large_partitions_stay_small_in_memory) {
  const auto seed = next_seed("large top-N");
  std::mt19937_64 random(seed);
  for (const std::int64_t limit : {std::int64_t{5}, INT64_MAX}) {
    driver run(
        [&] {
          window_top_n_spec spec;
          spec.window_start = -1;
          spec.window_end = 1;
          spec.order_by = {{3, true, false}};
          spec.limit = limit;
          spec.with_rank = true;
          return make_window_top_n(spec, {"top", {types}, 8});
        },
        seed, 4096, false);
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < 20; ++i) {
      std::vector<cells> rows;
      for (std::size_t k = 0; k < 2000; ++k) {
        values.push_back(static_cast<std::int64_t>(random() % 1'000'000));
        rows.push_back({0, 10, 1, values.back(), 1, 1});
      }
      run.feed(rows_item(0, batch_of(types, rows)));
    }
    if (limit == 5)
      BOOST_TEST(run.counters().state_bytes < 2'000'000U);
    run.feed(watermark_item(0, 9));
    BOOST_TEST(run.out.rows.empty());
    run.feed(watermark_item(0, 10));
    std::sort(values.rbegin(), values.rend());
    BOOST_REQUIRE_EQUAL(run.out.rows.size(), limit == 5 ? 5U : values.size());
    for (std::size_t i = 0; i < run.out.rows.size(); ++i) {
      BOOST_REQUIRE_EQUAL(*run.out.rows[i][3], values[i]);
      BOOST_REQUIRE_EQUAL(*run.out.rows[i][6], static_cast<std::int64_t>(i + 1));
    }
    BOOST_TEST(run.counters().state_bytes == 0U);
    // The window has fired: a row for it is late.
    run.feed(rows_item(0, batch_of(types, {{0, 10, 1, 1, 1, 1}})));
    BOOST_TEST(run.counters().late_rows == 1U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb::test
