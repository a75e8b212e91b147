// The reconcilers against a model of an API server, with faults and crashes, by seeds.
#include "k8s-bridge/cluster/resource_reconciler.hpp"
#include "k8s-bridge/cluster/resource_status.hpp"
#include "k8s-bridge/cluster/worker_reconciler.hpp"
#include "tests/k8s/model_api.hpp"
#include "tests/k8s/model_desk.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <memory>
#include <optional>
#include <set>

namespace ebb::test {

namespace {

const std::string streams = "/apis/ebb.dev/v1alpha1/namespaces/a/streams";
const std::string topics = "/apis/ebb.dev/v1alpha1/namespaces/a/topics";
const std::string pods = "/api/v1/namespaces/ebb/pods";

/// What a control process remembers of its workers: what its listener was told.
class model_listener final : public worker_listener {
public:
  void started(const std::string& name, std::int64_t) override {
    BOOST_TEST(wanted.contains(name));
  }

  void failed(const std::string& name, const error&) override {
    wanted.erase(name);
    ++ends;
  }

  void gone(const std::string& name, const worker_exit&) override {
    wanted.erase(name);
    ++ends;
  }

  std::set<std::string> wanted;
  int ends = 0;
};

class scenario {
public:
  explicit scenario(std::uint32_t seed) : api(seed), desk(api), random_(seed * 7919 + 1) {
    api.pod_made = [this](const std::string&, const std::string& name) { start_pod(name); };
    api.pod_ends = [this](const std::string&, const std::string& name, int grace) {
      end_pod(name, grace);
    };
    start();
  }

  bool one_in(std::uint32_t n) {
    return random_() % n == 0;
  }

  void start() {
    ++incarnation_;
    next_worker_ = incarnation_ * 1'000'000;
    listener.wanted.clear();
    calls.emplace(api);
    worker_reconciler_options options;
    options.pods.name_space = "ebb";
    options.pods.image = "ebb";
    options.pods.data_folder = "/data";
    workers = std::make_unique<worker_reconciler>(*calls, std::move(options), listener);
    resources = std::make_unique<resource_reconciler>(
        *calls, desk, [this](std::function<void()> x) { api.call_after(0, std::move(x)); },
        resource_reconciler_options{});
    workers->start();
    resources->start();
  }

  /// The control process is killed at any instant.
  void crash() {
    resources.reset();
    workers.reset();
    calls.reset();
    start();
  }

  void step() {
    const auto name = std::string(1, static_cast<char>('k' + random_() % 5));
    switch (random_() % 12) {
    case 0:
    case 1: {
      kube_json x{{"metadata", {{"name", name}, {"namespace", "a"}}}};
      x["spec"] = {{"what", one_in(5) ? "bad" : "good"}, {"number", random_() % 4}};
      if (one_in(2))
        x["spec"]["topic"] = "t" + std::to_string(random_() % 2);
      api.put(streams, std::move(x));
      return;
    }
    case 2:
      api.erase(streams, name);
      return;
    case 3: {
      // Deleted and made again before anybody looks.
      const auto* there = api.find(streams, name);
      if (there == nullptr)
        return;
      auto again = *there;
      again.erase("status");
      again["metadata"] = {{"name", name}, {"namespace", "a"}};
      api.erase(streams, name);
      api.put(streams, std::move(again));
      return;
    }
    case 4: {
      const auto topic = "t" + std::to_string(random_() % 2);
      if (api.find(topics, topic) == nullptr)
        api.put(topics, {{"metadata", {{"name", topic}, {"namespace", "a"}}},
                         {"spec", {{"what", "good"}}}});
      else if (one_in(2))
        api.erase(topics, topic);
      return;
    }
    case 5:
    case 6: {
      const auto worker = "worker-" + std::to_string(++next_worker_);
      listener.wanted.insert(worker);
      workers->wish(worker, worker_wish::run);
      return;
    }
    case 7:
    case 8: {
      if (listener.wanted.empty())
        return;
      const auto worker = *listener.wanted.begin();
      workers->wish(worker, one_in(2) ? worker_wish::end : worker_wish::kill);
      return;
    }
    case 9:
      if (one_in(3))
        crash();
      return;
    case 10: // a node is drained, or a process killed
      for (const auto& x : api.all("pods"))
        if (one_in(3)) {
          if (one_in(2))
            api.erase(pods, text_at(x, {"metadata", "name"}));
          else
            set_phase(text_at(x, {"metadata", "name"}), "Failed");
        }
      return;
    default:
      api.down = one_in(10);
    }
  }

