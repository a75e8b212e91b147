// From kill -9 to the first new committed output, by the size of the state.

#include "storage/control_db.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/stats.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ebb::bench {

namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t sizes[] = {std::uint64_t{100} << 20, std::uint64_t{1} << 30};
constexpr auto patience = std::chrono::seconds(300);

// Every bid is a group of its own in a window of ten days: state that only grows. Beside it, bids
// go straight to a file.
constexpr char manifest[] =
    "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: growing}\nspec:\n"
    "  checkpoint: {interval: 100ms}\n  sources:\n    - name: bid\n"
    "      eventTime: {column: date_time}\n"
    "      nexmark: {table: bid, events: 2000000000, eventsPerSecond: 100000, rate: 300000}\n"
    "  operators:\n    - name: groups\n"
    "      sql: SELECT window_start, bidder, price, date_time, count(*) AS n FROM tumble(bid, "
    "date_time, INTERVAL '10 days') GROUP BY window_start, window_end, bidder, price, date_time\n"
    "    - name: some\n      sql: SELECT auction, price FROM bid WHERE auction % 100 = 0\n"
    "  sinks:\n    - {from: groups, discard: {}}\n"
    "    - {from: some, file: {path: some.csv, format: csv}}\n";

pid_t start(const std::string& folder) {
  const auto child = fork();
  if (child == 0) {
    const auto file = folder + "/growing.yaml";
    const auto data = folder + "/data";
    execl("/proc/self/exe", "ebb", "run", "--quiet", file.c_str(), "--data", data.c_str(), nullptr);
    _exit(127);
  }
  return child;
}

struct progress {
  std::uint64_t epoch = 0;
  std::uint64_t state_bytes = 0;
};

progress progress_of(const std::string& folder) {
  progress result;
  auto database = control_db::open_read_only(folder + "/data");
  if (!database)
    return result;
  const auto stream = database->find_stream("growing");
  if (!stream || !*stream)
    return result;
  const auto record = database->newest_record((*stream)->uid);
  if (!record || !*record)
    return result;
  result.epoch = (*record)->epoch;
  for (const auto& x : (*record)->segments)
    result.state_bytes += x.bytes;
  return result;
}

std::uint64_t output_size(const std::string& folder) {
  std::error_code none;
  const auto size = std::filesystem::file_size(folder + "/some.csv", none);
  return none ? 0 : size;
}

void kill_now(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

/// Takes the folder's files out of the page cache, as far as the kernel lets a process.
void drop_cache(const std::string& folder) {
  for (const auto& x : std::filesystem::recursive_directory_iterator(folder + "/data")) {
    if (!x.is_regular_file())
      continue;
    const int file = open(x.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
      continue;
    fdatasync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
}

bool grow(const std::string& folder, std::uint64_t bytes) {
  const auto child = start(folder);
  const auto end = steady_clock::now() + patience;
  while (progress_of(folder).state_bytes < bytes && steady_clock::now() < end
         && waitpid(child, nullptr, WNOHANG) == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  kill_now(child);
  return progress_of(folder).state_bytes >= bytes;
}

/// Milliseconds from the start of the process until a new epoch is recorded and its output is in
/// the file.
double recover(const std::string& folder) {
  const auto epoch = progress_of(folder).epoch;
  const auto begin = steady_clock::now();
  const auto child = start(folder);
  const auto end = begin + patience;
  std::uint64_t size = 0;
  while (steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // What the old record left to apply does not count.
    if (progress_of(folder).epoch == epoch)
      size = output_size(folder);
    else if (output_size(folder) > size)
      break;
  }
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
  kill_now(child);
  return took.count();
}

} // namespace

bool measure_recovery(const settings&, report& to) {
  to.line("Recovery: kill -9 to the first new committed output, checkpoints every 100 ms, 300 k "
          "events a second\n");
  to.line(fmt::format("{:>12} {:>20} {:>20}", "state MiB", "warm cache ms", "dropped cache ms"));
  bool good = true;
  for (const auto bytes : sizes) {
    const scratch_folder scratch;
    if (scratch.path().empty() || !cli::write_file(scratch.path() + "/growing.yaml", manifest)
        || !grow(scratch.path(), bytes)) {
      std::fprintf(stderr, "error: the state did not grow to %llu bytes\n",
                   static_cast<unsigned long long>(bytes));
      good = false;
      continue;
    }
    const auto state = static_cast<double>(progress_of(scratch.path()).state_bytes) / (1 << 20);
    const auto warm = recover(scratch.path());
    drop_cache(scratch.path());
    const auto cold = recover(scratch.path());
    to.line(fmt::format("{:>12.0f} {:>20.0f} {:>20.0f}", state, warm, cold));
    to.add({{"benchmark", "recovery"},
            {"stateMebibytes", state},
            {"warmMillis", warm},
            {"droppedMillis", cold}});
  }
  return good;
}

} // namespace ebb::bench
