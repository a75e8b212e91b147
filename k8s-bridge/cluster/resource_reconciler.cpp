#include "k8s-bridge/cluster/resource_reconciler.hpp"

#include "actors/service/process_log.hpp"
#include "k8s-bridge/cluster/resource_status.hpp"

#include <utility>

namespace ebb {

namespace {

constexpr const char* group_path = "/apis/ebb.dev/v1alpha1";
constexpr const char* api_version = "ebb.dev/v1alpha1";
/// Between two writes of one object's status.
constexpr micros status_pause = micros_per_second;

const char* plural(resource_kind x) {
  return x == resource_kind::stream ? "streams" : "topics";
}

std::string shown(const std::tuple<resource_kind, std::string, std::string>& x) {
  return std::string(to_string(std::get<0>(x))) + ' ' + std::get<1>(x) + '/' + std::get<2>(x);
}

} // namespace

resource_reconciler::resource_reconciler(kube_calls& calls, resource_desk& desk, post_function post,
                                         resource_reconciler_options options)
    : calls_(calls), desk_(desk), post_(std::move(post)), options_(std::move(options)),
      streams_(calls, mirror_of(resource_kind::stream), events_of(resource_kind::stream)),
      topics_(calls, mirror_of(resource_kind::topic), events_of(resource_kind::topic)) {}

resource_reconciler::~resource_reconciler() {
  *here_ = false;
}

mirror_options resource_reconciler::mirror_of(resource_kind kind) const {
  mirror_options x;
  x.what = plural(kind);
  x.path = group_path;
  if (!options_.name_space.empty())
    x.path += "/namespaces/" + options_.name_space;
  x.path += std::string("/") + plural(kind);
  return x;
}

mirror_events resource_reconciler::events_of(resource_kind kind) {
  mirror_events x;
  x.changed = [this, kind](const std::string& where, const kube_object* now) {
    changed(kind, where, now);
  };
  x.synced = [this, kind] {
    std::vector<key> all;
    for (auto& [k, e] : entries_) {
      if (std::get<0>(k) == kind)
        e.state.wishes_known = true;
      // Streams wait for topics to be known.
      if (std::get<0>(k) == kind || !e.state.waits_for.empty())
        all.push_back(k);
    }
    for (const auto& k : all)
      evaluate(k);
  };
  x.problem = [this, kind](const error* why) {
    if (options_.trouble)
      options_.trouble(std::string("watch ") + plural(kind), why);
    if (why != nullptr) {
      tell_log(log_level::warning, to_string(*why));
      return;
    }
    tell_log(log_level::info, std::string(plural(kind)) + " of the cluster are watched again");
    retry_writes(kind);
  };
  return x;
}

/// The API server answers again: what waits for another try need not wait longer.
void resource_reconciler::retry_writes(resource_kind kind) {
  std::vector<key> all;
  for (auto& [k, e] : entries_)
    if (std::get<0>(k) == kind && e.state.write_at > calls_.world().now()) {
      e.pauses.reset();
      e.state.write_at = 0;
      all.push_back(k);
    }
  for (const auto& k : all)
    evaluate(k);
}

void resource_reconciler::start() {
  take_held();
  topics_.start();
  streams_.start();
}

void resource_reconciler::take_held() {
  // The desk answers in a thread of its own, and this object may be gone by then.
  desk_.list([this, here = here_, post = post_](result<std::vector<held_resource>> all) {
    post([this, here, all = std::move(all)] {
      if (!*here)
        return;
      if (!all) {
        calls_.world().call_after(micros_per_second, [this, here] {
          if (*here)
            take_held();
        });
        return;
      }
      held_known_ = true;
      for (const auto& x : *all)
        if (options_.name_space.empty() || x.name_space == options_.name_space)
          at({x.kind, x.name_space, x.name}).state.held_uid = x.uid;
      std::vector<key> keys;
      for (auto& [k, e] : entries_) {
        e.state.held_known = true;
        keys.push_back(k);
      }
      for (const auto& k : keys)
        evaluate(k);
    });
  });
}

resource_reconciler::entry& resource_reconciler::at(const key& x) {
  const auto [found, unknown] = entries_.try_emplace(x);
  auto& e = found->second;
  if (unknown) {
    e.pauses = back_off(options_.pauses);
    e.state.kind = std::get<0>(x);
    e.state.name_space = std::get<1>(x);
    e.state.name = std::get<2>(x);
    e.state.installation = options_.installation;
    // Numbers are not told at once where an earlier process has told some.
    e.state.written_at = calls_.world().now();
    e.state.held_known = held_known_;
    e.state.wishes_known = (e.state.kind == resource_kind::stream ? streams_ : topics_).synced();
    if (e.state.kind == resource_kind::topic)
      e.state.endpoint = "/v1/topics/" + e.state.name + "/messages?namespace=" + e.state.name_space;
  }
  return e;
}

void resource_reconciler::changed(resource_kind kind, const std::string& where,
                                  const kube_object* now) {
  const auto slash = where.find('/');
  const key k{kind, where.substr(0, slash), where.substr(slash + 1)};
  auto& e = at(k);
  if (now == nullptr) {
    e.state.wished.reset();
  } else if (auto read = read_resource(kind, now->body)) {
    const bool other = e.state.wished && e.state.wished->generation != read->generation;
    if (other)
      e.pauses.reset();
    e.state.wished = *std::move(read);
    if (other && kind == resource_kind::stream && options_.specs_changed)
      options_.specs_changed();
  }
  if (kind == resource_kind::stream && options_.spec_seen) {
    const auto& [any, name_space, name] = k;
    options_.spec_seen(name_space, name, now == nullptr ? kube_json() : spec_of(name_space, name));
  }
  evaluate(k);
}

kube_json resource_reconciler::spec_of(const std::string& name_space,
                                       const std::string& name) const {
  const auto* found = streams_.find(name_space + '/' + name);
  if (found == nullptr)
    return nullptr;
  const auto object = parse_kube_json(found->body);
  const auto* spec = object ? member(*object, {"spec"}) : nullptr;
  return spec == nullptr ? kube_json() : *spec;
}

void resource_reconciler::wake_at(const key& x, entry& e, micros when) {
  auto& world = calls_.world();
  const auto number = ++e.again;
  world.call_after(std::max<micros>(when - world.now(), 0), [this, here = here_, x, number] {
    if (!*here)
      return;
    if (const auto found = entries_.find(x);
        found != entries_.end() && found->second.again == number)
      evaluate(x);
  });
}

micros resource_reconciler::retry_after(entry& e) {
  auto& world = calls_.world();
  return world.now() + e.pauses.next(world.chance());
}

std::string resource_reconciler::path(const key& x) const {
  return std::string(group_path) + "/namespaces/" + std::get<1>(x) + '/' + plural(std::get<0>(x))
         + '/' + std::get<2>(x);
}

void resource_reconciler::evaluate(const key& x) {
  const auto found = entries_.find(x);
  if (found == entries_.end() || found->second.busy)
    return;
  auto& e = found->second;
  e.state.topics = topic_versions_[e.state.name_space];
  e.state.waits_for = outdated_topic(e);
  auto& world = calls_.world();
  auto to = desired_state(e.state, world.now(), world.wall_time());
  if (to.forget) {
    entries_.erase(found);
    return;
  }
  carry_out(x, e, std::move(to));
}

std::string resource_reconciler::outdated_topic(const entry& e) const {
  if (e.state.kind != resource_kind::stream || !e.state.wished || !e.state.held_uid.empty())
    return {};
  for (const auto& name : e.state.wished->topics) {
    if (!topics_.synced())
      return name;
    const auto found = entries_.find({resource_kind::topic, e.state.name_space, name});
    if (found == entries_.end() || !found->second.state.wished)
      continue;
    const auto& topic = found->second.state;
    const bool refused = topic.held_uid.empty() && topic.applied && topic.applied->problem;
    if (topic.held_uid != service_uid(topic.wished->uid) && !refused)
      return name;
  }
  return {};
}

void resource_reconciler::carry_out(const key& x, entry& e, resource_actions to) {
  if (to.again != max_time && to.nothing())
    wake_at(x, e, to.again);
  if (to.remove)
    confirm_removal(x, e);
  else if (to.apply)
    apply(x, e);
  else if (to.look)
    look(x, e);
  else if (to.status)
    write_status(x, e, *std::move(to.status), to.claim);
  if (to.owned_by.empty() || e.told_owner == to.owned_by)
    return;
  e.told_owner = to.owned_by;
  emit(e, {"OtherInstallation",
           "the installation in namespace " + options_.installation
               + " leaves it to that in namespace " + to.owned_by
               + " (status.installation); remove one of them, or give each its own "
               + "namespaces with --watch-namespace",
           true});
}

// --- the service ---------------------------------------------------------------------------------

void resource_reconciler::apply(const key& x, entry& e) {
  e.busy = true;
  tried_step step;
  step.uid = service_uid(e.state.wished->uid);
  step.generation = e.state.wished->generation;
  step.topics = e.state.topics;
  auto uid = step.uid;
  desk_.apply(e.state.wished->manifest, e.state.name_space, std::move(uid),
              [this, here = here_, post = post_, x, step](result<held_resource> done) {
                post([this, here, x, step, done = std::move(done)]() mutable {
                  if (*here)
                    applied(x, step, std::move(done));
                });
              });
}

void resource_reconciler::applied(const key& x, tried_step step, result<held_resource> done) {
  auto& e = entries_.at(x);
  e.busy = false;
  const bool topic = e.state.kind == resource_kind::topic;
  bool refused = false;
  if (done) {
    const bool created = e.state.held_uid.empty();
    e.state.held_uid = done->uid;
    e.state.look_due = true;
    e.pauses.reset();
    e.told_problem.clear();
    if (topic && created)
      topics_moved(e.state.name_space);
  } else {
    step.problem = std::move(done).error();
    const auto code = step.problem->code;
    // What a person must change is not tried again by itself; what has passed may be.
    if (code != ec::invalid_argument && code != ec::unsupported)
      step.retry_at = retry_after(e);
    if (e.told_problem != step.problem->message) {
      e.told_problem = step.problem->message;
      refused = true;
      emit(e, {"InvalidSpec", to_string(*step.problem), true});
    }
  }
  e.state.applied = std::move(step);
  // Its streams do not wait for it any longer.
  if (topic && refused)
    topics_moved(e.state.name_space);
  evaluate(x);
}

void resource_reconciler::confirm_removal(const key& x, entry& e) {
  e.busy = true;
  calls_.get("get " + shown(x), path(x), [this, here = here_, x](const kube_answer& answer) {
    if (!*here)
      return;
    auto& y = entries_.at(x);
    y.busy = false;
    // A kind that is not there says 404, too; only the object's own absence counts.
    const bool absent =
        answer.is_not_found() && text_at(answer.body, {"details", "name"}) == std::get<2>(x);
    const auto uid = service_uid(text_at(answer.body, {"metadata", "uid"}));
    const bool other = answer.ok()
                       && (uid != y.state.held_uid
                           || member(answer.body, {"metadata", "deletionTimestamp"}) != nullptr);
    if (absent || other)
      return remove(x, y);
    tried_step step;
    step.uid = y.state.held_uid;
    step.topics = y.state.topics;
    step.retry_at = retry_after(y);
    y.state.removed = std::move(step);
    evaluate(x);
  });
}

void resource_reconciler::remove(const key& x, entry& e) {
  e.busy = true;
  const held_resource what{e.state.kind, e.state.name_space, e.state.name, e.state.held_uid};
  desk_.remove(what, [this, here = here_, post = post_, x, what](result<void> done) {
    post([this, here, x, what, done = std::move(done)] {
      if (!*here)
        return;
      auto& y = entries_.at(x);
      y.busy = false;
      if (done) {
        y.state.held_uid.clear();
        y.state.removed.reset();
        y.state.applied.reset();
        y.state.report.reset();
        y.pauses.reset();
        // A topic may have waited for its last stream, a stream for a topic of this name.
        topics_moved(y.state.name_space);
      } else {
        tried_step step;
        step.uid = what.uid;
        step.topics = topic_versions_[y.state.name_space];
        step.problem = done.error();
        step.retry_at = retry_after(y);
        y.state.removed = std::move(step);
      }
      evaluate(x);
    });
  });
}

void resource_reconciler::topics_moved(const std::string& name_space) {
  ++topic_versions_[name_space];
  std::vector<key> waiting;
  for (const auto& [k, e] : entries_)
    if (std::get<1>(k) == name_space
        && ((e.state.applied && e.state.applied->problem) || e.state.removed
            || !e.state.waits_for.empty()))
      waiting.push_back(k);
  for (const auto& k : waiting)
    evaluate(k);
}

void resource_reconciler::look(const key& x, entry& e) {
  e.busy = true;
  e.state.look_due = false;
  const held_resource what{e.state.kind, e.state.name_space, e.state.name, e.state.held_uid};
  desk_.look(what,
             [this, here = here_, post = post_, x](result<std::optional<resource_report>> got) {
               post([this, here, x, got = std::move(got)] {
                 if (!*here)
                   return;
                 auto& y = entries_.at(x);
                 y.busy = false;
                 if (got && *got)
                   reported(y, **got);
                 evaluate(x);
               });
             });
}

// --- the cluster ---------------------------------------------------------------------------------

void resource_reconciler::write_status(const key& x, entry& e, kube_json status, bool claim) {
  e.busy = true;
  const auto uid = e.state.wished->uid;
  kube_json object{{"apiVersion", api_version}, {"kind", to_string(e.state.kind)}};
  // The API server does not compare it where a status is written: one made anew meanwhile gets this
  // status, and its own right afterwards, since that has another uid.
  object["metadata"] = {{"name", e.state.name}, {"namespace", e.state.name_space}, {"uid", uid}};
  // Compared by the API server: nobody else has claimed it.
  if (claim)
    object["metadata"]["resourceVersion"] = e.state.wished->version;
  object["status"] = status;
  calls_.apply("write the status of " + shown(x), path(x) + "/status", object,
               [this, here = here_, x, uid, status](const kube_answer& answer) {
                 if (!*here)
                   return;
                 auto& y = entries_.at(x);
                 y.busy = false;
                 const auto now = calls_.world().now();
                 if (answer.ok()) {
                   y.state.written = status;
                   y.state.written_uid = uid;
                   y.state.written_at = now;
                   y.state.write_at = now + status_pause;
                   y.pauses.reset();
                 } else {
                   y.state.write_at = std::max(retry_after(y), now + answer.retry_after);
                 }
                 constexpr int forbidden = 403;
                 if (options_.trouble && (answer.ok() || answer.status == forbidden))
                   options_.trouble("write status", answer.ok() ? nullptr : &*answer.problem);
                 evaluate(x);
               });
}

} // namespace ebb
