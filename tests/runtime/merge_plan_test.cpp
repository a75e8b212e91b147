#include "actors/runtime/merge_plan.hpp"

#include "actors/runtime/sorted_entries.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <tuple>

using namespace ebb; // NOLINT

namespace {

constexpr std::uint64_t mebi = 1 << 20;

/// `B100 m20 d3`: bases, merged and plain deltas with their MiB.
std::vector<segment_info> segments(const std::string& text) {
  std::vector<segment_info> result;
  std::size_t at = 0;
  while (at < text.size()) {
    auto end = text.find(' ', at);
    end = end == std::string::npos ? text.size() : end;
    segment_info x;
    x.kind = text[at] == 'B' ? segment_kind::base : segment_kind::delta;
    x.id = text[at] == 'B' ? "base-1" : text[at] == 'm' ? "merged-1" : "delta-1";
    x.bytes = std::stoull(text.substr(at + 1, end - at - 1)) * mebi;
    result.push_back(x);
    at = end + 1;
  }
  return result;
}

std::string times(std::size_t count, const std::string& what) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i)
    result += (i == 0 ? "" : " ") + what;
  return result;
}

snapshot_ptr snapshot(const std::vector<state_chunk::entry>& entries) {
  auto made = std::make_shared<subtask_snapshot>();
  for (const auto& x : entries)
    made->state.add(x);
  return made;
}

std::string text_of(const std::vector<segment_entry>& entries) {
  std::string result;
  for (const auto& x : entries) {
    const char* kind = x.kind == entry_kind::put ? "=" : x.kind == entry_kind::erase ? "-" : "*";
    result += std::to_string(x.key_group) + '/' + std::to_string(x.state) + '/' + std::string(x.key)
              + kind + std::string(x.value) + ' ';
  }
  return result;
}

} // namespace

