#include "actors/connectors/factory.hpp"
#include "actors/connectors/file_claim.hpp"
#include "tests/connectors/exactly_once_support.hpp"

#include <csignal>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ebb {

using test::csv_of;
using test::expanded;
using test::file_at;
using test::files_in;
using test::json_of;
using test::rows_of;
using test::seal;
using test::session;
using test::sink_columns;
using test::sink_named;
using test::write;

BOOST_AUTO_TEST_SUITE(folder_parts)

BOOST_AUTO_TEST_CASE(each_lane_writes_a_part_an_epoch) {
  const test::temporary_folder folder;
  session left{folder, file_at("csv/")};
  left.parallelism = 2;
  session right{folder, file_at("csv")};
  right.parallelism = 2;
  right.subtask = 1;
  auto one = left.open();
  auto two = right.open();
  write(*one, rows_of(0, 2));
  write(*two, rows_of(2, 1));
  const auto first = seal(*one, 4);
  const auto second = seal(*two, 4);
  BOOST_TEST(first.file == folder / "csv/.u1-0-4.csv.part");
  BOOST_TEST(second.lane == 1U);
  BOOST_TEST(!folder.has("csv/u1-0-4.csv"));
  BOOST_TEST(left.apply(first) == "applied");
  BOOST_TEST(right.apply(second) == "applied");
  BOOST_TEST(folder.read("csv/u1-0-4.csv") == "a,b\n" + csv_of(0, 2));
  BOOST_TEST(folder.read("csv/u1-1-4.csv") == "a,b\n" + csv_of(2, 1));
  BOOST_TEST(files_in(folder / "csv") == 2U);

  // An epoch without rows has no part; the next one has its header.
  const auto none = seal(*one, 5);
  BOOST_TEST(none.file == "");
  BOOST_TEST(left.apply(none) == "applied");
  write(*one, rows_of(3, 1));
  const auto third = seal(*one, 6);
  BOOST_TEST(third.rows == 1U);
  const auto bytes = folder.read("csv/.u1-0-6.csv.part");
  BOOST_TEST(left.apply(third) == "applied");
  BOOST_TEST(folder.read("csv/u1-0-6.csv") == "a,b\n" + csv_of(3, 1));
  BOOST_TEST(*one->finish());

  // Again: already there, with and without the waiting file.
  BOOST_TEST(left.apply(third) == "applied");
  folder.write("csv/.u1-0-6.csv.part", bytes);
  BOOST_TEST(left.apply(third) == "applied");
  BOOST_TEST(!folder.has("csv/.u1-0-6.csv.part"));
  folder.write("csv/.u1-0-6.csv.part", bytes);
  folder.write("csv/u1-0-6.csv", "of someone else");
  BOOST_TEST(left.apply(third)
             == "csv/u1-0-6.csv is there and is not what the stream has written\n"
                "hint: move it out of the folder, then run again");
  BOOST_TEST(folder.read("csv/u1-0-6.csv") == "of someone else");
  std::filesystem::remove(folder / "csv/u1-0-6.csv");
  folder.write("csv/.u1-0-6.csv.part", bytes.substr(1));
  BOOST_TEST(left.apply(third).find("csv/.u1-0-6.csv.part is damaged") != std::string::npos);
  std::filesystem::remove(folder / "csv/.u1-0-6.csv.part");
  BOOST_TEST(left.apply(third).find("csv/.u1-0-6.csv.part is gone") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lanes_that_a_run_does_not_have_are_swept) {
  const test::temporary_folder folder;
  session run{folder, file_at("csv/")};
  run.parallelism = 2;
  BOOST_TEST(*run.open()->finish());
  const std::vector<std::string> stay = {
      "csv/.u1-0-4.csv.part",  "csv/.u1-1-4.csv.part",    "csv/.u2-3-4.csv.part",
      "csv/u1-3-4.csv",        "csv/.u1-3-4.ndjson.part", "csv/.u1-3.csv.part",
      "csv/.u1-3-x4.csv.part", "csv/.u1-3-4x.csv.part",   "csv/.u1-.csv.part"};
  const std::vector<std::string> go = {"csv/.u1-2-4.csv.part", "csv/.u1-3-1025.csv.part",
                                       "csv/.u1-17-9.csv.part"};
  for (const auto* all : {&stay, &go})
    for (const auto& name : *all)
      folder.write(name, "x");
  session other = run;
  other.subtask = 1;
  BOOST_TEST(*other.open()->finish());
  for (const auto& name : go)
    BOOST_TEST(folder.has(name), name);
  BOOST_TEST(*run.open()->finish());
  for (const auto& name : go)
    BOOST_TEST(!folder.has(name), name);
  for (const auto& name : stay)
    BOOST_TEST(folder.has(name), name);
}

BOOST_AUTO_TEST_CASE(without_checkpoints_there_is_a_part_a_lane_at_the_end) {
  const test::temporary_folder folder;
  test::inline_executor io;
  connector_context context;
  context.io = &io;
  context.wake = [] {};
  context.stream = "s";
  context.folder = folder.path();
  context.parallelism = 2;
  for (int run = 0; run < 2; ++run) {
    for (const std::uint32_t lane : {0U, 1U}) {
      context.subtask = lane;
      auto sink = open_file_sink(sink_named("rows"), file_at("json/"), sink_columns, context);
      BOOST_REQUIRE(sink);
      if (lane == 0)
        write(**sink, rows_of(run, 1));
      if (lane == 0) {
        BOOST_TEST(!folder.has("json/s-0-" + std::to_string(run + 1) + ".ndjson"));
        // The same stream twice at a time.
        auto other = open_file_sink(sink_named("rows"), file_at("json/"), sink_columns, context);
        BOOST_REQUIRE(!other);
        BOOST_TEST((other.error().code == ec::conflict));
      }
      BOOST_TEST(*(*sink)->finish());
    }
  }
  BOOST_TEST(folder.read("json/s-0-1.ndjson") == json_of(0, 1));
  BOOST_TEST(folder.read("json/s-0-2.ndjson") == json_of(1, 1));
  BOOST_TEST(files_in(folder / "json") == 2U);
  context.subtask = 0;
  auto dropped = open_file_sink(sink_named("rows"), file_at("json/"), sink_columns, context);
  BOOST_REQUIRE(dropped);
  write(**dropped, rows_of(0, 1));
  (*dropped)->abandon();
  BOOST_TEST(files_in(folder / "json") == 2U);
  const auto missing =
      open_file_sink(sink_named("rows"), file_at("no/json/"), sink_columns, context);
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().message.find("does not exist") != std::string::npos);
}

