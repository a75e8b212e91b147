#include "actors/service/apply_plan.hpp"

#include "actors/connectors/same_file.hpp"
#include "actors/plan/plan_graph.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/plan/state_change.hpp"
#include "actors/service/keeper/life_codec.hpp"
#include "actors/service/stream_checks.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace ebb {

namespace {

/// Documents that name no namespace are in the one that was asked for.
template <class Definition>
void place_in(Definition& x, const std::string& name_space) {
  if (x.name_space != default_namespace || name_space == default_namespace)
    return;
  x.name = qualified_name(name_space, x.name);
  x.name_space = name_space;
}

error at(error problem, const error_place& place, const std::string& what) {
  if (problem.place.line == 0)
    problem.place = place;
  if (problem.place.field.empty())
    problem.place.field = what;
  return problem;
}

/// A warning of the plan: `line 14: spec.operators[0].sql: … (hint)`.
std::string in_a_line(const error& x) {
  std::string text;
  if (x.place.line != 0)
    text += "line " + std::to_string(x.place.line) + ": ";
  if (!x.place.field.empty())
    text += x.place.field + ": ";
  return text + x.message + (x.hint.empty() ? "" : " (" + x.hint + ")");
}

class planner {
public:
  planner(const apply_options& options, const resource_lookup& known)
      : options_(options), known_(known) {}

  result<apply_plan> run(std::string_view text) {
    std::vector<error> warnings;
    EBB_ASSIGN(auto documents, parse_documents(text, "manifest", warnings));
    for (auto& x : documents.topics)
      place_in(x, options_.name_space);
    for (auto& x : documents.streams)
      place_in(x, options_.name_space);
    for (const auto& x : documents.topics)
      if (auto done = add(x); !done)
        return at(std::move(done).error(), x.place, "topic " + x.name);
    for (auto& x : documents.streams)
      if (auto done = add(x); !done)
        return at(std::move(done).error(), x.place, "stream " + x.name);
    // Warnings carry no document: they are told with the only one, or with the first stream.
    if (!warnings.empty() && !plan_.documents.empty())
      for (const auto& x : warnings)
        plan_.documents.back().warnings.push_back(x.message);
    return std::move(plan_);
  }

private:
  result<void> once(std::set<std::string>& seen, const std::string& name) {
    if (seen.insert(name).second)
      return {};
    return make_error(ec::invalid_argument, "the manifest has two documents named " + name,
                      "give each its own name, or leave one out");
  }

  applied_document document(const char* kind, const std::string& name, std::string uid,
                            apply_action action) {
    const auto parts = split(name);
    return {kind, parts.name, parts.name_space, std::move(uid), action, {}};
  }

  result<void> add(const topic_definition& x) {
    EBB_TRY(once(topics_seen_, x.name));
    EBB_ASSIGN(const auto before, known_.topic(x.name));
    topic_entry entry;
    auto action = apply_action::created;
    if (before) {
      entry = *before;
      action = entry.manifest == x.text ? apply_action::unchanged : apply_action::configured;
      EBB_ASSIGN(const auto old, definition_of(*before));
      EBB_TRY(fits(old, x));
    } else {
      EBB_ASSIGN(entry.uid, options_.new_uid());
      entry.name = x.name;
      entry.created = options_.now;
      entry.revision = 0;
    }
    auto settings = settings_of(x, entry.uid);
    if (action != apply_action::unchanged) {
      entry.manifest = x.text;
      ++entry.revision;
      plan_.changes.topics.push_back(entry);
      plan_.topics.push_back(settings);
    }
    topics_[x.name] = std::move(settings);
    plan_.documents.push_back(document("Topic", x.name, entry.uid, action));
    return {};
  }

  static result<void> fits(const topic_definition& old, const topic_definition& now) {
    std::string what;
    const auto differs = [&](bool x, const char* name) {
      if (x)
        what += (what.empty() ? "" : ", ") + std::string(name);
    };
    differs(!(old.columns == now.columns) || old.primary_key != now.primary_key, "schema");
    differs(old.format != now.format, "format");
    differs(old.partitions != now.partitions, "partitions");
    differs(old.key != now.key, "key");
    if (what.empty())
      return {};
    return make_error(ec::conflict, "a topic that exists cannot change its " + what,
                      "make a topic with another name, or delete this one with its messages first");
  }

  result<std::optional<topic_settings>> topic(const std::string& name) {
    const auto found = topics_.find(name);
    if (found != topics_.end())
      return std::optional(found->second);
    EBB_ASSIGN(const auto entry, known_.topic(name));
    if (!entry)
      return std::optional<topic_settings>{};
    EBB_ASSIGN(const auto definition, definition_of(*entry));
    return std::optional(topics_[name] = settings_of(definition, entry->uid));
  }

