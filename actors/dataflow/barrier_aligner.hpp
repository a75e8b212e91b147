/// Which of a subtask's channels have reached the barrier of a checkpoint. Pure.
///
/// Aligned barriers after Carbone et al., "Lightweight Asynchronous Snapshots for Distributed
/// Dataflows" (2015): a channel whose barrier has come is held until the others' have come, too.
#pragma once

#include "actors/dataflow/channel_item.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// A subtask takes part in an epoch when it was requested *and* every open channel has delivered
/// the barrier. A higher epoch supersedes a lower one, which then will never be complete.
class barrier_aligner {
public:
  /// What the caller has to do with the held channels.
  struct effect {
    bool release = false; ///< all: they were held for an older epoch
    bool hold = false;    ///< the channel of this barrier
  };

  /// `channels` of each input.
  explicit barrier_aligner(const std::vector<std::uint32_t>& channels);

  /// The coordinator asks for `epoch`.
  effect request(epoch_number epoch);
  /// The barrier was taken from a channel. One of a past epoch means nothing.
  effect barrier(std::uint32_t input, std::uint32_t channel, epoch_number epoch);
  /// The channel's last item was taken: it holds no epoch up any more.
  void close(std::uint32_t input, std::uint32_t channel);

  /// The epoch under way; 0 = none.
  [[nodiscard]] epoch_number current() const noexcept {
    return current_;
  }

  /// Sources stop reading from the request to `complete`.
  [[nodiscard]] bool requested() const noexcept {
    return current_ != 0 && requested_ == current_;
  }

  [[nodiscard]] bool aligned() const noexcept {
    return requested() && missing_ == 0;
  }

  /// The snapshot of the current epoch is taken: all channels go on.
  void complete();

private:
  enum class state : std::uint8_t { open, arrived, closed };

  /// True when an older epoch was given up.
  bool supersede(epoch_number epoch);

  std::vector<std::vector<state>> channels_;
  std::uint32_t open_ = 0;    ///< channels that are not closed
  std::uint32_t missing_ = 0; ///< of the current epoch
  epoch_number current_ = 0;
  epoch_number requested_ = 0;
  epoch_number past_ = 0; ///< highest epoch completed or given up
};

} // namespace ebb
