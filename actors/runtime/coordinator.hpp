/// The actor that carries a stream's checkpoints through: requests, the record, the output.
#pragma once

#include "actors/runtime/checkpoint_coordinator.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/runtime/handles.hpp"
#include "actors/runtime/snapshot_board.hpp"
#include "actors/runtime/stream_report.hpp"

#include <caf/stateful_actor.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// What others may see of a stream's checkpoints. Thread-safe.
class checkpoint_board {
public:
  /// `slow`: what takes long just now; asked where there is no other alarm. Null = nothing does.
  void set(checkpoint_report x, std::function<std::string()> slow = {}) {
    std::lock_guard guard(mutex_);
    counts_ = std::move(x);
    slow_ = std::move(slow);
  }

  [[nodiscard]] checkpoint_report get() const {
    std::unique_lock guard(mutex_);
    auto x = counts_;
    const auto slow = slow_;
    guard.unlock();
    if (x.alarm.empty() && slow)
      x.alarm = slow();
    return x;
  }

private:
  mutable std::mutex mutex_;
  checkpoint_report counts_;
  std::function<std::string()> slow_;
};

/// What a stream with checkpoints needs beside its subtasks.
struct checkpoint_setup {
  checkpoint_settings settings;
  generation_number generation = 1;
  epoch_number recorded = 0; ///< the epoch it was restored from; 0 = none
  std::uint32_t processes = 1;
  std::shared_ptr<checkpoint_store> store;
  output_applier apply;
  std::function<std::uint64_t()> activity; ///< changes when the stream has done something
  std::function<micros()> clock;
  io_executor* io = nullptr; ///< outlives the stream
  std::uint64_t lane = 0;    ///< of the store
  std::uint64_t maintenance_lane = 0;
  std::shared_ptr<checkpoint_board> board;
  /// What the snapshot writer of this process tells, and the subtasks by number; may be null.
  std::shared_ptr<snapshot_board> snapshots;
  std::shared_ptr<const std::vector<subtask_label>> labels;
};

struct coordinator_state {
  static inline const char* name = "coordinator";

  coordinator_state() = default;
  /// Whoever waits for a savepoint is told.
  ~coordinator_state();
  coordinator_state(const coordinator_state&) = delete;
  coordinator_state& operator=(const coordinator_state&) = delete;

  checkpoint_setup setup;
  supervisor_actor supervisor;
  std::vector<subtask_actor> subtasks;
  std::unique_ptr<checkpoint_coordinator> decide;
  std::vector<written_part> parts; ///< of the current epoch, by process
  std::vector<sink_snapshot> to_apply;
  /// Savepoints that are wished, in the order in which they were.
  std::vector<savepoint_wish> wishes;
  std::uint64_t wishes_before = 0; ///< how many were answered
  checkpoint_report counts;
  std::function<std::string()> slow; ///< what takes long; null = nothing does
  micros timer_at = max_time;
  std::uint64_t timer_number = 0;
  bool maintaining = false;
};

coordinator_actor::behavior_type
coordinator(coordinator_actor::stateful_pointer<coordinator_state> self, checkpoint_setup setup,
            supervisor_actor supervisor);

} // namespace ebb
