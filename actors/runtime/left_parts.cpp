#include "actors/runtime/left_parts.hpp"

#include "actors/plan/sink_folder.hpp"

#include <filesystem>
#include <set>
#include <system_error>
#include <variant>

namespace ebb {

namespace {

std::size_t count_parts(const std::filesystem::path& folder, const std::string& start) {
  std::size_t count = 0;
  std::error_code problem;
  for (std::filesystem::directory_iterator i(folder, problem), end; !problem && i != end;
       i.increment(problem))
    count += i->path().filename().string().starts_with(start);
  return count;
}

} // namespace

std::vector<std::string> left_parts(const stream_definition& now, const std::string& uid) {
  std::vector<std::string> notes;
  std::set<std::filesystem::path> seen;
  for (const auto& sink : now.sinks) {
    const auto* file = std::get_if<file_sink>(&sink.connector);
    if (file == nullptr || !writes_parts(*file, now.folder))
      continue;
    const auto folder = std::filesystem::path(now.folder) / file->path;
    if (!seen.insert((folder / "").lexically_normal()).second)
      continue;
    const auto count = count_parts(folder, uid + '-');
    if (count == 0)
      continue;
    const auto shown = (std::filesystem::path(file->path) / (uid + "-*")).string();
    notes.push_back("warning: " + file->path + " still has " + std::to_string(count)
                    + (count == 1 ? " part" : " parts")
                    + " of the run whose state was dropped: who reads the folder gets its rows and "
                      "the new ones; remove "
                    + shown + ", or let sink " + sink.name + " write to another folder");
  }
  return notes;
}

} // namespace ebb
