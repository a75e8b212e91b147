#include "k8s-bridge/client/line_splitter.hpp"
#include "k8s-bridge/client/resource_mirror.hpp"
#include "k8s-bridge/client/token_bucket.hpp"
#include "tests/k8s/model_api.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

namespace ebb::test {

namespace {

const std::string here = "/apis/x/v1/namespaces/a/things";

struct watched {
  explicit watched(std::uint32_t seed = 1, std::uint32_t page = 2)
      : api(seed), calls(api),
        mirror(calls,
               {"things", "/apis/x/v1/things", "", page, 1 << 20, 300 * micros_per_second, {}},
               {[this](const std::string& key, const kube_object* now) {
                  told.push_back((now == nullptr ? "-" : "+") + key);
                },
                [this] { ++synced; },
                [this](const error* why) { why == nullptr ? ++healed : ++problems; }}) {}

  void put(const std::string& name, int value = 0) {
    api.put(here, {{"metadata", {{"name", name}, {"namespace", "a"}}}, {"spec", {{"v", value}}}});
  }

  /// The mirror has what the server has.
  void agree() {
    std::map<std::string, std::string> want;
    for (const auto& x : api.all("things"))
      want["a/" + text_at(x, {"metadata", "name"})] = text_at(x, {"metadata", "uid"});
    std::map<std::string, std::string> have;
    for (const auto& [key, x] : mirror.all())
      have[key] = x.uid;
    BOOST_TEST((want == have));
  }

  model_api api;
  kube_calls calls;
  std::vector<std::string> told;
  int synced = 0;
  int problems = 0;
  int healed = 0;
  resource_mirror mirror;
};

} // namespace

BOOST_AUTO_TEST_CASE(lists_in_pages_then_watches) {
  watched x;
  for (const auto* name : {"p", "q", "r", "s", "t"})
    x.put(name);
  x.mirror.start();
  BOOST_TEST(x.api.run_until(micros_per_second));
  BOOST_TEST(x.synced == 1);
  BOOST_TEST(x.told.size() == 5U);
  x.put("u");
  x.put("p", 1);
  x.api.erase(here, "q");
  BOOST_TEST(x.api.run_until(2 * micros_per_second));
  BOOST_TEST(x.told.size() == 8U);
  BOOST_TEST(x.told[7] == "-a/q");
  x.agree();
}

BOOST_AUTO_TEST_CASE(one_that_was_replaced_is_told_as_gone_first) {
  watched x;
  x.put("p");
  x.mirror.start();
  BOOST_TEST(x.api.run_until(micros_per_second));
  x.api.faults.watch_expired = 1;
  x.api.faults.watch_cut = 1;
  x.api.erase(here, "p");
  x.put("p");
  x.api.faults = {};
  BOOST_TEST(x.api.run_until(60 * micros_per_second));
  BOOST_TEST(x.told == (std::vector<std::string>{"+a/p", "-a/p", "+a/p"}),
             boost::test_tools::per_element());
  x.agree();
}

BOOST_AUTO_TEST_CASE(deletions_during_a_gap_are_noticed) {
  watched x;
  for (int i = 0; i < 20; ++i)
    x.put("o" + std::to_string(i));
  x.mirror.start();
  BOOST_TEST(x.api.run_until(micros_per_second));
  x.api.down = true;
  x.put("cut"); // breaks the watch
  BOOST_TEST(x.api.run_until(5 * micros_per_second));
  for (int i = 0; i < 20; i += 2)
    x.api.erase(here, "o" + std::to_string(i));
  // More than the history holds: 410.
  for (int i = 0; i < 300; ++i)
    x.put("o1", i);
  BOOST_TEST(x.api.run_until(300 * micros_per_second));
  BOOST_TEST(x.problems == 1);
  x.api.down = false;
  BOOST_TEST(x.api.run_until(400 * micros_per_second));
  BOOST_TEST(x.healed == 1);
  x.agree();
}

BOOST_AUTO_TEST_CASE(every_fault_leads_to_the_same_end) {
  for (std::uint32_t seed = 1; seed <= 100; ++seed)
    BOOST_TEST_CONTEXT("seed " << seed) {
      watched x(seed);
      x.api.faults = {0, 0.2, 0.1, 0.1, 0.2, 0.2, 0.2};
      x.mirror.start();
      for (int i = 0; i < 100; ++i) {
        const auto name = "o" + std::to_string(i * 7 % 10);
        if (i % 3 == 2)
          x.api.erase(here, name);
        else
          x.put(name, i);
        BOOST_REQUIRE(x.api.run_until((i + 1) * micros_per_second));
      }
      BOOST_TEST(x.api.calls() < 300U); // in 100 s
      x.api.faults = {};
      BOOST_REQUIRE(x.api.run_until(300 * micros_per_second));
      x.agree();
    }
}

BOOST_AUTO_TEST_CASE(lines_in_pieces) {
  line_splitter x(10);
  std::vector<std::string> lines;
  const auto take = [&](std::string_view line) {
    lines.emplace_back(line);
    return line != "stop";
  };
  BOOST_TEST(x.add("ab", take));
  BOOST_TEST(x.add("c\nde\n\nf", take));
  BOOST_TEST(x.add("g\n", take));
  BOOST_TEST(lines == (std::vector<std::string>{"abc", "de", "fg"}),
             boost::test_tools::per_element());
  BOOST_TEST(!x.add("stop\nmore\n", take));
  BOOST_TEST(!line_splitter(3).add("abcd", take));
  BOOST_TEST(!line_splitter(3).add("abcd\n", take));
}

BOOST_AUTO_TEST_CASE(so_many_calls_a_second) {
  token_bucket x(10, 2);
  BOOST_TEST(x.take(0) == 0);
  BOOST_TEST(x.take(0) == 0);
  const auto pause = x.take(0);
  BOOST_TEST(pause > 90'000);
  BOOST_TEST(x.take(pause) == 0);
  x.pause(10 * micros_per_second);
  BOOST_TEST(x.take(5 * micros_per_second) == 5 * micros_per_second);
}

BOOST_AUTO_TEST_CASE(json_that_is_too_deep_is_none) {
  BOOST_TEST(!parse_kube_json(std::string(1000, '[') + std::string(1000, ']')));
  BOOST_TEST(!parse_kube_json("{"));
  BOOST_TEST(!!parse_kube_json(std::string(60, '[') + std::string(60, ']')));
}

} // namespace ebb::test
