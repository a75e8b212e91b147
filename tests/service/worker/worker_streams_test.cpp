// Streams in real `ebb worker` processes.
#include "tests/service/worker/scripted_control.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace ebb;
using namespace std::chrono_literals;

namespace {

/// Topic `events` to out.ndjson, the number doubled.
constexpr const char* copy_manifest = R"(apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: copy}
spec:
  checkpoint: {interval: 100ms}
  sources:
    - {name: events, schema: id BIGINT, topic: {name: events}}
  operators:
    - name: doubled
      sql: SELECT id, id * 2 AS twice FROM events
  sinks:
    - file: {path: out.ndjson, format: json}
)";

/// Topic `events` to topic `copies`.
constexpr const char* chain_manifest = R"(apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: chain}
spec:
  checkpoint: {interval: 100ms}
  sources:
    - {name: events, schema: id BIGINT, topic: {name: events}}
  operators:
    - name: copies
      sql: SELECT id FROM events
  sinks:
    - topic: {name: copies}
)";

/// Bounded, with windows: its counts add up to the bids of the events.
constexpr const char* window_manifest = R"(apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: windows}
spec:
  checkpoint: {interval: 100ms}
  sources:
    - name: bid
      eventTime: {column: date_time}
      nexmark: {table: bid, events: 300000, eventsPerSecond: 1000, rate: 100000, seed: 7}
  operators:
    - name: counts
      sql: |
        SELECT window_start, auction, count(*) AS n
        FROM tumble(bid, date_time, INTERVAL '10 seconds') GROUP BY window_start, auction
  sinks:
    - file: {path: out.ndjson, format: json}
)";

struct fixture {
  fixture() {
    control.come(1);
    control.make_topic("events", 2);
  }

  start_stream order(const std::string& uid, std::uint64_t placement,
                     const char* manifest = copy_manifest, const std::string& name = "copy") {
    start_stream x;
    x.uid = uid;
    x.placement = placement;
    x.name = name;
    x.name_space = "default";
    x.folder = control.folder() + "/files";
    x.data_folder = control.folder() + "/data";
    x.manifest = manifest;
    return x;
  }

  /// Starts it in the worker that has said hello last, and waits until it runs.
  std::uint64_t start(const std::string& uid, std::uint64_t placement,
                      const char* manifest = copy_manifest, const std::string& name = "copy") {
    control.allow(uid, placement);
    control.send(order(uid, placement, manifest, name));
    const auto x = control.wait_for<stream_started>(
        [&](const stream_started& y) { return y.placement == placement; });
    if (!x)
      for (const auto& y : control.heard<stream_ended>())
        BOOST_TEST_MESSAGE((y.problem ? to_string(*y.problem) : std::string("ended")));
    BOOST_REQUIRE(x);
    return x->generation;
  }

  void wait_for_worker() {
    BOOST_REQUIRE(control.wait_for<worker_hello>());
  }

  stream_ended stop(const std::string& uid, std::uint64_t placement) {
    control.send(stop_stream{uid, placement, false});
    const auto x = control.wait_for<stream_ended>(
        [&](const stream_ended& y) { return y.placement == placement; });
    BOOST_REQUIRE(x);
    return *x;
  }

  [[nodiscard]] std::vector<std::string> lines() const {
    std::ifstream in(control.folder() + "/files/out.ndjson");
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);)
      all.push_back(line);
    return all;
  }

  /// Numbers in the output; each line must be whole and right.
  [[nodiscard]] std::vector<std::int64_t> ids() const {
    std::vector<std::int64_t> all;
    for (const auto& line : lines()) {
      const auto id = std::stoll(line.substr(line.find(':') + 1));
      BOOST_TEST(line
                 == "{\"id\":" + std::to_string(id) + ",\"twice\":" + std::to_string(2 * id) + "}");
      all.push_back(id);
    }
    return all;
  }

  /// 0 … count-1, each once.
  void expect_ids(std::int64_t count) const {
    auto all = ids();
    std::sort(all.begin(), all.end());
    BOOST_TEST(all.size() == static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] != static_cast<std::int64_t>(i)) {
        BOOST_ERROR("row " << i << " of the output is " << all[i]);
        return;
      }
  }

  bool wait_for_lines(std::size_t count) const {
    for (int i = 0; i < 3000 && lines().size() < count; ++i)
      std::this_thread::sleep_for(10ms);
    return lines().size() >= count;
  }

  ebb::test::scripted_control control;
};

