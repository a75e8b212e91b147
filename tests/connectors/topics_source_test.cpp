#include "actors/connectors/topic_feed.hpp"
#include "actors/connectors/topic_position.hpp"
#include "actors/dataflow/partition_news.hpp"
#include "tests/connectors/topics_support.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>

namespace ebb {
namespace {

using kind = read_status::kind;
using test::clicks;
using test::counting;
using test::require;

/// A source over topic `t`, driven by hand.
struct fixture {
  test::temporary_folder folder;
  test::local_topics topics{folder.path()};
  test::manual_executor io;
  int wakes = 0;

  connector_context context(std::uint32_t subtask = 0, std::uint32_t parallelism = 1) {
    connector_context x;
    x.io = &io;
    x.wake = [this] { ++wakes; };
    x.stream = "s";
    x.stream_uid = "u";
    x.subtask = subtask;
    x.parallelism = parallelism;
    return x;
  }

  std::unique_ptr<source_reader>
  open(const connector_context& with,
       const source_definition& source = test::topic_source_named("t"), bool latest = false) {
    return require(open_topic_source(source, {"t", latest}, topics, with));
  }

  std::string refusal(const connector_context& with, const source_definition& source) {
    const auto opened = open_topic_source(source, {"t"}, topics, with);
    BOOST_REQUIRE(!opened);
    return to_string(opened.error());
  }

  void run_jobs() {
    while (io.run_one()) {
    }
  }

  /// Reads until the source waits without anything under way.
  result<read_status> read_all(source_reader& source, test::collector& out) {
    for (;;) {
      step_budget budget;
      EBB_ASSIGN(const auto status, source.read(1, budget, out));
      if (status.what == kind::more)
        continue;
      if (io.waiting() == 0)
        return status;
      run_jobs();
    }
  }
};

/// Writes down what comes: `p0 2 rows`, `quiet 0 1 of 2`.
class news_collector final : public output, public news_output {
public:
  void emit(batch_ptr rows) override {
    log.push_back('p' + std::to_string(rows->partition) + ' ' + std::to_string(rows->rows)
                  + " rows");
  }

  void advance(micros) override {}

  void idle() override {}

  void tell(const partition_news& x) override {
    std::string text = "quiet ";
    for (const auto partition : x.quiet)
      text += std::to_string(partition) + ' ';
    log.push_back(text + "of " + std::to_string(x.partitions));
  }

  [[nodiscard]] std::vector<std::string> take() {
    return std::exchange(log, {});
  }

