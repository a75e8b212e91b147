// Windowed joins of all types against a nested loop over all rows.

#include "actors/dataflow/operators/window_join.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <algorithm>

namespace ebb::test {

namespace {

// Rows are start, end, key, value, text; both sides alike.
const std::vector<sql_type> types{time_type, time_type, bigint_type, bigint_type, text_type};

struct window_case {
  join_type type = join_type::inner;
  bool keyed = true;
  bool residual = false; ///< left value >= right value
  std::int64_t keys = 5;
  bool few_right = false;
};

bool is_outer(join_type type, std::size_t side) {
  return type == join_type::full || type == (side == 0 ? join_type::left : join_type::right);
}

std::vector<cells> expected_rows(const window_case& x, const std::vector<cells>& left,
                                 const std::vector<cells>& right) {
  std::vector<cells> result;
  std::vector<bool> right_matched(right.size(), false);
  const auto join = [&](const cells& l, const cells& r) {
    auto row = l;
    row.insert(row.end(), r.begin(), r.end());
    result.push_back(std::move(row));
  };
  const cells nulls(types.size());
  const auto equal = [](const cell& a, const cell& b) { return a && b && *a == *b; };
  for (const auto& l : left) {
    bool matched = false;
    for (std::size_t i = 0; i < right.size(); ++i) {
      const auto& r = right[i];
      if (!equal(l[0], r[0]) || !equal(l[1], r[1]) || (x.keyed && !equal(l[2], r[2]))
          || (x.residual && !(l[3] && r[3] && *l[3] >= *r[3])))
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

// Rows in the order of arrival; windows are [10 k, 10 k + 10), rows up to 25 late.
std::vector<timed_row> random_side(std::mt19937_64& random, std::size_t count, const window_case& x,
                                   bool late) {
  std::vector<timed_row> rows(count);
  micros latest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto now = static_cast<micros>(i / 4);
    const auto time = std::max<micros>(0, now - static_cast<micros>(random() % (late ? 40 : 25)));
    const auto number = [&](std::int64_t range) {
      return random() % 11 == 0
                 ? cell{}
                 : cell{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(range))};
    };
    const auto start = time / 10 * 10;
    rows[i].row = {start, start + 10, number(x.keys), number(30), number(1000)};
    if (random() % 37 == 0)
      rows[i].row[0] = std::nullopt;
    rows[i].watermark = latest;
    latest = std::max(latest, now - 25);
  }
  return rows;
}

void run_case(const window_case& x, std::uint64_t seed, std::size_t batch_size,
              std::uint32_t budget, bool restores, std::size_t count) {
  std::mt19937_64 random(seed);
  const std::array<std::vector<timed_row>, 2> sides{
      random_side(random, count, x, false),
      random_side(random, x.few_right ? count / 20 : count, x, false)};
  const auto make = [&] {
    window_join_spec spec;
    spec.type = x.type;
    spec.left_start = spec.right_start = 0;
    spec.left_end = spec.right_end = 1;
    if (x.keyed)
      spec.left_keys = spec.right_keys = {2};
    if (x.residual)
      spec.residual = at_least(3, 8);
    return make_window_join(spec, {"join", {types, types}, 8});
  };
  driver run(make, seed, budget, restores);
  std::array<std::size_t, 2> at{0, 0};
  while (at[0] < sides[0].size() || at[1] < sides[1].size()) {
    std::uint32_t s = random() % 2 == 0 ? 0 : 1;
    if (at[s] == sides[s].size())
      s = 1 - s;
    const auto size = std::min(sides[s].size() - at[s], batch_size);
    std::vector<cells> rows;
    for (std::size_t i = 0; i < size; ++i)
      rows.push_back(sides[s][at[s] + i].row);
    at[s] += size;
    run.feed(rows_item(s, batch_of(types, rows)));
    if (at[s] < sides[s].size()) {
      run.feed(watermark_item(s, sides[s][at[s]].watermark));
    } else {
      run.feed(watermark_item(s, max_time));
      run.feed(end_item(s));
    }
  }
  std::array<std::vector<cells>, 2> all;
  for (std::size_t s = 0; s < 2; ++s)
    for (const auto& row : sides[s])
      all[s].push_back(row.row);
  const auto expected = expected_rows(x, all[0], all[1]);
  BOOST_TEST_CONTEXT("seed " << seed << " batch " << batch_size << " budget " << budget << " type "
                             << static_cast<int>(x.type) << " keyed " << x.keyed << " residual "
                             << x.residual << " restores " << restores) {
    // No row is behind the watermark that was passed on before it, and ends only rise.
    micros last_end = min_time;
    for (std::size_t i = 0; i < run.out.rows.size(); ++i) {
      const auto& row = run.out.rows[i];
      const auto& own = row[1] && row[0] ? row : cells(row.begin() + 5, row.end());
      if (!own[0] || !own[1])
        continue;
      BOOST_REQUIRE_GT(*own[1], run.out.before[i]);
      BOOST_REQUIRE_GE(*own[1], last_end);
      last_end = *own[1];
    }
    auto rows = run.out.rows;
    std::sort(rows.begin(), rows.end());
    BOOST_REQUIRE_EQUAL(rows.size(), expected.size());
    BOOST_REQUIRE(rows == expected);
    BOOST_TEST(run.counters().late_rows == 0U);
    BOOST_TEST(run.counters().rows_out == expected.size());
    BOOST_TEST(run.out.watermarks.back() == max_time);
    if (x.keyed)
      BOOST_TEST(run.out.largest_batch <= std::max<std::size_t>(budget, batch_size));
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(window_joins)

BOOST_AUTO_TEST_CASE(equals_a_nested_loop) {
  const auto seed = next_seed("window join");
  std::uint64_t number = 0;
  for (const auto type : {join_type::inner, join_type::left, join_type::right, join_type::full})
    for (const bool keyed : {true, false})
      for (const bool residual : {false, true})
        for (const bool few : {false, true}) {
          const window_case x{type, keyed, residual, 5, few};
          for (const std::size_t size : {1, 7, 4096}) {
            run_case(x, seed + number++, size, 4096, false, 300);
            run_case(x, seed + number++, size, 1, true, 120);
            run_case(x, seed + number++, size, 5, true, 200);
          }
        }
}

BOOST_AUTO_TEST_CASE(large_windows) {
  const auto seed = next_seed("large window join");
  // 40,000 rows in a window; keys rarely meet.
  const auto run_large = [&](join_type type, bool keyed) {
    std::mt19937_64 random(seed);
    std::array<std::vector<cells>, 2> sides;
    for (std::size_t i = 0; i < 40'000; ++i)
      sides[0].push_back({0, 10, static_cast<std::int64_t>(random() % 60'000),
                          static_cast<std::int64_t>(random() % 1000), 1});
    const std::size_t right = keyed ? 30'000 : 2;
    for (std::size_t i = 0; i < right; ++i)
      sides[1].push_back({0, 10, static_cast<std::int64_t>(random() % 60'000), 998, 2});
    window_join_spec spec;
    spec.type = type;
    spec.left_start = spec.right_start = 0;
    spec.left_end = spec.right_end = 1;
    if (keyed)
      spec.left_keys = spec.right_keys = {2};
    spec.residual = at_least(3, 8);
    driver run(
        [&] {
          return make_window_join(spec, {"join", {types, types}, 8});
        },
        seed, 4096, false);
    for (std::uint32_t s = 0; s < 2; ++s)
      for (std::size_t i = 0; i < sides[s].size(); i += 3000)
        run.feed(rows_item(s, batch_of(types, {sides[s].begin() + static_cast<std::ptrdiff_t>(i),
                                               sides[s].begin()
                                                   + static_cast<std::ptrdiff_t>(
                                                       std::min(i + 3000, sides[s].size()))})));
    run.feed(watermark_item(0, 10));
    BOOST_TEST(run.out.rows.empty());
    run.feed(watermark_item(1, 11));
    // Count by key with a map.
    std::multimap<std::int64_t, std::int64_t> by_key;
    for (const auto& row : sides[1])
      by_key.emplace(keyed ? *row[2] : 0, *row[3]);
    std::size_t inner = 0;
    std::size_t lonely = 0;
    for (const auto& row : sides[0]) {
      const auto [first, last] = by_key.equal_range(keyed ? *row[2] : 0);
      const auto matches = *row[3] >= 998 ? std::distance(first, last) : 0;
      inner += static_cast<std::size_t>(matches);
      lonely += matches == 0 ? 1 : 0;
    }
    BOOST_TEST(run.out.rows.size() == inner + (type == join_type::left ? lonely : 0));
    BOOST_TEST(run.out.largest_batch <= 4096U);
    BOOST_TEST(inner > 0U);
  };
  run_large(join_type::inner, true);
  run_large(join_type::left, true);
  run_large(join_type::inner, false);
  run_large(join_type::left, false);
}

BOOST_AUTO_TEST_CASE(late_rows_are_decided_row_by_row) {
  // The right input has ended, so lateness depends on the left rows' own watermarks alone.
  const auto seed = next_seed("late window rows");
  const window_case x;
  std::optional<std::vector<cells>> first;
  std::uint64_t late_rows = 0;
  for (const std::size_t size : {1, 7, 4096}) {
    std::mt19937_64 random(seed);
    const auto left = random_side(random, 400, x, true);
    window_join_spec spec;
    spec.type = join_type::left;
    spec.left_start = spec.right_start = 0;
    spec.left_end = spec.right_end = 1;
    spec.left_keys = spec.right_keys = {2};
    driver run(
        [&] {
          return make_window_join(spec, {"join", {types, types}, 8});
        },
        seed, 4096, false);
    run.feed(watermark_item(1, max_time));
    run.feed(end_item(1));
    std::uint64_t expected_late = 0;
    for (std::size_t at = 0; at < left.size(); at += size) {
      std::vector<cells> rows;
      std::vector<micros> watermarks;
      for (auto i = at; i < std::min(at + size, left.size()); ++i) {
        rows.push_back(left[i].row);
        watermarks.push_back(left[i].watermark);
        if (left[i].row[0] && *left[i].row[1] <= left[i].watermark)
          ++expected_late;
      }
      run.feed(rows_item(0, batch_of(types, rows, watermarks)));
      run.feed(watermark_item(0, at + size < left.size() ? left[at + size].watermark : max_time));
    }
    std::sort(run.out.rows.begin(), run.out.rows.end());
    BOOST_TEST(run.counters().late_rows == expected_late);
    BOOST_TEST(expected_late > 0U);
    BOOST_TEST(run.out.rows.size() + expected_late == left.size());
    if (first)
      BOOST_REQUIRE(*first == run.out.rows);
    first = run.out.rows;
    late_rows = expected_late;
  }
  BOOST_TEST(late_rows > 0U);
}

BOOST_AUTO_TEST_CASE(other_channels_and_idle_inputs) {
  window_join_spec spec;
  spec.type = join_type::left;
  spec.left_start = spec.right_start = 0;
  spec.left_end = spec.right_end = 1;
  spec.left_keys = spec.right_keys = {2};
  driver run([&] { return make_window_join(spec, {"join", {types, types}, 8}); }, 1, 4096, false);
  const cells row{0, 10, 1, 1, 1};
  // Behind its own partition, but another channel of the input allows it.
  run.feed(rows_item(0, batch_of(types, {row}, {20}), 5));
  BOOST_TEST(run.counters().late_rows == 0U);
  run.feed(idle_item(1));
  run.feed(watermark_item(0, 12));
  BOOST_TEST(run.out.rows.size() == 1U);
  BOOST_TEST(run.out.watermarks.back() == 12);
  // The other input comes back behind what has been promised: late.
  run.feed(rows_item(1, batch_of(types, {row})));
  BOOST_TEST(run.counters().late_rows == 1U);
  // It is active again and holds the watermark back.
  run.feed(watermark_item(0, 40));
  BOOST_TEST(run.out.watermarks.back() == 12);
  run.feed(watermark_item(1, 30));
  BOOST_TEST(run.out.watermarks.back() == 30);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb::test
