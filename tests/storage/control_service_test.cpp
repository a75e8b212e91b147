#include "storage/control_db.hpp"

#include <boost/test/unit_test.hpp>

#include "storage_support.hpp"

using namespace ebb;
using namespace storage_test;

namespace {

stream_entry stream_named(const std::string& name, const std::string& uid) {
  stream_entry x;
  x.uid = uid;
  x.name = name;
  x.manifest = "kind: Stream\n# " + name;
  x.created = 1'700'000'000'000'000;
  x.revision = 1;
  return x;
}

topic_entry topic_named(const std::string& name, const std::string& uid) {
  return {uid, name, "kind: Topic\n", 5, 1};
}

life_record life_of(const std::string& uid) {
  return {uid,
          4,
          15,
          3,
          true,
          -7,
          99,
          UINT64_MAX,
          12,
          3,
          5,
          1,
          "no messages for 60 s",
          "nothing to do"};
}

life_traits traits_of(const std::string& uid) {
  return {uid,         60,
          "files",     4,
          2,           {{"clicks", "topic-1"}, {"views", "topic-2"}},
          {"topic-3"}, {"/srv/out.ndjson"}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(control_service)

BOOST_AUTO_TEST_CASE(changes_are_made_together_and_survive) {
  temporary_folder folder;
  {
    auto db = value_of(control_db::open(folder.path()));
    service_changes first;
    first.new_streams = {stream_named("a", "uid-a"), stream_named("team.b", "uid-b")};
    first.topics = {topic_named("clicks", "topic-1")};
    first.lives = {life_of("uid-a")};
    first.traits = {traits_of("uid-a")};
    require(db.change(first));
    // One name is taken: nothing of it happens.
    service_changes second;
    second.topics = {topic_named("other", "topic-2")};
    second.new_streams = {stream_named("c", "uid-c"), stream_named("a", "uid-d")};
    const auto refused = db.change(second);
    BOOST_REQUIRE(!refused);
    BOOST_CHECK(refused.error().code == ec::conflict);
  }
  auto db = value_of(control_db::open(folder.path()));
  BOOST_TEST(value_of(db.streams()).size() == 2U);
  BOOST_CHECK(value_of(db.topics()) == std::vector{topic_named("clicks", "topic-1")});
  BOOST_CHECK(value_of(db.lives()) == std::vector{life_of("uid-a")});
  BOOST_CHECK(value_of(db.traits()) == std::vector{traits_of("uid-a")});
  BOOST_TEST(value_of(db.find_stream("a"))->created == 1'700'000'000'000'000);

  service_changes third;
  auto changed = stream_named("a", "uid-a");
  changed.manifest = "other";
  changed.revision = 2;
  changed.generation = 99; // is the runner's business
  third.changed_streams = {changed};
  third.deleted_streams = {"team.b"};
  third.deleted_topics = {"clicks"};
  require(db.change(third));
  const auto now = *value_of(db.find_stream("a"));
  BOOST_TEST(now.manifest == "other");
  BOOST_TEST(now.revision == 2U);
  BOOST_TEST(now.generation == 0U);
  BOOST_TEST(!value_of(db.find_stream("team.b")).has_value());
  BOOST_TEST(value_of(db.topics()).empty());
}

BOOST_AUTO_TEST_CASE(a_deleted_stream_leaves_no_life_and_no_events) {
  temporary_folder folder;
  auto db = value_of(control_db::open(folder.path()));
  service_changes made;
  made.new_streams = {stream_named("a", "uid-a")};
  require(db.change(made));
  require(db.put_life(life_of("uid-a")));
  require(db.add_events(std::vector<told_event>{{"uid-a", "wakes", "one"}}));
  require(db.delete_stream("a"));
  BOOST_TEST(value_of(db.lives()).empty());
  BOOST_TEST(value_of(db.events("uid-a", "wakes", 10)).empty());
  BOOST_TEST(!static_cast<bool>(db.put_life(life_of("uid-a"))));
  BOOST_TEST(!static_cast<bool>(db.put_life(life_of("nobody"))));
  // What comes late belongs to nobody.
  require(db.add_events(std::vector<told_event>{{"uid-a", "wakes", "two"}}));
  require(db.forget_stream("uid-a"));
  require(db.add_events(std::vector<told_event>{{"uid-a", "wakes", "three"}}));
  BOOST_TEST(value_of(db.events("uid-a", "wakes", 10)).empty());
  BOOST_TEST(value_of(db.check()).problems.empty());
}

BOOST_AUTO_TEST_CASE(the_newest_events_are_kept_by_kind) {
  temporary_folder folder;
  auto db = value_of(control_db::open(folder.path()));
  service_changes made;
  made.new_streams = {stream_named("a", "uid")};
  require(db.change(made));
  std::vector<told_event> all;
  for (int i = 0; i < 300; ++i)
    all.push_back({"uid", "wakes", "wake " + std::to_string(i)});
  all.push_back({"uid", "wake", "another kind"});
  require(db.add_events(all));
  const auto newest = value_of(db.events("uid", "wakes", 2));
  BOOST_TEST(newest == (std::vector<std::string>{"wake 299", "wake 298"}),
             boost::test_tools::per_element());
  const auto kept = value_of(db.events("uid", "wakes", 1000));
  BOOST_TEST(kept.size() == told_events_kept);
  BOOST_TEST(kept.back() == "wake 100");
  BOOST_TEST(value_of(db.events("uid", "wake", 1000)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_newest_record_gets_a_name) {
  temporary_folder folder;
  auto db = value_of(control_db::open(folder.path()));
  service_changes made;
  made.new_streams = {stream_named("a", "uid-a")};
  require(db.change(made));
  BOOST_CHECK(db.name_newest("uid-a", "before").error().code == ec::not_found);
  const auto generation = value_of(db.begin_generation("uid-a"));
  const auto epoch = value_of(db.reserve_epochs("uid-a", generation, 10));
  commit_request request;
  request.record.uid = "uid-a";
  request.record.epoch = epoch + 3;
  request.record.generation = generation;
  request.generation = generation;
  require(db.commit(request));
  BOOST_TEST(value_of(db.name_newest("uid-a", "before")) == epoch + 3);
  BOOST_CHECK(db.name_newest("uid-a", "before").error().code == ec::conflict);
  BOOST_TEST(value_of(db.savepoint("uid-a", "before"))->record.epoch == epoch + 3);
}

BOOST_AUTO_TEST_CASE(a_wish_to_restore_stays_until_the_rewinding) {
  temporary_folder folder;
  {
    auto db = value_of(control_db::open(folder.path()));
    service_changes made;
    made.new_streams = {stream_named("a", "uid-a"), stream_named("b", "uid-b")};
    require(db.change(made));
    require(db.keep_restore({"uid-a", "first", 1}));
    require(db.keep_restore({"uid-a", "second", 2}));
    require(db.keep_restore({"uid-b", "other", 0}));
    BOOST_TEST(!static_cast<bool>(db.keep_restore({"nobody", "x", 0})));
  }
  auto db = value_of(control_db::open(folder.path()));
  BOOST_CHECK(value_of(db.find_restore("uid-a"))
              == std::optional(kept_restore{"uid-a", "second", 2}));
  BOOST_TEST(value_of(db.restores()).size() == 2U);
  // It is no event of a stream, and incarnations are no wishes.
  BOOST_TEST(value_of(db.events("uid-a", "restore", 10)).empty());
  BOOST_TEST(value_of(db.begin_incarnation()) == 1U);
  BOOST_TEST(value_of(db.restores()).size() == 2U);
  const auto generation = value_of(db.begin_generation("uid-a"));
  checkpoint_record record;
  record.uid = "uid-a";
  record.epoch = value_of(db.reserve_epochs("uid-a", generation, 1));
  // A start that is fenced off takes nothing away.
  BOOST_TEST(!static_cast<bool>(db.rewind(record, generation - 1, {})));
  BOOST_TEST(value_of(db.find_restore("uid-a")).has_value());
  require(db.rewind(record, generation, {}));
  BOOST_TEST(!value_of(db.find_restore("uid-a")).has_value());
  require(db.delete_stream("b"));
  BOOST_TEST(value_of(db.restores()).empty());
  require(db.keep_restore({"uid-a", "third", 0}));
  require(db.drop_restore("uid-a"));
  require(db.drop_restore("uid-a"));
  BOOST_TEST(value_of(db.restores()).empty());
}

BOOST_AUTO_TEST_CASE(names_of_streams_are_read_alone) {
  temporary_folder folder;
  auto db = value_of(control_db::open(folder.path()));
  BOOST_TEST(value_of(db.stream_names()).empty());
  service_changes made;
  made.new_streams = {stream_named("b", "uid-1"), stream_named("a", "uid-2"),
                      stream_named("c", "uid-3")};
  require(db.change(made));
  require(db.delete_stream("c"));
  const std::vector<std::pair<std::string, std::string>> expected{{"a", "uid-2"}, {"b", "uid-1"}};
  BOOST_CHECK(value_of(db.stream_names()) == expected);
  // What is read again comes back.
  db.let_go_of_pages();
  BOOST_CHECK(value_of(db.stream_names()) == expected);
}

BOOST_AUTO_TEST_CASE(it_is_known_who_writes_a_file) {
  temporary_folder folder;
  auto db = value_of(control_db::open(folder.path()));
  service_changes made;
  made.new_streams = {stream_named("a", "uid-a")};
  made.traits = {traits_of("uid-a")};
  require(db.change(made));
  const auto named = [](const char* path) {
    return [path](const std::string& x) { return x == path; };
  };
  BOOST_TEST(value_of(db.writer_of_file(named("/srv/out.ndjson"), "uid-b")).value_or("") == "a");
  BOOST_TEST(!value_of(db.writer_of_file(named("/srv/out.ndjson"), "uid-a")).has_value());
  BOOST_TEST(!value_of(db.writer_of_file(named("/srv/other"), "uid-b")).has_value());
}

BOOST_AUTO_TEST_CASE(incarnations_only_grow) {
  temporary_folder folder;
  for (std::uint64_t expected = 1; expected < 4; ++expected) {
    auto db = value_of(control_db::open(folder.path()));
    BOOST_TEST(value_of(db.begin_incarnation()) == expected);
  }
}

BOOST_AUTO_TEST_CASE(it_is_known_whether_the_last_service_has_ended) {
  temporary_folder folder;
  auto db = value_of(control_db::open(folder.path()));
  auto number = value_of(db.begin_incarnation());
  BOOST_TEST(!value_of(db.follows_an_end(number)));
  require(db.end_incarnation(number));
  number = value_of(db.begin_incarnation());
  BOOST_TEST(value_of(db.follows_an_end(number)));
  // This one is killed.
  number = value_of(db.begin_incarnation());
  BOOST_TEST(!value_of(db.follows_an_end(number)));
  BOOST_TEST(value_of(db.check()).problems.empty());
}

BOOST_AUTO_TEST_SUITE_END()
