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

struct golden_case {
  std::string aggregate;
  std::string type;
  std::string values;
  std::string expected;
};

const golden_case golden_cases[] = {
#include "aggregate_cases.inc"
};

} // namespace

BOOST_AUTO_TEST_SUITE(aggregates)

BOOST_AUTO_TEST_CASE(answers_are_postgresql_s) {
  for (const auto& c : golden_cases) {
    const bool distinct = c.aggregate.starts_with("distinct ");
    const auto name = distinct ? c.aggregate.substr(9) : c.aggregate;
    auto call = make_call(name, {type_of(c.type)});
    call.distinct = distinct;
    // avg(double) does not keep the squares whose overflow PostgreSQL reports; -0 and cancelling
    // sums depend on the order of a merge.
    const bool floating = c.type == "real" || c.type == "double precision";
    const auto x = values(c.type, c.values);
    for (const auto how :
         {way::once, way::rows, way::merged, way::through_state, way::after_clear}) {
      const auto got = answer(call, {x}, how);
      const bool reordered = floating && (how == way::merged || how == way::through_state);
      BOOST_TEST((reordered ? close_enough(got, c.expected) : got == c.expected),
                 c.aggregate << '(' << c.type << ") of " << c.values << " way "
                             << static_cast<int>(how) << ": " << got << " is not " << c.expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(count_star_counts_every_row) {
  auto call = make_call("count", {});
  const auto x = values("bigint", "1|null|3");
  BOOST_TEST(answer(call, {}, way::once) == "3");
}

BOOST_AUTO_TEST_CASE(string_agg_joins_in_order) {
  auto call = make_call("string_agg", {sql_type{type_kind::text}, sql_type{type_kind::text}});
  for (const auto how : {way::once, way::rows, way::merged, way::through_state, way::after_clear}) {
    BOOST_TEST(answer(call, {values("text", "a|null|b||c"), values("text", "1|2|3|null|55")}, how)
               == "a3b55c");
    BOOST_TEST(answer(call, {values("text", "null|null"), values("text", ",|,")}, how) == "NULL");
    BOOST_TEST(answer(call, {values("text", "|"), values("text", ",,|;")}, how) == ";");
  }
}

BOOST_AUTO_TEST_CASE(order_by_inside_sorts_the_rows) {
  auto call = make_call("string_agg", {sql_type{type_kind::text}, sql_type{type_kind::text}});
  const auto x = values("text", "a|b|c|d|e");
  const auto comma = values("text", ",|,|,|,|,");
  const auto keys = values("bigint", "3|null|1|3|2");
  for (const auto how : {way::once, way::rows, way::merged, way::through_state, way::after_clear}) {
    call.order_by = {{2, false, false}};
    BOOST_TEST(answer(call, {x, comma, keys}, how) == "c,e,a,d,b");
    call.order_by = {{2, true, true}};
    BOOST_TEST(answer(call, {x, comma, keys}, how) == "b,a,d,e,c");
    call.order_by = {{2, false, true}, {0, true, true}};
    BOOST_TEST(answer(call, {x, comma, keys, x}, how) == "b,c,e,d,a");
  }
}

BOOST_AUTO_TEST_CASE(distinct_with_order_by) {
  auto call = make_call("string_agg", {sql_type{type_kind::text}, sql_type{type_kind::text}});
  call.distinct = true;
  const auto x = values("text", "b|a|b|c|null|a");
  const auto comma = values("text", ",|,|,|,|,|,");
  for (const auto how : {way::once, way::rows, way::merged, way::through_state, way::after_clear}) {
    call.order_by = {};
    BOOST_TEST(answer(call, {x, comma}, how) == "a,b,c");
    call.order_by = {{0, true, true}};
    BOOST_TEST(answer(call, {x, comma, x}, how) == "c,b,a");
  }
}

BOOST_AUTO_TEST_CASE(filters_weights_and_constants) {
  const auto x = values("bigint", "1|2|3|null");
  const std::uint8_t included = 0b1101;
  const std::int32_t weights[] = {1, 1, -1, 1};
  const std::uint32_t slots[] = {0, 0, 0, 0};
  const std::uint32_t zero[] = {0};
  const auto finish = [&](ebb::accumulators& a) {
    auto y = a.finish(zero);
    BOOST_REQUIRE(bool(y));
    return text_of(*y, 0);
  };
  for (const auto& [name, filtered, weighted, constant] : std::vector<std::array<std::string, 4>>{
           {"sum", "4", "0", "28"},
           {"count", "2", "1", "4"},
           {"avg", "2.0000000000000000", "0E-20", "7.0000000000000000"},
           {"max", "3", "", "7"},
           {"array_agg", "{1,3,NULL}", "", "{7,7,7,7}"}}) {
    BOOST_TEST_CONTEXT(name) {
      const auto call = make_call(name, {x.type});
      auto a = ebb::make_accumulators(call, {});
      a->resize(1);
      BOOST_REQUIRE(bool(a->update(slots, {&x, 1}, &included, nullptr)));
      BOOST_TEST(finish(*a) == filtered);
      a->clear(0);
      const auto done = a->update(slots, {&x, 1}, nullptr, weights);
      if (weighted.empty()) {
        BOOST_REQUIRE(!done);
        BOOST_TEST((done.error().code == ebb::ec::unsupported));
      } else if (name != "avg") {
        BOOST_REQUIRE(bool(done));
        BOOST_TEST(finish(*a) == weighted);
      }
      a->clear(0);
      auto seven = values("bigint", "7");
      seven.constant = true;
      seven.rows = 4;
      BOOST_REQUIRE(bool(a->update(slots, {&seven, 1}, nullptr, nullptr)));
      BOOST_TEST(finish(*a) == constant);
    }
  }
}

BOOST_AUTO_TEST_CASE(random_groups_agree_with_one_group_at_a_time) {
  for (const auto seed : {11U, 12U}) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      for (const auto& name : ebb::aggregate_names()) {
        for (const auto& f : ebb::find_aggregates(name)) {
          if (f.params.size() != 1 || f.params[0].kind != type_kind::bigint)
            continue;
          const auto call = make_call(name, f.params);
          std::vector<std::string> groups(5);
          std::string all;
          std::vector<std::uint32_t> slots;
          for (int i = 0; i < 200; ++i) {
            const auto slot = static_cast<std::uint32_t>(random() % 5);
            const auto value =
                random() % 8 == 0 ? std::string("null") : std::to_string(random() % 50);
            slots.push_back(slot);
            all += (all.empty() ? "" : "|") + value;
            groups[slot] += (groups[slot].empty() ? "" : "|") + value;
          }
          auto a = ebb::make_accumulators(call, {});
          a->resize(5);
          const auto x = values("bigint", all);
          BOOST_REQUIRE(bool(a->update(slots, {&x, 1}, nullptr, nullptr)));
          const std::uint32_t order[] = {0, 1, 2, 3, 4};
          const auto got = a->finish(order);
          BOOST_REQUIRE(bool(got));
          for (std::uint32_t g = 0; g < 5; ++g)
            BOOST_TEST(text_of(*got, g) == answer(call, {values("bigint", groups[g])}, way::once),
                       name);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(integer_sums_overflow_as_in_postgresql) {
  const auto call = make_call("sum", {sql_type{type_kind::integer}});
  auto a = ebb::make_accumulators(call, {});
  a->resize(1);
  column state = values("bigint", "9223372036854775807|1");
  column counts = values("bigint", "1|1");
  const std::vector<column> both{state, counts};
  const std::uint32_t slots[] = {0, 0};
  const auto done = a->merge_state(slots, both);
  BOOST_REQUIRE(!done);
  BOOST_TEST(done.error().message == "bigint out of range");
}

BOOST_AUTO_TEST_CASE(names_are_sorted_and_known) {
  const auto names = ebb::aggregate_names();
  BOOST_TEST(std::is_sorted(names.begin(), names.end()));
  BOOST_TEST(std::count(names.begin(), names.end(), "stddev_pop") == 1);
  BOOST_TEST(ebb::find_aggregates("no_such").empty());
}

BOOST_AUTO_TEST_SUITE_END()
