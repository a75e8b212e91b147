/// Whose snapshots of a checkpoint have come, for people who ask why it takes long.
#pragma once

#include "actors/dataflow/channel_item.hpp"

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// A subtask as people know it.
struct subtask_label {
  std::string name;       ///< `operator hourly (subtask 2 of 4)`
  std::uint32_t part = 0; ///< of the stream: the process that has it
};

/// Of one process. Thread-safe.
class snapshot_board {
public:
  void came(epoch_number epoch, std::uint32_t subtask) {
    std::lock_guard guard(mutex_);
    if (epoch != std::exchange(epoch_, epoch))
      came_.clear();
    came_.insert(subtask);
  }

  /// None where nothing has come of this epoch.
  [[nodiscard]] std::set<std::uint32_t> of(epoch_number epoch) const {
    std::lock_guard guard(mutex_);
    return epoch == epoch_ ? came_ : std::set<std::uint32_t>{};
  }

private:
  mutable std::mutex mutex_;
  epoch_number epoch_ = 0;
  std::set<std::uint32_t> came_;
};

/// What a snapshot waits for. `labels`: by subtask; `came`: of the first part; `written`: by part,
/// whether it is durable.
[[nodiscard]] std::string snapshot_waits_for(const std::vector<subtask_label>& labels,
                                             const std::set<std::uint32_t>& came,
                                             const std::vector<bool>& written);

} // namespace ebb
