// Inner joins of two append-only inputs, against a nested loop.

#include "actors/dataflow/operators/stream_join.hpp"
#include "tests/dataflow/joins_support.hpp"

#include <algorithm>

namespace ebb::test {

namespace {

struct stream_case {
  std::vector<sql_type> left;
  std::vector<sql_type> right;
  std::vector<std::uint32_t> left_keys;
  std::vector<std::uint32_t> right_keys;
  bool residual = false; ///< left column 1 >= right column 1
};

std::vector<cells> nested_loop(const stream_case& x, const std::vector<cells>& left,
                               const std::vector<cells>& right) {
  std::vector<cells> result;
  for (const auto& l : left)
    for (const auto& r : right) {
      bool matches = true;
      for (std::size_t k = 0; k < x.left_keys.size(); ++k) {
        const auto& a = l[x.left_keys[k]];
        const auto& b = r[x.right_keys[k]];
        matches &= a && b && *a == *b;
      }
      if (x.residual)
        matches &= l[1] && r[1] && *l[1] >= *r[1];
      if (!matches)
        continue;
      auto joined = l;
      joined.insert(joined.end(), r.begin(), r.end());
      result.push_back(std::move(joined));
    }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<cells> random_rows(std::mt19937_64& random, std::size_t count, std::size_t width,
                               std::int64_t keys) {
  std::vector<cells> rows(count);
  for (auto& row : rows)
    for (std::size_t k = 0; k < width; ++k) {
      const auto range = static_cast<std::uint64_t>(k == 0 ? keys : 50);
      row.push_back(random() % 13 == 0 ? cell{}
                                       : cell{static_cast<std::int64_t>(random() % range) - 3});
    }
  return rows;
}

void run_case(const stream_case& x, std::uint64_t seed, std::size_t batch_size,
              std::uint32_t budget, bool restores, std::size_t rows, std::int64_t keys) {
  std::mt19937_64 random(seed);
  const auto left = random_rows(random, rows, x.left.size(), keys);
  const auto right = random_rows(random, rows / 2 + 1, x.right.size(), keys);
  const auto make = [&] {
    stream_join_spec spec;
    spec.left_keys = x.left_keys;
    spec.right_keys = x.right_keys;
    if (x.residual)
      spec.residual = at_least(1, static_cast<std::uint32_t>(x.left.size()) + 1);
    return make_stream_join(spec, {"join", {x.left, x.right}, 8});
  };
  driver run(make, seed, budget, restores);
  std::size_t l = 0;
  std::size_t r = 0;
  while (l < left.size() || r < right.size()) {
    const bool from_left = r == right.size() || (l < left.size() && random() % 2 == 0);
    const auto& side = from_left ? left : right;
    auto& at = from_left ? l : r;
    const auto count = std::min(side.size() - at, batch_size);
    const std::vector<cells> piece(side.begin() + static_cast<std::ptrdiff_t>(at),
                                   side.begin() + static_cast<std::ptrdiff_t>(at + count));
    at += count;
    run.feed(rows_item(from_left ? 0 : 1, batch_of(from_left ? x.left : x.right, piece)));
  }
  std::sort(run.out.rows.begin(), run.out.rows.end());
  const auto expected = nested_loop(x, left, right);
  BOOST_TEST_CONTEXT("seed " << seed << " batch " << batch_size << " budget " << budget) {
    BOOST_REQUIRE_EQUAL(run.out.rows.size(), expected.size());
    BOOST_REQUIRE(run.out.rows == expected);
    BOOST_REQUIRE_LE(run.out.largest_batch, std::min<std::size_t>(budget, 4096));
    BOOST_TEST(run.counters().rows_out == expected.size());
    BOOST_TEST(run.counters().rows_in == left.size() + right.size());
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(stream_joins)

BOOST_AUTO_TEST_CASE(equals_a_nested_loop) {
  const std::vector<stream_case> cases{
      {{bigint_type, bigint_type}, {bigint_type, bigint_type}, {0}, {0}, false},
      {{bigint_type, bigint_type}, {bigint_type, bigint_type}, {0}, {0}, true},
      {{bigint_type, text_type}, {bigint_type, array_type, text_type}, {0}, {0}, false},
      {{text_type, bigint_type}, {text_type, bigint_type}, {0}, {0}, true},
      {{numeric_type, bigint_type, text_type}, {numeric_type, bigint_type}, {0}, {0}, true},
      {{bigint_type, numeric_type, double_type},
       {bigint_type, numeric_type},
       {0, 1},
       {0, 1},
       false},
      {{array_type, text_type}, {array_type, bigint_type}, {0}, {0}, false},
  };
  const auto seed = next_seed("stream join");
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (const std::size_t size : {1, 7, 4096}) {
      run_case(cases[i], seed + i, size, 4096, false, 300, 20);
      run_case(cases[i], seed + i, size, 3, false, 200, 20);
      run_case(cases[i], seed + i, size, 1, true, 60, 10);
      run_case(cases[i], seed + i, size, 16, true, 200, 10);
    }
}

BOOST_AUTO_TEST_CASE(large_batches_are_adopted_and_many_chunks_work) {
  const stream_case texts{{bigint_type, text_type}, {bigint_type, text_type}, {0}, {0}, false};
  const auto seed = next_seed("large stream join");
  run_case(texts, seed, 2500, 4096, false, 30'000, 30'000);
  run_case(texts, seed, 300, 4096, false, 20'000, 20'000);
}

BOOST_AUTO_TEST_CASE(passes_the_merged_watermark) {
  const stream_case x{{bigint_type}, {bigint_type}, {0}, {0}, false};
  driver run(
      [&] {
        return make_stream_join({{0}, {0}, nullptr}, {"join", {x.left, x.right}, 8});
      },
      1, 4096, false);
  run.feed(watermark_item(0, 10));
  BOOST_TEST(run.out.watermarks.empty());
  run.feed(watermark_item(1, 7));
  BOOST_TEST(run.out.watermarks.back() == 7);
  run.feed(idle_item(1));
  BOOST_TEST(run.out.watermarks.back() == 10);
  BOOST_TEST(run.out.idles == 0U);
  run.feed(idle_item(0));
  BOOST_TEST(run.out.idles == 1U);
  run.feed(watermark_item(0, max_time));
  run.feed(end_item(0));
  run.feed(watermark_item(1, 20));
  BOOST_TEST(run.out.watermarks.back() == 20);
  run.feed(watermark_item(1, max_time));
  run.feed(end_item(1));
  BOOST_TEST(run.out.watermarks.back() == max_time);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb::test
