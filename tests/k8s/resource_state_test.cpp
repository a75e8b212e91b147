#include "k8s-bridge/cluster/resource_state.hpp"

#include "k8s-bridge/cluster/resource_status.hpp"

#include <boost/test/unit_test.hpp>

namespace ebb::test {

namespace {

constexpr const char* cluster_uid = "0123abcd-0000-4000-8000-00000000000a";

observed_resource wished() {
  observed_resource x;
  x.name_space = "a";
  x.name = "s";
  x.wishes_known = x.held_known = true;
  x.wished = wished_resource{cluster_uid, 3, false, "{}", nullptr};
  return x;
}

observed_resource held() {
  auto x = wished();
  x.held_uid = service_uid(cluster_uid);
  x.applied = tried_step{x.held_uid, 3, 0, {}, max_time};
  x.look_due = false;
  x.report = resource_report{};
  x.report->phase = "Asleep";
  x.report->reason = "Idle";
  x.report->ready = true;
  return x;
}

const kube_json& condition(const kube_json& status, const std::string& type) {
  for (const auto& x : status.at("conditions"))
    if (x.at("type") == type)
      return x;
  BOOST_FAIL("no condition " + type);
  return status;
}

} // namespace

BOOST_AUTO_TEST_CASE(nothing_is_done_before_both_sides_are_known) {
  auto x = wished();
  x.held_known = false;
  BOOST_TEST(desired_state(x, 0, 0).nothing());
  x = wished();
  x.wished.reset();
  x.held_uid = "old";
  x.wishes_known = false;
  BOOST_TEST(!desired_state(x, 0, 0).remove);
  x.wishes_known = true;
  BOOST_TEST(desired_state(x, 0, 0).remove);
}

BOOST_AUTO_TEST_CASE(another_uid_is_another_stream) {
  auto x = wished();
  x.held_uid = "00000000000000000000000000000001";
  const auto to = desired_state(x, 0, 0);
  BOOST_TEST(to.remove);
  BOOST_TEST(!to.apply);
}

BOOST_AUTO_TEST_CASE(each_generation_is_applied_once) {
  BOOST_TEST(desired_state(wished(), 0, 0).apply);
  auto x = held();
  BOOST_TEST(!desired_state(x, 0, 0).apply);
  x.wished->generation = 4;
  BOOST_TEST(desired_state(x, 0, 0).apply);
}

BOOST_AUTO_TEST_CASE(what_a_person_must_change_waits_for_topics_or_a_new_generation) {
  auto x = wished();
  x.applied = tried_step{service_uid(cluster_uid), 3, 7,
                         make_error(ec::invalid_argument, "there is no topic named t"), max_time};
  x.topics = 7;
  x.applied->problem->place.field = "spec.sources[0].topic";
  auto to = desired_state(x, 0, 0);
  BOOST_TEST(!to.apply);
  BOOST_REQUIRE(!!to.status);
  const auto& ready = condition(*to.status, "Ready");
  BOOST_TEST(ready.at("status") == "False");
  BOOST_TEST(ready.at("reason") == "InvalidSpec");
  BOOST_TEST(ready.at("message") == "spec.sources[0].topic: there is no topic named t");
  BOOST_TEST(to.status->at("observedGeneration") == 3);
  x.topics = 8;
  BOOST_TEST(desired_state(x, 0, 0).apply);
}

BOOST_AUTO_TEST_CASE(a_status_that_is_there_is_not_written_again) {
  auto x = held();
  const auto first = desired_state(x, 100, 100);
  BOOST_REQUIRE(!!first.status);
  x.written = *first.status;
  x.written_uid = cluster_uid;
  x.written_at = x.write_at = 100;
  BOOST_TEST(desired_state(x, 200, 200).nothing());
  // As another control process finds it.
  auto y = held();
  y.wished->status = *first.status;
  BOOST_TEST(desired_state(y, 300, 300).nothing());
}

BOOST_AUTO_TEST_CASE(numbers_wait_changes_of_phase_do_not) {
  auto x = held();
  x.report->phase = "Running";
  x.report->message = "for 1s";
  x.written = *desired_state(x, 100, 100).status;
  x.written_uid = cluster_uid;
  x.written_at = x.write_at = 100;
  x.report->message = "for 2s";
  const auto later = desired_state(x, 200, 200);
  BOOST_TEST(later.nothing());
  BOOST_TEST(later.again == 100 + 15 * micros_per_second);
  BOOST_TEST(!!desired_state(x, later.again, 200).status);
  x.report->phase = "Asleep";
  const auto now = desired_state(x, 200, 5 * micros_per_second);
  BOOST_REQUIRE(!!now.status);
  // Ready was so before: its time stays.
  BOOST_TEST(condition(*now.status, "Ready").at("lastTransitionTime")
             == condition(x.written, "Ready").at("lastTransitionTime"));
  BOOST_TEST(condition(*now.status, "Asleep").at("lastTransitionTime")
             != condition(x.written, "Asleep").at("lastTransitionTime"));
}

BOOST_AUTO_TEST_CASE(a_setback_is_a_degraded_stream) {
  // As the lifecycle names them.
  for (const auto* reason :
       {"Crashed", "WorkerLost", "StartTimedOut", "StopTimedOut", "Silent", "WillNotWork"}) {
    auto x = held();
    x.report->phase = "Waking";
    x.report->reason = reason;
    const auto to = desired_state(x, 0, 0);
    BOOST_TEST(condition(*to.status, "Degraded").at("status") == "True", reason);
    BOOST_TEST(condition(*to.status, "Progressing").at("status") == "True", reason);
  }
  auto x = held();
  x.report->phase = "Waking";
  x.report->reason = "InputArrived";
  BOOST_TEST(condition(*desired_state(x, 0, 0).status, "Degraded").at("status") == "False");
}

BOOST_AUTO_TEST_CASE(a_stream_whose_checkpoint_is_held_up_is_degraded) {
  auto x = held();
  x.report->phase = "Running";
  x.report->held_up = "control.mdb: commit: No space left on device";
  const auto to = desired_state(x, 0, 0);
  BOOST_TEST(condition(*to.status, "Degraded").at("status") == "True");
  BOOST_TEST(condition(*to.status, "Degraded").at("reason") == "CheckpointHeldUp");
  BOOST_TEST(condition(*to.status, "Degraded").at("message") == x.report->held_up);
  BOOST_TEST(condition(*to.status, "Ready").at("status") == "True");
}

BOOST_AUTO_TEST_CASE(nobody_needs_what_is_on_neither_side) {
  auto x = held();
  x.wished.reset();
  BOOST_TEST(!desired_state(x, 0, 0).forget);
  x.held_uid.clear();
  BOOST_TEST(desired_state(x, 0, 0).forget);
}

BOOST_AUTO_TEST_CASE(phases_are_told_once) {
  resource_report before;
  before.phase = "Asleep";
  auto now = before;
  BOOST_TEST(events_between(before, now).empty());
  now.phase = "Running";
  BOOST_REQUIRE(events_between(before, now).size() == 1U);
  BOOST_TEST(events_between(before, now)[0].reason == "Woke");
  BOOST_TEST(events_between(now, before)[0].reason == "FellAsleep");
}

BOOST_AUTO_TEST_CASE(a_resource_becomes_a_manifest) {
  const auto x = read_resource(resource_kind::stream, R"({"metadata":{"name":"s","namespace":"a",
    "uid":"u","generation":2,"labels":{"l":"m"}},"spec":{"parallelism":2},"status":{"phase":"Asleep"}})");
  BOOST_REQUIRE(x);
  const auto manifest = kube_json::parse(x->manifest);
  BOOST_TEST(manifest.at("kind") == "Stream");
  BOOST_TEST(manifest.at("metadata").size() == 2U);
  BOOST_TEST(manifest.at("spec").at("parallelism") == 2);
  BOOST_TEST(x->status.at("phase") == "Asleep");
}

