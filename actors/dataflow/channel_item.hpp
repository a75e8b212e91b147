/// What travels, in order, through a channel from one subtask to another.
#pragma once

#include "schemas/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ebb {

/// Number of a checkpoint attempt of a stream; never given out twice. 0 = none.
using epoch_number = std::uint64_t;

enum class channel_signal : std::uint8_t {
  batch,
  watermark, ///< `time`
  idle,      ///< the sender holds no watermark back until its next item
  barrier,   ///< `epoch`: what came before belongs to that checkpoint
  end,       ///< the input has ended; its watermark has gone to max_time before
  stop,      ///< no more items, though the input has not ended: the stream was interrupted
};

/// A value type. Only batches cost credit.
struct channel_item {
  channel_signal what = channel_signal::batch;
  micros time = min_time; ///< watermark
  batch_ptr rows;         ///< batch
  std::size_t bytes = 0;  ///< batch: credit that it costs until the receiver has taken it
  epoch_number epoch = 0; ///< barrier

  [[nodiscard]] static channel_item of(batch_ptr rows, std::size_t bytes) {
    return {channel_signal::batch, min_time, std::move(rows), bytes};
  }

  [[nodiscard]] static channel_item of(channel_signal what, micros time = min_time) {
    return {what, time, nullptr, 0};
  }

  [[nodiscard]] static channel_item barrier(epoch_number epoch) {
    return {channel_signal::barrier, min_time, nullptr, 0, epoch};
  }
};

} // namespace ebb
