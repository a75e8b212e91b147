#include "actors/connectors/factory.hpp"
#include "actors/connectors/topic_output.hpp"
#include "actors/connectors/topic_partitions.hpp"
#include "tests/connectors/topics_support.hpp"

#include <boost/test/unit_test.hpp>

namespace ebb {
namespace {

using test::clicks;
using test::column_of;
using test::counting;
using test::require;

/// A sink to topic `t`.
struct fixture {
  test::temporary_folder folder;
  test::local_topics topics{folder.path()};
  test::inline_executor io;
  int wakes = 0;

  static sink_definition definition() {
    sink_definition x;
    x.name = "out";
    x.connector = topic_sink{"t"};
    x.place.field = "spec.sinks[0]";
    return x;
  }

  connector_context context(bool exactly_once, std::uint32_t subtask = 0) {
    connector_context x;
    x.io = &io;
    x.wake = [this] { ++wakes; };
    x.stream = "s";
    x.stream_uid = "u";
    x.generation = 3;
    x.subtask = subtask;
    x.parallelism = subtask + 1;
    x.output_folder = exactly_once ? folder / "out" : "";
    return x;
  }

  std::unique_ptr<sink_writer> open(bool exactly_once, std::uint32_t subtask = 0,
                                    const schema& columns = test::click_columns) {
    return require(
        open_topic_sink(definition(), {"t"}, columns, topics, context(exactly_once, subtask)));
  }

  std::string refusal(const schema& columns) {
    const auto opened = open_topic_sink(definition(), {"t"}, columns, topics, context(true));
    BOOST_REQUIRE(!opened);
    return to_string(opened.error());
  }

  std::vector<std::int64_t> accounts(std::uint32_t partition = 0) {
    return test::all_values(topics.rows("t", partition));
  }