// A process that was replaced while it was frozen, and goes on.
BOOST_AUTO_TEST_CASE(writers_of_lower_generations_disturb_nobody) {
  for (const char* path : {"o.json", "parts/"}) {
    BOOST_TEST_CONTEXT(path) {
      const test::temporary_folder folder;
      session old{folder, file_at(path)};
      old.generation = 1;
      session fresh{folder, file_at(path)};
      fresh.generation = 2;
      auto before = old.open();
      write(*before, rows_of(100, 1));
      auto sink = fresh.open();
      write(*sink, rows_of(0, 2));
      // Its file has been taken away: it fails.
      BOOST_TEST((!before->seal(1) || !before->sealed()));
      auto again = old.open();
      write(*again, rows_of(200, 1));
      write(*sink, rows_of(2, 1));
      const auto output = seal(*sink, 1025);
      BOOST_TEST(seal(*again, 2).file != output.file);
      BOOST_TEST(fresh.apply(output) == "applied");
      BOOST_TEST(folder.read(path == std::string("parts/") ? "parts/u1-0-1025.ndjson" : "o.json")
                 == json_of(0, 3));
      write(*again, rows_of(300, 1));
      write(*sink, rows_of(3, 1));
      again->abandon();
      again.reset();
      const auto next = seal(*sink, 1026);
      BOOST_TEST(fresh.apply(next) == "applied");
    }
  }
}

