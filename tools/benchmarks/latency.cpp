// How long a row takes from the moment at which its event is due to the sink.

#include "actors/connectors/factory.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/run_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ebb::bench {

namespace {

constexpr std::uint64_t events_per_second = 500'000;
constexpr std::uint64_t seconds = 5;
constexpr std::uint32_t subtasks_max = 128;
constexpr micros warm_up = 1'000'000;
/// Histogram: a bucket a microsecond; longer ones count as the last.
constexpr std::size_t buckets = 2'000'000;

/// When each subtask's source began its pace. A subtask's source and sink run in one thread at a
/// time: q1 has no exchange.
using starts = std::array<micros, subtasks_max>;

class timed_reader final : public source_reader {
public:
  timed_reader(std::unique_ptr<source_reader> real, micros& start)
      : real_(std::move(real)), start_(start) {}

  result<read_status> read(micros now, step_budget& budget, output& out) override {
    if (start_ == 0)
      start_ = now;
    return real_->read(now, budget, out);
  }

  source_counters counters() const override {
    return real_->counters();
  }

  std::uint32_t partitions() const override {
    return real_->partitions();
  }

private:
  std::unique_ptr<source_reader> real_;
  micros& start_;
};

/// Takes the rows as `discard` with `hash` does, then looks at the clock.
class timed_writer final : public sink_writer {
public:
  timed_writer(std::unique_ptr<sink_writer> real, const micros& start,
               std::vector<std::uint32_t>& histogram)
      : real_(std::move(real)), start_(start), histogram_(histogram) {
    histogram_.assign(buckets, 0);
  }

  result<void> write(const batch_ptr& rows) override {
    EBB_TRY(real_->write(rows));
    const auto now = wall_clock();
    const auto* offsets = rows->origin.rows ? rows->origin.rows.as<const std::uint32_t>() : nullptr;
    for (std::uint32_t i = 0; i < rows->rows; ++i) {
      const auto event = rows->origin.first + (offsets == nullptr ? i : offsets[i]);
      const auto due = static_cast<micros>((event + 1) * 1'000'000 / events_per_second);
      if (due < warm_up)
        continue;
      const auto late = std::max<micros>(0, now - start_ - due);
      ++histogram_[std::min(static_cast<std::size_t>(late), buckets - 1)];
    }
    return {};
  }

  std::size_t backlog() const override {
    return real_->backlog();
  }

  result<bool> finish() override {
    return real_->finish();
  }

  void abandon() override {
    real_->abandon();
  }

  sink_counters counters() const override {
    return real_->counters();
  }

private:
  std::unique_ptr<sink_writer> real_;
  const micros& start_;
  std::vector<std::uint32_t>& histogram_;
};

class timed_connectors final : public connector_factory {
public:
  result<std::uint32_t> partitions(const source_definition& source,
                                   const std::string& folder) override {
    return real_->partitions(source, folder);
  }

  result<std::unique_ptr<source_reader>> open_source(const source_definition& source,
                                                     connector_context context) override {
    auto& start = starts_[context.subtask];
    EBB_ASSIGN(auto real, real_->open_source(source, std::move(context)));
    return std::unique_ptr<source_reader>(std::make_unique<timed_reader>(std::move(real), start));
  }

  result<std::unique_ptr<sink_writer>> open_sink(const sink_definition& sink, const schema& columns,
                                                 connector_context context) override {
    const auto subtask = context.subtask;
    EBB_ASSIGN(auto real, real_->open_sink(sink, columns, std::move(context)));
    return std::unique_ptr<sink_writer>(
        std::make_unique<timed_writer>(std::move(real), starts_[subtask], histograms_[subtask]));
  }

  /// Microseconds that the given share of the rows did not exceed.
  [[nodiscard]] micros percentile(double share) const {
    std::uint64_t all = 0;
    for (const auto& x : histograms_)
      for (const auto count : x)
        all += count;
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(all));
    std::uint64_t seen = 0;
    for (std::size_t k = 0; k < buckets; ++k) {
      for (const auto& x : histograms_)
        seen += x.empty() ? 0 : x[k];
      if (seen > wanted || seen == all)
        return static_cast<micros>(k);
    }
    return static_cast<micros>(buckets);
  }

private:
  std::unique_ptr<connector_factory> real_ = make_connectors();
  starts starts_{};
  std::array<std::vector<std::uint32_t>, subtasks_max> histograms_;
};

struct latencies {
  micros p50 = 0, p99 = 0, p999 = 0, most = 0;
  std::uint64_t rows = 0;
  double wall_seconds = 0;
};

std::optional<latencies> run_paced(const nexmark_run& run) {
  timed_connectors connectors;
  const auto done = run_manifest(nexmark_manifest(run), connectors);
  if (!done)
    return std::nullopt;
  return latencies{connectors.percentile(0.5),
                   connectors.percentile(0.99),
                   connectors.percentile(0.999),
                   connectors.percentile(1),
                   done->rows_out,
                   done->wall_seconds};
}

} // namespace

bool measure_latency(const settings& how, report& to) {
  nexmark_run run;
  run.sql = nexmark_query("q1");
  run.events = events_per_second * seconds;
  run.events_per_second = events_per_second;
  run.rate = events_per_second;
  run.parallelism = std::min(how.parallelism, subtasks_max);
  to.line(fmt::format("Latency: q1 at {} events a second for {} s, parallelism {}; from the time "
                      "at which a bid is due to after the sink has hashed it, first second left "
                      "out\n",
                      events_per_second, seconds, run.parallelism));
  const auto got = in_child<latencies>([&] { return run_paced(run); });
  if (!got)
    return false;
  const auto& x = got->value;
  const auto ms = [](micros time) { return static_cast<double>(time) / 1000; };
  to.line(fmt::format("p50 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, longest {:.2f} ms ({} rows, "
                      "{:.2f} s, CPU {:.2f} s)",
                      ms(x.p50), ms(x.p99), ms(x.p999), ms(x.most), x.rows, x.wall_seconds,
                      got->cost.cpu_seconds));
  to.add({{"benchmark", "latency"},
          {"query", "q1"},
          {"eventsPerSecond", events_per_second},
          {"parallelism", run.parallelism},
          {"rows", x.rows},
          {"p50Millis", ms(x.p50)},
          {"p99Millis", ms(x.p99)},
          {"p999Millis", ms(x.p999)},
          {"maxMillis", ms(x.most)},
          {"cpuSeconds", got->cost.cpu_seconds}});
  return true;
}

} // namespace ebb::bench
