// Topics of changes: what their logs hold, and the streams that write and read them.

#include "actors/connectors/change_fold.hpp"
#include "actors/connectors/topic_changes.hpp"
#include "actors/connectors/topic_partitions.hpp"
#include "tests/connectors/topics_support.hpp"

#include <boost/test/unit_test.hpp>

namespace ebb {
namespace {

using test::column_of;
using test::require;
using texts = std::vector<std::string>;
using unique_key = std::optional<std::vector<std::uint32_t>>;

const schema stock = {column_of("id", type_kind::bigint, true),
                      column_of("place", type_kind::text)};

struct row {
  std::int32_t weight = 1;
  std::int64_t id = 0;
  const char* place = nullptr;
};

batch_ptr rows_of(const std::vector<row>& rows, bool weighted = true) {
  auto x = std::make_shared<batch>();
  x->rows = static_cast<std::uint32_t>(rows.size());
  auto ids = make_column(sql_type{type_kind::bigint}, x->rows);
  text_builder places(sql_type{type_kind::text}, x->rows);
  if (weighted)
    x->weights = buffer_ptr::of<std::int32_t>(x->rows);
  for (std::uint32_t i = 0; i < x->rows; ++i) {
    if (weighted)
      x->weights.as<std::int32_t>()[i] = rows[i].weight;
    ids.mutable_data<std::int64_t>()[i] = rows[i].id;
    if (rows[i].place == nullptr)
      places.append_null();
    else
      places.append(rows[i].place);
  }
  x->columns = {std::move(ids), places.take()};
  return x;
}

/// `-1 berlin`, `+2 NULL`.
texts shown_rows(const batch& x) {
  texts all;
  const auto* weights = x.weights.as<const std::int32_t>();
  for (std::uint32_t i = 0; i < x.rows; ++i)
    all.push_back((x.weights && weights[i] < 0 ? "-" : "+")
                  + std::to_string(x.columns[0].data<std::int64_t>()[i]) + ' '
                  + (x.columns[1].is_null(i) ? "NULL" : std::string(x.columns[1].text_of(i))));
  return all;
}

texts shown_messages(const std::vector<batch_ptr>& all, const texts& key = {}) {
  output_buffer out;
  const auto writer = make_change_message_writer(stock, key);
  for (const auto& x : all)
    require(writer->write(*x, out));
  std::string text;
  for (auto block = out.pop(true); block.size != 0; block = out.pop(true))
    text.append(block.memory.as<char>(), block.size);
  texts made;
  while (!text.empty()) {
    made.push_back(text.substr(0, text.find('\n')));
    text.erase(0, made.back().size() + 1);
  }
  return made;
}

batch_ptr messages(const std::vector<row>& rows, unique_key key = {}) {
  change_fold fold(2, std::move(key));
  const auto from = rows_of(rows);
  return messages_of(*from, fold.of(*from));
}

struct fixture {
  test::temporary_folder folder;
  test::local_topics topics{folder.path()};
  test::manual_executor io;

  connector_context context(bool updating = false, unique_key key = {}) {
    connector_context x;
    x.io = &io;
    x.wake = [] {};
    x.stream = "s";
    x.stream_uid = "u";
    x.updating = updating;
    x.unique_key = std::move(key);
    return x;
  }

  static source_definition source_named(const texts& key, record_format format) {
    auto x = test::topic_source_named("t", stock);
    x.primary_key = key;
    x.connector = topic_source{"t", false, format};
    return x;
  }

  std::unique_ptr<source_reader> open(const source_definition& x) {
    return require(open_topic_source(x, std::get<topic_source>(x.connector), topics, context()));
  }

  texts read(const source_definition& definition, std::uint64_t* bad = nullptr) {
    const auto source = open(definition);
    test::collector out;
    for (;;) {
      step_budget budget;
      const auto status = require(source->read(1, budget, out));
      if (status.what == read_status::kind::more)
        continue;
      if (io.waiting() == 0)
        break;
      while (io.run_one()) {
      }
    }
    if (bad != nullptr)
      *bad = source->counters().bad_rows;
    texts all;
    for (const auto& x : out.batches)
      for (auto& text : shown_rows(*x))
        all.push_back(std::move(text));
    return all;
  }

  std::string refused(const source_definition& x) {
    const auto opened =
        open_topic_source(x, std::get<topic_source>(x.connector), topics, context());
    BOOST_REQUIRE(!opened);
    return to_string(opened.error());
  }

