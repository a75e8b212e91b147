#include "tests/dataflow/numbers_support.hpp"

namespace ebb {

using test::call;

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

} // namespace

BOOST_AUTO_TEST_SUITE(math)

// Every expected value below was given by PostgreSQL 15.
BOOST_AUTO_TEST_CASE(rounds) {
  check({
      {"round", {"f8:2.5"}, "2"},
      {"round", {"f8:-1.5"}, "-2"},
      {"trunc", {"f8:-1.7"}, "-1"},
      {"floor", {"f8:-1.2"}, "-2"},
      {"ceil", {"f8:1.2"}, "2"},
      {"ceiling", {"f8:-0.5"}, "-0"},
      {"sign", {"f8:NaN"}, "0"},
      {"sign", {"f8:-3"}, "-1"},
      {"round", {"n:2.5"}, "3"},
      {"round", {"n:-2.5"}, "-3"},
      {"round", {"n:1.5", "i4:3"}, "1.500"},
      {"round", {"n:1.2345", "i4:2"}, "1.23"},
      {"round", {"n:1.235", "i4:2"}, "1.24"},
      {"round", {"n:1250", "i4:-2"}, "1300"},
      {"round", {"n:49", "i4:-2"}, "0"},
      {"round", {"n:NaN", "i4:2"}, "NaN"},
      {"trunc", {"n:-1.999", "i4:2"}, "-1.99"},
      {"trunc", {"n:1999", "i4:-2"}, "1900"},
      {"trunc", {"n:-1.9"}, "-1"},
      {"floor", {"n:-1.01"}, "-2"},
      {"floor", {"n:-1.00"}, "-1"},
      {"ceil", {"n:1.01"}, "2"},
      {"ceil", {"n:-0.5"}, "0"},
      {"floor", {"n:1e-60"}, "0"},
      {"ceil", {"n:1e-60"}, "1"},
      {"floor", {"n:-1e-60"}, "-1"},
      {"ceil", {"n:-Infinity"}, "-Infinity"},
      {"abs", {"n:-1.50"}, "1.50"},
      {"abs", {"n:-Infinity"}, "Infinity"},
      {"sign", {"n:-0.5"}, "-1"},
      {"sign", {"n:NaN"}, "NaN"},
      {"abs", {"i4:-5"}, "5"},
      {"abs", {"i2:-32768"}, "smallint out of range"},
      {"abs", {"f4:-1.5"}, "1.5"},
      {"@", {"i8:-7"}, "7"},
  });
}

BOOST_AUTO_TEST_CASE(roots_and_powers) {
  check({
      {"sqrt", {"f8:2"}, "1.4142135623730951"},
      {"|/", {"f8:25"}, "5"},
      {"sqrt", {"f8:-1"}, "cannot take square root of a negative number"},
      {"sqrt", {"f8:NaN"}, "NaN"},
      {"cbrt", {"f8:-8"}, "-2"},
      {"sqrt", {"n:2"}, "1.414213562373095"},
      {"sqrt", {"n:0"}, "0.000000000000000"},
      {"sqrt", {"n:-0.1"}, "cannot take square root of a negative number"},
      {"sqrt", {"n:1e-20"}, "0.0000000001000000000000000"},
      {"sqrt", {"n:Infinity"}, "Infinity"},
      {"power", {"f8:2", "f8:10"}, "1024"},
      {"power", {"f8:0", "f8:-1"}, "zero raised to a negative power is undefined"},
      {"power",
       {"f8:-8", "f8:0.5"},
       "a negative number raised to a non-integer power yields a complex result"},
      {"^", {"f8:10", "f8:400"}, "value out of range: overflow"},
      {"power", {"f8:10", "f8:-400"}, "value out of range: underflow"},
      {"power", {"f8:NaN", "f8:0"}, "1"},
      {"power", {"f8:1", "f8:NaN"}, "1"},
      {"power", {"f8:-Infinity", "f8:3"}, "-inf"},
      {"power", {"n:2", "n:10"}, "1024.0000000000000000"},
      {"power", {"n:2.5", "n:1.5"}, "3.9528470752104742"},
      {"power", {"n:0.3", "n:-1"}, "3.3333333333333333"},
      {"power", {"n:10.0", "n:-50"}, "0.0000000000000000"},
      {"power", {"n:0", "n:0"}, "1.0000000000000000"},
      {"power", {"n:0", "n:-1"}, "zero raised to a negative power is undefined"},
      {"power",
       {"n:-2", "n:0.5"},
       "a negative number raised to a non-integer power yields a complex result"},
      {"power", {"n:-2", "n:3"}, "-8.0000000000000000"},
      {"power", {"n:10", "n:200000"}, "value overflows numeric format"},
      {"power", {"n:1.5", "n:99999999999"}, "value overflows numeric format"},
      {"power", {"n:-Infinity", "n:3"}, "-Infinity"},
      {"power", {"n:NaN", "n:0"}, "1"},
      {"power", {"n:0.5", "n:-Infinity"}, "Infinity"},
  });
}

