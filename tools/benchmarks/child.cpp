#include "tools/benchmarks/child.hpp"

#include "tools/cli/stats.hpp"

#include <cstdio>
#include <ctime>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ebb::bench {

std::optional<process_cost> run_child(const std::function<bool(void*)>& work, void* answer,
                                      std::size_t size) {
  int ends[2];
  if (pipe(ends) != 0)
    return std::nullopt;
  // What is buffered would come out twice.
  std::fflush(nullptr);
  const auto child = fork();
  if (child == 0) {
    close(ends[0]);
    const bool told = work(answer) && write(ends[1], answer, size) == static_cast<ssize_t>(size);
    std::fflush(nullptr);
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  const bool heard = child > 0 && read(ends[0], answer, size) == static_cast<ssize_t>(size);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  if (child > 0)
    wait4(child, &status, 0, &usage);
  if (!heard)
    return std::nullopt;
  const auto cost = cli::usage_of(usage, 0);
  return process_cost{cost.cpu_seconds, cost.peak_memory_bytes};
}

double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

} // namespace ebb::bench
