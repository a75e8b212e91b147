#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/factory.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_sink.hpp"
#include "actors/connectors/stdout_sink.hpp"
#include "tests/connectors/files_io_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {
namespace {

using test::column_of;
using outputs = std::vector<sealed_output>;

const schema columns = {column_of("a", type_kind::bigint), column_of("b", type_kind::text)};

batch_ptr rows_of(std::int64_t first, std::uint32_t count) {
  auto x = std::make_shared<batch>();
  x->rows = count;
  auto a = make_column(sql_type{type_kind::bigint}, count);
  text_builder b{sql_type{type_kind::text}, count};
  for (std::uint32_t i = 0; i < count; ++i) {
    a.mutable_data<std::int64_t>()[i] = first + i;
    b.append("row " + std::to_string(first + i));
  }
  x->columns.push_back(std::move(a));
  x->columns.push_back(b.take());
  return x;
}

std::string json_of(std::int64_t first, std::int64_t count) {
  std::string text;
  for (auto i = first; i < first + count; ++i)
    text += "{\"a\":" + std::to_string(i) + ",\"b\":\"row " + std::to_string(i) + "\"}\n";
  return text;
}

std::string csv_of(std::int64_t first, std::int64_t count) {
  std::string text;
  for (auto i = first; i < first + count; ++i)
    text += std::to_string(i) + ",row " + std::to_string(i) + "\n";
  return text;
}

sink_definition sink_named(const char* name) {
  sink_definition x;
  x.name = name;
  x.place.field = "spec.sinks[0]";
  return x;
}

file_sink file_at(const std::string& path) {
  file_sink x;
  x.path = path;
  x.format = path.find("csv") == std::string::npos ? record_format::json : record_format::csv;
  return x;
}

// A sink of a stream with checkpoints in a folder.
struct session {
  const test::temporary_folder& folder;
  file_sink options;
  bool exactly_once = true;
  outputs last = {};
  std::uint32_t subtask = 0;
  std::uint32_t parallelism = 1;
  std::uint64_t generation = 0;
  test::inline_executor io = {};

  [[nodiscard]] result<std::unique_ptr<sink_writer>> try_open() {
    connector_context context;
    context.io = &io;
    context.wake = [] {};
    context.stream = "s";
    context.stream_uid = "u1";
    context.folder = folder.path();
    context.output_folder = exactly_once ? folder / "out" : "";
    context.subtask = subtask;
    context.parallelism = parallelism;
    context.generation = generation;
    context.outputs = last;
    return open_file_sink(sink_named("rows"), options, columns, context);
  }

  [[nodiscard]] std::unique_ptr<sink_writer> open() {
    auto sink = try_open();
    BOOST_REQUIRE_MESSAGE(sink, (sink ? "" : to_string(sink.error())));
    return *std::move(sink);
  }

  [[nodiscard]] std::string apply(const sealed_output& output) const {
    auto done = apply_waiting_output(folder.path(), output);
    return done ? "applied" : to_string(done.error());
  }
};

sealed_output seal(sink_writer& sink, epoch_number epoch) {
  BOOST_REQUIRE(sink.seal(epoch));
  auto made = sink.sealed();
  BOOST_REQUIRE_MESSAGE(made, (made ? "" : to_string(made.error())));
  BOOST_REQUIRE(*made);
  auto again = sink.sealed();
  BOOST_REQUIRE(again);
  BOOST_TEST(!*again);
  return **made;
}

void write(sink_writer& sink, const batch_ptr& rows) {
  BOOST_REQUIRE(sink.write(rows));
}

std::string expanded(const test::temporary_folder& folder, const std::string& name) {
  auto reader = open_reader(folder / name, name);
  BOOST_REQUIRE(reader);
  std::string text;
  for (;;) {
    char block[5000];
    auto count = (*reader)->read(block, sizeof block);
    BOOST_REQUIRE_MESSAGE(count, (count ? "" : to_string(count.error())));
    if (*count == 0)
      return text;
    text.append(block, *count);
  }
}

std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

} // namespace

BOOST_AUTO_TEST_SUITE(exactly_once_files)

