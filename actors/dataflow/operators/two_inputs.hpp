/// What every join does with its inputs' watermarks.
#pragma once

#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/watermark_merge.hpp"

#include <algorithm>

namespace ebb {

/// Merged watermark of two inputs, and what of it went on.
class two_inputs {
public:
  /// Takes a watermark, idle or end item.
  void take(const stream_item& item) {
    if (item.kind == item_kind::watermark)
      merge_.advance(item.input, item.time);
    else if (item.kind == item_kind::idle)
      merge_.idle(item.input);
    else if (item.kind == item_kind::end)
      merge_.advance(item.input, max_time);
    idle_due_ = item.kind == item_kind::idle && merge_.all_idle();
  }

  void rows(const stream_item& item) {
    merge_.rows(item.input);
  }

  /// What had been merged before a restart: it does not go back.
  void restore(micros merged) noexcept {
    restored_ = merged;
  }

  [[nodiscard]] micros merged() const noexcept {
    return std::max(merge_.merged(), restored_);
  }

  /// Bound on the effective watermark of the item's rows from the other channels and input.
  [[nodiscard]] micros bound(const stream_item& item) const noexcept {
    return std::min(item.other_channels, merge_.others(item.input));
  }

  /// Effective watermark of row i: what its own partition, the other channels and the other input
  /// have promised, and never less than what has been acted on.
  [[nodiscard]] micros effective(const batch& rows, std::uint32_t i, micros bound) const noexcept {
    if (!rows.watermarks)
      return merged();
    return std::max(merged(), std::min(rows.watermarks.as<const micros>()[i], bound));
  }

  /// Passes the watermark on where it is new, then idleness. Called when the work is done that the
  /// watermark waits for.
  void pass_on(micros watermark, output& out) {
    if (watermark > sent_) {
      sent_ = watermark;
      out.advance(watermark);
    }
    if (idle_due_)
      out.idle();
    idle_due_ = false;
  }

private:
  watermark_merge merge_{2};
  micros restored_ = min_time;
  micros sent_ = min_time;
  bool idle_due_ = false;
};

} // namespace ebb
