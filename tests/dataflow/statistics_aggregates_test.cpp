// corr, regr_…, and the aggregates with WITHIN GROUP, against what PostgreSQL 15 answers.
#include "actors/dataflow/ordered_set.hpp"
#include "tests/dataflow/aggregate_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>

using ebb::column;
using ebb::sql_type;
using ebb::type_kind;
using ebb::test::answer;
using ebb::test::close_enough;
using ebb::test::make_call;
using ebb::test::text_of;
using ebb::test::type_of;
using ebb::test::values;
using ebb::test::way;

namespace {

struct pair_case {
  std::string aggregate;
  std::string y;
  std::string x;
  std::string expected;
};

const pair_case pair_cases[] = {
#include "regression_cases.inc"
};

struct set_case {
  std::string aggregate;
  std::string direct;
  std::string direct_type; ///< empty = no direct argument
  std::string type;
  std::string values;
  bool descending;
  std::string expected;
};

const set_case set_cases[] = {
#include "ordered_set_cases.inc"
};

std::string repeated(const std::string& text, std::uint32_t count) {
  auto all = text;
  for (std::uint32_t i = 1; i < count; ++i)
    all += '|' + text;
  return all;
}

std::string finished(const ebb::accumulators& a) {
  const std::uint32_t slot[] = {0};
  const auto x = a.finish(slot);
  return x ? text_of(*x, 0) : "ERROR " + x.error().message;
}

ebb::aggregate_call call_of(const set_case& c) {
  std::vector<sql_type> types{type_of(c.type)};
  if (!c.direct_type.empty())
    types.insert(types.begin(), type_of(c.direct_type));
  auto call = make_call(c.aggregate, types);
  call.order_by[0].descending = c.descending;
  return call;
}

std::vector<column> args_of(const set_case& c) {
  std::vector<column> args{values(c.type, c.values)};
  if (!c.direct_type.empty())
    args.insert(args.begin(), values(c.direct_type, repeated(c.direct, args[0].rows)));
  return args;
}

} // namespace

BOOST_AUTO_TEST_SUITE(statistics_aggregates)

