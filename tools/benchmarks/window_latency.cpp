// How long the results of a window take from the moment at which its watermark is due to the sink,
// with checkpoints running.

#include "actors/connectors/factory.hpp"
#include "actors/connectors/nexmark_event.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/scratch_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

namespace ebb::bench {

namespace {

constexpr std::uint64_t events_per_second = 500'000;
constexpr std::uint64_t seconds = 40;
constexpr micros watermark_delay = 4 * micros_per_second; ///< of nexmark_manifest

/// Since when the sources keep their pace, and how late each row came.
struct measurements {
  std::atomic<micros> start = max_time;
  std::mutex mutex;
  std::vector<micros> late;
};

class paced_reader final : public source_reader {
public:
  paced_reader(std::unique_ptr<source_reader> real, measurements& to)
      : real_(std::move(real)), to_(to) {}

  result<read_status> read(micros now, step_budget& budget, output& out) override {
    auto first = max_time;
    to_.start.compare_exchange_strong(first, now);
    return real_->read(now, budget, out);
  }

  source_counters counters() const override {
    return real_->counters();
  }

  std::uint32_t partitions() const override {
    return real_->partitions();
  }

  void positions(std::vector<source_position>& to) const override {
    real_->positions(to);
  }

private:
  std::unique_ptr<source_reader> real_;
  measurements& to_;
};

/// Takes rows whose last column is the end of their window.
class window_writer final : public sink_writer {
public:
  explicit window_writer(measurements& to) : to_(to) {}

  result<void> write(const batch_ptr& rows) override {
    const auto now = wall_clock();
    const auto& ends = rows->columns.back();
    std::lock_guard guard(to_.mutex);
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      const auto passed = ends.data<micros>()[ends.at(i)] + watermark_delay - nexmark::base_time;
      // The last windows close when the input ends, before their time.
      if (passed < static_cast<micros>(seconds) * micros_per_second)
        to_.late.push_back(now - to_.start - passed);
    }
    counters_.rows += rows->rows;
    return {};
  }

  std::size_t backlog() const override {
    return 0;
  }

  result<bool> finish() override {
    return true;
  }

  void abandon() override {}

  sink_counters counters() const override {
    return counters_;
  }

private:
  measurements& to_;
  sink_counters counters_;
};

class window_connectors final : public connector_factory {
public:
  explicit window_connectors(measurements& to) : to_(to) {}

  result<std::uint32_t> partitions(const source_definition& source,
                                   const std::string& folder) override {
    return real_->partitions(source, folder);
  }

  result<std::unique_ptr<source_reader>> open_source(const source_definition& source,
                                                     connector_context context) override {
    EBB_ASSIGN(auto real, real_->open_source(source, std::move(context)));
    return std::unique_ptr<source_reader>(std::make_unique<paced_reader>(std::move(real), to_));
  }

  result<std::unique_ptr<sink_writer>> open_sink(const sink_definition&, const schema&,
                                                 connector_context) override {
    return std::unique_ptr<sink_writer>(std::make_unique<window_writer>(to_));
  }

private:
  std::unique_ptr<connector_factory> real_ = make_connectors();
  measurements& to_;
};

struct window_latencies {
  micros p50 = 0, p99 = 0, most = 0;
  std::uint64_t rows = 0;
  std::uint64_t checkpoints = 0;
};

std::optional<window_latencies> run_paced(const std::string& manifest, const std::string& folder) {
  measurements all;
  window_connectors connectors(all);
  const auto options = folder.empty() ? std::optional(run_options{}) : keep_in(folder);
  if (!options)
    return std::nullopt;
  const auto done = run_manifest(manifest, connectors, *options);
  if (!done || all.late.empty())
    return std::nullopt;
  std::sort(all.late.begin(), all.late.end());
  const auto at = [&](std::size_t percent) {
    return all.late[(all.late.size() - 1) * percent / 100];
  };
  return window_latencies{at(50), at(99), all.late.back(), all.late.size(), done->checkpoints};
}

} // namespace

bool measure_window_latency(const settings& how, report& to) {
  nexmark_run run;
  run.sql = nexmark_query("q5");
  const std::string columns = "counts.auction, counts.num";
  run.sql.replace(run.sql.find(columns), columns.size(), columns + ", counts.window_end");
  run.events = events_per_second * seconds;
  run.events_per_second = events_per_second;
  run.rate = events_per_second;
  run.parallelism = how.parallelism;
  const auto manifest = with_checkpoints(nexmark_manifest(run));
  to.line(fmt::format("Latency of windows: q5 at {} events a second for {} s, parallelism {}; from "
                      "the time at which the watermark is due that passes a window's end to the "
                      "sink\n",
                      events_per_second, seconds, run.parallelism));
  const scratch_folder scratch;
  if (scratch.path().empty())
    return false;
  bool good = true;
  for (const bool checkpoints : {false, true}) {
    const auto folder = checkpoints ? scratch.path() + "/data" : std::string();
    const auto got = in_child<window_latencies>([&] { return run_paced(manifest, folder); });
    if (!got) {
      good = false;
      continue;
    }
    const auto& x = got->value;
    const auto ms = [](micros time) { return static_cast<double>(time) / 1000; };
    to.line(fmt::format("{:<28} p50 {:.2f} ms, p99 {:.2f} ms, longest {:.2f} ms ({} rows, {} "
                        "checkpoints, CPU {:.2f} s)",
                        checkpoints ? "with a checkpoint a second" : "without checkpoints",
                        ms(x.p50), ms(x.p99), ms(x.most), x.rows, x.checkpoints,
                        got->cost.cpu_seconds));
    to.add({{"benchmark", "windowLatency"},
            {"query", "q5"},
            {"checkpoints", x.checkpoints},
            {"rows", x.rows},
            {"p50Millis", ms(x.p50)},
            {"p99Millis", ms(x.p99)},
            {"maxMillis", ms(x.most)},
            {"cpuSeconds", got->cost.cpu_seconds}});
  }
  return good;
}

} // namespace ebb::bench