  std::vector<std::string> log;
};

std::vector<source_position> positions_of(const source_reader& x) {
  std::vector<source_position> all;
  x.positions(all);
  return all;
}

BOOST_AUTO_TEST_SUITE(topic_sources)

BOOST_FIXTURE_TEST_CASE(rows_of_all_partitions_by_several_subtasks, fixture) {
  for (const std::uint32_t partitions : {1U, 2U, 3U}) {
    for (const std::uint32_t parallelism : {1U, 2U, 4U}) {
      BOOST_TEST_CONTEXT(partitions << " partitions, " << parallelism << " subtasks") {
        topics.create("t", test::click_columns, partitions);
        for (std::uint32_t p = 0; p < partitions; ++p) {
          topics.add("t", clicks(1'000 * p, 100), p);
          topics.add("t", clicks(1'000 * p + 100, 1), p);
        }
        BOOST_TEST(require(topic_partitions(test::topic_source_named("t"), {"t"}, topics))
                   == partitions);
        std::vector<std::int64_t> all;
        for (std::uint32_t i = 0; i < parallelism; ++i) {
          const auto source = open(context(i, parallelism));
          test::collector out;
          const auto status = require(read_all(*source, out));
          const auto mine = (partitions + parallelism - 1 - i) / parallelism;
          BOOST_TEST(source->partitions() == mine);
          BOOST_TEST((status.what == (mine == 0 ? kind::finished : kind::waiting)));
          BOOST_TEST(!status.coming);
          BOOST_TEST(status.until == max_time);
          BOOST_TEST(source->counters().rows == mine * 101U);
          for (const auto& x : out.batches) {
            const auto number = x->partition * parallelism + i;
            BOOST_TEST(x->partitions == mine);
            // Small stored batches have been put together.
            BOOST_TEST(x->rows == 101U);
            BOOST_TEST(origin_text(*x, 7)
                       == "source s, topic t, partition " + std::to_string(number) + ", record 7");
            BOOST_TEST(test::values_of(*x) == counting(1'000 * number, 101),
                       boost::test_tools::per_element());
          }
          const auto values = test::all_values(out.batches);
          all.insert(all.end(), values.begin(), values.end());
        }
        BOOST_TEST(all.size() == 101U * partitions);
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(it_tells_which_partitions_have_nothing_left, fixture) {
  using texts = std::vector<std::string>;
  topics.create("t", test::click_columns, 2);
  topics.add("t", clicks(1, 2), 1);
  auto timed = test::topic_source_named("t");
  timed.time.emplace();
  const auto source = open(context(), timed);
  news_collector out;
  const auto read = [&] {
    step_budget budget;
    return require(source->read(1, budget, out)).what;
  };
  BOOST_TEST((read() == kind::waiting));
  BOOST_TEST(out.take() == texts{"quiet of 2"}, boost::test_tools::per_element()); // not known yet
  run_jobs();
  read();
  BOOST_TEST(out.take() == (texts{"quiet 0 of 2", "p1 2 rows", "quiet 0 1 of 2"}),
             boost::test_tools::per_element());
  read();
  BOOST_TEST(out.take().empty());
  // There is more in one of them, and nothing is known of the other until it was looked at.
  topics.add("t", clicks(3, 1), 0);
  read();
  BOOST_TEST(out.take() == texts{"quiet of 2"}, boost::test_tools::per_element());
  run_jobs();
  read();
  BOOST_TEST(out.take() == (texts{"quiet 1 of 2", "p0 1 rows", "quiet 0 1 of 2"}),
             boost::test_tools::per_element());
  // Without event time nobody wants to know.
  const auto plain = open(context());
  step_budget budget;
  require(plain->read(1, budget, out));
  BOOST_TEST(out.take().empty());
}

BOOST_FIXTURE_TEST_CASE(an_idle_source_costs_nothing_and_wakes_for_rows, fixture) {
  topics.create("t", test::click_columns, 2);
  const auto source = open(context());
  test::collector out;
  require(read_all(*source, out));
  BOOST_TEST(out.batches.empty());
  BOOST_TEST(io.waiting() == 0U);
  BOOST_TEST(topics.watchers() == 1U);
  const auto before = wakes;
  topics.add("t", clicks(1, 1), 1);
  BOOST_TEST(io.waiting() == 1U);
  BOOST_TEST(wakes == before);
  run_jobs();
  BOOST_TEST(wakes == before + 1);
  step_budget budget;
  const auto status = require(source->read(1, budget, out));
  BOOST_TEST((status.what == kind::waiting));
  BOOST_TEST(test::all_values(out.batches) == counting(1, 1), boost::test_tools::per_element());
  // More than once before the job runs, and while nobody has read yet.
  topics.add("t", clicks(2, 1), 1);
  topics.add("t", clicks(3, 1), 0);
  BOOST_TEST(io.waiting() == 1U);
  run_jobs();
  require(read_all(*source, out));
  BOOST_TEST(test::sorted(test::all_values(out.batches)) == counting(1, 3),
             boost::test_tools::per_element());
  BOOST_TEST(io.waiting() == 0U);
}

// A wake for rows comes from within the job that has read them.
BOOST_FIXTURE_TEST_CASE(rows_that_come_while_a_job_runs_are_not_missed, fixture) {
  topics.create("t", test::click_columns, 1);
  std::int64_t next = 0;
  bool again = false;
  auto with = context();
  with.wake = [&] {
    if (std::exchange(again, false))
      topics.add("t", clicks(next++, 1));
  };
  const auto source = open(with);
  test::collector out;
  require(read_all(*source, out));
  for (int i = 0; i < 5; ++i) {
    again = true;
    topics.add("t", clicks(next++, 1));
    BOOST_TEST(io.waiting() == 1U);
    run_jobs();
    BOOST_TEST(!again);
    step_budget budget;
    require(source->read(1, budget, out));
    BOOST_TEST(test::all_values(out.batches).size() == static_cast<std::size_t>(next));
  }
}

BOOST_FIXTURE_TEST_CASE(a_source_goes_on_from_its_positions, fixture) {
  topics.create("t", test::click_columns, 3);
  for (std::uint32_t p = 0; p < 3; ++p)
    topics.add("t", clicks(100 * p, 10), p);
  auto source = open(context());
  test::collector out;
  require(read_all(*source, out));
  const auto positions = positions_of(*source);
  BOOST_TEST_REQUIRE(positions.size() == 3U);
  for (const auto& x : positions) {
    BOOST_TEST(!x.finished);
    BOOST_TEST(require(decode_topic_position(x.bytes, "s")).offset == 10U);
    BOOST_TEST(require(decode_topic_position(x.bytes, "s")).topic == topics.uid("t"));
  }
  source.reset();
  BOOST_TEST(topics.watchers() == 0U);
  for (std::uint32_t p = 0; p < 3; ++p)
    topics.add("t", clicks(100 * p + 10, 1), p);
  // `latest` means nothing to a partition that has a position.
  std::vector<std::int64_t> rest;
  for (std::uint32_t i = 0; i < 2; ++i) {
    auto with = context(i, 2);
    with.positions = positions;
    source = open(with, test::topic_source_named("t"), true);
    test::collector more;
    require(read_all(*source, more));
    const auto values = test::all_values(more.batches);
    rest.insert(rest.end(), values.begin(), values.end());
  }
  BOOST_TEST(test::sorted(rest) == (std::vector<std::int64_t>{10, 110, 210}),
             boost::test_tools::per_element());
}

// What was emitted counts, not what was read ahead.
BOOST_FIXTURE_TEST_CASE(positions_are_behind_the_rows_that_were_emitted, fixture) {
  topics.create("t", test::click_columns, 1);
  for (int i = 0; i < 5; ++i)
    topics.add("t", clicks(4'000 * i, 4'000));
  const auto source = open(context());
  run_jobs();
  test::collector out;
  step_budget budget;
  budget.rows = 1;
  const auto status = require(source->read(1, budget, out));
  BOOST_TEST((status.what == kind::more));
  BOOST_TEST_REQUIRE(out.batches.size() == 1U);
  BOOST_TEST(out.batches[0]->rows <= 4'096U);
  BOOST_TEST(require(decode_topic_position(positions_of(*source).at(0).bytes, "s")).offset
             == out.batches[0]->rows);
  require(read_all(*source, out));
  BOOST_TEST(test::all_values(out.batches) == counting(0, 20'000),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(latest_begins_at_the_end_and_keeps_that_place, fixture) {
  topics.create("t", test::click_columns, 2);
  topics.add("t", clicks(0, 10), 0);
  auto source = open(context(), test::topic_source_named("t"), true);
  const auto positions = positions_of(*source);
  source.reset();
  topics.add("t", clicks(10, 1), 0);
  topics.add("t", clicks(20, 1), 1);
  auto with = context();
  with.positions = positions;
  source = open(with, test::topic_source_named("t"), true);
  test::collector out;
  require(read_all(*source, out));
  BOOST_TEST(test::sorted(test::all_values(out.batches)) == (std::vector<std::int64_t>{10, 20}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(rows_that_retention_has_removed_are_an_error, fixture) {
  topics.create("t", test::click_columns, 1, {}, std::uint64_t{64} << 10);
  topics.add("t", clicks(0, 10));
  auto source = open(context());
  test::collector out;
  require(read_all(*source, out));
  const auto positions = positions_of(*source);
  const auto add_many = [&] {
    for (int i = 0; i < 40; ++i)
      topics.add("t", clicks(1'000 * i, 1'000));
  };
  add_many();
  topics.retain("t", 1);
  const auto begin = topics.bounds("t").at(0).begin;
  BOOST_TEST_REQUIRE(begin > 10U);
  // It was running, with a job before it.
  auto failed = read_all(*source, out);
  BOOST_REQUIRE(!failed);
  const auto expected = "source s: topic t: offset 10 of partition 0 has been removed by "
                        "retention, the oldest is "
                        + std::to_string(begin) + ", and the stream has not read it";
  BOOST_TEST(failed.error().message == expected);
  BOOST_TEST((failed.error().code == ec::not_found));
  BOOST_TEST(failed.error().place.field == "spec.sources[0].topic");
  // It comes back later.
  auto with = context();
  with.positions = positions;
  source = open(with);
  failed = read_all(*source, out);
  BOOST_REQUIRE(!failed);
  BOOST_TEST(failed.error().message == expected);
  // A new stream begins with the oldest.
  source = open(context());
  test::collector rest;
  require(read_all(*source, rest));
  BOOST_TEST(rest.batches.at(0)->origin.first == begin);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_cannot_be_read_is_opened_again, fixture) {
  topics.create("t", test::click_columns, 1);
  topics.add("t", clicks(0, 3));
  const auto feed = std::make_shared<topic_feed>(require(topics.find("t")),
                                                 std::vector<topic_feed::share>{{0, 0}}, topics,
                                                 std::nullopt, context());
  topic_rows rows;
  std::size_t index = 0;
  topics.refuse_readers(3);
  feed->start();
  for (int i = 0; i < 3; ++i) {
    run_jobs();
    BOOST_TEST((require(feed->take(rows, index)) == topic_feed::state::failed));
    BOOST_TEST(io.waiting() == 0U);
    feed->try_again();
  }
  run_jobs();
  BOOST_TEST((require(feed->take(rows, index)) == topic_feed::state::rows));
  BOOST_TEST(rows.rows->rows == 3U);
  feed->stop();

  const auto hopeless = std::make_shared<topic_feed>(require(topics.find("t")),
                                                     std::vector<topic_feed::share>{{0, 0}}, topics,
                                                     std::nullopt, context());
  topics.refuse_readers(100);
  hopeless->start();
  int tries = 0;
  for (;; ++tries) {
    run_jobs();
    if (const auto state = hopeless->take(rows, index); !state) {
      BOOST_TEST(state.error().message == "the log cannot be read");
      break;
    }
    hopeless->try_again();
  }
  BOOST_TEST(tries == 5);
  hopeless->stop();
}

BOOST_FIXTURE_TEST_CASE(another_topic_of_the_name_is_an_error, fixture) {
  topics.create("t", test::click_columns, 1);
  auto with = context();
  with.positions = positions_of(*open(context()));
  topics.create("t", test::click_columns, 1);
  BOOST_TEST(refusal(with, test::topic_source_named("t"))
             == "spec.sources[0].topic: source s: topic t is not the one that the stream has "
                "read, but a new one of its name\nhint: to read it from its beginning, run the "
                "stream with --from fresh");
  with.positions[0].bytes = "nonsense";
  BOOST_TEST(refusal(with, test::topic_source_named("t")).find("recorded position is not readable")
             != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(columns_are_found_by_name, fixture) {
  using test::column_of;
  topics.create("t", {column_of("Page", type_kind::text), column_of("n", type_kind::integer),
                      column_of("account", type_kind::bigint), column_of("N", type_kind::text)});
  auto stored = std::make_shared<batch>();
  stored->rows = 2;
  stored->columns = {test::texts({"a", "b"}), make_null_column({type_kind::integer}, 2),
                     test::bigints({7, 8}), test::texts({"x", "y"})};
  topics.add("t", stored);
  const auto source =
      open(context(), test::topic_source_named("t", {column_of("account", type_kind::bigint),
                                                     column_of("page", type_kind::text),
                                                     column_of("N", type_kind::text)}));
  test::collector out;
  require(read_all(*source, out));
  BOOST_TEST(out.lines() == (std::vector<std::string>{"7|'a'|'x'", "8|'b'|'y'"}),
             boost::test_tools::per_element());

  const auto refused = [&](field x) {
    return refusal(context(), test::topic_source_named("t", {std::move(x)}));
  };
  BOOST_TEST(refused(column_of("account", type_kind::integer))
             == "spec.sources[0].schema: source s: column account is integer in the schema and "
                "bigint in topic t\nhint: declare it as bigint, and cast it in the query");
  BOOST_TEST(refused(column_of("acount", type_kind::bigint))
             == "spec.sources[0].schema: source s: topic t has no column acount\nhint: did you "
                "mean account?");
  BOOST_TEST(refused(column_of("x", type_kind::bigint))
             == "spec.sources[0].schema: source s: topic t has no column x\nhint: its columns are "
                "Page, n, account, N");
  topics.create("t", {column_of("AB", type_kind::text), column_of("Ab", type_kind::text)});
  BOOST_TEST(refused(column_of("ab", type_kind::text))
             == "spec.sources[0].schema: source s: several columns of topic t are called ab but "
                "for their case\nhint: write the name of one of them exactly, in double quotes");
}

BOOST_FIXTURE_TEST_CASE(a_missing_topic_is_named, fixture) {
  const auto found = topic_partitions(test::topic_source_named("t"), {"t"}, topics);
  BOOST_REQUIRE(!found);
  BOOST_TEST(to_string(found.error()) == "spec.sources[0].topic: source s: there is no topic t");
  BOOST_TEST((found.error().code == ec::not_found));
}

BOOST_FIXTURE_TEST_CASE(nulls_under_not_null, fixture) {
  topics.create("t", test::click_columns, 1);
  topics.add("t", clicks(8, 5)); // 10 has no page
  auto definition = test::topic_source_named("t");
  definition.columns[1].not_null = true;
  auto source = open(context(), definition);
  test::collector out;
  const auto failed = read_all(*source, out);
  BOOST_REQUIRE(!failed);
  BOOST_TEST((failed.error().code == ec::bad_record));
  BOOST_TEST(failed.error().message
             == "source s, topic t, partition 0, record 2: column page is NULL but declared NOT "
                "NULL");
  definition.on_bad_record = bad_record_policy::skip;
  source = open(context(), definition);
  require(read_all(*source, out));
  BOOST_TEST(test::all_values(out.batches) == (std::vector<std::int64_t>{8, 9, 11, 12}),
             boost::test_tools::per_element());
  BOOST_TEST(source->counters().rows == 4U);
  BOOST_TEST(source->counters().bad_rows == 1U);
  BOOST_TEST(require(decode_topic_position(positions_of(*source).at(0).bytes, "s")).offset == 5U);
}

// 40 MB of rows, of which few wait.
BOOST_FIXTURE_TEST_CASE(reading_ahead_is_bounded, fixture) {
  topics.create("t", test::click_columns, 2, {}, std::uint64_t{64} << 20);
  for (std::uint32_t p = 0; p < 2; ++p)
    for (int i = 0; i < 200; ++i)
      topics.add("t", clicks(4'000 * i, 4'000), p);
  const auto source = open(context());
  run_jobs();
  std::size_t held = 0;
  test::collector out;
  for (;;) {
    step_budget budget;
    const auto status = require(source->read(1, budget, out));
    if (status.what != kind::more)
      break;
  }
  for (const auto& x : out.batches)
    held += byte_size(*x);
  BOOST_TEST(held > std::size_t{1} << 20);
  BOOST_TEST(held < std::size_t{8} << 20);
  require(read_all(*source, out));
  BOOST_TEST(test::all_values(out.batches).size() == 1'600'000U);
}

// A writer, a reader and jobs in threads of their own.
BOOST_FIXTURE_TEST_CASE(rows_that_come_at_any_time_are_all_read, fixture) {
  topics.create("t", test::click_columns, 3);
  test::thread_executor threads;
  test::waker waker;
  auto with = context();
  with.io = &threads;
  with.wake = waker.function();
  {
    const auto source = open(with);
    constexpr std::int64_t count = 3'000;
    std::thread writer([&] {
      for (std::int64_t i = 0; i < count; ++i)
        topics.add("t", clicks(i, 1), static_cast<std::uint32_t>(i % 3));
    });
    test::collector out;
    while (source->counters().rows != count) {
      step_budget budget;
      const auto status = require(source->read(1, budget, out));
      if (status.what == kind::waiting && source->counters().rows != count)
        waker.wait();
    }
    writer.join();
    BOOST_TEST(test::sorted(test::all_values(out.batches)) == counting(0, count),
               boost::test_tools::per_element());
  }
}

// The second row of each round comes about when a job looks for the first one.
BOOST_FIXTURE_TEST_CASE(a_row_behind_another_one_is_never_missed, fixture) {
  using clock = std::chrono::steady_clock;
  topics.create("t", test::click_columns, 1);

  /// Begins each job late, by up to what an append takes.
  class late_executor final : public io_executor {
  public:
    std::uint64_t open_lane() override {
      return inner_.open_lane();
    }

    void submit(std::uint64_t lane, std::function<void()> job) override {
      inner_.submit(lane, [this, job = std::move(job)] {
        next_ = next_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        const auto until = clock::now() + std::chrono::nanoseconds((next_ >> 33) % (1 + limit));
        while (clock::now() < until) {
        }
        job();
      });
    }

    std::atomic<std::uint64_t> limit = 0; ///< nanoseconds
  private:
    std::uint64_t next_ = 1; ///< of the thread
    test::thread_executor inner_;
  };

  late_executor threads;
  std::atomic<bool> woken = true;
  auto with = context();
  with.io = &threads;
  with.wake = [&] { woken = true; };
  const auto source = open(with);
  std::int64_t sent = 0;
  test::collector out;
  for (int round = 0; round < 300; ++round) {
    topics.add("t", clicks(sent++, 1));
    const auto start = clock::now();
    topics.add("t", clicks(sent++, 1));
    threads.limit =
        static_cast<std::uint64_t>(std::chrono::nanoseconds(clock::now() - start).count());
    while (source->counters().rows != static_cast<std::uint64_t>(sent)) {
      BOOST_TEST_REQUIRE((clock::now() < start + std::chrono::seconds(20)), "a row was missed");
      if (!woken.exchange(false))
        continue;
      step_budget budget;
      require(source->read(1, budget, out));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace ebb