/// In KiB.
std::uint64_t resident(std::int64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("VmRSS:"))
      return std::stoull(line.substr(6));
  return 0;
}

/// In clock ticks, of all threads.
std::uint64_t cpu_ticks(std::int64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(in, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i)
    fields >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  fields >> user >> system;
  return user + system;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(worker_streams, fixture)

BOOST_AUTO_TEST_CASE(a_stream_starts_stops_and_goes_on) {
  const auto uid = control.make_stream("copy");
  control.start_worker("worker-1");
  wait_for_worker();
  control.add_rows("events", 0, 0, 500);
  const auto first = start(uid, 1);
  BOOST_TEST(first >= 1U);
  control.add_rows("events", 1, 500, 500);
  BOOST_TEST(wait_for_lines(1000));
  BOOST_TEST(control
                 .wait_for<stream_status>([](const stream_status& x) {
                   return x.busy && !x.sources.empty() && x.sources[0].rows > 0;
                 })
                 .has_value());
  BOOST_TEST(control
                 .wait_for<stream_status>([](const stream_status& x) {
                   return !x.busy && x.sources[0].rows == 1000 && x.sinks[0].rows == 1000
                          && x.checkpoints.completed > 0;
                 })
                 .has_value());

  control.send(savepoint_stream{77, uid, 1, "before"});
  const auto made = control.wait_for<savepoint_made>();
  BOOST_REQUIRE(made);
  BOOST_TEST(made->id == 77U);
  BOOST_TEST(made->epoch != 0U);
  BOOST_TEST(!made->problem.has_value());

  control.add_rows("events", 0, 1000, 10);
  BOOST_TEST(wait_for_lines(1010));
  const auto ended = stop(uid, 1);
  BOOST_TEST(ended.cut);
  BOOST_TEST(!ended.finished);
  BOOST_TEST(!ended.problem.has_value());
  BOOST_TEST(lines().size() == 1010U);
  const auto record = control.newest_record(uid);
  BOOST_REQUIRE(record);
  BOOST_TEST(record->positions.size() == 2U);

  control.send(stop_stream{uid, 1, true}); // released
  control.add_rows("events", 0, 1010, 90);
  BOOST_TEST(start(uid, 2) > first);
  BOOST_TEST(wait_for_lines(1100));
  BOOST_TEST(stop(uid, 2).cut);
  expect_ids(1100);
}

BOOST_AUTO_TEST_CASE(a_quiet_stream_is_told_every_few_seconds) {
  const auto uid = control.make_stream("copy");
  control.start_worker("worker-1");
  wait_for_worker();
  start(uid, 1);
  BOOST_REQUIRE(control.wait_for<stream_status>([](const auto& x) { return !x.busy; }));
  control.forget();
  const auto before = std::chrono::steady_clock::now();
  BOOST_TEST(control.wait_for<stream_status>().has_value());
  BOOST_TEST((std::chrono::steady_clock::now() - before < 5s));
  std::this_thread::sleep_for(1s);
  BOOST_TEST(control.heard<stream_status>().size() <= 2U);
}

BOOST_AUTO_TEST_CASE(a_stream_goes_on_without_a_control_process_and_is_adopted) {
  const auto uid = control.make_stream("copy");
  control.start_worker("worker-1");
  wait_for_worker();
  const auto generation = start(uid, 1);
  std::int64_t next = 0;
  const auto add = [&](std::uint32_t count) {
    control.add_rows("events", static_cast<std::uint32_t>(next % 2), next, count);
    next += count;
  };
  for (int i = 0; i < 20; ++i) {
    add(50);
    std::this_thread::sleep_for(10ms);
  }
  for (std::uint64_t incarnation = 2; incarnation < 5; ++incarnation) {
    control.go();
    control.forget();
    // Nobody is told of these.
    for (int i = 0; i < 10; ++i) {
      add(37);
      std::this_thread::sleep_for(30ms);
    }
    control.come(incarnation);
    const auto hello = control.wait_for<worker_hello>();
    BOOST_REQUIRE(hello);
    BOOST_REQUIRE_EQUAL(hello->hosted.size(), 1U);
    BOOST_TEST((hello->hosted[0] == hosted_stream{uid, 1, generation}));
    add(11);
    BOOST_TEST(wait_for_lines(static_cast<std::size_t>(next)));
  }
  // The link alone breaks, time and again, with calls under way.
  for (int i = 0; i < 15; ++i) {
    control.cut_links();
    add(13);
    std::this_thread::sleep_for(40ms);
  }
  BOOST_TEST(wait_for_lines(static_cast<std::size_t>(next)));
  BOOST_TEST(control.heard<stream_ended>().empty());
  BOOST_TEST(stop(uid, 1).cut);
  expect_ids(next);
}

BOOST_AUTO_TEST_CASE(an_end_without_a_control_process_is_said_to_the_next) {
  const auto uid = control.make_stream("windows");
  control.start_worker("worker-1");
  wait_for_worker();
  start(uid, 1, window_manifest, "windows");
  control.go();
  std::this_thread::sleep_for(1s);
  control.come(2);
  const auto ended = control.wait_for<stream_ended>();
  BOOST_REQUIRE(ended);
  BOOST_TEST(ended->finished);
  // Not released: said again.
  control.forget();
  control.cut_links();
  BOOST_TEST(control.wait_for<stream_ended>().has_value());
  control.send(stop_stream{uid, 1, true});
  std::this_thread::sleep_for(100ms);
  control.forget();
  control.cut_links();
  const auto hello = control.wait_for<worker_hello>();
  BOOST_REQUIRE(hello);
  BOOST_TEST(hello->hosted.empty());
}

BOOST_AUTO_TEST_CASE(a_refused_placement_is_killed_and_writes_no_more) {
  const auto uid = control.make_stream("copy");
  control.start_worker("worker-1");
  wait_for_worker();
  start(uid, 1);
  control.add_rows("events", 0, 0, 100);
  BOOST_TEST(wait_for_lines(100));
  control.allow(uid, 2); // somebody else has it now
  control.forget();
  control.cut_links();
  const auto ended = control.wait_for<stream_ended>();
  BOOST_REQUIRE(ended);
  BOOST_TEST(!ended->cut);
  BOOST_TEST(!ended->finished);
  control.add_rows("events", 0, 100, 100);
  std::this_thread::sleep_for(500ms);
  BOOST_TEST(lines().size() == 100U);
  control.forget();
  control.cut_links();
  const auto hello = control.wait_for<worker_hello>();
  BOOST_REQUIRE(hello);
  BOOST_TEST(hello->hosted.empty());
  // The next placement, in the same worker, has all of it.
  start(uid, 2);
  BOOST_TEST(wait_for_lines(200));
  BOOST_TEST(stop(uid, 2).cut);
  expect_ids(200);
}

BOOST_AUTO_TEST_CASE(a_newer_placement_replaces_an_older_one_in_the_same_worker) {
  const auto uid = control.make_stream("copy");
  control.start_worker("worker-1");
  wait_for_worker();
  for (std::uint64_t placement = 1; placement <= 6; ++placement) {
    control.allow(uid, placement);
    control.add_rows("events", 0, static_cast<std::int64_t>(placement - 1) * 100, 100);
    control.send(order(uid, placement));
    if (placement % 2 == 0)
      std::this_thread::sleep_for(50ms);
  }
  BOOST_TEST(
      control.wait_for<stream_started>([](const auto& x) { return x.placement == 6; }).has_value());
  for (std::uint64_t placement = 1; placement < 6; ++placement)
    BOOST_TEST(
        control.wait_for<stream_ended>([&](const auto& x) { return x.placement == placement; })
            .has_value());
  BOOST_TEST(wait_for_lines(600));
  BOOST_TEST(stop(uid, 6).cut);
  expect_ids(600);
}

BOOST_AUTO_TEST_CASE(a_killed_worker_loses_and_doubles_nothing) {
  const auto uid = control.make_stream("copy");
  std::int64_t next = 0;
  for (std::uint64_t placement = 1; placement <= 4; ++placement) {
    control.forget();
    const auto pid = control.start_worker("worker-" + std::to_string(placement));
    wait_for_worker();
    start(uid, placement);
    for (int i = 0; i < 25; ++i) {
      control.add_rows("events", static_cast<std::uint32_t>(i % 2), next, 100);
      next += 100;
      std::this_thread::sleep_for(10ms);
    }
    if (placement == 4) {
      BOOST_TEST(wait_for_lines(static_cast<std::size_t>(next)));
      BOOST_TEST(stop(uid, placement).cut);
      break;
    }
    control.signal(pid, SIGKILL);
    BOOST_TEST((control.wait_for_exit(pid) == worker_exit{worker_exit::kind::signaled, SIGKILL}));
  }
  expect_ids(next);
}

BOOST_AUTO_TEST_CASE(a_frozen_worker_that_wakes_up_disturbs_nobody) {
  const auto uid = control.make_stream("copy");
  const auto frozen = control.start_worker("worker-1");
  wait_for_worker();
  const auto generation = start(uid, 1);
  std::int64_t next = 0;
  const auto add = [&] {
    for (int i = 0; i < 10; ++i) {
      control.add_rows("events", static_cast<std::uint32_t>(i % 2), next, 100);
      next += 100;
      std::this_thread::sleep_for(10ms);
    }
  };
  add();
  control.signal(frozen, SIGSTOP);
  add();
  control.forget();
  control.start_worker("worker-2");
  wait_for_worker();
  BOOST_TEST(start(uid, 2) > generation);
  add();
  control.forget();
  control.signal(frozen, SIGCONT);
  // Its link still works, so that only its calls and its files could do harm.
  add();
  control.cut_links();
  const auto ended = control.wait_for<stream_ended>([](const auto& x) { return x.placement == 1; });
  BOOST_REQUIRE(ended);
  BOOST_TEST(!ended->cut);
  add();
  BOOST_TEST(wait_for_lines(static_cast<std::size_t>(next)));
  // Whichever said hello last: the other knows nothing of the placement.
  control.forget();
  control.signal(frozen, SIGKILL);
  static_cast<void>(control.wait_for_exit(frozen));
  control.cut_links();
  wait_for_worker();
  BOOST_TEST(stop(uid, 2).cut);
  expect_ids(next);
}

BOOST_AUTO_TEST_CASE(rows_go_from_topic_to_topic_once_across_kills_and_cut_links) {
  control.make_topic("copies", 1);
  const auto uid = control.make_stream("chain");
  std::int64_t next = 0;
  for (std::uint64_t placement = 1; placement <= 3; ++placement) {
    control.forget();
    const auto pid = control.start_worker("worker-" + std::to_string(placement));
    wait_for_worker();
    start(uid, placement, chain_manifest, "chain");
    for (int i = 0; i < 30; ++i) {
      control.add_rows("events", 0, next, 100);
      next += 100;
      std::this_thread::sleep_for(10ms);
      if (i % 7 == 3)
        control.cut_links();
    }
    if (placement == 3)
      break;
    control.signal(pid, SIGKILL);
    static_cast<void>(control.wait_for_exit(pid));
  }
  control.forget();
  control.cut_links();
  wait_for_worker();
  BOOST_TEST(stop(uid, 3).cut);
  const auto all = control.rows_of_topic("copies", 0);
  BOOST_TEST(all.size() == static_cast<std::size_t>(next));
  // In order, too: one partition to one partition.
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] != static_cast<std::int64_t>(i)) {
      BOOST_ERROR("row " << i << " of the topic is " << all[i]);
      break;
    }
}

