#include "actors/connectors/file_overlap.hpp"

#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/folder_sink.hpp"
#include "actors/connectors/quarantine.hpp"
#include "actors/connectors/same_file.hpp"
#include "actors/connectors/sink_parts.hpp"
#include "actors/plan/sink_folder.hpp"

#include <filesystem>
#include <fnmatch.h>
#include <optional>
#include <system_error>

namespace ebb {

namespace {

namespace fs = std::filesystem;

struct written_path {
  fs::path path;
  bool is_folder = false;
};

/// The name that a file written here would have.
fs::path some_file_of(const written_path& sink, record_format format) {
  return sink.is_folder ? sink.path / (std::string("0-0-1") + part_ending(format)) : sink.path;
}

/// What of the source the sink would write, in words; nothing where they are apart.
std::optional<std::string> overlap(const written_path& sink, const file_sink& options,
                                   const file_source& source, const std::string& folder) {
  const fs::path full = join_path(folder, source.path);
  std::error_code problem;
  const auto kind = fs::status(full, problem).type();
  const auto file = some_file_of(sink, options.format);
  if (kind == fs::file_type::directory) {
    if (real_path(full) == file.parent_path() && is_input_name(file.filename().string()))
      return "the folder " + real_path(full).string();
    return std::nullopt;
  }
  if (kind == fs::file_type::regular) {
    const bool same = real_path(full) == sink.path
                      || (!sink.is_folder && fs::equivalent(full, sink.path, problem));
    return same ? std::optional(real_path(full).string()) : std::nullopt;
  }
  if (kind != fs::file_type::not_found || !is_glob(source.path))
    return std::nullopt;
  // What it matches now may be the sink's file by another name.
  if (const auto found = list_files(source.path, folder); found)
    for (const auto& match : *found)
      if (!sink.is_folder && fs::equivalent(match.path, sink.path, problem))
        return real_path(match.path).string();
  // Folders before the first wildcard may be links.
  fs::path start;
  fs::path rest;
  for (const auto& part : fs::absolute(full))
    if (rest.empty() && !is_glob(part.string()))
      start /= part;
    else
      rest /= part;
  const auto below = file.lexically_relative(real_path(start)).string();
  if (is_input_name(file.filename().string())
      && ::fnmatch(rest.c_str(), below.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0)
    return source.path + ", which matches " + file.string();
  return std::nullopt;
}

/// What the run itself needs there, in words; nothing where the sink is apart from it.
std::optional<std::string> taken_by_run(const written_path& sink, const stream_definition& stream) {
  std::error_code problem;
  if (sink.is_folder)
    return std::nullopt;
  if (const fs::path manifest = stream.place.file;
      fs::is_regular_file(manifest, problem) && is_same_file(manifest, sink.path))
    return "would replace its manifest, " + stream.place.file;
  for (const auto& source : stream.sources)
    if (const fs::path bad = quarantine_path(stream.folder, {}, stream.name, source.name);
        source.on_bad_record == bad_record_policy::quarantine && is_same_file(bad, sink.path))
      return "would write to where bad records of source " + source.name + " go, "
             + real_path(bad).string();
  return std::nullopt;
}

error refusal(const sink_definition& sink, const std::string& what, const char* hint) {
  return in_sink(make_error(ec::invalid_argument, "sink " + sink.name + ' ' + what, hint), sink,
                 "path");
}

} // namespace

bool reads_file(const file_source& source, const std::string& folder, const std::string& file) {
  return overlap({real_path(file), false}, {}, source, folder).has_value();
}

result<void> check_file_overlap(const stream_definition& stream) {
  for (const auto& sink : stream.sinks) {
    const auto* to = std::get_if<file_sink>(&sink.connector);
    if (to == nullptr || to->path.empty())
      continue;
    const fs::path full = join_path(stream.folder, to->path);
    if (is_special_file(full))
      continue;
    const written_path where{real_path(full), writes_parts(*to, stream.folder)};
    for (const auto& source : stream.sources) {
      const auto* from = std::get_if<file_source>(&source.connector);
      const auto what = from == nullptr ? std::nullopt : overlap(where, *to, *from, stream.folder);
      if (what)
        return refusal(sink, "would write into what source " + source.name + " reads, " + *what,
                       "give the sink a path that no source reads");
    }
    if (const auto what = taken_by_run(where, stream))
      return refusal(sink, *what, "give the sink a file of its own");
  }
  return {};
}

} // namespace ebb
