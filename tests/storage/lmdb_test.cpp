#include "storage/lmdb.hpp"
#include "tests/storage/storage_support.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace ebb {

namespace {

using storage_test::temporary_folder;
using storage_test::value_of;

constexpr lmdb_options follow{.read_only = true, .map_bytes = 1 << 30};
constexpr lmdb_options write{.map_bytes = 1 << 30};

// Of LMDB 0.9's lock file: two numbers of 32 bits and the readers' mutex, then the transaction that
// readers begin with.
constexpr std::size_t note_at = 2 * sizeof(std::uint32_t) + sizeof(pthread_mutex_t);

result<std::size_t> commit(lmdb_environment& to, std::string_view value) {
  EBB_ASSIGN(auto in, to.begin_write());
  EBB_ASSIGN(const auto table, in.open("t", true));
  EBB_TRY(in.put(table, "key", value));
  const auto id = in.id();
  EBB_TRY(in.commit());
  return id;
}

/// Commits, and dies as a writer that has not noted its commit yet, and has the writers' lock.
int die_before_the_note(const std::string& path) {
  auto to = lmdb_environment::open(path, write);
  if (!to)
    return 1;
  const auto id = commit(*to, "second");
  const auto locked = to->begin_write();
  const int file = ::open((path + "-lock").c_str(), O_RDWR | O_CLOEXEC);
  if (!id || !locked || file < 0)
    return 2;
  void* const at = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (at == MAP_FAILED)
    return 3;
  auto* const note = static_cast<char*>(at) + note_at;
  std::size_t noted = 0;
  std::memcpy(&noted, note, sizeof noted);
  if (noted != *id)
    return 4; // another LMDB has another lock file
  --noted;
  std::memcpy(note, &noted, sizeof noted);
  ::_exit(0); // with the lock
}

template <class F>
pid_t in_child(F&& run) {
  const auto child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0)
    ::_exit(run());
  return child;
}

} // namespace

BOOST_AUTO_TEST_SUITE(lmdb_environments)

// The next writer would number what it writes like what the last one has committed, and readers have
// seen.
BOOST_AUTO_TEST_CASE(a_writer_that_died_before_its_note_is_gone_on_from) {
  const temporary_folder folder;
  const auto path = folder.file("t.mdb");
  {
    auto to = value_of(lmdb_environment::open(path, write));
    value_of(commit(to, "first"));
  }
  int ready[2] = {};
  BOOST_REQUIRE(::pipe(ready) == 0);
  const auto follower = in_child([&] { // keeps the lock file as it is
    const auto from = lmdb_environment::open(path, follow);
    const char ok = from ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &ok, 1) == 1);
    ::pause();
    return 0;
  });
  char ok = 0;
  BOOST_REQUIRE(::read(ready[0], &ok, 1) == 1);
  BOOST_REQUIRE(ok == 'y');
  int status = 0;
  ::waitpid(in_child([&] { return die_before_the_note(path); }), &status, 0);
  BOOST_TEST_REQUIRE(WEXITSTATUS(status) == 0);
  {
    auto next = value_of(lmdb_environment::open(path, write));
    auto in = value_of(next.begin_read());
    const auto table = value_of(in.open("t", false));
    BOOST_TEST(value_of(in.get(table, "key")).value_or("nothing") == "second");
  }
  ::kill(follower, SIGKILL);
  ::waitpid(follower, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
