#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/numeric_value.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace ebb {

namespace {

const sql_type plain{type_kind::numeric};

sql_type bounded(std::int16_t precision, std::int16_t scale) {
  return {type_kind::numeric, type_kind::unknown, precision, scale};
}

column column_of(const std::vector<std::string>& texts, sql_type type = plain) {
  auto x = make_numeric_column(type, static_cast<std::uint32_t>(texts.size()));
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    const auto parsed = parse_numeric(texts[i], x, i);
    BOOST_REQUIRE_MESSAGE(parsed, texts[i] << ": " << parsed.error().message);
  }
  return x;
}

std::string text_at(const column& x, std::uint32_t i) {
  std::string out;
  append_numeric(x, i, out);
  return out;
}

// The text after parsing, or the error.
std::string read(const std::string& text, sql_type type = plain) {
  auto x = make_numeric_column(type, 1);
  const auto parsed = parse_numeric(text, x, 0);
  return parsed ? text_at(x, 0) : parsed.error().message;
}

std::string key_of(const column& x, std::uint32_t i) {
  std::string out;
  encode_numeric_key(x, i, out);
  return out;
}

const std::string nines(38, '9');
const std::string huge = "1" + std::string(60, '0') + "7";

} // namespace

BOOST_AUTO_TEST_SUITE(numeric_basics)

BOOST_AUTO_TEST_CASE(reads_and_writes_what_postgresql_does) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"0", "0"},
      {"-0", "0"},
      {"-0.00", "0.00"},
      {"12.50", "12.50"},
      {" +7 ", "7"},
      {".5", "0.5"},
      {"5.", "5"},
      {"-.5e1", "-5"},
      {"1e 5", "100000"},
      {"1.5e+3", "1500"},
      {"1.5E-3", "0.0015"},
      {"0e999999", "0"},
      {"0e-3", "0.000"},
      {"NaN", "NaN"},
      {"nan", "NaN"},
      {"-inf", "-Infinity"},
      {"+Infinity", "Infinity"},
      {" INF ", "Infinity"},
      {"00001.10", "1.10"},
      {nines, nines},
      {"-" + nines + ".5", "-" + nines + ".5"},
      {huge + ".25", huge + ".25"},
      {"170141183460469231731687303715884105727", "170141183460469231731687303715884105727"},
      {"170141183460469231731687303715884105728", "170141183460469231731687303715884105728"},
      {"-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"},
      {"1e-16383", "0." + std::string(16382, '0') + "1"},
      {"1e-16384", "value overflows numeric format"},
      {"1e131072", "value overflows numeric format"},
      {"1e99999999999", "value overflows numeric format"},
      {"+NaN", "invalid input syntax for type numeric: \"+NaN\""},
      {".", "invalid input syntax for type numeric: \".\""},
      {"", "invalid input syntax for type numeric: \"\""},
      {" ", "invalid input syntax for type numeric: \" \""},
      {"1e", "invalid input syntax for type numeric: \"1e\""},
      {"1_000", "invalid input syntax for type numeric: \"1_000\""},
      {"1 2", "invalid input syntax for type numeric: \"1 2\""},
      {"1.2.3", "invalid input syntax for type numeric: \"1.2.3\""},
      {"--1", "invalid input syntax for type numeric: \"--1\""},
      {"infinit", "invalid input syntax for type numeric: \"infinit\""},
  };
  for (const auto& [text, expected] : cases)
    BOOST_CHECK_EQUAL(read(text), expected);
  BOOST_CHECK_EQUAL(read("1e131071"), "1" + std::string(131071, '0'));
}

BOOST_AUTO_TEST_CASE(reads_and_writes_long_numbers) {
  std::mt19937 random(7);
  for (const std::size_t size :
       {40U, 287U, 288U, 289U, 576U, 577U, 1'152U, 1'153U, 5'000U, 100'000U})
    for (const auto* kind : {"random", "nines", "power"}) {
      std::string digits(size, *kind == 'n' ? '9' : '0');
      digits[0] = *kind == 'n' ? '9' : '1';
      if (*kind == 'r')
        for (auto& digit : digits)
          digit = static_cast<char>('1' + random() % 9);
      BOOST_CHECK_MESSAGE(read("-" + digits) == "-" + digits, size << " digits, " << kind);
    }
}

