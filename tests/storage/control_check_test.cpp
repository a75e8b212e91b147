// What a control database says of itself: entries that do not fit together are found.

#include "schemas/control_codec.hpp"
#include "storage/control_db.hpp"
#include "storage/control_keys.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <functional>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

stream_entry stream_named(const std::string& name, const std::string& uid) {
  stream_entry x;
  x.uid = uid;
  x.name = name;
  return x;
}

checkpoint_record record_of(const std::string& uid, std::uint64_t epoch) {
  checkpoint_record x;
  x.uid = uid;
  x.epoch = epoch;
  x.generation = 1;
  return x;
}

/// A stream with a topic, two records, a savepoint, a token, a life and an event; one deleted.
void fill(const std::string& folder) {
  auto db = value_of(control_db::open(folder));
  service_changes first;
  first.new_streams = {stream_named("a", "uid-a"), stream_named("gone", "uid-gone")};
  first.topics = {{"topic-1", "clicks", "kind: Topic\n", 5, 1}};
  life_traits traits;
  traits.uid = "uid-a";
  traits.inputs = {{"clicks", "topic-1"}};
  traits.outputs = {"topic-1"};
  first.traits = {traits};
  life_record life;
  life.uid = "uid-a";
  first.lives = {life};
  require(db.change(first));
  BOOST_REQUIRE(value_of(db.begin_generation("uid-a")) == 1);
  value_of(db.reserve_epochs("uid-a", 1, 100));
  for (const std::uint64_t epoch : {1, 2})
    require(db.commit({record_of("uid-a", epoch), 1, {}, 3}));
  value_of(db.name_newest("uid-a", "before"));
  const sink_token token{"out", 0, 2, 0};
  require(db.set_tokens("uid-a", 1, {&token, 1}));
  const told_event event{"uid-a", "log", "text"};
  require(db.add_events({&event, 1}));
  value_of(db.begin_incarnation());
  require(db.delete_stream("gone"));
}

using change = std::function<void(control_transaction&)>;

/// The problems after a change behind the database's back.
std::vector<std::string> problems_after(const change& what) {
  temporary_folder folder;
  fill(folder.path());
  {
    auto store =
        value_of(control_store::open(folder.path(), value_of(folder_lock::acquire(folder.path()))));
    auto in = value_of(store->begin_write());
    what(in);
    require(in.commit("test"));
  }
  auto db = value_of(control_db::open_read_only(folder.path()));
  return value_of(db.check()).problems;
}

} // namespace

BOOST_AUTO_TEST_SUITE(control_checks)

