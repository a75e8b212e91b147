// Several readers in a process that does not write the log.

#include "storage/topic_log.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "topic_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

/// Open descriptors of LMDB's lock files.
int lock_files() {
  int count = 0;
  for (const auto& x : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    count += std::filesystem::read_symlink(x, gone).string().ends_with(".mdb-lock");
  }
  return count;
}

/// Ids of partition 0 from `at` on; false where they are not one after the other.
bool read_on(topic_reader& reader, std::uint64_t& at) {
  const auto slice = reader.read(0, at, {});
  if (!slice)
    return false;
  for (const auto& x : slice->batches)
    for (std::uint32_t i = 0; i < x.rows->rows; ++i)
      if (x.rows->columns[0].data<std::int64_t>()[i] != static_cast<std::int64_t>(at++))
        return false;
  return true;
}

constexpr std::uint64_t rows_in_all = 20'000;

/// Exit code of the process that follows.
int follow(const std::string& folder) {
  {
    std::vector<topic_reader> readers;
    for (int i = 0; i < 4; ++i) {
      auto opened = topic_reader::open(folder);
      if (!opened)
        return 1;
      readers.push_back(*std::move(opened));
    }
    if (lock_files() != 1)
      return 2;
    readers.pop_back();
    std::uint64_t at = 0;
    if (lock_files() != 1 || !read_on(readers[0], at) || at == 0)
      return 3;
  }
  if (lock_files() != 0)
    return 4;
  std::atomic<int> problems = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (std::uint64_t at = 0; at < rows_in_all && problems == 0;) {
        auto opened = topic_reader::open(folder);
        if (!opened || !read_on(*opened, at) || !read_on(*opened, at))
          ++problems;
      }
    });
  for (auto& x : threads)
    x.join();
  return problems == 0 && lock_files() == 0 ? 0 : 5;
}

} // namespace

BOOST_AUTO_TEST_SUITE(topic_followers)

BOOST_AUTO_TEST_CASE(readers_of_a_process_share_the_file_that_they_follow) {
  const memory_folder folder;
  const topic_options options{.file_bytes = 128 << 10};
  auto log = open_topic(folder.path(), options);
  must_append(*log, plain(rows_from(0, 100, 50)));
  log.reset(); // LMDB files do not survive a fork
  const auto child = ::fork();
  if (child == 0)
    ::_exit(follow(folder.path()));
  log = open_topic(folder.path(), options);
  for (std::int64_t id = 100; id < static_cast<std::int64_t>(rows_in_all); id += 100)
    must_append(*log, plain(rows_from(id, 100, 50)));
  int status = 0;
  ::waitpid(child, &status, 0);
  BOOST_TEST(WIFEXITED(status));
  BOOST_TEST(WEXITSTATUS(status) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
