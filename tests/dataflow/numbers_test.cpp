#include "tests/dataflow/numbers_support.hpp"

namespace ebb {

using test::call;
using test::cast;
using test::column_of;
using test::numbers;
using test::text_at;

namespace {

struct row {
  std::string name;
  std::vector<std::string> values;
  std::string expected;
};

void check(const std::vector<row>& rows) {
  for (const auto& x : rows) {
    std::string shown = x.name;
    for (const auto& value : x.values)
      shown += ' ' + value;
    const auto found = call(x.name, x.values);
    BOOST_CHECK_MESSAGE(found == x.expected, shown << " is " << found << ", not " << x.expected);
  }
}

const std::string i2_min = "i2:-32768";
const std::string i4_min = "i4:-2147483648";
const std::string i8_min = "i8:-9223372036854775808";

} // namespace

BOOST_AUTO_TEST_SUITE(arithmetic)

BOOST_AUTO_TEST_CASE(integers_fail_on_overflow) {
  check({
      {"+", {"i4:1", "i4:2"}, "3"},
      {"+", {"i4:2147483647", "i4:1"}, "integer out of range"},
      {"+", {i4_min, "i4:-1"}, "integer out of range"},
      {"-", {i4_min, "i4:1"}, "integer out of range"},
      {"-", {"i4:0", i4_min}, "integer out of range"},
      {"-", {"i4:-1", i4_min}, "2147483647"},
      {"+", {"i2:32767", "i2:1"}, "smallint out of range"},
      {"+", {"i2:32767", "i4:1"}, "32768"},
      {"+", {"i4:2147483647", "i8:1"}, "2147483648"},
      {"+", {"i8:9223372036854775807", "i2:1"}, "bigint out of range"},
      {"-", {"i8:-9223372036854775807", "i8:2"}, "bigint out of range"},
      {"*", {"i4:65536", "i4:32768"}, "integer out of range"},
      {"*", {"i4:-65536", "i4:32768"}, "-2147483648"},
      {"*", {"i2:256", "i2:128"}, "smallint out of range"},
      {"*", {i8_min, "i8:-1"}, "bigint out of range"},
      {"*", {"i8:4294967296", "i8:2147483648"}, "bigint out of range"},
      {"*", {"i8:4294967296", "i4:-2147483648"}, "-9223372036854775808"},
      {"/", {"i4:7", "i4:-2"}, "-3"},
      {"/", {"i4:7", "i4:0"}, "division by zero"},
      {"/", {i4_min, "i4:-1"}, "integer out of range"},
      {"/", {i2_min, "i2:-1"}, "smallint out of range"},
      {"/", {i2_min, "i4:-1"}, "32768"},
      {"/", {i8_min, "i4:-1"}, "bigint out of range"},
      {"%", {"i4:-7", "i4:3"}, "-1"},
      {"%", {i4_min, "i4:-1"}, "0"},
      {"%", {i8_min, "i8:-1"}, "0"},
      {"%", {"i8:5", "i8:0"}, "division by zero"},
      {"mod", {"i2:7", "i2:-4"}, "3"},
      {"%", {"i4:5", "i8:3"}, "no such function"},
      {"-", {"i4:5"}, "-5"},
      {"-", {i4_min}, "integer out of range"},
      {"-", {i8_min}, "bigint out of range"},
      {"+", {"i2:-5"}, "-5"},
      {"+", {"i4:NULL", "i4:2"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(bits_shift_as_the_processor_does) {
  check({
      {"&", {"i4:12", "i4:10"}, "8"},
      {"|", {"i8:12", "i8:10"}, "14"},
      {"#", {"i2:12", "i2:10"}, "6"},
      {"~", {"i4:0"}, "-1"},
      {"<<", {"i4:1", "i4:31"}, "-2147483648"},
      {"<<", {"i4:1", "i4:33"}, "2"},
      {"<<", {"i8:1", "i4:33"}, "8589934592"},
      {">>", {"i4:-8", "i4:1"}, "-4"},
      {"<<", {"i2:1", "i4:16"}, "0"},
      {">>", {"i2:-1", "i4:-1"}, "-1"},
  });
}

BOOST_AUTO_TEST_CASE(floats_fail_on_overflow_and_underflow) {
  const std::string over = "value out of range: overflow";
  const std::string under = "value out of range: underflow";
  check({
      {"+", {"f8:0.1", "f8:0.2"}, "0.30000000000000004"},
      {"+", {"f8:1.7e308", "f8:1.7e308"}, over},
      {"+", {"f8:Infinity", "f8:-Infinity"}, "NaN"},
      {"+", {"f8:Infinity", "f8:1"}, "inf"},
      {"-", {"f4:3e38", "f4:-3e38"}, over},
      {"+", {"f4:3e38", "f8:0"}, "3.0000000054977558e+38"},
      {"*", {"f8:1e200", "f8:1e200"}, over},
      {"*", {"f8:1e-200", "f8:1e-200"}, under},
      {"*", {"f8:0", "f8:1e-200"}, "0"},
      {"/", {"f8:1", "f8:0"}, "division by zero"},
      {"/", {"f8:Infinity", "f8:0"}, "division by zero"},
      {"/", {"f8:NaN", "f8:0"}, "NaN"},
      {"/", {"f8:0", "f8:-0"}, "division by zero"},
      {"/", {"f8:1", "f8:Infinity"}, "0"},
      {"/", {"f8:1e-300", "f8:1e300"}, under},
      {"/", {"f8:1e300", "f8:1e-300"}, over},
      {"-", {"f8:0"}, "-0"},
      {"-", {"f4:1.5"}, "-1.5"},
  });
}

BOOST_AUTO_TEST_CASE(numerics_keep_postgresqls_scales) {
  const std::string nines(38, '9');
  check({
      {"+", {"n:1.5", "n:2.25"}, "3.75"},
      {"+", {"n:1.50", "n:-1.5"}, "0.00"},
      {"+", {"n:" + nines, "n:" + nines}, "1" + std::string(37, '9') + "8"},
      {"+", {"n:1e37", "n:1e-37"}, "1" + std::string(37, '0') + "." + std::string(36, '0') + "1"},
      {"-", {"n:0.1", "n:1"}, "-0.9"},
      {"-", {"n:inf", "n:inf"}, "NaN"},
      {"-", {"n:1", "n:inf"}, "-Infinity"},
      {"*", {"n:1.20", "n:-0.5"}, "-0.600"},
      {"*", {"n:" + nines, "n:10"}, nines + "0"},
      {"*", {"n:inf", "n:0"}, "NaN"},
      {"*", {"n:-inf", "n:-2"}, "Infinity"},
      {"*", {"n:0.0", "n:0.00"}, "0.000"},
      {"/", {"n:1", "n:3"}, "0.33333333333333333333"},
      {"/", {"n:1.0", "n:80"}, "0.01250000000000000000"},
      {"/", {"n:12345678901234567890", "n:3"}, "4115226300411522630"},
      {"/", {"n:20000", "n:3"}, "6666.6666666666666667"},
      {"/", {"n:1", "n:0.00"}, "division by zero"},
      {"/", {"n:nan", "n:0"}, "NaN"},
      {"%", {"n:-7.5", "n:2"}, "-1.5"},
      {"%", {"n:7", "n:0"}, "division by zero"},
      {"%", {"n:7.00", "n:inf"}, "7.00"},
      {"%", {"n:inf", "n:7"}, "NaN"},
      {"%", {"n:1" + std::string(50, '0'), "n:7"}, "2"},
      {"-", {"n:1.50"}, "-1.50"},
      {"-", {"n:-inf"}, "Infinity"},
      {"-", {"n:nan"}, "NaN"},
      {"*",
       {"n:170141183460469231731687303715884105727", "n:1"},
       "170141183460469231731687303715884105727"},
      {"+",
       {"n:-170141183460469231731687303715884105727", "n:-1"},
       "-170141183460469231731687303715884105728"},
  });
}

BOOST_AUTO_TEST_CASE(a_failure_names_the_first_valid_row) {
  const auto* divide = numbers().find("/", std::vector<sql_type>(2, sql_type{type_kind::integer}));
  std::vector<std::string> tops(20, "10");
  std::vector<std::string> bottoms(20, "2");
  bottoms[3] = "0";
  tops[3] = "NULL";
  bottoms[5] = "NULL";
  auto top = column_of(type_kind::integer, tops);
  auto bottom = column_of(type_kind::integer, bottoms);
  bottom.mutable_data<std::int32_t>()[5] = 0; // a NULL may hide any value
  auto out = test::run(*divide, divide->returns, {top, bottom});
  BOOST_REQUIRE(out);
  BOOST_CHECK_EQUAL(text_at(*out, 3), "NULL");
  BOOST_CHECK_EQUAL(text_at(*out, 6), "5");
  bottom.mutable_data<std::int32_t>()[11] = 0;
  bottom.mutable_data<std::int32_t>()[7] = 0;
  out = test::run(*divide, divide->returns, {top, bottom});
  BOOST_REQUIRE(!out);
  BOOST_CHECK_EQUAL(out.error().message, "division by zero");
  BOOST_CHECK_EQUAL(out.error().row.value(), 7);
  BOOST_CHECK(out.error().code == ec::evaluation);
}

// Constants and columns, of one scale and of mixed ones, take different loops.
BOOST_AUTO_TEST_CASE(all_loops_agree) {
  const std::vector<std::vector<std::string>> sets = {
      {"1.25", "-7.50", "0.00", "123456789.01"},
      {"1", "-2.5", "0.125", "1e15"},
      {"3", "-4", "0", "99999999999999999999999999999999999999"},
      {"NaN", "Infinity", "1.5", "-Infinity"},
      {"1e60", "-1e-60", "2", "0.5"},
  };
  for (const char* name : {"+", "-", "*", "/", "%", "=", "<", ">="})
    for (const auto& left : sets)
      for (const auto& right : sets) {
        const auto* f =
            numbers().find(name, std::vector<sql_type>(2, sql_type{type_kind::numeric}));
        auto a = column_of(type_kind::numeric, left);
        pack_scales(a);
        for (std::uint32_t k = 0; k < 4; ++k) {
          const std::vector<std::string> repeated(4, right[k]);
          auto constant = column_of(type_kind::numeric, {right[k]});
          constant.constant = true;
          constant.rows = 4;
          const auto dense = column_of(type_kind::numeric, repeated);
          for (const bool swapped : {false, true}) {
            const auto args = [&](const column& b) {
              return swapped ? std::vector<column>{b, a} : std::vector<column>{a, b};
            };
            const auto one = test::run(*f, f->returns, args(constant));
            const auto many = test::run(*f, f->returns, args(dense));
            BOOST_REQUIRE_EQUAL(static_cast<bool>(one), static_cast<bool>(many));
            if (!one) {
              BOOST_CHECK(one.error() == many.error());
              continue;
            }
            for (std::uint32_t i = 0; i < 4; ++i) {
              const auto single =
                  call(name, swapped ? std::vector<std::string>{"n:" + right[k], "n:" + left[i]}
                                     : std::vector<std::string>{"n:" + left[i], "n:" + right[k]});
              BOOST_CHECK_EQUAL(text_at(*one, i), single);
              BOOST_CHECK_EQUAL(text_at(*many, i), single);
            }
          }
        }
      }
}

BOOST_AUTO_TEST_CASE(a_product_with_a_constant_has_one_scale) {
  std::vector<std::string> prices;
  for (int i = 0; i < 100; ++i)
    prices.push_back(std::to_string(i * 1000));
  const auto* to_numeric =
      numbers().find_cast(sql_type{type_kind::bigint}, sql_type{type_kind::numeric});
  const auto price =
      test::run(*to_numeric, to_numeric->returns, {column_of(type_kind::bigint, prices)});
  BOOST_REQUIRE(price);
  BOOST_CHECK(!price->scales);
  auto factor = column_of(type_kind::numeric, {"0.908"});
  factor.constant = true;
  factor.rows = 100;
  const auto* times = numbers().find("*", std::vector<sql_type>(2, sql_type{type_kind::numeric}));
  const auto product = test::run(*times, times->returns, {factor, *price});
  BOOST_REQUIRE(product);
  BOOST_CHECK(!product->scales);
  BOOST_CHECK_EQUAL(product->scale, 3);
  BOOST_CHECK_EQUAL(text_at(*product, 99), "89892.000");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(number_casts)

BOOST_AUTO_TEST_CASE(rounds_and_refuses_as_postgresql_does) {
  const std::vector<std::vector<std::string>> cases = {
      {"i4:32767", "i2", "32767"},
      {"i4:32768", "i2", "smallint out of range"},
      {"i8:2147483648", "i4", "integer out of range"},
      {"i8:-32769", "i2", "smallint out of range"},
      {"i2:-5", "i8", "-5"},
      {"f8:0.5", "i4", "0"},
      {"f8:1.5", "i4", "2"},
      {"f8:2.5", "i4", "2"},
      {"f8:-2.5", "i8", "-2"},
      {"f8:2147483647.4", "i4", "2147483647"},
      {"f8:2147483647.5", "i4", "integer out of range"},
      {"f8:NaN", "i8", "bigint out of range"},
      {"f8:9223372036854775807", "i8", "bigint out of range"},
      {"f8:-9223372036854775808", "i8", "-9223372036854775808"},
      {"f4:32767.5", "i2", "smallint out of range"},
      {"f4:Infinity", "i4", "integer out of range"},
      {"f8:1e39", "f4", "value out of range: overflow"},
      {"f8:1e-50", "f4", "value out of range: underflow"},
      {"f8:Infinity", "f4", "inf"},
      {"f4:0.1", "f8", "0.10000000149011612"},
      {"i8:9223372036854775807", "f8", "9223372036854775808"},
      {"n:0.5", "i4", "1"},
      {"n:-2.5", "i4", "-3"},
      {"n:2.4999999999999999999999999999999999999999999", "i4", "2"},
      {"n:2147483647.5", "i4", "integer out of range"},
      {"n:1e50", "i8", "bigint out of range"},
      {"n:nan", "i4", "cannot convert NaN to integer"},
      {"n:nan", "i8", "cannot convert NaN to bigint"},
      {"n:-inf", "i2", "cannot convert infinity to smallint"},
      {"n:1e-400", "i4", "0"},
      {"n:0.1", "f8", "0.1"},
      {"n:0.1", "f4", "0.1"},
      {"n:1e40", "f4", "\"1" + std::string(40, '0') + "\" is out of range for type real"},
      {"n:1e400", "f8",
       "\"1" + std::string(400, '0') + "\" is out of range for type double precision"},
      {"n:1e-400", "f8",
       "\"0." + std::string(399, '0') + "1\" is out of range for type double precision"},
      {"n:1e-310", "f8", "1e-310"},
      {"n:inf", "f8", "inf"},
      {"n:nan", "f4", "NaN"},
      {"f8:0.30000000000000004", "n", "0.3"},
      {"f4:0.1", "n", "0.1"},
      {"f8:-Infinity", "n", "-Infinity"},
      {"i8:-9223372036854775808", "n", "-9223372036854775808"},
      {"i4:5", "b", "t"},
      {"i4:0", "b", "f"},
      {"b:t", "i4", "1"},
      {"i8:5", "b", "no such cast"},
      {"b:t", "n", "no such cast"},
      {"i4:NULL", "n", "NULL"},
  };
  for (const auto& x : cases)
    BOOST_CHECK_MESSAGE(cast(x[0], x[1]) == x[2],
                        x[0] << " to " << x[1] << " is " << cast(x[0], x[1]));
}

BOOST_AUTO_TEST_CASE(applies_precision_and_scale) {
  const std::string overflow = "numeric field overflow";
  BOOST_CHECK_EQUAL(cast("n:1.005", "n", 10, 2), "1.01");
  BOOST_CHECK_EQUAL(cast("n:-1.005", "n", 10, 2), "-1.01");
  BOOST_CHECK_EQUAL(cast("n:99.995", "n", 4, 2), overflow);
  BOOST_CHECK_EQUAL(cast("n:nan", "n", 4, 2), "NaN");
  BOOST_CHECK_EQUAL(cast("n:inf", "n", 4, 2), overflow);
  BOOST_CHECK_EQUAL(cast("i8:100", "n", 4, 2), overflow);
  BOOST_CHECK_EQUAL(cast("i8:99", "n", 4, 2), "99.00");
  BOOST_CHECK_EQUAL(cast("i4:1750", "n", 2, -2), "1800");
  BOOST_CHECK_EQUAL(cast("f8:2.675", "n", 4, 2), "2.68");
  BOOST_CHECK_EQUAL(cast("f8:1e30", "n", 38, 2), "1" + std::string(30, '0') + ".00");
  BOOST_CHECK_EQUAL(cast("f4:12.3456", "n", 3, 1), "12.3");
  BOOST_CHECK_EQUAL(cast("n:1e60", "n", 38, 0), overflow);
}

BOOST_AUTO_TEST_CASE(casts_have_postgresqls_contexts) {
  const auto context = [](type_kind from, type_kind to) {
    const auto* f = numbers().find_cast(sql_type{from}, sql_type{to});
    return f == nullptr ? cast_context::none : f->cast;
  };
  using k = type_kind;
  BOOST_CHECK(context(k::smallint, k::numeric) == cast_context::implicit);
  BOOST_CHECK(context(k::bigint, k::double_precision) == cast_context::implicit);
  BOOST_CHECK(context(k::numeric, k::double_precision) == cast_context::implicit);
  BOOST_CHECK(context(k::double_precision, k::numeric) == cast_context::assignment);
  BOOST_CHECK(context(k::bigint, k::integer) == cast_context::assignment);
  BOOST_CHECK(context(k::numeric, k::bigint) == cast_context::assignment);
  BOOST_CHECK(context(k::integer, k::boolean) == cast_context::explicit_only);
  BOOST_CHECK(context(k::boolean, k::bigint) == cast_context::none);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
