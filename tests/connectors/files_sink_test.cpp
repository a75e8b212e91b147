#include "actors/connectors/csv_reader.hpp"
#include "actors/connectors/file_format.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_sink.hpp"
#include "actors/connectors/json_reader.hpp"
#include "actors/connectors/stdout_sink.hpp"
#include "actors/connectors/stdout_table.hpp"
#include "tests/connectors/files_io_support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <limits>
#include <unistd.h>

namespace ebb {
namespace {

using test::column_of;
using lines = std::vector<std::string>;

// A column of one value a row, NULL for the text `NULL`.
column values_of(const sql_type& type, const lines& texts) {
  std::vector<column> parts;
  std::vector<const column*> pointers;
  for (const auto& text : texts) {
    if (text == "NULL") {
      parts.push_back(make_null_column(type, 1));
    } else {
      auto one = parse_literal(text, type);
      BOOST_REQUIRE_MESSAGE(one, text << ": " << (one ? "" : one.error().message));
      parts.push_back(materialize(*std::move(one)));
    }
  }
  for (const auto& part : parts)
    pointers.push_back(&part);
  return concatenate(pointers);
}

batch_ptr batch_of(std::vector<column> columns) {
  auto x = std::make_shared<batch>();
  x->rows = columns.front().rows;
  x->columns = std::move(columns);
  return x;
}

std::string text_of(record_writer& writer, const batch& rows) {
  output_buffer out;
  writer.begin(out);
  BOOST_REQUIRE(writer.write(rows, out));
  writer.end(out);
  std::string text;
  for (auto block = out.pop(true); block.size != 0; block = out.pop(true))
    text.append(block.memory.as<char>(), block.size);
  BOOST_TEST(text.size() == out.total());
  BOOST_TEST(out.pending() == 0U);
  return text;
}

// JSON and CSV of one value.
std::string json_of(const sql_type& type, const std::string& text) {
  const auto writer = make_json_writer({field{"v", type, false}});
  const auto line = text_of(*writer, *batch_of({values_of(type, {text})}));
  BOOST_REQUIRE(line.substr(0, 5) == "{\"v\":");
  return line.substr(5, line.size() - 7);
}

std::string csv_of(const sql_type& type, const std::string& text, char delimiter = ',') {
  const auto writer = make_csv_writer({field{"v", type, false}}, delimiter);
  const auto all = text_of(*writer, *batch_of({values_of(type, {text})}));
  const auto line = all.substr(all.find('\n') + 1);
  return line.substr(0, line.size() - 1);
}

struct sample {
  sql_type type;
  lines texts;
};

const std::vector<sample>& samples() {
  static const std::vector<sample> all = {
      {{type_kind::boolean}, {"true", "false", "NULL"}},
      {{type_kind::smallint}, {"-32768", "32767", "NULL"}},
      {{type_kind::integer}, {"-2147483648", "2147483647", "0"}},
      {{type_kind::bigint}, {"-9223372036854775808", "9223372036854775807", "NULL"}},
      {{type_kind::real}, {"0.1", "-1e30", "NaN"}},
      {{type_kind::double_precision}, {"0.1", "1e-300", "-Infinity"}},
      {{type_kind::numeric},
       {"12.50", "-0.000000000000000001", "123456789012345678901234567890.5"}},
      {{type_kind::text}, {"", "plain, \"quoted\"\nline\r\n\ttab \\ back", "NULL"}},
      {{type_kind::text}, {"é 日本 🛩", " spaces ", "NA"}},
      {{type_kind::bytea}, {"\\x", "\\x00ff10", "NULL"}},
      {{type_kind::date}, {"2013-01-01", "0001-01-01", "9999-12-31"}},
      {{type_kind::timestamp}, {"2013-01-01 05:00:00", "1969-12-31 23:59:59.999999", "NULL"}},
      {{type_kind::timestamptz}, {"2013-01-01 05:00:00.5+00", "9999-12-31 23:59:59+00", "NULL"}},
      {{type_kind::interval}, {"1 year 2 mons 3 days 04:05:06.7", "-1 days", "00:00:00"}},
      {sql_type{type_kind::bigint}.array_of(), {"{1,NULL,-3}", "{}", "NULL"}},
      {sql_type{type_kind::text}.array_of(), {"{\"a,b\",\"c\\\"d\",NULL}", "{\"\"}", "NULL"}},
  };
  return all;
}

std::string rows_text(const batch& x) {
  lines rows;
  test::append_rows(x, rows);
  std::string all;
  for (const auto& row : rows)
    all += row + "\n";
  return all;
}

sink_definition sink_at(const char* name = "sink") {
  sink_definition x;
  x.name = name;
  x.place.field = "spec.sinks[0]";
  return x;
}

connector_context context_of(io_executor& io, const std::string& folder) {
  connector_context x;
  x.io = &io;
  x.wake = [] {};
  x.stream = "s";
  x.folder = folder;
  return x;
}

file_sink json_at(std::string path) {
  file_sink x;
  x.path = std::move(path);
  return x;
}

const schema ab = {column_of("a", type_kind::bigint), column_of("b", type_kind::text)};

batch_ptr ab_rows(const lines& a, const lines& b) {
  return batch_of({values_of({type_kind::bigint}, a), values_of({type_kind::text}, b)});
}

void finish(sink_writer& sink) {
  auto done = sink.finish();
  BOOST_REQUIRE_MESSAGE(done, (done ? "" : to_string(done.error())));
  BOOST_REQUIRE(*done);
}

// The standard output of the process leads to a file while this lives.
class captured_stdout {
public:
  explicit captured_stdout(int to) : before_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    ::dup2(to, STDOUT_FILENO);
  }

