#include "actors/connectors/json_reader.hpp"
#include "tests/connectors/files_support.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <simdjson.h>

namespace ebb {
namespace {

using test::column_of;
using test::parsed;
using lines = std::vector<std::string>;

parse_options options_of(schema columns) {
  parse_options x;
  x.source = "bids";
  x.file = "bids.json";
  x.columns = std::move(columns);
  return x;
}

const schema ab = {column_of("a", type_kind::bigint), column_of("b", type_kind::text)};

// Reads `text` in one piece, byte by byte, and cut at random: all must give the same.
parsed read(std::string_view text, const parse_options& options) {
  json_reader whole(options);
  const auto expected = test::run_parser(whole, text, [] { return std::size_t{1} << 20; });
  json_reader bytes(options);
  const auto one = test::run_parser(bytes, text, [] { return std::size_t{1}; });
  BOOST_TEST(one.error == expected.error);
  BOOST_TEST((one == expected));
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    json_reader pieces(options);
    const auto cut = test::run_parser(
        pieces, text, [&] { return 1 + random() % (2 + text.size() / 3); }, 1 + seed % 5);
    BOOST_TEST((cut == expected), "cut with seed " << seed << ": " << cut.error);
  }
  return expected;
}

void check_rows(const parsed& x, const lines& expected) {
  BOOST_TEST(x.error == "");
  BOOST_TEST(x.rows == expected, boost::test_tools::per_element());
}

// The row that one value of a field `v` makes, or the error's first line.
std::string value_of(const sql_type& type, const std::string& json,
                     timestamp_unit unit = timestamp_unit::ms) {
  auto o = options_of({field{"v", type, false}});
  o.unit = unit;
  const auto x = read("{\"v\":" + json + "}\n", o);
  if (!x.error.empty())
    return x.error.substr(0, x.error.find('\n'));
  return x.rows.size() == 1 ? x.rows[0] : std::to_string(x.rows.size()) + " rows";
}

std::string value_of(type_kind kind, const std::string& json) {
  return value_of(sql_type{kind}, json);
}

std::string error_of(const std::string& text) {
  const auto all = read(text, options_of(ab)).error;
  return all.substr(0, all.find('\n'));
}

} // namespace

BOOST_AUTO_TEST_SUITE(json)

BOOST_AUTO_TEST_CASE(reads_lines_of_objects) {
  const auto o = options_of(ab);
  check_rows(read("{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n", o), {"1|'x'", "2|'y'"});
  check_rows(read("{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}", o), {"1|'x'", "2|'y'"});
  check_rows(read("{\"a\":1,\"b\":\"x\"}\r\n{\"a\":2,\"b\":\"y\"}\r\n", o), {"1|'x'", "2|'y'"});
  check_rows(read(" { \"a\" : 1 ,\t\"b\" : \"x\" } \n", o), {"1|'x'"});
  check_rows(read("\n\r\n  \n{\"a\":1,\"b\":\"x\"}\n\n", o), {"1|'x'"});
  check_rows(read("{\"b\":\"x\",\"a\":1}\n{\"a\":2,\"b\":\"y\"}\n{\"b\":\"z\",\"a\":3}\n", o),
             {"1|'x'", "2|'y'", "3|'z'"});
  check_rows(read("\xEF\xBB\xBF{\"a\":1,\"b\":\"x\"}\n", o), {"1|'x'"});
  check_rows(read("", o), {});
  check_rows(read("\n", o), {});
}

BOOST_AUTO_TEST_CASE(takes_a_missing_field_for_null) {
  const auto o = options_of(ab);
  check_rows(read("{}\n{\"a\":1}\n{\"b\":\"x\"}\n{\"a\":null,\"b\":null}\n{ }\n", o),
             {"NULL|NULL", "1|NULL", "NULL|'x'", "NULL|NULL", "NULL|NULL"});
  auto strict = ab;
  strict[0].not_null = true;
  BOOST_TEST(read("{\"b\":\"x\"}\n", options_of(strict))
                 .error.find("bids.json:1: a: null value in column \"a\" violates not-null")
             == 0);
  BOOST_TEST(read("{\"a\":null}\n", options_of(strict))
                 .error.find("bids.json:1: a: null value in column \"a\" violates not-null")
             == 0);
}

