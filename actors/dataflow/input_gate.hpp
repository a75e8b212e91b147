/// Where the channels of one stage input come together.
#pragma once

#include "actors/dataflow/channel_item.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/watermark_merge.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace ebb {

/// Queues what arrives and turns it into the items of one operator input. Credit bounds the queue:
/// what is taken is to be returned to its sender. Order is kept per channel.
class input_gate {
public:
  /// Credit to be returned.
  struct taken {
    std::uint32_t channel = 0;
    std::size_t bytes = 0;
    epoch_number barrier = 0; ///< the arrival was this barrier
    bool last = false;        ///< the arrival was the channel's last item
  };

  explicit input_gate(std::uint32_t channels);

  /// No partition lies behind this channel, so no row comes on it: it holds no watermark back. Before
  /// the first arrival, and not for the last channel that is left.
  void without_rows(std::uint32_t channel);

  void push(std::uint32_t channel, channel_item item);

  [[nodiscard]] bool empty() const noexcept {
    return waiting_.empty();
  }

  [[nodiscard]] std::size_t queued_bytes() const noexcept {
    return queued_bytes_;
  }

  /// What came and comes on the channel waits until `release`.
  void hold(std::uint32_t channel);
  /// All held channels go on.
  void release();

  /// Takes the oldest arrival and appends what it means for the operator (`input` is left 0).
  taken take(std::vector<stream_item>& out);

  /// Every channel has ended or stopped and nothing is queued.
  [[nodiscard]] bool closed() const noexcept {
    return open_ == 0 && waiting_.empty() && held_.empty();
  }

  /// Some channel was stopped before its end.
  [[nodiscard]] bool stopped() const noexcept {
    return stopped_;
  }

private:
  struct arrival {
    std::uint32_t channel = 0;
    channel_item item;
  };

  void take_control(const arrival& x, std::vector<stream_item>& out);

  std::deque<arrival> waiting_;
  std::deque<arrival> held_;  ///< of held channels
  std::vector<bool> is_held_; ///< a channel
  watermark_merge merge_;
  std::vector<bool> closed_; ///< a channel: pushed its last item
  std::uint32_t open_;       ///< channels whose last item was not taken
  std::uint32_t unended_;    ///< channels without `end`
  std::size_t queued_bytes_ = 0;
  bool stopped_ = false;
};

} // namespace ebb
