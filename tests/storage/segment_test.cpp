#include "storage/key_filter.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

std::vector<row> many_rows(std::size_t count, std::size_t value_bytes) {
  std::vector<row> rows;
  for (std::size_t i = 0; i < count; ++i)
    rows.push_back({static_cast<std::uint16_t>(i * 128 / count), 3, fmt::format("key-{:08}", i),
                    std::string(value_bytes, static_cast<char>('a' + i % 26))});
  return rows;
}

void check_round_trip(const std::vector<row>& rows) {
  temporary_folder folder;
  const auto info = write_segment(folder.file("one.delta"), rows);
  BOOST_TEST(info.entries == rows.size());
  BOOST_TEST(info.bytes == std::filesystem::file_size(folder.file("one.delta")));
  auto reader = value_of(segment_reader::open(folder.file("one.delta"), expect(info)));
  BOOST_TEST((reader->info() == info));
  const auto read = all_rows(*reader);
  BOOST_REQUIRE_EQUAL(read.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    BOOST_REQUIRE_EQUAL(read[i], rows[i]);
  // A fresh reader verifies on the way of each single key.
  for (std::size_t i = 0; i < rows.size(); i += 1 + rows.size() / 50) {
    auto fresh = value_of(segment_reader::open(folder.file("one.delta"), expect(info)));
    const auto got = value_of(fresh->get(rows[i].key_group, rows[i].state, rows[i].key));
    BOOST_REQUIRE(got.has_value());
    BOOST_REQUIRE_EQUAL(row_of(*got), rows[i]);
    BOOST_TEST(!value_of(fresh->get(rows[i].key_group, rows[i].state, rows[i].key + "x")));
  }
  require(reader->verify_all());
}

} // namespace

BOOST_AUTO_TEST_SUITE(segments)

BOOST_AUTO_TEST_CASE(empty_segment) {
  check_round_trip({});
}

BOOST_AUTO_TEST_CASE(few_entries_of_each_kind) {
  check_round_trip({{0, 0, "", "empty key"},
                    {0, 0, "a", ""},
                    {0, 0, std::string("a\0", 2), "zero byte"},
                    {0, 0, "ab", "1", entry_kind::put, 7},
                    {0, 1, "a", "", entry_kind::erase},
                    {1, 0, "\xff\xff", "high"},
                    {127, 65535, "z", "last"}});
}

