#include "storage/folder_objects.hpp"
#include "storage/node_cache.hpp"
#include "storage/snapshot_cache.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

constexpr const char* uid = "0123-uid";

/// What control keeps, and how much of it was asked for.
class counted_objects final : public object_store {
public:
  explicit counted_objects(const std::string& folder) : files_(folder) {}

  result<std::uint64_t> put(stored_area area, const std::string& name,
                            const stored_piece& piece) override {
    return files_.put(area, name, piece);
  }

  result<std::string> read(stored_area area, const std::string& name, std::uint64_t offset,
                           std::uint64_t bytes) override {
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

  std::atomic<std::uint64_t> fetched = 0;

private:
  folder_objects files_;
};

/// A worker's process on the node.
struct worker {
  worker(const std::string& folder, std::shared_ptr<object_store> objects,
         std::uint64_t bytes_max = std::uint64_t{1} << 30)
      : node(value_of(node_cache::open({folder, bytes_max}))),
        cache({node->own_folder(), bytes_max, node}), files(value_of(cache.open(uid, objects))) {
    files->begin(5);
  }

  segment_info keep(const std::string& name, const std::vector<row>& rows) const {
    auto info = write_segment(files->folder(stored_area::segments) + '/' + name, rows);
    require(files->keep(stored_area::segments, info.id, {}));
    return info;
  }

  std::shared_ptr<node_cache> node;
  snapshot_cache cache;
  std::unique_ptr<snapshot_store> files;
};

struct one_node {
  worker start(std::uint64_t bytes_max = std::uint64_t{1} << 30) const {
    return {shared(), objects, bytes_max};
  }

  std::string shared() const {
    return folder.file("node");
  }

  std::vector<std::filesystem::path> copies() const {
    return names("segments");
  }

  std::vector<std::filesystem::path> names(const std::string& of) const {
    std::vector<std::filesystem::path> all;
    for (const auto& x : std::filesystem::directory_iterator(shared() + '/' + of))
      all.push_back(x.path());
    return all;
  }

