// From kill -9 to the first new committed output, by the size of the state.

#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/data_run.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/stats.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <sys/wait.h>
#include <thread>

namespace ebb::bench {

namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t sizes[] = {std::uint64_t{100} << 20, std::uint64_t{1} << 30};
constexpr auto patience = std::chrono::seconds(300);

// Every bid is a group of its own in a window of ten days: state that only grows. Beside it, bids
// go straight to a file.
constexpr char stream[] = "growing";
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

bool grow(const std::string& folder, std::uint64_t bytes) {
  const auto child = start_data_run(folder, stream);
  const auto end = steady_clock::now() + patience;
  while (progress_of(folder, stream).state_bytes < bytes && steady_clock::now() < end
         && waitpid(child, nullptr, WNOHANG) == 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  kill_data_run(child);
  return progress_of(folder, stream).state_bytes >= bytes;
}

/// Milliseconds from the start of the process until a new epoch is recorded and its output is in
/// the file.
double recover(const std::string& folder) {
  const auto epoch = progress_of(folder, stream).epoch;
  const auto output = folder + "/some.csv";
  const auto begin = steady_clock::now();
  const auto child = start_data_run(folder, stream);
  const auto end = begin + patience;
  std::uint64_t size = 0;
  while (steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // What the old record left to apply does not count.
    if (progress_of(folder, stream).epoch == epoch)
      size = size_of_file(output);
    else if (size_of_file(output) > size)
      break;
  }
  const std::chrono::duration<double, std::milli> took = steady_clock::now() - begin;
  kill_data_run(child);
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
    const auto state =
        static_cast<double>(progress_of(scratch.path(), stream).state_bytes) / (1 << 20);
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
