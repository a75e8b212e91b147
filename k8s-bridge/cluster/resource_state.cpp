#include "k8s-bridge/cluster/resource_state.hpp"

#include "k8s-bridge/cluster/resource_status.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// Between writes of what changes all the time.
constexpr micros volatile_pause = 15 * micros_per_second;

void add_topics(const kube_json* spec, const char* list, std::vector<std::string>& to) {
  const auto* all = spec == nullptr ? nullptr : member(*spec, {list});
  if (all == nullptr || !all->is_array())
    return;
  for (const auto& x : *all)
    if (auto name = text_at(x, {"topic", "name"}); !name.empty())
      to.push_back(std::move(name));
}

bool fits(const tried_step& tried, const observed_resource& x, const std::string& uid) {
  return tried.uid == uid && tried.generation == x.wished->generation;
}

/// Whether an apply that has failed is worth another try.
bool worth_another(const observed_resource& x, micros now) {
  return x.applied->topics != x.topics || now >= x.applied->retry_at;
}

void decide_status(const observed_resource& x, micros now, micros wall, resource_actions& to) {
  const bool ours = !x.written.is_null() && x.written_uid == x.wished->uid;
  const auto& before = ours ? x.written : x.wished->status;
  auto status = make_status(x, before, wall);
  const auto how = compare_status(before, status);
  if (how == status_change::none)
    return;
  auto at = x.write_at;
  if (how == status_change::numbers)
    at = std::max(at, x.written_at + volatile_pause);
  if (now >= at)
    to.status = std::move(status);
  else
    to.again = std::min(to.again, at);
}

} // namespace

std::string owner_of(const kube_json& status) {
  return text_at(status, {"installation"});
}

std::string service_uid(const std::string& cluster_uid) {
  auto x = cluster_uid;
  std::erase(x, '-');
  return x;
}

result<wished_resource> read_resource(resource_kind kind, const std::string& body) {
  EBB_ASSIGN(const auto object, parse_kube_json(body));
  wished_resource x;
  x.uid = text_at(object, {"metadata", "uid"});
  x.version = text_at(object, {"metadata", "resourceVersion"});
  x.generation = number_at(object, {"metadata", "generation"});
  x.deleting = member(object, {"metadata", "deletionTimestamp"}) != nullptr;
  kube_json document{{"apiVersion", "ebb.dev/v1alpha1"}, {"kind", to_string(kind)}};
  document["metadata"] = {{"name", text_at(object, {"metadata", "name"})},
                          {"namespace", text_at(object, {"metadata", "namespace"})}};
  const auto* spec = member(object, {"spec"});
  document["spec"] = spec == nullptr ? kube_json::object() : *spec;
  // One member a line: an error's line then says something.
  x.manifest = document.dump(2, ' ', false, kube_json::error_handler_t::replace);
  add_topics(spec, "sources", x.topics);
  add_topics(spec, "sinks", x.topics);
  if (const auto* status = member(object, {"status"}))
    x.status = *status;
  return x;
}

resource_actions desired_state(const observed_resource& x, micros now, micros wall) {
  resource_actions to;
  if (!x.wishes_known || !x.held_known)
    return to;
  const bool wanted = x.wished && !x.wished->deleting;
  const auto uid = wanted ? service_uid(x.wished->uid) : std::string();
  // Another one of its name was deleted, seen or not.
  if (!x.held_uid.empty() && x.held_uid != uid) {
    if (!x.removed || x.removed->uid != x.held_uid || now >= x.removed->retry_at
        || x.removed->topics != x.topics)
      to.remove = true;
    else
      to.again = x.removed->retry_at;
    if (wanted && !to.remove)
      decide_status(x, now, wall, to);
    return to;
  }
  if (!wanted) {
    to.forget = x.held_uid.empty() && !x.wished;
    return to;
  }
  // Of several installations one has it: the first that writes so.
  if (x.held_uid.empty() && !x.installation.empty()) {
    const bool ours = !x.written.is_null() && x.written_uid == x.wished->uid;
    const auto owner = owner_of(ours ? x.written : x.wished->status);
    if (owner.empty()) {
      to.claim = true;
      if (now >= x.write_at)
        to.status = make_status(x, x.wished->status, wall);
      else
        to.again = x.write_at;
      return to;
    }
    if (owner != x.installation) {
      to.owned_by = owner;
      return to;
    }
  }
  // With the earlier topic it would keep that one from going.
  if (x.held_uid.empty() && !x.waits_for.empty()) {
    decide_status(x, now, wall, to);
    return to;
  }
  const bool tried = x.applied && fits(*x.applied, x, uid);
  if (!tried || (x.applied->problem && worth_another(x, now))) {
    to.apply = true;
    return to;
  }
  if (x.applied->problem)
    to.again = x.applied->retry_at;
  if (x.kind == resource_kind::stream && !x.held_uid.empty() && x.look_due) {
    to.look = true;
    return to;
  }
  decide_status(x, now, wall, to);
  return to;
}

std::vector<resource_event> events_between(const resource_report& before,
                                           const resource_report& now) {
  std::vector<resource_event> all;
  if (before.phase == now.phase)
    return all;
  if (now.phase == "Running" && before.phase != "GoingToSleep")
    all.push_back({"Woke", "runs as generation " + std::to_string(now.generation), false});
  else if (now.phase == "Asleep")
    all.push_back({"FellAsleep", now.message, false});
  else if (now.phase == "Failed")
    all.push_back({"Failed", now.message, true});
  else if (now.phase == "Stopped")
    all.push_back({"Stopped", now.message, false});
  else if (now.phase == "Waking" && before.phase == "Running")
    all.push_back({now.reason, now.message, true});
  return all;
}

} // namespace ebb
