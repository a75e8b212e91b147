/// The canonical text of JSONB, and walks over it. Expected values are PostgreSQL 15's.
#include "actors/dataflow/jsonb.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

namespace {

using namespace ebb;

std::string canonical(std::string_view json) {
  std::string out;
  auto read = jsonb::append_canonical(json, out);
  return read ? out : "error: " + read.error().message;
}

std::string hint(std::string_view json) {
  std::string out;
  auto read = jsonb::append_canonical(json, out);
  return read ? out : read.error().hint;
}

std::string normal(std::string_view json) {
  std::string out;
  jsonb::append_normal(canonical(json), out);
  return out;
}

bool contains(std::string_view a, std::string_view b) {
  return jsonb::contains(canonical(a), canonical(b));
}

} // namespace

BOOST_AUTO_TEST_SUITE(jsonb_values)

BOOST_AUTO_TEST_CASE(text_is_canonical) {
  BOOST_TEST(canonical(R"( {"bb":1,"a":[1,2 , true,null],"c":{}} )")
             == R"({"a": [1, 2, true, null], "c": {}, "bb": 1})");
  BOOST_TEST(canonical(R"({"a":1,"b":2,"a":3})") == R"({"a": 3, "b": 2})");
  BOOST_TEST(canonical(R"({"b":{"z":1,"y":2},"a":[{"d":1,"c":2}]})")
             == R"({"a": [{"c": 2, "d": 1}], "b": {"y": 2, "z": 1}})");
  BOOST_TEST(canonical("[]") == "[]");
  BOOST_TEST(canonical(" 12 ") == "12");
  BOOST_TEST(canonical("1.10") == "1.10");
  BOOST_TEST(canonical("-0") == "0");
  BOOST_TEST(canonical("-0.0") == "0.0");
  BOOST_TEST(canonical("-0.5") == "-0.5");
  BOOST_TEST(canonical("1e3") == "1000");
  BOOST_TEST(canonical("1.5E-3") == "0.0015");
  BOOST_TEST(canonical("123456789012345678901234567890123456789012345")
             == "123456789012345678901234567890123456789012345");
  BOOST_TEST(canonical(R"("a\u00e4\ud83d\ude00\n\/\u001f\"")")
             == "\"a\xc3\xa4\xf0\x9f\x98\x80\\n/\\u001f\\\"\"");
}

