#include "actors/plan/manifest.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace std::string_literals;

namespace {

struct outcome {
  std::vector<ebb::stream_definition> streams;
  std::vector<ebb::error> warnings;
  ebb::error problem;
  bool ok = false;
};

outcome read(const std::string& text, const std::string& file = "dir/a.yaml") {
  outcome out;
  auto parsed = ebb::parse_manifest(text, file, out.warnings);
  out.ok = static_cast<bool>(parsed);
  if (parsed)
    out.streams = *std::move(parsed);
  else
    out.problem = std::move(parsed).error();
  return out;
}

/// A manifest with the given lines under `spec:`.
std::string with_spec(const std::string& spec) {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: a}\nspec:\n" + spec;
}

/// A manifest whose one source has the given keys, in line 6 from column 7.
std::string with_source(const std::string& keys) {
  return with_spec("  sources:\n    - {" + keys + "}\n");
}

const std::string bids = "  sources:\n    - {name: bids, nexmark: {table: bid}}\n";

struct bad {
  std::string text;
  std::uint32_t line;
  std::uint32_t column;
  std::string field;
  std::string message;
  std::string hint; ///< a part of it
};

void check(const std::vector<bad>& rows) {
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.text) {
      const auto got = read(row.text);
      BOOST_TEST_REQUIRE(!got.ok);
      BOOST_TEST(got.problem.message == row.message);
      BOOST_TEST(got.problem.place.line == row.line);
      BOOST_TEST(got.problem.place.column == row.column);
      BOOST_TEST(got.problem.place.field == row.field);
      BOOST_TEST(got.problem.place.file == "dir/a.yaml");
      BOOST_TEST(got.problem.hint.find(row.hint) != std::string::npos, got.problem.hint);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(manifest)

BOOST_AUTO_TEST_CASE(the_first_stream_of_the_guide) {
  const auto got = read(R"yaml(apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: delays}
spec:
  sources:
    - name: flights
      schema: time_hour TIMESTAMP, carrier TEXT, origin TEXT, dep_delay DOUBLE PRECISION
      eventTime: {column: time_hour, maxDelay: 1d}
      file: {path: flights.csv, format: csv, null: [NA]}
  operators:
    - name: hourly
      sql: |
        SELECT window_start, carrier, count(*) AS flights, avg(dep_delay) AS mean_delay
        FROM tumble(flights, time_hour, INTERVAL '1 hour') GROUP BY window_start, carrier
  sinks:
    - file: {path: delays.ndjson, format: json}
)yaml");
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST(got.warnings.empty());
  BOOST_TEST_REQUIRE(got.streams.size() == 1);
  const auto& stream = got.streams[0];
  BOOST_TEST(stream.name == "delays");
  BOOST_TEST(stream.folder == "dir");
  BOOST_TEST(stream.parallelism == 1);
  BOOST_TEST(stream.max_parallelism == 128);
  BOOST_TEST(stream.checkpoint_interval == 10 * ebb::micros_per_second);
  BOOST_TEST(stream.exactly_once);
  BOOST_TEST_REQUIRE(stream.sources.size() == 1);
  const auto& source = stream.sources[0];
  BOOST_TEST_REQUIRE(source.columns.size() == 4);
  BOOST_TEST(source.columns[0].name == "time_hour");
  BOOST_TEST((source.columns[3].type.kind == ebb::type_kind::double_precision));
  BOOST_TEST_REQUIRE(source.time.has_value());
  BOOST_TEST(source.time->column == "time_hour");
  BOOST_TEST(source.time->max_delay == ebb::micros_per_day);
  BOOST_TEST(source.time->place.line == 8);
  BOOST_TEST(source.time->place.column == 27);
  const auto& file = std::get<ebb::file_source>(source.connector);
  BOOST_TEST(file.path == "flights.csv");
  BOOST_TEST((file.format == ebb::record_format::csv));
  BOOST_TEST(file.null == std::vector<std::string>{"NA"}, boost::test_tools::per_element());
  BOOST_TEST_REQUIRE(stream.operators.size() == 1);
  BOOST_TEST(stream.operators[0].sql.starts_with("SELECT window_start"));
  BOOST_TEST(stream.operators[0].sql_is_block);
  BOOST_TEST(stream.operators[0].sql_indent == 8);
  BOOST_TEST(stream.operators[0].sql_place.line == 13);
  BOOST_TEST_REQUIRE(stream.sinks.size() == 1);
  BOOST_TEST(stream.sinks[0].name == "sink");
  BOOST_TEST(stream.sinks[0].from == "hourly");
}

BOOST_AUTO_TEST_CASE(every_field_of_a_stream) {
  const auto got = read(with_spec(R"yaml(  sources:
    - name: a
      schema: "id BIGINT NOT NULL, ts TIMESTAMP, PRIMARY KEY (id)"
      eventTime: {column: TS, maxDelay: 250ms, maxAhead: 1h, idleAfter: 5m}
      timestampUnit: us
      onBadRecord: quarantine
      file: {path: "in/*.csv.gz", delimiter: ";", follow: true, maxRecord: 64Ki}
    - name: b
      nexmark: {table: auction, events: 1000, eventsPerSecond: 50, rate: 7, seed: 3}
    - name: c
      schema: x BIGINT, y TEXT
      generator: {
  rows:
    9, rate : 2, columns : {
    y:
      "'v' || n", x : "n * 2"
    }}
  operators:
    - {name: o, sql: "SELECT a.id FROM a, b, c", parallelism: 3, stateRetention: 1h}
  sinks:
    - {name: out, from: a, file: {path: o.csv, delimiter: "\t"}}
    - stdout: {format: csv}
    - discard:
    - discard: {hash: true}
  checkpoint: {interval: 1s, mode: at-least-once}
  sleep: {idleAfter: never, whenIdle: advance, advanceAfter: 7s}
  onChange: reset
  parallelism: 2
  maxParallelism: 16
  pod: {labels: {a: b}}
)yaml"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  const auto& stream = got.streams[0];
  const auto& a = stream.sources[0];
  BOOST_TEST(a.primary_key == std::vector<std::string>{"id"}, boost::test_tools::per_element());
  BOOST_TEST(a.columns[0].not_null);
  BOOST_TEST(a.time->column == "ts");
  BOOST_TEST(a.time->max_delay == 250'000);
  BOOST_TEST(a.time->max_ahead.value() == 3'600'000'000);
  BOOST_TEST(a.time->idle_after.value() == 300'000'000);
  BOOST_TEST((a.unit == ebb::timestamp_unit::us));
  BOOST_TEST((a.on_bad_record == ebb::bad_record_policy::quarantine));
  const auto& file = std::get<ebb::file_source>(a.connector);
  BOOST_TEST((file.format == ebb::record_format::csv));
  BOOST_TEST(file.delimiter == ';');
  BOOST_TEST(file.follow);
  BOOST_TEST(file.max_record == 65'536U);
  BOOST_TEST(file.null == std::vector<std::string>{""}, boost::test_tools::per_element());
  const auto& nexmark = std::get<ebb::nexmark_source>(stream.sources[1].connector);
  BOOST_TEST((nexmark.table == ebb::nexmark_table::auction));
  BOOST_TEST(nexmark.events == 1'000U);
  BOOST_TEST(nexmark.events_per_second == 50U);
  BOOST_TEST(nexmark.rate == 7U);
  BOOST_TEST(nexmark.seed == 3U);
  BOOST_TEST(stream.sources[1].columns.size() == 10U);
  BOOST_TEST(!stream.sources[1].time.has_value());
  const auto& generator = std::get<ebb::generator_source>(stream.sources[2].connector);
  BOOST_TEST(generator.rows == 9U);
  BOOST_TEST(generator.rate == 2U);
  BOOST_TEST(generator.columns == (std::vector<std::string>{"n * 2", "'v' || n"}),
             boost::test_tools::per_element());
  BOOST_TEST(stream.operators[0].parallelism.value() == 3U);
  BOOST_TEST(stream.operators[0].state_retention.value() == 3'600'000'000);
  BOOST_TEST(stream.sinks[0].name == "out");
  BOOST_TEST(stream.sinks[0].from == "a");
  BOOST_TEST(std::get<ebb::file_sink>(stream.sinks[0].connector).delimiter == '\t');
  BOOST_TEST(stream.sinks[1].name == "sink-2");
  BOOST_TEST(
      (std::get<ebb::stdout_sink>(stream.sinks[1].connector).format == ebb::stdout_format::csv));
  BOOST_TEST(!std::get<ebb::discard_sink>(stream.sinks[2].connector).hash);
  BOOST_TEST(std::get<ebb::discard_sink>(stream.sinks[3].connector).hash);
  BOOST_TEST(!stream.exactly_once);
  BOOST_TEST(!stream.sleep.idle_after.has_value());
  BOOST_TEST(stream.sleep.advance);
  BOOST_TEST(stream.sleep.advance_after == 7'000'000);
  BOOST_TEST(stream.checkpoint_interval == ebb::micros_per_second);
  BOOST_TEST(stream.parallelism == 2U);
  BOOST_TEST(stream.max_parallelism == 16);
}

BOOST_AUTO_TEST_CASE(json_and_several_documents) {
  const auto got = read(R"yaml({"apiVersion": "ebb.dev/v1alpha1", "kind": "Stream",
	"metadata": {"name": "one"},
	"spec": {"sources": [{"name": "s", "nexmark": {"table": "person", "events": 5}}],
	         "sinks": [{"file": {"path": "\/t\/\ud83d\ude00\u00e9.json"}}]}}
---
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: two}
spec: {sources: [{name: s, nexmark: {table: bid}}]}
)yaml");
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST_REQUIRE(got.streams.size() == 2);
  BOOST_TEST(std::get<ebb::file_sink>(got.streams[0].sinks[0].connector).path
             == "/t/\xF0\x9F\x98\x80\xC3\xA9.json");
  const auto& two = got.streams[1];
  BOOST_TEST_REQUIRE(two.sinks.size() == 1);
  BOOST_TEST(two.sinks[0].name == "sink");
  BOOST_TEST(two.sinks[0].from == "s");
  BOOST_TEST(std::holds_alternative<ebb::stdout_sink>(two.sinks[0].connector));
  BOOST_TEST(got.warnings.empty());
}

BOOST_AUTO_TEST_CASE(aliases_stand_for_values) {
  const auto got = read(with_spec("  sources:\n    - {name: a, nexmark: &n {table: bid}}\n"
                                  "    - {name: b, nexmark: *n}\n"
                                  "  sinks: [{from: a, stdout: {}}, {from: b, discard: {}}]\n"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST(got.streams[0].sources[1].columns.size() == 7U);
}

BOOST_AUTO_TEST_CASE(place_of_sql_in_every_kind_of_text) {
  struct row {
    std::string text; ///< behind `sql: `
    std::uint32_t line;
    std::uint32_t column;
    bool is_block;
    std::string sql;
  };

  const std::vector<row> rows = {
      {"SELECT 1 FROM bids", 8, 12, false, "SELECT 1 FROM bids"},
      {"'SELECT 1 FROM bids'", 8, 13, false, "SELECT 1 FROM bids"},
      {"\"SELECT 1\\nFROM bids\"", 8, 13, false, "SELECT 1\nFROM bids"},
      {"|\n        SELECT 1\n          FROM bids", 9, 9, true, "SELECT 1\n  FROM bids\n"},
      {"|-\n\n        SELECT 1\n        FROM bids", 9, 9, true, "\nSELECT 1\nFROM bids"},
      {"|2\n           SELECT 1\n        FROM bids", 9, 9, true, "   SELECT 1\nFROM bids\n"},
      {"| # note\n        SELECT 1\n        FROM bids", 9, 9, true, "SELECT 1\nFROM bids\n"},
      {">\n        SELECT 1\n        FROM bids", 9, 9, true, "SELECT 1\nFROM bids\n"},
      {">-\n        SELECT 'a\n        b' FROM bids", 9, 9, false, "SELECT 'a b' FROM bids"},
      {">\n        SELECT 1 -- x\n        FROM bids", 9, 9, false, "SELECT 1 -- x FROM bids\n"},
      {"!!str |\n        SELECT 1 FROM bids", 9, 9, true, "SELECT 1 FROM bids\n"},
      {"&a 'SELECT 1 FROM bids'", 8, 16, false, "SELECT 1 FROM bids"},
  };
  for (const auto& row : rows) {
    BOOST_TEST_CONTEXT(row.text) {
      // The key `sql` stands in line 8, its value from column 12.
      const auto got =
          read(with_spec(bids + "  operators:\n    - sql: " + row.text + "\n      name: o\n"));
      BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
      const auto& step = got.streams[0].operators[0];
      BOOST_TEST(step.sql == row.sql);
      BOOST_TEST(step.sql_place.line == row.line);
      BOOST_TEST(step.sql_place.column == row.column);
      BOOST_TEST(step.sql_is_block == row.is_block);
      if (row.is_block)
        BOOST_TEST(step.sql_indent == 8U);
    }
  }
}

BOOST_AUTO_TEST_CASE(errors_of_yaml) {
  check({
      {"a: b: c", 1, 5, "", "malformed YAML: illegal map value", "quote values"},
      {"a:\n\tb: 1\n", 2, 3, "", "malformed YAML: illegal map value", "spaces"},
      {"a: \"x\n", 1, 4, "", "quoted text without its end", "close it with \""},
      {"a: 'x''\n", 1, 4, "", "quoted text without its end", "close it with '"},
      {"a: 1\nb: 2\na: 3\n", 3, 1, "", "duplicate key a", "line 1"},
      {"a: {b: 1,\n  'b': 2}\n", 2, 3, "", "duplicate key b", "line 1"},
      {"a: !x 1\n", 1, 4, "", "unknown tag !x", "leave it out"},
      {"a: &x [1, *x]\n", 1, 11, "", "an alias inside of what it stands for", "write"},
      {"{a: 1},\n", 1, 7, "", "text behind the end of the document", "---"},
      {"? [a]\n: 1\n", 1, 3, "", "a key must be text", ""},
      {"a: \xff\n", 1, 4, "", "the file is not UTF-8 text", "UTF-8"},
      {"\xC3\xA9: \xC3\xA9\xC3\n", 1, 5, "", "the file is not UTF-8 text", "UTF-8"},
      {"a: \x01\n"s, 1, 4, "", "control character in the file", "UTF-8"},
      {"a: \x1b[2J\0\n"s, 1, 4, "", "control character in the file", "UTF-8"},
      {std::string(70, '[') + std::string(70, ']'), 1, 65, "",
       "values are nested more than 64 deep", "brackets"},
      {"- 1\n", 1, 1, "", "expected an object, found a list", "apiVersion"},
  });
  BOOST_TEST(read("").problem.message == "the file has no document of kind Stream");
  BOOST_TEST(read(std::string((4 << 20) + 1, ' ')).problem.message
             == "the manifest is larger than 4 MiB");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += 'a' + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 9; ++k)
      bomb += ", " + before;
    bomb += "]\n";
  }
  BOOST_TEST(read(bomb).problem.message == "too many aliases");
}

BOOST_AUTO_TEST_CASE(errors_of_keys_and_types) {
  check({
      {"kind: Stream\n", 1, 1, "apiVersion", "apiVersion is missing", "ebb.dev/v1alpha1"},
      {"apiVersion: ebb.dev/v1\n", 1, 13, "apiVersion",
       "expected ebb.dev/v1alpha1, found \"ebb.dev/v1\"", "ebb.dev/v1alpha1"},
      {"apiVersion: ebb.dev/v1alpha1\nkind: Streem\n", 2, 7, "kind",
       "expected Stream, Topic or Function, found \"Streem\"", "did you mean Stream?"},
      {"apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: A_b}\n", 3, 18,
       "metadata.name", "expected a name of lower-case letters, digits and -, found \"A_b\"", ""},
      {with_spec("  source: []\n"), 5, 3, "spec.source", "unknown key source",
       "did you mean sources?"},
      {with_spec("  sources: {}\n"), 5, 12, "spec.sources",
       "expected a list of sources, found an object", "- "},
      {with_spec("  sources: []\n"), 5, 12, "spec.sources", "a stream needs at least one source",
       ""},
      {with_source("name: s, schema: a BIGINT, flie: {path: x.csv}"), 6, 35, "spec.sources[0].flie",
       "unknown key flie", "did you mean file?"},
      {with_source("name: s, schema: {a: BIGINT}, file: {path: x.csv}"), 6, 25,
       "spec.sources[0].schema",
       "expected column definitions such as id BIGINT, name TEXT, found an object",
       "write them as one text: schema: id BIGINT"},
      {with_source("name: s, schema: a BIGINT, file: {path: x.csv, format: csv, null: [NA, NULL]}"),
       6, 79, "spec.sources[0].file.null[1]", "expected a spelling of NULL, found nothing",
       "quote it: \"NULL\""},
      {with_source("name: s, schema: a BIGINT"), 6, 7, "spec.sources[0]", "no connector",
       "file, nexmark, generator or topic"},
      {with_source("name: s, file: {path: x.csv}, nexmark: {table: bid}"), 6, 38,
       "spec.sources[0].nexmark", "two connectors, file and nexmark", "keep one"},
      {with_source("name: s, kafka: {}"), 6, 17, "spec.sources[0].kafka",
       "connector kafka is not available in this version", "file"},
      {with_source("name: no, nexmark: {table: bid}"), 6, 14, "spec.sources[0].name",
       "expected a name, but YAML 1.1 reads no as a boolean", "quote it: \"no\""},
      {with_source("name: 5, nexmark: {table: bid}"), 6, 14, "spec.sources[0].name",
       "expected a name, found the number 5", "quote it"},
      {with_source("name: 5a, nexmark: {table: bid}"), 6, 14, "spec.sources[0].name",
       "expected a name that SQL can use, found \"5a\"", "not a digit first"},
      {with_source("name: " + std::string(64, 'a') + ", nexmark: {table: bid}"), 6, 14,
       "spec.sources[0].name",
       "expected a name that SQL can use, found \"" + std::string(60, 'a') + "…\"", "63"},
      {with_source("name: s, nexmark: {table: bids}"), 6, 34, "spec.sources[0].nexmark.table",
       "expected person, auction or bid, found \"bids\"", "did you mean bid?"},
      {with_source("name: s, nexmark: {table: bid, events: 1e6}"), 6, 47,
       "spec.sources[0].nexmark.events",
       "expected a whole number from 1 to 9223372036854775807, found the number 1e6", ""},
      {with_source("name: s, nexmark: {table: bid, events: 010}"), 6, 47,
       "spec.sources[0].nexmark.events",
       "expected a whole number from 1 to 9223372036854775807, found the number 010", "octal"},
      {with_source("name: s, nexmark: {table: bid, events: '10'}"), 6, 47,
       "spec.sources[0].nexmark.events",
       "expected a whole number from 1 to 9223372036854775807, found \"10\"", "without quotes"},
      {with_source("name: s, nexmark: {table: bid, rate: 99999999999999999999}"), 6, 45,
       "spec.sources[0].nexmark.rate",
       "expected a whole number from 1 to 1000000000, found the number 99999999999999999999", ""},
      {with_source("name: s, nexmark: {table: bid}, schema: a BIGINT"), 6, 48,
       "spec.sources[0].schema", "a nexmark source has its own columns", "leave out"},
      {with_source("name: s, file: {path: x.csv}"), 6, 7, "spec.sources[0].schema",
       "schema is missing", "schema: id BIGINT"},
      {with_source("name: s, schema: a BIGINT, file: {path: x.csv, follow: yes}"), 6, 63,
       "spec.sources[0].file.follow", "expected true or false, found the boolean yes", ""},
      {with_source("name: s, schema: a BIGINT, file: {path: x.csv, null: [NA, N]}"), 6, 66,
       "spec.sources[0].file.null[1]",
       "expected a spelling of NULL, but YAML 1.1 reads N as a boolean", "quote it"},
      {with_source("name: s, schema: a BIGINT, file: {path: x.csv, null: NA}"), 6, 61,
       "spec.sources[0].file.null", "expected a list of spellings, found \"NA\"", ""},
      {with_source("name: s, schema: a BIGINT, file: {path: x.dat}"), 6, 41,
       "spec.sources[0].file.format", "format is missing, and the file's ending does not tell it",
       "format: csv"},
      {with_source("name: s, schema: a BIGINT, file: {path: x.json, delimiter: ;}"), 6, 67,
       "spec.sources[0].file.delimiter", "delimiter is only for format csv", "leave it out"},
      {with_source("name: s, schema: a BIGINT, file: {path: x.csv, delimiter: ab}"), 6, 66,
       "spec.sources[0].file.delimiter",
       "expected one ASCII character that is no quote and no line end", "\\t"},
      {with_source("name: s, schema: a BIGINT, file: {path: x.csv, maxRecord: 5kb}"), 6, 66,
       "spec.sources[0].file.maxRecord",
       "expected a size such as 512, 64Ki, 16Mi or 1Gi, found \"5kb\"", "64Mi"},
      {with_source("name: s, schema: a BIGINT, onConflict: replace, file: {path: x.csv}"), 6, 47,
       "spec.sources[0].onConflict", "onConflict: replace needs a PRIMARY KEY in the schema", ""},
  });
}

BOOST_AUTO_TEST_CASE(errors_of_schema_and_event_time) {
  const std::string file = ", file: {path: x.csv}";
  check({
      {with_source("name: s, schema: 'a BIGINT, ts TIMESTAMP', eventTime: {column: tz}" + file), 6,
       71, "spec.sources[0].eventTime.column", "the schema has no column tz", "the columns are"},
      {with_source("name: s, schema: 'a BIGINT, stamp TIMESTAMP', eventTime: {column: stmp}"
                   + file),
       6, 74, "spec.sources[0].eventTime.column", "the schema has no column stmp",
       "did you mean stamp?"},
      {with_source("name: s, schema: 'a BIGINT, ts TIMESTAMP', eventTime: {column: a}" + file), 6,
       71, "spec.sources[0].eventTime.column",
       "column a is bigint, and event time must be TIMESTAMP", "declare"},
      {with_source("name: s, schema: ts TIMESTAMP, eventTime: {column: ts, maxDelay: 5}" + file), 6,
       73, "spec.sources[0].eventTime.maxDelay",
       "expected a duration such as 250ms, 10s, 5m, 1h or 7d, found the number 5", "10s"},
      {with_source("name: s, schema: ts TIMESTAMP, eventTime: {column: ts, idleAfter: 0s}" + file),
       6, 74, "spec.sources[0].eventTime.idleAfter", "expected a duration above 0, found \"0s\"",
       ""},
      {with_source("name: s, schema: ts TIMESTAMP, eventTime: {column: ts, maxAhead: -1s}" + file),
       6, 73, "spec.sources[0].eventTime.maxAhead",
       "expected a duration such as 250ms, 10s, 5m, 1h or 7d, found \"-1s\"", ""},
      {with_source("name: s, nexmark: {table: bid}, eventTime: {column: date_time, maxAhead: 1h}"),
       6, 81, "spec.sources[0].eventTime.maxAhead",
       "maxAhead is for files and topics: generated rows have the times that the manifest gives "
       "them",
       "leave it out"},
      {with_source("name: s, schema: ts TIMESTAMP, eventTime: {column: ts, maxAhead: 1h}, "
                   "file: {path: x.json, format: debezium}"),
       6, 73, "spec.sources[0].eventTime.maxAhead",
       "maxAhead is not for changes: those of a row that was left out could not be told from "
       "others",
       "WHERE"},
  });
  // Errors within the schema point at the word.
  const auto block = read(with_spec("  sources:\n    - name: s\n      schema: |\n"
                                    "        a BIGINT,\n        b NOTYPE\n"
                                    "      file: {path: x.csv}\n"));
  BOOST_TEST_REQUIRE(!block.ok);
  BOOST_TEST(block.problem.message.find("notype") != std::string::npos, block.problem.message);
  BOOST_TEST(block.problem.place.line == 9U);
  BOOST_TEST(block.problem.place.column == 11U);
  BOOST_TEST(block.problem.place.field == "spec.sources[0].schema");
  BOOST_TEST(block.problem.excerpt == "        b NOTYPE\n          ^");
  // The place of the end, on a line that is shorter than the block's indentation.
  const auto end = read(with_spec("  sources:\n    - name: s\n      schema: |\n"
                                  "        a BIGINT,\n    \n      file: {path: x.csv}\n"));
  BOOST_TEST_REQUIRE(!end.ok);
  BOOST_TEST(end.problem.place.line == 9U);
  BOOST_TEST(end.problem.place.column == 5U);
  const auto plain = read(with_source("name: s, schema: a NOTYPE" + file));
  BOOST_TEST_REQUIRE(!plain.ok);
  BOOST_TEST(plain.problem.place.line == 6U);
  BOOST_TEST(plain.problem.place.column == 27U);
  // Texts of several lines.
  for (const std::string quote : {"", "\"", "'"}) {
    const auto lines = read(with_spec("  sources:\n    - name: s\n      schema: " + quote
                                      + "a BIGINT,\n           b INTEGER,\n\n         c NOTYPE"
                                      + quote + "\n      file: {path: x.csv}\n"));
    BOOST_TEST_REQUIRE(!lines.ok);
    BOOST_TEST(lines.problem.place.line == 10U);
    BOOST_TEST(lines.problem.place.column == 12U);
    BOOST_TEST(lines.problem.excerpt
               == "         c NOTYPE" + quote + "\n           ^");
  }
}

BOOST_AUTO_TEST_CASE(errors_of_generators) {
  const std::string start = "name: s, schema: 'a BIGINT, b TEXT', generator: {rows: 5, columns: ";
  check({
      {with_source(start + "{a: n, b: x}}"), 6, 79, "spec.sources[0].generator.columns.a",
       "expected a SQL expression over n, but YAML 1.1 reads n as a boolean", "\"n\""},
      {with_source(start + "{a: n+1}}"), 6, 75, "spec.sources[0].generator.columns",
       "column b of the schema has no expression", "add b"},
      {with_source(start + "{a: n+1, c: n+1}}"), 6, 84, "spec.sources[0].generator.columns.c",
       "the schema has no column c", "a, b"},
      {with_source(start + "[{a: n+1}, {A: n+2}]}"), 6, 87,
       "spec.sources[0].generator.columns[1].A", "column A is given twice", ""},
      {with_source("name: s, schema: a BIGINT, generator: {rows: 5}"), 6, 46,
       "spec.sources[0].generator.columns", "columns is missing", "columns:"},
  });
  const auto unknown = read(with_source(start + "{a: n+1, b: m+1}}"));
  BOOST_TEST_REQUIRE(!unknown.ok);
  BOOST_TEST(unknown.problem.message.find("\"m\"") != std::string::npos, unknown.problem.message);
  BOOST_TEST(unknown.problem.place.column == 87U);
  const auto by_place = read(with_source(start + "[n*2, \"'x' || n\"]}"));
  BOOST_TEST(by_place.ok, ebb::to_string(by_place.problem));
}

BOOST_AUTO_TEST_CASE(errors_across_a_stream) {
  const auto two = "  sources:\n    - {name: s, nexmark: {table: bid}}\n"
                   "    - {name: t, nexmark: {table: bid}}\n"s;
  check({
      {with_spec(bids + "    - {name: bids, nexmark: {table: bid}}\n"), 7, 14,
       "spec.sources[1].name", "two sources or operators named bids", "line 6"},
      {with_spec(bids + "  operators: [{name: bids, sql: SELECT 1 FROM bids}]\n"), 7, 22,
       "spec.operators[0].name", "two sources or operators named bids", "line 6"},
      {with_spec(bids + "  operators: [{name: o}]\n"), 7, 15, "spec.operators[0].sql",
       "sql is missing", "SELECT"},
      {with_spec(bids + "  operators: [{name: o, sql: ' '}]\n"), 7, 30, "spec.operators[0].sql",
       "the SQL is empty", "SELECT"},
      {with_spec(bids + "  operators: [{name: o, function: {}}]\n"), 7, 35,
       "spec.operators[0].function", "operators with a function are not available in this version",
       "SQL"},
      {with_spec(bids + "  operators: [{name: o, sql: SELECT 1, function: {}}]\n"), 7, 50,
       "spec.operators[0].function",
       "an operator has either sql or function, and this one has both", "keep one"},
      {with_spec(bids + "  operators: [{name: o, sql: SELECT 1, parallelism: 129}]\n"), 7, 53,
       "spec.operators[0].parallelism",
       "expected a whole number from 1 to 128, found the number 129", ""},
      {with_spec(two), 5, 3, "spec", "from is missing: there are several sources and no operator",
       "from: s"},
      {with_spec(bids + "  sinks: [{from: bidz, stdout: {}}]\n"), 7, 18, "spec.sinks[0].from",
       "there is no operator or source bidz", "did you mean bids?"},
      {with_spec(bids + "  sinks: [{stdout: {}, file: {path: a.csv}}]\n"), 7, 24,
       "spec.sinks[0].file", "two connectors, stdout and file", ""},
      {with_spec(bids + "  sinks: [{name: x, stdout: {}}, {name: x, discard: {}}]\n"), 7, 41,
       "spec.sinks[1].name", "two sinks named x", ""},
      {with_spec(bids + "  sinks: [{file: {path: a.json}}, {file: {path: ./b/../a.json}}]\n"), 7,
       49, "spec.sinks[1].file.path", "sinks sink and sink-2 write one file, dir/a.json", "own"},
      {with_spec("  sources: [{name: s, schema: a BIGINT, file: {path: a.csv}}]\n"
                 "  sinks: [{file: {path: ../dir/a.csv}}]\n"),
       6, 25, "spec.sinks[0].file.path", "this sink would overwrite what source s reads, dir/a.csv",
       ""},
      {with_spec(bids + "  checkpoint: {interval: 0s}\n"), 7, 26, "spec.checkpoint.interval",
       "expected a duration above 0, found \"0s\"", ""},
      {with_spec(bids + "  maxParallelism: 4\n  parallelism: 5\n"), 8, 16, "spec.parallelism",
       "expected a whole number from 1 to 4, found the number 5", ""},
      {with_spec(bids + "  pod: {image: x}\n"), 7, 9, "spec.pod.image", "unknown key image", ""},
      {with_spec(bids) + "---\n" + with_spec(bids), 10, 18, "metadata.name", "two streams named a",
       "line 3"},
  });
  std::string many = "  sources:\n";
  for (int i = 0; i < 65; ++i)
    many += "    - {name: s" + std::to_string(i) + ", nexmark: {table: bid}}\n";
  BOOST_TEST(read(with_spec(many)).problem.message == "too many sources: 65");
}

BOOST_AUTO_TEST_CASE(warnings) {
  const auto got = read(with_spec(R"yaml(  sources:
    - {name: a, nexmark: {table: bid}}
    - {name: Used, nexmark: {table: bid}}
    - {name: quoted, nexmark: {table: bid}}
    - {name: b, nexmark: {table: bid}}
  operators:
    - name: lost
      sql: SELECT 'b' FROM a -- b
    - name: o
      sql: SELECT /* b */ 1 FROM A, "Used" JOIN "quoted" ON ab = b1
)yaml"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST_REQUIRE(got.warnings.size() == 3U);
  BOOST_TEST(got.warnings[0].message == "SQL reads unquoted names in lower case");
  BOOST_TEST(got.warnings[1].message == "nothing reads source b");
  BOOST_TEST(got.warnings[1].place.line == 9U);
  BOOST_TEST(got.warnings[2].message == "nothing reads operator lost");
}

BOOST_AUTO_TEST_CASE(changes_without_a_key_are_warned_of) {
  const auto source = [](const std::string& name, const std::string& schema,
                         const std::string& format) {
    return "    - {name: " + name + ", schema: '" + schema + "', file: {path: " + name
           + ", format: " + format + "}}\n";
  };
  const auto got =
      read(with_spec("  sources:\n" + source("a", "k BIGINT, PRIMARY KEY (k)", "debezium")
                     + source("b", "k BIGINT", "debezium") + source("c", "k BIGINT", "json")
                     + "  operators:\n    - {name: q, sql: 'SELECT a.k FROM a, b, c'}\n"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST_REQUIRE(got.warnings.size() == 1U);
  const auto& x = got.warnings[0];
  BOOST_TEST(x.message.find("source b reads changes without a PRIMARY KEY: they are matched by "
                            "whole rows, so before must have all fields")
             == 0U);
  BOOST_TEST(x.place.field == "spec.sources[1].schema");
  BOOST_TEST(x.place.line == 7U);
  BOOST_TEST(x.hint.find("add PRIMARY KEY (…)") == 0U);
}

BOOST_AUTO_TEST_CASE(durations_and_sizes) {
  BOOST_TEST(*ebb::parse_duration("250ms") == 250'000);
  BOOST_TEST(*ebb::parse_duration("10s") == 10'000'000);
  BOOST_TEST(*ebb::parse_duration("5m") == 300'000'000);
  BOOST_TEST(*ebb::parse_duration("1h") == 3'600'000'000);
  BOOST_TEST(*ebb::parse_duration("7d") == 7 * ebb::micros_per_day);
  BOOST_TEST(*ebb::parse_duration("0") == 0);
  for (const auto* text : {"", "5", "s", "-1s", "+1s", "1.5s", "1S", "1 s", "1sec", "1h30m",
                           "99999999999999999999s", "9223372036855s", "106751992d"})
    BOOST_TEST(!ebb::parse_duration(text), text);
  BOOST_TEST(*ebb::parse_duration("106751991d") == 106'751'991 * ebb::micros_per_day);
  BOOST_TEST(*ebb::parse_size("512") == 512U);
  BOOST_TEST(*ebb::parse_size("64Mi") == 67'108'864U);
  BOOST_TEST(*ebb::parse_size("1Gi") == 1'073'741'824U);
  BOOST_TEST(*ebb::parse_size("2k") == 2'000U);
  for (const auto* text : {"", "Mi", "1mi", "1MiB", "-1", "1.5Gi", "9999999999Gi"})
    BOOST_TEST(!ebb::parse_size(text), text);
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_a_line_is_text) {
  BOOST_TEST(read("a: \x1b[2J\0b\n"s).problem.excerpt
             == "a: \xEF\xBF\xBD[2J\xEF\xBF\xBD"
                "b\n   ^");
  BOOST_TEST(read("\"\\e[2J\\0\\n\": 1\n").problem.message
             == "unknown key \xEF\xBF\xBD[2J\xEF\xBF\xBD\xE2\x80\xA6");
  BOOST_TEST(read(std::string(59, 'x') + "\xC3\xA4: 1\n").problem.message
             == "unknown key " + std::string(59, 'x') + "\xE2\x80\xA6");
  BOOST_TEST(read("\xC3\xA4\x80\xff: 1\n").problem.excerpt == "\xC3\xA4\xEF\xBF\xBD: 1\n ^");
}

BOOST_AUTO_TEST_CASE(long_lines_are_cut_around_the_place) {
  const auto got = read("a: " + std::string(500, 'x') + ": y\n");
  BOOST_TEST_REQUIRE(!got.ok);
  BOOST_TEST(got.problem.place.column == 504U);
  BOOST_TEST(got.problem.excerpt.size() < 350U);
  const auto caret = got.problem.excerpt.find('^');
  const auto newline = got.problem.excerpt.find('\n');
  BOOST_TEST(got.problem.excerpt[caret - newline - 1] == ':');
}

BOOST_AUTO_TEST_SUITE_END()
