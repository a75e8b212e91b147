/// Numbers about the process in Prometheus' text form.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// Names and values, in the order in which they are shown.
using metric_labels = std::vector<std::pair<std::string, std::string>>;

/// Only grows. Thread-safe, no lock.
class counter {
public:
  void add(std::uint64_t more = 1) noexcept {
    value_.fetch_add(more, std::memory_order_relaxed);
  }

  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// Thread-safe, no lock.
class gauge {
public:
  void set(double value) noexcept {
    value_.store(value, std::memory_order_relaxed);
  }

  void add(double more) noexcept {
    value_.fetch_add(more, std::memory_order_relaxed);
  }

  [[nodiscard]] double value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<double> value_ = 0;
};

/// Counts observations by upper bound. Thread-safe, no lock; a reader may see an observation in its
/// bucket before it is in the sum.
class histogram {
public:
  /// `bounds` grow; what is above the last is counted as well.
  explicit histogram(std::vector<double> bounds);

  void observe(double value) noexcept;

  struct reading {
    std::vector<std::uint64_t> counts; ///< up to each bound, cumulated; the last is all
    double sum = 0;
  };

  [[nodiscard]] reading read() const;

  [[nodiscard]] const std::vector<double>& bounds() const noexcept {
    return bounds_;
  }

private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_ = 0;
};

/// 0.5 ms to 30 s: for times of requests.
[[nodiscard]] const std::vector<double>& latency_bounds();

/// Owns what it hands out: references stay good as long as the registry lives. Asking again with
/// the same name and labels gives the same metric. Names are `ebb_…` with their unit last
/// (`_seconds`, `_bytes`; counters `_total`); a wrong name, or one that had another kind or help,
/// is a bug and stops the process. Thread-safe.
class metrics_registry {
public:
  counter& make_counter(std::string_view name, std::string_view help,
                        const metric_labels& labels = {});
  gauge& make_gauge(std::string_view name, std::string_view help, const metric_labels& labels = {});
  histogram& make_histogram(std::string_view name, std::string_view help,
                            const metric_labels& labels, const std::vector<double>& bounds);

  /// What labels of one gauge are now: removes those that `sample` does not name, for things that
  /// come and go, such as streams. `sample` is called by text(), on its thread.
  using samples = std::vector<std::pair<metric_labels, double>>;
  void sample_gauge(std::string_view name, std::string_view help, std::function<samples()> sample);

  /// Prometheus' text format 0.0.4, families by name.
  [[nodiscard]] std::string text() const;

private:
  enum class kind : std::uint8_t { counting, level, distribution, sampled };

  struct family {
    kind what = kind::counting;
    std::string help;
    std::map<std::string, counter> counters; ///< by rendered labels
    std::map<std::string, gauge> gauges;
    std::map<std::string, histogram> histograms;
    std::function<samples()> sample;
  };

  family& family_of(std::string_view name, std::string_view help, kind what);

  mutable std::mutex mutex_;
  std::map<std::string, family, std::less<>> families_;
};

} // namespace ebb