  void check() {
    // The service has what the cluster has, by uid, and nothing else.
    std::map<model_desk::key, std::string> wished;
    for (const auto& x : api.all("streams"))
      wished[{resource_kind::stream, "a", text_at(x, {"metadata", "name"})}] =
          service_uid(text_at(x, {"metadata", "uid"}));
    for (const auto& x : api.all("topics"))
      wished[{resource_kind::topic, "a", text_at(x, {"metadata", "name"})}] =
          service_uid(text_at(x, {"metadata", "uid"}));
    for (const auto& [k, x] : desk.all) {
      BOOST_TEST_CONTEXT(std::get<2>(k)) {
        // A topic that went, or was replaced, before its reader is kept for it.
        const bool kept = std::get<0>(k) == resource_kind::topic && is_used(std::get<2>(k));
        const auto found = wished.find(k);
        BOOST_TEST((kept || (found != wished.end() && found->second == x.uid)));
      }
    }
    for (const auto& x : api.all("streams"))
      check_stream(x);
    // A pod for each worker that is wanted, and no other.
    std::set<std::string> there;
    std::string what;
    for (const auto& x : api.all("pods")) {
      there.insert(text_at(x, {"metadata", "labels", "ebb.dev/worker"}));
      what += x.at("metadata").dump() + x.value("status", kube_json()).dump() + '\n';
    }
    BOOST_TEST_CONTEXT(what)
    BOOST_TEST(there == listener.wanted, boost::test_tools::per_element());
  }

  bool is_used(const std::string& topic) const {
    for (const auto& [k, x] : desk.all)
      if (x.topic == topic)
        return true;
    return false;
  }

  void check_stream(const kube_json& x) {
    const auto name = text_at(x, {"metadata", "name"});
    BOOST_TEST_CONTEXT("stream " << name << " " << x.dump()) {
      const auto topic = text_at(x, {"spec", "topic"});
      const bool bad =
          text_at(x, {"spec", "what"}) == "bad"
          || (!topic.empty() && !desk.all.contains({resource_kind::topic, "a", topic}));
      const auto* status = member(x, {"status"});
      BOOST_REQUIRE(status != nullptr);
      BOOST_TEST(number_at(*status, {"observedGeneration"})
                 == number_at(x, {"metadata", "generation"}));
      BOOST_TEST(text_at(*status, {"uid"}) == text_at(x, {"metadata", "uid"}));
      const auto& ready = status->at("conditions").at(0);
      BOOST_TEST(text_at(ready, {"type"}) == "Ready");
      BOOST_TEST(text_at(ready, {"status"}) == (bad ? "False" : "True"));
      if (bad)
        BOOST_TEST(text_at(ready, {"reason"}) == "InvalidSpec");
      else
        BOOST_TEST(text_at(kube_json::parse(desk.all.at({resource_kind::stream, "a", name}).text),
                           {"spec", "what"})
                   == "good");
    }
  }

  model_api api;
  model_desk desk;
  model_listener listener;
  std::optional<kube_calls> calls;
  std::unique_ptr<worker_reconciler> workers;
  std::unique_ptr<resource_reconciler> resources;

private:
  void set_phase(const std::string& name, const char* phase) {
    const auto* there = api.find(pods, name);
    if (there == nullptr)
      return;
    auto x = *there;
    x["status"]["phase"] = phase;
    const bool runs = std::string_view(phase) == "Running";
    x["status"]["containerStatuses"] =
        kube_json::array({{{"state", runs ? kube_json{{"running", kube_json::object()}}
                                          : kube_json{{"terminated", {{"exitCode", 137}}}}}}});
    api.put(pods, std::move(x));
  }

  void start_pod(const std::string& name) {
    api.call_after(500'000, [this, name] { set_phase(name, "Running"); });
  }

  void end_pod(const std::string& name, int grace) {
    // One in five nodes does not answer: only force takes its pods away.
    if (grace > 0 && random_() % 5 == 0)
      return;
    api.call_after(300'000, [this, name] { api.erase(pods, name); });
  }

  std::minstd_rand random_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t next_worker_ = 0;
};

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