BOOST_AUTO_TEST_CASE(applies_precision_and_scale) {
  const std::string overflow = "numeric field overflow";
  BOOST_CHECK_EQUAL(read("1.005", bounded(10, 2)), "1.01");
  BOOST_CHECK_EQUAL(read("-1.005", bounded(10, 2)), "-1.01");
  BOOST_CHECK_EQUAL(read("1.0049999999999999999999999999999999999999999", bounded(10, 2)), "1.00");
  BOOST_CHECK_EQUAL(read("99.994", bounded(4, 2)), "99.99");
  BOOST_CHECK_EQUAL(read("99.995", bounded(4, 2)), overflow);
  BOOST_CHECK_EQUAL(read("7", bounded(4, 2)), "7.00");
  BOOST_CHECK_EQUAL(read("NaN", bounded(4, 2)), "NaN");
  BOOST_CHECK_EQUAL(read("inf", bounded(4, 2)), overflow);
  BOOST_CHECK_EQUAL(read("12345", bounded(2, -3)), "12000");
  BOOST_CHECK_EQUAL(read("499", bounded(2, -3)), "0");
  BOOST_CHECK_EQUAL(read("99600", bounded(2, -3)), overflow);
  BOOST_CHECK_EQUAL(read("0.00999", bounded(3, 5)), "0.00999");
  BOOST_CHECK_EQUAL(read("0.01", bounded(3, 5)), overflow);
  BOOST_CHECK_EQUAL(read(nines, bounded(38, 0)), nines);
  BOOST_CHECK_EQUAL(read(nines + ".5", bounded(38, 0)), overflow);
  BOOST_CHECK_EQUAL(read(huge, bounded(38, 0)), overflow);
  auto x = make_numeric_column(bounded(4, 2), 1);
  BOOST_CHECK_EQUAL(parse_numeric("100", x, 0).error().hint,
                    "a field with precision 4, scale 2 must round to an absolute value less than "
                    "10^2");
  BOOST_CHECK(!make_numeric_column(bounded(4, 2), 1).scales);
}

BOOST_AUTO_TEST_CASE(orders_values_and_their_keys_alike) {
  // Ascending; equal values stand in one entry.
  const std::vector<std::vector<std::string>> classes = {
      {"-inf"},
      {"-1e100", "-1" + std::string(100, '0') + ".00"},
      {"-" + nines + "0"},
      {"-" + nines},
      {"-1000"},
      {"-101"},
      {"-100.5"},
      {"-100", "-100.0", "-1e2"},
      {"-99.99"},
      {"-1.01"},
      {"-1", "-1.000"},
      {"-0.0100001"},
      {"-0.01", "-0.010000000000000000000000000000000000000000000"},
      {"-1e-400"},
      {"0", "0.0", "-0", "0e-100"},
      {"1e-400", "0.1e-399"},
      {"0.001"},
      {"0.0099"},
      {"0.01"},
      {"0.09"},
      {"0.1"},
      {"0.99"},
      {"1", "1.00", "1.0000000000000000000000000000000000000000000"},
      {"1.0000000000000000000000000000000000000000001"},
      {"9"},
      {"10"},
      {"99"},
      {"100"},
      {"101"},
      {"9223372036854775807"},
      {"9223372036854775808"},
      {nines},
      {nines + ".1"},
      {"1e38", "1e38"},
      {huge},
      {huge + ".0000001"},
      {"inf"},
      {"nan"},
  };
  std::vector<std::string> texts;
  std::vector<std::size_t> rank;
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (const auto& text : classes[c]) {
      texts.push_back(text);
      rank.push_back(c);
    }
  const auto x = column_of(texts);
  for (std::uint32_t i = 0; i < x.rows; ++i)
    for (std::uint32_t k = 0; k < x.rows; ++k) {
      const int expected = rank[i] < rank[k] ? -1 : rank[i] > rank[k] ? 1 : 0;
      BOOST_CHECK_MESSAGE(compare_numeric(x, i, x, k) == expected,
                          texts[i] << " against " << texts[k]);
      const int keys = key_of(x, i).compare(key_of(x, k));
      BOOST_CHECK_MESSAGE((keys < 0   ? -1
                           : keys > 0 ? 1
                                      : 0)
                              == expected,
                          "keys of " << texts[i] << " and " << texts[k]);
    }
}

