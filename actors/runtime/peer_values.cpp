// Values of the runtime as messages between parts, and back.
#include "actors/runtime/recorded_values.hpp"
#include "actors/runtime/stream_peers.hpp"

#include <algorithm>

namespace ebb {

namespace {

// What peer_stats::counters holds: of the subtask, then of each step.
constexpr std::size_t counters_before = 6;
constexpr std::size_t counters_a_step = 13;

std::uint64_t bits(micros x) noexcept {
  return static_cast<std::uint64_t>(x);
}

micros time_of(std::uint64_t x) noexcept {
  return static_cast<micros>(x);
}

} // namespace

peer_stats to_peer_stats(std::uint32_t subtask, const stats_board::entry& x) {
  peer_stats result{subtask, x.watermark, x.next_time, {}};
  auto& to = result.counters;
  to.reserve(counters_before + x.steps.size() * counters_a_step);
  to = {x.flow.batches,         bits(x.flow.blocked), bits(x.flow.first_in),
        bits(x.flow.first_out), bits(x.windows),      bits(x.advances_from)};
  for (const auto& s : x.steps) {
    const auto held = s.held.value_or(watermark_holder{});
    for (const auto value :
         {s.rows.rows_in, s.rows.rows_out, s.rows.late_rows, s.rows.state_bytes, s.source.rows,
          s.source.bytes, s.source.bad_rows, s.sink.rows, s.sink.bytes, s.sink.hash,
          std::uint64_t{s.held.has_value()}, std::uint64_t{held.partition}, bits(held.watermark)})
      to.push_back(value);
  }
  return result;
}

stats_board::entry from_peer_stats(const peer_stats& x) {
  stats_board::entry result;
  result.watermark = x.watermark;
  result.next_time = x.next_time;
  if (x.counters.size() < counters_before)
    return result;
  const auto* c = x.counters.data();
  result.flow = {c[0], time_of(c[1]), time_of(c[2]), time_of(c[3])};
  result.windows = time_of(c[4]);
  result.advances_from = time_of(c[5]);
  for (auto i = counters_before; i + counters_a_step <= x.counters.size(); i += counters_a_step) {
    c = x.counters.data() + i;
    step_stats s;
    s.rows.rows_in = c[0];
    s.rows.rows_out = c[1];
    s.rows.late_rows = c[2];
    s.rows.state_bytes = c[3];
    s.source = {c[4], c[5], c[6]};
    s.sink = {c[7], c[8], c[9]};
    if (c[10] != 0)
      s.held = watermark_holder{static_cast<std::uint32_t>(c[11]), time_of(c[12])};
    result.steps.push_back(s);
  }
  return result;
}

peer_written to_peer_written(epoch_number epoch, const written_part& x) {
  peer_written result;
  result.part.epoch = epoch;
  result.watermark = x.watermark;
  result.aligned = x.when.aligned;
  result.made = x.when.made;
  if (x.segment)
    result.part.segments.push_back(*x.segment);
  for (const auto& source : x.sources) {
    result.sources.push_back(
        {source.source, source.ended, static_cast<std::uint32_t>(source.positions.size())});
    for (const auto& p : source.positions)
      result.part.positions.push_back(to_recorded(source.source, p));
  }
  for (const auto& sink : x.sinks)
    result.part.outputs.push_back(to_recorded(sink.sink, sink.epoch, sink.output));
  return result;
}

written_part from_peer_written(const peer_written& x) {
  written_part result;
  result.watermark = x.watermark;
  result.when = {x.aligned, x.made};
  if (!x.part.segments.empty())
    result.segment = x.part.segments.front();
  std::size_t next = 0;
  for (const auto& source : x.sources) {
    auto& made = result.sources.emplace_back();
    made.source = source.name;
    made.ended = source.ended;
    const auto end = std::min(x.part.positions.size(), next + source.positions);
    for (; next < end; ++next)
      made.positions.push_back(to_position(x.part.positions[next]));
  }
  for (const auto& y : x.part.outputs)
    result.sinks.push_back({y.sink, y.epoch, to_output(y)});
  return result;
}

} // namespace ebb
