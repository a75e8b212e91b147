#include "actors/service/stream_metrics.hpp"

#include "actors/service/apply_plan.hpp"

#include <utility>

namespace ebb {

namespace {

using samples = metrics_registry::samples;

metric_labels with(metric_labels labels, const char* name, const std::string& value) {
  labels.emplace_back(name, value);
  return labels;
}

double seconds(micros x) {
  return static_cast<double>(x) / micros_per_second;
}

} // namespace

stream_metrics::stream_metrics(metrics_registry& registry, std::function<micros()> clock)
    : registry_(registry), clock_(std::move(clock)) {
  registry_.sample_gauge("ebb_streams", "Streams, by phase", [this] {
    samples all;
    std::lock_guard guard(mutex_);
    for (std::size_t i = 0; i < phases; ++i)
      all.push_back({{{"phase", to_string(static_cast<lifecycle_phase>(i))}},
                     static_cast<double>(counts_[i])});
    return all;
  });
  sample_streams();
}

void stream_metrics::sample(const char* name, const char* help,
                            std::function<void(const awake_stream&, samples&)> put) {
  registry_.sample_gauge(name, help, [this, put = std::move(put)] {
    samples all;
    std::lock_guard guard(mutex_);
    for (const auto& [uid, x] : awake_)
      put(x, all);
    return all;
  });
}

void stream_metrics::sample_streams() {
  sample("ebb_stream_source_rows", "Rows that a source has read since the stream was started",
         [](const awake_stream& x, samples& to) {
           for (const auto& y : x.status.sources)
             to.push_back({with(x.labels, "source", y.name), static_cast<double>(y.rows)});
         });
  sample("ebb_stream_source_bytes", "Bytes that a source has read since the stream was started",
         [](const awake_stream& x, samples& to) {
           for (const auto& y : x.status.sources)
             to.push_back({with(x.labels, "source", y.name), static_cast<double>(y.bytes)});
         });
  sample("ebb_stream_operator_rows", "Rows that an operator has made since the stream was started",
         [](const awake_stream& x, samples& to) {
           for (const auto& y : x.status.operators)
             to.push_back({with(x.labels, "operator", y.name), static_cast<double>(y.rows_out)});
         });
  sample("ebb_stream_late_rows", "Rows that came too late since the stream was started",
         [](const awake_stream& x, samples& to) {
           for (const auto& y : x.status.operators)
             to.push_back({with(x.labels, "operator", y.name), static_cast<double>(y.late_rows)});
         });
  sample("ebb_stream_sink_rows", "Rows that a sink has written since the stream was started",
         [](const awake_stream& x, samples& to) {
           for (const auto& y : x.status.sinks)
             to.push_back({with(x.labels, "sink", y.name), static_cast<double>(y.rows)});
         });
  sample("ebb_stream_sink_bytes", "Bytes that a sink has written since the stream was started",
         [](const awake_stream& x, samples& to) {
           for (const auto& y : x.status.sinks)
             to.push_back({with(x.labels, "sink", y.name), static_cast<double>(y.bytes)});
         });
  sample("ebb_stream_batches",
         "Batches that the subtasks of a stream have passed to each other since it was started",
         [](const awake_stream& x, samples& to) {
           to.push_back({x.labels, static_cast<double>(x.status.batches)});
         });
  sample(
      "ebb_stream_credit_blocked_seconds",
      "Time that the subtasks of a stream, all together, have waited for credit or for slow sinks "
      "since it was started",
      [](const awake_stream& x, samples& to) {
        to.push_back({x.labels, seconds(x.status.blocked)});
      });
  sample("ebb_stream_state_bytes", "Bytes of state in memory",
         [](const awake_stream& x, samples& to) {
           to.push_back({x.labels, static_cast<double>(x.status.state_bytes)});
         });
  sample("ebb_stream_checkpoints", "Checkpoints since the stream was started, by result",
         [](const awake_stream& x, samples& to) {
           to.push_back({with(x.labels, "result", "completed"),
                         static_cast<double>(x.status.checkpoints.completed)});
           to.push_back({with(x.labels, "result", "failed"),
                         static_cast<double>(x.status.checkpoints.failed)});
         });
  sample("ebb_stream_checkpoint_longest_seconds", "Longest checkpoint since the stream was started",
         [](const awake_stream& x, samples& to) {
           to.push_back({x.labels, seconds(x.status.checkpoints.longest)});
         });
  sample("ebb_stream_watermark_lag_seconds", "How far the watermark is behind the clock",
         [this](const awake_stream& x, samples& to) {
           if (x.status.watermark != min_time && x.status.watermark != max_time)
             to.push_back({x.labels, seconds(clock_() - x.status.watermark)});
         });
}

void stream_metrics::seen(const stream_slot& x) {
  std::lock_guard guard(mutex_);
  const auto phase = x.life.phase();
  if (x.shown)
    --counts_[static_cast<std::size_t>(*x.shown)];
  ++counts_[static_cast<std::size_t>(phase)];
  if (phase == lifecycle_phase::asleep || !x.awake || !x.awake->status) {
    awake_.erase(x.uid);
    return;
  }
  auto& entry = awake_[x.uid];
  if (entry.labels.empty()) {
    const auto name = split(x.name);
    entry.labels = {{"namespace", name.name_space}, {"stream", name.name}};
  }
  entry.status = *x.awake->status;
}

void stream_metrics::gone(const stream_slot& x) {
  std::lock_guard guard(mutex_);
  awake_.erase(x.uid);
  if (x.shown)
    --counts_[static_cast<std::size_t>(*x.shown)];
}

void stream_metrics::checkpointed(const char* phase, micros took) {
  registry_
      .make_histogram("ebb_checkpoint_seconds",
                      "Time that phases of checkpoints took, of all streams together",
                      {{"phase", phase}}, latency_bounds())
      .observe(seconds(took));
}

void stream_metrics::woke(const wake_trace& x) {
  const metric_labels cause{{"cause", to_string(x.cause)}};
  registry_.make_counter("ebb_wakes_total", "Wakes, by cause", cause).add();
  const auto observe = [&](const char* phase, micros at) {
    if (at != 0)
      registry_
          .make_histogram("ebb_wake_seconds", "Time from the trigger of a wake to its phases",
                          with(cause, "phase", phase), latency_bounds())
          .observe(seconds(at - x.trigger));
  };
  observe("decide", x.decide);
  observe("grant", x.grant);
  observe("place", x.place);
  observe("start", x.start);
  observe("map", x.map);
  observe("firstRecord", x.first_record);
  observe("firstOutput", x.first_output);
}

} // namespace ebb
