#include "actors/connectors/take_back.hpp"

#include "actors/connectors/apply_output.hpp"
#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/part_name.hpp"
#include "actors/plan/sink_folder.hpp"
#include "storage/failpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <variant>
#include <vector>

namespace ebb {

namespace {

/// `UID-LANE-EPOCH.csv` or `.ndjson`.
std::optional<part_name> part_of_stream(std::string_view name, const std::string& uid) {
  const auto start = uid + '-';
  const auto found = part_of(name, start, ".csv");
  return found ? found : part_of(name, start, ".ndjson");
}

bool stays(const part_name& x, const sink_rewind& to) {
  return x.epoch <= to.epoch || std::any_of(to.kept.begin(), to.kept.end(), [&](const auto& lane) {
           return lane.first == x.lane && x.epoch <= lane.second;
         });
}

result<std::uint64_t> remove_parts(const std::string& folder, const sink_rewind& to) {
  DIR* handle = ::opendir(folder.c_str());
  if (handle == nullptr)
    return errno == ENOENT || errno == ENOTDIR
               ? result<std::uint64_t>(0)
               : result<std::uint64_t>(file_error("open", folder, errno));
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(handle))
    if (const auto part = part_of_stream(entry->d_name, to.stream_uid); part && !stays(*part, to))
      names.emplace_back(entry->d_name);
  ::closedir(handle);
  // The newest first: a crash leaves what a reader could have seen at some time.
  std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) {
    return part_of_stream(a, to.stream_uid)->epoch > part_of_stream(b, to.stream_uid)->epoch;
  });
  for (const auto& name : names) {
    const auto path = join_path(folder, name);
    failpoint("rewind.remove", failpoint_side::before);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return file_error("remove", path, errno);
    failpoint("rewind.remove", failpoint_side::after);
  }
  if (!names.empty())
    EBB_TRY(sync_folder_of(join_path(folder, "x")));
  return names.size();
}

result<std::uint64_t> cut(const std::string& path, const std::string& shown,
                          const sealed_output& last) {
  const auto end = last.offset + last.bytes;
  struct stat info {};

  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)
      || static_cast<std::uint64_t>(info.st_size) <= end)
    return std::uint64_t{0};
  // Of a file that someone else has put there nothing goes.
  EBB_TRY(check_appended(path, shown, last));
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.number() < 0)
    return file_error("write", shown, errno);
  failpoint("rewind.cut", failpoint_side::before);
  if (::ftruncate(file.number(), static_cast<off_t>(end)) != 0)
    return file_error("write", shown, errno);
  EBB_TRY(sync_file(file, shown));
  failpoint("rewind.cut", failpoint_side::after);
  return std::uint64_t{1};
}

} // namespace

result<std::uint64_t> take_back(const sink_definition& sink, const std::string& folder,
                                const sink_rewind& to) {
  const auto* options = std::get_if<file_sink>(&sink.connector);
  if (options == nullptr)
    return std::uint64_t{0};
  std::uint64_t count = 0;
  std::set<std::string> folders;
  if (writes_parts(*options, folder))
    folders.insert(
        std::filesystem::path(join_path(folder, options->path) + "/").lexically_normal());
  for (const auto& x : to.outputs) {
    const std::string_view target = x.target;
    if (target.starts_with(part_target)) {
      const auto path = join_path(folder, x.target.substr(std::string_view(part_target).size()));
      folders.insert((std::filesystem::path(path).parent_path() / "").lexically_normal().string());
    } else if (to.asked && target.starts_with(append_target)) {
      const auto shown = x.target.substr(std::string_view(append_target).size());
      EBB_ASSIGN(const auto one, cut(join_path(folder, shown), shown, x));
      count += one;
    }
  }
  for (const auto& x : folders) {
    EBB_ASSIGN(const auto some, remove_parts(x, to));
    count += some;
  }
  return count;
}

} // namespace ebb
