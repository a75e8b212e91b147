// Interval joins of all types against a nested loop over all rows.

#include "actors/dataflow/operators/interval_bounds.hpp"
#include "actors/dataflow/operators/interval_join.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <algorithm>

namespace ebb::test {

namespace {

// Rows are key, time, value, text; both sides alike.
const std::vector<sql_type> types{bigint_type, time_type, bigint_type, text_type};
constexpr micros second = micros_per_second;

struct interval_case {
  join_type type = join_type::inner;
  micros lower = 0;
  micros upper = 0;
  bool keyed = true;
  bool residual = false; ///< left value >= right value
  std::int64_t keys = 5;
  std::size_t right_share = 1; ///< one right row for so many left rows
};

bool is_outer(join_type type, std::size_t side) {
  return type == join_type::full || type == (side == 0 ? join_type::left : join_type::right);
}

std::vector<cells> expected_rows(const interval_case& x, const std::vector<cells>& left,
                                 const std::vector<cells>& right) {
  std::vector<cells> result;
  std::vector<bool> right_matched(right.size(), false);
  const auto join = [&](const cells& l, const cells& r) {
    auto row = l;
    row.insert(row.end(), r.begin(), r.end());
    result.push_back(std::move(row));
  };
  const cells nulls(types.size());
  for (const auto& l : left) {
    bool matched = false;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const auto& r = right[i];
      if (!l[1] || !r[1] || *l[1] < *r[1] + x.lower || *l[1] > *r[1] + x.upper
          || (x.keyed && !(l[0] && r[0] && *l[0] == *r[0]))
          || (x.residual && !(l[2] && r[2] && *l[2] >= *r[2])))
        continue;
      matched = true;
      right_matched[i] = true;
      join(l, r);
    }
    if (!matched && is_outer(x.type, 0))
      join(l, nulls);
  }
  for (std::size_t i = 0; i < right.size(); ++i)
    if (!right_matched[i] && is_outer(x.type, 1))
      join(nulls, right[i]);
  std::sort(result.begin(), result.end());
  return result;
}

struct timed_row {
  cells row;
  micros watermark = min_time; ///< of its source just before it
};

// Times move on a second every four rows; rows come up to `disorder` seconds late.
std::vector<timed_row> random_side(std::mt19937_64& random, std::size_t count, micros step,
                                   const interval_case& x, std::uint64_t disorder,
                                   std::uint64_t promised) {
  std::vector<timed_row> rows(count);
  micros latest = -100 * second;
  for (std::size_t i = 0; i < count; ++i) {
    const auto now = static_cast<micros>(i) * step;
    const auto time = now - static_cast<micros>(random() % (disorder + 1)) * second;
    const auto number = [&](std::int64_t range) {
      return random() % 11 == 0
                 ? cell{}
                 : cell{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range))};
    };
    rows[i].row = {number(x.keys), time, number(30), number(1000)};
    if (random() % 37 == 0)
      rows[i].row[1] = std::nullopt;
    rows[i].watermark = latest;
    latest = std::max(latest, now - static_cast<micros>(promised) * second);
  }
  return rows;
}

void feed_piece(driver& run, std::uint32_t s, const std::vector<timed_row>& side, std::size_t& at,
                std::size_t batch_size, bool with_watermarks) {
  const auto size = std::min(side.size() - at, batch_size);
  std::vector<cells> rows;
  std::vector<micros> watermarks;
  for (std::size_t i = 0; i < size; ++i) {
    rows.push_back(side[at + i].row);
    if (with_watermarks)
      watermarks.push_back(side[at + i].watermark);
  }
  at += size;
  run.feed(rows_item(s, batch_of(types, rows, watermarks)));
  if (at < side.size()) {
    run.feed(watermark_item(s, side[at].watermark));
  } else {
    run.feed(watermark_item(s, max_time));
    run.feed(end_item(s));
  }
}

std::function<std::unique_ptr<stream_operator>()> maker(const interval_case& x) {
  return [x] {
    interval_join_spec spec;
    spec.type = x.type;
    spec.left_time = spec.right_time = 1;
    spec.lower = x.lower;
    spec.upper = x.upper;
    if (x.keyed)
      spec.left_keys = spec.right_keys = {0};
    if (x.residual)
      spec.residual = at_least(2, 6);
    return make_interval_join(spec, {"join", {types, types}, 8});
  };
}

