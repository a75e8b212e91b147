#include "k8s-bridge/cluster/kubernetes_service.hpp"

#include "actors/service/apply_plan.hpp"
#include "k8s-bridge/client/curl_world.hpp"
#include "k8s-bridge/cluster/incarnation_lease.hpp"
#include "k8s-bridge/cluster/resource_reconciler.hpp"
#include "k8s-bridge/cluster/resource_status.hpp"
#include "k8s-bridge/cluster/worker_reconciler.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace ebb {

namespace {

constexpr auto look_every = std::chrono::milliseconds(50);
constexpr auto pods_within = std::chrono::seconds(10);

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
    return found == owners.end() ? std::nullopt : std::optional(found->second);
  }

  /// On the cluster's thread.
  pod_wish wish_of(const std::string& worker) {
    const auto owner = owner_of(worker);
    if (!owner)
      return {};
    return {owner->name, owner->name_space,
            resources ? resources->pod_of(owner->name_space, owner->name) : kube_json()};
  }

  /// On the cluster's thread.
  void tell_problem(const std::string& worker, const std::string& reason,
                    const std::string& message) {
    std::fprintf(stderr, "%s: %s: %s\n", worker.c_str(), reason.c_str(), message.c_str());
    if (const auto owner = owner_of(worker); owner && resources)
      resources->tell_worker(owner->name_space, owner->name, reason,
                             "pod " + pod_name(worker) + ": " + message);
  }

  result<void> open();
  result<kube_json> read_own_pod();

  kubernetes_options options;
  pod_template pods;
  std::uint64_t incarnation = 0;
  // Of the cluster's thread, which ends first.
  std::unique_ptr<kube_calls> calls;
  std::unique_ptr<worker_reconciler> workers;
  std::unique_ptr<resource_reconciler> resources;
  std::mutex mutex;
  resource_reconciler* told = nullptr; ///< of changes
  std::map<std::string, split_name>
      owners; ///< streams, by worker; with `told` guarded by the mutex
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
  }
  EBB_ASSIGN(pods, template_of(own, options));
  return {};
}

kubernetes_service::kubernetes_service(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

kubernetes_service::~kubernetes_service() {
  leave();
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
  options.prepare = parts_->options.make_identity;
  options.clean = [x = parts_.get()](const std::string& worker) {
    if (x->options.drop_identity)
      x->options.drop_identity(worker);
    std::lock_guard guard(x->mutex);
    x->owners.erase(worker);
  };
  options.wish = [x = parts_.get()](const std::string& worker) { return x->wish_of(worker); };
  options.problem = [x = parts_.get()](const std::string& worker, const std::string& reason,
                                       const std::string& message) {
    x->tell_problem(worker, reason, message);
  };
  parts_->run([&] {
    parts_->workers =
        std::make_unique<worker_reconciler>(*parts_->calls, std::move(options), listener);
    parts_->workers->start();
  });
  return std::make_unique<kubernetes_backend>(*parts_->world, parts_->workers);
}

void kubernetes_service::is_for(const std::string& worker, const std::string& stream) {
  std::lock_guard guard(parts_->mutex);
  parts_->owners.insert_or_assign(worker, split(stream));
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
  options.specs_changed = [x = parts_.get()] {
    if (x->workers)
      x->workers->review();
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

void kubernetes_service::stream_changed(const std::string& name) {
  const auto at = split(name);
  std::lock_guard guard(parts_->mutex);
  if (parts_->told != nullptr)
    parts_->told->stream_changed(at.name_space, at.name);
}

} // namespace ebb
