#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <set>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

// Small leaves, branches, large values and several blocks of everything.
std::vector<row> mixed_rows() {
  std::vector<row> rows;
  for (int i = 0; i < 12'000; ++i)
    rows.push_back({static_cast<std::uint16_t>(i / 100), 1, fmt::format("k{:06}", i),
                    std::string(i % 400 == 0 ? 20'000 : 60, static_cast<char>('a' + i % 26))});
  return rows;
}

class damaged_segment {
public:
  damaged_segment() : rows_(mixed_rows()) {
    info_ = write_segment(path(), rows_);
    bytes_ = read_file(path());
    auto reader = value_of(segment_reader::open(path(), expect(info_)));
    contents_ = reader->trailer().block_contents;
    body_offset_ = reader->trailer().body_offset;
  }

  [[nodiscard]] std::string path() const {
    return folder_.file("d.delta");
  }

  // Reads everything in every way; true when some call refused. Fails on a wrong row.
  bool refused() const {
    auto reader = segment_reader::open(path(), expect(info_));
    if (!reader)
      return true;
    auto cursor = (*reader)->scan(0, 127);
    BOOST_REQUIRE(cursor);
    bool refused = false;
    for (std::size_t i = 0; !refused; ++i) {
      auto moved = cursor->next();
      refused = !moved;
      if (moved && !*moved) {
        BOOST_REQUIRE_EQUAL(i, rows_.size());
        break;
      }
      if (moved)
        BOOST_REQUIRE(row_of(cursor->entry()) == rows_.at(i));
    }
    auto gets = value_of(segment_reader::open(path(), expect(info_)));
    for (std::size_t i = 0; i < rows_.size(); i += 37) {
      auto got = gets->get(rows_[i].key_group, rows_[i].state, rows_[i].key);
      refused |= !got;
      if (got) {
        BOOST_REQUIRE(got->has_value());
        BOOST_REQUIRE(row_of(**got) == rows_[i]);
      }
    }
    BOOST_TEST(!gets->verify_all());
    return refused;
  }

  std::vector<row> rows_;
  segment_info info_;
  std::string bytes_;
  std::vector<std::uint8_t> contents_;
  std::uint64_t body_offset_ = 0;

private:
  temporary_folder folder_;
};

std::string message_of(result<std::unique_ptr<segment_reader>> x, ec code) {
  BOOST_REQUIRE(!x);
  BOOST_CHECK(x.error().code == code);
  BOOST_TEST(!x.error().hint.empty());
  return x.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(segment_damage)

BOOST_AUTO_TEST_CASE(every_flipped_byte_is_refused_and_never_a_wrong_value) {
  const damaged_segment x;
  std::uint8_t seen = 0;
  for (const auto content : x.contents_)
    seen |= content;
  BOOST_REQUIRE_EQUAL(seen, block_has_meta | block_has_branches | block_has_leaves
                                | block_has_overflow | block_has_filter);
  std::vector<std::size_t> places;
  // A few places of every block, and every class of page at its header.
  for (std::size_t block = 0; block < x.contents_.size(); ++block)
    for (const std::size_t at : {std::size_t{0}, std::size_t{10}, std::size_t{4096 + 40},
                                 std::size_t{30'001}, segment_block_bytes - 1})
      if (const auto place = block * segment_block_bytes + at; place < x.body_offset_)
        places.push_back(place);
  // Meta pages: every field.
  for (std::size_t at = 0; at < 160; ++at) {
    places.push_back(at);
    places.push_back(4096 + at);
  }
  for (std::size_t place = x.body_offset_; place < x.bytes_.size();
       place += place + 200 < x.bytes_.size() ? 31 : 1)
    places.push_back(place);
  std::size_t ends = 0;
  for (const auto place : places) {
    const auto flip = [&](char byte) {
      std::fstream file{x.path(), std::ios::binary | std::ios::in | std::ios::out};
      file.seekp(static_cast<std::streamoff>(place)).put(byte);
    };
    flip(static_cast<char>(x.bytes_[place] ^ (1 << place % 8)));
    const bool refused = x.refused();
    flip(x.bytes_[place]);
    // A flip in the filter's block may lie where no key of the test asks.
    const auto block = place / segment_block_bytes;
    if (place >= x.body_offset_ || (x.contents_[block] & block_has_filter) == 0)
      BOOST_TEST(refused, "place " << place);
    ends += place >= x.body_offset_;
  }
  BOOST_TEST(ends > 200);
}

BOOST_AUTO_TEST_CASE(a_file_cut_anywhere_is_refused) {
  const damaged_segment x;
  std::set<std::size_t> lengths{0, 1, 47, 48, 4095, 4096, 8192, segment_block_bytes};
  for (std::size_t i = 1; i < 100; ++i) {
    lengths.insert(x.bytes_.size() * i / 100);
    lengths.insert(x.bytes_.size() - i);
  }
  for (const auto length : lengths) {
    write_file(x.path(), x.bytes_.substr(0, length));
    const auto message = message_of(segment_reader::open(x.path(), expect(x.info_)), ec::corrupt);
    BOOST_TEST(message.find("its checkpoint record says") != std::string::npos);
    // Without a record, too.
    auto unlisted = segment_reader::open(x.path());
    BOOST_REQUIRE(!unlisted);
    BOOST_CHECK(unlisted.error().code == ec::corrupt);
  }
  write_file(x.path(), x.bytes_ + "x");
  message_of(segment_reader::open(x.path(), expect(x.info_)), ec::corrupt);
}

BOOST_AUTO_TEST_CASE(damage_names_the_block) {
  const damaged_segment x;
  auto bytes = x.bytes_;
  bytes[2 * segment_block_bytes + 5] ^= 1;
  write_file(x.path(), bytes);
  auto reader = value_of(segment_reader::open(x.path(), expect(x.info_)));
  auto verified = reader->verify_all();
  BOOST_REQUIRE(!verified);
  BOOST_CHECK(verified.error().code == ec::corrupt);
  BOOST_TEST(verified.error().message
             == x.path()
                    + ": segment is damaged: the checksum of block 2 (bytes 131072 to 196607) "
                      "differs");
}

BOOST_AUTO_TEST_CASE(foreign_files_are_refused_by_name) {
  temporary_folder folder;
  const auto path = folder.file("f.delta");
  const std::vector<row> rows{{1, 1, "k", "value"}};
  const auto info = write_segment(path, rows);
  const auto with = [&](auto change) {
    auto expected = expect(info);
    change(expected);
    return segment_reader::open(path, expected);
  };
  BOOST_TEST(message_of(segment_reader::open(folder.file("gone"), expect(info)), ec::not_found)
             == folder.file("gone") + ": segment is missing");
  BOOST_TEST(message_of(with([](auto& x) { x.stream_uid = "other"; }), ec::conflict)
             == path + ": segment belongs to stream 0123-uid, not to other");
  BOOST_TEST(message_of(with([](auto& x) { x.key_groups = 64; }), ec::conflict)
             == path + ": segment has 128 key groups, the stream has 64");
  BOOST_TEST(message_of(with([](auto& x) { ++x.info.digest.low; }), ec::conflict)
             == path + ": segment is not the file that its checkpoint record names");
  message_of(with([](auto& x) { ++x.info.epoch; }), ec::corrupt);

  // Same length, other content: only the digest tells.
  const auto second = write_segment(folder.file("g.delta"), {{1, 1, "k", "eulav"}});
  BOOST_TEST(second.bytes == info.bytes);
  std::filesystem::rename(folder.file("g.delta"), path);
  message_of(segment_reader::open(path, expect(info)), ec::conflict);
}

BOOST_AUTO_TEST_CASE(a_newer_version_is_told_from_damage) {
  temporary_folder folder;
  const auto path = folder.file("v.delta");
  const auto info = write_segment(path, {{1, 1, "k", "value"}});
  auto bytes = read_file(path);
  const auto tail = bytes.size() - segment_tail_bytes;
  bytes[tail] = 2;
  write_file(path, bytes);
  message_of(segment_reader::open(path, expect(info)), ec::corrupt); // a flip
  auto reader_offset = bytes.size() - segment_tail_bytes + 8;
  std::uint64_t body_offset = 0;
  std::memcpy(&body_offset, bytes.data() + reader_offset, sizeof body_offset);
  const auto digest = hash_bytes({bytes.data() + body_offset, bytes.size() - body_offset - 24});
  std::memcpy(bytes.data() + bytes.size() - 24, &digest, sizeof digest);
  write_file(path, bytes);
  BOOST_TEST(message_of(segment_reader::open(path, expect(info)), ec::unsupported)
             == path + ": segment has format version 2, this program reads up to 1");
}

BOOST_AUTO_TEST_SUITE_END()
