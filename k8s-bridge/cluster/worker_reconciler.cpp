#include "k8s-bridge/cluster/worker_reconciler.hpp"

#include "k8s-bridge/cluster/resource_status.hpp"

#include <utility>

namespace ebb {

namespace {

mirror_options mirror_of(const pod_template& x) {
  mirror_options to;
  to.what = "pods of workers";
  to.path = "/api/v1/namespaces/" + x.name_space + "/pods";
  to.query = "labelSelector=" + url_text(worker_selector());
  return to;
}

} // namespace

worker_reconciler::worker_reconciler(kube_calls& calls, worker_reconciler_options options,
                                     worker_listener& listener)
    : calls_(calls), options_(std::move(options)), listener_(listener),
      mirror_(calls, mirror_of(options_.pods),
              {[this](const std::string& key, const kube_object* now) { changed(now, key); },
               [this] {
                 for (auto& [worker, x] : workers_)
                   x.state.pods_known = true;
                 // Evaluating may drop entries.
                 std::vector<std::string> all;
                 for (const auto& [worker, x] : workers_)
                   all.push_back(worker);
                 for (const auto& worker : all)
                   evaluate(worker);
               },
               [this](const error* why) {
                 if (options_.watch_trouble)
                   options_.watch_trouble(why);
               }}) {}

worker_reconciler::~worker_reconciler() {
  *here_ = false;
}

void worker_reconciler::start() {
  mirror_.start();
}

std::string worker_reconciler::path(const std::string& worker) const {
  return "/api/v1/namespaces/" + options_.pods.name_space + "/pods/" + pod_name(worker);
}

std::vector<std::string> worker_reconciler::living() const {
  std::vector<std::string> all;
  for (const auto& [worker, x] : workers_)
    if (x.state.pod && !x.state.pod->ended)
      all.push_back(worker);
  return all;
}

void worker_reconciler::wish(const std::string& worker, worker_wish what) {
  const auto [found, unknown] = workers_.try_emplace(worker);
  auto& x = found->second.state;
  if (unknown) {
    x.pods_known = mirror_.synced();
    if (what != worker_wish::run)
      x.made = x.seen = true; // what it was is not known: its pod says
  }
  if (!unknown && what == worker_wish::run && x.wish != worker_wish::none)
    return;
  // Never back to less.
  if (what > x.wish) {
    x.wish = what;
    x.since = calls_.world().now();
    x.call_at = 0;
  }
  evaluate(worker);
}

void worker_reconciler::adopt(const std::string& worker) {
  const auto [found, unknown] = workers_.try_emplace(worker);
  auto& x = found->second.state;
  if (x.wish != worker_wish::none)
    return;
  x.pods_known = mirror_.synced();
  x.wish = worker_wish::run;
  x.since = calls_.world().now();
  x.made = true;
  x.made_at = x.since;
  x.told_start = true;
  x.seen |= x.pod.has_value();
  evaluate(worker);
}

void worker_reconciler::review() {
  if (!options_.wish)
    return;
  std::vector<std::string> outdated;
  for (const auto& [worker, x] : workers_)
    if (x.state.wish == worker_wish::run && x.state.pod && !x.state.pod->running && x.made_with
        && options_.wish(worker) != *x.made_with)
      outdated.push_back(worker);
  for (const auto& worker : outdated)
    wish(worker, worker_wish::kill);
}

void worker_reconciler::changed(const kube_object* now, const std::string& key) {
  std::string worker;
  if (now == nullptr) {
    const auto known = pods_.extract(key);
    if (known.empty())
      return;
    worker = known.mapped();
    const auto found = workers_.find(worker);
    if (found == workers_.end())
      return;
    found->second.state.pod.reset();
    found->second.state.made = true;
  } else {
    auto read = read_worker_pod(now->body);
    if (!read || read->worker.empty() || now->name != pod_name(read->worker))
      return;
    worker = read->worker;
    pods_[key] = worker;
    const auto [found, unknown] = workers_.try_emplace(worker);
    auto& x = found->second.state;
    if (unknown)
      x.since = calls_.world().now();
    x.pods_known = mirror_.synced();
    x.made = x.seen = true;
    x.pod = *std::move(read);
    if (unknown && options_.belongs && !x.pod->stream.empty())
      options_.belongs(worker, x.pod->stream_name_space, x.pod->stream);
  }
  evaluate(worker);
}

void worker_reconciler::wake_at(const std::string& worker, micros when) {
  auto& world = calls_.world();
  world.call_after(std::max<micros>(when - world.now(), 0), [this, here = here_, worker] {
    if (*here)
      evaluate(worker);
  });
}

void worker_reconciler::evaluate(const std::string& worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second.busy)
    return;
  auto& x = found->second;
  const auto now = calls_.world().now();
  const auto to = desired_state(x.state, now);
  if (to.tell_start) {
    x.state.told_start = true;
    if (options_.runs)
      options_.runs(worker);
    listener_.started(worker, 0);
  }
  if (to.tell_problem) {
    x.state.told_problem = x.state.pod->problem;
    tell_trouble(worker, {x.state.pod->problem_reason, x.state.pod->problem, false});
  }
  if (to.tell_end)
    tell_end(worker, x);
  const bool known = x.state.pod || !x.made_uid.empty();
  if (!x.proves && known && x.state.wish == worker_wish::run && !to.remove && !to.tell_end) {
    if (now >= x.state.call_at)
      return give_identity(worker, x);
    wake_at(worker, x.state.call_at);
  }
  if (to.create)
    return create(worker, x);
  if (to.remove)
    return remove(worker, x, *to.remove);
  if (to.look)
    return look(worker, x);
  if (to.tell_end && !x.state.pod)
    return evaluate(worker);
  if (to.forget) {
    if (options_.clean)
      options_.clean(worker);
    workers_.erase(found);
    return;
  }
  if (to.again != max_time)
    wake_at(worker, to.again);
}

