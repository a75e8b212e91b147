// A writer has a shared lock on bytes far behind any file's end. Where they begin tells who it is,
// how many there are is its process id: locks of open files, which do not go when the process closes
// the file elsewhere, do not say that. A lock of another writer begins at another place.

#include "actors/connectors/file_claim.hpp"

#include "storage/digest.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr off_t first = off_t{1} << 62;
constexpr off_t room = off_t{1} << 23; ///< of one writer; more than the highest process id
constexpr std::uint64_t writers = std::uint64_t{1} << 32;
constexpr off_t end = first + static_cast<off_t>(writers) * room;

off_t place_of(const std::string& writer) {
  digester hash;
  hash.add(writer.data(), writer.size());
  return first + static_cast<off_t>(hash.value().low % writers) * room;
}

/// Another one's lock in these bytes; `l_type` is F_UNLCK where there is none.
struct flock lock_in(const descriptor& file, off_t from, off_t to) {
  struct flock what {};

  what.l_type = F_WRLCK;
  what.l_whence = SEEK_SET;
  what.l_start = from;
  what.l_len = to - from;
  if (from >= to || ::fcntl(file.number(), F_OFD_GETLK, &what) != 0)
    what.l_type = F_UNLCK;
  return what;
}

error taken(const struct flock& by, const std::string& shown) {
  const auto pid = by.l_len > 0 && by.l_len < room ? by.l_len : 0;
  const bool here = pid == ::getpid();
  return make_error(ec::conflict,
                    "cannot write " + shown + ": another stream"
                        + (here ? " of this process is writing it"
                                : " is writing it"
                                      + (pid == 0 ? std::string{}
                                                  : ", in process " + std::to_string(pid))),
                    here ? "give each stream a file of its own"
                         : "wait until it has finished, or write to another path");
}

/// The machine since it was started, the same in all of its containers; empty = not known.
std::string running_system() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

} // namespace

result<void> claim_file(const descriptor& file, const std::string& writer,
                        const std::string& shown) {
  const auto place = place_of(writer);
  struct flock mine {};

  mine.l_type = F_RDLCK;
  mine.l_whence = SEEK_SET;
  mine.l_start = place;
  mine.l_len = ::getpid() % room;
  // First the lock, then the look: of two at once, one is refused at least.
  if (::fcntl(file.number(), F_OFD_SETLK, &mine) != 0)
    return {};
  auto free = check_claim(file, writer, shown);
  if (!free) {
    mine.l_type = F_UNLCK;
    ::fcntl(file.number(), F_OFD_SETLK, &mine);
  }
  return free;
}

result<void> check_claim(const descriptor& file, const std::string& writer,
                         const std::string& shown) {
  const auto place = place_of(writer);
  for (const auto& found : {lock_in(file, first, place), lock_in(file, place + room, end)})
    if (found.l_type != F_UNLCK)
      return taken(found, shown);
  return {};
}

std::string claim_name(const std::string& stream_uid, const std::string& data_folder,
                       const std::string& sink) {
  if (stream_uid.empty())
    return "process " + std::to_string(::getpid());
  auto name = stream_uid + '/' + sink;
  // A folder keeps its number when it is renamed, and a copy gets another one. A snapshot of the
  // whole volume has the same one on another device, or on another machine.
  struct stat info {};

  if (!data_folder.empty() && ::stat(data_folder.c_str(), &info) == 0)
    name += '@' + std::to_string(info.st_ino) + " of device " + std::to_string(info.st_dev) + " of "
            + running_system();
  return name;
}

} // namespace ebb