BOOST_AUTO_TEST_CASE(ignores_what_the_schema_does_not_name) {
  const auto o = options_of(ab);
  check_rows(read("{\"x\":{\"a\":9,\"y\":[1,{\"b\":2},[]]},\"a\":1,\"z\":\"}\",\"b\":\"x\","
                  "\"n\":null,\"t\":true,\"f\":false,\"d\":-1.5e+10}\n"
                  "{\"z\":1e999,\"a\":2,\"b\":\"y\",\"q\":123456789012345678901234567890}\n",
                  o),
             {"1|'x'", "2|'y'"});
}

BOOST_AUTO_TEST_CASE(matches_names_exactly_then_ignoring_case) {
  const auto o = options_of(ab);
  check_rows(read("{\"A\":1,\"B\":\"x\"}\n{\"A\":2,\"b\":\"y\"}\n", o), {"1|'x'", "2|'y'"});
  check_rows(read("{\"A\":9,\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"A\":9,\"b\":\"y\"}\n"
                  "{\"A\":\"no number\",\"a\":3}\n{\"a\":4,\"A\":null}\n{\"A\":null,\"a\":5}\n",
                  o),
             {"1|'x'", "2|'y'", "3|NULL", "4|NULL", "5|NULL"});
  check_rows(read("{\"\\u0061\":1,\"b\":\"x\"}\n", o), {"1|'x'"});
  BOOST_TEST(error_of("{\"a\":1,\"a\":2}\n") == "bids.json:1: a: the record has the field twice");
  BOOST_TEST(error_of("{\"b\":\"x\"}\n{\"B\":\"x\",\"b\":\"y\",\"b\":\"z\"}\n")
             == "bids.json:2: b: the record has the field twice");
  const auto umlaut = options_of({column_of("größe", type_kind::bigint)});
  check_rows(read("{\"größe\":1}\n{\"größe\":2,\"x\":\"é\"}\n", umlaut), {"1", "2"});
  const auto wide = options_of({column_of("ab", type_kind::bigint)});
  const auto twice = read("{\"AB\":1,\"Ab\":2}\n", wide);
  BOOST_TEST(twice.error.find("bids.json:1: ab: the record has two fields that can be meant: "
                              "\"AB\" and \"Ab\"")
             == 0);
  check_rows(read("{\"AB\":1,\"Ab\":2,\"ab\":3}\n", wide), {"3"});
  const auto both =
      options_of({column_of("a", type_kind::bigint), column_of("A", type_kind::bigint)});
  check_rows(read("{\"A\":1,\"a\":2}\n{\"a\":3,\"A\":4}\n", both), {"2|1", "3|4"});
}

