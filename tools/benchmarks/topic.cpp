// A topic's log: requests of bids appended in groups, each with one sync, and read back.

#include "actors/connectors/factory.hpp"
#include "actors/runtime/io_pool.hpp"
#include "storage/topic_batches.hpp"
#include "storage/topic_log.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/collector.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace ebb::bench {

namespace {

constexpr std::uint64_t events_max = 2'200'000; // 2 M bids

// What is appended, and how.
struct load {
  const char* name;
  std::uint32_t rows_a_request;
  std::uint32_t requests_a_group;
  std::uint32_t partitions;
  bool keyed;            ///< rows are spread by a column, else by producer
  std::uint64_t rows;    ///< at most
  std::uint32_t senders; ///< producers
};

constexpr load loads[] = {{"1 row, groups of 100", 1, 100, 1, false, 200'000, 100},
                          {"1 row, groups of 100, 4 partitions", 1, 100, 4, false, 200'000, 100},
                          {"1 row, alone", 1, 1, 1, false, 2'000, 1},
                          {"1,000 rows, groups of 8", 1'000, 8, 1, false, 2'000'000, 8},
                          {"1,000 rows, alone", 1'000, 1, 1, false, 400'000, 1},
                          {"1,000 rows, groups of 8, by key", 1'000, 8, 4, true, 2'000'000, 8}};

struct appended {
  std::uint64_t requests = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0; ///< on disk
  double wall_seconds = 0;
  double cpu_seconds = 0;
  double p50_millis = 0; ///< of one group
  double p99_millis = 0;
  double open_seconds = 0; ///< CPU, with all that is remembered
  double read_seconds = 0; ///< CPU, all rows, page cache warm
};

double wall_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

result<std::vector<batch_ptr>> make_bids(std::uint64_t events) {
  nexmark_run run;
  run.sql = "SELECT * FROM bid";
  run.events = events;
  const auto stream = first_stream(nexmark_manifest(run));
  if (!stream)
    return make_error(ec::internal, "the manifest is wrong");
  inline_executor io;
  connector_context context;
  context.io = &io;
  const auto connectors = make_connectors();
  EBB_ASSIGN(const auto reader, connectors->open_source(stream->sources.front(), context));
  collector all;
  for (bool more = true; more;) {
    step_budget budget;
    EBB_ASSIGN(const auto status, reader->read(0, budget, all));
    more = status.what == read_status::kind::more;
  }
  return std::move(all.batches);
}

// Requests as the gateway hands them over: batches of their own.
std::vector<topic_append> make_requests(const std::vector<batch_ptr>& bids, const load& x) {
  std::vector<topic_append> requests;
  std::vector<std::uint64_t> next(x.senders);
  const auto all = concatenate(bids);
  for (std::uint32_t first = 0; first < std::min<std::uint64_t>(all.rows, x.rows);
       first += x.rows_a_request) {
    const auto count = std::min(x.rows_a_request, all.rows - first);
    topic_append request;
    auto piece = std::make_shared<batch>(slice(all, first, count));
    std::vector<std::uint32_t> partitions;
    for (std::uint32_t i = 0; x.keyed && i < count; ++i)
      partitions.push_back(
          static_cast<std::uint32_t>(piece->columns[0].data<std::int64_t>()[i] % x.partitions));
    request.parts.push_back({std::move(piece), std::move(partitions)});
    const auto sender = requests.size() % x.senders;
    request.producer = producer_position{fmt::format("producer-{:08}", sender), 0, next[sender]};
    next[sender] += count;
    requests.push_back(std::move(request));
  }
  return requests;
}

result<appended> measure(const std::string& folder, const load& x, std::uint64_t events) {
  appended found;
  EBB_ASSIGN(const auto bids, make_bids(std::min(events, events_max)));
  const auto requests = make_requests(bids, x);
  topic_options options;
  options.partitions = x.partitions;
  EBB_ASSIGN(auto log, topic_log::open(folder, options, 1));
  std::vector<double> groups;
  const auto cpu = thread_cpu_seconds();
  const auto start = wall_now();
  auto before = start;
  micros now = 1;
  for (std::size_t at = 0; at < requests.size(); at += x.requests_a_group) {
    const auto count = std::min<std::size_t>(x.requests_a_group, requests.size() - at);
    for (auto& answer : log->append({requests.data() + at, count}, now++)) {
      if (answer.status != append_status::appended)
        return std::move(answer.problem);
      for (const auto& range : answer.ranges)
        found.rows += range.rows;
    }
    const auto after = wall_now();
    groups.push_back((after - before) * 1e3);
    before = after;
  }
  found.wall_seconds = before - start;
  found.cpu_seconds = thread_cpu_seconds() - cpu;
  found.requests = requests.size();
  found.bytes = log->size().bytes;
  std::sort(groups.begin(), groups.end());
  found.p50_millis = groups[groups.size() / 2];
  found.p99_millis = groups[groups.size() * 99 / 100];
  log.reset();
  const auto opening = thread_cpu_seconds();
  EBB_ASSIGN(log, topic_log::open(folder, options, 1));
  found.open_seconds = thread_cpu_seconds() - opening;
  auto reader = log->make_reader();
  const auto reading = thread_cpu_seconds();
  std::uint64_t rows = 0;
  for (std::uint32_t p = 0; p < x.partitions; ++p)
    for (std::uint64_t next = 0;;) {
      EBB_ASSIGN(const auto piece, reader.read(p, next, {}));
      if (piece.batches.empty())
        break;
      rows += piece.next - next;
      next = piece.next;
    }
  found.read_seconds = thread_cpu_seconds() - reading;
  if (rows != found.rows)
    return make_error(ec::internal, "rows are missing");
  return found;
}

} // namespace

bool measure_topics(const settings& how, report& to) {
  const auto runs = std::max(how.runs, 3U);
  to.line(fmt::format("Topics: bids appended by one thread, a sync a group; wall and CPU of that "
                      "thread, median of {} runs\n",
                      runs));
  to.line(fmt::format("{:<36} {:>9} {:>9} {:>11} {:>12} {:>8} {:>8} {:>6} {:>10} {:>12}", "load",
                      "k req/s", "M rows/s", "k req/CPU s", "M rows/CPU s", "p50 ms", "p99 ms",
                      "B/row", "opened ms", "read M/CPU s"));
  bool good = true;
  int folders = 0;
  const scratch_folder folder;
  if (folder.path().empty())
    return false;
  for (const auto& x : loads) {
    const auto one = [&] {
      const auto path = fmt::format("{}/{}", folder.path(), folders++);
      return in_child<appended>([&]() -> std::optional<appended> {
        auto found = measure(path, x, how.events);
        if (!found) {
          cli::print_error(found.error());
          return std::nullopt;
        }
        return *found;
      });
    };
    const auto got = median_of<appended>(runs, one);
    if (!got) {
      good = false;
      continue;
    }
    const auto& y = got->value;
    const auto requests = static_cast<double>(y.requests) / 1e3;
    const auto rows = static_cast<double>(y.rows) / 1e6;
    to.line(fmt::format("{:<36} {:>9.1f} {:>9.2f} {:>11.1f} {:>12.2f} {:>8.2f} {:>8.2f} {:>6.0f} "
                        "{:>10.1f} {:>12.1f}",
                        x.name, requests / y.wall_seconds, rows / y.wall_seconds,
                        requests / y.cpu_seconds, rows / y.cpu_seconds, y.p50_millis, y.p99_millis,
                        static_cast<double>(y.bytes) / static_cast<double>(y.rows),
                        y.open_seconds * 1e3, rows / y.read_seconds));
    to.add({{"benchmark", "topics"},
            {"load", x.name},
            {"requests", y.requests},
            {"rows", y.rows},
            {"bytes", y.bytes},
            {"wallSeconds", y.wall_seconds},
            {"cpuSeconds", y.cpu_seconds},
            {"p50Millis", y.p50_millis},
            {"p99Millis", y.p99_millis},
            {"openCpuSeconds", y.open_seconds},
            {"readCpuSeconds", y.read_seconds}});
  }
  return good;
}

} // namespace ebb::bench
