// Failing system calls and crashes in the middle of one checkpoint: whatever happens, the folder
// opens afterwards with the checkpoints that were acknowledged, and the next one succeeds.
#include "storage/control_db.hpp"
#include "storage/failpoint.hpp"
#include "tests/support/io_faults.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <random>
#include <sys/wait.h>
#include <unistd.h>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

constexpr const char* uid = "0123-uid";

std::vector<row> rows_of(std::uint64_t epoch, std::size_t large = 200'000) {
  std::vector<row> rows;
  for (int i = 0; i < 400; ++i)
    rows.push_back({static_cast<std::uint16_t>(i / 4), 1, fmt::format("k{:04}", i),
                    fmt::format("{}-{}", epoch, std::string(i == 7 ? large : 50, 'v'))});
  return rows;
}

result<segment_info> write_delta(const std::string& folder, std::uint64_t epoch,
                                 std::size_t large = 200'000) {
  auto id = identity();
  id.epoch = epoch;
  EBB_ASSIGN(auto writer, segment_writer::create(folder + fmt::format("/{}.delta", epoch), id));
  for (const auto& x : rows_of(epoch, large))
    EBB_TRY(writer.add(x.entry()));
  return writer.finish();
}

// One incarnation of a stream.
struct incarnation {
  control_db db;
  std::uint64_t generation;
  std::uint64_t next_epoch;
};

