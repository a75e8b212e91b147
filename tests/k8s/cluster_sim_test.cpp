// The reconcilers against a model of an API server, with faults and crashes, by seeds.
#include "tests/k8s/cluster_scenario.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>

namespace ebb::test {

namespace {

std::uint32_t seeds() {
  const char* x = std::getenv("EBB_SEEDS");
  return x == nullptr ? 1000 : static_cast<std::uint32_t>(std::stoul(x));
}

std::uint32_t first_seed() {
  const char* x = std::getenv("EBB_SEED");
  return x == nullptr ? 1 : static_cast<std::uint32_t>(std::stoul(x));
}

} // namespace

// EBB_SEED=7 EBB_SEEDS=1 runs the seventh alone.
BOOST_AUTO_TEST_CASE(whatever_happens_the_cluster_and_the_service_agree_in_the_end) {
  for (auto seed = first_seed(); seed < first_seed() + seeds(); ++seed)
    BOOST_TEST_CONTEXT("EBB_SEED=" << seed << " EBB_SEEDS=1") {
      scenario x(seed);
      const auto level = seed % 3;
      x.api.faults = {0.1 * level, 0.1 * level, 0.05 * level, 0.05 * level,
                      0.1 * level, 0.1 * level, 0.1 * level};
      micros at = 0;
      for (int i = 0; i < 40; ++i) {
        x.step();
        at += static_cast<micros>(x.api.chance() * 3e6);
        BOOST_REQUIRE(x.api.run_until(at));
      }
      // Less than a call a second an object: three mirrors, ten objects, a few pods.
      BOOST_TEST(static_cast<double>(x.api.calls())
                 < 60 + 20.0 * static_cast<double>(at) / micros_per_second);
      x.api.faults = {};
      x.api.down = false;
      at += 600 * micros_per_second;
      BOOST_REQUIRE(x.api.run_until(at));
      x.check();
      // At rest: watches alone.
      const auto before = x.api.calls();
      const auto applies = x.desk.applies;
      BOOST_REQUIRE(x.api.run_until(at + 600 * micros_per_second));
      BOOST_TEST(x.api.calls() - before <= 12U + 10U);
      BOOST_TEST(x.desk.applies == applies);
    }
}

// Kubernetes lists may be old: what is missing from one is asked for before it is removed.
BOOST_AUTO_TEST_CASE(what_is_missing_from_an_old_list_is_not_removed) {
  scenario x(3);
  x.api.put(streams,
            {{"metadata", {{"name", "s"}, {"namespace", "a"}}}, {"spec", {{"what", "x"}}}});
  BOOST_REQUIRE(x.api.run_until(5 * micros_per_second));
  BOOST_TEST(x.desk.all.size() == 1U);
  // The service has one that the mirror does not know: as after a list that is behind.
  x.desk.all[{resource_kind::stream, "a", "other"}] = {"00000000000000000000000000000001", "", ""};
  x.crash();
  BOOST_REQUIRE(x.api.run_until(20 * micros_per_second));
  BOOST_TEST(x.desk.all.size() == 1U); // it is really not there
  BOOST_TEST(x.desk.removed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_kind_that_is_not_there_removes_nothing) {
  scenario x(4);
  x.desk.all[{resource_kind::stream, "a", "s"}] = {"00000000000000000000000000000001", "", ""};
  x.api.down = true;
  x.crash();
  BOOST_REQUIRE(x.api.run_until(60 * micros_per_second));
  BOOST_TEST(x.desk.all.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_thousand_streams_at_rest_cost_watches_alone) {
  scenario x(5);
  for (int i = 0; i < 1000; ++i)
    x.api.put(streams, {{"metadata", {{"name", "s" + std::to_string(i)}, {"namespace", "a"}}},
                        {"spec", {{"what", "good"}}}});
  BOOST_REQUIRE(x.api.run_until(300 * micros_per_second));
  BOOST_TEST(x.desk.all.size() == 1000U);
  const auto before = x.api.calls();
  BOOST_REQUIRE(x.api.run_until(900 * micros_per_second));
  BOOST_TEST(x.api.calls() - before <= 50U); // in ten minutes
}

} // namespace ebb::test
