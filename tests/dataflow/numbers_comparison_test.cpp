#include "tests/dataflow/numbers_support.hpp"

#include <memory>

namespace ebb {

using test::call;
using test::column_of;
using test::numbers;
using test::text_at;

namespace {

// Checks all operators on two values, given their order.
void check_order(const std::string& a, const std::string& b, int order) {
  const auto expect = [&](const char* name, bool holds) {
    const auto found = call(name, {a, b});
    BOOST_CHECK_MESSAGE(found == (holds ? "t" : "f"),
                        a << ' ' << name << ' ' << b << ": " << found);
  };
  expect("=", order == 0);
  expect("<>", order != 0);
  expect("<", order < 0);
  expect("<=", order <= 0);
  expect(">", order > 0);
  expect(">=", order >= 0);
  expect("is distinct from", order != 0);
  expect("is not distinct from", order == 0);
}

void check_ascending(const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t k = 0; k < values.size(); ++k)
      check_order(values[i], values[k], i < k ? -1 : i > k ? 1 : 0);
}

column array_of(type_kind kind, const std::vector<std::vector<std::string>>& rows) {
  column x = make_column(sql_type{kind}.array_of(), static_cast<std::uint32_t>(rows.size()));
  std::vector<std::string> all;
  auto* offsets = x.mutable_data<std::uint32_t>();
  offsets[0] = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    all.insert(all.end(), rows[i].begin(), rows[i].end());
    offsets[i + 1] = static_cast<std::uint32_t>(all.size());
  }
  x.child = std::make_shared<column>(column_of(kind, all));
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(comparison)

BOOST_AUTO_TEST_CASE(orders_numbers) {
  check_ascending({"i2:-32768", "i4:-1", "i2:0", "i8:1", "i4:2147483647", "i8:2147483648"});
  check_ascending(
      {"f8:-Infinity", "f8:-1e300", "f8:-1", "f8:0", "f8:5e-324", "f8:Infinity", "f8:NaN"});
  check_ascending({"f4:-Infinity", "f4:-1", "f8:0", "f4:0.5", "f4:Infinity", "f4:NaN"});
  check_ascending({"n:-Infinity", "n:-1e40", "n:-0.5", "n:0.00", "n:0.001", "n:9.99", "n:1e38",
                   "n:1e60", "n:Infinity", "n:NaN"});
  check_order("f8:0", "f8:-0", 0);
  check_order("f4:NaN", "f8:NaN", 0);
  check_order("f4:0.1", "f8:0.1", 1);
  check_order("n:1.0", "n:1.000", 0);
  check_ascending({"b:f", "b:t"});
}

BOOST_AUTO_TEST_CASE(orders_text_by_bytes) {
  check_ascending({"t:", "t:A", "t:AB", "t:B", "t:a", "t:aa", "t:é", "t:日本"});
  check_ascending(
      {std::string("x:"), std::string("x:\x01"), std::string("x:\x01\x01"), std::string("x:\xff")});
}

BOOST_AUTO_TEST_CASE(orders_times) {
  const std::string infinity = std::to_string(INT64_MAX);
  const std::string minus_infinity = std::to_string(INT64_MIN);
  check_ascending({"ts:" + minus_infinity, "date:-5", "tz:-1", "date:0", "ts:1", "tz:86399999999",
                   "date:1", "date:2145031948", "ts:" + infinity});
  check_order("date:2147483647", "ts:" + infinity, 0);
  check_order("date:-2147483648", "tz:" + minus_infinity, 0);
  check_order("date:2145031948", "ts:9223371331199999999", 1);
  check_ascending({"date:-2147483648", "date:0", "date:2147483647"});
}

BOOST_AUTO_TEST_CASE(compares_intervals_by_their_length) {
  const auto* equal = numbers().find("=", std::vector<sql_type>(2, sql_type{type_kind::interval}));
  BOOST_REQUIRE(equal != nullptr);
  column a = make_column(sql_type{type_kind::interval}, 3);
  column b = make_column(sql_type{type_kind::interval}, 3);
  auto* x = a.mutable_data<interval_value>();
  auto* y = b.mutable_data<interval_value>();
  x[0] = {0, 0, 1};
  y[0] = {0, 30, 0};
  x[1] = {micros_per_day, 0, 0};
  y[1] = {0, 1, 0};
  x[2] = {0, 0, 12};
  y[2] = {0, 365, 0};
  const auto out = test::run(*equal, equal->returns, {a, b});
  BOOST_REQUIRE(out);
  BOOST_CHECK_EQUAL(text_at(*out, 0), "t");
  BOOST_CHECK_EQUAL(text_at(*out, 1), "t");
  BOOST_CHECK_EQUAL(text_at(*out, 2), "f");
}

BOOST_AUTO_TEST_CASE(compares_arrays_element_by_element) {
  const auto x =
      array_of(type_kind::text, {{}, {"a"}, {"a", "b"}, {"a", "c"}, {"a", "NULL"}, {"b"}});
  const std::vector<sql_type> params(2, x.type);
  const auto* less = numbers().find("<", params);
  const auto* equal = numbers().find("=", params);
  BOOST_REQUIRE(less != nullptr && equal != nullptr);
  for (std::uint32_t k = 0; k < x.rows; ++k) {
    column right = slice(x, k, 1);
    right.constant = true;
    right.rows = x.rows;
    const auto below = test::run(*less, less->returns, {x, right});
    const auto same = test::run(*equal, equal->returns, {x, right});
    BOOST_REQUIRE(below && same);
    for (std::uint32_t i = 0; i < x.rows; ++i) {
      BOOST_CHECK_EQUAL(text_at(*below, i), i < k ? "t" : "f");
      BOOST_CHECK_EQUAL(text_at(*same, i), i == k ? "t" : "f");
    }
  }
}

BOOST_AUTO_TEST_CASE(null_is_a_value_only_to_distinct) {
  for (const char* kind : {"i4", "f8", "n", "t", "ts"}) {
    const std::string null = std::string(kind) + ":NULL";
    const std::string one = std::string(kind) + ":1";
    BOOST_CHECK_EQUAL(call("=", {null, one}), "NULL");
    BOOST_CHECK_EQUAL(call("is distinct from", {null, one}), "t");
    BOOST_CHECK_EQUAL(call("is distinct from", {one, null}), "t");
    BOOST_CHECK_EQUAL(call("is distinct from", {null, null}), "f");
    BOOST_CHECK_EQUAL(call("is not distinct from", {null, null}), "t");
    BOOST_CHECK_EQUAL(call("is not distinct from", {null, one}), "f");
    BOOST_CHECK_EQUAL(call("is not distinct from", {one, one}), "t");
  }
}

BOOST_AUTO_TEST_CASE(reads_nothing_from_null_rows) {
  // A NULL may hide any bytes, a dangling reference to a big value too.
  auto x = column_of(type_kind::numeric, {"1", "2", "3"});
  x.scales.as<std::int16_t>()[1] = numeric_tag::big;
  x.mutable_data<text_ref>()[1] = text_ref{reinterpret_cast<const char*>(std::uintptr_t{8}), 99};
  clear_bit(ensure_validity(x), 1);
  const std::vector<sql_type> two(2, sql_type{type_kind::numeric});
  for (const char* name : {"+", "-", "*", "/", "%", "=", "<", "is distinct from", "power", "gcd"}) {
    const auto* f = numbers().find(name, two);
    const auto out = test::run(*f, f->returns, {x, x});
    BOOST_REQUIRE_MESSAGE(out, name);
  }
  for (const char* name : {"-", "abs", "sign", "round", "floor", "ceil", "sqrt", "scale"}) {
    const auto* f = numbers().find(name, std::vector<sql_type>(1, sql_type{type_kind::numeric}));
    BOOST_REQUIRE_MESSAGE(test::run(*f, f->returns, {x}), name);
  }
  for (const auto to : {type_kind::bigint, type_kind::double_precision, type_kind::real}) {
    const auto* f = numbers().find_cast(sql_type{type_kind::numeric}, sql_type{to});
    BOOST_REQUIRE(test::run(*f, f->returns, {x}));
  }
  const sql_type bounded{type_kind::numeric, type_kind::unknown, 10, 2};
  const auto* f = numbers().find_cast(sql_type{type_kind::numeric}, bounded);
  BOOST_REQUIRE(test::run(*f, bounded, {x}));
}

BOOST_AUTO_TEST_CASE(greatest_and_least_ignore_nulls) {
  BOOST_CHECK_EQUAL(call("greatest", {"i4:1", "i4:NULL", "i4:3", "i4:2"}), "3");
  BOOST_CHECK_EQUAL(call("least", {"i4:NULL", "i4:1", "i4:3"}), "1");
  BOOST_CHECK_EQUAL(call("least", {"i8:NULL", "i8:NULL"}), "NULL");
  BOOST_CHECK_EQUAL(call("greatest", {"i8:7"}), "7");
  BOOST_CHECK_EQUAL(call("greatest", {"f8:1", "f8:NaN", "f8:Infinity"}), "NaN");
  BOOST_CHECK_EQUAL(call("greatest", {"n:1.0", "n:1.00", "n:0.5"}), "1.0");
  BOOST_CHECK_EQUAL(call("least", {"n:1e60", "n:NaN"}), "1" + std::string(60, '0'));
  BOOST_CHECK_EQUAL(call("greatest", {"t:a", "t:b", "t:NULL"}), "b");
  const auto* f = numbers().find("greatest", std::vector<sql_type>(2, sql_type{type_kind::text}));
  auto constant = column_of(type_kind::text, {"m"});
  constant.constant = true;
  constant.rows = 3;
  const auto out =
      test::run(*f, f->returns, {column_of(type_kind::text, {"a", "NULL", "z"}), constant});
  BOOST_REQUIRE(out);
  BOOST_CHECK_EQUAL(text_at(*out, 0), "m");
  BOOST_CHECK_EQUAL(text_at(*out, 1), "m");
  BOOST_CHECK_EQUAL(text_at(*out, 2), "z");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