void run_case(const interval_case& x, std::uint64_t seed, std::size_t batch_size,
              std::uint32_t budget, bool restores, std::size_t count) {
  std::mt19937_64 random(seed);
  const auto step = second / 4;
  const std::array<std::vector<timed_row>, 2> sides{
      random_side(random, count, step, x, 5, 5),
      random_side(random, count / x.right_share, step * static_cast<micros>(x.right_share), x, 5,
                  5)};
  driver run(maker(x), seed, budget, restores);
  std::array<std::size_t, 2> at{0, 0};
  while (at[0] < sides[0].size() || at[1] < sides[1].size()) {
    std::uint32_t s = random() % (x.right_share + 1) == 0 ? 1 : 0;
    if (at[s] == sides[s].size())
      s = 1 - s;
    feed_piece(run, s, sides[s], at[s], batch_size, false);
  }
  std::array<std::vector<cells>, 2> all;
  for (std::size_t s = 0; s < 2; ++s)
    for (const auto& row : sides[s])
      all[s].push_back(row.row);
  const auto expected = expected_rows(x, all[0], all[1]);
  BOOST_TEST_CONTEXT("seed " << seed << " batch " << batch_size << " budget " << budget << " type "
                             << static_cast<int>(x.type) << " keyed " << x.keyed << " residual "
                             << x.residual << " lower " << x.lower << " upper " << x.upper
                             << " restores " << restores) {
    // No time column of a row lies behind the watermark that was passed on before it.
    for (std::size_t i = 0; i < run.out.rows.size(); ++i)
      for (const auto time : {run.out.rows[i][1], run.out.rows[i][5]})
        if (time)
          BOOST_REQUIRE_MESSAGE(*time >= run.out.before[i], to_string({run.out.rows[i]})
                                                                << run.out.before[i]);
    auto rows = run.out.rows;
    std::sort(rows.begin(), rows.end());
    BOOST_REQUIRE_EQUAL(rows.size(), expected.size());
    BOOST_REQUIRE(rows == expected);
    BOOST_TEST(run.counters().late_rows == 0U);
    BOOST_TEST(run.counters().rows_out == expected.size());
    BOOST_TEST(run.out.watermarks.back() == max_time);
    if (batch_size == 1)
      BOOST_TEST(run.out.watermarks.size() > 3U);
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(interval_joins)

BOOST_AUTO_TEST_CASE(equals_a_nested_loop) {
  const auto seed = next_seed("interval join");
  std::uint64_t number = 0;
  const std::vector<std::pair<micros, micros>> bounds{{-3 * second, 2 * second},
                                                      {-10 * second, 0},
                                                      {2 * second, 9 * second},
                                                      {-9 * second, -2 * second},
                                                      {0, 0},
                                                      {second, -second}};
  for (const auto type : {join_type::inner, join_type::left, join_type::right, join_type::full})
    for (const auto& [lower, upper] : bounds)
      for (const bool keyed : {true, false}) {
        const interval_case x{type, lower, upper, keyed, number % 2 == 0, 5, 1 + number % 4 * 5};
        for (const std::size_t size : {1, 7, 4096})
          run_case(x, seed + number++, size, 4096, false, 300);
        run_case(x, seed + number++, 1, 1, true, 150);
        run_case(x, seed + number++, 40, 3, true, 250);
      }
}

BOOST_AUTO_TEST_CASE(many_rows_are_found_by_scan_and_by_table) {
  const auto seed = next_seed("large interval join");
  // Both sides large: searches build the table. One side small: each row scans.
  for (const std::size_t share : {1, 500}) {
    interval_case x{join_type::full, -1000 * second, 1000 * second, true, false, 20'000, share};
    for (const std::size_t size : {64, 3000}) {
      std::mt19937_64 random(seed);
      const auto step = second / 4;
      const std::array<std::vector<timed_row>, 2> sides{
          random_side(random, 30'000, step, x, 5, 5),
          random_side(random, 30'000 / share, step * static_cast<micros>(share), x, 5, 5)};
      driver run(maker(x), seed, 4096, false);
      std::array<std::size_t, 2> at{0, 0};
      while (at[0] < sides[0].size() || at[1] < sides[1].size()) {
        // Both at about the same time, so that state is dropped on the way.
        const auto done = [&](std::size_t s) {
          return static_cast<double>(at[s]) / static_cast<double>(sides[s].size());
        };
        const std::uint32_t s = done(0) <= done(1) ? 0 : 1;
        feed_piece(run, s, sides[s], at[s], share == 1 || s == 0 ? size : 2, false);
      }
      std::multimap<std::int64_t, micros> right;
      for (const auto& row : sides[1])
        if (row.row[0] && row.row[1])
          right.emplace(*row.row[0], *row.row[1]);
      std::size_t pairs = 0;
      for (const auto& row : sides[0])
        if (row.row[0] && row.row[1]) {
          const auto [first, last] = right.equal_range(*row.row[0]);
          for (auto i = first; i != last; ++i)
            pairs += *row.row[1] >= i->second + x.lower && *row.row[1] <= i->second + x.upper;
        }
      std::size_t joined = 0;
      std::array<std::size_t, 2> seen{0, 0};
      for (const auto& row : run.out.rows) {
        const bool left = row[0] || row[1] || row[2] || row[3];
        const bool other = row[4] || row[5] || row[6] || row[7];
        joined += left && other ? 1 : 0;
        seen[0] += left ? 1 : 0;
        seen[1] += other ? 1 : 0;
      }
      BOOST_TEST_CONTEXT("seed " << seed << " share " << share << " size " << size) {
        BOOST_TEST(joined == pairs);
        BOOST_TEST(pairs > 5U);
        // Rows of four NULLs aside, every row came out.
        BOOST_TEST(seen[0] + 20 >= sides[0].size());
        BOOST_TEST(run.counters().state_bytes < 1'000'000U);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(late_rows_are_decided_row_by_row) {
  const auto seed = next_seed("late interval rows");
  const interval_case x{join_type::left, -3 * second, 3 * second, true, false, 5, 1};
  std::optional<std::vector<cells>> first;
  for (const std::size_t size : {1, 7, 4096}) {
    std::mt19937_64 random(seed);
    const auto left = random_side(random, 400, second / 4, x, 9, 5);
    driver run(maker(x), seed, 4096, false);
    run.feed(watermark_item(1, max_time));
    run.feed(end_item(1));
    std::uint64_t late = 0;
    for (const auto& row : left)
      late += row.row[1] && *row.row[1] < row.watermark ? 1 : 0;
    std::size_t at = 0;
    while (at < left.size())
      feed_piece(run, 0, left, at, size, true);
    BOOST_TEST(run.counters().late_rows == late);
    BOOST_TEST(late > 0U);
    BOOST_TEST(run.out.rows.size() + late == left.size());
    std::sort(run.out.rows.begin(), run.out.rows.end());
    if (first)
      BOOST_REQUIRE(*first == run.out.rows);
    first = run.out.rows;
  }
}

BOOST_AUTO_TEST_CASE(bounds_do_not_wrap) {
  const interval_bounds x{-5, 7};
  BOOST_TEST(x.partners(0, 100).first == 93);
  BOOST_TEST(x.partners(0, 100).second == 105);
  BOOST_TEST(x.partners(1, 100).first == 95);
  BOOST_TEST(x.partners(1, 100).second == 107);
  BOOST_TEST(x.kept_until(0, max_time) == max_time);
  BOOST_TEST(x.kept_until(0, max_time - 2) == max_time);
  BOOST_TEST(!x.expired(0, max_time - 2, max_time - 1));
  BOOST_TEST(x.expired(0, max_time, max_time));
  BOOST_TEST(x.output_watermark(100) == 93);
  BOOST_TEST(x.output_watermark(min_time + 2) == min_time);
  BOOST_TEST(x.output_watermark(max_time) == max_time);
  BOOST_TEST((interval_bounds{2, 9}.output_watermark(100)) == 91);
  BOOST_TEST((interval_bounds{-9, -2}.output_watermark(100)) == 91);
  BOOST_TEST(x.pane_end(0, -1) == micros_per_second / 10);
  BOOST_TEST(x.pane_end(0, -6) == 0);
  BOOST_TEST(x.pane_end(0, -5) == micros_per_second / 10);
  // Nothing is behind its own pane.
  for (const micros time : {min_time, min_time + 1, micros{-1}, micros{0}, max_time - 1})
    BOOST_TEST(x.pane_end(1, time) > time);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb::test
