/// Gathers the snapshots of a process's subtasks until an epoch is complete. Pure.
#pragma once

#include "actors/runtime/checkpoint_store.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace ebb {

/// Only the newest epoch is gathered: when a part of a higher one comes, the lower one was given
/// up.
class snapshot_collector {
public:
  /// `subtasks`: their numbers, rising.
  explicit snapshot_collector(std::vector<std::uint32_t> subtasks)
      : subtasks_(std::move(subtasks)), parts_(subtasks_.size()) {}

  /// True when this part completes its epoch. A part that is there already, of an older epoch, or
  /// of a subtask that is not the process's means nothing.
  bool add(std::uint32_t subtask, snapshot_ptr part, const snapshot_moments& when = {});

  [[nodiscard]] epoch_number epoch() const noexcept {
    return epoch_;
  }

  [[nodiscard]] bool complete() const noexcept {
    return count_ == parts_.size();
  }

  /// Of a complete epoch, in the subtasks' order.
  [[nodiscard]] const std::vector<snapshot_ptr>& parts() const noexcept {
    return parts_;
  }

  /// What the record will say, but for the segment.
  [[nodiscard]] written_part summary() const;

  /// Drops the parts of a complete epoch, which nobody asks for any more: the next epoch's
  /// snapshots take their memory.
  void let_go();

private:
  std::vector<std::uint32_t> subtasks_;
  std::vector<snapshot_ptr> parts_;
  snapshot_moments when_; ///< of the parts that are there
  std::uint32_t count_ = 0;
  epoch_number epoch_ = 0;
  bool gone_ = false; ///< the parts of this epoch
};

} // namespace ebb
