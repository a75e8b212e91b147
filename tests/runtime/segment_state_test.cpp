/// Restored state as segments hold it.
#include "actors/runtime/segment_state.hpp"

#include "tests/storage/storage_support.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>

using namespace ebb; // NOLINT
using namespace storage_test;

namespace {

using place = std::tuple<std::uint16_t, std::uint16_t, std::string>;

place place_of(const state_place& x) {
  return {x.key_group, x.state, x.key};
}

/// A base of 20,000 entries in 8 groups, and a delta that changes, removes and adds some.
struct two_segments {
  two_segments() {
    std::vector<row> base;
    for (std::uint16_t group = 0; group < 8; ++group)
      for (int i = 0; i < 2500; ++i) {
        const auto key = fmt::format("k{:05}", i);
        base.push_back({group, 16, key, std::string(60, static_cast<char>('a' + i % 20))});
        expected[{group, 16, key}] = base.back().value;
      }
    std::vector<row> delta;
    for (std::uint16_t group = 0; group < 8; ++group) {
      row gone{group, 16, "k000", ""};
      gone.kind = entry_kind::erase_prefix;
      delta.push_back(gone);
      std::erase_if(expected, [&](const auto& x) {
        return std::get<0>(x.first) == group && std::get<2>(x.first).starts_with("k000");
      });
      row erased{group, 16, "k01000", ""};
      erased.kind = entry_kind::erase;
      delta.push_back(erased);
      expected.erase({group, 16, "k01000"});
      delta.push_back({group, 16, "k01001", "changed"});
      expected[{group, 16, "k01001"}] = "changed";
      delta.push_back({group, 17, std::string(600, 'x'), "long"});
      expected[{group, 17, std::string(600, 'x')}] = "long";
    }
    for (const auto& [name, rows, kind] : {std::tuple("base", base, segment_kind::base),
                                           std::tuple("delta", delta, segment_kind::delta)}) {
      auto id = identity(kind, from.segments.size() + 1);
      from.segments.push_back(write_segment(folder.file(name), rows, id));
      from.stream_uid = id.stream_uid;
      from.key_groups = id.key_groups;
    }
    from.folder = folder.path();
  }

  std::unique_ptr<stored_state> open(bool verify = false) {
    return value_of(open_segments(from, verify, [this] { ++damaged; }));
  }

  temporary_folder folder;
  recorded_segments from;
  std::map<place, std::string> expected;
  int damaged = 0;
};

std::map<place, std::string> read_parts(stored_state& state,
                                        const std::vector<state_place>& bounds) {
  std::map<place, std::string> all;
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    state_chunk entries;
    BOOST_REQUIRE(bool(state.read(bounds[i], bounds[i + 1], entries)));
    for (std::size_t k = 0; k < entries.size(); ++k) {
      const auto x = entries.at(k);
      const place at{x.key_group, x.state, std::string(x.key)};
      BOOST_REQUIRE(place_of(bounds[i]) <= at);
      BOOST_REQUIRE(at < place_of(bounds[i + 1]));
      BOOST_REQUIRE(all.emplace(at, x.value).second);
    }
  }
  return all;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segment_states)

BOOST_AUTO_TEST_CASE(parts_add_up_to_the_live_entries) {
  two_segments x;
  const auto state = x.open();
  const state_place from{0, 0, {}};
  const state_place to{8, 0, {}};
  auto bounds = state->cuts(from, to);
  BOOST_TEST(bounds.size() > 8U);
  BOOST_TEST(std::is_sorted(bounds.begin(), bounds.end(), [](const auto& a, const auto& b) {
    return place_of(a) < place_of(b);
  }));
  bounds.insert(bounds.begin(), from);
  bounds.push_back(to);
  BOOST_TEST((read_parts(*state, bounds) == x.expected));
  // Another view, and only some key groups.
  const auto other = value_of(state->reopen());
  const auto some = read_parts(*other, {{3, 0, {}}, {5, 0, {}}});
  BOOST_TEST(some.size() == x.expected.size() / 4);
  for (const auto& cut : other->cuts({3, 0, {}}, {5, 0, {}}))
    BOOST_TEST((cut.key_group == 3 || cut.key_group == 4));
}

BOOST_AUTO_TEST_CASE(finds_one_entry) {
  two_segments x;
  const auto state = x.open();
  state_chunk entries;
  BOOST_REQUIRE(bool(state->read_one({2, 16, "k01001"}, entries)));
  BOOST_REQUIRE(bool(state->read_one({2, 16, "k01000"}, entries)));
  BOOST_REQUIRE(bool(state->read_one({2, 16, "k00001"}, entries)));
  BOOST_REQUIRE(bool(state->read_one({2, 17, std::string(600, 'x')}, entries)));
  BOOST_REQUIRE(entries.size() == 2U);
  BOOST_TEST(entries.at(0).value == "changed");
  BOOST_TEST(entries.at(1).value == "long");
}

BOOST_AUTO_TEST_CASE(stays_readable_when_its_files_are_removed) {
  two_segments x;
  const auto state = x.open();
  for (const auto& segment : x.from.segments)
    std::filesystem::remove(x.folder.file(segment.id));
  BOOST_TEST((read_parts(*state, {{0, 0, {}}, {8, 0, {}}}) == x.expected));
}

BOOST_AUTO_TEST_CASE(damage_is_told_when_it_is_read_and_not_before) {
  two_segments x;
  {
    std::fstream file(x.folder.file("base"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(x.from.segments[0].bytes / 2));
    file.put('\x5a');
  }
  BOOST_TEST(!open_segments(x.from, true, {}));
  const auto state = x.open();
  state_chunk entries;
  BOOST_TEST(bool(state->read_one({0, 16, "k01001"}, entries)));
  BOOST_TEST(x.damaged == 0);
  const auto read = state->read({0, 0, {}}, {8, 0, {}}, entries);
  BOOST_REQUIRE(!read);
  BOOST_TEST((read.error().code == ec::corrupt));
  BOOST_TEST(read.error().hint.find("start again") != std::string::npos);
  BOOST_TEST(x.damaged == 1);
}

BOOST_AUTO_TEST_SUITE_END()
