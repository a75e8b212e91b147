#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_position.hpp"
#include "actors/connectors/file_source.hpp"
#include "tests/connectors/files_io_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fcntl.h>
#include <random>

namespace ebb {
namespace {

using test::column_of;
using lines = std::vector<std::string>;
using positions = std::vector<source_position>;

// A source in a folder, and how it is run.
struct setting {
  const test::temporary_folder* folder = nullptr;
  source_definition source;
  file_source options;
  std::uint32_t parallelism = 1;
};

setting setting_of(const test::temporary_folder& folder, std::string path, record_format format) {
  setting x;
  x.folder = &folder;
  x.source.name = "flights";
  x.source.columns = {column_of("a", type_kind::bigint), column_of("b", type_kind::text)};
  x.source.place.field = "spec.sources[0]";
  x.options.path = std::move(path);
  x.options.format = format;
  return x;
}

// Rows as `origin: a|b`, and where the readers stood after them.
struct outcome {
  lines rows;
  positions at;
  std::string error;
  bool finished = true;
};

// Each reader makes up to `reads` reads of at most `budget` rows.
outcome run(const setting& x, const positions& from, std::uint64_t reads, std::uint32_t budget) {
  test::inline_executor io;
  outcome out;
  for (std::uint32_t i = 0; i < x.parallelism; ++i) {
    connector_context context;
    context.io = &io;
    context.wake = [] {};
    context.stream = "delays";
    context.stream_uid = "u1";
    context.folder = context.data_folder = x.folder->path();
    context.subtask = i;
    context.parallelism = x.parallelism;
    context.positions = from;
    auto reader = open_file_source(x.source, x.options, std::move(context));
    if (!reader) {
      out.error = to_string(reader.error());
      return out;
    }
    test::collector rows;
    bool finished = false;
    for (std::uint64_t k = 0; k != reads && !finished; ++k) {
      step_budget left{budget};
      auto status = (*reader)->read(static_cast<micros>(k) * 1'000'000, left, rows);
      if (!status) {
        out.error = to_string(status.error());
        break;
      }
      finished = status->what == read_status::kind::finished;
    }
    out.finished = out.finished && finished;
    for (const auto& batch : rows.batches) {
      lines values;
      test::append_rows(*batch, values);
      for (std::uint32_t r = 0; r < batch->rows; ++r)
        out.rows.push_back(origin_text(*batch, r) + ": " + values[r]);
    }
    (*reader)->positions(out.at);
  }
  return out;
}

outcome run_to_end(const setting& x, const positions& from = {}) {
  auto out = run(x, from, 1'000'000, 4096);
  BOOST_TEST_REQUIRE((out.finished || !out.error.empty()));
  return out;
}

void put(const test::temporary_folder& folder, const std::string& name, std::string_view text,
         bool append = false) {
  const auto path = folder / name;
  descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0666));
  auto writer = make_writer(std::move(file), compression_of(path), name);
  BOOST_REQUIRE(writer->write(text.data(), text.size()));
  BOOST_REQUIRE(writer->finish());
}

// A text with all that makes positions hard: a byte order mark, records over lines, blank lines,
// CRLF, escapes, bad records, and no line feed at the end.
std::string csv_text(std::uint32_t rows) {
  std::string text = "\xEF\xBB\xBF"
                     "\"b\",a\r\n";
  for (std::uint32_t i = 0; i < rows; ++i) {
    const auto n = std::to_string(i);
    if (i % 11 == 3)
      text += "\r\n";
    if (i % 7 == 5)
      text += "\"two\n\"\"lines\"\" of " + n + "\"," + n + "\r\n";
    else if (i % 13 == 6)
      text += "bad,x" + n + "\n";
    else
      text += "text " + n + ',' + n + '\n';
  }
  return text + "last,-1";
}

std::string json_text(std::uint32_t rows) {
  std::string text = "\xEF\xBB\xBF";
  for (std::uint32_t i = 0; i < rows; ++i) {
    const auto n = std::to_string(i);
    if (i % 11 == 3)
      text += " \n";
    if (i % 13 == 6)
      text += "{\"a\":x" + n + "}\n";
    else if (i % 7 == 5)
      text += "{\"b\":\"two\\nlines \\u00e9 " + n + "\",\"c\":[1,2],\"a\":" + n + "}\r\n";
    else
      text += "{\"a\":" + n + ",\"b\":\"text " + n + "\"}\n";
  }
  return text + R"({"a":-1,"b":"last"})";
}

