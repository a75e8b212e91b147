#include "k8s-bridge/cluster/kubernetes_service.hpp"

#include "actors/service/apply_plan.hpp"
#include "actors/service/lifecycle/lifecycle_text.hpp"
#include "actors/service/process_log.hpp"
#include "k8s-bridge/client/curl_world.hpp"
#include "k8s-bridge/cluster/cluster_event.hpp"
#include "k8s-bridge/cluster/cluster_troubles.hpp"
#include "k8s-bridge/cluster/incarnation_lease.hpp"
#include "k8s-bridge/cluster/network_probe.hpp"
#include "k8s-bridge/cluster/resource_reconciler.hpp"
#include "k8s-bridge/cluster/resource_status.hpp"
#include "k8s-bridge/cluster/worker_reconciler.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace ebb {

namespace {

constexpr auto look_every = std::chrono::milliseconds(50);
constexpr auto pods_within = std::chrono::seconds(10);
/// Between clocks.
constexpr micros skew_told = 60 * micros_per_second;
constexpr auto probe_patience = std::chrono::milliseconds(3000);

micros monotone() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::optional<pod_trouble> skew_trouble(micros ahead) {
  if (std::abs(ahead) < skew_told)
    return std::nullopt;
  return pod_trouble{clock_skew,
                     "its node's clock is "
                         + duration_text((std::abs(ahead) + micros_per_second / 2)
                                         / micros_per_second * micros_per_second)
                         + (ahead > 0 ? " ahead of" : " behind") + " control's",
                     false};
}

} // namespace

struct kubernetes_service::parts {
  explicit parts(kubernetes_options o) : options(std::move(o)) {}

