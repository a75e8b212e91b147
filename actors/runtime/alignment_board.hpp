/// Where the sources of one process meet.
#pragma once

#include "actors/dataflow/source_alignment.hpp"
#include "actors/runtime/wake_target.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace ebb {

/// One source_alignment for subtasks of one process. A source comes here some times a grant, not
/// for every batch. Thread-safe.
class alignment_board final : public source_meeting {
public:
  explicit alignment_board(read_amount allowance = source_alignment::default_allowance)
      : alignment_(allowance) {}

  /// A source of the subtask that `waker` wakes; returns its number.
  std::uint32_t join(std::shared_ptr<wake_target> waker, source_role role);

  read_amount tell(std::uint32_t source, const source_progress& position) override;

private:
  std::mutex mutex_;
  source_alignment alignment_;
  std::vector<std::shared_ptr<wake_target>> wakers_; ///< by source
};

} // namespace ebb
