#include "k8s-bridge/cluster/resource_status.hpp"

#include "actors/runtime/moment_text.hpp"
#include "actors/service/lifecycle/lifecycle_record.hpp"
#include "k8s-bridge/cluster/pod_trouble.hpp"

#include <string_view>

namespace ebb {

namespace {

constexpr std::size_t message_shown = 1024;

struct truth {
  const char* type;
  bool is;
  std::string reason;
  std::string message;
};

std::string shortened(std::string text) {
  if (text.size() > message_shown) {
    std::size_t cut = message_shown;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U)
      --cut;
    text.resize(cut);
  }
  return text;
}

const kube_json* condition_of(const kube_json& status, std::string_view type) {
  if (const auto* all = member(status, {"conditions"}); all != nullptr && all->is_array())
    for (const auto& x : *all)
      if (text_at(x, {"type"}) == type)
        return &x;
  return nullptr;
}

kube_json condition(const truth& x, std::int64_t generation, const kube_json& before, micros wall) {
  const char* is = x.is ? "True" : "False";
  auto since = moment_text(wall);
  if (const auto* old = condition_of(before, x.type);
      old != nullptr && text_at(*old, {"status"}) == is)
    if (auto kept = text_at(*old, {"lastTransitionTime"}); !kept.empty())
      since = std::move(kept);
  return {{"type", x.type},
          {"status", is},
          {"reason", x.reason.empty() ? "Unknown" : x.reason},
          {"message", shortened(x.message)},
          {"lastTransitionTime", since},
          {"observedGeneration", generation}};
}

/// What is wrong, field and place first.
std::string problem_text(const error& x) {
  std::string text;
  if (!x.place.field.empty())
    text += x.place.field + ": ";
  text += x.message;
  if (!x.excerpt.empty())
    text += "\n" + x.excerpt;
  if (!x.hint.empty())
    text += " (" + x.hint + ")";
  return text;
}

const char* problem_reason(const error& x) {
  switch (x.code) {
  case ec::conflict:
    return "ConflictingSpec";
  case ec::invalid_argument:
  case ec::unsupported:
  case ec::not_found:
  case ec::evaluation:
    return "InvalidSpec";
  default:
    return "CannotApply";
  }
}

bool is_setback(const std::string& reason) {
  using why = lifecycle_reason;
  for (const auto x : {why::crashed, why::worker_lost, why::start_too_slow, why::stop_too_slow,
                       why::silent, why::will_not_work})
    if (reason == to_string(x))
      return true;
  return false;
}

void put_stream(const observed_resource& x, kube_json& to, std::vector<truth>& conditions) {
  const auto& r = *x.report;
  to["phase"] = r.phase;
  to["reason"] = r.reason;
  to["message"] = shortened(r.message);
  to["since"] = moment_text(r.since);
  to["generation"] = r.generation;
  to["parallelism"] = r.parallelism;
  if (r.worker != 0)
    to["worker"] = pod_name("worker-" + std::to_string(r.worker));
  if (r.newest)
    to["checkpoint"] = {{"epoch", r.newest->epoch},
                        {"time", moment_text(r.newest->when)},
                        {"bytes", r.newest->bytes},
                        {"durationMillis", r.newest->took / 1000}};
  if (r.next_wake != max_time)
    to["nextWake"] = moment_text(r.next_wake);
  if (r.last_wake != 0)
    to["lastWake"] = moment_text(r.last_wake);
  to["rowsPerSecond"] = x.rows_per_second;
  if (r.lag)
    to["lag"] = *r.lag;
  const bool moves = r.phase == "Waking" || r.phase == "GoingToSleep";
  if (x.pod_problem && r.phase == "Waking") {
    const auto& y = *x.pod_problem;
    to["message"] = shortened(y.message);
    to["reason"] = y.reason;
    conditions.push_back({"Ready", r.ready, r.reason, r.message});
    conditions.push_back({"Asleep", false, r.reason, r.message});
    conditions.push_back({"Progressing", true, y.reason, y.message});
    conditions.push_back({"Degraded", true, y.reason, y.message});
    return;
  }
  const bool bad = r.phase == "Failed" || (r.phase == "Waking" && is_setback(r.reason));
  conditions.push_back({"Ready", r.ready, r.reason, r.message});
  conditions.push_back({"Asleep", r.phase == "Asleep", r.reason, r.message});
  conditions.push_back({"Progressing", moves, r.reason, r.message});
  if (!bad && r.phase == "Running" && x.pod_problem && x.pod_problem->reason == clock_skew)
    conditions.push_back({"Degraded", true, clock_skew, x.pod_problem->message});
  else if (!bad && !r.held_up.empty())
    conditions.push_back({"Degraded", true, checkpoint_held_up, r.held_up});
  else
    conditions.push_back({"Degraded", bad, bad ? r.reason : "AsExpected", bad ? r.message : ""});
}

/// What this process does not know, an earlier one may have written.
void keep_past(const observed_resource& x, const kube_json& before, kube_json& to) {
  const bool same = text_at(before, {"uid"}) == x.wished->uid;
  if (x.last_failure)
    to["lastFailure"] = {{"reason", x.last_failure->reason},
                         {"message", shortened(x.last_failure->message)},
                         {"time", moment_text(x.last_failure->when)}};
  else if (const auto* kept = member(before, {"lastFailure"}); kept != nullptr && same)
    to["lastFailure"] = *kept;
  if (const auto* kept = member(before, {"lastWake"});
      kept != nullptr && same && !to.contains("lastWake"))
    to["lastWake"] = *kept;
  // The record that a control process begins with is written a moment before a rest begins: that is
  // no reason to write all statuses anew at each start.
  const auto equal = [&](const char* name) {
    const auto* a = member(before, {name});
    const auto* b = member(to, {name});
    return a != nullptr && b != nullptr && *a == *b;
  };
  const auto phase = text_at(to, {"phase"});
  const bool rests = phase == "Asleep" || phase == "Stopped" || phase == "Failed";
  if (const auto* kept = member(before, {"since"});
      kept != nullptr && same && rests && equal("phase") && equal("reason") && equal("generation"))
    to["since"] = *kept;
}

} // namespace