BOOST_AUTO_TEST_CASE(windows_of_a_bounded_stream_add_up_across_kills) {
  const auto uid = control.make_stream("windows");
  for (std::uint64_t placement = 1; placement <= 3; ++placement) {
    control.forget();
    const auto pid = control.start_worker("worker-" + std::to_string(placement));
    wait_for_worker();
    start(uid, placement, window_manifest, "windows");
    if (placement == 3)
      break;
    std::this_thread::sleep_for(700ms);
    control.signal(pid, SIGKILL);
    static_cast<void>(control.wait_for_exit(pid));
  }
  const auto ended = control.wait_for<stream_ended>();
  BOOST_REQUIRE(ended);
  BOOST_TEST(ended->finished);
  BOOST_TEST(!ended->cut);
  std::uint64_t sum = 0;
  for (const auto& line : lines())
    sum += std::stoull(line.substr(line.find("\"n\":") + 4));
  BOOST_TEST(sum == 300000U / 50 * 46);
  // A stream that has finished ends at once when it is started again.
  control.forget();
  control.allow(uid, 4);
  control.send(order(uid, 4, window_manifest, "windows"));
  const auto again = control.wait_for<stream_ended>();
  BOOST_REQUIRE(again);
  BOOST_TEST(again->finished);
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_to_end_makes_final_checkpoints) {
  const auto uid = control.make_stream("copy");
  for (std::uint64_t placement = 1; placement <= 2; ++placement) {
    control.forget();
    const auto pid = control.start_worker("worker-" + std::to_string(placement));
    wait_for_worker();
    start(uid, placement);
    control.add_rows("events", 0, static_cast<std::int64_t>(placement - 1) * 100, 100);
    BOOST_TEST(wait_for_lines(placement * 100));
    if (placement == 1)
      control.signal(pid, SIGTERM);
    else
      control.send(worker_shutdown{});
    const auto ended = control.wait_for<stream_ended>();
    BOOST_REQUIRE(ended);
    BOOST_TEST(ended->cut);
    BOOST_TEST((control.wait_for_exit(pid) == worker_exit{worker_exit::kind::exited, 0}));
  }
  expect_ids(200);
}