void worker_reconciler::tell_end(const std::string& worker, entry& x) {
  x.state.told_end = true;
  const auto& pod = x.state.pod;
  worker_exit how;
  if (pod && pod->ended)
    how = *pod->ended;
  if (pod && !pod->problem_reason.empty() && pod->problem_reason != "Completed")
    tell_trouble(worker,
                 {pod->problem_reason, pod->problem.empty() ? to_string(how) : pod->problem, true});
  listener_.gone(worker, how);
}

void worker_reconciler::tell_trouble(const std::string& worker, const pod_trouble& why) const {
  if (options_.trouble)
    options_.trouble(worker, why);
}

void worker_reconciler::failed(entry& x, const kube_answer& answer) {
  auto& world = calls_.world();
  x.state.call_at = world.now() + std::max(x.pauses.next(world.chance()), answer.retry_after);
}

void worker_reconciler::create(const std::string& worker, entry& x) {
  x.busy = true;
  x.made_with = options_.wish ? options_.wish(worker) : pod_wish{};
  const auto pod = make_worker_pod(options_.pods, worker, *x.made_with);
  const auto what = "create pod " + pod_name(worker);
  calls_.create(what, "/api/v1/namespaces/" + options_.pods.name_space + "/pods", pod,
                [this, here = here_, worker](const kube_answer& answer) {
                  if (!*here)
                    return;
                  auto& y = workers_.at(worker);
                  y.busy = false;
                  // A try whose answer was lost has made it.
                  const bool there = answer.status == 409 && answer.reason == "AlreadyExists";
                  if (answer.ok() || there) {
                    y.state.made = true;
                    y.proves = !options_.identity;
                    y.made_uid = there ? std::string() : text_at(answer.body, {"metadata", "uid"});
                    y.state.made_at = calls_.world().now();
                    y.pauses.reset();
                  } else if (answer.is_passing()) {
                    failed(y, answer);
                    const auto& text = answer.problem->message;
                    if (std::exchange(y.state.told_problem, text) != text)
                      tell_trouble(worker, refused_pod(answer));
                  } else {
                    y.state.told_end = true;
                    tell_trouble(worker, refused_pod(answer));
                    listener_.failed(worker, *answer.problem);
                  }
                  evaluate(worker);
                });
}

// Behind the pod, which waits for it: so it has an owner from the first moment, and the cluster
// removes it with its pod, whatever becomes of this process.
void worker_reconciler::give_identity(const std::string& worker, entry& x) {
  auto files = options_.identity(worker);
  if (!files) {
    x.proves = true;
    tell_trouble(worker, {"NoIdentity", files.error().message, false});
    return wish(worker, worker_wish::kill);
  }
  x.busy = true;
  const auto& uid = x.state.pod ? x.state.pod->uid : x.made_uid;
  const auto secret = make_worker_secret(options_.pods, worker, uid, *files);
  calls_.create("create secret " + pod_name(worker),
                "/api/v1/namespaces/" + options_.pods.name_space + "/secrets", secret,
                [this, here = here_, worker](const kube_answer& answer) {
                  if (!*here)
                    return;
                  auto& y = workers_.at(worker);
                  y.busy = false;
                  // A try whose answer was lost has made it.
                  if (answer.ok() || (answer.status == 409 && answer.reason == "AlreadyExists")) {
                    y.proves = true;
                    y.pauses.reset();
                    return evaluate(worker);
                  }
                  failed(y, answer);
                  const auto& text = answer.problem->message;
                  if (std::exchange(y.state.told_problem, text) != text)
                    tell_trouble(worker, refused_pod(answer));
                  evaluate(worker);
                });
}

void worker_reconciler::remove(const std::string& worker, entry& x, int grace) {
  x.busy = true;
  const auto uid = x.state.pod->uid;
  calls_.remove("delete pod " + pod_name(worker), path(worker), uid, grace,
                [this, here = here_, worker, uid, grace](const kube_answer& answer) {
                  if (!*here)
                    return;
                  auto& y = workers_.at(worker);
                  y.busy = false;
                  if (answer.ok() || answer.is_not_found()) {
                    y.state.deleted_uid = uid;
                    y.state.deleted_grace = grace;
                    y.state.deleted_at = calls_.world().now();
                    y.pauses.reset();
                  } else {
                    failed(y, answer);
                  }
                  evaluate(worker);
                });
}

void worker_reconciler::look(const std::string& worker, entry& x) {
  x.busy = true;
  calls_.get("get pod " + pod_name(worker), path(worker),
             [this, here = here_, worker](const kube_answer& answer) {
               if (!*here)
                 return;
               auto& y = workers_.at(worker);
               y.busy = false;
               if (answer.is_not_found())
                 y.state.seen = true;
               else if (answer.ok())
                 y.state.made_at = calls_.world().now(); // the mirror is behind
               else
                 failed(y, answer);
               evaluate(worker);
             });
}

} // namespace ebb
