#include "actors/service/sink_files.hpp"

#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/moved_output.hpp"
#include "actors/plan/sink_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <variant>

namespace ebb {

namespace {

/// Null where the sink does not append to one file.
const file_sink* appending(const sink_definition& sink, const std::string& folder) {
  const auto* file = std::get_if<file_sink>(&sink.connector);
  return file != nullptr && !writes_parts(*file, folder) ? file : nullptr;
}

/// Bytes of a regular file; 0 where there is none. Nothing for a pipe or a device.
std::optional<std::uint64_t> size_of(const std::string& path) {
  struct stat info {};

  if (::stat(path.c_str(), &info) != 0)
    return 0;
  return S_ISREG(info.st_mode) ? std::optional(static_cast<std::uint64_t>(info.st_size))
                               : std::nullopt;
}

std::string full_path(const file_sink& file, const std::string& folder) {
  return std::filesystem::path(join_path(folder, file.path)).lexically_normal().string();
}

/// The sink that goes on in the file at `path`, if one does.
const sink_definition* writer_of(const stream_definition& stream, const std::string& path) {
  for (const auto& sink : stream.sinks)
    if (const auto* file = appending(sink, stream.folder);
        file != nullptr && full_path(*file, stream.folder) == path)
      return &sink;
  return nullptr;
}

} // namespace

result<void> empties_no_file(const stream_definition& before, const checkpoint_record& newest,
                             const stream_definition& now) {
  for (const auto& sink : now.sinks) {
    const auto* file = appending(sink, now.folder);
    if (file == nullptr)
      continue;
    const auto path = full_path(*file, now.folder);
    const auto* writer = writer_of(before, path);
    if (writer != nullptr && writer->name == sink.name)
      continue;
    const bool moved = std::any_of(newest.outputs.begin(), newest.outputs.end(), [&](const auto& x) {
      return x.sink == sink.name && was_moved(x.target, file->path, now.folder, x.offset + x.bytes);
    });
    const auto size = size_of(path);
    if (moved || !size || *size == 0)
      continue;
    auto problem = make_error(
        ec::conflict,
        "sink " + sink.name + " would empty " + file->path + ", which holds "
            + std::to_string(*size) + " bytes"
            + (writer != nullptr ? ": this stream's sink " + writer->name + " has written them"
                                 : ""),
        (writer != nullptr ? "name the sink " + writer->name + " (sinks[].name), so that it goes "
                             "on there; or give it another path, or move the file away first"
                           : std::string("give it another path, or move the file away first")));
    problem.place = sink.place;
    return problem;
  }
  return {};
}

} // namespace ebb
