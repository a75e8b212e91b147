#include "actors/connectors/factory.hpp"
#include "actors/runtime/run_stream.hpp"
#include "tests/connectors/topics_support.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

namespace ebb {
namespace {

using test::clicks;
using test::counting;
using test::require;

/// Topics `a` and `b`, and a stream from one to the other that leaves odd accounts out.
struct fixture {
  test::temporary_folder folder;
  test::local_topics topics{folder.path()};
  std::unique_ptr<connector_factory> connectors = make_connectors(&topics);
  std::atomic<bool> interrupted = false;

  explicit fixture(std::uint32_t partitions = 3) {
    topics.create("a", test::click_columns, partitions, "account");
    topics.create("b", test::click_columns, 2, "account");
  }

  static stream_definition definition(const std::string& more = {}) {
    std::vector<error> warnings;
    auto streams = require(parse_manifest(R"yaml(
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: even}
spec:
  sources:
    - {name: s, schema: "account BIGINT, page TEXT", topic: {name: a}}
  operators:
    - {name: evens, sql: "SELECT page, account FROM s WHERE account % 2 = 0"}
  sinks:
    - topic: {name: b}
)yaml" + more,
                                          "m.yaml", warnings));
    return std::move(streams.at(0));
  }

  /// Runs until the stream ends or is interrupted.
  result<std::vector<stream_report>> run(const stream_definition& stream, bool data = true) {
    run_options options;
    options.threads = 2;
    options.interrupted = &interrupted;
    if (data) {
      data_options where;
      where.folder = folder / "data";
      std::filesystem::create_directories(where.folder);
      EBB_ASSIGN(options.data, open_run_data(where));
    }
    return run_streams({&stream, 1}, *connectors, options);
  }

  [[nodiscard]] std::vector<std::int64_t> result_accounts() {
    std::vector<std::int64_t> all;
    for (std::uint32_t p = 0; p < 2; ++p) {
      const auto some = test::all_values(topics.rows("b", p));
      all.insert(all.end(), some.begin(), some.end());
    }
    return test::sorted(all);
  }

  /// Runs until `b` has so many rows, then interrupts it.
  void run_until(const stream_definition& stream, std::size_t rows, bool data = true) {
    interrupted = false;
    auto running = std::async(std::launch::async, [&] { return run(stream, data); });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (result_accounts().size() < rows && std::chrono::steady_clock::now() < deadline
           && running.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
    }
    interrupted = true;
    const auto reports = require(running.get());
    BOOST_TEST(reports.at(0).interrupted);
  }

  void add(std::int64_t first, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; i += 100)
      topics.add("a", clicks(first + i, std::min(100U, count - i)), (i / 100) % 3);
  }
};

std::vector<std::int64_t> evens(std::int64_t end) {
  std::vector<std::int64_t> x;
  for (std::int64_t i = 0; i < end; i += 2)
    x.push_back(i);
  return x;
}

BOOST_AUTO_TEST_SUITE(streams_over_topics)

BOOST_FIXTURE_TEST_CASE(exactly_once_over_interrupts_and_parallelism, fixture) {
  const std::string often = "  checkpoint: {interval: 20ms}\n";
  add(0, 3'000);
  run_until(definition(often), 1'500);
  add(3'000, 3'000);
  run_until(definition(often + "  parallelism: 3\n"), 3'000);
  add(6'000, 500);
  run_until(definition(often + "  parallelism: 2\n"), 3'250);
  BOOST_TEST(result_accounts() == evens(6'500), boost::test_tools::per_element());
  // Nothing new: nothing comes.
  run_until(definition(often), 3'250);
  BOOST_TEST(result_accounts().size() == 3'250U);
}

// The stream dies with output that is committed and not applied.
BOOST_FIXTURE_TEST_CASE(committed_output_is_applied_by_the_next_run, fixture) {
  const auto stream = definition("  checkpoint: {interval: 20ms}\n");
  add(0, 1'000);
  topics.refuse_files(1, ec::conflict);
  const auto failed = run(stream);
  BOOST_REQUIRE(!failed);
  BOOST_TEST(failed.error().message.find("the control process is gone") != std::string::npos);
  BOOST_TEST(result_accounts().empty());
  // Appended, but the stream dies before it knows.
  topics.forget_answers_of_files(1, ec::conflict);
  BOOST_TEST(!run(stream));
  BOOST_TEST(result_accounts().size() == 500U);
  add(1'000, 200);
  run_until(stream, 600);
  BOOST_TEST(result_accounts() == evens(1'200), boost::test_tools::per_element());
}

// The control process is away for a while: the stream waits for it.
BOOST_FIXTURE_TEST_CASE(output_that_cannot_be_applied_now_is_applied_later, fixture) {
  topics.refuse_files(1, ec::io);
  topics.forget_answers_of_files(1, ec::io);
  add(0, 1'000);
  run_until(definition("  checkpoint: {interval: 20ms}\n"), 500);
  add(1'000, 200);
  run_until(definition("  checkpoint: {interval: 20ms}\n"), 600);
  BOOST_TEST(result_accounts() == evens(1'200), boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(at_least_once_with_and_without_checkpoints, fixture) {
  const auto stream = definition("  checkpoint: {interval: 20ms, mode: at-least-once}\n");
  add(0, 1'000);
  run_until(stream, 500);
  add(1'000, 1'000);
  run_until(stream, 1'000);
  BOOST_TEST(result_accounts() == evens(2'000), boost::test_tools::per_element());
  // Without data every run begins anew.
  run_until(stream, 2'000, false);
  BOOST_TEST(result_accounts().size() == 2'000U);
}

BOOST_FIXTURE_TEST_CASE(a_chain_of_streams, fixture) {
  topics.create("c", test::click_columns);
  auto second = definition("  checkpoint: {interval: 20ms}\n");
  second.name = "second";
  std::get<topic_source>(second.sources[0].connector).name = "b";
  std::get<topic_sink>(second.sinks[0].connector).name = "c";
  const std::vector<stream_definition> both = {definition("  checkpoint: {interval: 20ms}\n"),
                                               second};
  run_options options;
  options.interrupted = &interrupted;
  data_options where;
  where.folder = folder / "data";
  std::filesystem::create_directories(where.folder);
  options.data = require(open_run_data(where));
  auto running =
      std::async(std::launch::async, [&] { return run_streams(both, *connectors, options); });
  add(0, 2'000);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (topics.bounds("c").at(0).end < 1'000 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  interrupted = true;
  require(running.get());
  BOOST_TEST(test::sorted(test::all_values(topics.rows("c"))) == evens(2'000),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(what_is_not_there_is_named_before_anything_runs, fixture) {
  auto stream = definition();
  std::get<topic_sink>(stream.sinks[0].connector).name = "c";
  const auto sink = run(stream);
  BOOST_REQUIRE(!sink);
  BOOST_TEST(sink.error().message == "sink sink: there is no topic c");
  BOOST_TEST((sink.error().code == ec::not_found));
  stream = definition();
  std::get<topic_source>(stream.sources[0].connector).name = "c";
  const auto source = run(stream);
  BOOST_REQUIRE(!source);
  BOOST_TEST(source.error().message == "source s: there is no topic c");
  BOOST_TEST(source.error().place.line == 7U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace ebb
