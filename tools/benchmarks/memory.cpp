// Operators alone: one subtask over batches that are in memory already, without actors.

#include "actors/connectors/factory.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/build_stream.hpp"
#include "actors/runtime/io_pool.hpp"
#include "tools/benchmarks/benchmarks.hpp"
#include "tools/benchmarks/child.hpp"
#include "tools/benchmarks/collector.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb::bench {

namespace {

constexpr std::uint64_t events_max = 4'400'000; // 4 M bids, 320 MB of columns

// Gives batches that were made before.
class replay_reader final : public source_reader {
public:
  explicit replay_reader(const std::vector<batch_ptr>& batches) : batches_(batches) {}

  result<read_status> read(micros, step_budget& budget, output& out) override {
    while (budget.rows != 0 && next_ != batches_.size()) {
      const auto& rows = batches_[next_++];
      counters_.rows += rows->rows;
      budget.rows -= std::min(budget.rows, rows->rows);
      out.emit(rows);
    }
    return read_status{next_ == batches_.size() ? read_status::kind::finished
                                                : read_status::kind::more};
  }

  source_counters counters() const override {
    return counters_;
  }

  std::uint32_t partitions() const override {
    return 1;
  }

private:
  const std::vector<batch_ptr>& batches_;
  std::size_t next_ = 0;
  source_counters counters_;
};

class replay_connectors final : public connector_factory {
public:
  result<std::uint32_t> partitions(const source_definition&, const std::string&) override {
    return 1U;
  }

  result<std::unique_ptr<source_reader>> open_source(const source_definition& source,
                                                     connector_context context) override {
    if (batches_.empty()) {
      EBB_ASSIGN(const auto made, real_->open_source(source, std::move(context)));
      collector all;
      for (bool more = true; more;) {
        step_budget budget;
        EBB_ASSIGN(const auto status, made->read(0, budget, all));
        more = status.what == read_status::kind::more;
      }
      batches_ = std::move(all.batches);
    }
    return std::unique_ptr<source_reader>(std::make_unique<replay_reader>(batches_));
  }

  result<std::unique_ptr<sink_writer>> open_sink(const sink_definition& sink, const schema& columns,
                                                 connector_context context) override {
    return real_->open_sink(sink, columns, std::move(context));
  }

private:
  std::unique_ptr<connector_factory> real_ = make_connectors();
  std::vector<batch_ptr> batches_;
};

struct replayed {
  std::uint64_t rows = 0;
  double seconds = 0;      ///< CPU, the sink taking every column
  double hash_seconds = 0; ///< CPU, the sink hashing every value, too
  std::uint64_t hash = 0;
  std::uint64_t made_hash = 0; ///< of the same query with the generator inside
};

// The only subtask of a plan, worked on by this thread.
result<double> work_through(const stream_definition& stream, connector_factory& connectors,
                            sink_counters& sink, std::uint64_t& rows) {
  EBB_ASSIGN(const auto graph, plan_stream(stream));
  EBB_ASSIGN(const auto plan, make_stages(graph, stream));
  inline_executor io;
  stream_environment environment;
  environment.make = make_operator;
  environment.io = &io;
  EBB_ASSIGN(auto setup, build_stream(plan, stream, connectors, environment));
  if (setup.subtasks.size() != 1)
    return make_error(ec::internal, "the plan has several stages");
  auto& task = *setup.subtasks.front().task;
  const auto start = thread_cpu_seconds();
  for (auto state = work_state::ready; state != work_state::finished;) {
    EBB_ASSIGN(state, task.work(0));
    if (state == work_state::waiting || state == work_state::blocked)
      return make_error(ec::internal, "the stream stands still");
  }
  const auto seconds = thread_cpu_seconds() - start;
  for (const auto& step : task.stats()) {
    sink.rows += step.sink.rows;
    sink.hash += step.sink.hash;
    rows += step.source.rows;
  }
  return seconds;
}

std::optional<replayed> replay(nexmark_run run, std::uint32_t runs) {
  replay_connectors connectors;
  replayed outcome;
  const auto made = run_manifest(nexmark_manifest(run));
  if (!made)
    return std::nullopt;
  outcome.made_hash = made->hash;
  const auto median = [&](const char* sink) -> std::optional<double> {
    run.sinks = {sink};
    const auto stream = first_stream(nexmark_manifest(run));
    std::vector<double> all;
    for (std::uint32_t i = 0; stream && i < runs; ++i) {
      sink_counters counted;
      outcome.rows = 0;
      const auto seconds = work_through(*stream, connectors, counted, outcome.rows);
      if (!seconds) {
        cli::print_error(seconds.error());
        return std::nullopt;
      }
      all.push_back(*seconds);
      outcome.hash = counted.hash;
    }
    std::sort(all.begin(), all.end());
    return all.empty() ? std::nullopt : std::optional(all[all.size() / 2]);
  };
  const auto plain = median("discard: {}");
  const auto hashed = median("discard: {hash: true}");
  if (!plain || !hashed)
    return std::nullopt;
  outcome.seconds = *plain;
  outcome.hash_seconds = *hashed;
  return outcome;
}

} // namespace

bool measure_memory(const settings& how, report& to) {
  nexmark_run run;
  run.events = std::min(how.events, events_max);
  const auto runs = std::max(how.runs, 5U);
  to.line(
      fmt::format("In memory: operators on one core over bids of {} events; CPU seconds, median "
                  "of {} runs\n",
                  run.events, runs));
  to.line(fmt::format("{:<6} {:>10} {:>14} {:>24}  {}", "query", "bids", "M rows/s",
                      "M rows/s, values hashed", "hash of the result"));
  bool good = true;
  for (const char* name : {"q1", "q2", "q5", "q7"}) {
    run.sql = nexmark_query(name);
    const auto got = in_child<replayed>([&] { return replay(run, runs); });
    if (!got) {
      good = false;
      continue;
    }
    const auto& x = got->value;
    const auto rate = [&](double seconds) { return static_cast<double>(x.rows) / seconds / 1e6; };
    const bool equal = x.hash == x.made_hash;
    good &= equal;
    to.line(fmt::format("{:<6} {:>10} {:>14.1f} {:>24.1f}  {:016x}, {} with the generator inside",
                        name, x.rows, rate(x.seconds), rate(x.hash_seconds), x.hash,
                        equal ? "as" : "NOT as"));
    to.add({{"benchmark", "memory"},
            {"query", name},
            {"rows", x.rows},
            {"cpuSeconds", x.seconds},
            {"millionRowsPerSecond", rate(x.seconds)},
            {"millionRowsPerSecondHashed", rate(x.hash_seconds)},
            {"hash", fmt::format("{:016x}", x.hash)},
            {"equal", equal}});
  }
  return good;
}

} // namespace ebb::bench
