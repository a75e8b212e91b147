#include "tools/benchmarks/data_run.hpp"

#include "storage/control_db.hpp"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

namespace ebb::bench {

pid_t start_data_run(const std::string& folder, const std::string& name) {
  const auto file = folder + '/' + name + ".yaml";
  const auto data = folder + "/data";
  const auto child = fork();
  if (child == 0) {
    execl("/proc/self/exe", "ebb", "run", "--quiet", file.c_str(), "--data", data.c_str(), nullptr);
    _exit(127);
  }
  return child;
}

void kill_data_run(pid_t run) {
  kill(run, SIGKILL);
  waitpid(run, nullptr, 0);
}

data_progress progress_of(const std::string& folder, const std::string& stream) {
  data_progress result;
  auto database = control_db::open_read_only(folder + "/data");
  if (!database)
    return result;
  const auto found = database->find_stream(stream);
  if (!found || !*found)
    return result;
  const auto record = database->newest_record((*found)->uid);
  if (!record || !*record)
    return result;
  result.epoch = (*record)->epoch;
  for (const auto& x : (*record)->segments)
    result.state_bytes += x.bytes;
  return result;
}

std::uint64_t size_of_file(const std::string& path) {
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  return none ? 0 : size;
}

void drop_cache(const std::string& folder) {
  for (const auto& x : std::filesystem::recursive_directory_iterator(folder + "/data")) {
    if (!x.is_regular_file())
      continue;
    const int file = open(x.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
      continue;
    fdatasync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

} // namespace ebb::bench