BOOST_AUTO_TEST_CASE(an_orphan_ends) {
  const auto uid = control.make_stream("copy");
  const auto pid = control.start_worker("worker-1", "0.5");
  wait_for_worker();
  start(uid, 1);
  control.add_rows("events", 0, 0, 100);
  BOOST_TEST(wait_for_lines(100));
  control.go();
  control.add_rows("events", 0, 100, 100);
  BOOST_TEST((control.wait_for_exit(pid) == worker_exit{worker_exit::kind::exited, 1}));
  control.come(2);
  control.forget();
  control.start_worker("worker-2");
  wait_for_worker();
  start(uid, 2);
  BOOST_TEST(wait_for_lines(200));
  BOOST_TEST(stop(uid, 2).cut);
  expect_ids(200);
}

BOOST_AUTO_TEST_CASE(a_stop_while_it_starts_still_makes_a_checkpoint) {
  const auto uid = control.make_stream("copy");
  control.start_worker("worker-1");
  wait_for_worker();
  control.add_rows("events", 0, 0, 100);
  control.allow(uid, 1);
  control.send(order(uid, 1));
  const auto ended = stop(uid, 1);
  BOOST_TEST(ended.cut);
  start(uid, 2);
  BOOST_TEST(wait_for_lines(100));
  control.allow(uid, 3);
  control.send(order(uid, 3));
  control.send(stop_stream{uid, 3, true});
  const auto killed =
      control.wait_for<stream_ended>([](const auto& x) { return x.placement == 3; });
  BOOST_REQUIRE(killed);
  BOOST_TEST(!killed->cut);
  expect_ids(100);
}

