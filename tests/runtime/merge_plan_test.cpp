#include "actors/runtime/merge_plan.hpp"

#include "actors/runtime/sorted_entries.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

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
      {"d9", 0, 1, true},                        // more than 8 MiB without a base
      {"B90 d30", 0, 0, false},                  // a third exactly
      {"B90 d31", 0, 2, true},                   // more than a third
      {"B60 B60 d30 d15", 0, 4, true},           // all bases count
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