// Of several installations the first one that writes so has a new object.
BOOST_AUTO_TEST_CASE(a_new_object_is_claimed_before_it_is_applied) {
  auto x = wished();
  x.installation = "ebb";
  auto to = desired_state(x, 0, 0);
  BOOST_TEST(to.claim);
  BOOST_TEST(!to.apply);
  BOOST_REQUIRE(!!to.status);
  BOOST_TEST(owner_of(*to.status) == "ebb");
  x.written = *to.status;
  x.written_uid = cluster_uid;
  BOOST_TEST(desired_state(x, 0, 0).apply);
  // A control of later has no memory of it.
  x.written = nullptr;
  x.wished->status = {{"installation", "ebb"}};
  BOOST_TEST(desired_state(x, 0, 0).apply);
  x.wished->status = {{"installation", "other"}};
  to = desired_state(x, 0, 0);
  BOOST_TEST(to.nothing());
  BOOST_TEST(to.owned_by == "other");
  // What it has had before there were claims stays its own.
  x = held();
  x.installation = "ebb";
  to = desired_state(x, 0, 0);
  BOOST_REQUIRE(!!to.status);
  BOOST_TEST(!to.claim);
  BOOST_TEST(owner_of(*to.status) == "ebb");
}

BOOST_AUTO_TEST_CASE(a_new_stream_waits_for_a_topic_that_is_to_be_replaced) {
  auto x = wished();
  x.waits_for = "t";
  const auto to = desired_state(x, 0, 0);
  BOOST_TEST(!to.apply);
  BOOST_REQUIRE(!!to.status);
  BOOST_TEST(condition(*to.status, "Ready").at("message").get<std::string>().find("topic t")
             != std::string::npos);
  x.waits_for.clear();
  BOOST_TEST(desired_state(x, 0, 0).apply);
}