BOOST_AUTO_TEST_CASE(bad_text_is_an_error_with_its_place) {
  for (const auto* bad :
       {"",      "{",       "[1,]",      "{\"a\"}",     "{\"a\":1,}",  "01",
        "1.",    ".5",      "+1",        "1e",          "nul",         "truex",
        "\"a",   "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\n\"",
        "[1] 2", "{1:2}",   "'a'",       "-",           "[",           "{\"a\":}"})
    BOOST_TEST(canonical(bad) == "error: invalid input syntax for type json", bad);
  BOOST_TEST(canonical("\"\\u0000\"") == "error: unsupported Unicode escape sequence");
  BOOST_TEST(hint("[1, nope]") == "token \"nope\" is invalid (character 5)");
  BOOST_TEST(hint("[1") == "the input string ended unexpectedly (character 3)");
  BOOST_TEST(canonical(std::string(100'000, '[')) == "error: JSON nests deeper than 512 levels");
  const std::string edge = std::string(512, '[') + std::string(512, ']');
  BOOST_TEST(canonical(edge) == edge);
}

BOOST_AUTO_TEST_CASE(equal_values_have_one_normal_text) {
  BOOST_TEST(normal("[1.0, 1.50, 10, 0.00, \"1.0\"]") == R"([1, 1.5, 10, 0, "1.0"])");
  BOOST_TEST(normal(R"({"a\"b.0": 100.0})") == R"({"a\"b.0": 100})");
  BOOST_TEST(normal("1000.000") == "1000");
}

BOOST_AUTO_TEST_CASE(order_is_postgresqls) {
  // From `SELECT v FROM … ORDER BY v` in PostgreSQL 15.
  const char* ascending[] = {"[]",
                             "null",
                             "\"\"",
                             "\"a\"",
                             "\"b\"",
                             "-1",
                             "1.0",
                             "2",
                             "false",
                             "true",
                             "[null]",
                             "[1]",
                             "[[]]",
                             "[{}]",
                             "[1, 2]",
                             "[1, 3]",
                             "[0, 0, 0]",
                             "{}",
                             "{\"a\": null}",
                             "{\"a\": 1}",
                             "{\"b\": 0}",
                             "{\"aa\": 0, \"b\": 0}"};
  for (std::size_t i = 0; i < std::size(ascending); ++i)
    for (std::size_t k = 0; k < std::size(ascending); ++k) {
      const int expected = i < k ? -1 : i > k ? 1 : 0;
      BOOST_TEST(jsonb::compare(canonical(ascending[i]), canonical(ascending[k])) == expected,
                 ascending[i] << " to " << ascending[k]);
    }
  BOOST_TEST(jsonb::compare("1.0", "1.00") == 0);
  BOOST_TEST(jsonb::compare("[1.0]", "[1]") == 0);
}

BOOST_AUTO_TEST_CASE(parts_are_found) {
  const auto x = canonical(R"({"a": [10, {"b": null}], "k\"ey": "v,]}", "n": 1.5})");
  BOOST_TEST(*jsonb::member(x, "n") == "1.5");
  BOOST_TEST(*jsonb::member(x, "k\\\"ey") == "\"v,]}\"");
  BOOST_TEST(!jsonb::member(x, "z"));
  BOOST_TEST(!jsonb::member("[1]", "a"));
  const auto a = *jsonb::member(x, "a");
  BOOST_TEST(jsonb::count(a) == 2U);
  BOOST_TEST(*jsonb::element(a, 0) == "10");
  BOOST_TEST(*jsonb::element(a, -1) == "{\"b\": null}");
  BOOST_TEST(!jsonb::element(a, 2));
  BOOST_TEST(!jsonb::element(a, -3));
  BOOST_TEST(!jsonb::element("1", 0));
  std::string text;
  BOOST_TEST(jsonb::append_text("\"a\\n\\u0001\\\\\"", text));
  BOOST_TEST(text == "a\n\x01\\");
  BOOST_TEST(!jsonb::append_text("null", text));
}

BOOST_AUTO_TEST_CASE(containment) {
  BOOST_TEST(contains(R"({"a":1,"b":{"c":[1,2]}})", R"({"b":{"c":[2]}})"));
  BOOST_TEST(!contains(R"({"a":1})", R"({"a":2})"));
  BOOST_TEST(contains("[1,2,[3,4]]", "[[4]]"));
  BOOST_TEST(contains("[1,2,2]", "[2,2,2,1]"));
  BOOST_TEST(contains("[1,\"a\"]", "\"a\""));
  BOOST_TEST(!contains("\"a\"", "[\"a\"]"));
  BOOST_TEST(!contains("[[1]]", "1"));
  BOOST_TEST(contains("[1.0]", "[1]"));
  BOOST_TEST(contains("{}", "{}"));
  BOOST_TEST(!contains("[]", "{}"));
}

// Whatever comes in: it is refused, or has one canonical text; and damaged text ends walks.
BOOST_AUTO_TEST_CASE(random_text_is_refused_or_canonical) {
  std::mt19937_64 random(4711);
  constexpr std::string_view pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"a\"",
                                         "\"bb\"",
                                         "1",
                                         "-",
                                         "0.0",
                                         "1.50",
                                         "1e3",
                                         "null",
                                         " ",
                                         "true",
                                         "\"\\n\"",
                                         "\\",
                                         "\"",
                                         "{}",
                                         "[1,2]",
                                         "\"\\u00e9\"",
                                         "{\"a\":1,\"a\":2}"};
  std::size_t good = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto n = 1 + random() % 9; n-- > 0;)
      text += pieces[random() % std::size(pieces)];
    std::string once;
    const bool read = static_cast<bool>(jsonb::append_canonical(text, once));
    std::string walked;
    jsonb::append_normal(text, walked);
    static_cast<void>(jsonb::count(text));
    static_cast<void>(jsonb::element(text, 1));
    static_cast<void>(jsonb::compare(text, "[1]"));
    if (!read)
      continue;
    ++good;
    BOOST_TEST(canonical(once) == once);
    BOOST_TEST(jsonb::compare(once, once) == 0);
    BOOST_TEST(jsonb::contains(once, once));
    const auto plain = normal(once);
    BOOST_TEST(normal(plain) == plain);
    BOOST_TEST(jsonb::compare(plain, once) == 0);
  }
  BOOST_TEST(good > 200U);
}

BOOST_AUTO_TEST_SUITE_END()
