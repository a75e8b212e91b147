// The runtime on real threads: the sharing scheduler and whole runs.
#include "actors/runtime/engine_config.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/runtime/run_plans.hpp"
#include "tests/support/scripted_stream.hpp"

#include <boost/test/unit_test.hpp>
#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <chrono>
#include <future>

using namespace ebb; // NOLINT
using namespace ebb::test;

namespace {

stream_environment real_environment(io_executor& io) {
  stream_environment x;
  x.make = passing;
  x.io = &io;
  x.clock = [] {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(scheduler)

BOOST_AUTO_TEST_CASE(a_ping_pong_pair_does_not_starve_another_actor) {
  using ball_atom = caf::atom_constant<caf::atom("ball")>;
  std::atomic<bool> stop = false;
  std::promise<void> reached;
  auto future = reached.get_future();
  {
    engine_config config(1);
    caf::actor_system system(config);
    const auto player = [&](caf::event_based_actor* self) -> caf::behavior {
      return {[&stop, self](ball_atom, const caf::actor& other) {
        if (stop)
          self->quit();
        self->send(other, ball_atom::value, caf::actor_cast<caf::actor>(self));
      }};
    };
    auto one = system.spawn(player);
    auto two = system.spawn(player);
    caf::anon_send(one, ball_atom::value, two);
    auto third = system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      return {[&reached, self](int) {
        reached.set_value();
        self->quit();
      }};
    });
    caf::anon_send(third, 1);
    const auto status = future.wait_for(std::chrono::seconds(30));
    stop = true;
    caf::anon_send_exit(one, caf::exit_reason::kill);
    caf::anon_send_exit(two, caf::exit_reason::kill);
    BOOST_TEST((status == std::future_status::ready));
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(real_runs)

BOOST_AUTO_TEST_CASE(rows_arrive_once_on_any_number_of_threads) {
  const auto expected = values_of(*row_range(0, 200'000));
  for (const std::uint32_t threads : {1U, 2U, 4U})
    for (const std::uint32_t parallelism : {1U, 2U, 5U})
      BOOST_TEST_CONTEXT("threads " << threads << " parallelism " << parallelism) {
        io_pool pool;
        scripted_connectors connectors;
        connectors.script = counting_script(2000);
        const std::vector<planned_stream> streams{shuffled_stream(parallelism)};
        run_options options;
        options.threads = threads;
        const auto reports = run_plans_in(real_environment(pool), streams, connectors, options);
        BOOST_REQUIRE(static_cast<bool>(reports));
        BOOST_TEST(reports->at(0).finished);
        BOOST_TEST(reports->at(0).sinks.at(0).rows == 200'000U);
        BOOST_TEST(connectors.log.sorted() == expected, boost::test_tools::per_element());
      }
}

BOOST_AUTO_TEST_CASE(progress_is_shown_and_an_interrupt_ends_an_endless_stream) {
  io_pool pool;
  scripted_connectors connectors;
  connectors.opens_source = [](const auto&) { return std::make_unique<endless_source>(); };
  const std::vector<planned_stream> streams{shuffled_stream(2), shuffled_stream(1)};
  std::atomic<bool> interrupted = false;
  run_options options;
  options.interrupted = &interrupted;
  int shown = 0;
  options.progress = [&](const run_progress& x) {
    BOOST_TEST(x.streams.size() == 2U);
    if (++shown == 3)
      interrupted = true;
  };
  const auto reports = run_plans_in(real_environment(pool), streams, connectors, options);
  BOOST_REQUIRE(static_cast<bool>(reports));
  BOOST_TEST(shown >= 3);
  for (const auto& x : *reports) {
    BOOST_TEST(x.interrupted);
    BOOST_TEST(x.sources.at(0).rows > 0U);
    BOOST_TEST(x.sources.at(0).rows == x.sinks.at(0).rows);
  }
}

BOOST_AUTO_TEST_CASE(a_failing_stream_stops_the_others_and_its_error_is_the_result) {
  io_pool pool;
  scripted_connectors connectors;
  int opened = 0;
  connectors.opens_source = [&](const auto&) -> std::unique_ptr<source_reader> {
    if (opened++ == 0)
      return std::make_unique<endless_source>();
    return std::make_unique<scripted_source>(
        std::vector<source_action>{fail_with(make_error(ec::io, "disk is gone"))});
  };
  const std::vector<planned_stream> streams{shuffled_stream(1), shuffled_stream(1)};
  const auto reports = run_plans_in(real_environment(pool), streams, connectors, {});
  BOOST_REQUIRE(!reports);
  BOOST_TEST(to_string(reports.error()) == "stream s, source in: disk is gone");
}

BOOST_AUTO_TEST_CASE(a_missing_source_is_found_before_anything_is_opened) {
  io_pool pool;
  scripted_connectors connectors;
  connectors.missing = "in";
  const std::vector<planned_stream> streams{shuffled_stream(1)};
  const auto reports = run_plans_in(real_environment(pool), streams, connectors, {});
  BOOST_REQUIRE(!reports);
  BOOST_TEST(reports.error().message == "no such file");
  BOOST_TEST(connectors.wakes.empty());
}

BOOST_AUTO_TEST_SUITE_END()
