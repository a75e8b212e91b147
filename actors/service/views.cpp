#include "actors/service/views.hpp"

#include "actors/gateway/problem.hpp"
#include "actors/runtime/moment_text.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/manifest_json.hpp"
#include "actors/service/resource_desk.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace ebb {

namespace {

using json = nlohmann::ordered_json;

double millis(micros x) {
  return static_cast<double>(x) / 1000.0;
}

std::string text_of(const json& x) {
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

json metadata(const std::string& qualified, const std::string& uid, std::uint64_t revision,
              micros created) {
  const auto name = split(qualified);
  json x{{"name", name.name}, {"namespace", name.name_space}, {"uid", uid}};
  x["generation"] = revision;
  if (created != 0)
    x["creationTimestamp"] = moment_text(created);
  return x;
}

json resource(const char* kind, const std::string& manifest, json metadata_of) {
  auto from = manifest_json(manifest);
  json x{{"apiVersion", "ebb.dev/v1alpha1"}, {"kind", kind}, {"metadata", std::move(metadata_of)}};
  for (const auto* key : {"labels", "annotations"})
    if (from.contains("metadata") && from["metadata"].contains(key))
      x["metadata"][key] = std::move(from["metadata"][key]);
  x["spec"] = from.contains("spec") ? std::move(from["spec"]) : json::object();
  return x;
}

json condition(const char* type, bool is, const stream_view& x) {
  return {{"type", type},
          {"status", is ? "True" : "False"},
          {"reason", x.reason},
          {"message", x.message},
          {"lastTransitionTime", moment_text(x.since)}};
}

/// Whether something is wrong with what runs.
json degraded(const stream_view& x) {
  const auto alarm = x.status ? x.status->checkpoints.alarm : std::string();
  return {{"type", "Degraded"},
          {"status", alarm.empty() ? "False" : "True"},
          {"reason", alarm.empty() ? "AsExpected" : checkpoint_held_up},
          {"message", alarm},
          {"lastTransitionTime", moment_text(x.alarm_since != 0 ? x.alarm_since : x.since)}};
}

std::uint64_t state_bytes_of(const checkpoint_record& x) {
  std::uint64_t bytes = 0;
  for (const auto& y : x.segments)
    bytes += y.bytes;
  return bytes;
}

json checkpoint_of(const checkpoint_record& x) {
  return {{"epoch", x.epoch},
          {"time", moment_text(x.when)},
          {"bytes", state_bytes_of(x)},
          {"deltaBytes", x.bytes},
          {"durationMillis",
           (x.phases.align + x.phases.serialise + x.phases.write + x.phases.commit) / 1000}};
}

json numbers_of(const stream_status& x) {
  auto sources = json::array();
  for (const auto& y : x.sources)
    sources.push_back(
        {{"name", y.name}, {"rows", y.rows}, {"bytes", y.bytes}, {"badRows", y.bad_rows}});
  auto operators = json::array();
  for (const auto& y : x.operators)
    operators.push_back({{"name", y.name},
                         {"rowsIn", y.rows_in},
                         {"rowsOut", y.rows_out},
                         {"lateRows", y.late_rows},
                         {"stateBytes", y.state_bytes}});
  auto sinks = json::array();
  for (const auto& y : x.sinks)
    sinks.push_back({{"name", y.name}, {"rows", y.rows}, {"bytes", y.bytes}});
  json all{{"sources", std::move(sources)},
           {"operators", std::move(operators)},
           {"sinks", std::move(sinks)}};
  all["checkpoints"] = {{"completed", x.checkpoints.completed},
                        {"failed", x.checkpoints.failed},
                        {"maxMillis", x.checkpoints.longest / 1000}};
  if (!x.checkpoints.alarm.empty())
    all["checkpoints"]["alarm"] = x.checkpoints.alarm;
  if (x.watermark != min_time && x.watermark != max_time)
    all["watermark"] = moment_text(x.watermark);
  if (!x.held_back.empty())
    all["heldBackBy"] = x.held_back;
  return all;
}

} // namespace

stream_view view_of(const keeper& all, const stream_slot& x, micros now) {
  stream_view y;
  y.uid = x.uid;
  y.name = x.name;
  y.phase = x.life.phase();
  y.reason = to_string(x.life.reason());
  y.message = x.life.message(now);
  y.since = x.life.since();
  y.next_wake = x.life.next_wake();
  y.generation = x.life.generation();
  y.workers = all.workers_of(x);
  y.parallelism = x.parallelism;
  y.ready = y.phase != lifecycle_phase::failed && y.phase != lifecycle_phase::stopped;
  if (x.awake) {
    y.status = x.awake->status;
    // What runs no more is not held up.
    if (y.status && y.phase != lifecycle_phase::running
        && y.phase != lifecycle_phase::going_to_sleep)
      y.status->checkpoints.alarm.clear();
    y.alarm_since = x.awake->alarm_since;
    y.notes = x.awake->notes;
  }
  return y;
}

std::string stream_json(const stream_view& x, const stream_entry& entry,
                        const std::optional<checkpoint_record>& newest) {
  auto all =
      resource("Stream", entry.manifest, metadata(x.name, x.uid, entry.revision, entry.created));
  json status{{"phase", to_string(x.phase)},
              {"reason", x.reason},
              {"message", x.message},
              {"since", moment_text(x.since)},
              {"uid", x.uid}};
  status["generation"] = std::max(x.generation, entry.generation);
  if (x.parallelism != 0)
    status["parallelism"] = x.parallelism;
  if (newest)
    status["checkpoint"] = checkpoint_of(*newest);
  if (x.next_wake != max_time)
    status["nextWake"] = moment_text(x.next_wake);
  if (!x.workers.empty())
    status["worker"] = x.workers.front();
  if (x.workers.size() > 1)
    status["workers"] = x.workers;
  if (x.status)
    status["run"] = numbers_of(*x.status);
  if (!x.notes.empty())
    status["notes"] = x.notes;
  status["conditions"] =
      json::array({condition("Ready", x.ready, x),
                   condition("Running", x.phase == lifecycle_phase::running, x), degraded(x)});
  all["status"] = std::move(status);
  return text_of(all);
}

std::string topic_json(const topic_entry& entry, const topic_usage& usage,
                       const std::vector<std::string>& users) {
  auto all = resource("Topic", entry.manifest,
                      metadata(entry.name, entry.uid, entry.revision, entry.created));
  auto partitions = json::array();
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < usage.bounds.size(); ++i) {
    const auto& x = usage.bounds[i];
    partitions.push_back({{"partition", i}, {"begin", x.begin}, {"end", x.end}});
    rows += x.end - x.begin;
  }
  auto names = json::array();
  for (const auto& x : users)
    names.push_back(split(x).name);
  all["status"] = {{"uid", entry.uid},
                   {"partitions", std::move(partitions)},
                   {"rows", rows},
                   {"bytes", usage.size.bytes},
                   {"users", std::move(names)}};
  if (usage.last_time != 0)
    all["status"]["lastMessage"] = moment_text(usage.last_time);
  return text_of(all);
}

