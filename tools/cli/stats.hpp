/// What a run did, as one JSON object (`--stats`) and as progress on a terminal.
#pragma once

#include "actors/runtime/stream_report.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

struct rusage;

namespace ebb::cli {

/// Of one process since its start.
struct process_usage {
  double wall_seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
};

/// What the system counted of a process; `wall_seconds` is the caller's.
[[nodiscard]] process_usage usage_of(const rusage& counted, double wall_seconds);

/// `wall_seconds` is the caller's; the rest is asked of the system.
[[nodiscard]] process_usage usage_of_this_process(double wall_seconds);

/// INTERFACES §3: `--stats`. With `problem` the run has failed, and its `error` is told, too.
[[nodiscard]] std::string stats_json(const std::vector<stream_report>& streams,
                                     const process_usage& usage, const error* problem = nullptr);

/// `1 row`, `2 rows`.
[[nodiscard]] std::string counted(std::uint64_t count, const std::string& one);

/// Writes text to a file, replacing it as a whole.
[[nodiscard]] result<void> write_file(const std::string& path, const std::string& text);

/// One line on a terminal, rewritten in place: rows a second of sources and sinks, watermark, time.
class progress_line {
public:
  /// Shows nothing where stderr is no terminal, or when `quiet`.
  explicit progress_line(bool quiet);
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void show(const run_progress& progress);
  /// Removes the line, so that other text can follow.
  void clear();

private:
  bool active_;
  bool shown_ = false;
  double last_seconds_ = 0;
  std::vector<std::uint64_t> last_rows_;
};

} // namespace ebb::cli
