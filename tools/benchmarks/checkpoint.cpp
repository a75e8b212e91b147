// What checkpoints cost: queries with one a second against none.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/scratch_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace ebb::bench {

namespace {

/// With `folder` its content is dropped first; the median of `runs` by CPU time.
std::optional<measured<run_outcome>> median_run(const std::string& manifest,
                                                const std::string& folder, std::uint32_t runs) {
  return median_of<run_outcome>(runs, [&] {
    if (!folder.empty())
      std::filesystem::remove_all(folder);
    return in_child<run_outcome>([&]() -> std::optional<run_outcome> {
      const auto options = folder.empty() ? std::optional(run_options{}) : keep_in(folder);
      if (!options)
        return std::nullopt;
      return run_manifest(manifest, *options);
    });
  });
}

} // namespace

bool measure_checkpoint(const settings& how, report& to) {
  const scratch_folder scratch;
  if (scratch.path().empty())
    return false;
  to.line(fmt::format("Checkpoints: {} events, one a second against none, parallelism {}\n",
                      how.events, how.parallelism));
  to.line(fmt::format("{:<6} {:>13} {:>10} {:>7} {:>12} {:>10} {:>12} {:>11}", "query",
                      "CPU s without", "CPU s with", "more %", "wall without", "wall with",
                      "checkpoints", "longest ms"));
  bool good = true;
  for (const auto& [name, sql] : nexmark_queries()) {
    if (!how.queries.empty()
        && std::find(how.queries.begin(), how.queries.end(), name) == how.queries.end())
      continue;
    nexmark_run query;
    query.sql = sql;
    query.events = how.events;
    query.parallelism = how.parallelism;
    const auto manifest = nexmark_manifest(query);
    const auto without = median_run(manifest, "", how.runs);
    const auto with = median_run(with_checkpoints(manifest), scratch.path() + "/data", how.runs);
    if (!without || !with) {
      good = false;
      continue;
    }
    // Windows by processing time are others in each run.
    const bool repeatable = sql.find("proctime") == std::string::npos;
    if (repeatable && without->value.hash != with->value.hash) {
      std::fprintf(stderr, "error: %s gives other rows with checkpoints\n", name.c_str());
      good = false;
      continue;
    }
    to.line(fmt::format("{:<6} {:>13.2f} {:>10.2f} {:>7.0f} {:>12.2f} {:>10.2f} {:>12} {:>11.1f}",
                        name, without->cost.cpu_seconds, with->cost.cpu_seconds,
                        100 * (with->cost.cpu_seconds / without->cost.cpu_seconds - 1),
                        without->value.wall_seconds, with->value.wall_seconds,
                        with->value.checkpoints, with->value.longest_checkpoint_millis));
    to.add({{"benchmark", "checkpoint"},
            {"query", name},
            {"events", how.events},
            {"cpuSecondsWithout", without->cost.cpu_seconds},
            {"cpuSecondsWith", with->cost.cpu_seconds},
            {"wallSecondsWithout", without->value.wall_seconds},
            {"wallSecondsWith", with->value.wall_seconds},
            {"checkpoints", with->value.checkpoints},
            {"longestMillis", with->value.longest_checkpoint_millis}});
  }
  return good;
}

} // namespace ebb::bench
