#include "actors/service/apply_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

using namespace ebb;

namespace {

/// What is there, in memory.
class known_resources {
public:
  known_resources() {
    options.new_uid = [this] { return result<std::string>("uid-" + std::to_string(++uids)); };
    options.now = 5;
  }

  result<apply_plan> plan(const std::string& text) {
    return plan_apply(
        text, options,
        {[this](const std::string& name) { return find(streams, name); },
         [this](const std::string& name) { return find(topics, name); },
         [this](const std::string& uid) { return find(traits, uid); },
         [this](const std::string& path, const std::string& but) { return writer(path, but); }});
  }

  apply_plan apply(const std::string& text) {
    auto made = plan(text);
    BOOST_REQUIRE_MESSAGE(static_cast<bool>(made),
                          (made ? std::string{} : to_string(made.error())));
    for (const auto& x : made->changes.topics)
      topics[x.name] = x;
    for (const auto* all : {&made->changes.new_streams, &made->changes.changed_streams})
      for (const auto& x : *all)
        streams[x.name] = x;
    for (const auto& x : made->changes.traits)
      traits[x.uid] = x;
    return *std::move(made);
  }

  result<std::optional<std::string>> writer(const std::string& path, const std::string& but) {
    for (const auto& [name, x] : streams)
      if (x.uid != but && traits[x.uid].files == std::vector{path})
        return std::optional(name);
    return std::optional<std::string>{};
  }

  template <class T>
  static result<std::optional<T>> find(const std::map<std::string, T>& from,
                                       const std::string& name) {
    const auto found = from.find(name);
    return found == from.end() ? std::optional<T>{} : std::optional<T>(found->second);
  }

  apply_options options;
  std::map<std::string, stream_entry> streams;
  std::map<std::string, topic_entry> topics;
  std::map<std::string, life_traits> traits;
  int uids = 0;
};

std::string topic(const std::string& name, const std::string& spec) {
  return "---\napiVersion: ebb.dev/v1alpha1\nkind: Topic\nmetadata: {name: " + name + "}\nspec: {"
         + spec + "}\n";
}

std::string stream(const std::string& name, const std::string& from,
                   const std::string& sink = "topic: {name: out}",
                   const std::string& columns = "id BIGINT") {
  return "---\napiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: " + name
         + "}\nspec:\n  sources:\n    - name: s\n      schema: " + columns + "\n      " + from
         + "\n  sinks:\n    - " + sink + "\n";
}

const std::string two_topics = topic("in", "schema: id BIGINT") + topic("out", "schema: id BIGINT");

error refused(known_resources& x, const std::string& text, ec code) {
  const auto made = x.plan(text);
  BOOST_REQUIRE(!made);
  BOOST_CHECK_MESSAGE(made.error().code == code, to_string(made.error()));
  return made.error();
}

} // namespace

BOOST_AUTO_TEST_SUITE(applying)

BOOST_AUTO_TEST_CASE(the_same_text_changes_nothing) {
  known_resources x;
  const auto text = two_topics + stream("one", "topic: {name: in}");
  const auto first = x.apply(text);
  BOOST_REQUIRE(first.documents.size() == 3U);
  for (const auto& y : first.documents)
    BOOST_CHECK(y.action == apply_action::created);
  const auto again = x.apply(text);
  for (const auto& y : again.documents)
    BOOST_CHECK(y.action == apply_action::unchanged);
  BOOST_TEST(again.changes.topics.empty());
  BOOST_TEST(again.changes.changed_streams.empty());
  BOOST_TEST(again.changes.traits.empty());
}

BOOST_AUTO_TEST_CASE(a_stream_knows_its_topics) {
  known_resources x;
  x.apply(two_topics + stream("one", "topic: {name: in}"));
  const auto& traits = x.traits.at(x.streams.at("one").uid);
  BOOST_REQUIRE(traits.inputs.size() == 1U);
  BOOST_TEST(traits.inputs.front().topic == x.topics.at("in").uid);
  BOOST_TEST(traits.outputs.size() == 1U);
  BOOST_TEST(traits.cannot_wake.empty());
  BOOST_TEST(traits.definition == 1U);
}

BOOST_AUTO_TEST_CASE(a_change_keeps_the_uid_and_counts) {
  known_resources x;
  x.apply(two_topics + stream("one", "topic: {name: in}"));
  const auto before = x.streams.at("one");
  const auto changed = x.apply(stream("one", "topic: {name: in}", "discard: {}"));
  BOOST_CHECK(changed.documents.front().action == apply_action::configured);
  const auto& now = x.streams.at("one");
  BOOST_TEST(now.uid == before.uid);
  BOOST_TEST(now.revision == before.revision + 1);
  BOOST_TEST(x.traits.at(now.uid).definition == 2U);
  BOOST_TEST(x.traits.at(now.uid).outputs.empty());
}