BOOST_AUTO_TEST_CASE(trees_of_several_levels) {
  check_round_trip(many_rows(1, 64));
  check_round_trip(many_rows(300, 64));
  check_round_trip(many_rows(60'000, 64));
}

BOOST_AUTO_TEST_CASE(large_values_and_several_commits) {
  check_round_trip(many_rows(40, 3'000));
  check_round_trip(many_rows(30, 70'000));
  check_round_trip(many_rows(25, 2'000'000)); // 50 MB: three commits
  check_round_trip(many_rows(150'000, 300));  // leaves that later commits copy
}

BOOST_AUTO_TEST_CASE(keys_up_to_and_beyond_the_limit) {
  std::vector<row> rows;
  for (const std::size_t size : {0, 1, 470, 474, 475, 476, 511, 512, 4'096, 65'536}) {
    const auto key = std::string(size, 'k');
    rows.push_back({5, 1, key, "value of " + std::to_string(size)});
  }
  temporary_folder folder;
  const auto info = write_segment(folder.file("long.delta"), rows);
  auto reader = value_of(segment_reader::open(folder.file("long.delta"), expect(info)));
  for (const auto& x : rows)
    BOOST_TEST(value_of(reader->get(5, 1, x.key))->value == x.value);
  BOOST_TEST(!value_of(reader->get(5, 1, std::string(513, 'k'))));
  auto read = all_rows(*reader);
  std::sort(read.begin(), read.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  BOOST_TEST(read == rows);
}

BOOST_AUTO_TEST_CASE(scans_of_key_group_ranges_and_seeks) {
  const auto rows = many_rows(5'000, 100);
  temporary_folder folder;
  const auto info = write_segment(folder.file("s.base"), rows, identity(segment_kind::base));
  for (const auto& [first, last] : {std::pair{0, 0}, {3, 17}, {127, 127}, {50, 127}}) {
    auto reader = value_of(segment_reader::open(folder.file("s.base"), expect(info)));
    std::vector<row> wanted;
    for (const auto& x : rows)
      if (x.key_group >= first && x.key_group <= last)
        wanted.push_back(x);
    BOOST_TEST(
        all_rows(*reader, static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last))
        == wanted);
  }
  auto reader = value_of(segment_reader::open(folder.file("s.base"), expect(info)));
  auto cursor = value_of(reader->scan(0, 127));
  cursor.seek(rows[777].key_group, 3, rows[777].key + "-");
  BOOST_REQUIRE(value_of(cursor.next()));
  BOOST_TEST(row_of(cursor.entry()) == rows[778]);
  cursor.seek(127, 4, "");
  BOOST_TEST(!value_of(cursor.next()));
}

BOOST_AUTO_TEST_CASE(erased_prefixes_hide_keys_of_older_segments) {
  temporary_folder folder;
  std::vector<row> rows{{1, 2, "pane-1/", "", entry_kind::erase_prefix},
                        {1, 2, "pane-1/a", "written again"},
                        {1, 2, "pane-1/xy", "", entry_kind::erase_prefix},
                        {1, 2, "pane-3", "", entry_kind::erase_prefix},
                        {2, 2, std::string(600, 'p'), "", entry_kind::erase_prefix},
                        {3, 0, "", "", entry_kind::erase_prefix}};
  const auto info = write_segment(folder.file("d.delta"), rows);
  BOOST_TEST(info.entries == 5); // one prefix covers another
  auto reader = value_of(segment_reader::open(folder.file("d.delta"), expect(info)));
  BOOST_TEST(all_rows(*reader) == (std::vector<row>{rows[1]}));
  const auto& hidden = reader->hidden();
  const auto check = [&](std::uint16_t group, std::uint16_t state, const std::string& key) {
    return hidden.covers(group, state, key);
  };
  BOOST_TEST(check(1, 2, "pane-1/"));
  BOOST_TEST(check(1, 2, "pane-1/zzz"));
  BOOST_TEST(check(1, 2, "pane-3"));
  BOOST_TEST(check(1, 2, "pane-30"));
  BOOST_TEST(check(2, 2, std::string(601, 'p')));
  BOOST_TEST(check(3, 0, "anything"));
  BOOST_TEST(!check(1, 2, "pane-2/a"));
  BOOST_TEST(!check(1, 2, "pane-1"));
  BOOST_TEST(!check(1, 3, "pane-1/a"));
  BOOST_TEST(!check(2, 2, std::string(599, 'p')));
  BOOST_TEST(!check(3, 1, "anything"));
}

BOOST_AUTO_TEST_CASE(many_erased_prefixes_span_blocks) {
  temporary_folder folder;
  auto rows = many_rows(2'000, 100);
  for (int i = 0; i < 20'000; ++i)
    rows.push_back({9, 9, fmt::format("{:05}/", i * 7 % 20'000), "", entry_kind::erase_prefix});
  const auto info = write_segment(folder.file("p.delta"), rows);
  auto reader = value_of(segment_reader::open(folder.file("p.delta"), expect(info)));
  BOOST_TEST(reader->hidden().list().size() == 20'000);
  BOOST_TEST(reader->hidden().covers(9, 9, "12345/x"));
  BOOST_TEST(all_rows(*reader).size() == 2'000);
}

BOOST_AUTO_TEST_CASE(the_filter_says_no_to_most_absent_keys) {
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 20'000; ++i)
    hashes.push_back(filter_hash("in" + std::to_string(i)));
  const auto filter = build_filter(hashes);
  BOOST_TEST(filter.size() >= 25'000);
  BOOST_TEST(filter.size() <= 25'100);
  const auto contains = [&](std::uint64_t hash) {
    return filter_may_contain(filter.data() + filter_line_of(hash, filter.size()), hash);
  };
  for (const auto hash : hashes)
    BOOST_REQUIRE(contains(hash));
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i)
    wrong += contains(filter_hash("out" + std::to_string(i)));
  BOOST_TEST(wrong < 500); // 2.5 %
}

BOOST_AUTO_TEST_CASE(wrong_use_is_an_error) {
  temporary_folder folder;
  auto id = identity();
  id.first_key_group = 10;
  id.last_key_group = 20;
  const auto refused = [&](const std::vector<row>& rows) {
    auto writer = value_of(segment_writer::create(folder.file("w.delta"), id));
    for (const auto& x : rows)
      if (auto added = writer.add(x.entry()); !added)
        return added.error().code;
    return ec::cancelled;
  };
  BOOST_CHECK(refused({{12, 1, "b", ""}, {12, 1, "a", ""}}) == ec::internal);
  BOOST_CHECK(refused({{12, 1, "b", ""}, {12, 1, "b", ""}}) == ec::internal);
  BOOST_CHECK(refused({{9, 1, "b", ""}}) == ec::internal);
  BOOST_CHECK(refused({{21, 1, "b", ""}}) == ec::internal);
  BOOST_CHECK(refused({{10, 1, "b", ""}, {20, 1, "a", ""}}) == ec::cancelled);
  auto writer = value_of(segment_writer::create(folder.file("w.delta"), id));
  const char byte = 'x';
  auto too_long = writer.add({12, 1, "k", std::string_view{&byte, segment_value_max + 1}});
  BOOST_REQUIRE(!too_long);
  BOOST_CHECK(too_long.error().code == ec::invalid_argument);
  writer.abandon();
  // Nothing is left behind, and nothing was published.
  BOOST_TEST(std::filesystem::is_empty(folder.path()));
}

BOOST_AUTO_TEST_CASE(a_name_is_never_taken_twice) {
  temporary_folder folder;
  const auto info = write_segment(folder.file("a.delta"), {{1, 1, "k", "first"}});
  auto writer = value_of(segment_writer::create(folder.file("a.delta"), identity()));
  require(writer.add(row{1, 1, "k", "second"}.entry()));
  auto finished = writer.finish();
  BOOST_REQUIRE(!finished);
  BOOST_CHECK(finished.error().code == ec::conflict);
  writer.abandon();
  auto reader = value_of(segment_reader::open(folder.file("a.delta"), expect(info)));
  BOOST_TEST(value_of(reader->get(1, 1, "k"))->value == "first");
  BOOST_TEST(value_of(list_files(folder.path())).size() == 1);
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_named) {
  auto writer = segment_writer::create("/nonexistent/folder/x.delta", identity());
  BOOST_REQUIRE(!writer);
  BOOST_TEST(writer.error().message.find("/nonexistent/folder/x.delta") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