result<incarnation> start(const std::string& folder) {
  EBB_ASSIGN(auto db, control_db::open(folder));
  stream_entry wanted;
  wanted.uid = uid;
  wanted.name = "s";
  EBB_TRY(db.open_or_create(wanted));
  EBB_ASSIGN(const auto generation, db.begin_generation(uid));
  EBB_ASSIGN(const auto epoch, db.reserve_epochs(uid, generation, 1'000));
  return incarnation{std::move(db), generation, epoch};
}

// Segment, record, token: the durable steps of a checkpoint.
result<std::uint64_t> checkpoint(incarnation& x, const std::string& folder) {
  const auto epoch = x.next_epoch++;
  EBB_ASSIGN(auto segment, write_delta(folder, epoch));
  commit_request request;
  request.record.uid = uid;
  request.record.epoch = epoch;
  request.record.generation = x.generation;
  request.record.segments = {segment};
  request.generation = x.generation;
  request.retained = 2;
  EBB_TRY(x.db.commit(request));
  EBB_TRY(x.db.set_tokens(uid, x.generation, std::vector<sink_token>{{"out", 0, epoch, epoch}}));
  return epoch;
}

// Opens the folder as a restart does. Every record's segments must be whole; gives the newest.
std::uint64_t check_folder(const std::string& folder, std::uint64_t acknowledged) {
  auto x = value_of(start(folder));
  const auto records = value_of(x.db.records(uid));
  BOOST_REQUIRE_GE(records.empty() ? 0 : records.front().epoch, acknowledged);
  for (const auto& record : records)
    for (const auto& segment : record.segments) {
      auto reader = value_of(segment_reader::open(folder + "/" + segment.id, expect(segment)));
      require(reader->verify_all());
      BOOST_REQUIRE(all_rows(*reader) == rows_of(record.epoch));
    }
  for (const auto& token : value_of(x.db.tokens(uid)))
    BOOST_REQUIRE_LE(token.epoch, records.empty() ? 0 : records.front().epoch);
  // What no record lists goes, and then the folder works as ever.
  std::vector<std::string> segments;
  for (const auto& name : value_of(list_files(folder)))
    if (!name.starts_with("control."))
      segments.push_back(name);
  for (const auto& name : value_of(x.db.garbage(uid, segments)))
    require(remove_file(folder + "/" + name));
  const auto next = value_of(checkpoint(x, folder));
  BOOST_REQUIRE_EQUAL(value_of(x.db.newest_record(uid))->epoch, next);
  return records.empty() ? 0 : records.front().epoch;
}

} // namespace

BOOST_AUTO_TEST_SUITE(storage_faults)

BOOST_AUTO_TEST_CASE(any_failing_system_call_of_a_checkpoint) {
  for (const std::string kind : {"eio", "enospc", "short", "eintr"}) {
    unsigned long calls = 0;
    std::size_t failures = 0;
    for (unsigned long nth = 1; calls + 1 == nth; ++nth) {
      temporary_folder folder;
      std::uint64_t acknowledged = 0;
      bool failed = false;
      {
        auto x = value_of(start(folder.path()));
        acknowledged = value_of(checkpoint(x, folder.path()));
        io_faults_arm(folder.path().c_str(), kind.c_str(), nth, 1);
        if (auto done = checkpoint(x, folder.path()); done) {
          acknowledged = *done;
        } else {
          failed = true;
          BOOST_TEST(!done.error().message.empty());
          if (kind == "enospc")
            BOOST_CHECK_MESSAGE(done.error().code == ec::resource, to_string(done.error()));
        }
        calls = std::min(nth, io_faults_count()); // less than nth: there is no such call
        io_faults_arm(nullptr, nullptr, 0, 0);
      }
      failures += failed;
      check_folder(folder.path(), acknowledged);
    }
    BOOST_TEST_MESSAGE(kind << ": " << calls << " calls, " << failures << " checkpoints failed");
    BOOST_TEST(calls > 10);
    // Errors are never swallowed, but for the notes of the two commits, which are hints.
    if (kind == "eio" || kind == "enospc")
      BOOST_TEST(failures + 2 == calls);
  }
}

BOOST_AUTO_TEST_CASE(a_full_disk_and_room_again) {
  temporary_folder folder;
  auto x = value_of(start(folder.path()));
  const auto first = value_of(checkpoint(x, folder.path()));
  // Full at the beginning, in the middle and at the end of a segment: the stream may go on.
  for (const unsigned long from : {1, 3, 6}) {
    io_faults_arm(folder.path().c_str(), "enospc", from, 0);
    auto failed = write_delta(folder.path(), 500, 6'000'000);
    io_faults_arm(nullptr, nullptr, 0, 0);
    BOOST_REQUIRE(!failed);
    BOOST_CHECK(failed.error().code == ec::resource);
    BOOST_TEST(failed.error().hint == "make room on the volume");
  }
  BOOST_TEST(value_of(x.db.newest_record(uid))->epoch == first);
  const auto next = value_of(checkpoint(x, folder.path()));
  BOOST_TEST(value_of(x.db.newest_record(uid))->epoch == next);
  // Nothing of the failed ones is left.
  for (const auto& name : value_of(list_files(folder.path())))
    BOOST_TEST(name.find(segment_temporary_mark) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_failed_commit_closes_the_control_database) {
  temporary_folder folder;
  {
    auto x = value_of(start(folder.path()));
    const auto segment = value_of(write_delta(folder.path(), 1));
    io_faults_arm(folder.path().c_str(), "eio", 1, 1);
    const std::vector<sink_token> tokens{{"out", 0, 1, 1}};
    BOOST_REQUIRE(!x.db.set_tokens(uid, x.generation, tokens));
    io_faults_arm(nullptr, nullptr, 0, 0);
    auto again = x.db.set_tokens(uid, x.generation, tokens);
    BOOST_REQUIRE(!again);
    BOOST_TEST(again.error().message.find("has failed before") != std::string::npos);
  }
  check_folder(folder.path(), 0);
}

BOOST_AUTO_TEST_CASE(a_crash_at_each_durable_step) {
  struct step {
    const char* failpoint;
    bool recorded; // the checkpoint that was under way
  };

  const step steps[] = {{"segment.sync:before", false},        {"segment.sync:after", false},
                        {"segment.rename:before", false},      {"segment.rename:after", false},
                        {"segment.folder_sync:before", false}, {"segment.folder_sync:after", false},
                        {"control.commit:before", false},      {"control.commit:after", true},
                        {"control.token:before", true},        {"control.token:after", true}};
  for (const auto& step : steps) {
    BOOST_TEST_CONTEXT(step.failpoint) {
      temporary_folder folder;
      const auto child = ::fork();
      if (child == 0) {
        auto x = start(folder.path());
        if (!x || !checkpoint(*x, folder.path()))
          ::_exit(1);
        arm_failpoint(step.failpoint);
        static_cast<void>(checkpoint(*x, folder.path()));
        ::_exit(2);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      BOOST_REQUIRE(WIFEXITED(status));
      BOOST_REQUIRE_EQUAL(WEXITSTATUS(status), failpoint_exit_code);
      BOOST_TEST(check_folder(folder.path(), 1) == (step.recorded ? 2 : 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(crashes_while_a_stream_is_made_and_fenced) {
  for (const auto* text :
       {"control.create:before", "control.create:after", "control.generation:before",
        "control.generation:after", "control.epochs:before", "control.epochs:after",
        "control.generation:after:2"}) {
    BOOST_TEST_CONTEXT(text) {
      temporary_folder folder;
      const auto child = ::fork();
      if (child == 0) {
        arm_failpoint(text);
        static_cast<void>(start(folder.path()));
        static_cast<void>(start(folder.path()));
        ::_exit(2);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      BOOST_REQUIRE_EQUAL(WEXITSTATUS(status), failpoint_exit_code);
      check_folder(folder.path(), 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(kills_at_any_moment) {
  temporary_folder folder;
  std::mt19937 random{4711};
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 30; ++round) {
    int acks[2] = {};
    BOOST_REQUIRE(::pipe(acks) == 0);
    const auto child = ::fork();
    if (child == 0) {
      auto x = start(folder.path());
      if (!x)
        ::_exit(1);
      for (;;) {
        const auto epoch = checkpoint(*x, folder.path());
        if (!epoch || ::write(acks[1], &*epoch, sizeof *epoch) != sizeof *epoch)
          ::_exit(1);
      }
    }
    ::close(acks[1]);
    std::uint64_t epoch = 0;
    if (round % 3 != 0 && ::read(acks[0], &epoch, sizeof epoch) == sizeof epoch)
      acknowledged = epoch;
    ::usleep(static_cast<unsigned>(random() % 40'000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_REQUIRE(WIFSIGNALED(status));
    while (::read(acks[0], &epoch, sizeof epoch) == sizeof epoch)
      acknowledged = epoch;
    ::close(acks[0]);
    check_folder(folder.path(), acknowledged);
  }
  BOOST_TEST(acknowledged > 0);
}

BOOST_AUTO_TEST_CASE(malformed_failpoints_end_the_process) {
  for (const auto* text : {"x", "x:", "x:now", ":before", "x:before:0", "x:before:1x"}) {
    const auto child = ::fork();
    if (child == 0) {
      ::close(2);
      arm_failpoint(text);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    BOOST_TEST(WEXITSTATUS(status) == 2, text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
