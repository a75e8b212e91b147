// What is printed: times, tables, YAML, redrawn lines.

#include "tools/client/json_table.hpp"
#include "tools/client/line_screen.hpp"
#include "tools/client/moments.hpp"
#include "tools/client/report.hpp"
#include "tools/client/resource_table.hpp"
#include "tools/client/waiting.hpp"
#include "tools/client/yaml_text.hpp"

#include <boost/test/unit_test.hpp>

using namespace ebb;
using namespace ebb::client;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

} // namespace

BOOST_AUTO_TEST_SUITE(client_text)

BOOST_AUTO_TEST_CASE(spans) {
  struct {
    std::int64_t micros;
    const char* text;
  } const cases[] = {
      {-5, "0s"},
      {0, "0s"},
      {second - 1, "0s"},
      {119 * second, "119s"},
      {2 * minute, "2m"},
      {5 * minute + 20 * second, "5m20s"},
      {10 * minute + 59 * second, "10m"},
      {179 * minute, "179m"},
      {3 * hour, "3h"},
      {3 * hour + 5 * minute, "3h5m"},
      {8 * hour + 5 * minute, "8h"},
      {47 * hour, "47h"},
      {2 * day, "2d"},
      {3 * day + 4 * hour, "3d4h"},
      {8 * day + 4 * hour, "8d"},
      {400 * day, "400d"},
  };

  for (const auto& x : cases)
    BOOST_TEST(span_text(x.micros) == x.text);
}

