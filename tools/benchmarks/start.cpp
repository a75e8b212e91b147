// How soon a process gives its first row, and what one that waits costs.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
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

// Of a process, in KiB: all that it has mapped, the same with pages that others have mapped too
// divided among them, and what no file stands behind.
struct resident_memory {
  std::uint64_t all = 0, proportional = 0, anonymous = 0;
};

resident_memory memory_of(pid_t process) {
  resident_memory found;
  std::ifstream sums(fmt::format("/proc/{}/smaps_rollup", process));
  for (std::string line; std::getline(sums, line);)
    for (const auto& [field, to] : {std::pair("Rss:", &found.all),
                                    {"Pss:", &found.proportional},
                                    {"Anonymous:", &found.anonymous}})
      if (line.rfind(field, 0) == 0)
        *to = std::stoull(line.substr(std::strlen(field)));
  return found;
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
  resident_memory started_with;
  resident_memory rests_with;
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
      started_with = memory_of(process.child);
      std::this_thread::sleep_for(std::chrono::seconds(1));
      rests_with = memory_of(process.child);
    }
    stop(process);
  }
  std::sort(millis.begin(), millis.end());
  const auto median = millis[millis.size() / 2];
  const auto mebi = [](std::uint64_t kibi) { return static_cast<double>(kibi) / 1024; };
  to.line(fmt::format("process start to first row at the sink {:.1f} ms (fastest {:.1f} ms)",
                      median, millis.front()));
  const auto show = [&](const char* when, const char* name, const resident_memory& x) {
    to.line(fmt::format("resident {}: {:.1f} MiB; {:.1f} MiB with shared pages divided among those "
                        "who share them; {:.1f} MiB without files",
                        when, mebi(x.all), mebi(x.proportional), mebi(x.anonymous)));
    to.add({{"benchmark", name},
            {"residentBytes", x.all * 1024},
            {"proportionalBytes", x.proportional * 1024},
            {"anonymousBytes", x.anonymous * 1024}});
  };
  to.add({{"benchmark", "start"}, {"firstRowMillis", median}, {"fastestMillis", millis.front()}});
  show("after its first row", "memoryAtStart", started_with);
  show("once it rests for a second", "memoryAtRest", rests_with);
  return true;
}

} // namespace ebb::bench