BOOST_AUTO_TEST_CASE(logarithms_and_exponentials) {
  check({
      {"ln", {"f8:0"}, "cannot take logarithm of zero"},
      {"log", {"f8:-1"}, "cannot take logarithm of a negative number"},
      {"log10", {"f8:1000"}, "3"},
      {"exp", {"f8:1"}, "2.718281828459045"},
      {"exp", {"f8:1000"}, "value out of range: overflow"},
      {"exp", {"f8:-1000"}, "value out of range: underflow"},
      {"exp", {"f8:-Infinity"}, "0"},
      {"ln", {"n:2"}, "0.6931471805599453"},
      {"ln", {"n:1"}, "0.0000000000000000"},
      {"ln", {"n:0.00"}, "cannot take logarithm of zero"},
      {"ln", {"n:-1"}, "cannot take logarithm of a negative number"},
      {"ln", {"n:Infinity"}, "Infinity"},
      {"exp", {"n:1"}, "2.7182818284590452"},
      {"exp", {"n:0"}, "1.0000000000000000"},
      {"exp", {"n:6000"}, "value overflows numeric format"},
      {"exp", {"n:-Infinity"}, "0"},
      {"log", {"n:100"}, "2.0000000000000000"},
      {"log", {"n:2", "n:8"}, "3.0000000000000000"},
      {"log", {"n:1", "n:8"}, "division by zero"},
      {"log10", {"n:0.001"}, "-3.0000000000000000"},
      {"log10", {"n:26881171418161354484126255515800135873611119"}, "43.429448190325183"},
  });
}

BOOST_AUTO_TEST_CASE(trigonometry) {
  check({
      {"sin", {"f8:0"}, "0"},
      {"cos", {"f8:Infinity"}, "input is out of range"},
      {"asin", {"f8:1.1"}, "input is out of range"},
      {"acosh", {"f8:0.5"}, "input is out of range"},
      {"atan2", {"f8:1", "f8:1"}, "0.7853981633974483"},
      {"degrees", {"f8:3.141592653589793"}, "180"},
      {"radians", {"f8:180"}, "3.141592653589793"},
      {"pi", {}, "3.141592653589793"},
      {"tan", {"f8:NaN"}, "NaN"},
  });
}

BOOST_AUTO_TEST_CASE(whole_number_functions) {
  check({
      {"div", {"n:-7", "n:2"}, "-3"},
      {"div", {"n:7.9", "n:0.5"}, "15"},
      {"div", {"n:7", "n:0"}, "division by zero"},
      {"gcd", {"i4:12", "i4:-18"}, "6"},
      {"gcd", {"i4:-2147483648", "i4:0"}, "integer out of range"},
      {"lcm", {"i8:4", "i8:6"}, "12"},
      {"lcm", {"i4:2147483647", "i4:2"}, "integer out of range"},
      {"lcm", {"i4:0", "i4:-2147483648"}, "0"},
      {"gcd", {"n:12.5", "n:7.50"}, "2.50"},
      {"lcm", {"n:1.5", "n:2"}, "6.0"},
      {"factorial", {"i8:25"}, "15511210043330985984000000"},
      {"factorial", {"i8:-1"}, "factorial of a negative number is undefined"},
      {"scale", {"n:1.50"}, "2"},
      {"scale", {"n:NaN"}, "NULL"},
      {"min_scale", {"n:1.500"}, "1"},
      {"trim_scale", {"n:100.00"}, "100"},
      {"mod", {"n:7.5", "n:-2"}, "1.5"},
  });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
