#include "tools/cli/stats.hpp"

#include "actors/dataflow/time_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb::cli {

namespace {

using json = nlohmann::ordered_json;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// 1234567 → `1.23 M`.
std::string short_number(double value) {
  constexpr const char* units[] = {"", " k", " M", " G"};
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}{}", value, units[unit]);
}

std::string watermark_text(micros watermark) {
  if (watermark == min_time)
    return "-";
  if (watermark == max_time)
    return "end of input";
  std::string text;
  append_timestamp(watermark / micros_per_second * micros_per_second, text);
  return text;
}

/// Bytes of the most memory that this program has had, 0 where the system does not say. ru_maxrss
/// also counts what the process had before it became this program: that of whoever started it.
std::uint64_t peak_of_this_program() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/status", "r"),
                                                             &std::fclose);
  char line[256];
  unsigned long long kilobytes = 0;
  while (file && std::fgets(line, sizeof line, file.get()) != nullptr)
    if (std::sscanf(line, "VmHWM: %llu kB", &kilobytes) == 1)
      return kilobytes * 1024;
  return 0;
}

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 80;
}

} // namespace

process_usage usage_of(const rusage& counted, double wall_seconds) {
  // Linux counts ru_maxrss in KiB.
  return {wall_seconds, seconds_of(counted.ru_utime) + seconds_of(counted.ru_stime),
          static_cast<std::uint64_t>(counted.ru_maxrss) * 1024};
}

process_usage usage_of_this_process(double wall_seconds) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto result = usage_of(usage, wall_seconds);
  if (const auto peak = peak_of_this_program(); peak != 0)
    result.peak_memory_bytes = peak;
  return result;
}

std::string stats_json(const std::vector<stream_report>& streams, const process_usage& usage,
                       const error* problem) {
  json root{{"streams", json::array()}};
  for (const auto& stream : streams) {
    json one{{"name", stream.name}};
    one["sources"] = json::array();
    for (const auto& x : stream.sources)
      one["sources"].push_back(
          {{"name", x.name}, {"rows", x.rows}, {"bytes", x.bytes}, {"badRows", x.bad_rows}});
    one["operators"] = json::array();
    for (const auto& x : stream.operators)
      one["operators"].push_back({{"name", x.name},
                                  {"rowsIn", x.rows_in},
                                  {"rowsOut", x.rows_out},
                                  {"lateRows", x.late_rows},
                                  {"stateBytes", x.state_bytes}});
    one["sinks"] = json::array();
    for (const auto& x : stream.sinks)
      one["sinks"].push_back({{"name", x.name}, {"rows", x.rows}, {"bytes", x.bytes}});
    const auto checkpoints = stream.checkpoints.value_or(checkpoint_report{});
    one["checkpoints"] = {{"completed", checkpoints.completed},
                          {"failed", checkpoints.failed},
                          {"maxMillis", static_cast<double>(checkpoints.longest) / 1000}};
    root["streams"].push_back(std::move(one));
  }
  root["wallSeconds"] = usage.wall_seconds;
  root["cpuSeconds"] = usage.cpu_seconds;
  root["peakMemoryBytes"] = usage.peak_memory_bytes;
  if (problem != nullptr) {
    auto told = *problem;
    told.hint.clear();
    told.excerpt.clear();
    root["error"] = {{"reason", to_string(problem->code)}, {"message", to_string(told)}};
    if (!problem->hint.empty())
      root["error"]["hint"] = problem->hint;
  }
  return root.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string counted(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + ' ' + one + (count == 1 ? "" : "s");
}

result<void> write_file(const std::string& path, const std::string& text) {
  const auto failed = [&](int code) {
    auto problem = make_error(ec::io, std::string("cannot write: ") + std::strerror(code));
    problem.place.file = path;
    return problem;
  };

  // Devices and pipes are written, not replaced.
  struct stat found {};

  const bool special = stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
  const auto part = special ? path : path + ".part";
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(part.c_str(), "wb"), std::fclose};
  if (!file)
    return failed(errno);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  const bool closed = std::fclose(file.release()) == 0;
  if (!written || !closed || (!special && std::rename(part.c_str(), path.c_str()) != 0)) {
    const auto code = errno;
    if (!special)
      std::remove(part.c_str());
    return failed(code);
  }
  return {};
}

progress_line::progress_line(bool quiet) : active_(!quiet && isatty(STDERR_FILENO) == 1) {}

progress_line::~progress_line() {
  clear();
}

void progress_line::show(const run_progress& progress) {
  // A short run needs no progress, and a table on the same terminal no flicker.
  constexpr double quiet_seconds = 0.5;
  if (!active_ || progress.seconds < quiet_seconds)
    return;
  const auto elapsed = std::max(1e-3, progress.seconds - last_seconds_);
  std::vector<std::uint64_t> rows;
  // First what is cut last on a narrow terminal.
  std::string text = fmt::format("{:.1f} s", progress.seconds);
  const auto rate = [&](const std::string& name, std::uint64_t count) {
    const auto before = rows.size() < last_rows_.size() ? last_rows_[rows.size()] : 0;
    rows.push_back(count);
    text += fmt::format(" · {} {} {} {}/s", name, short_number(static_cast<double>(count)),
                        count == 1 ? "row" : "rows",
                        short_number(static_cast<double>(count - before) / elapsed));
  };
  for (const auto& stream : progress.streams) {
    for (const auto& source : stream.sources)
      rate(source.name, source.rows);
    for (const auto& sink : stream.sinks)
      rate("→ " + sink.name, sink.rows);
    text += " · watermark " + watermark_text(stream.watermark);
  }
  last_rows_ = std::move(rows);
  last_seconds_ = progress.seconds;
  // Cut to the terminal; arrows and dots are several bytes of one column.
  std::size_t columns = 0, bytes = 0;
  const auto width = terminal_width() - 1;
  while (bytes < text.size() && columns < width) {
    do
      ++bytes;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80);
    ++columns;
  }
  std::fprintf(stderr, "\r\x1b[K%s", text.substr(0, bytes).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void progress_line::clear() {
  if (!shown_)
    return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

} // namespace ebb::cli