BOOST_AUTO_TEST_CASE(remembers_names_without_bounds_of_length_or_number) {
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += "{\"field_" + std::to_string(i) + "\":" + std::to_string(i)
            + ",\"a\":" + std::to_string(i) + ",\""
            + std::string(static_cast<std::size_t>(i % 40), 'n') + "\":[]}\n";
  json_reader reader(options_of(ab));
  const auto x = test::run_parser(reader, text, [] { return std::size_t{100'000}; });
  BOOST_TEST(x.error == "");
  BOOST_TEST(x.rows.size() == 2000U);
  BOOST_TEST(x.rows.back() == "1999|NULL");
}

BOOST_AUTO_TEST_CASE(reads_strings) {
  const auto text = [](const std::string& json) { return value_of(type_kind::text, json); };
  BOOST_TEST(text("\"\"") == "''");
  BOOST_TEST(text("\"plain\"") == "'plain'");
  BOOST_TEST(text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"") == "'\"\\/\b\f\n\r\t'");
  BOOST_TEST(text("\"\\u0041\\u00e9\\u65e5\"") == "'Aé日'");
  BOOST_TEST(text("\"x\\uD83D\\uDEE9y\"") == "'x🛩y'");
  BOOST_TEST(text("\"é日🛩\"") == "'é日🛩'");
  BOOST_TEST(text("\"sixteen bytes or more, then \\n an escape\"")
             == "'sixteen bytes or more, then \n an escape'");
  BOOST_TEST(text("\"\\u0000\"") == "bids.json:1: v: \\u0000 cannot be converted to text");
  BOOST_TEST(text("\"a\\uD83D\"") == "bids.json:1: v: half a surrogate pair in a string: \\uD83D");
  BOOST_TEST(text("\"\\uDEE9\\uD83D\"")
             == "bids.json:1: v: half a surrogate pair in a string: \\uDEE9");
  BOOST_TEST(text("\"\\uD83D\\u0041\"")
             == "bids.json:1: v: half a surrogate pair in a string: \\uD83D");
  BOOST_TEST(text("\"\\x\"").find("expected one of the escapes") != std::string::npos);
  BOOST_TEST(text("\"\\u12g4\"").find("expected four hexadecimal digits") != std::string::npos);
  BOOST_TEST(text("\"a\tb\"").find("expected a closing quote") != std::string::npos);
  BOOST_TEST(text("\"\xFF\"") == "bids.json:1: invalid byte sequence for encoding \"UTF8\"");
  BOOST_TEST(text("\"\xED\xA0\x80\"")
             == "bids.json:1: invalid byte sequence for encoding \"UTF8\"");
  BOOST_TEST(text("5") == "bids.json:1: v: expected text, found the number 5");
  BOOST_TEST(text("true") == "bids.json:1: v: expected text, found true");
  BOOST_TEST(text("{}") == "bids.json:1: v: expected text, found an object");
  BOOST_TEST(text("[]") == "bids.json:1: v: expected text, found an array");
  const sql_type limited{type_kind::text, type_kind::unknown, 0, 0, 3};
  BOOST_TEST(value_of(limited, "\"abc\"") == "'abc'");
  BOOST_TEST(value_of(limited, "\"abcd\"").find("value too long for type") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reads_numbers_of_their_type_only) {
  const auto k = [](type_kind kind, const std::string& json) { return value_of(kind, json); };
  BOOST_TEST(k(type_kind::bigint, "0") == "0");
  BOOST_TEST(k(type_kind::bigint, "-0") == "0");
  BOOST_TEST(k(type_kind::bigint, "9223372036854775807") == "9223372036854775807");
  BOOST_TEST(k(type_kind::bigint, "-9223372036854775808") == "-9223372036854775808");
  BOOST_TEST(k(type_kind::bigint, "9223372036854775808")
             == "bids.json:1: v: value \"9223372036854775808\" is out of range for type bigint");
  BOOST_TEST(k(type_kind::bigint, "1.0")
             == "bids.json:1: v: expected bigint, found the number 1.0");
  BOOST_TEST(k(type_kind::bigint, "1e3")
             == "bids.json:1: v: expected bigint, found the number 1e3");
  BOOST_TEST(k(type_kind::bigint, "\"5\"")
             == "bids.json:1: v: expected bigint, found the string \"5\"");
  BOOST_TEST(k(type_kind::bigint, "true") == "bids.json:1: v: expected bigint, found true");
  BOOST_TEST(k(type_kind::bigint, "[1]") == "bids.json:1: v: expected bigint, found an array");
  for (const char* bad : {"01", "-", "+1", "1.", ".5", "1e", "-01", "0x1", "NaN", "1.e1", "- 1"})
    BOOST_TEST(k(type_kind::bigint, bad).find("invalid JSON") != std::string::npos, bad);
  for (const char* bad : {"01", "-", "+1", "1.", ".5", "1e", "-01.5", "Infinity"})
    BOOST_TEST(k(type_kind::double_precision, bad).find("invalid JSON") != std::string::npos, bad);
  BOOST_TEST(k(type_kind::smallint, "-32768") == "-32768");
  BOOST_TEST(k(type_kind::smallint, "32768")
             == "bids.json:1: v: value \"32768\" is out of range for type smallint");
  BOOST_TEST(k(type_kind::integer, "2147483647") == "2147483647");
  BOOST_TEST(k(type_kind::integer, "2147483648")
             == "bids.json:1: v: value \"2147483648\" is out of range for type integer");
  BOOST_TEST(k(type_kind::double_precision, "1") == "1");
  BOOST_TEST(k(type_kind::double_precision, "-0.0") == "-0");
  BOOST_TEST(k(type_kind::double_precision, "1.5e3") == "1500");
  BOOST_TEST(k(type_kind::double_precision, "0.30000000000000004") == "0.30000000000000004");
  BOOST_TEST(k(type_kind::double_precision, "1e400").find("out of range") != std::string::npos);
  BOOST_TEST(k(type_kind::double_precision, "\"NaN\"") == "NaN");
  BOOST_TEST(k(type_kind::double_precision, "\"-Infinity\"") == "-Infinity");
  BOOST_TEST(k(type_kind::double_precision, "\"1.5\"").find("found the string")
             != std::string::npos);
  BOOST_TEST(k(type_kind::real, "0.1") == "0.1");
  BOOST_TEST(k(type_kind::real, "1e39").find("out of range") != std::string::npos);
  BOOST_TEST(k(type_kind::numeric, "0.10") == "0.10");
  BOOST_TEST(k(type_kind::numeric, "12345678901234567890123456789012345678901234567890.123")
             == "12345678901234567890123456789012345678901234567890.123");
  BOOST_TEST(k(type_kind::numeric, "1e3") == "1000");
  BOOST_TEST(k(type_kind::numeric, "\"NaN\"") == "NaN");
  BOOST_TEST(value_of(sql_type{type_kind::numeric, type_kind::unknown, 4, 2, 0}, "1.005")
             == "1.01");
  BOOST_TEST(value_of(sql_type{type_kind::numeric, type_kind::unknown, 4, 2, 0}, "100")
                 .find("numeric field overflow")
             != std::string::npos);
  BOOST_TEST(k(type_kind::boolean, "true") == "true");
  BOOST_TEST(k(type_kind::boolean, "false") == "false");
  BOOST_TEST(k(type_kind::boolean, "1") == "bids.json:1: v: expected boolean, found the number 1");
  BOOST_TEST(k(type_kind::boolean, "\"true\"").find("found the string") != std::string::npos);
  BOOST_TEST(k(type_kind::boolean, "tru").find("expected a value, found tru}")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reads_times_and_bytes) {
  const auto k = [](type_kind kind, const std::string& json) { return value_of(kind, json); };
  BOOST_TEST(k(type_kind::timestamp, "\"2013-01-01T05:00:00\"") == "2013-01-01 05:00:00");
  BOOST_TEST(k(type_kind::timestamp, "\"2013-01-01 05:00:00.123456\"")
             == "2013-01-01 05:00:00.123456");
  BOOST_TEST(k(type_kind::timestamp, "\"2013-01-01T05:00:00+02:00\"") == "2013-01-01 03:00:00");
  BOOST_TEST(k(type_kind::timestamp, "\"2013-01-01T05:00:00Z\"") == "2013-01-01 05:00:00");
  BOOST_TEST(k(type_kind::timestamp, "1356998400000") == "2013-01-01 00:00:00");
  BOOST_TEST(k(type_kind::timestamp, "\"1356998400000\"").find("found the string")
             != std::string::npos);
  BOOST_TEST(k(type_kind::timestamp, "1356998400000.5").find("found the number")
             != std::string::npos);
  BOOST_TEST(k(type_kind::timestamp, "\"soon\"")
             == "bids.json:1: v: invalid input syntax for type timestamp: \"soon\"");
  BOOST_TEST(value_of(sql_type{type_kind::timestamptz}, "100", timestamp_unit::s)
             == "1970-01-01 00:01:40+00");
  BOOST_TEST(k(type_kind::timestamptz, "\"2013-01-01T05:00:00Z\"") == "2013-01-01 05:00:00+00");
  BOOST_TEST(k(type_kind::date, "\"2013-01-01\"") == "2013-01-01");
  BOOST_TEST(k(type_kind::date, "15000").find("found the number") != std::string::npos);
  BOOST_TEST(k(type_kind::interval, "\"1 day\"") == "1 day");
  BOOST_TEST(k(type_kind::bytea, "\"AAH/\"") == "\\x0001ff");
  BOOST_TEST(k(type_kind::bytea, "\"A\"").find("expected bytes in base64") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reads_any_json_into_jsonb_columns) {
  const sql_type jsonb{type_kind::jsonb};
  BOOST_TEST(value_of(jsonb, "{ \"bb\":1.50, \"a\":[1,{}] , \"a\":null}")
             == "{\"a\": null, \"bb\": 1.50}");
  BOOST_TEST(value_of(jsonb, "\"x\\u00e9\"") == "\"xé\"");
  BOOST_TEST(value_of(jsonb, "1e2") == "100");
  BOOST_TEST(value_of(jsonb, "false") == "false");
  BOOST_TEST(value_of(jsonb, "null") == "NULL");
  BOOST_TEST(value_of(jsonb, "\"\\u0000\"").find("unsupported Unicode escape sequence")
             != std::string::npos);
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  BOOST_TEST(value_of(jsonb, deep).starts_with("bids.json:1"));
}

BOOST_AUTO_TEST_CASE(reads_arrays_into_array_columns) {
  const auto big = sql_type{type_kind::bigint}.array_of();
  const auto text = sql_type{type_kind::text}.array_of();
  BOOST_TEST(value_of(big, "[1, null ,3]") == "{1,NULL,3}");
  BOOST_TEST(value_of(big, "[]") == "{}");
  BOOST_TEST(value_of(big, "null") == "NULL");
  BOOST_TEST(value_of(text, "[\"a,b\",\"c\\nd\"]") == "{\"a,b\",\"c\nd\"}");
  BOOST_TEST(value_of(big, "[1,\"2\"]")
             == "bids.json:1: v: expected bigint, found the string \"2\"");
  BOOST_TEST(value_of(big, "[1,[2]]") == "bids.json:1: v: expected bigint, found an array");
  BOOST_TEST(value_of(big, "[1,]").find("invalid JSON") != std::string::npos);
  BOOST_TEST(value_of(big, "5") == "bids.json:1: v: expected bigint[], found the number 5");
  check_rows(read("{\"v\":[1]}\n{\"v\":null}\n{\"v\":[]}\n{\"v\":[2,3]}\n",
                  options_of({field{"v", big, false}})),
             {"{1}", "NULL", "{}", "{2,3}"});
}

BOOST_AUTO_TEST_CASE(says_what_is_wrong_with_a_record) {
  BOOST_TEST(error_of("{\"a\":1,\"b\":\"x\"}\n[1]\n")
             == "bids.json:2: invalid JSON: expected an object, found [1]");
  BOOST_TEST(
      error_of("{\"a\":1\n")
      == "bids.json:1: invalid JSON: expected a comma or a closing brace, found the end of the "
         "line");
  BOOST_TEST(error_of("{\"a\":1 \"b\":2}\n")
             == "bids.json:1: invalid JSON: expected a comma or a closing brace, found \"b\":2}");
  BOOST_TEST(error_of("{\"a\" 1}\n") == "bids.json:1: invalid JSON: expected a colon, found 1}");
  BOOST_TEST(error_of("{a:1}\n")
             == "bids.json:1: invalid JSON: expected the name of a field, found a:1}");
  BOOST_TEST(error_of("{\"a\":1,}\n")
             == "bids.json:1: invalid JSON: expected the name of a field, found }");
  BOOST_TEST(error_of("{\"a\":1}{\"a\":2}\n")
             == "bids.json:1: invalid JSON: expected the end of the line, found {\"a\":2}");
  BOOST_TEST(error_of("{\"b\":\"open}\n{\"a\":1}\n")
             == "bids.json:1: invalid JSON: expected a closing quote (control characters must be "
                "escaped), found the end of the line");
  BOOST_TEST(error_of("hello\n") == "bids.json:1: invalid JSON: expected a value, found hello");
  std::string deep = "{\"x\":";
  for (int i = 0; i < 600; ++i)
    deep += "[";
  BOOST_TEST(error_of(deep + "\n").find("at most 512 levels") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(leaves_out_bad_records_and_goes_on) {
  auto o = options_of(ab);
  o.on_bad_record = bad_record_policy::quarantine;
  const auto x = read("{\"a\":1}\n{\"a\":\"x\",\"b\":null}\nnonsense\n\n{\"a\":2,\"b\":\"y\"}\r\n"
                      "{\"b\":\"\xFF\"}\r\n{\"a\":3",
                      o);
  check_rows(x, {"1|NULL", "2|'y'"});
  BOOST_TEST(x.bad == 4U);
  BOOST_TEST(x.origins
                 == (lines{"source bids, file bids.json, record 1",
                           "source bids, file bids.json, record 5"}),
             boost::test_tools::per_element());
  BOOST_TEST(
      x.quarantined
          == (lines{
              "2: bids.json:2: a: expected bigint, found the string \"x\" "
              "[{\"a\":\"x\",\"b\":null}]",
              "3: bids.json:3: invalid JSON: expected a value, found nonsense [nonsense]",
              "6: bids.json:6: invalid byte sequence for encoding \"UTF8\" [{\"b\":\"\xFF\"}]",
              "7: bids.json:7: invalid JSON: expected a comma or a closing brace, found the end "
              "of the line [{\"a\":3]"}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(passes_over_a_huge_line_in_little_memory) {
  auto o = options_of(ab);
  o.max_record = 1'000'000;
  o.on_bad_record = bad_record_policy::skip;
  const std::string fits(999'986, 'x');
  const std::string text = "{\"a\":1}\n{\"a\":2,\"b\":\"" + fits + "\"}\n{\"a\":3,\"b\":\"" + fits
                           + "x\"}\r\n{\"a\":4}\n" + std::string(5'000'000, '9') + "\n{\"a\":5}\n"
                           + std::string(3'000'000, '9');
  for (const std::size_t size : {10'000U, 65'536U, 239'000U}) {
    json_reader reader(o);
    const auto x = test::run_parser(reader, text, [&] { return size; });
    BOOST_TEST(x.error == "");
    BOOST_TEST((x.rows == lines{"1|NULL", "2|'" + fits + "'", "4|NULL", "5|NULL"}));
    BOOST_TEST(x.bad == 3U);
  }
}

// Valid records with a few bytes changed: simdjson's tree parser, an independent one, must agree on
// which are JSON. (It takes no integers beyond 64 bits, so there are none.)
BOOST_AUTO_TEST_CASE(agrees_with_another_parser_on_what_is_json) {
  const lines seeds = {
      R"({"a":1,"b":"x","c":[1,2,{"d":null}],"e":true,"f":-1.5e3})",
      R"({"b":"es\"c\\ap\u00e9d \u65e5 é","a":-0,"z":{"y":{"x":[[],[{}]]}}})",
      R"( { "a" : 12345678 , "b" : null , "long field name of many bytes" : "0123456789abcdef0123" } )",
  };
  const std::string_view alphabet = "{}[]:,\"\\ \tabu019.-+eEtrfn\x01\xC3\xA9\x80";
  std::mt19937 random(7);
  simdjson::dom::parser oracle;
  unsigned valid = 0;
  for (int i = 0; i < 30'000; ++i) {
    std::string text = seeds[random() % seeds.size()];
    for (auto changes = random() % 4; changes > 0 && !text.empty(); --changes) {
      const auto at = random() % text.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
      case 0:
        text[at] = c;
        break;
      case 1:
        text.insert(at, 1, c);
        break;
      default:
        text.erase(at, 1);
      }
    }
    simdjson::dom::element tree;
    const simdjson::padded_string copy(text);
    const auto code = oracle.parse(copy).get(tree);
    const bool expected = code == simdjson::SUCCESS && tree.is_object();
    auto o = options_of({column_of("unused", type_kind::bigint)});
    o.on_bad_record = bad_record_policy::quarantine;
    json_reader reader(o);
    const auto x = test::run_parser(reader, text + "\n", [] { return std::size_t{100'000}; });
    // 1e999 is JSON, though no double.
    if (code == simdjson::NUMBER_ERROR && text.find_first_of("eE") != std::string::npos)
      continue;
    BOOST_TEST_REQUIRE(x.good == (expected ? 1U : 0U),
                       text << ": " << (x.quarantined.empty() ? "taken" : x.quarantined[0]));
    valid += expected;
  }
  BOOST_TEST(valid > 3'000U);
  BOOST_TEST(valid < 27'000U);
}

BOOST_AUTO_TEST_CASE(json_times_behind_the_bound_are_bad_records) {
  auto o = options_of({column_of("at", type_kind::timestamp), column_of("a", type_kind::bigint)});
  o.time_column = 0;
  const std::string_view text = R"({"at":"2024-01-01T00:00:00","a":1}
{"at":"2024-01-01T00:00:02","a":2}
{"at":null,"a":3}
{"at":"infinity","a":4}
{"at":1704067202000,"a":5}
{"at":"2024-01-01T00:00:01","a":6}
)";
  const auto read_until = [&](micros latest, bad_record_policy policy) {
    o.on_bad_record = policy;
    json_reader reader(o);
    reader.set_latest_time(latest);
    return test::run_parser(reader, text, [] { return std::size_t{1} << 20; });
  };
  test::check_rows_ahead(read_until, {"bids.json:2", "bids.json:5"});
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