std::string page_json(const std::vector<std::string>& items, const std::string& next) {
  std::string all = R"({"items":[)";
  for (std::size_t i = 0; i < items.size(); ++i)
    all += (i == 0 ? "" : ",") + items[i];
  all += ']';
  if (!next.empty())
    all += R"(,"next":)" + text_of(json(next));
  return all + '}';
}

std::string applied_json(const apply_plan& x) {
  auto all = json::array();
  for (const auto& y : x.documents) {
    json one{{"kind", y.kind},
             {"name", y.name},
             {"namespace", y.name_space},
             {"action", to_string(y.action)}};
    if (!y.warnings.empty())
      one["warnings"] = y.warnings;
    all.push_back(std::move(one));
  }
  return text_of(json{{"results", std::move(all)}});
}

std::string operation_json(const operation& x) {
  json all{{"id", x.id},
           {"phase", !x.done()   ? "Running"
                     : x.problem ? "Failed"
                                 : "Succeeded"},
           {"operation", to_string(x.what)},
           {"stream", split(x.name).name},
           {"startedAt", moment_text(x.started)}};
  if (x.done())
    all["finishedAt"] = moment_text(x.finished);
  if (x.problem) {
    all["type"] = std::string(problem_type_base) + problem_of(*x.problem).type;
    all["message"] = x.problem->message;
    if (!x.problem->place.field.empty())
      all["field"] = x.problem->place.field;
    if (!x.problem->hint.empty())
      all["hint"] = x.problem->hint;
  } else if (!x.message.empty()) {
    all["message"] = x.message;
  }
  return text_of(all);
}

std::string why_json(const stream_view& x, const std::vector<std::string>& sentences) {
  return text_of(json{{"stream", split(x.name).name},
                      {"phase", to_string(x.phase)},
                      {"reason", x.reason},
                      {"since", moment_text(x.since)},
                      {"sentences", sentences}});
}

std::string state_json(const state_rows& x) {
  auto all = json::array();
  for (const auto& y : x.rows)
    all.push_back({{"state", y.state}, {"keyGroup", y.group}, {"key", y.key}, {"value", y.value}});
  return text_of(json{{"epoch", x.epoch},
                      {"time", moment_text(x.when)},
                      {"items", std::move(all)},
                      {"more", x.more}});
}

std::string checkpoints_json(const std::vector<checkpoint_record>& records,
                             const std::vector<savepoint_entry>& savepoints,
                             const std::vector<std::string>& given_up, std::size_t limit) {
  auto all = json::array();
  const auto put = [&](const checkpoint_record& x, const std::string& savepoint) {
    if (all.size() >= limit)
      return;
    json one{{"epoch", x.epoch},
             {"time", moment_text(x.when)},
             {"reason", to_string(x.reason)},
             {"generation", x.generation},
             {"millis", static_cast<double>(x.phases.align + x.phases.serialise + x.phases.write
                                            + x.phases.commit)
                            / 1000.0},
             {"writtenBytes", x.bytes},
             {"segments", x.segments.size()},
             {"stateBytes", state_bytes_of(x)},
             {"phaseMillis",
              {{"align", millis(x.phases.align)},
               {"snapshot", millis(x.phases.serialise)},
               {"write", millis(x.phases.write)}}}};
    if (!savepoint.empty())
      one["savepoint"] = savepoint;
    if (std::find(given_up.begin(), given_up.end(), savepoint) != given_up.end())
      one["givenUp"] = true;
    all.push_back(std::move(one));
  };
  for (const auto& x : records)
    put(x, {});
  for (const auto& x : savepoints)
    put(x.record, x.name);
  return text_of(json{{"items", std::move(all)}});
}

} // namespace ebb
