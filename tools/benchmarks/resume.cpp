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
#include <functional>
#include <sys/wait.h>
#include <thread>

namespace ebb::bench {

namespace {

using std::chrono::steady_clock;

constexpr std::uint64_t groups = 12'000'000;
constexpr std::uint64_t joined_rows = 14'000'000; ///< of each side
constexpr auto patience = std::chrono::seconds(600);
constexpr auto polls_apart = std::chrono::milliseconds(200);
constexpr int quiet_polls = 75; ///< a checkpoint of much state takes a while

/// A stream that has read much and rests.
struct resting_stream {
  const char* name;
  const char* what;
  std::string manifest;
  std::function<bool(const std::string& folder)> write_input;
  std::uint64_t state_bytes; ///< at least, once all is read
  const char* grows;         ///< file that gets the row to come
  const char* row;
  const char* output;
};

// One window holds all the groups and stays open; a few rows lie in the window before it, which a
// row to come will close.
constexpr char windows[] =
    "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: windows}\nspec:\n"
    "  checkpoint: {interval: 1s, mode: at-least-once}\n  sources:\n    - name: visits\n"
    "      schema: page TEXT, at TIMESTAMP, seconds BIGINT\n"
    "      eventTime: {column: at, maxDelay: 2h}\n"
    "      file: {path: visits.csv, format: csv, follow: true}\n"
    "  operators:\n    - name: sums\n"
    "      sql: SELECT page, window_end, count(*) AS n, sum(seconds) AS s, max(seconds) AS longest "
    "FROM tumble(visits, at, INTERVAL '1 hour') GROUP BY page, window_start, window_end\n"
    "  sinks:\n    - {from: sums, file: {path: sums.csv, format: csv}}\n";

// Nothing meets until a row comes that has a partner.
std::string join_of(const char* name, const char* payments, const char* sink) {
  return fmt::format(
      "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {{name: {}}}\nspec:\n"
      "  checkpoint: {{interval: 1s, mode: at-least-once}}\n  sources:\n    - name: orders\n"
      "      schema: id TEXT, amount BIGINT\n"
      "      file: {{path: orders.csv, format: csv, follow: true}}\n"
      "    - name: payments\n      schema: id TEXT, paid BIGINT\n"
      "      file: {{path: payments.csv, format: csv, follow: true}}\n  operators:\n"
      "    - name: joined\n      sql: SELECT o.id, o.amount, p.paid FROM orders AS o JOIN {} AS p "
      "ON p.id = o.id\n  sinks:\n    - {{from: joined, file: {{{}}}}}\n",
      name, payments, sink);
}

/// A file of `count` rows after those of `head`: text that says the key, in no order.
bool write_rows(const std::string& path, const std::string& head, std::uint64_t count,
                const std::function<void(std::string&, std::uint64_t, std::uint64_t)>& add) {
  std::ofstream to(path);
  to << head;
  std::string some;
  for (std::uint64_t i = 0; i < count && to; ++i) {
    add(some, i, i * 0x9e3779b97f4a7c15);
    if (some.size() > std::size_t{1} << 20) {
      to << some;
      some.clear();
    }
  }
  to << some;
  return to.good();
}

bool write_visits(const std::string& folder) {
  std::string head = "page,at,seconds\n";
  for (int i = 0; i < 10; ++i)
    head += fmt::format("/early/{},2024-01-01 09:30:00,1\n", i);
  return write_rows(folder + "/visits.csv", head, groups,
                    [](std::string& to, std::uint64_t i, std::uint64_t key) {
                      fmt::format_to(std::back_inserter(to),
                                     "/shop/article/{:016x},2024-01-01 10:30:00,{}\n", key,
                                     i % 1000);
                    });
}

bool write_sales(const std::string& folder) {
  const auto rows_of = [](const char* prefix) {
    return [prefix](std::string& to, std::uint64_t i, std::uint64_t key) {
      fmt::format_to(std::back_inserter(to), "{}{:016x},{}\n", prefix, key, i % 1000);
    };
  };
  return write_rows(folder + "/orders.csv", "id,amount\norder/to/be/paid,7\n", joined_rows,
                    rows_of("shop/order/"))
         && write_rows(folder + "/payments.csv", "id,paid\n", joined_rows, rows_of("bank/paid/"));
}

resting_stream resting_windows() {
  return {"windows",    "a small window closes",         windows,   write_visits, groups * 40,
          "visits.csv", "/late,2024-01-01 12:01:00,1\n", "sums.csv"};
}

resting_stream resting_join() {
  return {"joined",
          "a row meets its partner",
          join_of("joined", "payments", "path: joined.csv, format: csv"),
          write_sales,
          joined_rows * 2 * 20,
          "payments.csv",
          "order/to/be/paid,7\n",
          "joined.csv"};
}

resting_stream resting_updating_join() {
  auto x = resting_join();
  x.name = "updating";
  x.what = "a sum by key changes and meets its partner";
  x.manifest = join_of(x.name, "(SELECT id, sum(paid) AS paid FROM payments GROUP BY id)",
                       "path: updating.ndjson, format: debezium");
  x.output = "updating.ndjson";
  return x;
}

/// Reads all of it, makes a checkpoint and ends.
bool fill(const std::string& folder, const resting_stream& x) {
  const auto child = start_data_run(folder, x.name);
  const auto end = steady_clock::now() + patience;
  std::uint64_t before = 0;
  int quiet = 0;
  // Checkpoints stop when nothing happens.
  while (quiet < quiet_polls && steady_clock::now() < end
         && waitpid(child, nullptr, WNOHANG) == 0) {
    std::this_thread::sleep_for(polls_apart);
    const auto now = progress_of(folder, x.name);
    quiet = now.epoch == before && now.state_bytes > x.state_bytes ? quiet + 1 : 0;
    before = now.epoch;
  }
  kill(child, SIGINT);
  waitpid(child, nullptr, 0);
  return quiet == quiet_polls;
}

/// Milliseconds until rows are in the output; then it is killed, before a checkpoint, so that the
/// next start does the same.
double first_row(const std::string& folder, const resting_stream& x) {
  const auto output = folder + '/' + x.output;
  const auto begin = steady_clock::now();
  const auto child = start_data_run(folder, x.name);
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

void head(report& to) {
  to.line("Start with state: process start to the first row\n");
  to.line(fmt::format("{:<44} {:>10} {:>14} {:>17}", "", "state MiB", "warm cache ms",
                      "dropped cache ms"));
}

bool measure(const resting_stream& x, report& to) {
  const scratch_folder scratch;
  const auto& folder = scratch.path();
  if (folder.empty() || !cli::write_file(folder + '/' + x.name + ".yaml", x.manifest)
      || !x.write_input(folder) || !fill(folder, x)) {
    std::fprintf(stderr, "error: the state of stream %s was not made\n", x.name);
    return false;
  }
  std::ofstream(folder + '/' + x.grows, std::ios::app) << x.row;
  const auto state =
      static_cast<double>(progress_of(folder, x.name).state_bytes) / (std::uint64_t{1} << 20);
  const auto warm = first_row(folder, x);
  drop_cache(folder);
  const auto cold = first_row(folder, x);
  to.line(fmt::format("{:<44} {:>10.0f} {:>14.1f} {:>17.1f}", x.what, state, warm, cold));
  to.add({{"benchmark", "resume"},
          {"stream", x.name},
          {"stateMebibytes", state},
          {"warmMillis", warm},
          {"droppedMillis", cold}});
  return true;
}

} // namespace

bool measure_resume(const settings&, report& to) {
  head(to);
  return measure(resting_windows(), to);
}

bool measure_resume_joins(const settings&, report& to) {
  head(to);
  return measure(resting_join(), to) && measure(resting_updating_join(), to);
}

} // namespace ebb::bench
