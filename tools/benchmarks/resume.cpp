// From the start of a process to its first row, with much state behind it.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/data_run.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/stats.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sys/wait.h>
#include <thread>

namespace ebb::bench {

namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t groups = 12'000'000;
constexpr auto patience = std::chrono::seconds(300);

// One window holds all the groups and stays open; a few rows lie in the window before it, which a
// row to come will close.
constexpr char stream[] = "resting";
constexpr char manifest[] =
    "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: resting}\nspec:\n"
    "  checkpoint: {interval: 1s, mode: at-least-once}\n  sources:\n    - name: visits\n"
    "      schema: page TEXT, at TIMESTAMP, seconds BIGINT\n"
    "      eventTime: {column: at, maxDelay: 2h}\n"
    "      file: {path: visits.csv, format: csv, follow: true}\n"
    "  operators:\n    - name: sums\n"
    "      sql: SELECT page, window_end, count(*) AS n, sum(seconds) AS s, max(seconds) AS longest "
    "FROM tumble(visits, at, INTERVAL '1 hour') GROUP BY page, window_start, window_end\n"
    "  sinks:\n    - {from: sums, file: {path: sums.csv, format: csv}}\n";

bool write_visits(const std::string& path) {
  std::ofstream to(path);
  to << "page,at,seconds\n";
  for (int i = 0; i < 10; ++i)
    to << "/early/" << i << ",2024-01-01 09:30:00,1\n";
  std::string some;
  for (std::uint64_t i = 0; i < groups && to; ++i) {
    // In no order of the keys.
    fmt::format_to(std::back_inserter(some), "/shop/article/{:016x},2024-01-01 10:30:00,{}\n",
                   i * 0x9e3779b97f4a7c15, i % 1000);
    if (some.size() > std::size_t{1} << 20) {
      to << some;
      some.clear();
    }
  }
  to << some;
  return to.good();
}

/// Reads all of it, makes a checkpoint and ends.
bool fill(const std::string& folder) {
  const auto child = start_data_run(folder, stream);
  const auto end = steady_clock::now() + patience;
  std::uint64_t before = 0;
  int quiet = 0;
  // Checkpoints stop when nothing happens.
  while (quiet < 30 && steady_clock::now() < end && waitpid(child, nullptr, WNOHANG) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const auto now = progress_of(folder, stream);
    quiet = now.epoch == before && now.state_bytes > groups * 40 ? quiet + 1 : 0;
    before = now.epoch;
  }
  kill(child, SIGINT);
  waitpid(child, nullptr, 0);
  return quiet == 30;
}

/// Milliseconds until the early window's rows are in the file; then it is killed, before a
/// checkpoint, so that the next start does the same.
double first_row(const std::string& folder) {
  const auto output = folder + "/sums.csv";
  const auto begin = steady_clock::now();
  const auto child = start_data_run(folder, stream);
  std::uint64_t size = size_of_file(output);
  for (auto now = size; now <= size && steady_clock::now() - begin < patience;
       now = size_of_file(output)) {
    size = std::min(size, now); // rows of the run before are taken back
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
  kill_data_run(child);
  return took.count();
}

} // namespace

bool measure_resume(const settings&, report& to) {
  to.line("Start with state: process start to the first row, which closes a small window\n");
  to.line(fmt::format("{:>12} {:>20} {:>20}", "state MiB", "warm cache ms", "dropped cache ms"));
  const scratch_folder scratch;
  const auto& folder = scratch.path();
  if (folder.empty() || !cli::write_file(folder + "/resting.yaml", manifest)
      || !write_visits(folder + "/visits.csv") || !fill(folder)) {
    std::fprintf(stderr, "error: the state was not made\n");
    return false;
  }
  std::ofstream(folder + "/visits.csv", std::ios::app) << "/late,2024-01-01 12:01:00,1\n";
  const auto state =
      static_cast<double>(progress_of(folder, stream).state_bytes) / (std::uint64_t{1} << 20);
  const auto warm = first_row(folder);
  drop_cache(folder);
  const auto cold = first_row(folder);
  to.line(fmt::format("{:>12.0f} {:>20.1f} {:>20.1f}", state, warm, cold));
  to.add({{"benchmark", "resume"},
          {"stateMebibytes", state},
          {"warmMillis", warm},
          {"droppedMillis", cold}});
  return true;
}

} // namespace ebb::bench
