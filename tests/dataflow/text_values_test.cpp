// Text of values: input, output and casts. The expected results are PostgreSQL 15's.

#include "actors/dataflow/value_text.hpp"
#include "tests/dataflow/text_support.hpp"

#include <boost/test/unit_test.hpp>

#include <bit>
#include <random>
#include <string>

using ebb::test::check;

BOOST_AUTO_TEST_SUITE(text_values)

BOOST_AUTO_TEST_CASE(integers) {
  check({
      {"cast->i", {"t:"}, "error: invalid input syntax for type integer: \"\""},
      {"cast->i", {"t:1"}, "1"},
      {"cast->i", {"t: 12 "}, "12"},
      {"cast->i", {"t:+1"}, "1"},
      {"cast->i", {"t:-1"}, "-1"},
      {"cast->i", {"t:--1"}, "error: invalid input syntax for type integer: \"--1\""},
      {"cast->i", {"t:1 x"}, "error: invalid input syntax for type integer: \"1 x\""},
      {"cast->i", {"t:x"}, "error: invalid input syntax for type integer: \"x\""},
      {"cast->i", {"t:1.5"}, "error: invalid input syntax for type integer: \"1.5\""},
      {"cast->i", {"t:0x10"}, "error: invalid input syntax for type integer: \"0x10\""},
      {"cast->i", {"t:1_000"}, "error: invalid input syntax for type integer: \"1_000\""},
      {"cast->i", {"t:-0"}, "0"},
      {"cast->s", {"t:32767"}, "32767"},
      {"cast->s", {"t:32768"}, "error: value \"32768\" is out of range for type smallint"},
      {"cast->s", {"t:-32768"}, "-32768"},
      {"cast->s", {"t:-32769"}, "error: value \"-32769\" is out of range for type smallint"},
      {"cast->i", {"t:2147483647"}, "2147483647"},
      {"cast->i", {"t:2147483648"}, "error: value \"2147483648\" is out of range for type integer"},
      {"cast->i", {"t:-2147483648"}, "-2147483648"},
      {"cast->i",
       {"t:-2147483649"},
       "error: value \"-2147483649\" is out of range for type integer"},
      {"cast->i",
       {"t:99999999999x"},
       "error: value \"99999999999x\" is out of range for type integer"},
      {"cast->I", {"t:9223372036854775807"}, "9223372036854775807"},
      {"cast->I",
       {"t:9223372036854775808"},
       "error: value \"9223372036854775808\" is out of range for type bigint"},
      {"cast->I", {"t:-9223372036854775808"}, "-9223372036854775808"},
      {"cast->I",
       {"t:-9223372036854775809"},
       "error: value \"-9223372036854775809\" is out of range for type bigint"},
      {"cast->I",
       {"t:99999999999999999999999"},
       "error: value \"99999999999999999999999\" is out of range for type bigint"},
      {"cast->I", {"t:00000000000000000000000012"}, "12"},
      {"cast->I",
       {"t:18446744073709551617"},
       "error: value \"18446744073709551617\" is out of range for type bigint"},
      {"cast->t", {"i:-2147483648"}, "-2147483648"},
      {"cast->t", {"I:-9223372036854775808"}, "-9223372036854775808"},
      {"cast->t", {"s:-32768"}, "-32768"},
  });
}

