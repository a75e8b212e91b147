// Files of bids, as our own sink writes them, into columns.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/scratch_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace ebb::bench {

namespace {

constexpr std::uint64_t events_max = 2'000'000;
constexpr char all_columns[] = "SELECT * FROM bid\n";

std::string reading(const std::string& path, const char* format, const char* sink) {
  return fmt::format("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {{name: ingest}}\n"
                     "spec:\n  sources:\n    - name: bid\n"
                     "      schema: auction BIGINT NOT NULL, bidder BIGINT NOT NULL, "
                     "price BIGINT NOT NULL, channel TEXT NOT NULL, url TEXT NOT NULL, "
                     "date_time TIMESTAMP NOT NULL, extra TEXT NOT NULL\n"
                     "      file: {{path: '{}', format: {}}}\n  sinks:\n    - {}\n",
                     path, format, sink);
}

} // namespace

bool measure_ingest(const settings& how, report& to) {
  const scratch_folder folder;
  if (folder.path().empty())
    return false;
  nexmark_run run;
  run.sql = all_columns;
  run.events = std::min(how.events, events_max);
  to.line(fmt::format("Ingest: a file of the bids of {} events into columns, one thread beside the "
                      "reading one; CPU of both\n",
                      run.events));
  to.line(fmt::format("{:<6} {:>10} {:>8} {:>9} {:>14} {:>14}  {}", "format", "rows", "MiB",
                      "wall s", "M rows/s wall", "M rows/CPU s", "hash of the rows"));
  const auto runs = std::max(how.runs, 3U);
  bool good = true;
  for (const char* format : {"json", "csv"}) {
    const auto path = fmt::format("{}/bids.{}", folder.path(), format);
    run.sinks = {"discard: {hash: true}",
                 fmt::format("file: {{path: '{}', format: {}}}", path, format)};
    const auto written = in_child<run_outcome>([&] { return run_manifest(nexmark_manifest(run)); });
    // What was read is hashed in a run of its own.
    const auto checked = in_child<run_outcome>(
        [&] { return run_manifest(reading(path, format, "discard: {hash: true}")); });
    std::vector<measured<run_outcome>> all;
    for (std::uint32_t i = 0; written && checked && i < runs; ++i) {
      run_options options;
      options.threads = 1;
      const auto one = in_child<run_outcome>(
          [&] { return run_manifest(reading(path, format, "discard: {}"), options); });
      if (one)
        all.push_back(*one);
    }
    if (all.size() != runs) {
      good = false;
      continue;
    }
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.cost.cpu_seconds < b.cost.cpu_seconds; });
    const auto& x = all[all.size() / 2];
    const bool equal = checked->value.hash == written->value.hash;
    good &= equal;
    std::error_code problem;
    const auto bytes = std::filesystem::file_size(path, problem);
    const auto rows = static_cast<double>(x.value.rows_in) / 1e6;
    to.line(fmt::format("{:<6} {:>10} {:>8.1f} {:>9.3f} {:>14.2f} {:>14.2f}  {:016x}, {} written",
                        format, x.value.rows_in, static_cast<double>(bytes) / (1 << 20),
                        x.value.wall_seconds, rows / x.value.wall_seconds,
                        rows / x.cost.cpu_seconds, checked->value.hash, equal ? "as" : "NOT as"));
    to.add({{"benchmark", "ingest"},
            {"format", format},
            {"rows", x.value.rows_in},
            {"bytes", bytes},
            {"wallSeconds", x.value.wall_seconds},
            {"cpuSeconds", x.cost.cpu_seconds},
            {"millionRowsPerCpuSecond", rows / x.cost.cpu_seconds},
            {"hash", fmt::format("{:016x}", checked->value.hash)},
            {"equal", equal}});
  }
  return good;
}

} // namespace ebb::bench
