// Single bad days, which seeds would bring too rarely: an API server that is behind, nodes that go.
#include "tests/k8s/cluster_scenario.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace ebb::test {

namespace {

constexpr micros minute = 60 * micros_per_second;

kube_json stream_named(const std::string& name) {
  return {{"metadata", {{"name", name}, {"namespace", "a"}}}, {"spec", {{"what", "good"}}}};
}

bool has_pod(const scenario& x, const std::string& worker) {
  return x.api.find(pods, pod_name(worker)) != nullptr;
}

/// `worker` has its pod, running.
void let_run(scenario& x, const std::string& worker, micros& at) {
  at += 5 * micros_per_second;
  BOOST_REQUIRE(x.api.run_until(at));
  BOOST_REQUIRE(has_pod(x, worker));
}

} // namespace

// F3: control starts anew against an API server whose lists and watches are ten minutes old.
BOOST_AUTO_TEST_CASE(an_api_server_that_is_behind_loses_nothing_that_lives) {
  scenario x(11);
  micros at = 0;
  x.api.put(streams, stream_named("old"));
  x.api.put(streams, stream_named("again"));
  BOOST_REQUIRE(x.api.run_until(at += 5 * micros_per_second));
  const auto first = x.desk.all;
  BOOST_REQUIRE(first.size() == 2U);
  x.api.fall_behind();
  BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
  // What the lists do not know: a new one, and another one of the same name. Control has both.
  x.api.erase(streams, "again");
  x.api.put(streams, stream_named("again"));
  x.api.put(streams, stream_named("new"));
  for (const auto* name : {"again", "new"})
    x.desk.all[{resource_kind::stream, "a", name}] = {
        service_uid(text_at(*x.api.find(streams, name), {"metadata", "uid"})), "{}", ""};
  const auto held = x.desk.all;
  const auto removed = x.desk.removed.size();
  const auto worker = x.want_worker();
  BOOST_REQUIRE(x.api.run_until(at += micros_per_second));
  x.crash();
  x.listener.wanted.insert(worker);
  x.workers->adopt(worker);
  BOOST_REQUIRE(x.api.run_until(at += 10 * micros_per_second));
  BOOST_TEST(has_pod(x, worker)); // that no list shows
  BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
  for (const auto& [k, was] : held)
    BOOST_TEST_CONTEXT(std::get<2>(k)) {
      BOOST_REQUIRE(x.desk.all.contains(k));
      BOOST_TEST(x.desk.all.at(k).uid == was.uid);
    }
  BOOST_TEST(x.desk.removed.size() == removed);
  x.api.catch_up();
  BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
  x.check();
}

// F7: a drained node's pods are deleted with grace: their ends are told once, no pod comes back.
BOOST_AUTO_TEST_CASE(a_drained_nodes_workers_end_and_are_not_made_again) {
  scenario x(12);
  x.nodes_fail = false;
  micros at = 0;
  const auto one = x.want_worker();
  const auto two = x.want_worker();
  let_run(x, one, at);
  x.api.erase(pods, pod_name(one)); // deleted, and gone at once
  x.evict(two);
  BOOST_REQUIRE(x.api.run_until(at += 5 * micros_per_second));
  BOOST_TEST(x.listener.wanted.empty());
  BOOST_TEST(x.listener.ends == 2);
  BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
  BOOST_TEST(x.api.all("pods").empty());
  BOOST_TEST(x.listener.ends == 2);
}

// F7: a node that is cut off for ten minutes, while its worker is to end.
BOOST_AUTO_TEST_CASE(a_pod_of_a_node_that_is_cut_off_is_struck_off) {
  for (const auto how : {worker_wish::end, worker_wish::kill}) {
    scenario x(13);
    x.nodes_fail = false;
    micros at = 0;
    const auto worker = x.want_worker();
    let_run(x, worker, at);
    const auto calls = x.api.calls();
    x.cut_off = true;
    x.workers->wish(worker, how);
    BOOST_REQUIRE(x.api.run_until(at += 10 * micros_per_second));
    BOOST_TEST(has_pod(x, worker));
    BOOST_TEST(x.listener.ends == 0); // it may run still: its number is given to nobody
    // A new worker is another number, whatever becomes of the old one.
    const auto next = x.want_worker();
    BOOST_TEST(next != worker);
    BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
    BOOST_TEST(!has_pod(x, worker));
    BOOST_TEST(x.listener.ends == 1);
    BOOST_TEST(x.api.calls() - calls < 40U); // no hot loop
    x.cut_off = false;
    BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
    BOOST_TEST(!has_pod(x, worker));
    BOOST_TEST(x.listener.ends == 1);
  }
}

// F7: the name is freed by force while the API server answers late: another pod of the name is
// another pod.
BOOST_AUTO_TEST_CASE(a_pod_is_deleted_by_its_uid_alone) {
  scenario x(14);
  x.nodes_fail = false;
  micros at = 0;
  const auto worker = x.want_worker();
  let_run(x, worker, at);
  const auto pod = *x.api.find(pods, pod_name(worker));
  x.api.fall_behind(); // control sees no more of it
  x.api.erase(pods, pod_name(worker));
  auto other = pod;
  other["metadata"].erase("uid");
  x.api.put(pods, other);
  const auto uid = text_at(*x.api.find(pods, pod_name(worker)), {"metadata", "uid"});
  x.workers->wish(worker, worker_wish::kill);
  BOOST_REQUIRE(x.api.run_until(at += minute));
  BOOST_REQUIRE(has_pod(x, worker));
  BOOST_TEST(text_at(*x.api.find(pods, pod_name(worker)), {"metadata", "uid"}) == uid);
  x.api.catch_up();
  BOOST_REQUIRE(x.api.run_until(at += 10 * minute));
  BOOST_TEST(!has_pod(x, worker)); // nobody wants it
}

} // namespace ebb::test