BOOST_AUTO_TEST_CASE(documents_are_in_the_namespace_that_is_asked_for) {
  known_resources x;
  x.options.name_space = "team";
  const auto made = x.apply(two_topics + stream("one", "topic: {name: in}"));
  BOOST_TEST(x.streams.count("team.one") == 1U);
  BOOST_TEST(made.documents.back().name == "one");
  BOOST_TEST(made.documents.back().name_space == "team");
  // Another namespace does not see these topics.
  x.options.name_space = "other";
  refused(x, stream("one", "topic: {name: in}"), ec::invalid_argument);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused_with_its_place) {
  known_resources x;
  x.apply(two_topics);
  const auto missing = refused(x, stream("one", "topic: {name: inn}"), ec::invalid_argument);
  BOOST_TEST(missing.message == "there is no topic named inn");
  BOOST_TEST(missing.place.line > 0U);
  refused(x, stream("one", "topic: {name: in}", "topic: {name: nowhere}"), ec::invalid_argument);
  const auto type = refused(x, stream("one", "topic: {name: in}", "topic: {name: out}", "id TEXT"),
                            ec::invalid_argument);
  BOOST_TEST(type.message.find("is text here and bigint") != std::string::npos);
  const auto column =
      refused(x, stream("one", "topic: {name: in}", "topic: {name: out}", "nr BIGINT"),
              ec::invalid_argument);
  BOOST_TEST(column.message.find("nr") != std::string::npos);
  // One wrong document: nothing is planned.
  refused(x, topic("third", "schema: a TEXT") + stream("one", "topic: {name: inn}"),
          ec::invalid_argument);
  refused(x, topic("twice", "schema: a TEXT") + topic("twice", "schema: a TEXT"),
          ec::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_topic_keeps_its_schema) {
  known_resources x;
  x.apply(two_topics);
  const auto schema = refused(x, topic("in", "schema: id TEXT"), ec::conflict);
  BOOST_TEST(schema.message.find("schema") != std::string::npos);
  refused(x, topic("in", "schema: id BIGINT, partitions: 2"), ec::conflict);
  const auto retention = x.apply(topic("in", "schema: id BIGINT, retention: {time: 1h}"));
  BOOST_CHECK(retention.documents.front().action == apply_action::configured);
  BOOST_REQUIRE(retention.topics.size() == 1U);
  BOOST_TEST(retention.topics.front().retention_age == 3600 * micros_per_second);
}

BOOST_AUTO_TEST_CASE(files_lie_in_the_services_folder) {
  known_resources x;
  const auto file = [](const std::string& path) {
    return stream("one", "file: {path: '" + path + "', follow: true}", "discard: {}");
  };
  refused(x, file("a.ndjson"), ec::unsupported);
  x.options.files_folder = "/srv/files";
  x.apply(file("a.ndjson"));
  BOOST_TEST(x.traits.at(x.streams.at("one").uid).cannot_wake == "s");
  BOOST_TEST(x.streams.at("one").name == "one");
  x.apply(file("/srv/files/deep/a.ndjson"));
  for (const auto* path : {"../a.ndjson", "/etc/passwd", "x/../../a", "/srv/filesystem/a"})
    refused(x, file(path), ec::invalid_argument);
}

BOOST_AUTO_TEST_CASE(two_streams_do_not_write_one_file) {
  known_resources x;
  x.options.files_folder = "/srv/files";
  x.apply(two_topics + stream("one", "topic: {name: in}", "file: {path: out.ndjson}"));
  const auto taken = refused(
      x, stream("two", "topic: {name: in}", "file: {path: deep/../out.ndjson}"), ec::conflict);
  BOOST_TEST(taken.message == "stream one writes the file /srv/files/out.ndjson, too");
  refused(x,
          stream("three", "topic: {name: in}", "file: {path: new.ndjson}")
              + stream("four", "topic: {name: in}", "file: {path: new.ndjson}"),
          ec::conflict);
  // A stream may be changed and keep its file.
  x.apply(stream("one", "topic: {name: in}", "file: {path: out.ndjson}") + "  parallelism: 2\n");
}

BOOST_AUTO_TEST_CASE(state_that_does_not_fit_is_refused) {
  known_resources x;
  x.apply(two_topics + stream("one", "topic: {name: in}"));
  // As a run leaves it.
  x.streams.at("one").operators = {"hourly/aggregate"};
  x.streams.at("one").plan_fingerprint = "hourly/aggregate\tcount(*)\n";
  const auto lost = refused(x, stream("one", "topic: {name: in}", "discard: {}"), ec::conflict);
  BOOST_TEST(lost.message.find("hourly/aggregate") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