std::string pod_name(const std::string& worker) {
  return "ebb-" + worker;
}

kube_json make_status(const observed_resource& x, const kube_json& before, micros wall) {
  kube_json to = kube_json::object();
  std::vector<truth> conditions;
  const auto uid = service_uid(x.wished->uid);
  const error* problem = nullptr;
  if (!x.held_uid.empty() && x.held_uid != uid)
    problem = x.removed && x.removed->problem ? &*x.removed->problem : nullptr;
  else if (x.applied && x.applied->problem)
    problem = &*x.applied->problem;
  const bool held = x.held_uid == uid;
  to["uid"] = x.wished->uid;
  to["observedGeneration"] = x.wished->generation;
  if (!x.installation.empty())
    to["installation"] = x.installation;
  if (x.kind == resource_kind::topic && !x.endpoint.empty())
    to["endpoint"] = x.endpoint;
  if (x.kind == resource_kind::stream && held && x.report)
    put_stream(x, to, conditions);
  if (x.kind == resource_kind::stream)
    keep_past(x, before, to);
  if (problem != nullptr) {
    const auto text = problem_text(*problem);
    const auto* reason = problem_reason(*problem);
    // A stream that runs as it was applied before goes on so.
    std::erase_if(conditions, [](const truth& y) {
      return std::string_view(y.type) == "Ready" || std::string_view(y.type) == "Degraded";
    });
    conditions.insert(conditions.begin(), {"Ready", false, reason, text});
    conditions.push_back({"Degraded", true, reason, text});
    to["reason"] = reason;
    to["message"] = shortened(text);
    if (x.kind == resource_kind::stream && !to.contains("phase"))
      to["phase"] = "Failed";
  } else if (x.kind == resource_kind::topic) {
    conditions.push_back({"Ready", held, held ? "Applied" : "Applying", ""});
  } else if (conditions.empty()) {
    conditions.push_back({"Ready", false, "Applying",
                          x.waits_for.empty()
                              ? "it is being applied"
                              : "waits for topic " + x.waits_for
                                    + ": it is being made; an earlier one of the name has to go "
                                      "first, with the streams that use it"});
  }
  auto list = kube_json::array();
  for (const auto& y : conditions)
    list.push_back(condition(y, x.wished->generation, before, wall));
  to["conditions"] = std::move(list);
  return to;
}

status_change compare_status(const kube_json& before, const kube_json& now) {
  if (before == now)
    return status_change::none;
  const auto stripped = [](kube_json x) {
    if (!x.is_object())
      return x;
    const bool failed = text_at(x, {"phase"}) == "Failed" || text_at(x, {"phase"}).empty();
    if (!failed)
      x.erase("message");
    x.erase("checkpoint");
    x.erase("rowsPerSecond");
    x.erase("lag");
    x.erase("nextWake");
    const auto all = x.find("conditions");
    if (all == x.end() || !all->is_array())
      return x;
    for (auto& y : *all) {
      const bool kept =
          text_at(y, {"status"}) == "False" && (failed || text_at(y, {"type"}) == "Ready");
      if (y.is_object() && !kept)
        y.erase("message");
    }
    return x;
  };
  return stripped(before) == stripped(now) ? status_change::numbers : status_change::matter;
}

} // namespace ebb