BOOST_AUTO_TEST_CASE(an_idle_worker_costs_little) {
  const auto uid = control.make_stream("copy");
  const auto begin = std::chrono::steady_clock::now();
  const auto pid = control.start_worker("worker-1");
  wait_for_worker();
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  BOOST_TEST_MESSAGE("from the start of the process to its hello: " << took.count() << " ms");
  const auto measure = [&](const char* when, std::uint64_t most) {
    std::this_thread::sleep_for(1s);
    const auto before = cpu_ticks(pid);
    std::this_thread::sleep_for(3s);
    const auto ticks = cpu_ticks(pid) - before;
    BOOST_TEST_MESSAGE(when << ": " << resident(pid) << " KiB, " << ticks << " ticks of "
                            << ::sysconf(_SC_CLK_TCK) << " a second in 3 s");
    BOOST_TEST(resident(pid) < most);
    BOOST_TEST(ticks <= 6U);
  };
  measure("never had a stream", 20'000);
  start(uid, 1);
  control.add_rows("events", 0, 0, 5000);
  BOOST_TEST(wait_for_lines(5000));
  measure("a quiet stream", 40'000);
  BOOST_TEST(stop(uid, 1).cut);
  control.send(stop_stream{uid, 1, true});
  measure("had a stream", 25'000);
}

BOOST_AUTO_TEST_SUITE_END()