BOOST_AUTO_TEST_CASE(floating_input) {
  check({
      {"cast->d", {"t:0.1"}, "0.1"},
      {"cast->d", {"t: 1.5 "}, "1.5"},
      {"cast->d", {"t:+1"}, "1"},
      {"cast->d", {"t:.5"}, "0.5"},
      {"cast->d", {"t:5."}, "5"},
      {"cast->d", {"t:."}, "error: invalid input syntax for type double precision: \".\""},
      {"cast->d", {"t:"}, "error: invalid input syntax for type double precision: \"\""},
      {"cast->d", {"t:1e5"}, "100000"},
      {"cast->d", {"t:1e"}, "error: invalid input syntax for type double precision: \"1e\""},
      {"cast->d", {"t:0x10"}, "16"},
      {"cast->d", {"t:0x1p3"}, "8"},
      {"cast->d", {"t:nan"}, "NaN"},
      {"cast->d", {"t:-nan"}, "NaN"},
      {"cast->d", {"t:inf"}, "Infinity"},
      {"cast->d", {"t:+inf"}, "Infinity"},
      {"cast->d", {"t:-Infinity"}, "-Infinity"},
      {"cast->d",
       {"t:infinit"},
       "error: invalid input syntax for type double precision: \"infinit\""},
      {"cast->d", {"t:1e400"}, "error: \"1e400\" is out of range for type double precision"},
      {"cast->d", {"t:-1e400"}, "error: \"-1e400\" is out of range for type double precision"},
      {"cast->d", {"t:1e-400"}, "error: \"1e-400\" is out of range for type double precision"},
      {"cast->d", {"t:1e-320"}, "1e-320"},
      {"cast->d", {"t: 1e400 x"}, "error: \"1e400\" is out of range for type double precision"},
      {"cast->d", {"t:1e5x"}, "error: invalid input syntax for type double precision: \"1e5x\""},
      {"cast->d", {"t:1 2"}, "error: invalid input syntax for type double precision: \"1 2\""},
      {"cast->d", {"t:-0"}, "-0"},
      {"cast->d", {"t:9007199254740993"}, "9.007199254740992e+15"},
      {"cast->f", {"t:3.4028235e38"}, "3.4028235e+38"},
      {"cast->f", {"t:3.4028236e38"}, "error: \"3.4028236e38\" is out of range for type real"},
      {"cast->f", {"t:1e39"}, "error: \"1e39\" is out of range for type real"},
      {"cast->f", {"t: 1e40 x"}, "error: \" 1e40 x\" is out of range for type real"},
      {"cast->f", {"t:1e-50"}, "error: \"1e-50\" is out of range for type real"},
      {"cast->f", {"t:1e-45"}, "1e-45"},
      {"cast->f", {"t:16777217"}, "1.6777216e+07"},
      {"cast->f", {"t:NaN"}, "NaN"},
  });
}

BOOST_AUTO_TEST_CASE(floating_output) {
  check({
      {"cast->t", {"d:0"}, "0"},
      {"cast->t", {"d:-0"}, "-0"},
      {"cast->t", {"d:1"}, "1"},
      {"cast->t", {"d:-1.5"}, "-1.5"},
      {"cast->t", {"d:0.1"}, "0.1"},
      {"cast->t", {"d:1e14"}, "100000000000000"},
      {"cast->t", {"d:123456789012345"}, "123456789012345"},
      {"cast->t", {"d:1e15"}, "1e+15"},
      {"cast->t", {"d:1234567890123456"}, "1.234567890123456e+15"},
      {"cast->t", {"d:1e-4"}, "0.0001"},
      {"cast->t", {"d:1e-5"}, "1e-05"},
      {"cast->t", {"d:1.5e-5"}, "1.5e-05"},
      {"cast->t", {"d:1e20"}, "1e+20"},
      {"cast->t", {"d:1e100"}, "1e+100"},
      {"cast->t", {"d:1.7976931348623157e308"}, "1.7976931348623157e+308"},
      {"cast->t", {"d:5e-324"}, "5e-324"},
      {"cast->t", {"d:2.2250738585072014e-308"}, "2.2250738585072014e-308"},
      {"cast->t", {"d:0.30000000000000004"}, "0.30000000000000004"},
      {"cast->t", {"d:123456.789"}, "123456.789"},
      {"cast->t", {"d:100"}, "100"},
      {"cast->t", {"d:5e22"}, "4.9999999999999996e+22"},
      {"cast->t", {"d:1e23"}, "9.999999999999999e+22"},
      {"cast->t", {"d:7e22"}, "7.0000000000000004e+22"},
      {"cast->t", {"d:12800000000000000000000000"}, "1.2799999999999999e+25"},
      {"cast->t", {"d:6400000000000000000000000"}, "6.399999999999999e+24"},
      {"cast->t", {"d:9007199254740992"}, "9.007199254740992e+15"},
      {"cast->t", {"d:18014398509481984"}, "1.8014398509481984e+16"},
      {"cast->t", {"d:NaN"}, "NaN"},
      {"cast->t", {"d:Infinity"}, "Infinity"},
      {"cast->t", {"d:-Infinity"}, "-Infinity"},
      {"cast->t", {"f:0"}, "0"},
      {"cast->t", {"f:-0"}, "-0"},
      {"cast->t", {"f:0.1"}, "0.1"},
      {"cast->t", {"f:123456"}, "123456"},
      {"cast->t", {"f:1e6"}, "1e+06"},
      {"cast->t", {"f:1234567"}, "1.234567e+06"},
      {"cast->t", {"f:3e10"}, "3.0000001e+10"},
      {"cast->t", {"f:1920000000000"}, "1.9200001e+12"},
      {"cast->t", {"f:3.4028235e38"}, "3.4028235e+38"},
      {"cast->t", {"f:1e-45"}, "1e-45"},
      {"cast->t", {"f:1.1754944e-38"}, "1.1754944e-38"},
      {"cast->t", {"f:16777216"}, "1.6777216e+07"},
      {"cast->t", {"f:0.0001"}, "0.0001"},
      {"cast->t", {"f:0.00001"}, "1e-05"},
      {"cast->t", {"f:NaN"}, "NaN"},
      {"cast->t", {"f:-Infinity"}, "-Infinity"},
  });
}

