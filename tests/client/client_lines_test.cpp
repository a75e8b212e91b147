// Lines of files in batches, manifests put together, messages and places of topics.

#include "tools/client/line_batches.hpp"
#include "tools/client/manifests.hpp"
#include "tools/client/message_lines.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace ebb;
using namespace ebb::client;

namespace {

struct folder {
  folder()
      : path(std::filesystem::temp_directory_path()
             / ("ebb-client-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path);
  }

  ~folder() {
    std::filesystem::remove_all(path);
  }

  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }

  std::filesystem::path path;
};

using numbers = std::vector<std::uint64_t>;

/// `body|1 2 3` of each batch.
std::vector<std::string> batches_of(const folder& in, const std::string& text,
                                    const batch_limits& limits) {
  auto reader = line_batches::open(in.write("m", text), limits);
  BOOST_REQUIRE(reader);
  std::vector<std::string> out;
  for (;;) {
    const auto batch = reader->next();
    if (!batch) {
      out.push_back(to_string(batch.error().code));
      return out;
    }
    if (!*batch)
      return out;
    std::string lines;
    for (const auto x : (*batch)->lines)
      lines += (lines.empty() ? "" : " ") + std::to_string(x);
    out.push_back((*batch)->body + '|' + lines);
  }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(client_lines, folder)

BOOST_AUTO_TEST_CASE(batches) {
  struct {
    const char* text;
    batch_limits limits;
    std::vector<std::string> expected;
  } const cases[] = {
      {"", {}, {}},
      {"\n\n \t\r\n", {}, {}},
      {"a\nb\n", {}, {"a\nb\n|1 2"}},
      {"a\n\n \nb", {}, {"a\nb\n|1 4"}},
      {"\xef\xbb\xbf"
       "a\n",
       {},
       {"a\n|1"}},
      {"a\nb\nc\n", {.rows = 2}, {"a\nb\n|1 2", "c\n|3"}},
      {"a\nb\nc\nd\n", {.rows = 2}, {"a\nb\n|1 2", "c\nd\n|3 4"}},
      // A line that does not fit begins the next batch; one that fits nowhere is alone.
      {"aa\nbb\ncc\n", {.bytes = 6}, {"aa\nbb\n|1 2", "cc\n|3"}},
      {"aa\nbb\ncc\n", {.bytes = 5}, {"aa\n|1", "bb\n|2", "cc\n|3"}},
      {"a\n\nbbbbbbbb\nc\n", {.bytes = 4}, {"a\n|1", "bbbbbbbb\n|3", "c\n|4"}},
      {"a\r\n", {}, {"a\r\n|1"}},
  };

  for (const auto& x : cases)
    BOOST_TEST(batches_of(*this, x.text, x.limits) == x.expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(long_inputs) {
  // Over several reads, with lines across their borders.
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "{\"number\": " + std::to_string(i) + "}\n";
  auto reader = line_batches::open(write("m", text), {});
  BOOST_REQUIRE(reader);
  std::string all;
  std::uint64_t line = 0;
  for (auto batch = reader->next(); batch && *batch; batch = reader->next()) {
    all += (*batch)->body;
    for (const auto x : (*batch)->lines)
      BOOST_REQUIRE_EQUAL(x, ++line);
  }
  BOOST_TEST((all == text));
  batch_limits small;
  small.line_bytes = 300'000;
  const auto got = batches_of(*this, "a\n" + std::string(1 << 20, 'x') + "\n", small);
  BOOST_REQUIRE(got.size() == 2U);
  BOOST_TEST(got[0] == "a\n|1");
  BOOST_TEST(got[1] == to_string(ec::invalid_argument));
  BOOST_TEST(!line_batches::open(write("m", "") + ".missing", {}));
}

BOOST_AUTO_TEST_CASE(bundles) {
  const auto one = write("1.yaml", "kind: Stream\nmetadata: {name: a, namespace: n}");
  const auto two = write("2.json", "{\"kind\": \"Topic\",\n \"metadata\": {\"name\": \"t\"}}\n");
  const auto bundle = load_bundle({one, two});
  BOOST_REQUIRE(bundle);
  BOOST_TEST(bundle->body
             == "kind: Stream\nmetadata: {name: a, namespace: n}\n---\n{\"kind\": \"Topic\",\n "
                "\"metadata\": {\"name\": \"t\"}}\n");
  BOOST_TEST(
      (*names_in(*bundle) == std::vector<manifest_name>{{"Stream", "a", "n"}, {"Topic", "t", ""}}));
  const auto place = [&](std::uint32_t line, std::uint32_t column) {
    auto problem = make_error(ec::invalid_argument, "m");
    problem.place.line = line;
    problem.place.column = column;
    const auto x = placed_in(*bundle, problem).place;
    return x.file.substr(x.file.find_last_of('/') + 1) + ':' + std::to_string(x.line);
  };
  BOOST_TEST(place(1, 1) == "1.yaml:1");
  BOOST_TEST(place(2, 0) == "1.yaml:2");
  BOOST_TEST(place(4, 1) == "2.json:1");
  BOOST_TEST(place(5, 2) == "2.json:2");
  BOOST_TEST(place(99, 1) == "2.json:96");
  BOOST_TEST(place(0, 0) == ":0");
  BOOST_TEST(load_bundle({path.string()})->parts.size() == 2U);
  for (const char* text : {"kind: Stream", "metadata: {name: a}", "a: [", "- 7"})
    BOOST_TEST(!names_in(*load_bundle({write("3.yaml", text)})), text);
}

BOOST_AUTO_TEST_CASE(messages) {
  const auto message =
      parse_message_line(R"({"partition":3,"offset":5,"time":"T","value":{"value":1.10,"b":"}"}})");
  BOOST_REQUIRE(message);
  BOOST_TEST(message->partition == 3U);
  BOOST_TEST(message->offset == 5U);
  BOOST_TEST(message->value == R"({"value":1.10,"b":"}"})");
  // In another order it is the same, but for the spelling.
  BOOST_TEST(parse_message_line(R"({"value":{"a":1},"offset":5,"partition":3})")->value
             == R"({"a":1})");
  for (const char* text :
       {"", "7", "{}", R"({"partition":0,"offset":-1,"value":1})", R"({"partition":0,"offset":1})",
        R"({"partition":0,"offset":1,"value":)"})
    BOOST_TEST(!parse_message_line(text), text);
}

BOOST_AUTO_TEST_CASE(places) {
  const message_positions two{{0, 17}, {1, 4}};
  BOOST_TEST(positions_text(two) == "0:17,1:4");
  BOOST_TEST((parse_positions("0:17,1:4") == two));
  for (const char* text :
       {"", "0", "0:", ":1", "0:1,", "0:1,,1:2", "0:x", "a:1", "0:1;1:2", "-1:2"})
    BOOST_TEST(parse_positions(text).empty(), text);
}

BOOST_AUTO_TEST_SUITE_END()