  result<std::unique_ptr<sink_writer>> open_sink(const connector_context& with,
                                                 record_format format = record_format::debezium) {
    sink_definition x;
    x.name = "out";
    x.connector = topic_sink{"t", format};
    x.place.field = "spec.sinks[0]";
    return open_topic_sink(x, std::get<topic_sink>(x.connector), stock, topics, with);
  }
};

BOOST_AUTO_TEST_SUITE(topic_changes)

BOOST_AUTO_TEST_CASE(messages_say_what_a_batch_changes) {
  const auto keyed = messages(
      {{1, 1, "a"}, {-1, 2, "b"}, {1, 2, "c"}, {-1, 3, nullptr}, {1, 4, "x"}, {-1, 4, "x"}},
      std::vector<std::uint32_t>{0});
  const texts said = {R"({"op":"d","before":{"id":3,"place":null},"after":null})",
                      R"({"op":"c","before":null,"after":{"id":1,"place":"a"}})",
                      R"({"op":"u","before":{"id":2,"place":"b"},"after":{"id":2,"place":"c"}})"};
  BOOST_TEST(shown_messages({keyed}) == said, boost::test_tools::per_element());
  // And back again.
  const auto back = rows_of_messages(*keyed, 2, {}, {0, 1});
  BOOST_TEST(shown_rows(back) == (texts{"-3 NULL", "+1 a", "-2 b", "+2 c"}),
             boost::test_tools::per_element());
  const auto* distances = back.origin.rows.as<const std::uint32_t>();
  BOOST_TEST((std::vector<std::uint32_t>(distances, distances + 4)
              == std::vector<std::uint32_t>{0, 1, 2, 2}));
  const auto places = rows_of_messages(*keyed, 2, {}, {1});
  BOOST_TEST(places.columns.size() == 1U);
  BOOST_TEST(places.columns[0].text_of(3) == "c");
  const auto ids = newest_values(*keyed, 2, 0);
  BOOST_TEST(ids.data<std::int64_t>()[0] == 3);
  BOOST_TEST(ids.data<std::int64_t>()[2] == 2);
}

BOOST_AUTO_TEST_CASE(messages_without_any_that_goes) {
  const auto made = messages_of(*rows_of({{1, 1, "a"}, {1, 2, nullptr}}, false),
                                {{row_change::no_row, 0}, {row_change::no_row, 1}}, "rc");
  BOOST_TEST(shown_messages({made})[0]
             == R"({"op":"r","before":null,"after":{"id":1,"place":"a"}})");
  const auto back = rows_of_messages(*made, 2, {}, {0, 1});
  BOOST_TEST(!back.weights);
  BOOST_TEST(shown_rows(back) == (texts{"+1 a", "+2 NULL"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_update_without_the_row_before) {
  const auto made = messages_of(*rows_of({{1, 1, "a"}}), {{row_change::no_row, 0}}, "u");
  BOOST_TEST(shown_messages({made}, {"id"})
                 == texts{R"({"op":"u","before":null,"after":{"id":1,"place":"a"}})"},
             boost::test_tools::per_element());
  BOOST_TEST(shown_rows(rows_of_messages(*made, 2, {0}, {0, 1})) == texts{"+1 a"},
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(sources_read_changes, fixture) {
  topics.create("t", stock);
  topics.take_changes("t", {});
  topics.add("t", messages({{1, 1, "a"}, {1, 2, nullptr}}));
  topics.add("t", messages({{-1, 1, "a"}, {1, 1, "b"}}, std::vector<std::uint32_t>{0}));
  topics.add("t", messages({{-1, 2, nullptr}}));
  const auto changes = source_named({}, record_format::debezium);
  BOOST_TEST(read(changes) == (texts{"+1 a", "+2 NULL", "-1 a", "+1 b", "-2 NULL"}),
             boost::test_tools::per_element());
  // Rows that never came as good ones do not go, either.
  auto strict = changes;
  strict.columns[1].not_null = true;
  strict.on_bad_record = bad_record_policy::skip;
  std::uint64_t bad = 0;
  BOOST_TEST(read(strict, &bad) == (texts{"+1 a", "-1 a", "+1 b"}),
             boost::test_tools::per_element());
  BOOST_TEST(bad == 1U);
}

BOOST_FIXTURE_TEST_CASE(formats_and_keys_that_differ_are_refused, fixture) {
  topics.create("t", stock);
  BOOST_TEST(
      refused(source_named({}, record_format::debezium)).find("topic t holds rows, not changes")
      != std::string::npos);
  const auto rows = open_sink(context());
  BOOST_REQUIRE(!rows);
  BOOST_TEST(rows.error().message == "sink out: topic t takes rows, not changes");
  topics.take_changes("t", {"id"});
  BOOST_TEST(refused(source_named({"id"}, record_format::json)).find("add format: debezium")
             != std::string::npos);
  BOOST_TEST(refused(source_named({}, record_format::debezium)).find("PRIMARY KEY (id)")
             != std::string::npos);
  BOOST_TEST(refused(source_named({"id", "place"}, record_format::debezium)).find("told apart")
             != std::string::npos);
  const auto plain = open_sink(context(), record_format::json);
  BOOST_REQUIRE(!plain);
  BOOST_TEST(plain.error().hint == "add format: debezium to the sink");
  for (const unique_key& key : {unique_key{}, unique_key{{1}}, unique_key{{0, 1}}}) {
    const auto sink = open_sink(context(true, key));
    BOOST_REQUIRE(!sink);
    BOOST_TEST(sink.error().message.find("told apart by PRIMARY KEY (id)") != std::string::npos,
               sink.error().message);
  }
  BOOST_TEST(static_cast<bool>(open_sink(context(true, unique_key{{0}}))));
  BOOST_TEST(static_cast<bool>(open_sink(context()))); // rows that are only added
}

BOOST_FIXTURE_TEST_CASE(sinks_write_changes_to_the_partitions_of_their_rows, fixture) {
  topics.create("t", stock, 8, "place");
  topics.take_changes("t", {"id", "place"});
  const auto sink = require(open_sink(context(true, unique_key{{0}})));
  require(sink->write(rows_of({{1, 1, "a"}, {1, 2, "b"}, {1, 3, "q"}, {-1, 3, "q"}})));
  require(sink->write(rows_of({{-1, 1, "a"}, {1, 1, "zz"}})));
  require(sink->write(rows_of({{1, 5, "x"}, {-1, 5, "x"}})));
  BOOST_TEST(sink->counters().rows == 4U);
  const auto in = [&](const char* place) {
    text_builder text(sql_type{type_kind::text}, 1);
    text.append(place);
    return shown_messages(topics.rows("t", partitions_by_key(text.take(), 8)[0]), {"id"});
  };
  BOOST_REQUIRE(in("a") != in("zz"));
  const auto moved = in("a");
  BOOST_TEST(moved.back() == R"({"op":"d","before":{"id":1,"place":"a"},"after":null})");
  BOOST_TEST(in("zz").back() == R"({"op":"c","before":null,"after":{"id":1,"place":"zz"}})");
}

BOOST_FIXTURE_TEST_CASE(rows_too_far_ahead_of_the_clock_are_bad, fixture) {
  const schema timed = {column_of("at", type_kind::timestamp), column_of("id", type_kind::bigint)};
  topics.create("t", timed);
  auto rows = std::make_shared<batch>();
  rows->rows = 5;
  auto at = make_column(sql_type{type_kind::timestamp}, 5);
  const micros times[] = {5, 11, 12, max_time, 99};
  std::copy(times, times + 5, at.mutable_data<micros>());
  set_null(at, 4);
  rows->columns = {std::move(at), test::bigints({1, 2, 3, 4, 5})};
  topics.add("t", rows);
  auto source = test::topic_source_named("t", timed);
  source.time = event_time{"at", 0, {}, 10, {}};
  source.on_bad_record = bad_record_policy::skip;
  const auto ids = [&](micros now) {
    const auto reader = open(source);
    test::collector out;
    for (;;) {
      step_budget budget;
      const auto status = require(reader->read(now, budget, out));
      if (status.what != read_status::kind::more && io.waiting() == 0)
        break;
      while (io.run_one()) {
      }
    }
    BOOST_TEST(reader->counters().bad_rows + reader->counters().rows == 5U);
    return test::all_values(out.batches, 1);
  };
  BOOST_TEST(ids(1) == (std::vector<std::int64_t>{1, 2, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(ids(0) == (std::vector<std::int64_t>{1, 4, 5}), boost::test_tools::per_element());
  BOOST_TEST(ids(2) == (std::vector<std::int64_t>{1, 2, 3, 4, 5}),
             boost::test_tools::per_element());
  source.on_bad_record = bad_record_policy::fail;
  const auto reader = open(source);
  test::collector out;
  step_budget budget;
  static_cast<void>(require(reader->read(1, budget, out)));
  while (io.run_one()) {
  }
  const auto failed = reader->read(1, budget, out);
  BOOST_REQUIRE(!failed);
  BOOST_TEST(to_string(failed.error())
                     .find("source s, topic t, partition 0, record 2: event time "
                           "1970-01-01T00:00:00.000012 is further ahead of the clock than maxAhead "
                           "allows")
                 != std::string::npos,
             to_string(failed.error()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace ebb
