// How soon a process gives its first row, and what one that waits costs.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ebb::bench {

namespace {

constexpr int starts = 21;

// A file with one row that is followed: its row comes at once, then the process waits.
constexpr char waiting_stream[] = "apiVersion: ebb.dev/v1alpha1\nkind: Stream\n"
                                  "metadata: {name: waiting}\nspec:\n  sources:\n"
                                  "    - name: numbers\n      schema: number BIGINT\n"
                                  "      file: {path: one.csv, format: csv, follow: true}\n"
                                  "  operators:\n    - name: twice\n"
                                  "      sql: SELECT number, 2 * number AS twice FROM numbers\n"
                                  "  sinks:\n    - stdout: {format: json}\n";

// `ebb run --quiet FILE` with its stdout at a pipe.
struct started {
  pid_t child = -1;
  int output = -1;
};

started start(const std::string& manifest) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return {};
  const auto child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "ebb", "run", "--quiet", manifest.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  return {child, ends[0]};
}

void stop(const started& x) {
  close(x.output);
  kill(x.child, SIGKILL);
  waitpid(x.child, nullptr, 0);
}

// A line of /proc/PID/status, in KiB.
std::uint64_t status_of(pid_t process, const std::string& field) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string line; std::getline(status, line);)
    if (line.rfind(field + ':', 0) == 0)
      return std::stoull(line.substr(field.size() + 1));
  return 0;
}

} // namespace

bool measure_start(const settings&, report& to) {
  const scratch_folder folder;
  const auto manifest = folder.path() + "/waiting.yaml";
  if (folder.path().empty() || !cli::write_file(manifest, waiting_stream)
      || !cli::write_file(folder.path() + "/one.csv", "number\n1\n"))
    return false;
  to.line(fmt::format(
      "Start: `ebb run` of a followed CSV file of one row, an operator and stdout; median of {}\n",
      starts));
  std::vector<double> millis;
  std::uint64_t resident = 0;
  std::uint64_t shared = 0;
  for (int i = 0; i < starts; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const auto process = start(manifest);
    char byte = 0;
    if (process.child < 0 || read(process.output, &byte, 1) != 1) {
      std::fprintf(stderr, "error: the process gave no row\n");
      if (process.child > 0)
        stop(process);
      return false;
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    millis.push_back(took.count());
    if (i + 1 == starts) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      resident = status_of(process.child, "VmRSS");
      shared = status_of(process.child, "RssFile");
    }
    stop(process);
  }
  std::sort(millis.begin(), millis.end());
  const auto median = millis[millis.size() / 2];
  const auto mebi = [](std::uint64_t kibi) { return static_cast<double>(kibi) / 1024; };
  to.line(
      fmt::format("process start to first row at the sink {:.1f} ms (fastest {:.1f} ms)\n"
                  "the process while it waits for more: {:.1f} MiB resident, {:.1f} of them pages "
                  "of the program",
                  median, millis.front(), mebi(resident), mebi(shared)));
  to.add({{"benchmark", "start"},
          {"firstRowMillis", median},
          {"fastestMillis", millis.front()},
          {"residentBytes", resident * 1024},
          {"programBytes", shared * 1024}});
  return true;
}

} // namespace ebb::bench
