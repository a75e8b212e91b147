#include "k8s-bridge/cluster/worker_state.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>

namespace ebb::test {

namespace {

observed_worker wanted() {
  observed_worker x;
  x.pods_known = true;
  x.wish = worker_wish::run;
  return x;
}

observed_pod pod(bool running = true) {
  observed_pod x;
  x.uid = "u";
  x.running = running;
  return x;
}

pod_template shared() {
  pod_template x;
  x.name_space = "ebb";
  x.image = "ebb:1";
  x.claim = "data-ebb-0";
  x.data_folder = "/data";
  x.shared_paths = {"quarantine", "files"};
  x.cache_limit = "16Gi";
  x.arguments = {"--control", "10.0.0.1:8182"};
  return x;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_worker_that_is_wanted_is_made_once) {
  auto x = wanted();
  BOOST_TEST(desired_state(x, 0).create);
  x.pods_known = false;
  BOOST_TEST(!desired_state(x, 0).create);
  x.pods_known = x.made = true;
  // The mirror is behind: it is asked for before it is given up.
  BOOST_TEST(!desired_state(x, 0).calls());
  BOOST_TEST(desired_state(x, 10 * micros_per_second).look);
  x.seen = true;
  BOOST_TEST(desired_state(x, 0).tell_end);
}

BOOST_AUTO_TEST_CASE(its_start_and_end_are_told) {
  auto x = wanted();
  x.made = x.seen = true;
  x.pod = pod();
  BOOST_TEST(desired_state(x, 0).tell_start);
  x.told_start = true;
  BOOST_TEST(!desired_state(x, 0).tell_start);
  x.pod->ended = worker_exit{worker_exit::kind::exited, 1};
  auto to = desired_state(x, 0);
  BOOST_TEST(to.tell_end);
  BOOST_TEST(!!to.remove);
  x.told_end = true;
  x.pod.reset();
  BOOST_TEST(desired_state(x, 0).forget);
}

BOOST_AUTO_TEST_CASE(killing_becomes_force_where_no_node_answers) {
  auto x = wanted();
  x.made = x.seen = true;
  x.pod = pod();
  x.wish = worker_wish::end;
  BOOST_TEST(*desired_state(x, 0).remove < 0);
  x.deleted_uid = "u";
  x.deleted_grace = -1;
  x.pod->deleting = true;
  BOOST_TEST(!desired_state(x, 0).remove);
  x.wish = worker_wish::kill;
  BOOST_TEST(*desired_state(x, 0).remove == 1);
  x.deleted_grace = 1;
  x.deleted_at = 100;
  BOOST_TEST(!desired_state(x, 200).remove);
  BOOST_TEST(*desired_state(x, desired_state(x, 200).again).remove == 0);
}

BOOST_AUTO_TEST_CASE(a_pod_that_nobody_asked_for_goes_after_a_while) {
  observed_worker x;
  x.pods_known = true;
  x.pod = pod();
  const auto to = desired_state(x, 0);
  BOOST_TEST(!to.remove);
  BOOST_TEST(!!desired_state(x, to.again).remove);
  x.pod->ended = worker_exit{};
  BOOST_TEST(!!desired_state(x, 0).remove);
  BOOST_TEST(!desired_state(x, 0).tell_end);
}

BOOST_AUTO_TEST_CASE(a_pod_of_a_worker_that_is_over_goes) {
  auto x = wanted();
  x.made = x.seen = x.told_end = true;
  x.pod = pod();
  const auto to = desired_state(x, 0);
  BOOST_TEST(!to.tell_start);
  BOOST_TEST(*to.remove == 1);
}

BOOST_AUTO_TEST_CASE(a_call_that_failed_waits) {
  auto x = wanted();
  x.call_at = 50;
  BOOST_TEST(!desired_state(x, 0).create);
  BOOST_TEST(desired_state(x, 0).again == 50);
  BOOST_TEST(desired_state(x, 50).create);
}

BOOST_AUTO_TEST_CASE(copies_are_shared_where_the_installation_has_a_volume_for_them) {
  auto from = shared();
  BOOST_TEST(make_worker_pod(from, "worker-7", {}).dump().find("node-cache") == std::string::npos);
  for (const auto& [text, volume] : std::map<std::string, kube_json>{
           {"claim:ebb-copies", {{"persistentVolumeClaim", {{"claimName", "ebb-copies"}}}}},
           {"node:/var/lib/ebb", {{"hostPath", {{"path", "/var/lib/ebb"}, {"type", "Directory"}}}}}}) {
    from.cache_volume = *read_cache_volume(text);
    const auto x = make_worker_pod(from, "worker-7", {});
    auto named = volume;
    named["name"] = "node-cache";
    BOOST_TEST((x.at("spec").at("volumes").back() == named));
    const auto& container = x.at("spec").at("containers").at(0);
    BOOST_TEST(container.at("volumeMounts").back().at("mountPath") == "/node-cache");
    BOOST_TEST(container.at("args").dump().find(R"("--node-cache","/node-cache")")
               != std::string::npos);
  }
  for (const auto* text : {"", "claim", "claim:", "claim:A_b", "claim:x/y", "node:", "node:/",
                           "node:var/lib", "node:/var/../etc", "disk:/x", "/var/lib/ebb"})
    BOOST_TEST(!read_cache_volume(text));
}

BOOST_AUTO_TEST_CASE(a_pod_has_no_more_than_it_needs) {
  const auto x = make_worker_pod(shared(), "worker-7", {});
  const auto& spec = x.at("spec");
  BOOST_TEST(x.at("metadata").at("name") == "ebb-worker-7");
  BOOST_TEST(spec.at("restartPolicy") == "Never");
  BOOST_TEST(spec.at("automountServiceAccountToken") == false);
  const auto& container = spec.at("containers").at(0);
  BOOST_TEST(container.at("securityContext").at("readOnlyRootFilesystem") == true);
  BOOST_TEST(spec.at("securityContext").at("runAsNonRoot") == true);
  // It may run on any node: nothing of it is control's volume.
  BOOST_TEST(!spec.contains("affinity"));
  std::vector<std::string> kinds;
  for (const auto& volume : spec.at("volumes"))
    for (const auto& [kind, what] : volume.items())
      if (kind != "name")
        kinds.push_back(kind);
  BOOST_TEST(kinds == (std::vector<std::string>{"emptyDir", "emptyDir", "secret"}),
             boost::test_tools::per_element());
  BOOST_TEST(spec.at("volumes").at(1).at("emptyDir").at("sizeLimit") == "16Gi");
  BOOST_TEST(spec.at("volumes").at(2).at("secret").at("secretName") == "ebb-worker-7");
}

BOOST_AUTO_TEST_CASE(a_stream_with_files_runs_where_they_are) {
  pod_wish wish;
  wish.stream = "s";
  wish.files = true;
  const auto x = make_worker_pod(shared(), "worker-7", wish);
  std::vector<std::string> paths;
  for (const auto& mount : x.at("spec").at("containers").at(0).at("volumeMounts"))
    if (mount.at("name") == "data")
      paths.push_back(mount.at("subPath"));
  BOOST_TEST(paths == (std::vector<std::string>{"quarantine", "files"}),
             boost::test_tools::per_element());
  BOOST_TEST(x.at("spec").contains("affinity"));
  const auto spec = [](const char* text) { return kube_json::parse(text); };
  BOOST_TEST(uses_files(spec(R"({"sources":[{"topic":{}}],"sinks":[{"topic":{}},{"file":{}}]})")));
  BOOST_TEST(uses_files(spec(R"({"sources":[{"file":{}}]})")));
  BOOST_TEST(uses_files(spec(R"({"sources":[{"generator":{},"onBadRecord":"quarantine"}]})")));
  BOOST_TEST(!uses_files(spec(R"({"sources":[{"topic":{}}],"sinks":[{"topic":{}}]})")));
  BOOST_TEST(!uses_files(spec("{}")));
  BOOST_TEST(!uses_files(nullptr));
}

BOOST_AUTO_TEST_CASE(a_secret_is_its_pods) {
  const auto x = make_worker_secret(shared(), "worker-7", "uid-1", {{"worker.key", "k"}});
  BOOST_TEST(x.at("metadata").at("name") == "ebb-worker-7");
  const auto& owner = x.at("metadata").at("ownerReferences").at(0);
  BOOST_TEST(owner.at("kind") == "Pod");
  BOOST_TEST(owner.at("name") == "ebb-worker-7");
  BOOST_TEST(owner.at("uid") == "uid-1");
  BOOST_TEST(x.at("stringData").at("worker.key") == "k");
  BOOST_TEST(x.at("immutable") == true);
}

BOOST_AUTO_TEST_CASE(the_manifest_says_what_it_may_and_no_more) {
  pod_wish wish;
  wish.stream = "s";
  wish.name_space = "a";
  wish.pod = {{"nodeSelector", {{"disk", "ssd"}}},
              {"labels", {{"team", "t"}, {"ebb.dev/worker", "x"}}},
              {"resources", {{"limits", {{"memory", "1Gi"}}}}},
              {"hostNetwork", true}};
  const auto x = make_worker_pod(shared(), "worker-7", wish);
  BOOST_TEST(x.at("spec").at("nodeSelector").at("disk") == "ssd");
  BOOST_TEST(!x.at("spec").contains("hostNetwork"));
  const auto& labels = x.at("metadata").at("labels");
  BOOST_TEST(labels.at("team") == "t");
  BOOST_TEST(labels.at("ebb.dev/worker") == "worker-7");
  BOOST_TEST(labels.at("ebb.dev/stream") == "s");
  BOOST_TEST(x.at("spec").at("containers").at(0).at("resources").at("limits").at("memory")
             == "1Gi");
}

BOOST_AUTO_TEST_CASE(what_a_pod_says) {
  const auto read = [](const char* status) {
    return *read_worker_pod(
        std::string(R"({"metadata":{"uid":"u","labels":{"ebb.dev/worker":"worker-7"}},"status":)")
        + status + "}");
  };
  BOOST_TEST(read(R"({"phase":"Running","containerStatuses":[{"state":{"running":{}}}]})").running);
  const auto killed = read(
      R"({"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]})");
  BOOST_TEST((*killed.ended == worker_exit{worker_exit::kind::signaled, 9}));
  BOOST_TEST(killed.problem_reason == "OOMKilled");
  BOOST_TEST(read(R"({"phase":"Failed","reason":"Evicted","message":"low on memory"})").problem
             == "low on memory");
  BOOST_TEST(read(R"({"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",
    "reason":"Unschedulable","message":"0/1 nodes"}]})")
                 .problem
             == "0/1 nodes");
  BOOST_TEST(read(R"({"phase":"Pending","containerStatuses":[{"state":{"waiting":
    {"reason":"ImagePullBackOff","message":"no image"}}}]})")
                 .problem_reason
             == "ImageCannotBePulled");
  BOOST_TEST(read(R"({"phase":"Pending","containerStatuses":[{"state":{"waiting":
    {"reason":"ContainerCreating"}}}]})")
                 .problem.empty());
}

} // namespace ebb::test
