#include "actors/plan/manifest.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

struct outcome {
  ebb::manifest_documents documents;
  std::vector<ebb::error> warnings;
  ebb::error problem;
  bool ok = false;
};

outcome read(const std::string& text) {
  outcome out;
  auto parsed = ebb::parse_documents(text, "dir/a.yaml", out.warnings);
  out.ok = static_cast<bool>(parsed);
  if (parsed)
    out.documents = *std::move(parsed);
  else
    out.problem = std::move(parsed).error();
  return out;
}

/// A Topic whose spec has the given keys, in line 4 from column 8.
std::string topic(const std::string& spec) {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Topic\nmetadata: {name: t}\nspec: {" + spec + "}\n";
}

/// A Stream with the given lines under `spec:`, the first of which is line 5.
std::string stream(const std::string& spec) {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: a}\nspec:\n" + spec;
}

/// With a source `topic`, whose further keys are given, in line 6 from column 7.
std::string reading(const std::string& keys) {
  return stream("  sources:\n    - {name: s, schema: a BIGINT, " + keys + "}\n");
}

} // namespace

BOOST_AUTO_TEST_CASE(a_topic_with_every_field) {
  const auto got =
      read(topic("schema: 'Id BIGINT NOT NULL, at TIMESTAMP', partitions: 1024, key: Id,"
                 " retention: {time: 1h, size: 64Mi}, quota: {size: 1Gi}, format: json"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST_REQUIRE(got.documents.topics.size() == 1U);
  const auto& x = got.documents.topics[0];
  BOOST_TEST(x.name == "t");
  BOOST_TEST(x.name_space == "default");
  BOOST_TEST_REQUIRE(x.columns.size() == 2U);
  BOOST_TEST(x.columns[0].name == "id");
  BOOST_TEST(x.columns[0].not_null);
  BOOST_TEST(x.partitions == 1'024U);
  BOOST_TEST(x.key == "id");
  BOOST_TEST(x.retention_age == 3'600 * ebb::micros_per_second);
  BOOST_TEST(x.retention_bytes == std::uint64_t{64} << 20);
  BOOST_TEST(x.quota_bytes == std::uint64_t{1} << 30);
  BOOST_TEST(x.place.line == 1U);
}

BOOST_AUTO_TEST_CASE(a_topic_with_what_it_must_have) {
  const auto got = read(topic("schema: a TEXT"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  const auto& x = got.documents.topics[0];
  BOOST_TEST(x.partitions == 1U);
  BOOST_TEST(x.key.empty());
  BOOST_TEST(x.retention_age == 7 * ebb::micros_per_day);
  BOOST_TEST(x.retention_bytes == std::uint64_t{1} << 30);
  BOOST_TEST(x.quota_bytes == 0U);
  BOOST_TEST((x.format == ebb::record_format::json));
}

BOOST_AUTO_TEST_CASE(topics_of_changes) {
  const auto got = read(topic("schema: 'id BIGINT, place TEXT, PRIMARY KEY (id)', key: id,"
                              " partitions: 4, format: debezium"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  const auto& x = got.documents.topics[0];
  BOOST_TEST((x.format == ebb::record_format::debezium));
  BOOST_TEST(x.primary_key == std::vector<std::string>{"id"}, boost::test_tools::per_element());
  BOOST_TEST(x.columns[0].not_null);
  const auto used = read(stream(R"yaml(  sources:
    - {name: s, schema: a BIGINT, topic: {name: t, format: debezium}}
    - {name: r, schema: a BIGINT, topic: {name: t}}
  sinks:
    - {from: s, topic: {name: u, format: debezium}}
    - {from: s, topic: {name: v, format: json}}
)yaml"));
  BOOST_TEST_REQUIRE(used.ok, ebb::to_string(used.problem));
  const auto& made = used.documents.streams[0];
  const auto reads = [&](std::size_t i) {
    return std::get<ebb::topic_source>(made.sources[i].connector).format;
  };
  const auto writes = [&](std::size_t i) {
    return std::get<ebb::topic_sink>(made.sinks[i].connector).format;
  };
  BOOST_TEST((reads(0) == ebb::record_format::debezium));
  BOOST_TEST((reads(1) == ebb::record_format::json));
  BOOST_TEST((writes(0) == ebb::record_format::debezium));
  BOOST_TEST((writes(1) == ebb::record_format::json));
}

BOOST_AUTO_TEST_CASE(errors_of_topics) {
  struct bad {
    std::string text;
    std::uint32_t line, column;
    std::string field, message, hint;
    ebb::ec code = ebb::ec::invalid_argument;
  };

  const std::vector<bad> rows = {
      {"apiVersion: ebb.dev/v1alpha1\nkind: Topic\nmetadata: {name: t}\n", 1, 1, "spec",
       "spec is missing", "schema"},
      {topic("partitions: 2"), 4, 7, "spec.schema", "schema is missing", "schema: id BIGINT"},
      {topic("schema: a BIGINT, shema: 1"), 4, 26, "spec.shema", "unknown key shema",
       "did you mean schema?"},
      {topic("schema: a BIGNT"), 4, 18, "spec.schema", "type \"bignt\" does not exist", ""},
      {topic("schema: 'a BIGINT, PRIMARY KEY (a)'"), 4, 16, "spec.schema",
       "a topic of single rows has no PRIMARY KEY", "debezium", ebb::ec::unsupported},
      {topic("schema: a BIGINT, partitions: 0"), 4, 38, "spec.partitions",
       "expected a whole number from 1 to 1024, found the number 0", ""},
      {topic("schema: a BIGINT, partitions: 1025"), 4, 38, "spec.partitions",
       "expected a whole number from 1 to 1024, found the number 1025", ""},
      {topic("schema: account BIGINT, key: acount"), 4, 37, "spec.key",
       "the schema has no column acount", "did you mean account?"},
      {topic("schema: a BIGINT, retention: {time: soon}"), 4, 44, "spec.retention.time",
       "expected a duration such as 250ms, 10s, 5m, 1h or 7d, found \"soon\"", ""},
      {topic("schema: a BIGINT, retention: {size: 1Ki}"), 4, 44, "spec.retention.size",
       "a topic keeps at least 1Mi", "1Gi"},
      {topic("schema: a BIGINT, quota: {size: 1Ki}"), 4, 40, "spec.quota.size",
       "a topic may hold at least 1Mi", "write size: 4Gi"},
      {topic("schema: a BIGINT, quota: {}"), 4, 33, "spec.quota.size", "size is missing",
       "quota: {size: 4Gi}"},
      {topic("schema: a BIGINT, retention: {age: 1d}"), 4, 38, "spec.retention.age",
       "unknown key age", "time or size"},
      {topic("schema: a BIGINT, format: debezium, partitions: 2"), 4, 56, "spec.partitions",
       "a topic of changes with several partitions needs a PRIMARY KEY in its schema",
       "PRIMARY KEY (column)"},
      {topic("schema: 'a BIGINT, PRIMARY KEY (a)', format: debezium, partitions: 2"), 4, 75,
       "spec.partitions", "a topic of changes with several partitions needs a key", "key: a"},
      {topic("schema: 'a BIGINT, b TEXT, PRIMARY KEY (a)', format: debezium, partitions: 2, "
             "key: b"),
       4, 91, "spec.key",
       "the key of a topic of changes is a column of its PRIMARY KEY, and b is not", "key: a"},
      {topic("schema: a BIGINT, format: csv"), 4, 34, "spec.format",
       "expected json or debezium, found \"csv\"", ""},
      {topic("schema: a BIGINT") + "---\n" + topic("schema: a BIGINT"), 8, 18, "metadata.name",
       "two topics named t", "line 3"},
      {"apiVersion: ebb.dev/v1alpha1\nkind: Function\nmetadata: {name: f}\n", 2, 7, "kind",
       "kind Function is not available in this version", "sql", ebb::ec::unsupported},
      {"# nothing\n", 0, 0, "", "the file has no document", "kind: Stream"},
      {reading("topic: {}"), 6, 42, "spec.sources[0].topic.name", "name is missing",
       "name: clicks"},
      {reading("topic: {name: A}"), 6, 49, "spec.sources[0].topic.name",
       "expected a name of lower-case letters, digits and -, found \"A\"", ""},
      {reading("topic: {name: a.b}"), 6, 49, "spec.sources[0].topic.name",
       "expected a name of lower-case letters, digits and -, found \"a.b\"", ""},
      {reading("topic: {name: t, format: csv}"), 6, 60, "spec.sources[0].topic.format",
       "expected json or debezium, found \"csv\"", "json or debezium"},
      {reading("topic: {name: t, from: last}"), 6, 58, "spec.sources[0].topic.from",
       "expected earliest or latest, found \"last\"", "earliest or latest"},
      {reading("topic: {name: t}, timestampUnit: s"), 6, 68, "spec.sources[0].timestampUnit",
       "timestampUnit is not for topics: their rows have types already", ""},
      {reading("topic: {name: t}, onBadRecord: quarantine"), 6, 66, "spec.sources[0].onBadRecord",
       "rows of a topic cannot be put into quarantine", "skip", ebb::ec::unsupported},
      {stream("  sources:\n    - {name: s, topic: {name: t}}\n"), 6, 7, "spec.sources[0].schema",
       "schema is missing", "id BIGINT"},
      {stream("  sources: [{name: s, nexmark: {table: bid}}]\n  sinks: [{topic: {nam: t}}]\n"), 6,
       20, "spec.sinks[0].topic.nam", "unknown key nam", "did you mean name?"},
      {stream("  sources: [{name: s, nexmark: {table: bid}}]\n  sleep: {whenIdle: advnce}\n"), 6,
       21, "spec.sleep.whenIdle", "expected hold or advance, found \"advnce\"",
       "did you mean advance?"},
      {stream("  sources: [{name: s, nexmark: {table: bid}}]\n  sleep: {idleAfter: 0s}\n"), 6, 22,
       "spec.sleep.idleAfter", "expected a duration above 0, found \"0s\"", ""},
  };
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
      BOOST_TEST((got.problem.code == row.code));
    }
  }
}

BOOST_AUTO_TEST_CASE(streams_over_topics) {
  const auto got = read(R"yaml(
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: pass, namespace: web}
spec:
  sources:
    - name: s
      schema: a BIGINT
      onBadRecord: skip
      topic: {name: clicks, from: latest}
    - {name: t, schema: a BIGINT, topic: {name: others}}
  sinks:
    - {from: s, topic: {name: result}}
    - {from: t, topic: {name: clicks}}
  sleep: {idleAfter: 250ms}
)yaml");
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  const auto& x = got.documents.streams.at(0);
  BOOST_TEST(x.name == "web.pass");
  BOOST_TEST(x.name_space == "web");
  BOOST_TEST(std::get<ebb::topic_source>(x.sources[0].connector).name == "clicks");
  BOOST_TEST(std::get<ebb::topic_source>(x.sources[0].connector).latest);
  BOOST_TEST(!std::get<ebb::topic_source>(x.sources[1].connector).latest);
  BOOST_TEST(std::get<ebb::topic_sink>(x.sinks[0].connector).name == "result");
  BOOST_TEST(x.sleep.idle_after.value() == 250'000);
  BOOST_TEST(x.sleep.advance_after == 5 * ebb::micros_per_second);
  BOOST_TEST_REQUIRE(got.warnings.size() == 1U);
  BOOST_TEST(
      got.warnings[0].message
      == "sink sink-2 writes topic clicks, which source s reads: rows may go round for ever");
  BOOST_TEST(got.warnings[0].place.line == 14U);
}

BOOST_AUTO_TEST_CASE(a_stream_sleeps_after_a_minute_unless_told) {
  const auto got = read(stream("  sources: [{name: s, nexmark: {table: bid}}]\n"));
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST(got.documents.streams[0].sleep.idle_after.value() == 60 * ebb::micros_per_second);
  BOOST_TEST(!got.documents.streams[0].sleep.advance);
  BOOST_TEST(got.documents.streams[0].name_space == "default");
  BOOST_TEST(got.documents.streams[0].name == "a");
}

BOOST_AUTO_TEST_CASE(one_name_in_two_namespaces_and_kinds) {
  const std::string head = "---\napiVersion: ebb.dev/v1alpha1\nkind: ";
  const auto got =
      read(head + "Topic\nmetadata: {name: a}\nspec: {schema: a BIGINT}\n" + head
           + "Topic\nmetadata: {name: a, namespace: b}\nspec: {schema: a BIGINT}\n" + head
           + "Stream\nmetadata: {name: a, namespace: default}\n"
             "spec: {sources: [{name: s, nexmark: {table: bid}}]}\n");
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST_REQUIRE(got.documents.topics.size() == 2U);
  BOOST_TEST(got.documents.topics[1].name == "b.a");
  BOOST_TEST(got.documents.streams.at(0).name == "a");
}

// What the service keeps of a document is a manifest with the same meaning.
BOOST_AUTO_TEST_CASE(each_document_has_its_text) {
  const auto got = read(R"yaml(# before
--- # marker
# about a
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: a}
spec:
  schema: |
    a BIGINT -- not a marker:
    , b TEXT

...

--- {apiVersion: ebb.dev/v1alpha1, kind: Topic, metadata: {name: b},
  spec: {schema: "b BIGINT,
  c TEXT"}}
---
---
{"apiVersion": "ebb.dev/v1alpha1", "kind": "Stream", "metadata": {"name": "c"},
 "spec": {"sources": [{"name": "s", "nexmark": {"table": "bid"}}]}})yaml");
  BOOST_TEST_REQUIRE(got.ok, ebb::to_string(got.problem));
  BOOST_TEST_REQUIRE(got.documents.topics.size() == 2U);
  BOOST_TEST(got.documents.topics[0].text
             == " # marker\n# about a\napiVersion: ebb.dev/v1alpha1\nkind: Topic\nmetadata: {name: "
                "a}\nspec:\n  schema: |\n    a BIGINT -- not a marker:\n    , b TEXT\n");
  BOOST_TEST(got.documents.topics[1].text.starts_with(" {apiVersion"));
  BOOST_TEST(got.documents.streams.at(0).text.starts_with("{\"apiVersion"));
  for (const auto& x : got.documents.topics) {
    const auto again = read(x.text);
    BOOST_TEST_REQUIRE(again.ok, ebb::to_string(again.problem));
    BOOST_TEST(again.documents.topics.at(0).name == x.name);
    BOOST_TEST((again.documents.topics[0].columns == x.columns));
    BOOST_TEST(again.documents.topics[0].text.size() == x.text.size());
  }
  BOOST_TEST(read(got.documents.streams[0].text).ok);
}

BOOST_AUTO_TEST_CASE(a_run_without_the_service_has_no_topics) {
  std::vector<ebb::error> warnings;
  const auto got = ebb::parse_manifest(topic("schema: a BIGINT"), "a.yaml", warnings);
  BOOST_TEST_REQUIRE(!got);
  BOOST_TEST((got.error().code == ebb::ec::unsupported));
  BOOST_TEST(got.error().message == "topic t: topics need the service");
  BOOST_TEST(got.error().place.line == 2U);
}
