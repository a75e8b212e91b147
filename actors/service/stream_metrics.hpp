/// Numbers about streams for /metrics.
#pragma once

#include "actors/gateway/metrics.hpp"
#include "actors/service/keeper/stream_slot.hpp"

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace ebb {

/// Of streams that sleep only how many there are. Thread-safe.
class stream_metrics {
public:
  /// `registry` and `clock` outlive it, and it outlives the last call of registry.text().
  stream_metrics(metrics_registry& registry, std::function<micros()> clock);

  /// How the stream is now; `x.shown` is what it was the last time.
  void seen(const stream_slot& x);
  void gone(const stream_slot& x);
  void woke(const wake_trace& x);
  /// A phase of a checkpoint is over.
  void checkpointed(const char* phase, micros took);

private:
  struct awake_stream {
    metric_labels labels; ///< namespace, stream
    stream_status status;
  };

  static constexpr std::size_t phases = 6;

  void sample(const char* name, const char* help,
              std::function<void(const awake_stream&, metrics_registry::samples&)> put);
  void sample_streams();

  metrics_registry& registry_;
  std::function<micros()> clock_;
  std::mutex mutex_; ///< guards what follows
  std::array<std::uint64_t, phases> counts_{};
  std::unordered_map<std::string, awake_stream> awake_;
};

} // namespace ebb
