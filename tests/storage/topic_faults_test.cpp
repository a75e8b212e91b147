// Crashes and failing system calls of a topic's log. Each producer's requests are numbered and kept
// until they are acknowledged, and repeated after the fault: whatever happened, each row is there
// once, in order.
#include "storage/failpoint.hpp"
#include "storage/topic_log.hpp"
#include "tests/support/io_faults.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <sys/wait.h>
#include <unistd.h>

#include "topic_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

const topic_options options{.partitions = 2, .file_bytes = 128 << 10};
constexpr std::uint32_t rows_a_request = 20;

topic_append request(std::uint64_t number) {
  auto x = from_producer(
      rows_from(static_cast<std::int64_t>(number) * rows_a_request, rows_a_request, 100), "p",
      number * rows_a_request);
  x.parts.front().partitions = {0};
  return x;
}

// What a producer knows: its next request, and what it has an answer for.
struct progress {
  std::uint64_t acknowledged = 0; ///< requests
};

// Groups of three requests, a look at retention now and then; stops at the first error. Rows that
// somebody has not read yet stay.
result<void> work(const std::string& folder, progress& x, int groups) {
  EBB_ASSIGN(const auto log, topic_log::open(folder, options, 1));
  for (int g = 0; g < groups; ++g) {
    std::vector<topic_append> group;
    for (std::uint64_t i = 0; i < 3; ++i)
      group.push_back(request(x.acknowledged + i));
    const auto now = static_cast<micros>(x.acknowledged);
    for (auto& answer : log->append(group, now)) {
      if (answer.status != append_status::appended && answer.status != append_status::duplicate)
        return std::move(answer.problem);
      ++x.acknowledged;
    }
    if (g % 10 == 9)
      EBB_TRY(log->retain({.bytes = 300'000}, now));
  }
  return {};
}

// Opens as a restart does: all that was acknowledged is there, nothing twice, and it goes on.
void check(const std::string& folder, progress& x) {
  {
    auto log = open_topic(folder, options);
    require(log->verify());
    auto reader = log->make_reader();
    const auto bounds = log->bounds().front();
    BOOST_REQUIRE_GE(bounds.end, x.acknowledged * rows_a_request);
    BOOST_REQUIRE_EQUAL(bounds.end % rows_a_request, 0);
    BOOST_REQUIRE((read_ids(reader, 0, bounds.begin)
                   == counted(static_cast<std::int64_t>(bounds.begin),
                              static_cast<std::int64_t>(bounds.end))));
    for (const auto& name : value_of(list_files(folder)))
      BOOST_REQUIRE(!name.starts_with("new-"));
    // Only listed files are left.
    std::size_t files = 0;
    for (const auto& name : value_of(list_files(folder)))
      files += name.ends_with(".mdb");
    BOOST_REQUIRE_EQUAL(files, log->size().files);
  }
  // The producer repeats what it has no answer for.
  const auto there = open_topic(folder, options)->bounds().front().end;
  do
    require(work(folder, x, 2));
  while (x.acknowledged * rows_a_request < there);
  auto log = open_topic(folder, options);
  BOOST_REQUIRE_EQUAL(log->bounds().front().end, x.acknowledged * rows_a_request);
}

// Runs `work` in a process that dies; its acknowledgements come through a pipe.
void work_and_die(const std::string& folder, progress& x, const std::string& failpoint,
                  int* exit_code) {
  int acks[2] = {};
  BOOST_REQUIRE(::pipe(acks) == 0);
  const auto child = ::fork();
  if (child == 0) {
    arm_failpoint(failpoint);
    auto mine = x;
    for (;;)
      if (!work(folder, mine, 1) || ::write(acks[1], &mine, sizeof mine) != sizeof mine
          || mine.acknowledged > x.acknowledged + 1'000)
        ::_exit(1);
      else if (mine.acknowledged % 30 == 0) {
        auto log = topic_log::open(folder, options, 1);
        if (!log || !(*log)->retain({.bytes = 300'000}, 1))
          ::_exit(1);
      }
  }
  ::close(acks[1]);
  progress last;
  while (::read(acks[0], &last, sizeof last) == sizeof last)
    x = last;
  ::close(acks[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(topic_faults)

BOOST_AUTO_TEST_CASE(a_crash_at_each_durable_step) {
  for (const std::string step : {"topic.append", "topic.file_sync", "topic.file_rename",
                                 "topic.folder_sync", "topic.retain", "topic.unlink"})
    for (const std::string side : {":before", ":after"})
      for (const std::string nth : {"", ":2", ":5"}) {
        BOOST_TEST_CONTEXT(step + side + nth) {
          const memory_folder folder;
          progress x;
          int code = 0;
          work_and_die(folder.path(), x, step + side + nth, &code);
          BOOST_REQUIRE_EQUAL(code, failpoint_exit_code);
          check(folder.path(), x);
        }
      }
}

BOOST_AUTO_TEST_CASE(any_failing_system_call) {
  for (const std::string kind : {"eio", "enospc", "short", "eintr"}) {
    unsigned long calls = 0;
    std::size_t failures = 0;
    for (unsigned long nth = 1; calls + 1 == nth; ++nth) {
      BOOST_TEST_CONTEXT(kind << " at call " << nth) {
        const memory_folder folder;
        progress x;
        // One roll is in it, and one retention.
        require(work(folder.path(), x, 8));
        io_faults_arm(folder.path().c_str(), kind.c_str(), nth, 1);
        const auto done = work(folder.path(), x, 10);
        calls = std::min(nth, io_faults_count());
        io_faults_arm(nullptr, nullptr, 0, 0);
        if (!done) {
          ++failures;
          BOOST_TEST(!done.error().message.empty());
          if (kind == "enospc")
            BOOST_TEST(done.error().hint.starts_with("make room on the volume"),
                       to_string(done.error()));
        }
        check(folder.path(), x);
      }
    }
    BOOST_TEST_MESSAGE(kind << ": " << calls << " calls, " << failures << " failures");
    BOOST_TEST(calls > 30);
    if (kind != "eintr")
      BOOST_TEST(failures > calls / 4);
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_leaves_the_log_usable) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), options);
  auto reader = log->make_reader();
  std::uint64_t next = 0;
  std::size_t refused = 0;
  std::size_t unknown = 0;
  for (int i = 0; i < 120; ++i) {
    // The disk is full from the n-th call of this append on, also where it would roll.
    io_faults_arm(folder.path().c_str(), "enospc", 1 + static_cast<unsigned long>(i) % 7, 0);
    auto answer = append_one(*log, request(next));
    io_faults_arm(nullptr, nullptr, 0, 0);
    if (answer.status != append_status::appended) {
      BOOST_TEST(answer.status == append_status::failed);
      BOOST_TEST(answer.problem.hint.starts_with("make room on the volume"));
      if (answer.problem.code == ec::resource) {
        ++refused;
        BOOST_TEST(log->bounds().front().end == next * rows_a_request);
        BOOST_TEST(value_of(reader.bounds()).front().end == next * rows_a_request);
        must_append(*log, request(next));
      } else {
        // The last write of the commit found no room: sending it again finds out.
        ++unknown;
        BOOST_TEST((answer.problem.code == ec::io));
        answer = append_one(*log, request(next));
        BOOST_TEST((answer.status == append_status::appended
                    || answer.status == append_status::duplicate));
      }
    }
    ++next;
    for (int more = 0; more < 3; ++more)
      must_append(*log, request(next++));
  }
  BOOST_TEST_MESSAGE(refused << " refused, " << unknown << " found out later");
  BOOST_TEST(refused > 30);
  BOOST_TEST(unknown > 5);
  BOOST_TEST(log->size().files > 2);
  BOOST_TEST((read_ids(reader, 0) == counted(0, static_cast<std::int64_t>(next) * rows_a_request)));
  require(log->verify());
  log.reset();
  log = open_topic(folder.path(), options);
  BOOST_TEST(log->bounds().front().end == next * rows_a_request);
}

BOOST_AUTO_TEST_CASE(after_a_device_error_the_log_waits_to_be_opened_again) {
  const memory_folder folder;
  auto log = open_topic(folder.path(), options);
  must_append(*log, request(0));
  io_faults_arm(folder.path().c_str(), "eio", 1, 1);
  const auto failed = append_one(*log, request(1));
  io_faults_arm(nullptr, nullptr, 0, 0);
  BOOST_TEST(failed.status == append_status::failed);
  const auto again = append_one(*log, request(1));
  BOOST_TEST(again.status == append_status::failed);
  BOOST_TEST((again.problem.code == ec::io));
  BOOST_TEST(again.problem.message.find("has failed before") != std::string::npos);
  BOOST_TEST(!log->retain({.age = 1}, 1'000));
  BOOST_TEST(!log->forget_marks("x", 1'000));
  log.reset();
  progress x{1};
  check(folder.path(), x);
}

BOOST_AUTO_TEST_CASE(kills_at_any_moment) {
  const memory_folder folder;
  std::mt19937 random{4712};
  progress x;
  for (int round = 0; round < 25; ++round) {
    int acks[2] = {};
    BOOST_REQUIRE(::pipe(acks) == 0);
    const auto child = ::fork();
    if (child == 0) {
      auto mine = x;
      for (;;) {
        // A log that stays open, and one that is opened for each group.
        if (!work(folder.path(), mine, round % 2 == 0 ? 1 : 12)
            || ::write(acks[1], &mine, sizeof mine) != sizeof mine)
          ::_exit(1);
      }
    }
    ::close(acks[1]);
    ::usleep(static_cast<unsigned>(random() % 60'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_REQUIRE(WIFSIGNALED(status));
    progress last;
    while (::read(acks[0], &last, sizeof last) == sizeof last)
      x = last;
    ::close(acks[0]);
    check(folder.path(), x);
  }
  BOOST_TEST(x.acknowledged > 50);
}

BOOST_AUTO_TEST_SUITE_END()