std::string text_for(const std::string& name, std::uint32_t rows) {
  return name.find("csv") != std::string::npos ? csv_text(rows) : json_text(rows);
}

record_format format_of(const std::string& name) {
  return name.find("csv") != std::string::npos ? record_format::csv : record_format::json;
}

// Stops after every number of reads there is, and goes on in another reader.
void resume_everywhere(const setting& x, std::uint32_t budget, std::uint64_t step) {
  const auto whole = run_to_end(x);
  BOOST_TEST_REQUIRE(whole.error.empty());
  for (std::uint64_t reads = 0;; reads += step) {
    const auto before = run(x, {}, reads, budget);
    BOOST_TEST_REQUIRE(before.error.empty());
    auto all = before.rows;
    const auto after = run_to_end(x, before.at);
    BOOST_TEST_REQUIRE(after.error.empty());
    all.insert(all.end(), after.rows.begin(), after.rows.end());
    BOOST_TEST_REQUIRE(all == whole.rows, boost::test_tools::per_element());
    if (before.finished)
      break;
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(file_positions)

BOOST_AUTO_TEST_CASE(a_run_goes_on_behind_the_last_row_of_the_one_before) {
  for (const char* name : {"x.csv", "x.json", "x.csv.gz", "x.json.zst", "x.json.gz", "x.csv.zst"}) {
    BOOST_TEST_CONTEXT(name) {
      const test::temporary_folder folder;
      put(folder, name, text_for(name, 300));
      auto x = setting_of(folder, name, format_of(name));
      x.source.on_bad_record = bad_record_policy::skip;
      resume_everywhere(x, 7, 1);
    }
  }
}

BOOST_AUTO_TEST_CASE(texts_of_many_chunks_go_on) {
  for (const char* name : {"x.csv", "x.json", "x.json.gz", "x.csv.zst"}) {
    BOOST_TEST_CONTEXT(name) {
      const test::temporary_folder folder;
      put(folder, name, text_for(name, 40'000));
      auto x = setting_of(folder, name, format_of(name));
      x.source.on_bad_record = bad_record_policy::skip;
      resume_everywhere(x, 1'000, 5);
    }
  }
}

BOOST_AUTO_TEST_CASE(several_files_go_on) {
  const test::temporary_folder folder;
  for (const char* name : {"a.csv", "b.csv.gz", "c.csv", "d.csv.zst", "e.csv"})
    put(folder, name, csv_text(std::string_view(name) == "c.csv" ? 0 : 60));
  auto x = setting_of(folder, "*.csv*", record_format::csv);
  x.source.on_bad_record = bad_record_policy::skip;
  resume_everywhere(x, 7, 1);
}

BOOST_AUTO_TEST_CASE(each_row_is_read_once_at_any_parallelism) {
  const test::temporary_folder folder;
  for (int i = 0; i < 7; ++i)
    put(folder, std::to_string(i) + (i % 2 == 0 ? ".csv" : ".csv.gz"), csv_text(200));
  auto x = setting_of(folder, "*.csv*", record_format::csv);
  x.source.on_bad_record = bad_record_policy::skip;
  auto expected = run_to_end(x).rows;
  std::sort(expected.begin(), expected.end());
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    positions at;
    lines rows;
    for (const std::uint32_t parallelism : {1U, 2U, 5U, 1U, 9U, 3U}) {
      x.parallelism = parallelism;
      const auto out = run(x, at, random() % 20, static_cast<std::uint32_t>(1 + random() % 20));
      BOOST_TEST_REQUIRE(out.error.empty());
      BOOST_TEST_REQUIRE(out.at.size() == 7U);
      at = out.at;
      rows.insert(rows.end(), out.rows.begin(), out.rows.end());
    }
    x.parallelism = 2;
    const auto out = run_to_end(x, at);
    rows.insert(rows.end(), out.rows.begin(), out.rows.end());
    std::sort(rows.begin(), rows.end());
    BOOST_TEST_REQUIRE(rows == expected);
    for (const auto& one : out.at)
      BOOST_TEST(one.finished);
  }
}

BOOST_AUTO_TEST_CASE(new_files_get_the_next_numbers) {
  const test::temporary_folder folder;
  folder.write("b.csv", "a,b\n1,x\n2,y\n");
  folder.write("c.csv", "a,b\n3,x\n4,y\n");
  auto x = setting_of(folder, "./*.csv", record_format::csv);
  auto first = run(x, {}, 3, 1);
  BOOST_TEST(first.rows.size() == 3U);
  BOOST_TEST(first.at[0].finished);
  std::filesystem::remove(folder / "b.csv");
  folder.write("d.csv", "a,b\n6,x\n");
  folder.write("a.csv", "a,b\n5,x\n");
  // The same files by another spelling of the path.
  x.options.path = "*.csv";
  BOOST_TEST(*file_partitions(x.source, x.options, folder.path(), first.at) == 4U);
  const auto second = run_to_end(x, first.at);
  BOOST_TEST(second.rows
                 == (lines{"source flights, file c.csv, record 2: 4|'y'",
                           "source flights, file a.csv, record 1: 5|'x'",
                           "source flights, file d.csv, record 1: 6|'x'"}),
             boost::test_tools::per_element());
  // All is read: nothing need be there any more.
  for (const char* name : {"a.csv", "c.csv", "d.csv"})
    std::filesystem::remove(folder / name);
  const auto third = run_to_end(x, second.at);
  BOOST_TEST(third.error == "");
  BOOST_TEST(third.rows.empty());
  BOOST_TEST(*file_partitions(x.source, x.options, folder.path(), second.at) == 4U);
}

BOOST_AUTO_TEST_CASE(files_that_are_not_what_they_were_are_named) {
  const test::temporary_folder folder;
  for (const char* name : {"x.csv", "x.csv.gz", "x.csv.zst"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto text = csv_text(3'000);
      auto x = setting_of(folder, name, record_format::csv);
      x.source.on_bad_record = bad_record_policy::skip;
      put(folder, name, text);
      const auto at = run(x, {}, 20, 100).at;
      auto where = decode(at[0].bytes, "flights");
      BOOST_REQUIRE(where);
      const auto offset = where->text.offset;
      BOOST_TEST(offset > 20'000U);
      const auto bytes = std::to_string(offset);
      const auto hint = "\nhint: a source's files may only grow; put the file back as it was, or "
                        "start over with --from fresh";

      put(folder, name, text + "\nmore,77\n");
      BOOST_TEST(run_to_end(x, at).rows.back().find("77|'more'") != std::string::npos);

      for (const std::size_t place : {std::size_t{1'000}, std::size_t{offset - 1'000}}) {
        auto other = text;
        other[place] ^= 1;
        put(folder, name, other);
        BOOST_TEST(run_to_end(x, at).error
                   == std::string(name) + " was changed or replaced: its first " + bytes
                          + " bytes are not those that were read before" + hint);
      }
      for (const std::size_t size : {std::size_t{0}, std::size_t{2'000}, std::size_t{offset - 1}}) {
        put(folder, name, text.substr(0, size));
        BOOST_TEST(run_to_end(x, at).error
                   == std::string(name) + " has only " + std::to_string(size) + " bytes, but "
                          + bytes + " bytes of it were read before" + hint);
      }
      std::filesystem::remove(folder / name);
      BOOST_TEST(run_to_end(x, at).error
                 == "spec.sources[0].file.path: " + std::string(name)
                        + " is no longer among the source's files, but was read only up to byte "
                        + bytes
                        + "\nhint: put the file back; to start over, run with --from fresh");
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_positions_are_refused) {
  const test::temporary_folder folder;
  folder.write("x.csv", csv_text(100));
  auto x = setting_of(folder, "x.csv", record_format::csv);
  x.source.on_bad_record = bad_record_policy::skip;
  const auto good = run(x, {}, 3, 10).at;
  for (std::size_t size = 0; size < good[0].bytes.size(); ++size) {
    auto at = good;
    at[0].bytes.resize(size);
    BOOST_TEST(run_to_end(x, at).error.find("its recorded position is not readable")
               != std::string::npos);
  }
  auto twice = good;
  twice.push_back(good[0]);
  BOOST_TEST(run_to_end(x, twice).error.find("partition 0 twice") != std::string::npos);
  twice[1].partition = 7;
  BOOST_TEST(run_to_end(x, twice).error.find("partition 7 of 2") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_long_bad_record_is_begun_again) {
  const test::temporary_folder folder;
  folder.write("x.csv", "a,b\n1,x\n2," + std::string(900'000, 'y') + "\n3,z\n");
  auto x = setting_of(folder, "x.csv", record_format::csv);
  x.source.on_bad_record = bad_record_policy::skip;
  x.options.max_record = 1'000;
  resume_everywhere(x, 1, 1);
}

BOOST_AUTO_TEST_CASE(followed_files_go_on) {
  const test::temporary_folder folder;
  folder.write("a.csv", "a,b\n1,x\n2,");
  folder.write("b.csv", "a,b\n");
  auto x = setting_of(folder, "*.csv", record_format::csv);
  x.options.follow = true;
  auto first = run(x, {}, 10, 100);
  BOOST_TEST(first.rows == lines{"source flights, file a.csv, record 1: 1|'x'"},
             boost::test_tools::per_element());
  folder.write("a.csv", "y\n3,z\n", true);
  folder.write("b.csv", "4,v\n", true);
  folder.write("0.csv", "a,b\n5,w\n");
  x.parallelism = 2;
  auto second = run(x, first.at, 10, 100);
  BOOST_TEST(second.error == "");
  std::sort(second.rows.begin(), second.rows.end());
  BOOST_TEST(second.rows
                 == (lines{"source flights, file 0.csv, record 1: 5|'w'",
                           "source flights, file a.csv, record 2: 2|'y'",
                           "source flights, file a.csv, record 3: 3|'z'",
                           "source flights, file b.csv, record 1: 4|'v'"}),
             boost::test_tools::per_element());
  for (const auto& at : second.at)
    BOOST_TEST(!at.finished);
  // What was read to its end goes on when the stream follows its files from now on, and back.
  x.options.follow = false;
  const auto third = run_to_end(x, second.at);
  BOOST_TEST(third.rows.empty());
  x.options.follow = true;
  folder.write("b.csv", "6,u\n", true);
  BOOST_TEST(run(x, third.at, 10, 100).rows == lines{"source flights, file b.csv, record 2: 6|'u'"},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(quarantined_records_are_neither_lost_nor_doubled) {
  const auto quarantined = [](const test::temporary_folder& folder) {
    return folder.read("quarantine/delays-flights.ndjson")
           + folder.read("quarantine/delays-flights.1.ndjson");
  };
  std::string expected;
  {
    const test::temporary_folder folder;
    folder.write("a.csv", csv_text(100));
    folder.write("b.csv", csv_text(100));
    auto x = setting_of(folder, "*.csv", record_format::csv);
    x.source.on_bad_record = bad_record_policy::quarantine;
    run_to_end(x);
    expected = quarantined(folder);
    BOOST_TEST(std::count(expected.begin(), expected.end(), '\n') == 14);
  }
  for (std::uint64_t reads = 0; reads < 40; ++reads) {
    const test::temporary_folder folder;
    folder.write("a.csv", csv_text(100));
    folder.write("b.csv", csv_text(100));
    auto x = setting_of(folder, "*.csv", record_format::csv);
    x.source.on_bad_record = bad_record_policy::quarantine;
    const auto first = run(x, {}, reads, 7);
    // Lines behind the position: of a run that has failed since.
    run(x, first.at, 5, 9);
    x.parallelism = 2;
    run_to_end(x, first.at);
    BOOST_TEST_REQUIRE(quarantined(folder) == expected);
  }
}

BOOST_AUTO_TEST_CASE(lines_on_their_way_to_quarantine_are_part_of_the_position) {
  const test::temporary_folder folder;
  folder.write("a.csv", csv_text(100));
  auto x = setting_of(folder, "a.csv", record_format::csv);
  x.source.on_bad_record = bad_record_policy::quarantine;
  test::manual_executor io;
  connector_context context;
  context.io = &io;
  context.stream = "delays";
  context.stream_uid = "u1";
  context.folder = context.data_folder = folder.path();
  auto reader = open_file_source(x.source, x.options, context);
  BOOST_REQUIRE(reader);
  test::collector out;
  positions at;
  for (int i = 0; i < 3; ++i) {
    step_budget budget{40};
    BOOST_REQUIRE((*reader)->read(0, budget, out));
    if (i == 0)
      io.run_one();
  }
  (*reader)->positions(at);
  BOOST_TEST(!folder.has("quarantine/delays-flights.ndjson"));
  // The process dies here, before the lines are written.
  const auto rest = run_to_end(x, at);
  BOOST_TEST(rest.error == "");
  const auto text = folder.read("quarantine/delays-flights.ndjson");
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 7);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
