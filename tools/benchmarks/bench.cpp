// `ebb bench`: runs each query in a process of its own, so that CPU and memory are its alone.

#include "actors/connectors/factory.hpp"
#include "actors/runtime/run_stream.hpp"
#include "tools/benchmarks/nexmark.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ebb::cli {

namespace {

struct measurement {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t peak_bytes = 0;
  std::uint64_t rows = 0;
  std::uint64_t hash = 0;
};

// What the child tells its parent through the pipe.
struct child_answer {
  double wall_seconds = 0;
  std::uint64_t rows = 0;
  std::uint64_t hash = 0;
  bool good = false;
};

child_answer run_here(const std::string& manifest) {
  child_answer answer;
  std::vector<error> warnings;
  auto streams = parse_manifest(manifest, "bench", warnings);
  if (!streams) {
    print_error(streams.error());
    return answer;
  }
  const auto connectors = make_connectors();
  const auto start = std::chrono::steady_clock::now();
  const auto reports = run_streams(*streams, *connectors, run_options{});
  if (!reports) {
    print_error(reports.error());
    return answer;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  answer.wall_seconds = wall.count();
  for (const auto& sink : reports->front().sinks) {
    answer.rows += sink.rows;
    answer.hash += sink.hash;
  }
  answer.good = true;
  return answer;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::optional<measurement> measure(const std::string& manifest) {
  int ends[2];
  if (pipe(ends) != 0)
    return std::nullopt;
  const auto child = fork();
  if (child == 0) {
    close(ends[0]);
    const auto answer = run_here(manifest);
    const bool told = write(ends[1], &answer, sizeof answer) == static_cast<ssize_t>(sizeof answer);
    _exit(told && answer.good ? 0 : 1);
  }
  close(ends[1]);
  child_answer answer;
  const bool heard =
      child > 0 && read(ends[0], &answer, sizeof answer) == static_cast<ssize_t>(sizeof answer);
  close(ends[0]);
  int status = 0;
  rusage usage{};
  if (child > 0)
    wait4(child, &status, 0, &usage);
  if (!heard || !answer.good)
    return std::nullopt;
  return measurement{answer.wall_seconds, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
                     static_cast<std::uint64_t>(usage.ru_maxrss) * 1024, answer.rows, answer.hash};
}

// The run with the median CPU time.
std::optional<measurement> median_of(const std::string& manifest, std::uint32_t runs) {
  std::vector<measurement> all;
  for (std::uint32_t i = 0; i < runs; ++i) {
    const auto one = measure(manifest);
    if (!one)
      return std::nullopt;
    all.push_back(*one);
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.cpu_seconds < b.cpu_seconds; });
  return all[all.size() / 2];
}

std::vector<bench::named_text> chosen(const std::vector<std::string>& names, bool& good) {
  const auto& all = bench::nexmark_queries();
  if (names.empty() || (names.size() == 1 && names[0] == "all"))
    return all;
  std::vector<bench::named_text> result;
  for (const auto& name : names) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.name == name; });
    if (found == all.end()) {
      std::string known;
      for (const auto& x : all)
        known += ' ' + x.name;
      print_error(make_error(ec::invalid_argument, "there is no benchmark \"" + name + '"',
                             "there are" + known));
      good = false;
      continue;
    }
    result.push_back(*found);
  }
  return result;
}

} // namespace

int bench_command_run(const bench_arguments& arguments) {
  bool good = true;
  const auto queries = chosen(arguments.names, good);
  if (!good)
    return exit_invalid;
  const bool json_output = arguments.output == "json";
  auto rows = nlohmann::ordered_json::array();
  if (!json_output)
    fmt::print("{} Nexmark events a query, 100 k a second of event time, parallelism {}; the "
               "generator makes every column, discard hashes every value of the result\n\n"
               "{:<6} {:>9} {:>9} {:>16} {:>12} {:>10}  {}\n",
               arguments.events, arguments.parallelism, "query", "wall s", "CPU s", "CPU s/100 M",
               "rows out", "peak MiB", "hash of the result");
  for (const auto& query : queries) {
    bench::nexmark_run run;
    run.sql = query.text;
    run.events = arguments.events;
    run.parallelism = arguments.parallelism;
    const auto got = median_of(bench::nexmark_manifest(run), arguments.runs);
    if (!got) {
      good = false;
      continue;
    }
    const auto scaled = got->cpu_seconds * 1e8 / static_cast<double>(arguments.events);
    if (json_output)
      rows.push_back({{"query", query.name},
                      {"events", arguments.events},
                      {"parallelism", arguments.parallelism},
                      {"wallSeconds", got->wall_seconds},
                      {"cpuSeconds", got->cpu_seconds},
                      {"cpuSecondsPer100M", scaled},
                      {"rows", got->rows},
                      {"peakMemoryBytes", got->peak_bytes},
                      {"hash", fmt::format("{:016x}", got->hash)}});
    else
      fmt::print("{:<6} {:>9.2f} {:>9.2f} {:>16.1f} {:>12} {:>10.1f}  {:016x}\n", query.name,
                 got->wall_seconds, got->cpu_seconds, scaled, got->rows,
                 static_cast<double>(got->peak_bytes) / (1 << 20), got->hash);
    std::fflush(stdout);
  }
  if (json_output)
    fmt::print("{}\n", rows.dump(2));
  return good ? exit_done : exit_failed;
}

} // namespace ebb::cli