BOOST_AUTO_TEST_CASE(decodes_its_keys) {
  const auto x = column_of({"0", "1.50", "-1.50", "100", "12345.678900", "-0.001", "7e-200", huge,
                            "-" + huge + ".125", "nan", "inf", "-inf", nines, "10", "0.1"});
  std::string all;
  for (std::uint32_t i = 0; i < x.rows; ++i)
    encode_numeric_key(x, i, all);
  std::string_view rest = all;
  auto decoded = make_numeric_column(plain, x.rows);
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    BOOST_REQUIRE(decode_numeric_key(rest, decoded, i));
    BOOST_CHECK_EQUAL(compare_numeric(decoded, i, x, i), 0);
  }
  BOOST_CHECK(rest.empty());
  BOOST_CHECK_EQUAL(text_at(decoded, 1), "1.5");
  BOOST_CHECK_EQUAL(text_at(decoded, 3), "100");
  // Any shortened key is refused, not read past its end.
  for (std::uint32_t i = 1; i < 9; ++i) {
    const auto key = key_of(x, i);
    for (std::size_t size = 0; size < key.size(); ++size) {
      std::string_view cut(key.data(), size);
      BOOST_CHECK(!decode_numeric_key(cut, decoded, 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(converts_to_the_nearest_double) {
  const auto x = column_of({"0.1", "-123.456", "9007199254740993", "1e22", "1e23", "1e400",
                            "-1e400", "1e-400", "-1e-400", "nan", "-inf", "2.5"});
  const double expected[] = {0.1, -123.456, 9007199254740992.0, 1e22, 1e23, INFINITY, -INFINITY,
                             0,   0};
  for (std::uint32_t i = 0; i < 9; ++i)
    BOOST_CHECK_EQUAL(numeric_to_double(x, i), expected[i]);
  BOOST_CHECK(std::isnan(numeric_to_double(x, 9)));
  BOOST_CHECK_EQUAL(numeric_to_double(x, 10), -INFINITY);
}

BOOST_AUTO_TEST_CASE(reads_floats_with_fifteen_and_six_digits) {
  auto x = make_numeric_column(plain, 1);
  const auto from_double = [&x](double value) {
    set_numeric_from_double(x, 0, value);
    return text_at(x, 0);
  };
  BOOST_CHECK_EQUAL(from_double(0.1), "0.1");
  BOOST_CHECK_EQUAL(from_double(-0.0), "0");
  BOOST_CHECK_EQUAL(from_double(1.0 / 3), "0.333333333333333");
  BOOST_CHECK_EQUAL(from_double(123456789012345678.0), "123456789012346000");
  BOOST_CHECK_EQUAL(from_double(1e20), "100000000000000000000");
  BOOST_CHECK_EQUAL(from_double(-1e60), "-1" + std::string(60, '0'));
  BOOST_CHECK_EQUAL(from_double(1.5e-7), "0.00000015");
  BOOST_CHECK_EQUAL(from_double(5e-324), "0." + std::string(323, '0') + "494065645841247");
  BOOST_CHECK_EQUAL(from_double(NAN), "NaN");
  BOOST_CHECK_EQUAL(from_double(-INFINITY), "-Infinity");
  set_numeric_from_real(x, 0, 1.0F / 3);
  BOOST_CHECK_EQUAL(text_at(x, 0), "0.333333");
  set_numeric_from_real(x, 0, 16777217.0F);
  BOOST_CHECK_EQUAL(text_at(x, 0), "16777200");
}

BOOST_AUTO_TEST_CASE(packs_uniform_scales) {
  auto x = column_of({"1.25", "0.00", "-7.50"});
  set_null(x, 1);
  x.scales.as<std::int16_t>()[1] = 9;
  pack_scales(x);
  BOOST_CHECK(!x.scales);
  BOOST_CHECK_EQUAL(x.scale, 2);
  BOOST_CHECK_EQUAL(text_at(x, 2), "-7.50");
  auto mixed = column_of({"1.25", "1.5"});
  pack_scales(mixed);
  BOOST_CHECK(static_cast<bool>(mixed.scales));
  auto special = column_of({"1", "nan"});
  pack_scales(special);
  BOOST_CHECK_EQUAL(text_at(special, 1), "NaN");
}

BOOST_AUTO_TEST_CASE(keeps_big_values_alive_in_copies) {
  auto copy = make_numeric_column(plain, 2000);
  {
    const auto x = column_of({huge, "-" + huge + ".5"});
    for (std::uint32_t i = 0; i < copy.rows; ++i)
      copy_numeric(copy, i, x, i & 1);
  }
  BOOST_CHECK(copy.heap.size() < 10);
  for (std::uint32_t i = 0; i < copy.rows; ++i)
    BOOST_REQUIRE_EQUAL(text_at(copy, i), (i & 1) == 0 ? huge : "-" + huge + ".5");
}

BOOST_AUTO_TEST_CASE(divides_with_the_scale_of_postgresql) {
  const auto quotient = [](const std::string& a, const std::string& b) {
    const auto x = column_of({a, b});
    auto out = make_numeric_column(plain, 1);
    const auto divided = divide_numeric(out, 0, x, 0, x, 1);
    return divided ? text_at(out, 0) : divided.error().message;
  };
  BOOST_CHECK_EQUAL(quotient("1", "3"), "0.33333333333333333333");
  BOOST_CHECK_EQUAL(quotient("10", "3"), "3.3333333333333333");
  BOOST_CHECK_EQUAL(quotient("-2", "3"), "-0.66666666666666666667");
  BOOST_CHECK_EQUAL(quotient("0", "3"), "0.00000000000000000000");
  BOOST_CHECK_EQUAL(quotient("1e50", "7"), "14285714285714285714285714285714285714285714285714");
  BOOST_CHECK_EQUAL(quotient("1", "0"), "division by zero");
  BOOST_CHECK_EQUAL(quotient("nan", "0"), "NaN");
  BOOST_CHECK_EQUAL(quotient("inf", "-2"), "-Infinity");
  BOOST_CHECK_EQUAL(quotient("inf", "0"), "division by zero");
  BOOST_CHECK_EQUAL(quotient("1", "inf"), "0");
  BOOST_CHECK_EQUAL(quotient("inf", "inf"), "NaN");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
