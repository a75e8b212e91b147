#include "storage/merge.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <map>
#include <random>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

using key_of_state = std::tuple<std::uint16_t, std::uint16_t, std::string>;

// What the merge should know, kept the simple way.
class naive_state {
public:
  void apply(const row& x) {
    if (x.kind == entry_kind::put)
      live_[{x.key_group, x.state, x.key}] = x.value;
    else if (x.kind == entry_kind::erase)
      live_.erase({x.key_group, x.state, x.key});
    else
      std::erase_if(live_, [&](const auto& e) {
        return std::get<0>(e.first) == x.key_group && std::get<1>(e.first) == x.state
               && std::get<2>(e.first).starts_with(x.key);
      });
  }

  // Sorted as segments sort, prefixes first: they act on older segments.
  void apply_segment(const std::vector<row>& rows) {
    for (const auto& x : rows)
      if (x.kind == entry_kind::erase_prefix)
        apply(x);
    for (const auto& x : rows)
      if (x.kind != entry_kind::erase_prefix)
        apply(x);
  }

  std::map<key_of_state, std::string> live_;
};

class segment_family {
public:
  void add(std::vector<row> rows, segment_kind kind = segment_kind::delta) {
    const auto name = fmt::format("{}.{}", infos_.size(), to_string(kind));
    infos_.push_back(write_segment(folder_.file(name), rows, identity(kind, infos_.size() + 1)));
    expected_.apply_segment(rows);
  }

  [[nodiscard]] merged_state open() const {
    return open(infos_);
  }

  [[nodiscard]] merged_state open(const std::vector<segment_info>& infos) const {
    std::vector<std::shared_ptr<segment_reader>> readers;
    for (const auto& x : infos)
      readers.push_back(value_of(segment_reader::open(folder_.file(x.id), expect(x))));
    return merged_state{std::move(readers)};
  }

  merge_request request(segment_kind kind, const std::string& prefix,
                        std::uint64_t target = 1 << 30) const {
    return {folder_.path(), identity(kind, 99),
            [prefix](std::size_t n) { return fmt::format("{}-{}", prefix, n); }, target};
  }

  void check(const merged_state& state) const {
    std::map<key_of_state, std::string> read;
    auto cursor = value_of(state.scan(0, 127));
    key_of_state last;
    while (value_of(cursor.next())) {
      const auto& x = cursor.entry();
      key_of_state key{x.key_group, x.state, x.key};
      BOOST_REQUIRE(read.empty() || last < key);
      last = key;
      read[key] = x.value;
    }
    BOOST_TEST(read.size() == expected_.live_.size());
    BOOST_TEST((read == expected_.live_));
    for (const auto& [key, value] : expected_.live_) {
      const auto& [group, number, text] = key;
      const auto got = value_of(state.get(group, number, text));
      BOOST_REQUIRE(got);
      BOOST_REQUIRE(got->value == value);
    }
  }