BOOST_AUTO_TEST_CASE(booleans) {
  check({
      {"cast->b", {"t:t"}, "true"},
      {"cast->b", {"t:TRUE"}, "true"},
      {"cast->b", {"t:tr"}, "true"},
      {"cast->b", {"t:truex"}, "error: invalid input syntax for type boolean: \"truex\""},
      {"cast->b", {"t:yes"}, "true"},
      {"cast->b", {"t:y"}, "true"},
      {"cast->b", {"t:on"}, "true"},
      {"cast->b", {"t:o"}, "error: invalid input syntax for type boolean: \"o\""},
      {"cast->b", {"t:of"}, "false"},
      {"cast->b", {"t:off"}, "false"},
      {"cast->b", {"t:1"}, "true"},
      {"cast->b", {"t:0"}, "false"},
      {"cast->b", {"t:10"}, "error: invalid input syntax for type boolean: \"10\""},
      {"cast->b", {"t: f "}, "false"},
      {"cast->b", {"t:"}, "error: invalid input syntax for type boolean: \"\""},
      {"cast->b", {"t:no"}, "false"},
      {"cast->b", {"t:n"}, "false"},
      {"cast->b", {"t:N O"}, "error: invalid input syntax for type boolean: \"N O\""},
      {"cast->t", {"b:t"}, "true"},
      {"cast->t", {"b:f"}, "false"},
      {"boolout", {"b:t"}, "t"},
      {"boolout", {"b:f"}, "f"},
  });
}

BOOST_AUTO_TEST_CASE(bytes) {
  check({
      {"cast->y", {"t:abc"}, "\\x616263"},
      {"cast->y", {"t:\\x616263"}, "\\x616263"},
      {"cast->y", {"t:\\x61 62"}, "\\x6162"},
      {"cast->y", {"t:\\x6"}, "error: invalid hexadecimal data: odd number of digits"},
      {"cast->y", {"t:\\xzz"}, "error: invalid hexadecimal digit: \"z\""},
      {"cast->y", {"t:\\x"}, "\\x"},
      {"cast->y", {"t:a\\\\b"}, "\\x615c62"},
      {"cast->y", {"t:a\\001b"}, "\\x610162"},
      {"cast->y", {"t:a\\400"}, "error: invalid input syntax for type bytea"},
      {"cast->y", {"t:a\\b"}, "error: invalid input syntax for type bytea"},
      {"cast->y", {"t:"}, "\\x"},
      {"cast->y", {"t:é"}, "\\xc3a9"},
      {"cast->y", {"t:\\X61"}, "error: invalid input syntax for type bytea"},
      {"cast->t", {"y:\\x00ff"}, "\\x00ff"},
      {"cast->t", {"y:\\x"}, "\\x"},
  });
}

