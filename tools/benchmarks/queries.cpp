#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace ebb::bench {

namespace {

using measured_run = measured<run_outcome>;

constexpr std::uint64_t verified_events = 1'000'000;

std::optional<measured_run> median_run(const std::string& manifest, const run_options& options,
                                       std::uint32_t runs) {
  return median_of<run_outcome>(
      runs, [&] { return in_child<run_outcome>([&] { return run_manifest(manifest, options); }); });
}

nexmark_run run_of(const named_text& query, const settings& how) {
  nexmark_run run;
  run.sql = query.text;
  run.events = how.events;
  run.parallelism = how.parallelism;
  return run;
}

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

// What makes the figures honest.
void print_rules(const report& to) {
  to.line("");
  to.line("CPU s: user and system of the whole process, start and generator included. The nexmark "
          "source makes every column");
  to.line("of its tables, read or not; its texts refer to constant pools. The sink takes every "
          "column and hashes every value.");
}

// Runs the query into a file and compares; prints what came out.
bool verify(const named_text& query, const settings& how, const measured_run& timed, report& to) {
  auto run = run_of(query, how);
  run.events = std::min(run.events, verified_events);
  const auto got = in_child<verification>([&] { return verify_by_file(run); });
  if (!got)
    return false;
  const auto& both = got->value;
  // A query over processing time gives other rows in another run.
  const bool repeatable = query.text.find("proctime") == std::string::npos;
  bool good = both.file == both.discard;
  if (repeatable && run.events == how.events)
    good &= both.discard == timed.value.hash;
  to.line(fmt::format("{:<6} {:>9} {} of {} events: {} {:016x}, file read back {:016x}: {}", "",
                      both.rows, both.updating ? "changes" : "rows", run.events,
                      both.updating ? "final table" : "discard", both.discard, both.file,
                      good ? "equal" : "DIFFERENT"));
  to.add({{"benchmark", "verify"},
          {"query", query.name},
          {"events", run.events},
          {"rows", both.rows},
          {"updating", both.updating},
          {"hash", fmt::format("{:016x}", both.discard)},
          {"fileHash", fmt::format("{:016x}", both.file)},
          {"equal", good}});
  return good;
}

} // namespace

bool measure_queries(const std::vector<named_text>& queries, const settings& how, report& to) {
  to.line(fmt::format("Nexmark: {} events a query, 100 k a second of event time, parallelism {}\n",
                      how.events, how.parallelism));
  to.line(fmt::format("{:<6} {:>9} {:>9} {:>12} {:>12} {:>9}  {}", "query", "wall s", "CPU s",
                      "CPU s/100 M", "rows out", "peak MiB", "hash of the result"));
  bool good = true;
  for (const auto& query : queries) {
    const auto got = median_run(nexmark_manifest(run_of(query, how)), {}, how.runs);
    if (!got) {
      good = false;
      continue;
    }
    const auto scaled = got->cost.cpu_seconds * 1e8 / static_cast<double>(how.events);
    to.line(fmt::format("{:<6} {:>9.2f} {:>9.2f} {:>12.1f} {:>12} {:>9.1f}  {:016x}", query.name,
                        got->value.wall_seconds, got->cost.cpu_seconds, scaled, got->value.rows_out,
                        mebibytes(got->cost.peak_bytes), got->value.hash));
    to.add({{"benchmark", "query"},
            {"query", query.name},
            {"events", how.events},
            {"parallelism", how.parallelism},
            {"wallSeconds", got->value.wall_seconds},
            {"cpuSeconds", got->cost.cpu_seconds},
            {"cpuSecondsPer100M", scaled},
            {"rows", got->value.rows_out},
            {"peakMemoryBytes", got->cost.peak_bytes},
            {"hash", fmt::format("{:016x}", got->value.hash)}});
    if (how.verify)
      good &= verify(query, how, *got, to);
  }
  print_rules(to);
  return good;
}

bool measure_scaling(const settings& how, report& to) {
  to.line(fmt::format("Scaling: q5, {} events, wall seconds on one thread and on two "
                      "({} processors here)\n",
                      how.events, std::thread::hardware_concurrency()));
  named_text query{"q5", nexmark_query("q5")};
  double wall[2] = {0, 0};
  double cpu[2] = {0, 0};
  for (std::uint32_t threads = 1; threads <= 2; ++threads) {
    auto run = run_of(query, how);
    run.parallelism = threads;
    run_options options;
    options.threads = threads;
    const auto got = median_run(nexmark_manifest(run), options, how.runs);
    if (!got)
      return false;
    wall[threads - 1] = got->value.wall_seconds;
    cpu[threads - 1] = got->cost.cpu_seconds;
  }
  to.line(fmt::format("one {:.2f} s (CPU {:.2f} s), two {:.2f} s (CPU {:.2f} s): {:.2f} times as "
                      "fast",
                      wall[0], cpu[0], wall[1], cpu[1], wall[0] / wall[1]));
  to.add({{"benchmark", "scaling"},
          {"query", "q5"},
          {"events", how.events},
          {"wallSecondsOneThread", wall[0]},
          {"wallSecondsTwoThreads", wall[1]},
          {"cpuSecondsOneThread", cpu[0]},
          {"cpuSecondsTwoThreads", cpu[1]},
          {"speedup", wall[0] / wall[1]}});
  return true;
}

bool measure_state(const settings& how, report& to) {
  to.line("State: peak memory of q5 over an input and one four times as long\n");
  named_text query{"q5", nexmark_query("q5")};
  for (const auto times : {1U, 4U}) {
    auto run = run_of(query, how);
    run.events *= times;
    const auto got = median_run(nexmark_manifest(run), {}, 1);
    if (!got)
      return false;
    to.line(fmt::format("{:>11} events: {:.1f} MiB", run.events, mebibytes(got->cost.peak_bytes)));
    to.add({{"benchmark", "state"},
            {"query", "q5"},
            {"events", run.events},
            {"peakMemoryBytes", got->cost.peak_bytes}});
  }
  return true;
}

} // namespace ebb::bench
