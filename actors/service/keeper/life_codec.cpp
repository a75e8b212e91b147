#include "actors/service/keeper/life_codec.hpp"

#include "actors/connectors/factory.hpp"
#include "actors/gateway/trace_context.hpp"
#include "actors/runtime/moment_text.hpp"
#include "actors/runtime/start_check.hpp"
#include "actors/service/apply_plan.hpp"
#include "actors/service/control_records.hpp"
#include "actors/service/keeper/input_positions.hpp"
#include "actors/service/past_output.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <variant>

namespace ebb {

namespace {

using json = nlohmann::ordered_json;

template <class T>
T choice(std::uint8_t value, T last) {
  return static_cast<T>(std::min(value, static_cast<std::uint8_t>(last)));
}

} // namespace

lifecycle_record to_lifecycle(const life_record& x) {
  lifecycle_record y;
  y.phase = choice(x.phase, lifecycle_phase::failed);
  y.reason = choice(x.reason, lifecycle_reason::restarted);
  y.aim = choice(x.aim, lifecycle_aim::deleted);
  y.placed = x.placed;
  y.since = x.since;
  y.next_wake = x.next_wake;
  y.placement = x.placement;
  y.definition = x.definition;
  y.failures = x.failures;
  y.retry_at = x.retry_at;
  y.wake_took = x.wake_took;
  y.message = x.message;
  y.hint = x.hint;
  return y;
}

life_record to_record(const std::string& uid, const lifecycle_record& x) {
  life_record y;
  y.uid = uid;
  y.phase = static_cast<std::uint8_t>(x.phase);
  y.reason = static_cast<std::uint8_t>(x.reason);
  y.aim = static_cast<std::uint8_t>(x.aim);
  y.placed = x.placed;
  y.since = x.since;
  y.next_wake = x.next_wake;
  y.placement = x.placement;
  y.definition = x.definition;
  y.failures = x.failures;
  y.retry_at = x.retry_at;
  y.wake_took = x.wake_took;
  y.message = x.message;
  y.hint = x.hint;
  return y;
}

link_past_output kept_past_output(std::uint8_t x) {
  return choice(x, link_past_output::keep);
}

std::string decision_json(const stream_slot& x, const lifecycle_effect& e, micros now) {
  return json{{"time", moment_text(now)},
              {"phase", to_string(x.life.phase())},
              {"reason", to_string(x.life.reason())},
              {"decision", e.text}}
      .dump();
}

std::string wake_json(const wake_trace& x) {
  json phases = json::object();
  const auto put = [&](const char* name, micros at) {
    if (at != 0)
      phases[name] = static_cast<double>(at - x.trigger) / 1000.0;
  };
  put("decide", x.decide);
  put("grant", x.grant);
  put("place", x.place);
  put("start", x.start);
  put("map", x.map);
  put("firstRecord", x.first_record);
  put("firstOutput", x.first_output);
  json all{{"time", moment_text(x.trigger)},
           {"cause", to_string(x.cause)},
           {"placement", x.placement},
           {"millisAfterTrigger", std::move(phases)}};
  if (!x.parent.empty()) {
    all["traceId"] = trace_id_of(x.parent);
    all["traceparent"] = x.parent;
  }
  return all.dump();
}

std::string error_json(const error& x, micros now) {
  json made{{"time", moment_text(now)}, {"kind", to_string(x.code)}, {"message", x.message}};
  if (!x.place.field.empty())
    made["field"] = x.place.field;
  if (!x.hint.empty())
    made["hint"] = x.hint;
  return made.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string log_json(const log_line& x) {
  json all{{"time", moment_text(x.time)}, {"level", to_string(x.level)}, {"message", x.text}};
  for (const auto& [key, value] : x.fields)
    all[key] = value;
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<std::uint64_t> rows_behind(topic_registry& topics,
                                         const std::optional<checkpoint_record>& newest,
                                         const std::vector<std::string>& inputs) {
  const auto positions = newest ? input_positions(*newest) : decltype(input_positions(*newest))();
  std::uint64_t rows = 0;
  for (const auto& topic : inputs) {
    const auto bounds = topics.bounds(topic);
    if (!bounds)
      return std::nullopt;
    for (std::size_t i = 0; i < bounds->size(); ++i) {
      const auto& [begin, end] = (*bounds)[i];
      const auto at = positions.find({topic, static_cast<std::uint32_t>(i)});
      const auto from = at == positions.end() ? begin : std::max(begin, at->second);
      rows += end > from ? end - from : 0;
    }
  }
  return rows;
}

comparison compare_inputs(control_records& records, topic_registry& topics, const std::string& uid,
                          const std::vector<std::string>& inputs) {
  auto newest = records.with([&](control_db& db) { return db.newest_record(uid); });
  if (!newest)
    return comparison::unknown;
  // It has never run to a checkpoint: nobody knows what it would read.
  if (!*newest)
    return inputs.empty() ? comparison::nothing : comparison::more;
  const auto positions = input_positions(**newest);
  for (const auto& topic : inputs) {
    const auto bounds = topics.bounds(topic);
    if (!bounds)
      return comparison::unknown;
    for (std::size_t i = 0; i < bounds->size(); ++i) {
      const auto at = positions.find({topic, static_cast<std::uint32_t>(i)});
      if ((*bounds)[i].end > (at == positions.end() ? (*bounds)[i].begin : at->second))
        return comparison::more;
    }
  }
  return comparison::nothing;
}

namespace {

error about(const char* field, error problem) {
  problem.place.field = field;
  return problem;
}

/// Of a service's stream, which nobody begins anew by a word to its start.
error without_fresh(error problem) {
  if (problem.hint.find("--from fresh") != std::string::npos)
    problem.hint = "put the file back as it was, or go back to an older savepoint; to begin anew, "
                   "delete the stream and apply it again";
  return problem;
}

/// What the control process sees of it: files, not topics.
stream_definition files_of(stream_definition x) {
  std::erase_if(x.sources, [](const auto& y) {
    return std::holds_alternative<topic_source>(y.connector);
  });
  std::erase_if(x.sinks,
                [](const auto& y) { return std::holds_alternative<topic_sink>(y.connector); });
  return x;
}

} // namespace

result<void> check_restore(control_records& records, const std::string& uid,
                           const std::string& files_folder, const restore_wish& wish) {
  const auto output = past_output_of(wish.past_output);
  stream_definition definition;
  start_outlook outlook;
  EBB_TRY(records.with([&](control_db& db) -> result<void> {
    EBB_ASSIGN(const auto found, db.savepoint(uid, wish.savepoint));
    if (!found)
      return about("query.savepoint",
                   make_error(ec::not_found, "there is no savepoint " + wish.savepoint,
                              "ebb checkpoints STREAM lists the stream's savepoints"));
    EBB_ASSIGN(const auto tokens, db.tokens(uid));
    EBB_ASSIGN(const auto entry, db.stream(uid));
    EBB_ASSIGN(definition, definition_of(entry, files_folder));
    if (auto passes = may_pass(*found, tokens, definition, output); !passes)
      return about("query.sinks", std::move(passes).error());
    outlook = outlook_of(records.folder(), found->record, tokens, output);
    return {};
  }));
  // Elsewhere only the workers see them.
  std::error_code ignored;
  if (files_folder.empty() || !std::filesystem::is_directory(files_folder, ignored))
    return {};
  const auto connectors = make_connectors();
  auto good = check_start(files_of(std::move(definition)), outlook, *connectors);
  return good ? result<void>()
              : about("query.savepoint", without_fresh(std::move(good).error()));
}

result<void> delete_stream_files(control_records& records, topic_registry& topics,
                                 const std::string& uid, const std::string& name,
                                 const std::vector<std::string>& outputs) {
  EBB_TRY(records.with([&](control_db& db) -> result<void> {
    EBB_ASSIGN(const auto found, db.find_stream(name));
    // Another one of the name may be there already.
    if (!found || found->uid != uid)
      return {};
    return db.delete_stream(name);
  }));
  for (const auto& topic : outputs)
    if (auto done = topics.forget_marks(topic, uid + "/");
        !done && done.error().code != ec::not_found)
      return done;
  std::error_code problem;
  std::filesystem::remove_all(records.folder() + "/streams/" + uid, problem);
  if (problem)
    return make_error(ec::io, "the stream's files could not be removed: " + problem.message());
  return records.with([&](control_db& db) -> result<void> {
    auto done = db.forget_stream(uid);
    if (!done && done.error().code == ec::not_found)
      return {};
    return done;
  });
}

} // namespace ebb
