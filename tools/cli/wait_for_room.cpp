#include "tools/cli/wait_for_room.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <sys/statvfs.h>
#include <thread>
#include <utility>

namespace ebb::cli {

namespace {

constexpr auto between_tries = std::chrono::seconds(1);
constexpr auto look_every = std::chrono::milliseconds(50);

// With more in it, another disk is the full one.
constexpr std::uint64_t little = std::uint64_t{16} << 20;

/// ` (4096 bytes are free in FOLDER)`
std::string room_in(const std::string& folder) {
  struct statvfs volume {};

  if (::statvfs(folder.c_str(), &volume) != 0)
    return {};
  const auto room = std::uint64_t{volume.f_bavail} * volume.f_frsize;
  return room >= little ? "" : " (" + std::to_string(room) + " bytes are free in " + folder + ")";
}

} // namespace

bool is_full_disk(const error& problem) {
  return problem.code == ec::resource
         && (problem.message.find(std::strerror(ENOSPC)) != std::string::npos
             || problem.message.find(std::strerror(EDQUOT)) != std::string::npos);
}

void wait_for_room::begun() {
  begun_ = true;
  if (std::exchange(told_, {}).empty())
    return;
  std::fputs("there is room again: it goes on\n", stderr);
  log_.tell("info", {}, "there is room again: it goes on");
}

bool wait_for_room::holds_up(const error& problem) {
  if (begun_ || !is_full_disk(problem))
    return false;
  const auto where = problem.place.field.empty() ? "" : problem.place.field + ": ";
  // Files have other names with each try.
  const bool known = !told_.empty();
  told_ = where + problem.message;
  if (known)
    return true;
  const auto text = told_ + room_in(folder_)
                    + "; make room there: nothing is lost, and it goes on by itself";
  std::fprintf(stderr, "warning: the start is held up: %s\n", text.c_str());
  log_.tell("warning", {}, "the start is held up: " + text);
  return true;
}

void wait_for_room::pause() const {
  const auto until = std::chrono::steady_clock::now() + between_tries;
  while (!ends_ && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(look_every);
}

} // namespace ebb::cli