BOOST_AUTO_TEST_CASE(times) {
  BOOST_TEST(*parse_time("1970-01-01T00:00:00Z") == 0);
  BOOST_TEST(*parse_time("1970-01-01T00:00:01.5Z") == 1'500'000);
  BOOST_TEST(*parse_time("1970-01-01T00:00:00.0000019Z") == 1);
  BOOST_TEST(*parse_time("2026-01-31T12:00:00Z") == 1'769'860'800 * second);
  BOOST_TEST(*parse_time("2026-01-31T14:00:00+02:00") == 1'769'860'800 * second);
  BOOST_TEST(*parse_time("2026-01-31T06:30:00-05:30") == 1'769'860'800 * second);
  for (const char* text :
       {"", "now", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:00", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0200",
        "2026-01-31T12:00:00Zx", "2026-01-31x12:00:00Z", "2026-01-31T12:60:00Z"})
    BOOST_TEST(!parse_time(text), text);
  const auto now = *parse_time("2026-01-31T12:05:00Z");
  BOOST_TEST(age_text("2026-01-31T12:00:00Z", now) == "5m");
  BOOST_TEST(age_text("soon", now) == "soon");
  BOOST_TEST(ahead_text("2026-01-31T12:06:00Z", now) == "in 60s");
  BOOST_TEST(ahead_text("2026-01-31T12:05:00Z", now) == "now");
}

BOOST_AUTO_TEST_CASE(numbers) {
  BOOST_TEST(grouped(0) == "0");
  BOOST_TEST(grouped(999) == "999");
  BOOST_TEST(grouped(1'000) == "1,000");
  BOOST_TEST(grouped(12'345'678) == "12,345,678");
}

BOOST_AUTO_TEST_CASE(headings) {
  for (const auto& [key, text] :
       {std::pair{"name", "NAME"}, std::pair{"lastTransitionTime", "LAST TRANSITION TIME"},
        std::pair{"keyGroup", "KEY GROUP"}, std::pair{"rows_in", "ROWS IN"},
        std::pair{"URL", "URL"}, std::pair{"", ""}})
    BOOST_TEST(heading_of(key) == text);
}

BOOST_AUTO_TEST_CASE(tables_of_anything) {
  BOOST_TEST(json_table(json::parse(R"([{"a":1,"b":"x"},{"b":"yy","c":[1,{"d":2}]},{"a":200}])"))
             == "  A  B   C\n  1  x\n     yy  [1,{\"d\":2}]\n200\n");
  BOOST_TEST(json_table(json::parse(R"(["one",2,null,"t\u001bwo"])")) == "one\n2\n\nt wo\n");
  BOOST_TEST(json_table(json::parse("[]")) == "");
  BOOST_TEST(json_table(json::parse(R"([{"a":{"b":1.5,"c":"x"},"d":["p","q"],"e":{}}])"))
             == "A          D     E\nb=1.5 c=x  p, q\n");
  // Wide by characters, not by bytes.
  BOOST_TEST(json_table(json::parse(R"([{"a":"é","b":1},{"a":"xx","b":2}])"))
             == "A   B\né   1\nxx  2\n");
  // A terminal's control characters in what others have written.
  BOOST_TEST(json_table(json::parse(R"([{"a":"x\u001b[2J\n"}])")) == "A\nx [2J\n");
}

BOOST_AUTO_TEST_CASE(tables_of_streams) {
  const auto now = *parse_time("2026-01-31T12:05:00Z");
  const auto items = json::parse(R"([
    {"metadata":{"name":"a","creationTimestamp":"2026-01-29T12:05:00Z"},
     "status":{"phase":"Asleep","reason":"Idle","since":"2026-01-31T12:04:00Z",
               "checkpoint":{"epoch":7,"time":"2026-01-31T12:00:00Z","bytes":1536},
               "nextWake":"2026-01-31T13:05:00Z"}},
    {"metadata":{"name":"longer"}}, {}])");
  const auto lines = resource_lines({"Stream", "stream", "streams"}, items, now);
  const std::vector<std::string> expected{
      "NAME    PHASE   REASON  SINCE  CHECKPOINT  WRITTEN  NEXT WAKE  AGE",
      "a       Asleep  Idle    60s    7 (5m ago)  1.5 KiB  in 60m     2d",
      "longer",
      "",
  };
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(yaml) {
  const auto of = [](const char* text) { return yaml_text(json::parse(text)); };
  BOOST_TEST(of("{}") == "{}\n");
  BOOST_TEST(of("[]") == "[]\n");
  BOOST_TEST(of("7") == "7\n");
  BOOST_TEST(of(R"({"a":1,"b":{"c":[1,{"d":2,"e":3},[4,5]]},"f":[]})")
             == "a: 1\nb:\n  c:\n  - 1\n  - d: 2\n    e: 3\n  - - 4\n    - 5\nf: []\n");
  BOOST_TEST(of(R"({"sql":"SELECT 1\nFROM t\n","x":"a\nb"})")
             == "sql: |\n  SELECT 1\n  FROM t\nx: |-\n  a\n  b\n");
  for (const char* text : {"abc", "a-b", "/x/y.csv", "a b, c", "TIMESTAMP(3)", "a:b", "it's", "10s",
                           "64Mi", "x > 1 AND y[1] = '{*'", "naïve"})
    BOOST_TEST(yaml_scalar(text) == text);
  for (const char* text :
       {"",    "yes", "No",  "null", "~",  "1",  "1.5", "12:30", "2026-01-31", "a: b",   "a #b",
        "- a", "*a",  "&a",  "!a",   " a", "a ", "a:",  "#",     "%a",         "@a",     "[a",
        "{a",  "'a",  "\"a", "a\tb", "-",  "on", "Y",   "0x1f",  ".5",         "a\u0001"})
    BOOST_TEST(yaml_scalar(text).front() == '"', text);
}

BOOST_AUTO_TEST_CASE(lines_drawn_again) {
  const std::vector<std::string> lines{"ab", "cdé", "e"};
  BOOST_TEST(redrawn(lines, 0, 80, 24) == "\r\033[Jab\ncdé\ne\n");
  BOOST_TEST(redrawn(lines, 3, 80, 24) == "\033[3A\r\033[Jab\ncdé\ne\n");
  BOOST_TEST(redrawn(lines, 0, 2, 24) == "\r\033[Jab\ncd\ne\n");
  BOOST_TEST(redrawn(lines, 0, 3, 3) == "\r\033[Jab\ncdé\n");
  BOOST_TEST(drawn_lines(3, 3) == 2U);
  BOOST_TEST(drawn_lines(3, 24) == 3U);
  BOOST_TEST(drawn_lines(3, 0) == 1U);
}

BOOST_AUTO_TEST_CASE(conditions) {
  const auto stream = json::parse(R"({"status":{"phase":"Asleep","conditions":[
    {"type":"Ready","status":"True"},{"type":"Running","status":"False"}]}})");
  for (const char* good : {"Ready", "ready", "Asleep", "ASLEEP"})
    BOOST_TEST(fulfils(stream, good), good);
  for (const char* bad : {"Running", "Failed", "", "Read"})
    BOOST_TEST(!fulfils(stream, bad), bad);
  BOOST_TEST(!fulfils(json::parse("{}"), "Ready"));
}

BOOST_AUTO_TEST_SUITE_END()
