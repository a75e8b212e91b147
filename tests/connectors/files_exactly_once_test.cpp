#include "actors/connectors/stdout_sink.hpp"
#include "tests/connectors/exactly_once_support.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

using test::csv_of;
using test::expanded;
using test::file_at;
using test::files_in;
using test::json_of;
using test::outputs;
using test::rows_of;
using test::seal;
using test::session;
using test::sink_columns;
using test::sink_named;
using test::write;

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
  auto opened = open_file_sink(sink_named("rows"), file_at("o.json"), sink_columns, context);
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
      auto sink = open_stdout_sink(sink_named("rows"), options, sink_columns, context);
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

} // namespace ebb
