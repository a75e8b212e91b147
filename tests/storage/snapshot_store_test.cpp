#include "storage/digest.hpp"
#include "storage/folder_objects.hpp"
#include "storage/merged_state.hpp"
#include "storage/segment_trailer.hpp"
#include "storage/snapshot_cache.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

constexpr const char* uid = "0123-uid";

/// A folder's objects that count what is moved, and fail when they are told to.
class watched_objects final : public object_store {
public:
  explicit watched_objects(const std::string& folder) : files_(folder) {}

  result<std::uint64_t> put(stored_area area, const std::string& name,
                            const stored_piece& piece) override {
    if (puts_left != 0 && --puts_left == 0)
      return make_error(ec::resource, "no answer");
    sent += piece.bytes.size();
    generations.push_back(piece.generation);
    auto mine = piece;
    if (damage != 0 && --damage == 0 && !mine.bytes.empty())
      mine.bytes.front() ^= 1;
    return files_.put(area, name, mine);
  }

  result<std::string> read(stored_area area, const std::string& name, std::uint64_t offset,
                           std::uint64_t bytes) override {
    BOOST_REQUIRE_LE(bytes, stored_piece_max);
    if (away)
      return make_error(ec::resource, "no answer");
    auto piece = files_.read(area, name, offset, bytes);
    if (piece)
      fetched += piece->size();
    return piece;
  }

  result<std::vector<std::string>> list(stored_area area) override {
    return files_.list(area);
  }

  result<void> remove(stored_area area, std::span<const std::string> names,
                      std::uint64_t generation) override {
    return files_.remove(area, names, generation);
  }

  std::uint64_t sent = 0;
  std::uint64_t fetched = 0;
  std::uint64_t puts_left = 0; ///< the one that many calls later fails; 0 = none
  std::uint64_t damage = 0;    ///< the same for one whose bytes are wrong
  bool away = false;
  std::vector<std::uint64_t> generations;

private:
  folder_objects files_;
};

std::vector<row> many_rows(std::size_t count) {
  std::mt19937_64 random(7);
  std::vector<row> rows;
  for (std::size_t i = 0; i < count; ++i) {
    std::string value(200, '\0');
    std::generate(value.begin(), value.end(), [&] { return static_cast<char>(random()); });
    rows.push_back(
        {static_cast<std::uint16_t>(i * 128 / count), 3, fmt::format("key-{:08}", i), value});
  }
  return rows;
}

/// A control process's folder and that of a process which shares none with it.
struct two_sides {
  explicit two_sides(std::uint64_t bytes_max = std::uint64_t{1} << 30)
      : cache({cache_folder(), bytes_max}), files(open()) {}

  std::string cache_folder() const {
    return folder.file("cache");
  }

  std::unique_ptr<snapshot_store> open() {
    auto opened = value_of(cache.open(uid, objects));
    opened->begin(5);
    return opened;
  }

  segment_info write(const std::string& name, const std::vector<row>& rows) const {
    return write_segment(files->folder(stored_area::segments) + '/' + name, rows);
  }

  /// As another pod finds it.
  void forget_copies() const {
    for (const auto& x : std::filesystem::directory_iterator(files->folder(stored_area::segments)))
      std::filesystem::remove(x.path());
  }

  std::string copy_of(const segment_info& x) const {
    return files->folder(stored_area::segments) + '/' + x.id;
  }

  std::string kept(const segment_info& x) const {
    return folder.file("control") + "/segments/" + x.id;
  }

  temporary_folder folder;
  std::shared_ptr<watched_objects> objects =
      std::make_shared<watched_objects>(folder.file("control"));
  snapshot_cache cache;
  std::unique_ptr<snapshot_store> files;
};

const std::vector<row>& large() {
  static const auto rows = many_rows(40'000); // 9 MiB
  return rows;
}

} // namespace

BOOST_AUTO_TEST_SUITE(snapshot_stores)

