/// What operators say of event time to the subtask that they run in, which finds them by a cast.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <optional>

namespace ebb {

/// An operator that keeps rows, or what it makes of them, until the watermark tells it to emit.
class event_timer {
public:
  virtual ~event_timer() = default;
  /// The lowest watermark of its input at which it emits something, or looks whether it has to;
  /// max_time = it keeps nothing.
  [[nodiscard]] virtual micros next_watermark() const noexcept = 0;
};

/// The partition that keeps a source's watermark where it is.
struct watermark_holder {
  std::uint32_t partition = 0; ///< number within the source, whatever the parallelism
  micros watermark = min_time; ///< min_time: it has had no rows with a time
};

/// The operator that assigns a source's watermarks. It is told of partitions by `news_batch`es.
class source_clock {
public:
  virtual ~source_clock() = default;
  /// Processing time at which a partition falls idle if no rows come; max_time = none does.
  [[nodiscard]] virtual micros falls_idle() const noexcept = 0;
  /// Processing time from which on its watermark goes with it though no rows come; min_time = it
  /// does already, or never.
  [[nodiscard]] virtual micros advances_from() const noexcept = 0;
  /// Nothing: not known, or none does.
  [[nodiscard]] virtual std::optional<watermark_holder> holder() const noexcept = 0;
};

} // namespace ebb
