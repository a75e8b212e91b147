/// Whole streams from scripted parts: source → operator → hash → operator → gather → sink.
#pragma once

#include "actors/runtime/build_stream.hpp"
#include "actors/runtime/run_stream.hpp"
#include "tests/support/scripted.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ebb::test {

/// Gives each subtask of the source its script and every sink the same log.
class scripted_connectors final : public connector_factory {
public:
  result<std::uint32_t> partitions(const source_definition& source, const std::string&) override {
    if (source.name == missing)
      return make_error(ec::not_found, "no such file");
    return 1U;
  }

  result<std::unique_ptr<source_reader>> open_source(const source_definition&,
                                                     connector_context context) override {
    wakes.push_back(context.wake);
    if (opens_source)
      return opens_source(context);
    return std::unique_ptr<source_reader>(
        std::make_unique<scripted_source>(script(context.subtask, context.parallelism)));
  }

  result<std::unique_ptr<sink_writer>> open_sink(const sink_definition& sink, const schema& columns,
                                                 connector_context context) override {
    if (sink.name == unwritable)
      return make_error(ec::io, "permission denied");
    sink_columns = columns;
    wakes.push_back(context.wake);
    auto writer = std::make_unique<logging_sink>(log);
    writer->backlog_ = backlog;
    sink_ = writer.get();
    return std::unique_ptr<sink_writer>(std::move(writer));
  }

  void wake_all() {
    for (const auto& x : wakes)
      x();
  }

  std::function<std::vector<source_action>(std::uint32_t subtask, std::uint32_t parallelism)>
      script;
  std::function<std::unique_ptr<source_reader>(const connector_context&)> opens_source;
  std::string missing;
  std::string unwritable;
  std::size_t backlog = 0;
  sink_log log;
  schema sink_columns;
  logging_sink* sink_ = nullptr;
  std::vector<wake_function> wakes;
};

/// A stream of one source `in`, operators `first` and `second`, and one sink `out`.
inline planned_stream shuffled_stream(std::uint32_t parallelism) {
  planned_stream x;
  x.definition.name = "s";
  x.definition.sources.emplace_back().name = "in";
  x.definition.operators.emplace_back().name = "first";
  x.definition.operators.emplace_back().name = "second";
  x.definition.sinks.emplace_back().name = "out";
  std::vector<plan_column> columns(1);
  columns[0].name = "v";
  columns[0].type = sql_type{type_kind::bigint};
  const auto step = [&](std::string name, auto what, std::vector<step_input> inputs) {
    return stage_step{std::move(name), {}, std::move(what), std::move(inputs), columns};
  };
  auto& stages = x.plan.stages;
  stages.resize(3);
  stages[0].parallelism = parallelism;
  stages[0].steps = {step("in", source_node{0}, {}),
                     step("first", filter_project_spec{}, {{false, 0}})};
  stages[1].parallelism = parallelism;
  stages[1].inputs = {{0, 1, exchange_kind::hash, {0}}};
  stages[1].steps = {step("second", union_all_spec{1}, {{true, 0}})};
  stages[2].parallelism = 1;
  stages[2].inputs = {{1, 0, exchange_kind::gather, {}}};
  stages[2].steps = {step("out", sink_node{0}, {{true, 0}})};
  return x;
}

/// `batches` batches of 100 rows 0, 1, 2, …, dealt out to the source's subtasks.
inline auto counting_script(std::int64_t batches) {
  return [=](std::uint32_t subtask, std::uint32_t parallelism) {
    std::vector<source_action> script;
    for (std::int64_t i = subtask; i < batches; i += parallelism) {
      script.push_back(emit_rows(row_range(i * 100, 100)));
      script.push_back(emit_watermark(i));
    }
    return script;
  };
}

/// `first` and `second` pass everything on.
inline std::unique_ptr<stream_operator> passing(const operator_spec&, const operator_context&) {
  return std::make_unique<passing_operator>();
}

/// Emits batches of 100 rows for ever.
class endless_source final : public source_reader {
public:
  result<read_status> read(micros, step_budget&, output& out) override {
    out.emit(row_range(static_cast<std::int64_t>(counters_.rows), 100));
    counters_.rows += 100;
    return read_status{};
  }

  [[nodiscard]] source_counters counters() const override {
    return counters_;
  }

  [[nodiscard]] std::uint32_t partitions() const override {
    return 1;
  }

private:
  source_counters counters_;
};

} // namespace ebb::test
