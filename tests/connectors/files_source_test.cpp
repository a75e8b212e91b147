#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/file_source.hpp"
#include "actors/connectors/quarantine.hpp"
#include "actors/dataflow/partition_news.hpp"
#include "tests/connectors/files_io_support.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>

namespace ebb {
namespace {

using test::column_of;
using lines = std::vector<std::string>;

source_definition ab_source(bad_record_policy policy = bad_record_policy::fail) {
  source_definition x;
  x.name = "flights";
  x.columns = {column_of("a", type_kind::bigint), column_of("b", type_kind::text)};
  x.on_bad_record = policy;
  x.place.field = "spec.sources[0]";
  return x;
}

file_source csv_at(std::string path) {
  file_source x;
  x.path = std::move(path);
  x.format = record_format::csv;
  return x;
}

connector_context context_of(io_executor& io, const test::temporary_folder& folder) {
  connector_context x;
  x.io = &io;
  x.wake = [] {};
  x.stream = "delays";
  x.folder = folder.path();
  x.data_folder = folder.path();
  return x;
}

// Reads to the end with an executor that runs jobs at once; the error's text is the last line.
lines read_all(const source_definition& source, const file_source& options,
               connector_context context, source_counters* counters = nullptr) {
  auto reader = open_file_source(source, options, std::move(context));
  if (!reader)
    return {to_string(reader.error())};
  test::collector out;
  for (micros now = 0;; ++now) {
    step_budget budget{1000};
    auto status = (*reader)->read(now, budget, out);
    if (counters != nullptr)
      *counters = (*reader)->counters();
    if (!status) {
      auto all = out.lines();
      all.push_back(to_string(status.error()));
      return all;
    }
    if (status->what == read_status::kind::finished)
      return out.lines();
  }
}

void compress_file(const test::temporary_folder& folder, const std::string& name,
                   std::string_view text, bool append = false) {
  const auto path = folder / name;
  descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0666));
  auto writer = make_writer(std::move(file), compression_of(path), name);
  // In pieces, so that several blocks are made.
  for (std::size_t at = 0; at < text.size(); at += 100'000)
    BOOST_REQUIRE(
        writer->write(text.data() + at, std::min<std::size_t>(100'000, text.size() - at)));
  BOOST_REQUIRE(writer->finish());
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_reading)

BOOST_AUTO_TEST_CASE(finds_the_files_of_a_path) {
  const test::temporary_folder folder;
  for (const char* name : {"b.csv", "a.csv", "c.txt", ".hidden", "d.csv.part", "x[1].csv"})
    folder.write(name, "a,b\n");
  std::filesystem::create_directory(folder / "sub.csv");
  const auto shown = [&](const std::string& path) {
    lines names;
    auto files = list_files(path, folder.path());
    if (!files)
      return lines{files.error().message};
    for (const auto& file : *files)
      names.push_back(file.shown);
    return names;
  };
  BOOST_TEST(shown("a.csv") == lines{"a.csv"}, boost::test_tools::per_element());
  BOOST_TEST(shown("*.csv") == (lines{"a.csv", "b.csv", "x[1].csv"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown("[ab].csv") == (lines{"a.csv", "b.csv"}), boost::test_tools::per_element());
  BOOST_TEST(shown("x[1].csv") == lines{"x[1].csv"}, boost::test_tools::per_element());
  BOOST_TEST(shown(".") == (lines{"./a.csv", "./b.csv", "./c.txt", "./x[1].csv"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown(folder / "?.csv") == (lines{folder / "a.csv", folder / "b.csv"}),
             boost::test_tools::per_element());
  BOOST_TEST(shown("no.csv") == lines{"cannot open no.csv: No such file or directory"},
             boost::test_tools::per_element());
  BOOST_TEST(shown("*.json") == lines{"no file matches *.json"}, boost::test_tools::per_element());
  BOOST_TEST(shown("**/*.csv") == lines{"** in the path **/*.csv: a * matches within one folder"},
             boost::test_tools::per_element());
  BOOST_TEST(shown("sub.csv") == lines{"the folder sub.csv holds no files"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(refuses_what_cannot_be_read_before_the_stream_runs) {
  const test::temporary_folder folder;
  folder.write("a.csv.gz", "");
  const auto error_of = [&](const file_source& options) {
    auto count = file_partitions(ab_source(), options, folder.path());
    return count ? std::to_string(*count) : to_string(count.error());
  };
  BOOST_TEST(error_of(csv_at("no.csv"))
             == "spec.sources[0].file.path: cannot open no.csv: No such file or directory\n"
                "hint: check the path; the path starts at "
                    + std::filesystem::canonical(folder.path()).string());
  auto followed = csv_at("a.csv.gz");
  followed.follow = true;
  BOOST_TEST(error_of(followed).find("a.csv.gz is compressed and cannot be followed")
             != std::string::npos);
  auto odd = csv_at("a.csv.gz");
  odd.delimiter = '"';
  BOOST_TEST(error_of(odd).find("the delimiter must be") != std::string::npos);
  BOOST_TEST(error_of(csv_at("a.csv.gz")) == "1");
}

BOOST_AUTO_TEST_CASE(a_link_that_leads_nowhere_is_not_left_out) {
  const test::temporary_folder folder;
  std::filesystem::create_directory(folder / "in");
  folder.write("in/a.csv", "a,b\n1,x\n");
  std::filesystem::create_symlink("nowhere.csv", folder / "in/b.csv");
  test::inline_executor io;
  for (const char* path : {"in", "in/*.csv"}) {
    const auto source = open_file_source(ab_source(), csv_at(path), context_of(io, folder));
    BOOST_REQUIRE(!source);
    BOOST_TEST(source.error().message == "cannot read in/b.csv: No such file or directory");
  }
}

BOOST_AUTO_TEST_CASE(reads_files_one_after_the_other) {
  const test::temporary_folder folder;
  folder.write("1.csv", "a,b\n1,x\n2,y\n");
  folder.write("2.csv", "");
  folder.write("3.csv", "b,a\nz,3\n");
  test::inline_executor io;
  source_counters counters;
  BOOST_TEST(read_all(ab_source(), csv_at("*.csv"), context_of(io, folder), &counters)
                 == (lines{"1|'x'", "2|'y'", "3|'z'"}),
             boost::test_tools::per_element());
  BOOST_TEST(counters.rows == 3U);
  BOOST_TEST(counters.bytes == 20U);
  auto context = context_of(io, folder);
  context.parallelism = 2;
  BOOST_TEST(read_all(ab_source(), csv_at("*.csv"), context) == (lines{"1|'x'", "2|'y'", "3|'z'"}),
             boost::test_tools::per_element());
  context.subtask = 1;
  BOOST_TEST(read_all(ab_source(), csv_at("*.csv"), context) == lines{},
             boost::test_tools::per_element());
  context.subtask = 5;
  context.parallelism = 6;
  auto none = open_file_source(ab_source(), csv_at("*.csv"), context);
  BOOST_REQUIRE(none);
  BOOST_TEST((*none)->partitions() == 0U);
  BOOST_TEST(read_all(ab_source(), csv_at("*.csv"), context) == lines{},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(numbers_partitions_by_file) {
  const test::temporary_folder folder;
  folder.write("1.csv", "a,b\n1,x\n");
  folder.write("2.csv", "a,b\n2,y\n");
  test::inline_executor io;
  auto reader = open_file_source(ab_source(), csv_at("*.csv"), context_of(io, folder));
  BOOST_REQUIRE(reader);
  BOOST_TEST((*reader)->partitions() == 2U);
  test::collector out;
  step_budget budget{100};
  auto status = (*reader)->read(0, budget, out);
  BOOST_REQUIRE((status && status->what == read_status::kind::finished));
  BOOST_REQUIRE(out.batches.size() == 2U);
  BOOST_TEST(out.batches[0]->partition == 0U);
  BOOST_TEST(out.batches[1]->partition == 1U);
  BOOST_TEST(origin_text(*out.batches[1], 0) == "source flights, file 2.csv, record 1");
  BOOST_TEST(budget.rows == 98U);
}

BOOST_AUTO_TEST_CASE(expands_gzip_and_zstd) {
  std::string text = "a,b\n";
  lines expected;
  for (int i = 0; i < 50'000; ++i) {
    text += std::to_string(i) + ",row number " + std::to_string(i) + "\n";
    expected.push_back(std::to_string(i) + "|'row number " + std::to_string(i) + "'");
  }
  for (const char* name : {"x.csv", "x.csv.gz", "x.csv.zst"}) {
    const test::temporary_folder folder;
    compress_file(folder, name, text);
    test::inline_executor io;
    BOOST_TEST((read_all(ab_source(), csv_at(name), context_of(io, folder)) == expected), name);
    if (compression_of(name) == compression::none)
      continue;
    // Several members or frames in one file.
    compress_file(folder, name, "7,more\n", true);
    auto longer = expected;
    longer.push_back("7|'more'");
    BOOST_TEST((read_all(ab_source(), csv_at(name), context_of(io, folder)) == longer), name);
    // Cut off, and damaged.
    const auto whole = folder.read(name);
    folder.write(name, whole.substr(0, whole.size() / 2));
    auto cut = read_all(ab_source(), csv_at(name), context_of(io, folder));
    BOOST_TEST(cut.back().find("it ends too early") != std::string::npos, cut.back());
    folder.write(name, "this is no compressed text at all");
    auto bad = read_all(ab_source(), csv_at(name), context_of(io, folder));
    BOOST_TEST(bad.back().find(std::string(name) + ": damaged") == 0, bad.back());
  }
  const test::temporary_folder folder;
  folder.write("empty.csv.gz", "");
  test::inline_executor io;
  BOOST_TEST(read_all(ab_source(), csv_at("empty.csv.gz"), context_of(io, folder)) == lines{},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(sets_bad_records_aside) {
  const test::temporary_folder folder;
  folder.write("1.csv", "a,b\n1,x\nnine,\"y\n\"\n2,z\n3,\xFF\n");
  test::inline_executor io;
  source_counters counters;
  BOOST_TEST(read_all(ab_source(bad_record_policy::skip), csv_at("1.csv"), context_of(io, folder),
                      &counters)
                 == (lines{"1|'x'", "2|'z'"}),
             boost::test_tools::per_element());
  BOOST_TEST(counters.bad_rows == 2U);
  BOOST_TEST(!folder.has("quarantine"));
  const auto stopped = read_all(ab_source(), csv_at("1.csv"), context_of(io, folder));
  BOOST_REQUIRE(stopped.size() == 2U);
  BOOST_TEST(stopped[1].find("1.csv:3: a: invalid input syntax for type bigint: \"nine\"") == 0U);
  BOOST_TEST(read_all(ab_source(bad_record_policy::quarantine), csv_at("1.csv"),
                      context_of(io, folder), &counters)
                 == (lines{"1|'x'", "2|'z'"}),
             boost::test_tools::per_element());
  BOOST_TEST(folder.read("quarantine/delays-flights.ndjson")
             == "{\"error\":\"1.csv:3: a: invalid input syntax for type bigint: \\\"nine\\\"\","
                "\"source\":\"flights\",\"offset\":2,\"raw\":\"nine,\\\"y\\n\\\"\"}\n"
                "{\"error\":\"1.csv:6: invalid byte sequence for encoding \\\"UTF8\\\"\","
                "\"source\":\"flights\",\"offset\":4,\"raw\":\"Myz/\","
                "\"rawEncoding\":\"base64\"}\n");
  // What is kept of a very long record says that it is not all, and how long the record is.
  const std::string start = "nine,";
  for (const std::uint64_t most : {std::uint64_t{16} << 20, std::uint64_t{80'000}}) {
    std::filesystem::remove_all(folder / "quarantine");
    folder.write("long.csv", "a,b\r\n" + start + std::string(100'000, 'x') + "\r\n2,z\r\n");
    auto options = csv_at("long.csv");
    options.max_record = most;
    BOOST_TEST(read_all(ab_source(bad_record_policy::quarantine), options, context_of(io, folder))
                   == lines{"2|'z'"},
               boost::test_tools::per_element());
    const auto line = folder.read("quarantine/delays-flights.ndjson");
    BOOST_TEST(line.ends_with("\"raw\":\"" + start
                              + std::string((std::size_t{64} << 10) - start.size(), 'x')
                              + "\",\"truncated\":true,\"length\":100005}\n"),
               line.substr(line.size() - 60));
  }
  // Of the carriage returns only the last belongs to the line end.
  std::filesystem::remove_all(folder / "quarantine");
  folder.write("long.csv", "a,b\r\n" + start + "xxxxxxxx\r\r\n2,z\r\n");
  auto short_records = csv_at("long.csv");
  short_records.max_record = 8;
  BOOST_TEST(read_all(ab_source(bad_record_policy::quarantine), short_records,
                      context_of(io, folder))
                 == lines{"2|'z'"},
             boost::test_tools::per_element());
  BOOST_TEST(folder.read("quarantine/delays-flights.ndjson")
                 .find("\"raw\":\"nine,xxxxxxxx\\r\"}")
             != std::string::npos);
  // A quarantine that cannot be written stops the stream.
  std::filesystem::remove_all(folder / "quarantine");
  folder.write("quarantine", "a file");
  const auto blocked =
      read_all(ab_source(bad_record_policy::quarantine), csv_at("1.csv"), context_of(io, folder));
  BOOST_TEST(blocked.back().find("Not a directory") != std::string::npos, blocked.back());
}

BOOST_AUTO_TEST_CASE(names_compressed_files_that_are_named_as_text) {
  test::inline_executor io;
  for (const std::string ending : {".gz", ".zst"}) {
    const test::temporary_folder folder;
    const std::string start = ending == ".gz" ? "\x1f\x8b\x08" : "\x28\xb5\x2f\xfd";
    folder.write("1.csv", start + "and\nmore\n");
    for (const auto format : {record_format::csv, record_format::json}) {
      auto options = csv_at("1.csv");
      options.format = format;
      const auto read =
          read_all(ab_source(bad_record_policy::quarantine), options, context_of(io, folder));
      const auto kind = std::string(ending == ".gz" ? "gzip" : "zstd");
      BOOST_TEST(read.back().find("1.csv:1: this is a " + kind + " file") == 0U, read.back());
      BOOST_TEST(read.back().find("1.csv" + ending) != std::string::npos, read.back());
      // Its lines are no records, so none of them is set aside.
      BOOST_TEST(!folder.has("quarantine"));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_path_that_leads_to_no_file_is_not_found) {
  const test::temporary_folder folder;
  test::inline_executor io;
  folder.write("file", "a,b\n");
  std::filesystem::create_symlink("loop.csv", folder / "loop.csv");
  for (const char* path : {"missing.csv", "file/in.csv", "loop.csv"}) {
    const auto source = open_file_source(ab_source(), csv_at(path), context_of(io, folder));
    BOOST_REQUIRE(!source);
    BOOST_TEST((source.error().code == ec::not_found), source.error().message);
  }
}

BOOST_AUTO_TEST_CASE(waits_for_the_disk_without_blocking) {
  const test::temporary_folder folder;
  std::string text = "a,b\n";
  for (int i = 0; i < 200'000; ++i)
    text += std::to_string(i) + ",value\n";
  folder.write("big.csv", text);
  test::manual_executor io;
  test::waker waker;
  auto context = context_of(io, folder);
  context.wake = waker.function();
  auto reader = open_file_source(ab_source(), csv_at("big.csv"), context);
  BOOST_REQUIRE(reader);
  test::collector out;
  std::uint64_t waits = 0;
  for (;;) {
    step_budget budget{4096};
    auto status = (*reader)->read(0, budget, out);
    BOOST_REQUIRE(status);
    if (status->what == read_status::kind::finished)
      break;
    if (status->what != read_status::kind::waiting)
      continue;
    ++waits;
    const auto calls = waker.calls();
    BOOST_REQUIRE(io.run_one());
    BOOST_TEST(waker.calls() == calls + 1);
    BOOST_TEST(io.waiting() <= 1U);
  }
  BOOST_TEST((*reader)->counters().rows == 200'000U);
  BOOST_TEST(waits >= 1U);
  // Dropped while a job is queued: the job must not call back.
  auto again = open_file_source(ab_source(), csv_at("big.csv"), context);
  BOOST_REQUIRE(again);
  step_budget budget{4096};
  BOOST_REQUIRE((*again)->read(0, budget, out));
  again->reset();
  const auto calls = waker.calls();
  while (io.run_one()) {
  }
  BOOST_TEST(waker.calls() == calls);
}

BOOST_AUTO_TEST_CASE(reads_on_another_thread) {
  const test::temporary_folder folder;
  std::uint64_t rows = 0;
  for (const char* name : {"1.csv", "2.csv.gz", "3.csv.zst", "4.csv"}) {
    std::string text = "a,b\n";
    for (int i = 0; i < 30'000; ++i, ++rows)
      text += std::to_string(i) + ",some text of a row\n";
    compress_file(folder, name, text);
  }
  test::thread_executor io;
  test::waker waker;
  auto context = context_of(io, folder);
  context.wake = waker.function();
  auto reader = open_file_source(ab_source(), csv_at("*.csv*"), context);
  BOOST_REQUIRE(reader);
  test::collector out;
  for (;;) {
    step_budget budget{4096};
    auto status = (*reader)->read(0, budget, out);
    BOOST_REQUIRE(status);
    if (status->what == read_status::kind::finished)
      break;
    if (status->what == read_status::kind::waiting)
      waker.wait();
  }
  BOOST_TEST((*reader)->counters().rows == rows);
  BOOST_TEST(out.lines().back() == "29999|'some text of a row'");
}

BOOST_AUTO_TEST_CASE(follows_growing_files) {
  const test::temporary_folder folder;
  folder.write("1.csv", "a,b\n1,x\n2,");
  folder.write("2.csv", "a,b\n");
  test::inline_executor io;
  auto options = csv_at("*.csv");
  options.follow = true;
  auto reader = open_file_source(ab_source(), options, context_of(io, folder));
  BOOST_REQUIRE(reader);
  test::collector out;
  micros now = 1'000'000;
  const auto read = [&] {
    read_status status;
    do {
      step_budget budget{100};
      auto next = (*reader)->read(now, budget, out);
      BOOST_REQUIRE(next);
      status = *next;
    } while (status.what == read_status::kind::more);
    return status;
  };
  auto status = read();
  BOOST_TEST((status.what == read_status::kind::waiting));
  BOOST_TEST(status.until == now + 100'000);
  BOOST_TEST(out.lines() == lines{"1|'x'"}, boost::test_tools::per_element());
  folder.write("1.csv", "y\n", true);
  folder.write("2.csv", "3,z\n", true);
  // Not before its time.
  now += 50'000;
  read();
  BOOST_TEST(out.lines() == lines{"1|'x'"}, boost::test_tools::per_element());
  now += 50'000;
  status = read();
  BOOST_TEST((status.what == read_status::kind::waiting));
  BOOST_TEST(out.lines() == (lines{"1|'x'", "2|'y'", "3|'z'"}), boost::test_tools::per_element());
  BOOST_TEST(out.batches.back()->partition == 1U);
  folder.write("2.csv", "a\n");
  now += 100'000;
  step_budget budget{100};
  auto cut = (*reader)->read(now, budget, out);
  BOOST_REQUIRE(!cut);
  BOOST_TEST(to_string(cut.error()).find("2.csv was cut from at least 8 to 2 bytes") == 0U,
             to_string(cut.error()));
}

// Rotation by copying and emptying, or a file that is written anew in place: not the end of the input, and
// the record that was cut is none.
BOOST_AUTO_TEST_CASE(a_file_that_is_cut_while_it_is_read_is_an_error) {
  std::string text = "a,b\n";
  while (text.size() < 3'000'000)
    text += "1," + std::string(40, 'x') + "\n";
  const auto rows = (text.size() - 4) / 43;
  const auto read_after = [&](auto change) -> std::string {
    const test::temporary_folder folder;
    folder.write("1.csv", text);
    test::inline_executor io;
    auto reader = open_file_source(ab_source(), csv_at("1.csv"), context_of(io, folder));
    BOOST_REQUIRE(reader);
    test::collector out;
    bool changed = false;
    for (;;) {
      step_budget budget{1000};
      auto status = (*reader)->read(0, budget, out);
      if (!status) {
        BOOST_TEST(out.batches.back()->rows != 0U);
        return to_string(status.error());
      }
      if (status->what == read_status::kind::finished)
        return std::to_string((*reader)->counters().rows);
      if (!std::exchange(changed, true))
        change(folder);
    }
  };
  for (const std::size_t left : {0U, 100U})
    BOOST_TEST(read_after([&](const auto& folder) { folder.write("1.csv", text.substr(0, left)); })
                   .find("1.csv was cut from " + std::to_string(text.size()) + " to "
                         + std::to_string(left) + " bytes while it was read")
               == 0U);
  // It may grow, and another may take its name: what is open is whole.
  BOOST_TEST(read_after([&](const auto& folder) { folder.write("1.csv", "2,y\n", true); })
             == std::to_string(rows + 1));
  BOOST_TEST(read_after([&](const auto& folder) {
               folder.write("new", "a,b\n");
               std::filesystem::rename(folder.path() + "/new", folder.path() + "/1.csv");
             })
             == std::to_string(rows));
}

BOOST_AUTO_TEST_CASE(a_followed_file_that_goes_away_is_an_error) {
  struct {
    const char* from;
    const char* to;
    const char* how;
  } const cases[] = {{"1.csv", "gone.csv", "removed or renamed"},
                     {"2.csv", "1.csv", "replaced by another file"}};

  for (const auto& x : cases) {
    const test::temporary_folder folder;
    folder.write("1.csv", "a,b\n1,x\n");
    folder.write("2.csv", "a,b\n1,x\n2,y\n");
    test::inline_executor io;
    auto options = csv_at("1.csv");
    options.follow = true;
    auto reader = open_file_source(ab_source(), options, context_of(io, folder));
    BOOST_REQUIRE(reader);
    test::collector out;
    step_budget budget{100};
    BOOST_REQUIRE((*reader)->read(0, budget, out));
    BOOST_TEST(out.lines() == lines{"1|'x'"}, boost::test_tools::per_element());
    std::filesystem::rename(folder / x.from, folder / x.to);
    auto next = (*reader)->read(200'000, budget, out);
    BOOST_REQUIRE(!next);
    BOOST_TEST(
        to_string(next.error()).find("1.csv was " + std::string(x.how) + " while it was followed")
            == 0U,
        to_string(next.error()));
  }
}

/// Writes down what a source says of its partitions, and where rows came in between.
class news_collector final : public output, public news_output {
public:
  void emit(batch_ptr rows) override {
    log.push_back("rows of " + std::to_string(rows->partition));
  }

  void advance(micros) override {}

  void idle() override {}

  void tell(const partition_news& x) override {
    std::string text = "quiet ";
    for (const auto partition : x.quiet)
      text += std::to_string(partition) + ' ';
    log.push_back(text + "of " + std::to_string(x.ended) + ".." + std::to_string(x.partitions));
  }

  lines log;
};

BOOST_AUTO_TEST_CASE(tells_which_followed_files_have_nothing_left) {
  const test::temporary_folder folder;
  folder.write("1.csv", "a,b\n1,x\n");
  folder.write("2.csv", "");
  test::inline_executor io;
  auto options = csv_at("*.csv");
  options.follow = true;
  auto source = ab_source();
  source.time.emplace();
  auto reader = open_file_source(source, options, context_of(io, folder));
  BOOST_REQUIRE(reader);
  news_collector out;
  const auto read = [&](micros now) {
    out.log.clear();
    read_status status;
    do {
      step_budget budget{100};
      auto next = (*reader)->read(now, budget, out);
      BOOST_REQUIRE(next);
      status = *next;
    } while (status.what == read_status::kind::more);
    return out.log;
  };
  BOOST_TEST(read(0) == (lines{"quiet of 0..2", "rows of 0", "quiet 0 1 of 0..2"}),
             boost::test_tools::per_element());
  BOOST_TEST(read(50'000).empty());
  folder.write("2.csv", "a,b\n2,y\n");
  // They may have grown.
  BOOST_TEST(read(100'000) == (lines{"quiet of 0..2", "rows of 1", "quiet 0 1 of 0..2"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_that_are_read_in_order_are_not_quiet) {
  const test::temporary_folder folder;
  folder.write("1.csv", "a,b\n1,x\n");
  folder.write("2.csv", "a,b\n2,y\n");
  test::inline_executor io;
  auto source = ab_source();
  source.time.emplace();
  auto reader = open_file_source(source, csv_at("*.csv"), context_of(io, folder));
  BOOST_REQUIRE(reader);
  news_collector out;
  read_status status;
  do {
    step_budget budget{100};
    auto next = (*reader)->read(0, budget, out);
    BOOST_REQUIRE(next);
    status = *next;
  } while (status.what != read_status::kind::finished);
  BOOST_TEST(std::none_of(out.log.begin(), out.log.end(), [](const auto& x) {
    return x.starts_with("quiet 0") || x.starts_with("quiet 1");
  }));
}

BOOST_AUTO_TEST_CASE(says_what_the_system_refused) {
  BOOST_TEST(to_string(file_error("write", "out.json", ENOSPC))
             == "cannot write out.json: No space left on device\n"
                "hint: free space on the disk that holds it, then run again");
  BOOST_TEST((file_error("write", "out.json", ENOSPC).code == ec::resource));
  BOOST_TEST((file_error("open", "in.json", ENOENT).code == ec::not_found));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