  temporary_folder folder_;
  std::vector<segment_info> infos_;
  naive_state expected_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(merges)

BOOST_AUTO_TEST_CASE(nothing_merges_to_nothing) {
  segment_family family;
  family.check(family.open());
  const auto merged =
      value_of(merge_segments(family.open(), family.request(segment_kind::base, "b")));
  BOOST_REQUIRE_EQUAL(merged.size(), 1);
  BOOST_TEST(merged[0].entries == 0);
  BOOST_TEST(merged[0].first_key_group == 0);
  BOOST_TEST(merged[0].last_key_group == 127);
  family.check(family.open(merged));
}

BOOST_AUTO_TEST_CASE(newest_wins_and_erases_apply) {
  segment_family family;
  family.add({{1, 1, "a", "old"},
              {1, 1, "b", "old"},
              {1, 1, "c", "old"},
              {1, 1, "pane/1", "old"},
              {1, 1, "pane/2", "old"},
              {2, 1, "pane/1", "old"}},
             segment_kind::base);
  family.add({{1, 1, "a", "new"}, {1, 1, "b", "", entry_kind::erase}});
  family.add({{1, 1, "pane/", "", entry_kind::erase_prefix}, {1, 1, "pane/2", "again"}});
  family.add({{1, 1, "b", "back"}, {1, 1, "d", "", entry_kind::erase}});
  const auto state = family.open();
  family.check(state);
  BOOST_TEST(value_of(state.get(1, 1, "a"))->value == "new");
  BOOST_TEST(value_of(state.get(1, 1, "b"))->value == "back");
  BOOST_TEST(!value_of(state.get(1, 1, "pane/1")));
  BOOST_TEST(value_of(state.get(1, 1, "pane/2"))->value == "again");
  BOOST_TEST(value_of(state.get(2, 1, "pane/1"))->value == "old");
  BOOST_TEST(!value_of(state.get(1, 1, "d")));
  auto cursor = value_of(state.scan(0, 127));
  require(cursor.seek(1, 1, "bb"));
  BOOST_REQUIRE(value_of(cursor.next()));
  BOOST_TEST(cursor.entry().key == "c");
}

BOOST_AUTO_TEST_CASE(entries_of_dropped_states_are_left_behind) {
  for (const auto kind : {segment_kind::base, segment_kind::delta}) {
    segment_family family;
    family.add({{1, 1, "a", "1"}, {1, 4, "a", "4"}, {9, 4, "b", "4"}, {9, 5, "b", "5"}},
               segment_kind::base);
    family.add({{1, 4, "", "", entry_kind::erase_prefix}, {1, 4, "c", "4"}, {3, 4, "d", "4"}});
    family.add({{9, 1, "e", "1"}, {9, 4, "b", "", entry_kind::erase}});
    auto request = family.request(kind, "m");
    request.dropped = {false, false, false, false, true};
    const auto merged = value_of(merge_segments(family.open(), std::move(request)));
    std::erase_if(family.expected_.live_, [](const auto& x) { return std::get<1>(x.first) == 4; });
    family.check(family.open(merged));
    BOOST_TEST(merged.front().entries == 3U);
    BOOST_TEST(family.open(merged).segments().front()->hidden().empty());
  }
}

BOOST_AUTO_TEST_CASE(random_histories_equal_the_simple_model) {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937 random{seed};
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    segment_family family;
    for (unsigned segment = 0; segment < 1 + seed; ++segment) {
      std::map<key_of_state, row> rows;
      std::vector<row> all;
      for (unsigned i = 0; i < 400; ++i) {
        row x{static_cast<std::uint16_t>(below(4) * 40), static_cast<std::uint16_t>(below(3)),
              fmt::format("{}/{:02}", below(6), below(60)), std::to_string(random())};
        if (seed % 3 == 0 && below(9) == 0)
          x.key = std::string(480 + below(8), 'l') + x.key;
        if (below(4) == 0) {
          x.kind = entry_kind::erase;
          x.value.clear();
        }
        rows[{x.key_group, x.state, x.key}] = x;
      }
      for (unsigned i = 0; i < below(4); ++i)
        all.push_back({static_cast<std::uint16_t>(below(4) * 40),
                       static_cast<std::uint16_t>(below(3)), fmt::format("{}/", below(6)), "",
                       entry_kind::erase_prefix});
      for (const auto& [key, x] : rows)
        all.push_back(x);
      family.add(all, segment == 0 ? segment_kind::base : segment_kind::delta);
    }
    // Long keys sort by hash: the order check of `check` is for the others.
    if (seed % 3 != 0)
      family.check(family.open());

    // All into bases, split by key group.
    auto bases =
        value_of(merge_segments(family.open(), family.request(segment_kind::base, "base", 1)));
    BOOST_TEST(bases.size() > 1);
    BOOST_TEST(bases.front().first_key_group == 0);
    BOOST_TEST(bases.back().last_key_group == 127);
    std::uint64_t entries = 0;
    for (std::size_t i = 0; i < bases.size(); ++i) {
      entries += bases[i].entries;
      if (i != 0)
        BOOST_TEST(bases[i].first_key_group == bases[i - 1].last_key_group + 1);
    }
    BOOST_TEST(entries == family.expected_.live_.size());
    if (seed % 3 != 0)
      family.check(family.open(bases));

    // The deltas into one delta: the base below it must look the same.
    if (family.infos_.size() > 2) {
      const auto deltas =
          value_of(merge_segments(family.open({family.infos_.begin() + 1, family.infos_.end()}),
                                  family.request(segment_kind::delta, "delta")));
      BOOST_REQUIRE_EQUAL(deltas.size(), 1);
      const auto both = family.open({family.infos_.front(), deltas.front()});
      if (seed % 3 != 0)
        family.check(both);
      for (const auto& [key, value] : family.expected_.live_)
        BOOST_REQUIRE(
            value_of(both.get(std::get<0>(key), std::get<1>(key), std::get<2>(key)))->value
            == value);
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unfinished_merge_leaves_nothing) {
  segment_family family;
  std::vector<row> rows;
  for (std::uint16_t group = 0; group < 100; ++group)
    rows.push_back({group, 1, "k", std::string(1'000, 'v')});
  family.add(rows);
  const auto before = value_of(list_files(family.folder_.path()));
  {
    segment_merge merge{family.open(), family.request(segment_kind::base, "b", 5'000)};
    BOOST_TEST(!value_of(merge.step(50)));
    BOOST_TEST(value_of(list_files(family.folder_.path())).size() > before.size());
  }
  BOOST_TEST(value_of(list_files(family.folder_.path())) == before);
}

BOOST_AUTO_TEST_CASE(a_damaged_input_stops_the_merge) {
  segment_family family;
  std::vector<row> rows;
  for (int i = 0; i < 5'000; ++i)
    rows.push_back({1, 1, fmt::format("{:05}", i), std::string(100, 'v')});
  family.add(rows);
  auto state = family.open();
  auto bytes = read_file(family.folder_.file("0.delta"));
  bytes[5 * segment_block_bytes + 77] ^= 4;
  write_file(family.folder_.file("0.delta"), bytes);
  auto merged = merge_segments(std::move(state), family.request(segment_kind::base, "b"));
  BOOST_REQUIRE(!merged);
  BOOST_CHECK(merged.error().code == ec::corrupt);
  BOOST_TEST(value_of(list_files(family.folder_.path())).size() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