  /// Runs it on the cluster's thread and waits.
  void run(const std::function<void()>& what) const {
    std::promise<void> done;
    world->post([&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  std::optional<split_name> owner_of(const std::string& worker) {
    std::lock_guard guard(mutex);
    const auto found = owners.find(worker);
    return found == owners.end() || found->second.name.name.empty()
               ? std::nullopt
               : std::optional(found->second.name);
  }

  /// On the cluster's thread.
  result<std::map<std::string, std::string>> identity_of(const std::string& worker) {
    link_credential may;
    may.worker = worker;
    {
      std::lock_guard guard(mutex);
      if (const auto found = owners.find(worker); found != owners.end()) {
        may.name_space = found->second.name.name_space;
        may.uid = found->second.uid;
        may.placement = found->second.placement;
      }
    }
    return options.make_identity(may);
  }

  /// On the cluster's thread.
  pod_wish wish_of(const std::string& worker) {
    const auto owner = owner_of(worker);
    if (!owner)
      return {};
    const auto spec = resources ? resources->spec_of(owner->name_space, owner->name) : kube_json();
    const auto* pod = member(spec, {"pod"});
    return {owner->name, owner->name_space, pod == nullptr ? kube_json() : *pod, uses_files(spec)};
  }

  /// On the cluster's thread.
  void tell_trouble(const std::string& worker, const pod_trouble& why) {
    const auto pod = pod_name(worker);
    const auto owner = owner_of(worker);
    log_fields fields{{"reason", why.reason}, {"pod", pod}};
    if (owner)
      fields.insert(fields.end(), {{"namespace", owner->name_space}, {"stream", owner->name}});
    tell_log(log_level::warning, why.reason + ": " + sentence_of(why, pod), fields);
    if (!owner)
      return;
    troubles.pod(qualified_name(owner->name_space, owner->name), why, pod, monotone());
    if (resources)
      resources->tell_worker(owner->name_space, owner->name, pod, why);
  }

  /// On the cluster's thread.
  void tell_runs(const std::string& worker) {
    const auto owner = owner_of(worker);
    if (!owner)
      return;
    troubles.runs(qualified_name(owner->name_space, owner->name));
    if (resources)
      resources->worker_runs(owner->name_space, owner->name);
    tell_skew(worker);
  }

  /// That the pod runs may be known later than that it has joined. On the cluster's thread.
  void tell_skew(const std::string& worker) {
    std::optional<pod_trouble> why;
    {
      std::lock_guard guard(mutex);
      if (const auto found = owners.find(worker); found != owners.end())
        why = found->second.skewed;
    }
    if (why)
      tell_trouble(worker, *why);
  }

  /// On the cluster's thread.
  void tell_call(const std::string& what, const error* why) {
    if (troubles.call(what, why))
      tell_of_us({why == nullptr ? "ClusterAnswersAgain" : "ClusterRefuses",
                  why == nullptr ? "can " + what + " again" : to_string(*why), why != nullptr});
  }

  /// An event about our own pod; on the cluster's thread.
  void tell_of_us(const resource_event& what) {
    tell_log(what.warning ? log_level::warning : log_level::info,
             what.reason + ": " + what.message, {{"reason", what.reason}});
    if (own_uid.empty())
      return;
    const auto event = make_event({"v1", "Pod", options.name_space, options.own_pod, own_uid}, what,
                                  world->wall_time(), events++, options.holder);
    calls->create("tell of " + options.own_pod,
                  "/api/v1/namespaces/" + options.name_space + "/events", event,
                  [](const kube_answer&) {});
  }

  struct owned {
    split_name name; ///< of the stream; empty = of none yet
    std::string uid; ///< empty = not known
    std::uint64_t placement = 0;
    std::optional<pod_trouble> skewed; ///< the clock of its node is wrong
  };

  void probe(const std::string& peers);

  result<void> open();
  result<kube_json> read_own_pod();

  kubernetes_options options;
  pod_template pods;
  std::uint64_t incarnation = 0;
  std::string own_uid; ///< of our pod; empty = we are none
  cluster_troubles troubles;
  std::atomic<bool> probed = false; ///< or it is under way
  std::thread probing;
  std::uint64_t events = 0;
  // Of the cluster's thread, which ends first.
  std::unique_ptr<kube_calls> calls;
  std::unique_ptr<worker_reconciler> workers;
  std::unique_ptr<resource_reconciler> resources;
  std::mutex mutex;
  resource_reconciler* told = nullptr; ///< of changes
  std::map<std::string, owned> owners; ///< by worker; with `told` guarded by the mutex
  std::set<std::string> plain;         ///< streams that ask nothing special of a pod; the same
  std::unique_ptr<curl_world> world;
};

namespace {

/// A worker's end of the interface: orders go to the cluster's thread.
class kubernetes_backend final : public worker_backend {
public:
  kubernetes_backend(curl_world& world, std::unique_ptr<worker_reconciler>& workers)
      : world_(world), workers_(workers) {}

  ~kubernetes_backend() override {
    std::promise<void> done;
    world_.post([&] {
      workers_.reset();
      done.set_value();
    });
    done.get_future().wait();
  }

  kubernetes_backend(const kubernetes_backend&) = delete;
  kubernetes_backend& operator=(const kubernetes_backend&) = delete;

  void start(const std::string& name) override {
    wish(name, worker_wish::run);
  }

  void adopt(const std::string& name, std::int64_t) override {
    world_.post([this, name] {
      if (workers_)
        workers_->adopt(name);
    });
  }

  void end(const std::string& name) override {
    wish(name, worker_wish::end);
  }

  void kill(const std::string& name) override {
    wish(name, worker_wish::kill);
  }

private:
  void wish(const std::string& name, worker_wish what) {
    world_.post([this, name, what] {
      if (workers_)
        workers_->wish(name, what);
    });
  }

  curl_world& world_;
  std::unique_ptr<worker_reconciler>& workers_;
};

} // namespace

result<kube_json> kubernetes_service::parts::read_own_pod() {
  std::promise<result<kube_json>> found;
  run([&] {
    calls->get("read our own pod " + options.own_pod,
               "/api/v1/namespaces/" + options.name_space + "/pods/" + options.own_pod,
               [&](const kube_answer& x) {
                 found.set_value(x.ok() ? result<kube_json>(x.body) : *x.problem);
               });
  });
  return found.get_future().get();
}

result<void> kubernetes_service::parts::open() {
  EBB_ASSIGN(world, curl_world::start(options.access));
  run([&] { calls = std::make_unique<kube_calls>(*world); });
  std::promise<result<std::uint64_t>> number;
  run([&] {
    take_incarnation(*calls, options.name_space, options.holder, 0, options.patience,
                     [&](result<std::uint64_t> x) { number.set_value(std::move(x)); });
  });
  EBB_ASSIGN(incarnation, number.get_future().get());
  kube_json own;
  if (!options.own_pod.empty()) {
    EBB_ASSIGN(own, read_own_pod());
    own_uid = text_at(own, {"metadata", "uid"});
  }
  EBB_ASSIGN(pods, template_of(own, options));
  return {};
}

kubernetes_service::kubernetes_service(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

/// In a thread of its own.
void kubernetes_service::parts::probe(const std::string& peers) {
  switch (probe_network(peers, probe_patience)) {
  case probe_outcome::reached:
    troubles.policies_ignored();
    world->post([this] {
      tell_of_us(
          {"NetworkPolicyNotEnforced",
           "control has reached a port of a worker that the policies of deployments/ebb.yaml "
           "keep for other workers: the cluster's network does not enforce them",
           true});
    });
    return;
  case probe_outcome::refused:
    probed = false; // the worker has ended: another one will tell
    return;
  case probe_outcome::silent:
    return;
  }
}

kubernetes_service::~kubernetes_service() {
  leave();
  if (parts_->probing.joinable())
    parts_->probing.join();
  parts_->world.reset();
}

result<std::unique_ptr<kubernetes_service>> kubernetes_service::start(kubernetes_options options) {
  auto made = std::make_unique<parts>(std::move(options));
  auto opened = made->open();
  if (!opened) {
    // Its thread ends before what it uses.
    made->world.reset();
    return std::move(opened).error();
  }
  return std::unique_ptr<kubernetes_service>(new kubernetes_service(std::move(made)));
}

std::uint64_t kubernetes_service::incarnation() const noexcept {
  return parts_->incarnation;
}

std::unique_ptr<worker_backend> kubernetes_service::make_backend(worker_listener& listener) {
  worker_reconciler_options options;
  options.pods = parts_->pods;
  options.identity = [x = parts_.get()](const std::string& worker) {
    return x->identity_of(worker);
  };
  options.clean = [x = parts_.get()](const std::string& worker) {
    std::lock_guard guard(x->mutex);
    x->owners.erase(worker);
  };
  options.wish = [x = parts_.get()](const std::string& worker) { return x->wish_of(worker); };
  options.trouble = [x = parts_.get()](const std::string& worker, const pod_trouble& why) {
    x->tell_trouble(worker, why);
  };
  options.belongs = [x = parts_.get()](const std::string& worker, const std::string& name_space,
                                       const std::string& stream) {
    {
      std::lock_guard guard(x->mutex);
      if (auto& of = x->owners[worker]; of.name.name.empty())
        of.name = {name_space, stream};
    }
    x->tell_skew(worker);
  };
  options.runs = [x = parts_.get()](const std::string& worker) { x->tell_runs(worker); };
  options.watch_trouble = [x = parts_.get()](const error* why) {
    x->tell_call("watch pods of workers", why);
  };
  parts_->run([&] {
    parts_->workers =
        std::make_unique<worker_reconciler>(*parts_->calls, std::move(options), listener);
    parts_->workers->start();
  });
  return std::make_unique<kubernetes_backend>(*parts_->world, parts_->workers);
}

void kubernetes_service::is_for(const std::string& worker, const worker_claim& whose) {
  std::lock_guard guard(parts_->mutex);
  auto& of = parts_->owners[worker];
  of.name = split(whose.stream);
  of.uid = whose.uid;
  of.placement = whose.placement;
  if (of.skewed)
    parts_->world->post([p = parts_.get(), worker] { p->tell_skew(worker); });
}

bool kubernetes_service::takes_warm(const std::string& stream) const {
  std::lock_guard guard(parts_->mutex);
  return parts_->plain.count(stream) != 0;
}

std::vector<std::string> kubernetes_service::living() const {
  const auto until = std::chrono::steady_clock::now() + pods_within;
  while (true) {
    bool known = false;
    std::vector<std::string> all;
    parts_->run([&] {
      known = parts_->workers && parts_->workers->synced();
      if (known)
        all = parts_->workers->living();
    });
    if (known || std::chrono::steady_clock::now() >= until)
      return all;
    std::this_thread::sleep_for(look_every);
  }
}

void kubernetes_service::serve(resource_desk& desk) {
  resource_reconciler_options options;
  options.name_space = parts_->options.watched;
  options.holder = parts_->options.holder;
  options.installation = parts_->options.name_space;
  options.spec_seen = [x = parts_.get()](const std::string& name_space, const std::string& name,
                                         const kube_json& spec) {
    const bool plain = !spec.is_null() && member(spec, {"pod"}) == nullptr && !uses_files(spec);
    std::lock_guard guard(x->mutex);
    if (plain)
      x->plain.insert(qualified_name(name_space, name));
    else
      x->plain.erase(qualified_name(name_space, name));
  };
  options.specs_changed = [x = parts_.get()] {
    if (x->workers)
      x->workers->review();
  };
  options.trouble = [x = parts_.get()](const std::string& what, const error* why) {
    x->tell_call(what, why);
  };
  parts_->run([&] {
    parts_->resources = std::make_unique<resource_reconciler>(
        *parts_->calls, desk,
        [world = parts_->world.get()](std::function<void()> what) { world->post(std::move(what)); },
        std::move(options));
    parts_->resources->start();
  });
  std::lock_guard guard(parts_->mutex);
  parts_->told = parts_->resources.get();
}

void kubernetes_service::leave() {
  {
    std::lock_guard guard(parts_->mutex);
    parts_->told = nullptr;
  }
  parts_->run([&] { parts_->resources.reset(); });
}

void kubernetes_service::joined(const std::string& worker, const std::string& peers, micros ahead) {
  auto& x = *parts_;
  {
    std::lock_guard guard(x.mutex);
    x.owners[worker].skewed = skew_trouble(ahead);
  }
  if (std::abs(ahead) >= skew_told)
    x.world->post([p = parts_.get(), worker] { p->tell_skew(worker); });
  if (x.own_uid.empty() || peers.empty() || x.probed.exchange(true))
    return;
  std::lock_guard guard(x.mutex);
  if (x.probing.joinable())
    x.probing.join(); // it has let go of `probed` at its end
  x.probing = std::thread([p = parts_.get(), peers] { p->probe(peers); });
}

std::vector<std::string> kubernetes_service::why(const std::string& stream) const {
  return parts_->troubles.sentences(stream, monotone());
}

void kubernetes_service::stream_changed(const std::string& name) {
  const auto at = split(name);
  std::lock_guard guard(parts_->mutex);
  if (parts_->told != nullptr)
    parts_->told->stream_changed(at.name_space, at.name);
}

} // namespace ebb