  ~captured_stdout() {
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }

  captured_stdout(const captured_stdout&) = delete;
  captured_stdout& operator=(const captured_stdout&) = delete;

private:
  int before_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(file_writing)

BOOST_AUTO_TEST_CASE(writes_json_values) {
  BOOST_TEST(json_of({type_kind::boolean}, "t") == "true");
  BOOST_TEST(json_of({type_kind::boolean}, "f") == "false");
  BOOST_TEST(json_of({type_kind::bigint}, "-9223372036854775808") == "-9223372036854775808");
  BOOST_TEST(json_of({type_kind::smallint}, "NULL") == "null");
  BOOST_TEST(json_of({type_kind::double_precision}, "0.1") == "0.1");
  BOOST_TEST(json_of({type_kind::double_precision}, "4") == "4");
  BOOST_TEST(json_of({type_kind::double_precision}, "-0") == "-0");
  BOOST_TEST(json_of({type_kind::double_precision}, "0.30000000000000004")
             == "0.30000000000000004");
  BOOST_TEST(json_of({type_kind::double_precision}, "1e300") == "1e+300");
  BOOST_TEST(json_of({type_kind::double_precision}, "NaN") == "\"NaN\"");
  BOOST_TEST(json_of({type_kind::double_precision}, "Infinity") == "\"Infinity\"");
  BOOST_TEST(json_of({type_kind::double_precision}, "-Infinity") == "\"-Infinity\"");
  BOOST_TEST(json_of({type_kind::real}, "0.1") == "0.1");
  BOOST_TEST(json_of({type_kind::real}, "NaN") == "\"NaN\"");
  BOOST_TEST(json_of({type_kind::numeric}, "12.50") == "12.50");
  BOOST_TEST(json_of({type_kind::numeric}, "-0.10") == "-0.10");
  BOOST_TEST(json_of({type_kind::numeric}, "NaN") == "\"NaN\"");
  BOOST_TEST(json_of({type_kind::numeric}, "-Infinity") == "\"-Infinity\"");
  BOOST_TEST(json_of({type_kind::text}, "a\"b\\c\b\f\n\r\t\x01/é")
             == "\"a\\\"b\\\\c\\b\\f\\n\\r\\t\\u0001/é\"");
  BOOST_TEST(json_of({type_kind::text}, "") == "\"\"");
  BOOST_TEST(json_of({type_kind::text}, "longer than a block of 16 bytes \" and more text")
             == "\"longer than a block of 16 bytes \\\" and more text\"");
  BOOST_TEST(json_of({type_kind::bytea}, "\\x0001ff") == "\"AAH/\"");
  BOOST_TEST(json_of({type_kind::jsonb}, "{\"a\":[1,\"x\"]}") == "{\"a\": [1, \"x\"]}");
  BOOST_TEST(json_of({type_kind::date}, "2013-01-01") == "\"2013-01-01\"");
  BOOST_TEST(json_of({type_kind::timestamp}, "2013-01-01 05:00") == "\"2013-01-01T05:00:00\"");
  BOOST_TEST(json_of({type_kind::timestamp}, "2013-01-01 05:00:00.120")
             == "\"2013-01-01T05:00:00.12\"");
  BOOST_TEST(json_of({type_kind::timestamp}, "1969-12-31 23:59:59.999999")
             == "\"1969-12-31T23:59:59.999999\"");
  BOOST_TEST(json_of({type_kind::timestamp}, "infinity") == "\"infinity\"");
  BOOST_TEST(json_of({type_kind::timestamptz}, "2013-01-01 05:00+00")
             == "\"2013-01-01T05:00:00Z\"");
  BOOST_TEST(json_of({type_kind::interval}, "90 minutes") == "\"01:30:00\"");
  BOOST_TEST(json_of(sql_type{type_kind::bigint}.array_of(), "{1,NULL,3}") == "[1,null,3]");
  BOOST_TEST(json_of(sql_type{type_kind::text}.array_of(), "{a,\"b\\\"c\"}")
             == "[\"a\",\"b\\\"c\"]");
  BOOST_TEST(json_of(sql_type{type_kind::timestamp}.array_of(), "{2013-01-01}")
             == "[\"2013-01-01T00:00:00\"]");
  BOOST_TEST(json_of(sql_type{type_kind::bigint}.array_of(), "{}") == "[]");
}

BOOST_AUTO_TEST_CASE(writes_json_objects_with_keys_in_order) {
  const auto writer =
      make_json_writer({column_of("b", type_kind::bigint), column_of("a \"q\"", type_kind::text)});
  BOOST_TEST(text_of(*writer, *ab_rows({"1", "NULL"}, {"x", "NULL"}))
             == "{\"b\":1,\"a \\\"q\\\"\":\"x\"}\n{\"b\":null,\"a \\\"q\\\"\":null}\n");
  BOOST_TEST(writer->rows() == 2U);
}

BOOST_AUTO_TEST_CASE(writes_csv_values) {
  BOOST_TEST(csv_of({type_kind::boolean}, "t") == "true");
  BOOST_TEST(csv_of({type_kind::bigint}, "NULL") == "");
  BOOST_TEST(csv_of({type_kind::text}, "") == "\"\"");
  BOOST_TEST(csv_of({type_kind::text}, "plain text") == "plain text");
  BOOST_TEST(csv_of({type_kind::text}, "a,b") == "\"a,b\"");
  BOOST_TEST(csv_of({type_kind::text}, "a,b", ';') == "a,b");
  BOOST_TEST(csv_of({type_kind::text}, "a;b", ';') == "\"a;b\"");
  BOOST_TEST(csv_of({type_kind::text}, "say \"hi\"") == "\"say \"\"hi\"\"\"");
  BOOST_TEST(csv_of({type_kind::text}, "two\nlines") == "\"two\nlines\"");
  BOOST_TEST(csv_of({type_kind::text}, "cr\r") == "\"cr\r\"");
  BOOST_TEST(csv_of({type_kind::double_precision}, "NaN") == "NaN");
  BOOST_TEST(csv_of({type_kind::timestamp}, "2013-01-01 05:00") == "2013-01-01T05:00:00");
  BOOST_TEST(csv_of({type_kind::timestamp}, "2013-01-01 05:00", ':') == "\"2013-01-01T05:00:00\"");
  BOOST_TEST(csv_of({type_kind::bigint}, "101", '0') == "\"101\"");
  BOOST_TEST(csv_of({type_kind::numeric}, "1.50", '.') == "\"1.50\"");
  BOOST_TEST(csv_of({type_kind::bytea}, "\\x0001ff") == "AAH/");
  BOOST_TEST(csv_of(sql_type{type_kind::bigint}.array_of(), "{1,2}") == "\"{1,2}\"");
  const auto writer =
      make_csv_writer({column_of("a,b", type_kind::bigint), column_of("c", type_kind::text)}, ',');
  BOOST_TEST(text_of(*writer, *ab_rows({"1", "NULL"}, {"x", "NULL"})) == "\"a,b\",c\n1,x\n,\n");
}

BOOST_AUTO_TEST_CASE(formats_every_day_and_fraction) {
  char text[fixed_text_max + 1];
  for (std::int32_t day = -719162 - 3; day <= 2932896 + 3; day += 1) {
    if (day > -719000 && day < 2932000 && day % 97 != 0)
      continue;
    std::string expected;
    append_value_text(values_of({type_kind::date}, {"2000-01-01"}), 0, expected);
    auto one = make_column({type_kind::date}, 1);
    one.mutable_data<std::int32_t>()[0] = day;
    expected.clear();
    append_value_text(one, 0, expected);
    BOOST_TEST(std::string(text, write_date(day, text)) == expected);
  }
  for (const micros time : {0, 1, 10, 100'000, 999'999, -1, -999'999}) {
    auto one = make_column({type_kind::timestamp}, 1);
    one.mutable_data<micros>()[0] = time;
    std::string expected;
    append_value_text(one, 0, expected);
    expected[10] = 'T';
    BOOST_TEST(std::string(text, write_timestamp(time, false, text)) == expected);
  }
}

BOOST_AUTO_TEST_CASE(reads_back_what_it_wrote) {
  schema columns;
  std::vector<column> values;
  for (const auto& x : samples()) {
    columns.push_back(field{"c" + std::to_string(columns.size()), x.type, false});
    values.push_back(values_of(x.type, x.texts));
  }
  const auto rows = batch_of(std::move(values));
  const auto json = make_json_writer(columns);
  const auto csv = make_csv_writer(columns, ',');
  const auto odd_csv = make_csv_writer(columns, '-');
  parse_options o;
  o.columns = columns;
  o.file = "f";
  o.source = "s";
  const auto check = [&](record_parser&& parser, const std::string& text) {
    auto chunk = make_chunk(text.size());
    std::memcpy(chunk.begin, text.data(), text.size());
    chunk.end += text.size();
    parser.feed(chunk);
    parser.end_input();
    batch_ptr made;
    auto state = parser.next(100, made);
    BOOST_REQUIRE_MESSAGE(state, text << (state ? "" : to_string(state.error())));
    BOOST_REQUIRE(made);
    BOOST_TEST(rows_text(*made) == rows_text(*rows));
  };
  check(json_reader(o), text_of(*json, *rows));
  check(csv_reader(o), text_of(*csv, *rows));
  o.delimiter = '-';
  check(csv_reader(o), text_of(*odd_csv, *rows));
}

BOOST_AUTO_TEST_CASE(repeats_weighted_rows_and_refuses_retractions) {
  auto x = std::make_shared<batch>(*ab_rows({"1", "2", "3"}, {"x", "y", "z"}));
  x->weights = buffer_ptr::of<std::int32_t>(3);
  auto* weights = x->weights.as<std::int32_t>();
  weights[0] = 2;
  weights[1] = 0;
  weights[2] = 1;
  const auto csv = make_csv_writer(ab, ',');
  BOOST_TEST(text_of(*csv, *x) == "a,b\n1,x\n1,x\n3,z\n");
  BOOST_TEST(csv->rows() == 3U);
  weights[1] = -1;
  output_buffer out;
  auto done = make_csv_writer(ab, ',')->write(*x, out);
  BOOST_REQUIRE(!done);
  BOOST_TEST((done.error().code == ec::unsupported));
}

BOOST_AUTO_TEST_CASE(publishes_a_file_when_it_is_whole) {
  const test::temporary_folder folder;
  folder.write("out.json", "old");
  test::inline_executor io;
  {
    auto sink = open_file_sink(sink_at(), json_at("out.json"), ab, context_of(io, folder.path()));
    BOOST_REQUIRE(sink);
    BOOST_REQUIRE((*sink)->write(ab_rows({"1"}, {"x"})));
    BOOST_TEST(folder.read("out.json") == "old");
    BOOST_TEST(folder.read("out.json.part") == "{\"a\":1,\"b\":\"x\"}\n");
    BOOST_TEST((*sink)->backlog() == 0U);
    finish(**sink);
    finish(**sink);
    BOOST_TEST((*sink)->counters().rows == 1U);
    BOOST_TEST((*sink)->counters().bytes == 16U);
  }
  BOOST_TEST(folder.read("out.json") == "{\"a\":1,\"b\":\"x\"}\n");
  BOOST_TEST(!folder.has("out.json.part"));
  {
    auto sink = open_file_sink(sink_at(), json_at("out.json"), ab, context_of(io, folder.path()));
    BOOST_REQUIRE(sink);
    BOOST_REQUIRE((*sink)->write(ab_rows({"2"}, {"y"})));
    (*sink)->abandon();
  }
  {
    auto dropped =
        open_file_sink(sink_at(), json_at("out.json"), ab, context_of(io, folder.path()));
    BOOST_REQUIRE(dropped);
  }
  BOOST_TEST(folder.read("out.json") == "{\"a\":1,\"b\":\"x\"}\n");
  BOOST_TEST(!folder.has("out.json.part"));
  // No rows at all.
  auto csv = json_at("empty.csv");
  csv.format = record_format::csv;
  auto empty = open_file_sink(sink_at(), csv, ab, context_of(io, folder.path()));
  BOOST_REQUIRE(empty);
  finish(**empty);
  BOOST_TEST(folder.read("empty.csv") == "a,b\n");
}

BOOST_AUTO_TEST_CASE(keeps_links_and_permissions) {
  const test::temporary_folder folder;
  folder.write("real.json", "old");
  std::filesystem::permissions(folder / "real.json", std::filesystem::perms::owner_read
                                                         | std::filesystem::perms::owner_write);
  std::filesystem::create_symlink("real.json", folder / "link.json");
  test::inline_executor io;
  auto sink = open_file_sink(sink_at(), json_at("link.json"), ab, context_of(io, folder.path()));
  BOOST_REQUIRE(sink);
  finish(**sink);
  BOOST_TEST(std::filesystem::is_symlink(folder / "link.json"));
  BOOST_TEST(folder.read("real.json") == "");
  BOOST_TEST((std::filesystem::status(folder / "real.json").permissions()
              == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)));
  auto null = open_file_sink(sink_at(), json_at("/dev/null"), ab, context_of(io, folder.path()));
  BOOST_REQUIRE(null);
  BOOST_REQUIRE((*null)->write(ab_rows({"1"}, {"x"})));
  finish(**null);
  BOOST_TEST(std::filesystem::is_character_file("/dev/null"));
}

BOOST_AUTO_TEST_CASE(refuses_paths_that_cannot_be_written) {
  const test::temporary_folder folder;
  folder.write("file", "");
  test::inline_executor io;
  const auto error_of = [&](const file_sink& options) {
    auto sink = open_file_sink(sink_at(), options, ab, context_of(io, folder.path()));
    return sink ? std::string("opened") : to_string(sink.error());
  };
  BOOST_TEST(error_of(json_at("no/out.json"))
             == "spec.sinks[0].file.path: cannot write no/out.json: the folder " + (folder / "no")
                    + " does not exist\nhint: create the folder first, or choose another path");
  BOOST_TEST(error_of(json_at("file/out.json")).find("cannot write file/out.json")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(tells_of_a_full_disk) {
  test::inline_executor io;
  auto sink = open_file_sink(sink_at(), json_at("/dev/full"), ab, context_of(io, ""));
  BOOST_REQUIRE(sink);
  BOOST_REQUIRE((*sink)->write(ab_rows({"1"}, {"x"})));
  auto next = (*sink)->write(ab_rows({"2"}, {"y"}));
  BOOST_REQUIRE(!next);
  BOOST_TEST(next.error().message == "cannot write /dev/full: No space left on device");
  BOOST_TEST(!(*sink)->finish());
}

BOOST_AUTO_TEST_CASE(writes_in_the_background_within_bounds) {
  const test::temporary_folder folder;
  test::manual_executor io;
  test::waker waker;
  auto context = context_of(io, folder.path());
  context.wake = waker.function();
  auto sink = open_file_sink(sink_at(), json_at("out.json"), ab, context);
  BOOST_REQUIRE(sink);
  const auto rows = ab_rows({"1"}, {std::string(100'000, 'x')});
  const auto line = std::size_t{100'015};
  for (std::size_t i = 1; i <= 10; ++i) {
    BOOST_REQUIRE((*sink)->write(rows));
    BOOST_TEST((*sink)->backlog() == i * line);
    BOOST_TEST(io.waiting() == 1U);
  }
  BOOST_REQUIRE(io.run_one());
  BOOST_TEST((*sink)->backlog() == 0U);
  BOOST_TEST(waker.calls() >= 1U);
  BOOST_REQUIRE((*sink)->write(rows));
  auto done = (*sink)->finish();
  BOOST_REQUIRE(done);
  BOOST_TEST(!*done);
  BOOST_TEST(!folder.has("out.json"));
  BOOST_REQUIRE(io.run_one());
  finish(**sink);
  BOOST_TEST(folder.read("out.json").size() == 11 * line);
  // Abandoned with work queued.
  auto other = open_file_sink(sink_at(), json_at("other.json"), ab, context);
  BOOST_REQUIRE(other);
  BOOST_REQUIRE((*other)->write(rows));
  BOOST_REQUIRE((*other)->finish());
  (*other)->abandon();
  const auto calls = waker.calls();
  while (io.run_one()) {
  }
  BOOST_TEST(waker.calls() == calls);
  BOOST_TEST(!folder.has("other.json"));
  BOOST_TEST(!folder.has("other.json.part"));
}

BOOST_AUTO_TEST_CASE(tells_when_its_part_was_taken_away) {
  for (const bool replaced : {false, true}) {
    const test::temporary_folder folder;
    test::inline_executor io;
    folder.write("out.json", "old");
    auto sink = open_file_sink(sink_at(), json_at("out.json"), ab, context_of(io, folder.path()));
    BOOST_REQUIRE(sink);
    BOOST_REQUIRE((*sink)->write(ab_rows({"1"}, {"x"})));
    std::filesystem::remove(folder / "out.json.part");
    if (replaced)
      folder.write("out.json.part", "another's");
    auto done = (*sink)->finish();
    if (done && !*done)
      done = (*sink)->finish();
    BOOST_REQUIRE(!done);
    BOOST_TEST((done.error().code == ec::io));
    BOOST_TEST(done.error().message.find("out.json.part was removed or replaced while the stream ran")
                   != std::string::npos,
               done.error().message);
    BOOST_TEST(!done.error().hint.empty());
    BOOST_TEST(folder.read("out.json") == "old");
  }
  // A folder of parts.
  const test::temporary_folder folder;
  test::inline_executor io;
  auto sink = open_file_sink(sink_at(), json_at("out/"), ab, context_of(io, folder.path()));
  BOOST_REQUIRE(sink);
  BOOST_REQUIRE((*sink)->write(ab_rows({"1"}, {"x"})));
  for (const auto& x : std::filesystem::directory_iterator(folder / "out"))
    std::filesystem::remove(x.path());
  auto done = (*sink)->finish();
  if (done && !*done)
    done = (*sink)->finish();
  BOOST_REQUIRE(!done);
  BOOST_TEST((done.error().code == ec::io));
}

BOOST_AUTO_TEST_CASE(names_what_cannot_be_its_part) {
  const test::temporary_folder folder;
  test::inline_executor io;
  std::filesystem::create_directory(folder / "out.json.part");
  const auto sink = open_file_sink(sink_at(), json_at("out.json"), ab, context_of(io, folder.path()));
  BOOST_REQUIRE(!sink);
  BOOST_TEST(sink.error().message.find("out.json.part: Is a directory") != std::string::npos,
             sink.error().message);
  BOOST_TEST(sink.error().hint.find("move the folder away") != std::string::npos,
             sink.error().hint);
  // Found before anything runs.
  BOOST_TEST((sink.error().code == ec::not_found));
}

BOOST_AUTO_TEST_CASE(compresses_by_the_ending) {
  for (const char* name : {"out.json", "out.json.gz", "out.json.zst"}) {
    const test::temporary_folder folder;
    test::thread_executor io;
    test::waker waker;
    auto context = context_of(io, folder.path());
    context.wake = waker.function();
    auto sink = open_file_sink(sink_at(), json_at(name), ab, context);
    BOOST_REQUIRE(sink);
    std::string expected;
    lines a;
    lines b;
    for (int i = 0; i < 2000; ++i) {
      a.push_back(std::to_string(i));
      b.push_back("text of row " + std::to_string(i));
      expected += "{\"a\":" + a.back() + ",\"b\":\"" + b.back() + "\"}\n";
    }
    const auto rows = ab_rows(a, b);
    for (int i = 0; i < 20; ++i)
      BOOST_REQUIRE((*sink)->write(rows));
    for (;;) {
      auto done = (*sink)->finish();
      BOOST_REQUIRE(done);
      if (*done)
        break;
      waker.wait();
    }
    auto reader = open_reader(folder / name, name, [] { return false; });
    BOOST_REQUIRE(reader);
    std::string text(20 * expected.size() + 1, ' ');
    std::size_t size = 0;
    for (;;) {
      auto count = (*reader)->read(text.data() + size, text.size() - size);
      BOOST_REQUIRE(count);
      if (*count == 0)
        break;
      size += *count;
    }
    BOOST_TEST(size == 20 * expected.size());
    for (std::size_t i = 0; i < 20; ++i)
      BOOST_TEST((text.compare(i * expected.size(), expected.size(), expected) == 0));
  }
}

BOOST_AUTO_TEST_CASE(draws_tables) {
  const auto table = make_table_writer(ab);
  BOOST_TEST(text_of(*table, *ab_rows({"1", "-100", "NULL"}, {"x", "two\nlines", "日本"}))
             == "    a | b\n"
                "------+------------\n"
                "    1 | x\n"
                " -100 | two\\nlines\n"
                " NULL | 日本\n"
                "(3 rows)\n");
  const auto middle = make_table_writer(
      {column_of("name", type_kind::text), column_of("at", type_kind::timestamp)});
  BOOST_TEST(
      text_of(*middle, *batch_of({values_of({type_kind::text}, {"é", "日本語"}),
                                  values_of({type_kind::timestamp}, {"2013-01-01 05:00", "NULL"})}))
      == " name   | at\n"
         "--------+---------------------\n"
         " é      | 2013-01-01 05:00:00\n"
         " 日本語 | NULL\n"
         "(2 rows)\n");
  const auto none = make_table_writer(ab);
  output_buffer out;
  none->end(out);
  const auto block = out.pop(true);
  BOOST_TEST(std::string(block.memory.as<char>(), block.size) == " a | b\n---+---\n(0 rows)\n");
  const auto wide = make_table_writer({column_of("b", type_kind::text)});
  const std::string long_text(100, 'x');
  BOOST_TEST(text_of(*wide, *batch_of({values_of({type_kind::text}, {long_text})}))
             == " b\n" + std::string(62, '-') + "\n " + long_text + "\n(1 row)\n");
  BOOST_TEST(display_width("e\u0301") == 1U);
  BOOST_TEST(display_width("🛩") == 2U);
}

BOOST_AUTO_TEST_CASE(holds_the_first_rows_of_a_table_for_their_widths) {
  const auto table = make_table_writer(ab);
  output_buffer out;
  BOOST_REQUIRE(table->write(*ab_rows({"1"}, {"x"}), out));
  BOOST_TEST(table->holds_rows());
  BOOST_TEST(out.total() == 0U);
  BOOST_REQUIRE(table->write(*ab_rows({"22"}, {"yy"}), out));
  table->release(out);
  BOOST_TEST(!table->holds_rows());
  BOOST_REQUIRE(table->write(*ab_rows({"333"}, {"z"}), out));
  table->end(out);
  const auto block = out.pop(true);
  BOOST_TEST(std::string(block.memory.as<char>(), block.size)
             == "  a | b\n"
                "----+----\n"
                "  1 | x\n"
                " 22 | yy\n"
                " 333 | z\n"
                "(3 rows)\n");
  // Many rows do not wait for ever.
  const auto many = make_table_writer(ab);
  for (int i = 0; i < 200; ++i)
    BOOST_REQUIRE(many->write(*ab_rows({"1"}, {"x"}), out));
  BOOST_TEST(!many->holds_rows());
}

BOOST_AUTO_TEST_CASE(writes_to_standard_output) {
  const test::temporary_folder folder;
  for (const auto format : {stdout_format::table, stdout_format::json, stdout_format::csv}) {
    test::inline_executor io;
    auto* file = std::fopen((folder / "out").c_str(), "w");
    {
      const captured_stdout capture(::fileno(file));
      stdout_sink options;
      options.format = format;
      auto sink = open_stdout_sink(sink_at(), options, ab, context_of(io, folder.path()));
      BOOST_REQUIRE(sink);
      BOOST_REQUIRE((*sink)->write(ab_rows({"1"}, {"x"})));
      // Shown at once, also a table's first rows.
      BOOST_TEST(!folder.read("out").empty());
      finish(**sink);
    }
    std::fclose(file);
    const auto text = folder.read("out");
    if (format == stdout_format::table)
      BOOST_TEST(text == " a | b\n---+---\n 1 | x\n(1 row)\n");
    else if (format == stdout_format::json)
      BOOST_TEST(text == "{\"a\":1,\"b\":\"x\"}\n");
    else
      BOOST_TEST(text == "a,b\n1,x\n");
  }
}

BOOST_AUTO_TEST_CASE(survives_a_reader_that_has_gone) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  test::inline_executor io;
  result<void> next;
  {
    const captured_stdout capture(ends[1]);
    stdout_sink options;
    options.format = stdout_format::json;
    auto sink = open_stdout_sink(sink_at(), options, ab, context_of(io, ""));
    BOOST_REQUIRE(sink);
    BOOST_REQUIRE((*sink)->write(ab_rows({"1"}, {"x"})));
    next = (*sink)->write(ab_rows({"1"}, {"x"}));
  }
  ::close(ends[1]);
  BOOST_REQUIRE(!next);
  BOOST_TEST(to_string(next.error())
             == "cannot write standard output: Broken pipe\n"
                "hint: the program that reads it has ended");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