BOOST_AUTO_TEST_CASE(statistics_of_pairs_are_postgresql_s) {
  const std::vector<sql_type> types(2, sql_type{type_kind::double_precision});
  for (const auto& c : pair_cases) {
    const auto call = make_call(c.aggregate, types);
    const std::vector<column> args{values("double precision", c.y),
                                   values("double precision", c.x)};
    for (const auto how : {way::once, way::rows, way::after_clear})
      BOOST_TEST(answer(call, args, how) == c.expected, c.aggregate << " of " << c.y << " and "
                                                                    << c.x << " way "
                                                                    << static_cast<int>(how));
    // Parts that are put together round elsewhere, and meet no overflow inside of a part of one.
    if (c.expected.starts_with("ERROR"))
      continue;
    for (const auto how : {way::merged, way::through_state}) {
      const auto got = answer(call, args, how);
      BOOST_TEST(close_enough(got, c.expected), c.aggregate << " of " << c.y << " and " << c.x
                                                            << ": " << got << " is not "
                                                            << c.expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(pairs_are_counted_and_taken_back) {
  const std::vector<sql_type> types(2, sql_type{type_kind::double_precision});
  const std::vector<column> args{values("double precision", "1|null|2|3"),
                                 values("double precision", "1|2|null|4")};
  BOOST_TEST(answer(make_call("regr_count", types), args, way::taken_back) == "2");
  const std::int32_t weights[] = {1, 1, 1, -1};
  const std::uint32_t slots[] = {0, 0, 0, 0};
  auto count = ebb::make_accumulators(make_call("regr_count", types), {});
  count->resize(1);
  BOOST_REQUIRE(bool(count->update(slots, args, nullptr, weights)));
  BOOST_TEST(finished(*count) == "0");
  auto slope = ebb::make_accumulators(make_call("regr_slope", types), {});
  slope->resize(1);
  BOOST_TEST(!slope->invertible());
  const auto refused = slope->update(slots, args, nullptr, weights);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ebb::ec::unsupported));
}

BOOST_AUTO_TEST_CASE(distinct_pairs) {
  auto call =
      make_call("regr_sxy", std::vector<sql_type>(2, sql_type{type_kind::double_precision}));
  call.distinct = true;
  const std::vector<column> args{values("double precision", "1|1|2|1|null|null"),
                                 values("double precision", "3|3|5|3|1|1")};
  for (const auto how : {way::once, way::rows, way::merged, way::through_state, way::after_clear})
    BOOST_TEST(answer(call, args, how) == "1");
}

BOOST_AUTO_TEST_CASE(ordered_sets_are_postgresql_s) {
  for (const auto& c : set_cases)
    for (const auto how : {way::once, way::rows, way::merged, way::through_state, way::after_clear,
                           way::taken_back}) {
      const auto got = answer(call_of(c), args_of(c), how);
      BOOST_TEST(got == c.expected, c.aggregate << '(' << c.direct << ") of " << c.type << ' '
                                                << c.values << (c.descending ? " descending" : "")
                                                << " way " << static_cast<int>(how) << ": " << got
                                                << " is not " << c.expected);
    }
}

BOOST_AUTO_TEST_CASE(values_that_are_equal_keep_how_they_are_written) {
  const set_case c{"mode", "", "", "numeric", "1.0|1.00|2|2.000", false, ""};
  // Which of the equal values is given is not said by PostgreSQL; always the same one here.
  for (const auto how : {way::once, way::rows, way::merged, way::through_state, way::after_clear})
    BOOST_TEST(answer(call_of(c), args_of(c), how) == "1.0");
  auto descending = c;
  descending.descending = true;
  BOOST_TEST(answer(call_of(descending), args_of(c), way::once) == "2.000");
}

BOOST_AUTO_TEST_CASE(deleted_rows_leave_no_trace) {
  std::mt19937 random(5);
  const auto call =
      make_call("percentile_disc", {sql_type{type_kind::double_precision}, type_of("bigint")});
  auto with_deletes = ebb::make_accumulators(call, {});
  with_deletes->resize(1);
  auto plain = ebb::make_accumulators(call, {});
  plain->resize(1);
  std::vector<std::int64_t> kept;
  const auto add = [&](ebb::accumulators& to, std::int64_t value, std::int32_t weight) {
    const std::vector<column> args{values("double precision", "0.25"),
                                   values("bigint", std::to_string(value))};
    const std::uint32_t slot[] = {0};
    BOOST_REQUIRE(bool(to.update(slot, args, nullptr, &weight)));
  };
  for (int i = 0; i < 2'000; ++i) {
    if (!kept.empty() && random() % 3 == 0) {
      const auto at = random() % kept.size();
      add(*with_deletes, kept[at], -1);
      kept[at] = kept.back();
      kept.pop_back();
    } else {
      kept.push_back(static_cast<std::int64_t>(random() % 300));
      add(*with_deletes, kept.back(), 1);
    }
  }
  for (const auto value : kept)
    add(*plain, value, 1);
  std::sort(kept.begin(), kept.end());
  const auto rank =
      static_cast<std::size_t>(std::ceil(0.25 * static_cast<double>(kept.size()))) - 1;
  BOOST_TEST(finished(*with_deletes) == std::to_string(kept[rank]));
  const std::uint32_t slot[] = {0};
  BOOST_TEST(text_of(with_deletes->state(slot)[1], 0) == text_of(plain->state(slot)[1], 0));
  // A deletion that comes first waits for what it deletes.
  with_deletes->clear(0);
  add(*with_deletes, 7, -1);
  add(*with_deletes, 8, 1);
  BOOST_TEST(finished(*with_deletes) == "8");
  add(*with_deletes, 7, 1);
  add(*with_deletes, 8, -1);
  BOOST_TEST(finished(*with_deletes) == "NULL");
}

BOOST_AUTO_TEST_CASE(repeated_values_take_no_room) {
  const auto call = make_call("mode", {type_of("text")});
  auto a = ebb::make_accumulators(call, {});
  a->resize(1);
  const std::vector<std::uint32_t> slots(1'000, 0);
  auto x = values("text", "a text of more than fifteen bytes");
  x.constant = true;
  x.rows = 1'000;
  BOOST_REQUIRE(bool(a->update(slots, {&x, 1}, nullptr, nullptr)));
  const auto once = a->byte_size();
  for (int i = 0; i < 20; ++i)
    BOOST_REQUIRE(bool(a->update(slots, {&x, 1}, nullptr, nullptr)));
  BOOST_TEST(a->byte_size() <= 2 * once);
  BOOST_TEST(a->byte_size() < 32'000U);
  BOOST_TEST(finished(*a) == "a text of more than fifteen bytes");
}

BOOST_AUTO_TEST_CASE(filtered_rows_tell_the_percentile) {
  const auto call =
      make_call("percentile_cont", std::vector<sql_type>(2, type_of("double precision")));
  auto a = ebb::make_accumulators(call, {});
  a->resize(1);
  const std::vector<column> args{values("double precision", "7"), values("double precision", "1")};
  const std::uint32_t slot[] = {0};
  const std::uint8_t none = 0;
  BOOST_REQUIRE(bool(a->update(slot, args, &none, nullptr)));
  BOOST_TEST(finished(*a) == "ERROR percentile value 7 is not between 0 and 1");
}

BOOST_AUTO_TEST_CASE(damaged_states_are_refused) {
  const auto call = make_call("mode", {type_of("text")});
  auto a = ebb::make_accumulators(call, {});
  a->resize(1);
  const std::uint32_t slot[] = {0};
  for (const auto* bytes : {"\\x00", "\\x0100000000000000", "\\x010000000000000001ff"}) {
    const std::vector<column> state{values("bytea", "null"), values("bytea", bytes)};
    const auto done = a->merge_state(slot, state);
    BOOST_REQUIRE_MESSAGE(!done, bytes);
    BOOST_TEST((done.error().code == ebb::ec::corrupt));
  }
}

BOOST_AUTO_TEST_SUITE_END()
