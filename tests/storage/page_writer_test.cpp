// Segments whose pages ebb writes itself: each must be a file that LMDB could have written, as its
// own check sees it, and give back every entry through LMDB.
#include "storage/page_writer.hpp"

#include "storage/hashed_file.hpp"
#include "storage/lmdb_check.hpp"
#include "storage/segment_trailer.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <random>
#include <sys/stat.h>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

// Any key of the entries is a witness: the file has one transaction.
void check_pages(const std::string& path, const std::vector<row>& rows) {
  lmdb_check_request request;
  request.path = path;
  request.map_bytes = std::uint64_t{1} << 36;
  request.least_transaction = 1;
  request.witness_database = "entries";
  std::string key;
  for (const auto& x : rows)
    if (const stored_key stored{segment_area::entries, x.key_group, x.state, x.key};
        !stored.is_long())
      key = stored.view();
  request.witness_key = key;
  request.transaction_of = [](std::string_view) { return std::uint64_t{1}; };
  require(check_lmdb_file(request));
}

void write_and_read(const std::vector<row>& rows) {
  temporary_folder folder;
  const auto path = folder.file("x.delta");
  const auto info = write_segment(path, rows);
  BOOST_TEST(std::filesystem::file_size(path) == info.bytes);
  BOOST_TEST(info.entries == rows.size());
  if (!rows.empty())
    check_pages(path, rows);
  auto reader = value_of(segment_reader::open(path, expect(info)));
  BOOST_REQUIRE(all_rows(*reader) == rows);
  auto again = value_of(segment_reader::open(path, expect(info)));
  require(again->verify_all());
  std::mt19937 random{7};
  for (int i = 0; i < 200 && !rows.empty(); ++i) {
    const auto& x = rows[random() % rows.size()];
    const auto found = value_of(again->get(x.key_group, x.state, x.key));
    BOOST_REQUIRE(found);
    BOOST_REQUIRE(row_of(*found) == x);
  }
}

std::vector<row> numbered(std::size_t count, std::size_t key_bytes, std::size_t value_bytes) {
  std::vector<row> rows;
  for (std::size_t i = 0; i < count; ++i)
    rows.push_back({static_cast<std::uint16_t>(i * 128 / count), 3,
                    fmt::format("{:0{}}", i, key_bytes), std::string(value_bytes, 'v')});
  return rows;
}

} // namespace

BOOST_AUTO_TEST_SUITE(page_writers)

BOOST_AUTO_TEST_CASE(trees_of_every_depth) {
  write_and_read({});
  // Short keys: 2 leaves from about 100 entries on; long ones: 8 children a branch.
  for (const std::size_t count : {1, 2, 3, 40, 200, 3000, 60'000})
    write_and_read(numbered(count, 12, 20));
  for (const std::size_t count : {1, 2, 7, 8, 9, 15, 16, 17, 63, 64, 65, 72, 73, 500, 4000})
    write_and_read(numbered(count, 470, 10));
}

BOOST_AUTO_TEST_CASE(values_beside_and_within_leaves) {
  // A node of a leaf has at most 2,038 bytes: 8, the stored key of 17, a value with its 2.
  for (const std::size_t bytes : {0U, 1U, 2010U, 2011U, 2012U, 4077U, 4078U, 4079U, 8174U, 70'000U})
    write_and_read(numbered(300, 12, bytes));
  std::vector<row> rows;
  std::mt19937 random{3};
  for (int i = 0; i < 3000; ++i)
    rows.push_back({5, 1, fmt::format("{:06}", i),
                    std::string(random() % 5 == 0 ? random() % 60'000 : random() % 300, 'x')});
  write_and_read(rows);
}

BOOST_AUTO_TEST_CASE(a_value_of_many_buffers) {
  auto rows = numbered(5, 12, 100);
  rows[2].value.assign(5'000'001, 'y');
  write_and_read(rows);
}

BOOST_AUTO_TEST_CASE(keys_must_rise) {
  temporary_folder folder;
  auto writer = value_of(segment_writer::create(folder.file("x.delta"), identity()));
  require(writer.add(row{1, 1, "b", "1"}.entry()));
  const auto same = writer.add(row{1, 1, "b", "1"}.entry());
  BOOST_REQUIRE(!same);
  BOOST_CHECK(same.error().code == ec::internal);
  BOOST_TEST(same.error().message.find("append out of order") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(blocks_are_hashed_as_they_lie_in_the_file) {
  for (const std::size_t bytes :
       {1U, 100U, 65'535U, 65'536U, 65'537U, 1U << 20, (1U << 20) + 1, 5'000'000U}) {
    temporary_folder folder;
    auto file = value_of(owned_file::make_temporary(folder.file("x")));
    hashed_file hashed{file};
    std::string text(bytes, '\0');
    std::mt19937 random{static_cast<unsigned>(bytes)};
    for (auto& x : text)
      x = static_cast<char>(random());
    for (std::size_t at = 0; at < bytes;) {
      const auto some = std::min<std::size_t>(1 + random() % 90'000, bytes - at);
      require(hashed.put(std::string_view{text}.substr(at, some)));
      at += some;
    }
    const std::string front = text.size() < 8 ? "f" : "in front";
    require(hashed.replace_front(front));
    text.replace(0, front.size(), front);
    const auto hashes = hashed.end_blocks();
    require(hashed.put("end"));
    require(hashed.flush());
    BOOST_REQUIRE(read_file(file.path()) == text + "end");
    BOOST_REQUIRE_EQUAL(hashes.size(), (bytes + 65'535) / 65'536);
    for (std::size_t i = 0; i < hashes.size(); ++i)
      BOOST_REQUIRE(hashes[i] == hash_bytes(std::string_view{text}.substr(i * 65'536, 65'536)));

    // Room that was asked for ahead is given back.
    struct stat status {};

    BOOST_REQUIRE(::fstat(file.descriptor(), &status) == 0);
    BOOST_TEST(static_cast<std::uint64_t>(status.st_blocks) * 512 < bytes + 100'000);
  }
}

BOOST_AUTO_TEST_SUITE_END()