BOOST_AUTO_TEST_CASE(array_text) {
  check({
      {"cast->i[]", {"t:{}"}, "{}"},
      {"cast->i[]", {"t:{1,2}"}, "{1,2}"},
      {"cast->i[]", {"t: { 1 , 2 } "}, "{1,2}"},
      {"cast->i[]", {"t:{1,NULL,null}"}, "{1,NULL,NULL}"},
      {"cast->i[]", {"t:{\"1\",\"2\"}"}, "{1,2}"},
      {"cast->i[]", {"t:{1,}"}, "error: malformed array literal: \"{1,}\""},
      {"cast->i[]", {"t:{,1}"}, "error: malformed array literal: \"{,1}\""},
      {"cast->i[]", {"t:{1"}, "error: malformed array literal: \"{1\""},
      {"cast->i[]", {"t:1}"}, "error: malformed array literal: \"1}\""},
      {"cast->i[]", {"t:{1}x"}, "error: malformed array literal: \"{1}x\""},
      {"cast->i[]", {"t:{x}"}, "error: invalid input syntax for type integer: \"x\""},
      {"cast->i[]", {"t:"}, "error: malformed array literal: \"\""},
      {"cast->t[]", {"t:{a b , c}"}, "{\"a b\",c}"},
      {"cast->t[]", {"t:{\"\"}"}, "{\"\"}"},
      {"cast->t[]", {"t:{\"NULL\",NULL,\"null\"}"}, "{\"NULL\",NULL,\"null\"}"},
      {"cast->t[]", {"t:{\\NULL}"}, "{\"NULL\"}"},
      {"cast->t[]", {"t:{a\"b}"}, "error: malformed array literal: \"{a\"b}\""},
      {"cast->t[]", {"t:{\"a\"b}"}, "error: malformed array literal: \"{\"a\"b}\""},
      {"cast->t[]", {"t:{\"a,b\",\"c\\\"d\",\"e\\\\f\"}"}, "{\"a,b\",\"c\\\"d\",\"e\\\\f\"}"},
      {"cast->t[]", {"t:{ a\\ }"}, "{\"a \"}"},
      {"cast->t[]", {"t:{\""}, "error: malformed array literal: \"{\"\""},
      {"cast->t[]", {"t:{\"a"}, "error: malformed array literal: \"{\"a\""},
      {"cast->t[]", {"t:{a\\"}, "error: malformed array literal: \"{a\\\""},
      {"cast->t[]", {"t:{a\nb}"}, "{\"a\nb\"}"},
      {"cast->t[]", {"t:{a{b}"}, "error: malformed array literal: \"{a{b}\""},
      {"cast->t", {"b[]:{t,f,NULL}"}, "{t,f,NULL}"},
      {"cast->t", {"y[]:{\"\\\\x00\"}"}, "{\"\\\\x00\"}"},
      {"cast->t",
       {"t[]:{\"a b\",a,\"\",\"NULL\",\"x\\\"y\",\"a\\\\b\",\"{\",\",\"}"},
       "{\"a b\",a,\"\",\"NULL\",\"x\\\"y\",\"a\\\\b\",\"{\",\",\"}"},
      {"cast->t", {"d[]:{1e20,NaN,-0}"}, "{1e+20,NaN,-0}"},
      {"cast->t", {"T[]:{2013-01-01,infinity}"}, "{\"2013-01-01 00:00:00\",infinity}"},
      {"cast->t", {"n[]:{1.50,NULL}"}, "{1.50,NULL}"},
      {"cast->t", {"i[]:{}"}, "{}"},
  });
}

