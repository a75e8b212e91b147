#include "k8s-bridge/worker_logs.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ebb {

namespace {

constexpr const char* prefix = "worker-";
constexpr const char* ending = ".log";
constexpr std::size_t line_shown = 300;

bool is_log(const std::string& file) {
  return file.starts_with(prefix) && file.ends_with(ending);
}

/// Its worker, or the backend that starts it, has it open and holds the lock.
bool has_writer(const std::string& path) {
  const auto file = owned_file::open_to_read(path);
  return file && ::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0;
}

} // namespace

worker_logs::worker_logs(std::string folder, std::uint64_t bytes, std::size_t kept)
    : folder_(std::move(folder)), bytes_(bytes), kept_(kept) {}

std::string worker_logs::path(const std::string& name) const {
  return folder_ + '/' + (name.starts_with(prefix) ? "" : prefix) + name + ending;
}

result<owned_file> worker_logs::open(const std::string& name) {
  EBB_TRY(make_folder(folder_));
  const auto at = path(name);
  std::error_code ignored;
  const auto there = std::filesystem::file_size(at, ignored);
  if (!ignored && there >= bytes_)
    std::filesystem::rename(at, at + ".1", ignored);
  const int opened = ::open(at.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (opened < 0)
    return system_error(at, "open");
  owned_file file(opened, at);
  if (::flock(opened, LOCK_EX | LOCK_NB) != 0)
    return make_error(ec::conflict, at + ": a worker of this name is still there");
  return file;
}

void worker_logs::sweep() const {
  struct old_log {
    bool empty = false;
    std::filesystem::file_time_type time;
    std::string path;
  };

  std::vector<old_log> old;
  std::error_code failed;
  for (auto at = std::filesystem::directory_iterator(folder_, failed);
       !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const auto path = at->path().string();
    if (!is_log(at->path().filename().string()) || has_writer(path))
      continue;
    std::error_code ignored;
    const bool empty = at->file_size(ignored) == 0 && !std::filesystem::exists(path + ".1");
    old.push_back({empty, at->last_write_time(ignored), path});
  }
  std::sort(old.begin(), old.end(), [](const auto& a, const auto& b) {
    return a.empty != b.empty ? b.empty : a.time > b.time;
  });
  for (std::size_t i = 0; i < old.size(); ++i) {
    if (i < kept_ && !old[i].empty)
      continue;
    std::error_code ignored;
    std::filesystem::remove(old[i].path, ignored);
    std::filesystem::remove(old[i].path + ".1", ignored);
  }
}

std::vector<std::string> worker_logs::living() const {
  std::set<std::string> names;
  std::error_code failed;
  for (auto at = std::filesystem::directory_iterator(folder_, failed);
       !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    auto name = at->path().filename().string();
    if (name.ends_with(".1"))
      name.resize(name.size() - 2);
    if (is_log(name))
      names.insert(name.substr(0, name.size() - std::string_view(ending).size()));
  }
  std::vector<std::string> all;
  for (const auto& name : names) {
    const auto file = path(name);
    // One that goes on in a new file holds one of both at any time: the new one at the latest when
    // the old one is free.
    if (has_writer(file) || has_writer(file + ".1") || has_writer(file))
      all.push_back(name);
  }
  return all;
}

std::string worker_logs::last_line(const std::string& name) const {
  auto file = owned_file::open_to_read(path(name));
  if (!file)
    return {};
  const auto size = file->size();
  if (!size)
    return {};
  const auto bytes = std::min<std::uint64_t>(*size, 4096);
  std::string tail(bytes, '\0');
  if (!file->read_at(*size - bytes, tail.data(), tail.size()))
    return {};
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' '))
    tail.pop_back();
  const auto begin = tail.rfind('\n');
  auto line = begin == std::string::npos ? tail : tail.substr(begin + 1);
  if (line.size() > line_shown) {
    // Not within a character.
    std::size_t cut = line_shown;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80U)
      --cut;
    line.resize(cut);
  }
  return line;
}

} // namespace ebb
