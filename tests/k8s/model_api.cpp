#include "tests/k8s/model_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace ebb::test {

namespace {

constexpr micros latency = 2'000;
constexpr std::size_t history_kept = 200;

kube_response status(int code, const char* reason, const std::string& name = {}) {
  kube_json x{{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", reason}};
  if (!name.empty())
    x["details"] = {{"name", name}};
  return {code, x.dump(), 0};
}

std::pair<std::string, std::string> split_query(const std::string& path) {
  const auto mark = path.find('?');
  return mark == std::string::npos ? std::pair(path, std::string())
                                   : std::pair(path.substr(0, mark), path.substr(mark + 1));
}

std::string value_of(const std::string& query, const std::string& name) {
  auto at = query.find(name + '=');
  if (at == std::string::npos)
    return {};
  at += name.size() + 1;
  auto value = query.substr(at, query.find('&', at) - at);
  for (auto slash = value.find("%2F"); slash != std::string::npos; slash = value.find("%2F"))
    value.replace(slash, 3, "/");
  return value;
}

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string folder(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

} // namespace

bool lies_in(const std::string& object, const std::string& collection) {
  if (folder(object) == collection)
    return true;
  // /apis/G/V/streams holds /apis/G/V/namespaces/N/streams/X.
  const auto base = folder(collection);
  const auto plural = last_part(collection);
  return object.starts_with(base + "/namespaces/") && last_part(folder(object)) == plural
         && collection.find("/namespaces/") == std::string::npos;
}

bool model_api::run_until(micros when) {
  for (int steps = 0; steps < 1'000'000; ++steps) {
    if (timers_.empty() || timers_.begin()->first > when) {
      now_ = when;
      return true;
    }
    const auto first = timers_.begin();
    now_ = first->first;
    const auto call = std::move(first->second);
    timers_.erase(first);
    call();
  }
  return false;
}

void model_api::send(kube_request request, done_function done) {
  ++calls_;
  const auto delay = latency + static_cast<micros>(chance() * latency);
  if (down || chance() < faults.lost_request) {
    call_after(delay, [done = std::move(done)] { done(make_error(ec::io, "no answer")); });
    return;
  }
  call_after(delay, [this, request = std::move(request), done = std::move(done)] {
    kube_response got;
    if (chance() < faults.busy)
      got = chance() < 0.5 ? status(429, "TooManyRequests") : status(500, "InternalError");
    else if (request.method != "GET" && chance() < faults.conflict)
      got = status(409, "Conflict");
    else
      got = handle(request);
    const bool lost = chance() < faults.lost_answer;
    call_after(latency, [done, got = std::move(got), lost]() mutable {
      if (lost)
        done(make_error(ec::io, "the answer was lost"));
      else
        done(std::move(got));
    });
  });
}

kube_response model_api::handle(const kube_request& request) {
  const auto [path, query] = split_query(request.path);
  if (request.method == "POST")
    return create(path, kube_json::parse(request.body));
  if (request.method == "DELETE")
    return remove(path, kube_json::parse(request.body));
  if (request.method == "PATCH")
    return patch_status(path, kube_json::parse(request.body));
  const auto found = objects_.find(path);
  if (request.method == "PUT") {
    auto object = kube_json::parse(request.body);
    if (found == objects_.end()) {
      // Leases may be made by an update.
      if (last_part(folder(path)) == "leases")
        return create(folder(path), std::move(object));
      return status(404, "NotFound", last_part(path));
    }
    if (text_at(object, {"metadata", "resourceVersion"})
        != text_at(found->second, {"metadata", "resourceVersion"}))
      return status(409, "Conflict", last_part(path));
    object["metadata"]["uid"] = found->second["metadata"]["uid"];
    // What changes nothing makes no new version.
    if (object.value("spec", kube_json()) == found->second.value("spec", kube_json()))
      return {200, found->second.dump(), 0};
    found->second = object;
    changed("MODIFIED", path, found->second);
    return {200, found->second.dump(), 0};
  }
  if (found != objects_.end())
    return {200, found->second.dump(), 0};
  if (value_of(query, "limit").empty())
    return status(404, "NotFound", last_part(path));
  return list(path, query);
}

kube_response model_api::list(const std::string& path, const std::string& query) {
  const auto limit = std::stoul(value_of(query, "limit"));
  const auto from = value_of(query, "continue");
  if (!from.empty() && chance() < faults.page_expired)
    return status(410, "Expired");
  kube_json x{{"kind", "List"}, {"items", kube_json::array()}};
  x["metadata"] = {{"resourceVersion", std::to_string(behind_ ? behind_->version : version_)}};
  const auto& objects = behind_ ? behind_->objects : objects_;
  for (auto i = from.empty() ? objects.begin() : objects.upper_bound("/" + from);
       i != objects.end(); ++i) {
    if (!lies_in(i->first, path))
      continue;
    if (x["items"].size() == limit) {
      x["metadata"]["continue"] = std::prev(i)->first.substr(1);
      break;
    }
    x["items"].push_back(i->second);
  }
  return {200, x.dump(), 0};
}

kube_response model_api::create(const std::string& path, kube_json object) {
  const auto name = text_at(object, {"metadata", "name"});
  const auto at = path + '/' + name;
  if (last_part(path) == "events")
    return {201, "{}", 0};
  if (objects_.contains(at))
    return status(409, "AlreadyExists", name);
  const bool pod = last_part(path) == "pods";
  if (pod)
    object["status"] = {{"phase", "Pending"}};
  put(path, std::move(object));
  if (pod && pod_made)
    pod_made(path, name);
  return {201, objects_.at(at).dump(), 0};
}

kube_response model_api::remove(const std::string& path, const kube_json& options) {
  const auto found = objects_.find(path);
  if (found == objects_.end())
    return status(404, "NotFound", last_part(path));
  const auto uid = text_at(options, {"preconditions", "uid"});
  if (uid.empty() || uid != text_at(found->second, {"metadata", "uid"}))
    return status(409, "Conflict", last_part(path));
  const int grace = options.contains("gracePeriodSeconds")
                        ? static_cast<int>(number_at(options, {"gracePeriodSeconds"}))
                        : 30;
  const auto phase = text_at(found->second, {"status", "phase"});
  // Only pods have a time to end in.
  if (last_part(folder(path)) != "pods") {
    erase(folder(path), last_part(path));
    return {200, R"({"kind":"Status","status":"Success"})", 0};
  }
  if (grace == 0 || phase == "Succeeded" || phase == "Failed") {
    auto last = found->second;
    last["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z";
    last["metadata"]["resourceVersion"] = std::to_string(++version_);
    erase(folder(path), last_part(path));
    return {200, last.dump(), 0};
  }
  auto& metadata = found->second["metadata"];
  if (metadata.contains("deletionTimestamp")
      && grace >= number_at(metadata, {"deletionGracePeriodSeconds"}))
    return {200, found->second.dump(), 0};
  metadata["deletionTimestamp"] = "2024-01-01T00:00:00Z";
  metadata["deletionGracePeriodSeconds"] = grace;
  changed("MODIFIED", path, found->second);
  if (pod_ends)
    pod_ends(folder(path), last_part(path), grace);
  return {200, objects_.contains(path) ? objects_.at(path).dump() : "{}", 0};
}

kube_response model_api::patch_status(const std::string& path, const kube_json& object) {
  const auto at = folder(path);
  const auto found = objects_.find(at);
  if (found == objects_.end())
    return status(404, "NotFound", last_part(at));
  // A uid is no precondition here: what a status says of metadata is not looked at, but the
  // version.
  const auto version = text_at(object, {"metadata", "resourceVersion"});
  if (!version.empty() && version != text_at(found->second, {"metadata", "resourceVersion"}))
    return status(409, "Conflict", last_part(at));
  // What changes nothing makes no new version.
  if (found->second.value("status", kube_json()) == object.at("status"))
    return {200, found->second.dump(), 0};
  found->second["status"] = object.at("status");
  changed("MODIFIED", at, found->second);
  return {200, found->second.dump(), 0};
}

void model_api::put(const std::string& collection, kube_json object) {
  const auto path = collection + '/' + text_at(object, {"metadata", "name"});
  const auto found = objects_.find(path);
  auto& metadata = object["metadata"];
  if (found == objects_.end()) {
    ++uids_;
    metadata["uid"] = fmt::format("{:08x}-0000-4000-8000-{:012x}", uids_, uids_);
    if (!metadata.contains("generation"))
      metadata["generation"] = 1;
  } else {
    metadata["uid"] = found->second["metadata"]["uid"];
    const bool same = found->second.value("spec", kube_json()) == object.value("spec", kube_json());
    metadata["generation"] = number_at(found->second, {"metadata", "generation"}) + (same ? 0 : 1);
    if (!object.contains("status") && found->second.contains("status"))
      object["status"] = found->second["status"];
  }
  auto& kept = objects_[path] = std::move(object);
  changed(found == objects_.end() ? "ADDED" : "MODIFIED", path, kept);
}

void model_api::fall_behind() {
  behind_ = snapshot{objects_, version_};
}

void model_api::catch_up() {
  behind_.reset();
  // Watches of an API server that was behind go on where they were.
  const auto all = watchers_;
  for (const auto& to : all)
    for (const auto& e : history_)
      if (to->open && lies_in(e.path, to->collection) && !tell(*to, e))
        close(to, make_error(ec::io, "the connection broke"));
}

void model_api::erase(const std::string& collection, const std::string& name) {
  const auto path = collection + '/' + name;
  const auto found = objects_.find(path);
  if (found == objects_.end())
    return;
  const auto object = found->second;
  objects_.erase(found);
  changed("DELETED", path, object);
}

const kube_json* model_api::find(const std::string& collection, const std::string& name) const {
  const auto found = objects_.find(collection + '/' + name);
  return found == objects_.end() ? nullptr : &found->second;
}

std::vector<kube_json> model_api::all(const std::string& plural) const {
  std::vector<kube_json> all;
  for (const auto& [path, x] : objects_)
    if (last_part(folder(path)) == plural)
      all.push_back(x);
  return all;
}

void model_api::changed(const std::string& type, const std::string& path, const kube_json& object) {
  event x{++version_, path, type, object};
  x.object["metadata"]["resourceVersion"] = std::to_string(version_);
  if (const auto found = objects_.find(path); found != objects_.end())
    found->second["metadata"]["resourceVersion"] = std::to_string(version_);
  history_.push_back(x);
  if (history_.size() > history_kept)
    history_.pop_front();
  if (behind_)
    return;
  const auto all = watchers_;
  for (const auto& to : all)
    if (to->open && lies_in(path, to->collection)) {
      call_after(latency, [this, to, x] {
        if (to->open && !tell(*to, x))
          close(to, make_error(ec::io, "the connection broke"));
      });
    }
}

bool model_api::tell(watcher& to, const event& x) {
  if (x.version <= to.told)
    return true;
  to.told = x.version;
  const auto line = kube_json{{"type", x.type}, {"object", x.object}}.dump() + '\n';
  if (down || chance() < faults.watch_cut) {
    to.data(std::string_view(line).substr(0, line.size() / 2));
    return false;
  }
  return to.data(line);
}

void model_api::close(const std::shared_ptr<watcher>& x, result<kube_response> how) {
  if (!std::exchange(x->open, false))
    return;
  std::erase(watchers_, x);
  call_after(latency, [x, how = std::move(how)]() mutable { x->done(std::move(how)); });
}

void model_api::stream(kube_request request, data_function data, done_function done) {
  ++calls_;
  const auto [path, query] = split_query(request.path);
  const auto x =
      std::make_shared<watcher>(watcher{path, std::move(data), std::move(done), true, 0});
  watchers_.push_back(x);
  const std::uint64_t from = std::stoull("0" + value_of(query, "resourceVersion"));
  const auto lasts = std::stoll("0" + value_of(query, "timeoutSeconds")) * micros_per_second;
  call_after(latency, [this, x, from, lasts] {
    if (down)
      return close(x, make_error(ec::io, "no answer"));
    const bool old =
        !history_.empty() && from + 1 < history_.front().version && history_.size() == history_kept;
    if (old || chance() < faults.watch_expired) {
      if (chance() < 0.5)
        return close(x, status(410, "Expired"));
      x->data(R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}})"
              "\n");
      return close(x, make_error(ec::cancelled, "ended by the client"));
    }
    // What happened since; what happens while it is being opened comes in its turn.
    x->told = std::max(x->told, from);
    for (const auto& e : history_)
      if (!behind_ && e.version > from && lies_in(e.path, x->collection) && x->open && !tell(*x, e))
        return close(x, make_error(ec::io, "the connection broke"));
    call_after(lasts, [this, x] { close(x, kube_response{200, {}, 0}); });
  });
}

} // namespace ebb::test
