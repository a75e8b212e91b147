// What a resource_reconciler is told of streams and their pods, and what it tells people.
#include "k8s-bridge/cluster/cluster_event.hpp"
#include "k8s-bridge/cluster/resource_reconciler.hpp"
#include "k8s-bridge/cluster/resource_status.hpp"

namespace ebb {

namespace {

/// Between events about one object, warnings aside.
constexpr micros event_pause = 2 * micros_per_second;

} // namespace

void resource_reconciler::stream_changed(const std::string& name_space, const std::string& name) {
  {
    std::lock_guard guard(mutex_);
    const bool first = moved_.empty();
    moved_.emplace(name_space, name);
    if (!first)
      return;
  }
  post_([this, here = here_] {
    if (!*here)
      return;
    decltype(moved_) all;
    {
      std::lock_guard guard(mutex_);
      all.swap(moved_);
    }
    for (const auto& [space, stream] : all) {
      const key k{resource_kind::stream, space, stream};
      if (const auto found = entries_.find(k); found != entries_.end()) {
        found->second.state.look_due = true;
        evaluate(k);
      }
    }
  });
}

void resource_reconciler::tell_worker(const std::string& name_space, const std::string& name,
                                      const std::string& pod, const pod_trouble& why) {
  const key k{resource_kind::stream, name_space, name};
  const auto found = entries_.find(k);
  if (found == entries_.end() || !found->second.state.wished)
    return;
  auto& state = found->second.state;
  state.pod_problem = resource_event{why.reason, sentence_of(why, pod), true};
  state.pod_problem_of = pod;
  if (why.ended)
    state.last_failure = {why.reason, state.pod_problem->message, calls_.world().wall_time()};
  emit(found->second, *state.pod_problem);
  evaluate(k);
}

void resource_reconciler::worker_runs(const std::string& name_space, const std::string& name) {
  const key k{resource_kind::stream, name_space, name};
  const auto found = entries_.find(k);
  if (found == entries_.end())
    return;
  found->second.state.pod_problem.reset();
  evaluate(k);
}

void resource_reconciler::reported(entry& e, const resource_report& now) {
  auto& state = e.state;
  if (state.report)
    for (const auto& event : events_between(*state.report, now))
      emit(e, event);
  state.report = now;
  const bool runs = now.phase == "Running";
  // The report may be older than the end of its pod.
  const auto pod = pod_name("worker-" + std::to_string(now.worker));
  if (now.phase != "Waking" && !(runs && pod == state.pod_problem_of))
    state.pod_problem.reset();
  if (runs)
    e.rate.take(now.generation, now.rows, calls_.world().now());
  else
    e.rate.rest();
  state.rows_per_second = e.rate.a_second();
}

void resource_reconciler::emit(entry& e, const resource_event& what) {
  auto& world = calls_.world();
  if (!e.state.wished || (!what.warning && world.now() < e.event_at))
    return;
  e.event_at = world.now() + event_pause;
  const auto event = make_event({"ebb.dev/v1alpha1", to_string(e.state.kind), e.state.name_space,
                                 e.state.name, e.state.wished->uid},
                                what, world.wall_time(), events_++, options_.holder);
  // One that is lost is lost: the status says the same.
  calls_.create(std::string("tell of ") + to_string(e.state.kind) + ' ' + e.state.name,
                "/api/v1/namespaces/" + e.state.name_space + "/events", event,
                [](const kube_answer&) {});
}

} // namespace ebb