BOOST_AUTO_TEST_CASE(what_is_kept_is_the_file_byte_by_byte) {
  two_sides x;
  for (const std::size_t count : {0, 1, 10, 40'000}) {
    const auto rows = count == large().size() ? large() : many_rows(count);
    const auto info = x.write(fmt::format("delta-{}.seg", count), rows);
    require(x.files->keep(stored_area::segments, info.id, {}));
    BOOST_TEST(read_file(x.kept(info)) == read_file(x.copy_of(info)));
    // Again is nothing new.
    require(x.files->keep(stored_area::segments, info.id, {}));
  }
  BOOST_TEST(std::all_of(x.objects->generations.begin(), x.objects->generations.end(),
                         [](auto g) { return g == 5; }));
}

BOOST_AUTO_TEST_CASE(a_cut_transfer_goes_on_where_it_was) {
  for (const std::uint64_t at : {2, 3, 5, 9}) {
    two_sides x;
    const auto info = x.write("base-1.seg", large());
    x.objects->puts_left = at;
    const auto kept = x.files->keep(stored_area::segments, info.id, {});
    BOOST_REQUIRE(!kept);
    BOOST_TEST((kept.error().code == ec::resource));
    BOOST_TEST(!std::filesystem::exists(x.kept(info)));
    require(x.files->keep(stored_area::segments, info.id, {}));
    BOOST_TEST(read_file(x.kept(info)) == read_file(x.copy_of(info)));
    BOOST_TEST(x.objects->sent == info.bytes);
  }
}

BOOST_AUTO_TEST_CASE(wrong_bytes_are_sent_anew) {
  for (const std::uint64_t at : {2, 4, 10}) {
    two_sides x;
    const auto info = x.write("base-1.seg", large());
    x.objects->damage = at;
    require(x.files->keep(stored_area::segments, info.id, {}));
    BOOST_TEST(read_file(x.kept(info)) == read_file(x.copy_of(info)));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_read_that_is_not_needed) {
  two_sides x;
  const auto info = x.write("base-1.seg", large());
  require(x.files->keep(stored_area::segments, info.id, {}));
  x.forget_copies();
  auto reader = value_of(x.files->open(expect(info)));
  const auto& wanted = large()[12'345];
  const auto found = value_of(reader->get(wanted.key_group, wanted.state, wanted.key));
  BOOST_REQUIRE(found.has_value());
  BOOST_TEST(row_of(*found) == wanted);
  BOOST_TEST(x.objects->fetched < info.bytes / 4);
  const auto first = x.objects->fetched;
  // It is there now, also for another reader.
  auto other = value_of(x.open()->open(expect(info)));
  BOOST_TEST(value_of(other->get(wanted.key_group, wanted.state, wanted.key)).has_value());
  BOOST_TEST(x.objects->fetched == first);
  BOOST_TEST((all_rows(*reader) == large()));
  require(reader->verify_all());
  BOOST_TEST(read_file(x.kept(info)) == read_file(x.copy_of(info)));
  const auto all = x.objects->fetched;
  BOOST_TEST((all_rows(*value_of(x.files->open(expect(info)))) == large()));
  BOOST_TEST(x.objects->fetched == all);
}

BOOST_AUTO_TEST_CASE(a_scan_that_is_to_seek_first_reads_nothing_before) {
  two_sides x;
  const auto info = x.write("base-1.seg", large());
  require(x.files->keep(stored_area::segments, info.id, {}));
  x.forget_copies();
  const merged_state state({value_of(x.files->open(expect(info)))});
  const auto opened = x.objects->fetched;
  auto cursor = value_of(state.unstarted_scan(0, 127));
  BOOST_TEST(!value_of(cursor.next()));
  BOOST_TEST(x.objects->fetched == opened);
  const auto& wanted = large()[12'345];
  require(cursor.seek(wanted.key_group, wanted.state, wanted.key));
  BOOST_REQUIRE(value_of(cursor.next()));
  BOOST_TEST(row_of(cursor.entry()) == wanted);
}

BOOST_AUTO_TEST_CASE(damaged_copies_are_mended) {
  two_sides x;
  const auto info = x.write("base-1.seg", large());
  require(x.files->keep(stored_area::segments, info.id, {}));
  const auto sound = read_file(x.copy_of(info));
  std::vector<std::string> damaged;
  for (std::size_t at = 0; at < sound.size(); at += 1'000'003) {
    damaged.push_back(sound);
    damaged.back()[at] ^= 0x10;
  }
  damaged.push_back(sound); // in the trailer
  damaged.back()[sound.size() - 20] ^= 1;
  damaged.push_back(sound.substr(0, sound.size() / 2));
  damaged.emplace_back();
  damaged.push_back(sound + "x");
  damaged.emplace_back(sound.size(), '\0');
  for (const auto& bytes : damaged) {
    write_file(x.copy_of(info), bytes);
    auto reader = value_of(x.files->open(expect(info)));
    require(reader->verify_all());
    BOOST_TEST((all_rows(*reader) == large()));
    BOOST_TEST((read_file(x.copy_of(info)) == sound));
  }
}

BOOST_AUTO_TEST_CASE(damage_in_the_store_is_an_error) {
  two_sides x;
  const auto info = x.write("base-1.seg", large());
  require(x.files->keep(stored_area::segments, info.id, {}));
  auto bytes = read_file(x.kept(info));
  bytes[bytes.size() / 2] ^= 1;
  write_file(x.kept(info), bytes);
  x.forget_copies();
  auto reader = value_of(x.files->open(expect(info)));
  const auto verified = reader->verify_all();
  BOOST_REQUIRE(!verified);
  BOOST_TEST((verified.error().code == ec::corrupt));
  // Another file of the name.
  auto other = info;
  other.digest.low ^= 1;
  const auto opened = x.files->open(expect(other));
  BOOST_REQUIRE(!opened);
  BOOST_TEST((opened.error().code == ec::conflict));
  other = info;
  other.id = "base-2.seg";
  const auto missing = x.files->open(expect(other));
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ec::not_found));
  x.forget_copies();
  x.objects->away = true;
  const auto away = x.files->open(expect(info));
  BOOST_REQUIRE(!away);
  BOOST_TEST((away.error().code == ec::resource));
}

BOOST_AUTO_TEST_CASE(copies_make_room_but_those_that_are_used_or_not_kept) {
  two_sides x(std::uint64_t{20} << 20);
  std::vector<segment_info> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(x.write(fmt::format("base-{}.seg", i), large()));
    require(x.files->keep(stored_area::segments, all.back().id, {}));
  }
  const auto there = [&] {
    return std::count_if(all.begin(), all.end(),
                         [&](const auto& y) { return std::filesystem::exists(x.copy_of(y)); });
  };
  BOOST_TEST(there() == 2);
  auto reader = value_of(x.files->open(expect(all.front())));
  BOOST_TEST((all_rows(*reader) == large()));
  const auto fresh = x.write("base-9.seg", large());
  x.cache.make_room(std::uint64_t{20} << 20);
  BOOST_TEST(std::filesystem::exists(x.copy_of(all.front())));
  BOOST_TEST(std::filesystem::exists(x.copy_of(fresh)));
  BOOST_TEST(there() == 1);
  for (const auto& y : all)
    BOOST_TEST((all_rows(*value_of(x.files->open(expect(y)))) == large()));
}

BOOST_AUTO_TEST_CASE(waiting_output_is_brought_and_swept) {
  two_sides x;
  const auto local = x.files->folder(stored_area::output) + "/a.out";
  write_file(local, "rows");
  require(x.files->keep(stored_area::output, "a.out", {}));
  const auto digest = value_of(digest_of_file(local));
  std::filesystem::remove(local);
  require(x.files->bring("a.out", 4, digest));
  BOOST_TEST(read_file(local) == "rows");
  write_file(local, "rowz");
  require(x.files->bring("a.out", 4, digest));
  BOOST_TEST(read_file(local) == "rows");
  // One that is kept nowhere is its target's affair.
  require(x.files->bring("b.out", 4, digest));
  BOOST_TEST(!std::filesystem::exists(x.files->folder(stored_area::output) + "/b.out"));
  require(x.files->sweep_output({"a.out"}));
  BOOST_TEST(value_of(x.objects->list(stored_area::output)).size() == 1U);
  require(x.files->sweep_output({}));
  BOOST_TEST(value_of(x.objects->list(stored_area::output)).empty());
  BOOST_TEST(!std::filesystem::exists(local));
}

BOOST_AUTO_TEST_CASE(names_that_leave_the_folder_are_refused) {
  temporary_folder folder;
  folder_objects files(folder.path());
  const stored_piece piece{1, 1, 0, "x", hash_bytes("x")};
  for (const std::string name : {"", ".", "..", "../a", "a/b", ".hidden", "/etc/passwd"}) {
    const auto put = files.put(stored_area::segments, name, piece);
    BOOST_REQUIRE(!put);
    BOOST_TEST((put.error().code == ec::invalid_argument));
    BOOST_TEST(!files.read(stored_area::segments, name, 0, 1));
    BOOST_TEST(!files.remove(stored_area::output, {&name, 1}, 1));
  }
  BOOST_TEST(value_of(files.put(stored_area::segments, "a", piece)) == 1U);
  // Another file of the name.
  const stored_piece other{1, 1, 0, "y", hash_bytes("y")};
  const auto put = files.put(stored_area::segments, "a", other);
  BOOST_REQUIRE(!put);
  BOOST_TEST((put.error().code == ec::conflict));
  // Outside of what was announced.
  BOOST_TEST(!files.put(stored_area::segments, "b", {1, 2, 2, "x", {}}));
  BOOST_TEST(!files.put(stored_area::segments, "b", {1, 2, UINT64_MAX, "x", {}}));
}

BOOST_AUTO_TEST_SUITE_END()
