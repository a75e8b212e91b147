#include "actors/connectors/file_overlap.hpp"

#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/folder_sink.hpp"
#include "actors/plan/sink_folder.hpp"

#include <filesystem>
#include <fnmatch.h>
#include <optional>
#include <system_error>

namespace ebb {

namespace {

namespace fs = std::filesystem;

/// Absolute and without links, as far as the path exists.
fs::path resolved(const fs::path& path) {
  std::error_code problem;
  auto found = fs::weakly_canonical(fs::absolute(path), problem);
  if (problem)
    return path.lexically_normal();
  return found.has_filename() ? found : found.parent_path(); // which ended in a slash
}

bool is_special(const fs::path& path) {
  std::error_code problem;
  const auto kind = fs::status(path, problem).type();
  return kind != fs::file_type::not_found && kind != fs::file_type::none
         && kind != fs::file_type::regular && kind != fs::file_type::directory;
}

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
    if (resolved(full) == file.parent_path() && is_input_name(file.filename().string()))
      return "the folder " + resolved(full).string();
    return std::nullopt;
  }
  if (kind == fs::file_type::regular) {
    const bool same = resolved(full) == sink.path
                      || (!sink.is_folder && fs::equivalent(full, sink.path, problem));
    return same ? std::optional(resolved(full).string()) : std::nullopt;
  }
  if (kind != fs::file_type::not_found || !is_glob(source.path))
    return std::nullopt;
  // What it matches now may be the sink's file by another name.
  if (const auto found = list_files(source.path, folder); found)
    for (const auto& match : *found)
      if (!sink.is_folder && fs::equivalent(match.path, sink.path, problem))
        return resolved(match.path).string();
  // Folders before the first wildcard may be links.
  fs::path start;
  fs::path rest;
  for (const auto& part : fs::absolute(full))
    if (rest.empty() && !is_glob(part.string()))
      start /= part;
    else
      rest /= part;
  const auto below = file.lexically_relative(resolved(start)).string();
  if (is_input_name(file.filename().string())
      && ::fnmatch(rest.c_str(), below.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0)
    return source.path + ", which matches " + file.string();
  return std::nullopt;
}

} // namespace

bool reads_file(const file_source& source, const std::string& folder, const std::string& file) {
  return overlap({resolved(file), false}, {}, source, folder).has_value();
}

result<void> check_file_overlap(const stream_definition& stream) {
  for (const auto& sink : stream.sinks) {
    const auto* to = std::get_if<file_sink>(&sink.connector);
    if (to == nullptr || to->path.empty())
      continue;
    const fs::path full = join_path(stream.folder, to->path);
    if (is_special(full))
      continue;
    const written_path where{resolved(full), writes_parts(*to, stream.folder)};
    for (const auto& source : stream.sources) {
      const auto* from = std::get_if<file_source>(&source.connector);
      const auto what = from == nullptr ? std::nullopt : overlap(where, *to, *from, stream.folder);
      if (!what)
        continue;
      auto problem = make_error(ec::invalid_argument,
                                "sink " + sink.name + " would write into what source " + source.name
                                    + " reads, " + *what,
                                "give the sink a path that no source reads");
      problem.place = sink.place;
      problem.place.field += problem.place.field.empty() ? "file.path" : ".file.path";
      return problem;
    }
  }
  return {};
}

} // namespace ebb
