/// Control's side of a cluster against a model of an API server, with crashes and a model of nodes.
#pragma once

#include "k8s-bridge/cluster/resource_reconciler.hpp"
#include "k8s-bridge/cluster/resource_status.hpp"
#include "k8s-bridge/cluster/worker_reconciler.hpp"
#include "tests/k8s/model_api.hpp"
#include "tests/k8s/model_desk.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace ebb::test {

inline const std::string streams = "/apis/ebb.dev/v1alpha1/namespaces/a/streams";
inline const std::string topics = "/apis/ebb.dev/v1alpha1/namespaces/a/topics";
inline const std::string pods = "/api/v1/namespaces/ebb/pods";

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
        resource_reconciler_options{"", "ebb-0", "ebb"});
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
      want_worker();
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

  /// A worker that somebody wants; its name.
  std::string want_worker() {
    const auto worker = "worker-" + std::to_string(++next_worker_);
    listener.wanted.insert(worker);
    workers->wish(worker, worker_wish::run);
    return worker;
  }

  /// The pod is deleted, or ends, by another's doing.
  void evict(const std::string& worker) {
    set_phase(pod_name(worker), "Failed");
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

  bool cut_off = false;   ///< the node does not answer at all
  bool nodes_fail = true; ///< now and then one does not answer
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
    api.call_after(500'000, [this, name] {
      if (!cut_off)
        set_phase(name, "Running");
    });
  }

  void end_pod(const std::string& name, int grace) {
    // One in five nodes does not answer: only force takes its pods away.
    if (grace > 0 && (cut_off || (nodes_fail && random_() % 5 == 0)))
      return;
    api.call_after(300'000, [this, name] { api.erase(pods, name); });
  }

  std::minstd_rand random_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t next_worker_ = 0;
};

} // namespace ebb::test
