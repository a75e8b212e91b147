#include "actors/connectors/sweep_outputs.hpp"

#include "actors/connectors/file_digest.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <dirent.h>
#include <optional>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace ebb {

namespace {

/// `start`, epoch, `end`: the name of a waiting file.
struct waiting_name {
  std::string_view start, end;
  std::uint64_t epoch = 0;
};

// The epoch is the last number before the endings.
std::optional<waiting_name> parse(std::string_view name) {
  constexpr std::string_view endings[] = {".out", ".ndjson.part", ".csv.part"};
  for (const auto ending : endings) {
    if (!name.ends_with(ending))
      continue;
    const auto digits_end = name.size() - ending.size();
    const auto digits = name.find_last_not_of("0123456789", digits_end - 1) + 1;
    waiting_name x{name.substr(0, digits), name.substr(digits_end)};
    const auto text = name.substr(digits, digits_end - digits);
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), x.epoch);
    if (problem == std::errc{} && rest == text.data() + text.size())
      return x;
  }
  return std::nullopt;
}

} // namespace

void output_sweeper::sweep(const sealed_output& output) {
  const auto slash = output.file.rfind('/');
  if (output.file.empty() || slash == std::string::npos)
    return;
  const auto mine = parse(std::string_view(output.file).substr(slash + 1));
  const auto folder = output.file.substr(0, slash + 1);
  if (!mine)
    return;
  {
    const std::lock_guard lock(mutex_);
    if (!swept_.insert(folder + std::string(mine->start)).second)
      return;
  }
  DIR* handle = ::opendir(folder.c_str());
  if (handle == nullptr)
    return;
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(handle)) {
    const auto other = parse(entry->d_name);
    if (other && other->start == mine->start && other->end == mine->end
        && other->epoch < mine->epoch)
      names.emplace_back(entry->d_name);
  }
  ::closedir(handle);
  for (const auto& name : names)
    ::unlink((folder + name).c_str());
}

} // namespace ebb