BOOST_AUTO_TEST_CASE(what_fits_has_no_problems) {
  temporary_folder folder;
  fill(folder.path());
  auto db = value_of(control_db::open(folder.path()));
  const auto found = value_of(db.check());
  BOOST_TEST(found.problems.empty());
  BOOST_TEST(found.entries == 13U);
  BOOST_TEST((found.streams == std::set<std::string>{"uid-a", "uid-gone"}));
  BOOST_TEST((found.topics == std::set<std::string>{"topic-1"}));
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_said) {
  using enum control_table;

  struct row {
    change what;
    std::vector<std::string> said;
  };

  const auto put = [](control_table table, std::string key, std::string value) {
    return [=](control_transaction& in) { require(in.put(table, key, value)); };
  };
  const auto erase = [](control_table table, std::string key) {
    return [=](control_transaction& in) { require(in.erase(table, key)); };
  };
  auto early = record_of("uid-a", 3);
  early.outputs = {{"out", 0, 4, "", 0, {}, "", 0, 0}};
  auto newer = record_of("uid-a", 3);
  newer.generation = 2;
  const std::vector<row> rows = {
      {erase(names, "a"), {"stream a cannot be found by its name"}},
      {put(names, "b", "uid-a"), {"name b stands for stream a"}},
      {put(names, "b", "uid-x"), {"name b of a stream that does not exist (uid-x)"}},
      {put(names, "gone", "uid-gone"), {"name gone of a stream that does not exist (uid-gone)"}},
      {put(streams, "uid-b", encode(stream_named("b", "uid-c"))),
       {"stream b lies under another uid", "stream b cannot be found by its name"}},
      {put(streams, "uid-b", "no stream"), {"a stream cannot be read: "}},
      {put(topics, "views", encode(topic_entry{"topic-1", "views", "", 0, 1})),
       {"topic views has the uid of another one"}},
      {put(topics, "views", encode(topic_entry{"topic-2", "other", "", 0, 1})),
       {"topic other lies under another name"}},
      {erase(topics, "clicks"),
       {"stream a uses a topic that does not exist (topic-1)",
        "stream a uses a topic that does not exist (topic-1)"}},
      {put(records, record_key("uid-x", 1), encode(record_of("uid-x", 1))),
       {"checkpoint 1 of a stream that does not exist (uid-x)"}},
      {put(records, record_key("uid-a", 3), encode(record_of("uid-b", 3))),
       {"checkpoint 3 of stream a is another stream's"}},
      {put(records, record_key("uid-a", 4), encode(record_of("uid-a", 3))),
       {"checkpoint 3 lies under another number"}},
      {put(records, record_key("uid-a", 500), encode(record_of("uid-a", 500))),
       {"checkpoint 500 of stream a is newer than the stream"}},
      {put(records, record_key("uid-a", 3), encode(newer)),
       {"checkpoint 3 of stream a is newer than the stream"}},
      {put(records, record_key("uid-a", 3), encode(early)),
       {"checkpoint 3 of stream a lists output of a later epoch"}},
      {put(savepoints, savepoint_key("uid-a", "x"), encode(savepoint_entry{"y", 0, early})),
       {"savepoint y lies under another name",
        "savepoint y of stream a lists output of a later epoch"}},
      {put(tokens, token_key("uid-a", "out", 1), encode(sink_token{"out", 1, 500, 0})),
       {"the token of sink out of stream a is newer than the stream"}},
      {put(lives, "uid-x", encode(life_record{})),
       {"the life of a stream lies under another uid",
        "the life of a stream that does not exist (uid-x)"}},
      {put(traits, "uid-gone", encode(life_traits{})),
       {"what is known of a stream that does not exist (uid-gone)"}},
      {put(events, event_key("uid-x", "log", 0), "text"),
       {"events of a stream that does not exist (uid-x)"}},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto said = problems_after(rows[i].what);
    BOOST_TEST_CONTEXT("row " << i) {
      BOOST_TEST_REQUIRE(said.size() == rows[i].said.size(), (said.empty() ? "" : said[0]));
      for (std::size_t k = 0; k < said.size(); ++k)
        BOOST_TEST(said[k].starts_with(rows[i].said[k]), said[k]);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_start_sweeps_events_of_nobody) {
  temporary_folder folder;
  fill(folder.path());
  {
    auto store =
        value_of(control_store::open(folder.path(), value_of(folder_lock::acquire(folder.path()))));
    auto in = value_of(store->begin_write());
    // As versions left it that did not sweep.
    require(in.erase(control_table::events, event_key({}, "swept", 0)));
    require(in.put(control_table::events, event_key("uid-x", "wakes", 0), "text"));
    require(in.put(control_table::events, event_key("uid-x", "log", 7), "text"));
    require(in.commit("test"));
  }
  auto db = value_of(control_db::open(folder.path()));
  BOOST_TEST(value_of(db.check()).problems.size() == 1U);
  BOOST_TEST(value_of(db.begin_incarnation()) == 2U);
  BOOST_TEST(value_of(db.check()).problems.empty());
  BOOST_TEST(value_of(db.events("uid-a", "log", 10)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(folders_of_nothing_are_left_over) {
  temporary_folder folder;
  fill(folder.path());
  for (const char* x : {"streams/uid-a", "streams/uid-gone", "streams/uid-x", "topics/topic-1",
                        "topics/uid-a", "streams/was"})
    std::filesystem::create_directories(folder.path() + '/' + x);
  const auto folders = folders_of(folder.path());
  BOOST_TEST(folders.size() == 6U);
  std::filesystem::remove(folder.path() + "/streams/was");
  auto db = value_of(control_db::open_read_only(folder.path()));
  const auto left = left_over(folder.path(), folders, value_of(db.check()));
  BOOST_TEST(left == (std::vector<std::string>{"streams/uid-x", "topics/uid-a"}),
             boost::test_tools::per_element());
  BOOST_TEST(folders_of(folder.path() + "/nothing").empty());
}

BOOST_AUTO_TEST_SUITE_END()