BOOST_AUTO_TEST_CASE(other_types) {
  check({
      {"cast->n", {"t: 1.50 "}, "1.50"},
      {"cast->n", {"t:1e3"}, "1000"},
      {"cast->n", {"t:x"}, "error: invalid input syntax for type numeric: \"x\""},
      {"cast->D", {"t:2013-01-31"}, "2013-01-31"},
      {"cast->D", {"t:2013-02-30"}, "error: date/time field value out of range: \"2013-02-30\""},
      {"cast->T", {"t:2013-01-01T05:00:00.5"}, "2013-01-01 05:00:00.5"},
      {"cast->Z", {"t:2013-01-01 05:00:00+02"}, "2013-01-01 03:00:00+00"},
      {"cast->V", {"t:1 day 02:03"}, "1 day 02:03:00"},
      {"cast->V", {"t:x"}, "error: invalid input syntax for type interval: \"x\""},
      {"cast->t", {"n:1.50"}, "1.50"},
      {"cast->t", {"D:2013-01-31"}, "2013-01-31"},
      {"cast->t", {"T:2013-01-01 05:00:00.5"}, "2013-01-01 05:00:00.5"},
      {"cast->t", {"Z:2013-01-01 05:00:00+02"}, "2013-01-01 03:00:00+00"},
      {"cast->t", {"V:1 year -2 mons 03:00"}, "10 mons 03:00:00"},
  });
}

/// VARCHAR(n): an explicit cast cuts, an assignment only cuts spaces.
BOOST_AUTO_TEST_CASE(lengths_of_varchar) {
  check({
      {"cast->t(3)", {"t:abcdef"}, "abc"},
      {"cast->t(3)", {"t:éüßx"}, "éüß"},
      {"cast->t(3)", {"t:ab"}, "ab"},
      {"cast->t(2)", {"i:12345"}, "12"},
      {"cast->t(3)", {"b:f"}, "fal"},
      {"cast->t(1)", {"i[]:{1,2}"}, "{"},
      {"fit->t(3)", {"t:abc"}, "abc"},
      {"fit->t(3)", {"t:abc  "}, "abc"},
      {"fit->t(3)", {"t:éüß"}, "éüß"},
      {"fit->t(3)", {"t:abcd"}, "error: value too long for type character varying(3)"},
      {"fit->t(3)", {"t:abc x"}, "error: value too long for type character varying(3)"},
  });
}

BOOST_AUTO_TEST_CASE(literals) {
  const auto text = [](std::string_view input, const ebb::sql_type& type) {
    const auto value = ebb::parse_literal(input, type);
    if (!value)
      return "error: " + value.error().message;
    BOOST_TEST(value->constant);
    BOOST_TEST(value->rows == 1U);
    std::string out;
    ebb::append_value_text(*value, 0, out);
    return out;
  };
  using ebb::sql_type;
  using ebb::type_kind;
  BOOST_TEST(text("abcdef", {type_kind::text, {}, 0, 0, 3}) == "abc");
  BOOST_TEST(text("1.005", {type_kind::numeric, {}, 5, 2}) == "1.01");
  BOOST_TEST(text("x", {type_kind::bigint})
             == "error: invalid input syntax for type bigint: \"x\"");
  BOOST_TEST(text("{1,2}", {type_kind::array, type_kind::smallint}) == "{1,2}");
  BOOST_TEST(text("{{1}}", {type_kind::array, type_kind::integer})
             == "error: multidimensional arrays are not supported");
  BOOST_TEST(text("[0:1]={1,2}", {type_kind::array, type_kind::integer})
             == "error: arrays with lower bounds are not supported");
}

/// What is written reads back equal, for random bits.
BOOST_AUTO_TEST_CASE(doubles_read_back) {
  std::mt19937_64 random(20130101);
  std::size_t wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random();
    const auto x = std::bit_cast<double>(bits);
    const auto y = std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 32));
    std::string text;
    ebb::append_double(x, text);
    double back = 0;
    wrong += !ebb::parse_double(text, back) || (back != x && x == x);
    text.clear();
    ebb::append_real(y, text);
    auto column = ebb::make_column({ebb::type_kind::real}, 1);
    wrong += !ebb::parse_value_text(text, column, 0) || (column.data<float>()[0] != y && y == y);
  }
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
