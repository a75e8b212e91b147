#include "actors/runtime/stream_report.hpp"

#include "actors/runtime/build_stream.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// Counters of one step, added up over its subtasks.
step_stats sum_of(const std::vector<stats_board::entry>& entries, std::uint32_t first,
                  std::uint32_t count, std::size_t step) {
  step_stats total;
  for (std::uint32_t i = first; i < first + count; ++i) {
    if (entries[i].steps.empty())
      continue;
    const auto& x = entries[i].steps[step];
    total.rows.rows_in += x.rows.rows_in;
    total.rows.rows_out += x.rows.rows_out;
    total.rows.late_rows += x.rows.late_rows;
    total.rows.state_bytes += x.rows.state_bytes;
    total.source.rows += x.source.rows;
    total.source.bytes += x.source.bytes;
    total.source.bad_rows += x.source.bad_rows;
    total.sink.rows += x.sink.rows;
    total.sink.bytes += x.sink.bytes;
    total.sink.hash += x.sink.hash;
  }
  return total;
}

const source_node* source_before(const stage_plan& plan, const stage& at, const stage_step& step) {
  return step.inputs.size() == 1
             ? std::get_if<source_node>(&step_before(plan, at, step.inputs.front()).what)
             : nullptr;
}

void note_held(source_report& source, const std::optional<watermark_holder>& x) {
  if (x && (!source.held || x->watermark < source.held->watermark))
    source.held = x;
}

void add_operator(stream_report& report, const stage_plan& plan, const stage& at,
                  const stage_step& step, const operator_counters& rows) {
  const auto found = std::find_if(report.operators.begin(), report.operators.end(),
                                  [&](const auto& x) { return x.name == step.name; });
  // Steps that no operator of the manifest stands for (a source's watermarks) are not shown.
  if (found == report.operators.end())
    return;
  const bool enters = std::any_of(step.inputs.begin(), step.inputs.end(), [&](const auto& x) {
    return step_before(plan, at, x).name != step.name;
  });
  if (enters)
    found->rows_in += rows.rows_in;
  // Steps come in topological order: the last one stays.
  found->rows_out = rows.rows_out;
  found->late_rows += rows.late_rows;
  found->state_bytes += rows.state_bytes;
}

micros earlier(micros a, micros b) {
  return a == 0 || (b != 0 && b < a) ? b : a;
}

void add_flow(stream_report& to, const flow_counters& x) {
  to.batches += x.batches;
  to.blocked += x.blocked;
  to.first_in = earlier(to.first_in, x.first_in);
  to.first_out = earlier(to.first_out, x.first_out);
}

} // namespace

stream_report report_of(const stage_plan& plan, const stream_definition& stream,
                        std::span<const std::shared_ptr<stats_board>> boards) {
  stream_report report;
  report.name = stream.name;
  for (const auto& x : stream.sources)
    report.sources.push_back({x.name});
  for (const auto& x : stream.operators)
    report.operators.push_back({x.name});
  for (const auto& x : stream.sinks)
    report.sinks.push_back({x.name});
  std::vector<stats_board::entry> entries;
  for (const auto& x : boards)
    entries.push_back(x->read());

  report.watermark = max_time;
  report.advances = stream.sleep.advance;
  micros windows = max_time;
  micros advances_from = min_time;
  const auto first = first_subtasks(plan);
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    const auto& at = plan.stages[s];
    for (auto i = first[s]; i < first[s + 1]; ++i) {
      report.watermark = std::min(report.watermark, entries[i].watermark);
      report.next_time = std::min(report.next_time, entries[i].next_time);
      windows = std::min(windows, entries[i].windows);
      advances_from = std::max(advances_from, entries[i].advances_from);
      add_flow(report, entries[i].flow);
    }
    for (std::size_t k = 0; k < at.steps.size(); ++k) {
      const auto total = sum_of(entries, first[s], at.parallelism, k);
      if (const auto* source = std::get_if<source_node>(&at.steps[k].what)) {
        auto& x = report.sources[source->source];
        x.rows += total.source.rows;
        x.bytes += total.source.bytes;
        x.bad_rows += total.source.bad_rows;
      } else if (const auto* sink = std::get_if<sink_node>(&at.steps[k].what)) {
        auto& x = report.sinks[sink->sink];
        x.rows += total.sink.rows;
        x.bytes += total.sink.bytes;
        x.hash += total.sink.hash;
      } else {
        add_operator(report, plan, at, at.steps[k], total.rows);
        if (const auto* from = source_before(plan, at, at.steps[k]))
          for (auto i = first[s]; i < first[s + 1]; ++i)
            if (k < entries[i].steps.size())
              note_held(report.sources[from->source], entries[i].steps[k].held);
      }
    }
  }
  if (windows != max_time)
    report.next_time = std::min(report.next_time, std::max(windows, advances_from));
  return report;
}

std::string held_back_by(const stream_report& x) {
  const source_report* slowest = nullptr;
  for (const auto& source : x.sources)
    if (source.held && (slowest == nullptr || source.held->watermark < slowest->held->watermark))
      slowest = &source;
  if (slowest == nullptr)
    return {};
  auto text =
      "partition " + std::to_string(slowest->held->partition) + " of source " + slowest->name;
  if (slowest->held->watermark == min_time)
    text += ", which has had no rows (eventTime.idleAfter would let the others go on)";
  return text;
}

std::uint64_t activity_of(const stream_report& x) {
  std::uint64_t sum = 0;
  for (const auto& y : x.sources)
    sum += y.rows + y.bad_rows;
  for (const auto& y : x.operators)
    sum += y.rows_in + y.rows_out;
  for (const auto& y : x.sinks)
    sum += y.rows;
  return sum * 31 + (x.advances ? 0 : static_cast<std::uint64_t>(x.watermark));
}

} // namespace ebb