  std::size_t waiting_files() const {
    std::size_t count = 0;
    for (const auto& x : std::filesystem::directory_iterator(folder / "out"))
      count += x.is_regular_file() ? 1 : 0;
    return count;
  }
};

sealed_output seal(sink_writer& sink, epoch_number epoch) {
  require(sink.seal(epoch));
  const auto made = require(sink.sealed());
  BOOST_REQUIRE(made);
  return *made;
}

std::string applied(connector_factory& connectors, const sealed_output& output) {
  const auto done = connectors.apply_output(fixture::definition(), "", output);
  return done ? "applied" : to_string(done.error());
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

BOOST_AUTO_TEST_SUITE(topic_sinks)

BOOST_FIXTURE_TEST_CASE(an_epoch_waits_until_it_is_applied_once, fixture) {
  topics.create("t", test::click_columns);
  const auto connectors = make_connectors(&topics);
  const auto sink = open(true);
  require(sink->write(clicks(0, 3)));
  require(sink->write(clicks(3, 2)));
  const auto one = seal(*sink, 7);
  require(sink->write(clicks(5, 1)));
  const auto two = seal(*sink, 8);
  BOOST_TEST(one.rows == 5U);
  BOOST_TEST(one.target == "topic " + topics.uid("t") + " 3 7 u/out/0");
  BOOST_TEST(std::filesystem::file_size(one.file) == one.bytes);
  BOOST_TEST(accounts().empty());
  BOOST_TEST(sink->counters().rows == 6U);
  BOOST_TEST(sink->counters().bytes == one.bytes + two.bytes);
  // A kill between the append and the removal of the file, then between that and the record of it.
  require(topics.append_file(topics.uid("t"), one.file, {"u/out/0", 3, 7}));
  BOOST_TEST(accounts() == counting(0, 5), boost::test_tools::per_element());
  BOOST_TEST(applied(*connectors, one) == "applied");
  BOOST_TEST(!std::filesystem::exists(one.file));
  BOOST_TEST(applied(*connectors, one) == "applied");
  BOOST_TEST(applied(*connectors, two) == "applied");
  BOOST_TEST(accounts() == counting(0, 6), boost::test_tools::per_element());
  BOOST_TEST(waiting_files() == 0U);
  // All at once a lower epoch comes again, whose file is gone: a worker that has been given up.
  BOOST_TEST(applied(*connectors, one) == "applied");
  BOOST_TEST(accounts().size() == 6U);
}

BOOST_FIXTURE_TEST_CASE(an_epoch_without_rows_has_no_file, fixture) {
  topics.create("t", test::click_columns);
  const auto connectors = make_connectors(&topics);
  const auto sink = open(true);
  const auto empty = seal(*sink, 1);
  BOOST_TEST(empty.file.empty());
  BOOST_TEST(empty.bytes == 0U);
  BOOST_TEST(applied(*connectors, empty) == "applied");
  require(sink->write(clicks(0, 1)));
  BOOST_TEST(seal(*sink, 2).rows == 1U);
  BOOST_TEST(waiting_files() == 1U);
  // Rows of an epoch that never ended.
  require(sink->write(clicks(1, 1)));
  BOOST_TEST(require(sink->finish()));
  BOOST_TEST(waiting_files() == 1U);
}

BOOST_FIXTURE_TEST_CASE(files_of_epochs_that_were_not_committed_go, fixture) {
  topics.create("t", test::click_columns);
  const auto connectors = make_connectors(&topics);
  {
    const auto sink = open(true);
    require(sink->write(clicks(0, 1)));
    seal(*sink, 1);
    require(sink->write(clicks(0, 1)));
  }
  BOOST_TEST(waiting_files() == 1U);
  const auto sink = open(true);
  require(sink->write(clicks(0, 1)));
  BOOST_TEST(applied(*connectors, seal(*sink, 5)) == "applied");
  BOOST_TEST(waiting_files() == 0U);
  BOOST_TEST(accounts().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(lanes_have_marks_of_their_own, fixture) {
  topics.create("t", test::click_columns);
  const auto connectors = make_connectors(&topics);
  const auto first = open(true, 0);
  const auto second = open(true, 1);
  require(first->write(clicks(0, 1)));
  require(second->write(clicks(1, 1)));
  const auto a = seal(*first, 1);
  const auto b = seal(*second, 1);
  BOOST_TEST(a.lane == 0U);
  BOOST_TEST(b.lane == 1U);
  for (int i = 0; i < 2; ++i) {
    BOOST_TEST(applied(*connectors, b) == "applied");
    BOOST_TEST(applied(*connectors, a) == "applied");
  }
  BOOST_TEST(test::sorted(accounts()) == counting(0, 2), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(damage_is_found_before_anything_is_appended, fixture) {
  topics.create("t", test::click_columns);
  const auto connectors = make_connectors(&topics);
  const auto sink = open(true);
  require(sink->write(clicks(0, 50)));
  const auto output = seal(*sink, 1);
  const auto sound = bytes_of(output.file);
  const auto store = [&](const std::string& bytes) {
    std::ofstream(output.file, std::ios::binary | std::ios::trunc) << bytes;
  };
  for (std::size_t i = 0; i < sound.size(); ++i) {
    auto bytes = sound;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    store(bytes);
    BOOST_TEST_REQUIRE(applied(*connectors, output)
                       == output.file + " is damaged, which holds committed output for a topic"
                              + "\nhint: restore it from a copy, or go back to a savepoint");
  }
  for (const auto size :
       {std::size_t{0}, std::size_t{7}, std::size_t{8}, sound.size() / 2, sound.size() - 1}) {
    store(sound.substr(0, size));
    BOOST_TEST(applied(*connectors, output).find("is damaged") != std::string::npos);
  }
  store(sound + "x");
  BOOST_TEST(applied(*connectors, output).find("is damaged") != std::string::npos);
  std::filesystem::remove(output.file);
  BOOST_TEST(applied(*connectors, output).find("is gone") != std::string::npos);
  BOOST_TEST(accounts().empty());
  store(sound);
  const auto other = topics.append_file(topics.uid("t"), output.file, {"u/out/0", 3, 2});
  BOOST_REQUIRE(!other);
  BOOST_TEST((other.error().code == ec::corrupt));
  BOOST_TEST(applied(*connectors, output) == "applied");
  BOOST_TEST(accounts().size() == 50U);
}

// 40 MB: an epoch that is too much for one request.
BOOST_FIXTURE_TEST_CASE(a_large_epoch_is_appended_in_pieces, fixture) {
  topics.create("t", test::click_columns, 1, {}, std::uint64_t{256} << 20);
  const auto sink = open(true);
  for (int i = 0; i < 400; ++i)
    require(sink->write(clicks(4'000 * i, 4'000)));
  const auto output = seal(*sink, 4);
  const auto uid = topics.uid("t");
  std::vector<std::string> marks;
  const auto fail_at = [&](std::size_t count) {
    return append_topic_output(
        output.file, {"u/out/0", 3, 4}, std::nullopt, [&](topic_append x) -> append_answer {
          append_answer answer;
          if (marks.size() == count) {
            answer.problem = make_error(ec::resource, "no room");
            return answer;
          }
          BOOST_TEST(byte_size(x) < std::size_t{40} << 20);
          marks.push_back(x.mark->sink);
          topics.append(uid, std::move(x), [&](auto made) { answer = std::move(made); });
          return answer;
        });
  };
  const auto failed = fail_at(2);
  BOOST_REQUIRE(!failed);
  BOOST_TEST(failed.error().message == "no room");
  BOOST_TEST(marks == (std::vector<std::string>{"u/out/0#0", "u/out/0#1"}),
             boost::test_tools::per_element());
  const auto done = accounts().size();
  BOOST_TEST(done > 0U);
  BOOST_TEST(done < 1'600'000U);
  require(topics.append_file(uid, output.file, {"u/out/0", 3, 4}));
  require(topics.append_file(uid, output.file, {"u/out/0", 3, 4}));
  BOOST_TEST((accounts() == counting(0, 1'600'000)));
}

BOOST_FIXTURE_TEST_CASE(keys_choose_partitions, fixture) {
  topics.create("t", test::click_columns, 4, "page");
  const auto connectors = make_connectors(&topics);
  for (const bool exactly_once : {true, false}) {
    const auto sink = open(exactly_once);
    require(sink->write(clicks(0, 100)));
    const auto output = seal(*sink, 1);
    if (exactly_once)
      BOOST_TEST(applied(*connectors, output) == "applied");
  }
  std::size_t all = 0;
  for (std::uint32_t p = 0; p < 4; ++p)
    for (const auto& rows : topics.rows("t", p)) {
      const auto expected = partitions_by_key(rows->columns[1], 4);
      for (std::uint32_t i = 0; i < rows->rows; ++i) {
        BOOST_TEST(expected[i] == p);
        if (rows->columns[1].is_null(i))
          BOOST_TEST(p == 0U);
      }
      all += rows->rows;
      BOOST_TEST(rows->rows > 0U);
    }
  BOOST_TEST(all == 200U);
}

BOOST_FIXTURE_TEST_CASE(without_a_key_a_lane_keeps_its_order, fixture) {
  topics.create("t", test::click_columns, 8);
  const auto sink = open(false);
  for (int i = 0; i < 20; ++i)
    require(sink->write(clicks(i, 1)));
  BOOST_TEST(require(sink->finish()));
  const auto partition = partition_of_sender("u/out/0", 8);
  BOOST_TEST(accounts(partition) == counting(0, 20), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(at_least_once_waits_for_answers, fixture) {
  topics.create("t", test::click_columns);
  const auto sink = open(false);
  topics.hold();
  require(sink->write(clicks(0, 3)));
  BOOST_TEST(sink->backlog() > 0U);
  // The epoch's rows are not safe yet.
  require(sink->seal(1));
  BOOST_TEST(!require(sink->sealed()));
  BOOST_TEST(!require(sink->finish()));
  const auto before = wakes;
  topics.release();
  BOOST_TEST(wakes > before);
  BOOST_TEST(sink->backlog() == 0U);
  const auto sealed = require(sink->sealed());
  BOOST_REQUIRE(sealed);
  BOOST_TEST(sealed->rows == 3U);
  BOOST_TEST(sealed->file.empty());
  BOOST_TEST(require(sink->finish()));
  BOOST_TEST(accounts() == counting(0, 3), boost::test_tools::per_element());
  // Rows of the next epoch do not hold this one back.
  require(sink->write(clicks(3, 1)));
  require(sink->seal(2));
  topics.hold();
  require(sink->write(clicks(4, 1)));
  BOOST_TEST(require(sink->sealed()).has_value());
  BOOST_TEST(!require(sink->finish()));
  topics.release();
  BOOST_TEST(require(sink->finish()));
}

BOOST_FIXTURE_TEST_CASE(a_refused_append_ends_the_stream, fixture) {
  topics.create("t", test::click_columns);
  for (const auto status : {append_status::over_quota, append_status::failed}) {
    const auto sink = open(false);
    topics.refuse_next(status);
    require(sink->write(clicks(0, 1)));
    require(sink->seal(1));
    const auto sealed = sink->sealed();
    BOOST_REQUIRE(!sealed);
    BOOST_TEST(sealed.error().message == "topic t: refused");
    BOOST_TEST((sealed.error().code == ec::resource));
    BOOST_TEST(!sink->write(clicks(0, 1)));
    BOOST_TEST(!sink->finish());
  }
}

// An answer may come after the sink has gone.
BOOST_FIXTURE_TEST_CASE(late_answers_find_nobody, fixture) {
  topics.create("t", test::click_columns);
  auto sink = open(false);
  topics.hold();
  require(sink->write(clicks(0, 1)));
  const auto before = wakes;
  sink->abandon();
  sink.reset();
  topics.release();
  BOOST_TEST(wakes == before);
}

BOOST_FIXTURE_TEST_CASE(columns_are_found_by_name, fixture) {
  topics.create("t", {column_of("n", type_kind::bigint, true), column_of("extra", type_kind::date),
                      column_of("Page", type_kind::text)});
  const schema columns = {column_of("page", type_kind::text), column_of("n", type_kind::bigint)};
  const auto sink = open(false, 0, columns);
  auto rows = std::make_shared<batch>();
  rows->rows = 2;
  rows->columns = {test::texts({"a", "b"}), test::bigints({1, 2})};
  require(sink->write(rows));
  std::vector<std::string> lines;
  for (const auto& x : topics.rows("t"))
    test::append_rows(*x, lines);
  BOOST_TEST(lines == (std::vector<std::string>{"1|NULL|'a'", "2|NULL|'b'"}),
             boost::test_tools::per_element());
  rows = std::make_shared<batch>(*rows);
  set_null(rows->columns[1], 1);
  const auto failed = sink->write(rows);
  BOOST_REQUIRE(!failed);
  BOOST_TEST(failed.error().message
             == "sink out: column n of topic t is NOT NULL, and a row of the result has NULL");
  BOOST_TEST(
      refusal({columns[0]})
      == "spec.sinks[0].topic: sink out: column n of topic t is NOT NULL, and the result has "
         "no such column\nhint: select something AS n");
  BOOST_TEST(refusal({columns[0], columns[1], column_of("z", type_kind::text)})
             == "spec.sinks[0].topic: sink out: topic t has no column z\nhint: its columns are n, "
                "extra, Page: leave it out of the query, or name it AS one of them");
  BOOST_TEST(refusal({columns[0], column_of("n", type_kind::integer)})
             == "spec.sinks[0].topic: sink out: column n is integer and bigint in topic t\nhint: "
                "cast it in the query: CAST(n AS bigint) AS n");
  BOOST_TEST(refusal({columns[0], columns[1], column_of("N", type_kind::bigint)})
             == "spec.sinks[0].topic: sink out: topic t has no column N\nhint: its columns are n, "
                "extra, Page: leave it out of the query, or name it AS one of them");
}

BOOST_FIXTURE_TEST_CASE(changes_of_earlier_rows_are_refused, fixture) {
  topics.create("t", test::click_columns);
  const auto sink = open(false);
  auto rows = std::make_shared<batch>(*clicks(0, 2));
  rows->weights = buffer_ptr::of<std::int32_t>(2);
  rows->weights.as<std::int32_t>()[0] = 1;
  rows->weights.as<std::int32_t>()[1] = 1;
  require(sink->write(rows));
  rows = std::make_shared<batch>(*clicks(2, 2));
  rows->weights = buffer_ptr::of<std::int32_t>(2);
  rows->weights.as<std::int32_t>()[0] = 1;
  rows->weights.as<std::int32_t>()[1] = -1;
  const auto failed = sink->write(rows);
  BOOST_REQUIRE(!failed);
  BOOST_TEST((failed.error().code == ec::unsupported));
  BOOST_TEST(accounts() == counting(0, 2), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(bounded_text_and_numbers_become_unbounded_ones, fixture) {
  const auto with = [](sql_type type, std::int16_t precision, std::int16_t scale,
                       std::int32_t length) {
    type.precision = precision;
    type.scale = scale;
    type.length = length;
    return type;
  };
  topics.create("t", {column_of("a", type_kind::text), column_of("b", type_kind::numeric)});
  open(true, 0,
       {{"a", with({type_kind::text}, 0, 0, 9)}, {"b", with({type_kind::numeric}, 9, 2, 0)}});
  topics.create("t", {{"a", with({type_kind::text}, 0, 0, 9)}});
  BOOST_TEST(refusal({column_of("a", type_kind::text)}).find("CAST(a AS ") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(without_topics_there_are_none, fixture) {
  const auto connectors = make_connectors();
  const auto context = this->context(true);
  const auto sink = connectors->open_sink(definition(), test::click_columns, context);
  BOOST_REQUIRE(!sink);
  BOOST_TEST(sink.error().message == "topic t: topics need the service");
  const auto source = connectors->partitions(test::topic_source_named("t"), "");
  BOOST_REQUIRE(!source);
  BOOST_TEST((source.error().code == ec::unsupported));
  sealed_output output;
  output.file = "x";
  output.target = "topic u 1 1 u/out/0";
  BOOST_TEST(applied(*connectors, output).find("topics need the service") != std::string::npos);
  topics.create("t", test::click_columns);
  const auto able = make_connectors(&topics);
  for (const char* bad : {"topic ", "topic u", "topic u 1", "topic u x 1 s", "topic u 1 1 ",
                          "topic u 1 1x s", "topic  1 1 s"}) {
    output.target = bad;
    BOOST_TEST(applied(*able, output).find("unknown target") != std::string::npos, bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(partitions_of_topics)

// The same in all versions: rows of a key stay in their partition.
BOOST_AUTO_TEST_CASE(keys_stay_where_they_are) {
  const auto keys = test::texts({"", "a", "b", "carrier", "EV"});
  const auto chosen = partitions_by_key(keys, 16);
  BOOST_TEST(chosen == (std::vector<std::uint32_t>{14, 13, 7, 7, 7}),
             boost::test_tools::per_element());
  BOOST_TEST(partitions_by_key(test::bigints({0, 1, 2, -1}), 16)
                 == (std::vector<std::uint32_t>{5, 15, 8, 12}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_partition_takes_all_as_one) {
  BOOST_TEST(partitions_by_key(test::bigints({1, 2, 3}), 1) == (std::vector<std::uint32_t>{0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(null_keys_are_in_partition_0) {
  auto keys = test::bigints({1, 2, 3, 4, 5, 6, 7, 8});
  const auto without = partitions_by_key(keys, 1'024);
  set_null(keys, 3);
  const auto with = partitions_by_key(keys, 1'024);
  for (std::size_t i = 0; i < with.size(); ++i)
    BOOST_TEST(with[i] == (i == 3 ? 0U : without[i]));
  BOOST_TEST(without[3] != 0U);
}

BOOST_AUTO_TEST_CASE(keys_are_spread_evenly) {
  std::vector<std::int64_t> values(30'000);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int> counts(3);
  for (const auto p : partitions_by_key(test::bigints(values), 3))
    ++counts.at(p);
  for (const auto x : counts)
    BOOST_TEST(std::abs(x - 10'000) < 500);
}

BOOST_AUTO_TEST_CASE(equal_numbers_meet) {
  auto one = make_column({type_kind::double_precision}, 2);
  one.mutable_data<double>()[0] = 0.0;
  one.mutable_data<double>()[1] = -0.0;
  const auto chosen = partitions_by_key(one, 1'024);
  BOOST_TEST(chosen[0] == chosen[1]);
}

BOOST_AUTO_TEST_CASE(names_of_columns) {
  const schema x = {column_of("Ab", type_kind::text), column_of("ab", type_kind::text),
                    column_of("C", type_kind::text)};
  BOOST_TEST(column_named(x, "ab") == 1);
  BOOST_TEST(column_named(x, "Ab") == 0);
  BOOST_TEST(column_named(x, "AB") == 0);
  BOOST_TEST(column_named(x, "c") == 2);
  BOOST_TEST(column_named(x, "d") == -1);
  BOOST_TEST(column_named(x, "") == -1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace ebb
