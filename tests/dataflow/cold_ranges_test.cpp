/// What of a restored state is read, and when.
#include "actors/dataflow/cold_ranges.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace ebb; // NOLINT

namespace {

/// `1/2/k`.
std::string text(const state_place& x) {
  return std::to_string(x.key_group) + '/' + std::to_string(x.state) + '/' + x.key;
}

std::string text(const std::vector<cold_span>& spans) {
  std::string all;
  for (const auto& x : spans)
    all += (all.empty() ? "" : " ") + text(x.from) + ".." + text(x.to);
  return all;
}

std::string take(cold_ranges& x, std::size_t most = 100) {
  return text(x.take(most));
}

/// Groups 2 to 4, cut at 2/1/m, 3/0/, 3/1/m and 4/1/m.
cold_ranges some() {
  return {{2, 0, {}}, {{2, 1, "m"}, {3, 0, {}}, {3, 1, "m"}, {4, 1, "m"}}, {5, 0, {}}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(cold_state)

BOOST_AUTO_TEST_CASE(reads_the_range_of_a_key_once) {
  auto x = some();
  BOOST_TEST(take(x) == "");
  BOOST_TEST(x.ready());
  x.want(2, 1, "a");
  x.want(2, 0, "z");
  BOOST_TEST(!x.ready());
  const auto spans = x.take(100);
  BOOST_TEST(text(spans) == "2/0/..2/1/m");
  BOOST_TEST(take(x) == "");
  x.want(2, 1, "b"); // it is on its way
  BOOST_TEST(take(x) == "");
  BOOST_TEST(!x.ready());
  x.loaded(spans[0]);
  BOOST_TEST(x.ready());
  x.want(2, 1, "a");
  BOOST_TEST(x.ready());
  BOOST_TEST(!x.complete());
}

BOOST_AUTO_TEST_CASE(a_cut_keeps_a_key_from_bringing_neighbours) {
  auto x = some();
  x.cut({2, 1, {}});
  x.cut({2, 1, "m"}); // is one
  x.cut({2, 0, {}});  // the ends are none
  x.cut({5, 0, {}});
  x.cut({1, 0, {}});
  x.want(2, 1, "a");
  BOOST_TEST(take(x) == "2/1/..2/1/m");
  x.want_span({2, 0, {}}, {2, 1, {}});
  BOOST_TEST(take(x) == "2/0/..2/1/");
}

BOOST_AUTO_TEST_CASE(a_key_that_begins_a_range_belongs_to_it) {
  auto x = some();
  x.want(2, 1, "m");
  BOOST_TEST(take(x) == "2/1/m..3/0/");
  x.want(2, 1, "ma");
  BOOST_TEST(take(x) == "");
  x.want(4, 1, "z");
  BOOST_TEST(take(x) == "4/1/m..5/0/");
}

BOOST_AUTO_TEST_CASE(neighbours_are_one_span_and_others_come_in_order) {
  auto x = some();
  x.want(4, 1, "z");
  x.want(2, 1, "z");
  x.want(3, 0, "a");
  BOOST_TEST(take(x, 2) == "2/1/m..3/1/m");
  BOOST_TEST(take(x, 2) == "4/1/m..5/0/");
}

BOOST_AUTO_TEST_CASE(a_span_is_read_without_what_lies_beside_it) {
  auto x = some();
  x.want_span({4, 1, "q"}, {4, 1, "q"}); // nothing
  BOOST_TEST(x.ready());
  x.want_span({3, 1, "c"}, {3, 1, "f"});
  auto spans = x.take(100);
  BOOST_TEST(text(spans) == "3/1/c..3/1/f");
  for (const auto& s : spans)
    x.loaded(s);
  BOOST_TEST(x.ready());
  x.want(3, 1, "d");
  BOOST_TEST(x.ready());
  x.want(3, 1, "b");
  BOOST_TEST(take(x) == "3/0/..3/1/c");
  x.want(3, 1, "f");
  BOOST_TEST(take(x) == "3/1/f..3/1/m");
  // Over several ranges, of which some are taken.
  x.want_span({3, 1, {}}, {4, 0, {}});
  BOOST_TEST(take(x) == "3/1/m..4/0/");
}

BOOST_AUTO_TEST_CASE(says_when_a_group_is_loaded) {
  auto x = some();
  BOOST_TEST(!x.loaded(2));
  x.want(2, 1, "m");
  for (const auto& s : x.take(100))
    x.loaded(s);
  BOOST_TEST(!x.loaded(2));
  x.want(2, 0, {});
  for (const auto& s : x.take(100))
    x.loaded(s);
  BOOST_TEST(x.loaded(2));
  BOOST_TEST(!x.loaded(3));
}

BOOST_AUTO_TEST_CASE(goes_on_by_itself_once_a_quarter_has_been_wanted) {
  std::vector<state_place> cuts;
  for (std::uint16_t i = 1; i < 8; ++i)
    cuts.push_back({0, i, {}});
  cold_ranges x({0, 0, {}}, cuts, {1, 0, {}});
  x.want(0, 5, {});
  auto spans = x.take(3);
  BOOST_TEST(text(spans) == "0/5/..0/6/");
  BOOST_TEST(take(x, 3) == "");
  x.want(0, 2, {});
  BOOST_TEST(take(x, 3) == "0/2/..0/3/");
  // The wanted first.
  auto rest = x.take(3);
  BOOST_TEST(text(rest) == "0/0/..0/2/ 0/3/..0/4/");
  x.want(0, 7, {});
  BOOST_TEST(take(x, 3) == "0/7/..1/0/");
  BOOST_TEST(take(x, 3) == "0/4/..0/5/ 0/6/..0/7/");
  BOOST_TEST(take(x, 3) == "");
  BOOST_TEST(!x.complete());
}

BOOST_AUTO_TEST_CASE(every_place_is_read_exactly_once) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto place = [&] {
      return state_place{static_cast<std::uint16_t>(random() % 3),
                         static_cast<std::uint16_t>(random() % 3),
                         std::string(random() % 2, static_cast<char>('a' + random() % 5))};
    };
    const auto order = [](const state_place& p) { return std::tuple(p.key_group, p.state, p.key); };
    std::vector<state_place> cuts;
    for (auto i = random() % 12; i-- > 0;)
      cuts.push_back(place());
    cold_ranges x({0, 0, {}}, cuts, {3, 0, {}});
    std::set<std::tuple<std::uint16_t, std::uint16_t, std::string>> left;
    for (std::uint16_t group = 0; group < 3; ++group)
      for (std::uint16_t state = 0; state < 3; ++state)
        for (const char* key : {"", "a", "ab", "b", "c", "d", "e", "ez"})
          left.emplace(group, state, key);
    std::vector<cold_span> open;
    for (int i = 0; i < 400 && !x.complete(); ++i) {
      std::vector<state_place> wanted;
      if (random() % 2 == 0) {
        const auto p = place();
        x.want(p.key_group, p.state, p.key);
        wanted.push_back(p);
      } else {
        auto from = place();
        auto to = place();
        if (order(to) < order(from))
          std::swap(from, to);
        x.want_span(from, to);
      }
      for (auto& s : x.take(1 + random() % 4))
        open.push_back(std::move(s));
      std::shuffle(open.begin(), open.end(), random);
      while (!open.empty() && random() % 3 != 0) {
        const auto s = open.back();
        open.pop_back();
        x.loaded(s);
        for (auto p = left.lower_bound(order(s.from)); p != left.end() && *p < order(s.to);)
          p = left.erase(p);
      }
      if (x.ready())
        for (const auto& p : wanted)
          BOOST_REQUIRE(left.count(order(p)) == 0);
      for (std::uint16_t group = 0; group < 3; ++group)
        if (x.loaded(group)) {
          const auto first = left.lower_bound({group, 0, {}});
          BOOST_REQUIRE(first == left.end() || std::get<0>(*first) != group);
        }
    }
    BOOST_REQUIRE(x.complete() == (left.empty() && open.empty()));
  }
}

BOOST_AUTO_TEST_SUITE_END()