BOOST_AUTO_TEST_CASE(outputs_that_were_never_committed_are_swept) {
  const test::temporary_folder folder;
  const auto connectors = make_connectors();
  session x{folder, file_at("parts/")};
  x.generation = 3;
  auto sink = x.open();
  folder.write("parts/.u1-0.g2.ndjson.part", "of a crash");
  folder.write("parts/.u1-1.g1.ndjson.part", "of a lane that there was");
  for (const char* name : {".u1-0-3.ndjson.part", ".u1-0-12.ndjson.part", ".u1-1-3.ndjson.part",
                           ".u10-0-3.ndjson.part", "u1-0-3.ndjson", ".u1-0-x3.ndjson.part"})
    folder.write(std::string("parts/") + name, "x");
  write(*sink, rows_of(0, 1));
  const auto output = seal(*sink, 10);
  BOOST_REQUIRE(connectors->apply_output(sink_named("rows"), folder.path(), output));
  BOOST_TEST(!folder.has("parts/.u1-0-3.ndjson.part"));
  BOOST_TEST(files_in(folder / "parts") == 6U);
  session y{folder, file_at("o.json")};
  sink = y.open();
  folder.write("out/u1.rows.0.2.out", "x");
  folder.write("out/u1.other.0.2.out", "x");
  write(*sink, rows_of(0, 1));
  BOOST_REQUIRE(connectors->apply_output(sink_named("rows"), folder.path(), seal(*sink, 3)));
  BOOST_TEST(files_in(folder / "out") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(at_least_once_files)

BOOST_AUTO_TEST_CASE(rows_are_appended_at_once) {
  for (const char* name : {"o.json", "o.csv", "o.json.gz", "o.csv.zst"}) {
    BOOST_TEST_CONTEXT(name) {
      const test::temporary_folder folder;
      folder.write(name, "old");
      session x{folder, file_at(name), false};
      const bool csv = x.options.format == record_format::csv;
      const auto text = [&](std::int64_t first, std::int64_t count) {
        return csv ? csv_of(first, count) : json_of(first, count);
      };
      const std::string header = csv ? "a,b\n" : "";
      auto sink = x.open();
      BOOST_TEST(folder.read(name) == "");
      write(*sink, rows_of(0, 2));
      if (std::string_view(name) == "o.json")
        BOOST_TEST(folder.read(name) == json_of(0, 2));
      const auto one = seal(*sink, 1);
      BOOST_TEST(one.file == "");
      BOOST_TEST(one.offset == std::filesystem::file_size(folder / name));
      BOOST_TEST(expanded(folder, name) == header + text(0, 2));
      BOOST_TEST(x.apply(one) == "applied");
      auto other = x.try_open();
      BOOST_REQUIRE(!other);
      BOOST_TEST((other.error().code == ec::conflict));
      write(*sink, rows_of(2, 1));
      sink->abandon();
      sink.reset();
      // A crash in the middle of a record; the whole ones behind the position may stay.
      folder.write(name, "{\"a\":77,", true);
      x.last = {one};
      sink = x.open();
      write(*sink, rows_of(2, 1));
      const auto two = seal(*sink, 2);
      BOOST_TEST(two.offset == std::filesystem::file_size(folder / name));
      const auto again = std::string_view(name) == "o.json" ? text(2, 1) : "";
      BOOST_TEST(expanded(folder, name) == header + text(0, 2) + again + text(2, 1));
      BOOST_TEST(*sink->finish());
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_get_their_names_when_they_are_sealed) {
  const test::temporary_folder folder;
  session x{folder, file_at("json/"), false};
  auto sink = x.open();
  write(*sink, rows_of(0, 2));
  const auto one = seal(*sink, 1);
  BOOST_TEST(folder.read("json/u1-0-1.ndjson") == json_of(0, 2));
  BOOST_TEST(x.apply(one) == "applied");
  BOOST_TEST(*sink->finish());
  BOOST_TEST(files_in(folder / "json") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(exclusive_files)

// Another stream's writer is refused, whatever it writes with; the same stream's next start is not.
BOOST_AUTO_TEST_CASE(a_file_is_one_streams_at_a_time) {
  const test::temporary_folder folder;
  for (const bool exactly_once : {true, false}) {
    folder.write("o.json", "");
    session first{folder, file_at("o.json"), exactly_once};
    auto sink = first.open();
    for (const auto& [uid, also_once] :
         {std::pair{"u2", true}, std::pair{"u2", false}, std::pair{"", true}}) {
      session other{folder, file_at("o.json"), also_once};
      other.stream_uid = uid;
      const auto refused = other.try_open();
      BOOST_REQUIRE(!refused);
      BOOST_TEST((refused.error().code == ec::conflict));
      BOOST_TEST(folder.has("o.json.part") == false);
      if (exactly_once)
        BOOST_TEST(to_string(refused.error()).find("another stream of this process is writing it")
                       != std::string::npos,
                   to_string(refused.error()));
    }
    if (exactly_once) {
      session again = first;
      again.generation = 9;
      BOOST_TEST(static_cast<bool>(again.try_open()));
    }
    sink.reset();
    session other{folder, file_at("o.json"), exactly_once};
    other.stream_uid = "u2";
    BOOST_TEST(static_cast<bool>(other.try_open()));
  }
}

// A process that was given up, and stands still, does not keep its successor out; a copy of the data
// folder, whose streams have the same uids, is kept out.
BOOST_AUTO_TEST_CASE(a_copied_data_folder_is_another_writer) {
  const test::temporary_folder folder;
  folder.write("o.json", "");
  std::filesystem::create_directory(folder / "d");
  std::filesystem::copy(folder / "d", folder / "copy", std::filesystem::copy_options::recursive);
  session first{folder, file_at("o.json")};
  first.data_folder = folder / "d";
  const auto child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const auto sink = first.try_open();
    ::raise(SIGSTOP);
    ::_exit(sink ? 0 : 1);
  }
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  BOOST_REQUIRE(WIFSTOPPED(status));
  session copied = first;
  copied.data_folder = folder / "copy";
  const auto refused = copied.try_open();
  BOOST_REQUIRE(!refused);
  BOOST_TEST(to_string(refused.error()).find("is writing it, in process " + std::to_string(child))
                 != std::string::npos,
             to_string(refused.error()));
  session successor = first;
  successor.generation = 9;
  BOOST_TEST(static_cast<bool>(successor.try_open()));
  std::filesystem::rename(folder / "d", folder / "moved");
  successor.data_folder = folder / "moved";
  BOOST_TEST(static_cast<bool>(successor.try_open()));
  ::kill(child, SIGCONT);
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(WEXITSTATUS(status) == 0);
  BOOST_TEST(static_cast<bool>(copied.try_open()));
}

// As a snapshot of a volume that is mounted beside the volume: roots of file systems have number 1.
BOOST_AUTO_TEST_CASE(a_data_folder_of_another_device_is_another_writer) {
  struct stat one {};

  struct stat two {};

  BOOST_REQUIRE(::stat("/proc", &one) == 0);
  BOOST_REQUIRE(::stat("/sys", &two) == 0);
  BOOST_REQUIRE(one.st_ino == two.st_ino);
  BOOST_TEST(claim_name("u1", "/proc", "o") == claim_name("u1", "/proc/", "o"));
  BOOST_TEST(claim_name("u1", "/proc", "o") != claim_name("u1", "/sys", "o"));
  // And of another machine.
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string machine;
  BOOST_REQUIRE(std::getline(file, machine));
  BOOST_TEST(claim_name("u1", "/proc", "o").ends_with(machine));
}

BOOST_AUTO_TEST_CASE(one_writer_at_a_time_has_the_unfinished_file) {
  const test::temporary_folder folder;
  test::inline_executor io;
  connector_context context;
  context.io = &io;
  context.wake = [] {};
  context.stream = "s";
  context.folder = folder.path();
  const auto open = [&] {
    return open_file_sink(sink_named("rows"), file_at("o.json"), sink_columns, context);
  };
  // What a dead process has left is taken over.
  folder.write("o.json.part", "left");
  auto first = open();
  BOOST_REQUIRE(first);
  BOOST_TEST(folder.read("o.json.part") == "");
  write(**first, rows_of(0, 1));
  const auto second = open();
  BOOST_REQUIRE(!second);
  BOOST_TEST(to_string(second.error())
             == "spec.sinks[0].file.path: cannot write o.json: another process or sink is writing "
                    + (folder / "o.json.part")
                    + "\nhint: wait until it has finished, or write to another path");
  BOOST_TEST(*(*first)->finish());
  BOOST_TEST(folder.read("o.json") == json_of(0, 1));
  auto third = open();
  BOOST_REQUIRE(third);
  (*third)->abandon();
  BOOST_TEST(!folder.has("o.json.part"));
  BOOST_TEST(folder.read("o.json") == json_of(0, 1));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