BOOST_AUTO_TEST_CASE(merges_are_planned_by_size_and_number) {
  struct row {
    std::string what;
    std::size_t first, count;
    bool into_base;
  };

  const row rows[] = {
      {"", 0, 0, false},
      {"d1", 0, 0, false},
      {times(15, "d0"), 0, 0, false},
      {times(16, "d0"), 0, 16, false},           // few bytes, many files
      {"d900 d900 d900", 0, 0, false},           // too few to gain by it
      {"d3 d2 d2 d2", 0, 4, true},               // more than 8 MiB without a base
      {"B90 d9 d9 d9 d3", 0, 0, false},          // a third exactly
      {"B90 d9 d9 d9 d4", 0, 5, true},           // more than a third
      {"B60 B60 d30 d15 d1 d1", 0, 6, true},     // all bases count
      {"B900 " + times(16, "d1"), 1, 16, false}, // far from a third: only the deltas
      {"B900 m16 " + times(15, "d1"), 0, 0, false},
      {"B900 m16 " + times(17, "d1"), 2, 17, false},
      {"B900 " + times(16, "m16"), 1, 16, false}, // merged ones are merged again
      {"B900 " + times(19, "m16"), 0, 20, true},
  };
  for (const auto& x : rows) {
    const auto plan = plan_merge(segments(x.what));
    BOOST_TEST_CONTEXT(x.what) {
      BOOST_TEST(plan.count == x.count);
      if (x.count != 0) {
        BOOST_TEST(plan.first == x.first);
        BOOST_TEST(plan.into_base == x.into_base);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_grows_is_rewritten_when_it_has_doubled) {
  BOOST_TEST(plan_merge(segments("B90 d30 d30 d20 d10"), true).count == 0U);
  BOOST_TEST(plan_merge(segments("B90 d30 d30 d20 d11"), true).into_base);
  BOOST_TEST(plan_merge(segments("B900 " + times(16, "d9")), true).count == 16U);
  BOOST_TEST(merge_kept_most(1000, 1000));
  BOOST_TEST(merge_kept_most(1000, 875));
  BOOST_TEST(!merge_kept_most(1000, 874));
}

BOOST_AUTO_TEST_CASE(entries_of_snapshots_are_sorted_and_the_last_one_wins) {
  using kind = state_chunk::kind;
  const std::vector<snapshot_ptr> both{
      snapshot({{kind::put, 2, 1, "b", "1"},
                {kind::put, 1, 1, "z", "2"},
                {kind::put, 2, 1, "b", "3"},
                {kind::erase_prefix, 2, 1, "b", ""},
                {kind::put, 2, 0, "zz", "4"}}),
      snapshot({{kind::erase, 1, 1, "a", ""}, {kind::put, 0xffff, 0, "", "5"}}),
  };
  BOOST_TEST(text_of(sorted_entries(both)) == "1/1/a- 1/1/z=2 2/0/zz=4 2/1/b* 2/1/b=3 65535/0/=5 ");
  BOOST_TEST(sorted_entries({}).empty());
}

// Many entries take another way than few.
BOOST_AUTO_TEST_CASE(many_entries_are_sorted_as_few_are) {
  std::mt19937_64 random(7);
  for (const std::size_t count : {5'000U, 20'000U}) {
    std::vector<state_chunk::entry> entries;
    std::deque<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      // Common beginnings, zeros, keys that begin others, and equal keys.
      auto& key = texts.emplace_back(random() % 3 == 0 ? "" : std::string(random() % 20, '\0'));
      for (auto more = random() % 12; more-- != 0;)
        key += static_cast<char>(random() % 3 == 0 ? 0 : 'a' + random() % 2);
      const auto& value = texts.emplace_back(std::to_string(i));
      const auto what = random() % 8 == 0   ? state_chunk::kind::erase_prefix
                        : random() % 4 == 0 ? state_chunk::kind::erase
                                            : state_chunk::kind::put;
      const auto group = random() % 50 == 0 ? 0xffffU : random() % 3;
      entries.push_back({what, static_cast<std::uint16_t>(group),
                         static_cast<std::uint16_t>(random() % 2 * 300), key,
                         what == state_chunk::kind::put ? std::string_view(value) : ""});
    }
    const std::vector<snapshot_ptr> all{
        snapshot({entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count / 3)}),
        snapshot({entries.begin() + static_cast<std::ptrdiff_t>(count / 3), entries.end()})};
    using place = std::tuple<unsigned, unsigned, std::string, bool>;
    std::map<place, std::string> expected;
    for (const auto& x : entries) {
      const bool prefix = x.what == state_chunk::kind::erase_prefix;
      expected[{x.key_group, x.state, std::string(x.key), !prefix}] =
          x.what == state_chunk::kind::put ? '=' + std::string(x.value)
          : prefix                         ? "*"
                                           : "-";
    }
    const auto sorted = sorted_entries(all);
    BOOST_REQUIRE(sorted.size() == expected.size());
    auto next = expected.begin();
    for (const auto& x : sorted) {
      const bool prefix = x.kind == entry_kind::erase_prefix;
      const auto text = x.kind == entry_kind::put ? '=' + std::string(x.value) : prefix ? "*" : "-";
      BOOST_REQUIRE((next->first == place{x.key_group, x.state, std::string(x.key), !prefix}));
      BOOST_REQUIRE(next->second == text);
      ++next;
    }
  }
}

BOOST_AUTO_TEST_CASE(chunks_keep_entries_of_any_size) {
  state_chunk chunk;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < 10'000; ++i)
    values.push_back(std::string(i % 777 == 0 ? 300'000 : i % 50, static_cast<char>('a' + i % 26)));
  for (std::size_t i = 0; i < values.size(); ++i)
    chunk.add(
        {state_chunk::kind::put, static_cast<std::uint16_t>(i), 3, std::to_string(i), values[i]});
  BOOST_REQUIRE(chunk.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto x = chunk.at(i);
    BOOST_REQUIRE(x.key == std::to_string(i));
    BOOST_REQUIRE(x.value == values[i]);
    BOOST_REQUIRE(x.key_group == i);
  }
}