BOOST_AUTO_TEST_CASE(topics_of_a_manifest_are_known) {
  const auto read = read_resource(resource_kind::stream, R"({"metadata":{"name":"s"},"spec":{
      "sources":[{"topic":{"name":"a"}},{"file":{"path":"x"}}],"sinks":[{"topic":{"name":"b"}}]}})");
  BOOST_REQUIRE(!!read);
  BOOST_TEST(read->topics == (std::vector<std::string>{"a", "b"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(rates_and_what_is_behind_are_numbers_of_little_matter) {
  auto x = held();
  x.report->phase = "Running";
  x.report->lag = 5;
  const auto before = make_status(x, nullptr, 0);
  BOOST_TEST(before.at("lag") == 5);
  BOOST_TEST(before.at("rowsPerSecond") == 0);
  x.rows_per_second = 100;
  x.report->lag = 7;
  BOOST_TEST((compare_status(before, make_status(x, before, 0)) == status_change::numbers));
}

BOOST_AUTO_TEST_CASE(the_last_failure_and_the_last_wake_outlive_the_process_that_saw_them) {
  auto x = held();
  x.last_failure = {"OOMKilled", "pod p: more memory", 1'000'000};
  x.report->last_wake = 2'000'000;
  const auto before = make_status(x, nullptr, 0);
  BOOST_TEST(before.at("lastFailure").at("reason") == "OOMKilled");
  x.last_failure.reset();
  x.report->last_wake = 0;
  const auto now = make_status(x, before, 0);
  BOOST_TEST(now.at("lastFailure") == before.at("lastFailure"));
  BOOST_TEST(now.at("lastWake") == before.at("lastWake"));
  // Another one of its name has not failed.
  x.wished->uid = "0123abcd-0000-4000-8000-00000000000b";
  BOOST_TEST(!make_status(x, before, 0).contains("lastFailure"));
}

// The record that a restarted control process begins with is written a moment before the rest
// begins.
BOOST_AUTO_TEST_CASE(a_rest_has_one_beginning) {
  auto x = held();
  x.report->generation = 4;
  x.report->since = 5'050'000;
  const auto before = make_status(x, nullptr, 0);
  x.report->since = 5'000'000;
  BOOST_TEST((compare_status(before, make_status(x, before, 0)) == status_change::none));
  // Another rest, another state, another object of the name.
  const auto differs = [&](const auto& change) {
    auto y = x;
    change(y);
    return make_status(y, before, 0).at("since") != before.at("since");
  };
  BOOST_TEST(differs([](auto& y) { y.report->generation = 5; }));
  BOOST_TEST(differs([](auto& y) { y.report->phase = "Running"; }));
  BOOST_TEST(differs([](auto& y) { y.report->reason = "Requested"; }));
  BOOST_TEST(differs([](auto& y) {
    y.wished->uid = "0123abcd-0000-4000-8000-00000000000b";
    y.held_uid = service_uid(y.wished->uid);
  }));
}

} // namespace ebb::test
