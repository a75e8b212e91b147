/// What `ebb bench` can measure. Each measurement runs in a process of its own.
#pragma once

#include "tools/benchmarks/nexmark.hpp"
#include "tools/benchmarks/report.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::bench {

struct settings {
  std::uint64_t events = 10'000'000;
  std::uint32_t parallelism = 2;
  std::uint32_t runs = 1; ///< the one with the median CPU time counts
  bool verify = false;
  /// Of a benchmark that takes several queries, those that count; empty = all.
  std::vector<std::string> queries = {};
};

/// Nexmark queries with the generator inside: CPU seconds, wall, memory, hash of the result.
/// With `verify` each runs once more into a file, which is read back and hashed.
[[nodiscard]] bool measure_queries(const std::vector<named_text>& queries, const settings& how,
                                   report& to);

/// Operators alone, on one core, over bids that are in memory already.
[[nodiscard]] bool measure_memory(const settings& how, report& to);

/// Files of bids, JSON lines and CSV, into columns, on one core.
[[nodiscard]] bool measure_ingest(const settings& how, report& to);

/// Time from when a bid was due to when the sink has its row, for q1 at 500 k events a second.
[[nodiscard]] bool measure_latency(const settings& how, report& to);

/// Time from when a window's watermark was due to when the sink has its result, for q5 at 500 k
/// events a second, without checkpoints and with one a second.
[[nodiscard]] bool measure_window_latency(const settings& how, report& to);

/// Process start to first row, and the memory of a process with nothing to do.
[[nodiscard]] bool measure_start(const settings& how, report& to);

/// q5 on two threads against one.
[[nodiscard]] bool measure_scaling(const settings& how, report& to);

/// Peak memory of q5 over an input and one four times as long.
[[nodiscard]] bool measure_state(const settings& how, report& to);

/// What saving an aggregation's state costs its subtask: at the barrier, a slice, in all.
[[nodiscard]] bool measure_save(const settings& how, report& to);

/// Nexmark queries with a checkpoint a second against none.
[[nodiscard]] bool measure_checkpoint(const settings& how, report& to);

/// kill -9 to the first new committed output, with 100 MiB and 1 GiB of state.
[[nodiscard]] bool measure_recovery(const settings& how, report& to);

/// Process start to the first row, with a gigabyte of state.
[[nodiscard]] bool measure_resume(const settings& how, report& to);

/// The same of joins, whose state is that of two sides.
[[nodiscard]] bool measure_resume_joins(const settings& how, report& to);

/// Bytes written to the disk for each byte of state that changes, over an hour of checkpoints.
[[nodiscard]] bool measure_written(const settings& how, report& to);

/// Bids appended to a topic's log, in groups of one sync each, and read back.
[[nodiscard]] bool measure_topics(const settings& how, report& to);

} // namespace ebb::bench