BOOST_AUTO_TEST_CASE(epochs_are_appended_when_they_are_applied) {
  for (const char* name : {"o.json", "o.csv", "o.json.gz", "o.csv.zst"}) {
    BOOST_TEST_CONTEXT(name) {
      const test::temporary_folder folder;
      folder.write(name, "of an earlier stream, and longer than what the first epoch brings");
      session x{folder, file_at(name)};
      const bool csv = x.options.format == record_format::csv;
      const auto text = [&](std::int64_t first, std::int64_t count) {
        return csv ? csv_of(first, count) : json_of(first, count);
      };
      const std::string header = csv ? "a,b\n" : "";
      auto sink = x.open();
      write(*sink, rows_of(0, 3));
      const auto one = seal(*sink, 7);
      BOOST_TEST(one.rows == 3U);
      BOOST_TEST(one.offset == 0U);
      BOOST_TEST(one.file == folder / "out/u1.rows.0.7.out");
      BOOST_TEST(std::filesystem::file_size(one.file) == one.bytes);
      // Nothing goes outside before the commit.
      BOOST_TEST(folder.read(name).substr(0, 5) == "of an");
      write(*sink, rows_of(3, 1000));
      write(*sink, rows_of(1003, 1000));
      BOOST_TEST(x.apply(one) == "applied");
      BOOST_TEST(expanded(folder, name) == header + text(0, 3));
      BOOST_TEST(std::filesystem::file_size(folder / name) == one.bytes);
      const auto two = seal(*sink, 8);
      BOOST_TEST(two.rows == 2000U);
      BOOST_TEST(two.offset == one.bytes);
      const auto three = seal(*sink, 9);
      BOOST_TEST(three.file == "");
      BOOST_TEST(three.rows == 0U);
      BOOST_TEST(three.offset == two.offset + two.bytes);
      BOOST_TEST(x.apply(two) == "applied");
      BOOST_TEST(x.apply(three) == "applied");
      BOOST_TEST(expanded(folder, name) == header + text(0, 2003));

      // Rows behind the last epoch belong to none: another run makes them again.
      write(*sink, rows_of(5000, 10));
      sink.reset();
      x.last = {three};
      sink = x.open();
      write(*sink, rows_of(2003, 2));
      const auto four = seal(*sink, 12);
      BOOST_TEST(four.offset == three.offset);
      BOOST_TEST(x.apply(four) == "applied");
      BOOST_TEST(expanded(folder, name) == header + text(0, 2005));
      BOOST_TEST(*sink->finish());
      sink.reset();
      BOOST_TEST(expanded(folder, name) == header + text(0, 2005));
      BOOST_TEST(files_in(folder / "out") == 0U);
      BOOST_TEST(files_in(folder.path()) == 2U);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stream_without_rows_leaves_an_empty_result) {
  for (const char* name : {"o.json", "o.csv", "o.json.gz", "o.csv.zst"}) {
    const test::temporary_folder folder;
    folder.write(name, "old");
    session x{folder, file_at(name)};
    auto sink = x.open();
    for (const epoch_number epoch : {1U, 2U}) {
      const auto output = seal(*sink, epoch);
      BOOST_TEST(output.rows == 0U);
      BOOST_TEST(x.apply(output) == "applied");
      BOOST_TEST(x.apply(output) == "applied");
      BOOST_TEST(expanded(folder, name) == (x.options.format == record_format::csv ? "a,b\n" : ""));
    }
    BOOST_TEST(*sink->finish());
  }
}

BOOST_AUTO_TEST_CASE(a_crash_while_applying_is_made_good) {
  const test::temporary_folder folder;
  session x{folder, file_at("o.json")};
  auto sink = x.open();
  write(*sink, rows_of(0, 5));
  const auto one = seal(*sink, 1);
  write(*sink, rows_of(5, 7));
  const auto two = seal(*sink, 2);
  const auto one_bytes = folder.read("out/u1.rows.0.1.out");
  const auto two_bytes = folder.read("out/u1.rows.0.2.out");
  const auto whole = json_of(0, 12);
  BOOST_TEST(one_bytes + two_bytes == whole);
  for (std::size_t size = one.bytes; size <= whole.size() + 3; ++size) {
    // Cut off anywhere while it was written, or with what was never written there.
    for (const auto& behind : {whole + "xyz", one_bytes + std::string(1000, '\0')}) {
      folder.write("o.json", behind.substr(0, size));
      folder.write("out/u1.rows.0.2.out", two_bytes);
      // Behind an output that is there may be later ones: they stay.
      const auto expected =
          behind[whole.size()] == 'x' && size > whole.size() ? behind.substr(0, size) : whole;
      BOOST_TEST_REQUIRE(x.apply(two) == "applied");
      BOOST_TEST_REQUIRE(folder.read("o.json") == expected);
      BOOST_TEST_REQUIRE(!folder.has("out/u1.rows.0.2.out"));
      // Once more, now without the waiting file.
      BOOST_TEST_REQUIRE(x.apply(two) == "applied");
      BOOST_TEST_REQUIRE(folder.read("o.json") == expected);
    }
  }
  // The first output replaces whatever is there.
  for (const auto& before : {std::string(), one_bytes.substr(0, 9), one_bytes, one_bytes + "old"}) {
    folder.write("o.json", before);
    folder.write("out/u1.rows.0.1.out", one_bytes);
    BOOST_TEST(x.apply(one) == "applied");
    BOOST_TEST(folder.read("o.json") == one_bytes);
    BOOST_TEST(x.apply(one) == "applied");
  }
  // Both again, in their order.
  folder.write("out/u1.rows.0.1.out", one_bytes);
  folder.write("out/u1.rows.0.2.out", two_bytes);
  BOOST_TEST(x.apply(one) == "applied");
  BOOST_TEST(x.apply(two) == "applied");
  BOOST_TEST(folder.read("o.json") == whole);
}

BOOST_AUTO_TEST_CASE(all_outputs_of_a_record_may_be_applied_again) {
  for (const char* name : {"o.json", "o.json.gz"}) {
    const test::temporary_folder folder;
    folder.write(name, "old");
    session x{folder, file_at(name)};
    auto sink = x.open();
    outputs all = {seal(*sink, 1)};
    // Without rows, too: applied, it empties the file.
    BOOST_TEST(all[0].file != "");
    write(*sink, rows_of(0, 2));
    all.push_back(seal(*sink, 2));
    all.push_back(seal(*sink, 3));
    write(*sink, rows_of(2, 2));
    all.push_back(seal(*sink, 4));
    for (int round = 0; round < 3; ++round)
      for (const auto& output : all)
        BOOST_TEST(x.apply(output) == "applied");
    BOOST_TEST(expanded(folder, name) == json_of(0, 4));
  }
}

BOOST_AUTO_TEST_CASE(what_others_did_to_the_files_is_named) {
  const test::temporary_folder folder;
  session x{folder, file_at("o.json")};
  auto sink = x.open();
  write(*sink, rows_of(0, 5));
  const auto one = seal(*sink, 1);
  write(*sink, rows_of(5, 5));
  const auto two = seal(*sink, 2);
  BOOST_TEST(x.apply(one) == "applied");
  const auto bytes = folder.read("out/u1.rows.0.2.out");
  const auto before = folder.read("o.json");
  const auto hint = "\nhint: it was cut, replaced or removed by someone: put it back as it was, or "
                    "start over with --from fresh";

  folder.write("o.json", before.substr(1));
  BOOST_TEST(x.apply(two)
             == "o.json has only " + std::to_string(one.bytes - 1) + " bytes, but "
                    + std::to_string(one.bytes) + " bytes of output were written to it before"
                    + hint);
  BOOST_TEST(folder.read("o.json") == before.substr(1));
  std::filesystem::remove(folder / "o.json");
  BOOST_TEST(x.apply(two).find("o.json is gone, but") == 0U);
  BOOST_TEST(!folder.has("o.json"));
  folder.write("o.json", before);

  auto damaged = bytes;
  damaged[20] ^= 1;
  for (const auto& waiting : {damaged, bytes + "x", bytes.substr(1), std::string()}) {
    folder.write("out/u1.rows.0.2.out", waiting);
    BOOST_TEST(x.apply(two)
               == two.file
                      + " is damaged, which holds committed output for o.json\nhint: restore "
                        "it from a copy, or go back to a savepoint");
    BOOST_TEST(folder.read("o.json") == before);
  }
  std::filesystem::remove(two.file);
  BOOST_TEST(x.apply(two)
             == two.file
                    + " is gone, which holds committed output that is not in o.json yet\n"
                      "hint: put it back, or go back to a savepoint");
  folder.write("o.json", before + damaged);
  BOOST_TEST(x.apply(two).find(" is gone, which") != std::string::npos);
  folder.write("o.json", before + bytes);
  BOOST_TEST(x.apply(two) == "applied");
  auto foreign = two;
  foreign.target = "elsewhere";
  BOOST_TEST(x.apply(foreign).find("unknown target elsewhere") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_epoch_is_sealed_in_the_background) {
  const test::temporary_folder folder;
  test::manual_executor io;
  test::waker waker;
  connector_context context;
  context.io = &io;
  context.wake = waker.function();
  context.stream_uid = "u1";
  context.folder = folder.path();
  context.output_folder = folder / "out";
  auto opened = open_file_sink(sink_named("rows"), file_at("o.json"), columns, context);
  BOOST_REQUIRE(opened);
  auto& sink = **opened;
  write(sink, rows_of(0, 3));
  BOOST_REQUIRE(sink.seal(1));
  write(sink, rows_of(3, 2));
  BOOST_TEST(sink.backlog() == json_of(0, 5).size());
  BOOST_TEST(!*sink.sealed());
  BOOST_REQUIRE(io.run_one());
  BOOST_TEST(waker.calls() != 0U);
  BOOST_TEST(sink.backlog() == 0U);
  auto one = sink.sealed();
  BOOST_REQUIRE(one);
  BOOST_REQUIRE(*one);
  BOOST_TEST((*one)->rows == 3U);
  BOOST_TEST(folder.read("out/u1.rows.0.1.out") == json_of(0, 3));
  BOOST_REQUIRE(sink.seal(2));
  while (io.run_one()) {
  }
  auto two = sink.sealed();
  BOOST_REQUIRE(two);
  BOOST_REQUIRE(*two);
  BOOST_TEST((*two)->rows == 2U);
  BOOST_TEST(folder.read("out/u1.rows.0.2.out") == json_of(3, 2));
  write(sink, rows_of(5, 2));
  io.run_one();
  BOOST_TEST(folder.has("out/u1.rows.0.g0.part"));
  sink.abandon();
  opened = std::unique_ptr<sink_writer>();
  BOOST_TEST(!folder.has("out/u1.rows.0.g0.part"));
}

BOOST_AUTO_TEST_CASE(a_sink_with_another_path_begins_another_file) {
  const test::temporary_folder folder;
  session x{folder, file_at("o.csv")};
  auto sink = x.open();
  write(*sink, rows_of(0, 2));
  const auto one = seal(*sink, 1);
  BOOST_TEST(x.apply(one) == "applied");
  sink.reset();
  session y{folder, file_at("p.csv")};
  y.last = {one};
  sink = y.open();
  write(*sink, rows_of(2, 1));
  BOOST_TEST(y.apply(seal(*sink, 2)) == "applied");
  BOOST_TEST(folder.read("o.csv") == "a,b\n" + csv_of(0, 2));
  BOOST_TEST(folder.read("p.csv") == "a,b\n" + csv_of(2, 1));
}

BOOST_AUTO_TEST_CASE(a_pipe_gets_its_epochs_without_an_end_between) {
  const test::temporary_folder folder;
  BOOST_REQUIRE(::mkfifo((folder / "pipe.json").c_str(), 0600) == 0);
  const descriptor reader(::open((folder / "pipe.json").c_str(), O_RDONLY | O_NONBLOCK));
  session x{folder, file_at("pipe.json")};
  auto sink = x.open();
  const auto read = [&] {
    char block[1000];
    const auto count = ::read(reader.number(), block, sizeof block);
    return count < 0 ? std::string("nothing") : std::string(block, static_cast<std::size_t>(count));
  };
  for (std::int64_t i = 0; i < 3; ++i) {
    write(*sink, rows_of(i, 1));
    const auto output = seal(*sink, static_cast<epoch_number>(i + 1));
    BOOST_TEST(read() == "nothing");
    BOOST_TEST(x.apply(output) == "applied");
    BOOST_TEST(read() == json_of(i, 1));
    BOOST_TEST(x.apply(output) == "applied");
  }
  BOOST_TEST(*sink->finish());
  sink.reset();
  BOOST_TEST(read() == "");
  session null{folder, file_at("/dev/null")};
  sink = null.open();
  write(*sink, rows_of(0, 3));
  BOOST_TEST(null.apply(seal(*sink, 1)) == "applied");
}

BOOST_AUTO_TEST_CASE(standard_output_is_written_after_the_commit) {
  const test::temporary_folder folder;
  for (const auto format : {stdout_format::json, stdout_format::csv, stdout_format::table}) {
    const descriptor to(
        ::open((folder / "stdout").c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0666));
    std::fflush(stdout);
    const int before = ::dup(STDOUT_FILENO);
    ::dup2(to.number(), STDOUT_FILENO);
    test::inline_executor io;
    connector_context context;
    context.io = &io;
    context.wake = [] {};
    context.stream_uid = "u1";
    context.output_folder = folder / "out";
    stdout_sink options;
    options.format = format;
    std::string after_sealing;
    std::string after_applying;
    {
      auto sink = open_stdout_sink(sink_named("rows"), options, columns, context);
      if (sink && (*sink)->write(rows_of(0, 2)) && (*sink)->seal(1)) {
        const auto output = (*sink)->sealed();
        after_sealing = folder.read("stdout");
        if (output && *output && apply_waiting_output("", **output))
          after_applying = folder.read("stdout");
        static_cast<void>(apply_waiting_output("", **output));
        static_cast<void>((*sink)->finish());
      }
    }
    ::dup2(before, STDOUT_FILENO);
    ::close(before);
    BOOST_TEST(after_sealing == "");
    const auto whole = folder.read("stdout");
    if (format == stdout_format::json)
      BOOST_TEST(after_applying == json_of(0, 2));
    else if (format == stdout_format::csv)
      BOOST_TEST(after_applying == "a,b\n" + csv_of(0, 2));
    else
      BOOST_TEST(after_applying == " a | b\n---+-------\n 0 | row 0\n 1 | row 1\n");
    BOOST_TEST(whole == after_applying + (format == stdout_format::table ? "(2 rows)\n" : ""));
    BOOST_TEST(files_in(folder / "out") == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

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
      auto sink = open_file_sink(sink_named("rows"), file_at("json/"), columns, context);
      BOOST_REQUIRE(sink);
      if (lane == 0)
        write(**sink, rows_of(run, 1));
      if (lane == 0) {
        BOOST_TEST(!folder.has("json/s-0-" + std::to_string(run + 1) + ".ndjson"));
        // The same stream twice at a time.
        auto other = open_file_sink(sink_named("rows"), file_at("json/"), columns, context);
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
  auto dropped = open_file_sink(sink_named("rows"), file_at("json/"), columns, context);
  BOOST_REQUIRE(dropped);
  write(**dropped, rows_of(0, 1));
  (*dropped)->abandon();
  BOOST_TEST(files_in(folder / "json") == 2U);
  const auto missing = open_file_sink(sink_named("rows"), file_at("no/json/"), columns, context);
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

BOOST_AUTO_TEST_CASE(one_writer_at_a_time_has_the_unfinished_file) {
  const test::temporary_folder folder;
  test::inline_executor io;
  connector_context context;
  context.io = &io;
  context.wake = [] {};
  context.stream = "s";
  context.folder = folder.path();
  const auto open = [&] {
    return open_file_sink(sink_named("rows"), file_at("o.json"), columns, context);
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
