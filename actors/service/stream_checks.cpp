#include "actors/service/stream_checks.hpp"

#include "actors/connectors/file_overlap.hpp"
#include "actors/connectors/topic_columns.hpp"
#include "actors/connectors/topic_partitions.hpp"

#include <algorithm>
#include <filesystem>

namespace ebb {

namespace {

error here(const error_place& place, error problem) {
  if (problem.place.line == 0)
    problem.place = place;
  return problem;
}

result<topic_settings> find(const stream_definition& stream, const std::string& name,
                            const error_place& place, const topic_lookup& topic) {
  EBB_ASSIGN(auto found, topic(qualified_name(stream.name_space, name)));
  if (!found)
    return here(place, make_error(ec::invalid_argument, "there is no topic named " + name,
                                  "apply the topic first, or in the same manifest"));
  return std::move(*found);
}

result<void> check_columns(const source_definition& source, const topic_settings& topic) {
  for (const auto& x : source.columns) {
    const auto at = column_named(topic.columns, x.name);
    if (at < 0)
      return here(source.place,
                  make_error(ec::invalid_argument,
                             "topic " + topic.name + " has no column " + x.name,
                             "leave the column out of the source's schema, or name one that the "
                             "topic has"));
    const auto& have = topic.columns[static_cast<std::size_t>(at)];
    if (!(have.type == x.type))
      return here(source.place,
                  make_error(ec::invalid_argument,
                             "column " + x.name + " is " + to_string(x.type) + " here and "
                                 + to_string(have.type) + " in topic " + topic.name,
                             "give it the topic's type"));
  }
  return {};
}

result<void> fits(error_place place, const char* field, const format_problem& x) {
  if (x.message.empty())
    return {};
  place.field += (place.field.empty() ? "" : ".") + std::string(field);
  return here(place, make_error(ec::invalid_argument, x.message, x.hint));
}

/// Below the folder, however it is spelt.
result<std::string> check_path(const std::string& path, const std::string& folder,
                               const error_place& place) {
  if (folder.empty())
    return here(place, make_error(ec::unsupported, "this service reads and writes no files",
                                  "start it with ebb up --files DIR, or use topics"));
  namespace fs = std::filesystem;
  const auto root = fs::path(folder).lexically_normal();
  const auto full =
      (fs::path(path).is_absolute() ? fs::path(path) : root / path).lexically_normal();
  const auto relative = full.lexically_relative(root);
  if (relative.empty() || *relative.begin() == "..")
    return here(place, make_error(ec::invalid_argument,
                                  "the file " + path + " lies outside of the service's folder",
                                  "a service reads and writes files only under its --files DIR; "
                                  "relative paths start there"));
  return full.string();
}

} // namespace

result<void> check_keys(const stream_definition& x, const plan_graph& graph,
                        const topic_lookup& topic) {
  for (const auto& node : graph.nodes) {
    const auto* at = std::get_if<sink_node>(&node.what);
    if (at == nullptr || !at->updating)
      continue;
    const auto& sink = x.sinks[at->sink];
    const auto* to = std::get_if<topic_sink>(&sink.connector);
    if (to == nullptr)
      continue;
    EBB_ASSIGN(const auto found, find(x, to->name, sink.place, topic));
    std::optional<std::vector<std::string>> names;
    if (at->key) {
      names.emplace();
      for (const auto column : *at->key)
        names->push_back(graph.nodes[node.inputs.front()].columns[column].name);
    }
    EBB_TRY(fits(sink.place, "topic", check_unique_key(to->name, found.primary_key, names)));
  }
  return {};
}

result<life_traits> check_stream(const stream_definition& x, const std::string& files_folder,
                                 const topic_lookup& topic) {
  life_traits traits;
  traits.idle_after = x.sleep.idle_after.value_or(max_time);
  traits.workers = x.workers;
  for (const auto& source : x.sources) {
    if (const auto* from = std::get_if<topic_source>(&source.connector)) {
      EBB_ASSIGN(const auto found, find(x, from->name, source.place, topic));
      EBB_TRY(fits(source.place, "topic.format",
                   check_format(source, from->name, found.changes, found.primary_key)));
      EBB_TRY(check_columns(source, found));
      traits.inputs.push_back({source.name, found.uid});
    } else if (const auto* file = std::get_if<file_source>(&source.connector)) {
      EBB_TRY(check_path(file->path, files_folder, file->place));
      if (file->follow)
        traits.cannot_wake = source.name;
    } else {
      traits.cannot_wake = source.name;
    }
  }
  for (const auto& sink : x.sinks) {
    if (const auto* to = std::get_if<topic_sink>(&sink.connector)) {
      EBB_ASSIGN(const auto found, find(x, to->name, sink.place, topic));
      EBB_TRY(fits(sink.place, "topic.format", check_format(sink, to->name, found.changes)));
      traits.outputs.push_back(found.uid);
    } else if (const auto* file = std::get_if<file_sink>(&sink.connector)) {
      EBB_ASSIGN(auto path, check_path(file->path, files_folder, sink.place));
      traits.files.push_back(std::move(path));
    }
  }
  if (!files_folder.empty()) {
    auto here = x;
    here.folder = files_folder;
    EBB_TRY(check_file_overlap(here));
  }
  return traits;
}

} // namespace ebb