  temporary_folder folder;
  std::shared_ptr<counted_objects> objects =
      std::make_shared<counted_objects>(folder.file("control"));
};

std::vector<row> rows_of(unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<row> rows;
  for (std::size_t i = 0; i < 10'000; ++i) { // 2.2 MiB
    std::string value(200, '\0');
    std::generate(value.begin(), value.end(), [&] { return static_cast<char>(random()); });
    rows.push_back({static_cast<std::uint16_t>(i / 100), 3, fmt::format("key-{:08}", i), value});
  }
  return rows;
}

/// Times are compared by the second.
void make_older(const std::filesystem::path& path) {
  struct stat status {};

  BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
  constexpr std::time_t enough = 10;
  const struct timespec times[] = {{status.st_atime - enough, 0}, {status.st_mtime - enough, 0}};
  BOOST_REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(node_caches)

BOOST_AUTO_TEST_CASE(what_one_process_has_written_or_fetched_the_next_one_need_not_fetch) {
  const one_node x;
  const auto rows = rows_of(1);
  const auto info = x.start().keep("base-1.seg", rows);
  BOOST_TEST((all_rows(*value_of(x.start().files->open(expect(info)))) == rows));
  BOOST_TEST(x.objects->fetched == 0U);
  for (const auto& copy : x.copies())
    std::filesystem::remove(copy);
  BOOST_TEST((all_rows(*value_of(x.start().files->open(expect(info)))) == rows));
  const auto once = x.objects->fetched.load();
  BOOST_TEST(once >= info.bytes / 2);
  BOOST_TEST((all_rows(*value_of(x.start().files->open(expect(info)))) == rows));
  BOOST_TEST(x.objects->fetched == once);
  BOOST_TEST(x.names("workers").empty());
}

BOOST_AUTO_TEST_CASE(a_copy_is_believed_for_its_hashes_alone) {
  const one_node x;
  const auto rows = rows_of(1);
  const auto info = x.start().keep("base-1.seg", rows);
  BOOST_REQUIRE_EQUAL(x.copies().size(), 1U);
  const auto copy = x.copies().front();
  const auto sound = read_file(copy);
  std::vector<std::string> damaged{sound, sound, sound.substr(0, 1000), "", sound + "x"};
  damaged[0][70'000] ^= 1;
  damaged[1][sound.size() - 20] ^= 1;
  for (const auto& bytes : damaged) {
    write_file(copy, bytes);
    BOOST_TEST((all_rows(*value_of(x.start().files->open(expect(info)))) == rows));
    // Mended for whoever comes next.
    BOOST_TEST((read_file(copy).substr(0, 100'000) == sound.substr(0, 100'000)));
    BOOST_TEST((read_file(copy).size() == sound.size()));
  }
}

BOOST_AUTO_TEST_CASE(what_nobody_uses_makes_room_the_longest_unused_first) {
  const one_node x;
  constexpr std::uint64_t three = std::uint64_t{8} << 20;
  std::vector<segment_info> all;
  const auto used = x.start(three);
  all.push_back(used.keep("base-0.seg", rows_of(0)));
  for (unsigned i = 1; i < 6; ++i) {
    all.push_back(x.start(three).keep(fmt::format("base-{}.seg", i), rows_of(i)));
    for (const auto& copy : x.copies())
      make_older(copy);
    BOOST_TEST(x.copies().size() <= 3U);
  }
  const auto there = [&](const segment_info& info) {
    return std::filesystem::exists(x.shared() + "/segments/" + to_string(info.digest) + ".seg");
  };
  BOOST_TEST(there(all[0])); // used
  BOOST_TEST(!there(all[1]));
  BOOST_TEST(there(all[5]));
  for (unsigned i = 0; i < all.size(); ++i)
    BOOST_TEST((all_rows(*value_of(x.start(three).files->open(expect(all[i])))) == rows_of(i)));
}

BOOST_AUTO_TEST_CASE(what_another_process_removes_is_not_missed) {
  const one_node x;
  const auto one = x.start();
  const auto info = one.keep("base-1.seg", rows_of(1));
  for (const auto& copy : x.copies())
    std::filesystem::remove(copy);
  auto reader = value_of(one.files->open(expect(info)));
  BOOST_TEST((all_rows(*reader) == rows_of(1)));
  BOOST_TEST(x.objects->fetched == 0U);
}

BOOST_AUTO_TEST_CASE(a_segment_that_is_merged_away_leaves_no_copy) {
  const one_node x;
  const auto one = x.start();
  const auto info = one.keep("delta-1.seg", rows_of(1));
  BOOST_TEST(x.copies().size() == 1U);
  require(one.files->remove(stored_area::segments, info.id));
  BOOST_TEST(x.copies().empty());
}

BOOST_AUTO_TEST_CASE(folders_of_killed_processes_go_those_of_living_ones_stay) {
  const one_node x;
  int ready[2];
  BOOST_REQUIRE(::pipe(ready) == 0);
  const auto child = ::fork();
  if (child == 0) {
    const auto one = node_cache::open({x.shared()});
    write_file((*one)->own_folder() + "/left", "x");
    static_cast<void>(::write(ready[1], "x", 1));
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
  {
    const auto other = x.start();
    BOOST_TEST(x.names("workers").size() == 4U); // two folders, two locks
  }
  ::kill(child, SIGKILL);
  BOOST_REQUIRE(::waitpid(child, nullptr, 0) == child);
  BOOST_TEST(x.names("workers").size() == 2U);
  const auto last = x.start();
  BOOST_TEST(x.names("workers").size() == 2U);
  BOOST_TEST(!std::filesystem::exists(last.node->own_folder() + "/left"));
}

BOOST_AUTO_TEST_CASE(many_processes_at_once_have_what_they_ask_for) {
  const one_node x;
  constexpr std::uint64_t two = std::uint64_t{5} << 20;
  std::vector<segment_info> all;
  for (unsigned i = 0; i < 4; ++i)
    all.push_back(x.start().keep(fmt::format("base-{}.seg", i), rows_of(i)));
  const auto rows = std::vector{rows_of(0), rows_of(1), rows_of(2), rows_of(3)};
  std::atomic<unsigned> wrong = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 12; ++i) {
        auto node = node_cache::open({x.shared(), two});
        if (!node) {
          ++wrong;
          continue;
        }
        const std::shared_ptr<node_cache> shared = *std::move(node);
        snapshot_cache cache({shared->own_folder(), two, shared});
        auto files = cache.open(uid, x.objects);
        const auto which = (t + i) % 4;
        auto reader = (*files)->open(expect(all[which]));
        if (!reader || all_rows(**reader) != rows[which])
          ++wrong;
      }
    });
  for (auto& thread : threads)
    thread.join();
  BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_used_is_an_error) {
  const temporary_folder folder;
  write_file(folder.file("node"), "a file");
  BOOST_TEST(!node_cache::open({folder.file("node")}));
  BOOST_TEST(!node_cache::open({"/proc/ebb"}));
}

BOOST_AUTO_TEST_SUITE_END()