  result<void> add(stream_definition& x) {
    EBB_TRY(once(streams_seen_, x.name));
    x.folder = options_.files_folder;
    EBB_ASSIGN(const auto before, known_.stream(x.name));
    if (before && before->manifest == x.text) {
      plan_.documents.push_back(document("Stream", x.name, before->uid, apply_action::unchanged));
      return {};
    }
    EBB_ASSIGN(auto traits, check_stream(x, options_.files_folder,
                                         [this](const std::string& name) { return topic(name); }));
    EBB_ASSIGN(const auto graph, plan_stream(x));
    EBB_TRY(check_keys(x, graph, [this](const std::string& name) { return topic(name); }));
    EBB_ASSIGN(const auto plan, make_stages(graph, x));
    stream_entry entry;
    auto action = apply_action::created;
    if (before) {
      entry = *before;
      action = apply_action::configured;
      EBB_TRY(keeps_state(entry, x, plan));
      EBB_ASSIGN(const auto old, known_.traits(entry.uid));
      if (old) {
        traits.definition = old->definition + 1;
        traits.parallelism = old->parallelism;
      }
      entry.life = stream_life::active;
    } else {
      EBB_ASSIGN(entry.uid, options_.new_uid());
      entry.name = x.name;
      entry.created = options_.now;
      entry.key_groups = plan.key_groups;
      entry.revision = 0;
    }
    entry.manifest = x.text;
    entry.parallelism = x.parallelism;
    ++entry.revision;
    traits.uid = entry.uid;
    EBB_TRY(owns_its_files(traits, x));
    if (before) {
      plan_.changes.changed_streams.push_back(entry);
    } else {
      plan_.changes.new_streams.push_back(entry);
      plan_.changes.lives.push_back(first_life(entry.uid));
    }
    plan_.changes.traits.push_back(std::move(traits));
    plan_.documents.push_back(document("Stream", x.name, entry.uid, action));
    for (const auto& warning : graph.warnings)
      plan_.documents.back().warnings.push_back(in_a_line(warning));
    return {};
  }

  /// Two sinks on one file would write over each other.
  result<void> owns_its_files(const life_traits& traits, const stream_definition& x) {
    for (const auto& path : traits.files) {
      EBB_ASSIGN(auto other, known_.writer(path, traits.uid));
      const auto is_it = same_file_as(path);
      const auto found = std::find_if(files_.begin(), files_.end(),
                                      [&](const auto& y) { return is_it(y.first); });
      if (found != files_.end())
        other = found->second;
      if (other && *other == x.name)
        return make_error(ec::conflict,
                          "another sink of the stream writes the file " + path + ", too",
                          "give each sink a file of its own");
      if (other)
        return make_error(ec::conflict,
                          "stream " + split(*other).name + " writes the file " + path + ", too",
                          "give each stream a file of its own");
      files_[path] = x.name;
    }
    return {};
  }

  [[nodiscard]] life_record first_life(const std::string& uid) const {
    lifecycle_record life; // begins by waking
    life.since = options_.now;
    return to_record(uid, life);
  }

  static result<void> keeps_state(const stream_entry& before, const stream_definition& x,
                                  const stage_plan& plan) {
    if (before.key_groups != plan.key_groups)
      return make_error(ec::conflict,
                        "maxParallelism is fixed for the life of the state: the stream has "
                            + std::to_string(before.key_groups),
                        "set it back, or delete the stream and apply it anew");
    const auto change = compare_plan(read_pinned(before), planned_state_of(plan, x), false);
    if (change.fits() || x.reset_state)
      return {};
    return make_error(ec::conflict,
                      "the manifest has changed, and the state does not fit: " + change.text(),
                      change.other_rows.empty()
                          ? "undo the change, or set spec.onChange: reset to let these operators "
                            "begin with empty state"
                          : "undo the change, apply it as a stream of another name, or set "
                            "spec.onChange: reset to let these operators begin with empty state "
                            "(what sinks have stays there)");
  }

  const apply_options& options_;
  const resource_lookup& known_;
  apply_plan plan_;
  std::map<std::string, topic_settings> topics_; ///< of the text, and looked up
  std::map<std::string, std::string> files_;     ///< streams of the text that write them
  std::set<std::string> topics_seen_;
  std::set<std::string> streams_seen_;
};

} // namespace

const char* to_string(apply_action x) noexcept {
  switch (x) {
  case apply_action::created:
    return "created";
  case apply_action::configured:
    return "configured";
  case apply_action::unchanged:
    return "unchanged";
  }
  return "";
}

split_name split(const std::string& qualified) {
  const auto dot = qualified.find('.');
  if (dot == std::string::npos)
    return {default_namespace, qualified};
  return {qualified.substr(0, dot), qualified.substr(dot + 1)};
}

topic_settings settings_of(const topic_definition& from, const std::string& uid) {
  topic_settings x;
  const auto parts = split(from.name);
  x.uid = uid;
  x.name = parts.name;
  x.name_space = parts.name_space;
  x.columns = from.columns;
  x.key = from.key;
  x.changes = from.format == record_format::debezium;
  x.primary_key = from.primary_key;
  x.partitions = from.partitions;
  x.retention_age = from.retention_age;
  x.retention_bytes = from.retention_bytes;
  x.quota_bytes = from.quota_bytes;
  return x;
}

result<topic_definition> definition_of(const topic_entry& from) {
  std::vector<error> ignored;
  EBB_ASSIGN(auto documents, parse_documents(from.manifest, from.name, ignored));
  if (documents.topics.size() != 1)
    return make_error(ec::corrupt, "topic " + from.name + " has been stored without its manifest");
  auto& x = documents.topics.front();
  x.name = from.name;
  x.name_space = split(from.name).name_space;
  return std::move(x);
}

result<stream_definition> definition_of(const stream_entry& from, const std::string& files_folder) {
  std::vector<error> ignored;
  EBB_ASSIGN(auto documents, parse_documents(from.manifest, from.name, ignored));
  if (documents.streams.size() != 1)
    return make_error(ec::corrupt, "stream " + from.name + " has been stored without its manifest");
  auto& x = documents.streams.front();
  x.name = from.name;
  x.name_space = split(from.name).name_space;
  x.folder = files_folder;
  return std::move(x);
}

result<apply_plan> plan_apply(std::string_view text, const apply_options& options,
                              const resource_lookup& known) {
  return planner(options, known).run(text);
}

} // namespace ebb
