#include "actors/connectors/moved_output.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/file_paths.hpp"

#include <filesystem>
#include <string_view>
#include <variant>

namespace ebb {

namespace {

namespace fs = std::filesystem;

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The path that a target of this kind names; empty where it is of another kind.
std::string path_in(const std::string& target, std::string_view kind) {
  return std::string_view(target).starts_with(kind) ? target.substr(kind.size()) : std::string{};
}

std::string name_in(const std::string& path) {
  return fs::path(path).filename().string();
}

bool has_folder(const std::string& path, const std::string& folder) {
  return is_there(fs::path(join_path(folder, path)).parent_path().string());
}

/// The part's name in the folder that the sink writes now, if it is that one that was moved.
std::string part_now(const std::string& shown, const file_sink& sink, const std::string& folder) {
  const auto now = join_path(sink.path, name_in(shown));
  return !has_folder(shown, folder) && has_folder(now, folder) ? now : shown;
}

/// A file that was to be begun is begun at the sink's path where the recorded one has no folder.
bool begins_elsewhere(const sealed_output& recorded, const std::string& folder) {
  const auto before = path_in(recorded.target, append_target);
  return recorded.offset == 0 && !before.empty() && !has_folder(before, folder);
}

} // namespace

bool was_moved(const std::string& recorded_target, const std::string& path,
               const std::string& folder, std::uint64_t end) {
  const auto before = path_in(recorded_target, append_target);
  if (before.empty() || before == path || is_there(join_path(folder, before)))
    return false;
  std::error_code problem;
  const auto size = fs::file_size(join_path(folder, path), problem);
  return !problem && end != 0 && size >= end;
}

sealed_output at_present(const sink_definition& sink, const std::string& folder,
                         const sealed_output& recorded) {
  auto now = recorded;
  const auto* options = std::get_if<file_sink>(&sink.connector);
  if (options != nullptr
      && (was_moved(recorded.target, options->path, folder, recorded.offset)
          || begins_elsewhere(recorded, folder)))
    now.target = append_target + options->path;
  auto part = path_in(recorded.target, part_target);
  if (part.empty())
    return now;
  if (options != nullptr)
    part = part_now(part, *options, folder);
  now.target = part_target + part;
  const auto path = join_path(folder, part);
  if (recorded.file.empty())
    return now;
  const auto beside = (fs::path(path).parent_path() / name_in(recorded.file)).string();
  if (is_there(beside) || is_there(path) || !is_there(recorded.file))
    now.file = beside;
  return now;
}

} // namespace ebb
