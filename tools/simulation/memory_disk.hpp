/// Everything that survives a crash of the simulated process.
#pragma once

#include "actors/runtime/run_data.hpp"
#include "tools/simulation/process.hpp"
#include "tools/simulation/stream_shapes.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace ebb::sim {

/// Output of one lane and epoch that waits for its commit.
struct kept_output {
  epoch_number epoch = 0;
  std::vector<output_row> rows;
};

/// Where a sink's rows arrive. One external transaction each.
struct sink_target {
  std::map<std::uint32_t, epoch_number> tokens; ///< by lane
  std::vector<output_row> rows;
  std::vector<epoch_number> epochs; ///< of the rows
};

/// What is durable, and what was promised about it. Checks the promises.
class memory_disk {
public:
  explicit memory_disk(trace& log) : log_(log) {}

  using sink_lane = std::pair<std::string, std::uint32_t>;
  using state_key = std::tuple<std::uint16_t, std::uint16_t, std::string>;

  // What a process does with it.
  result<std::uint64_t> next_generation();
  result<epoch_number> reserve(process& by, std::uint32_t count);
  result<std::optional<segment_info>> write_delta(process& by, epoch_number epoch,
                                                  std::span<const snapshot_ptr> snapshots);
  result<void> commit(process& by, const epoch_record& record);
  result<void> applied(process& by, const std::string& sink, std::uint32_t lane,
                       epoch_number epoch);
  /// Keeps the newest record if it is a savepoint.
  void note_savepoint();
  /// Goes back to the savepoint and cuts the targets back (`--sinks rewind`); false = there is
  /// none. No process that had begun before may do anything any more.
  [[nodiscard]] bool go_back();
  /// The name under which the rows wait.
  result<std::string> keep_output(process& by, const std::string& sink, std::uint32_t lane,
                                  kept_output rows);
  result<void> apply_output(process& by, const std::string& sink, const sealed_output& output);

  [[nodiscard]] const std::optional<epoch_record>& record() const noexcept {
    return record_;
  }

  [[nodiscard]] const std::map<state_key, std::string>& state() const noexcept {
    return state_;
  }

  [[nodiscard]] const std::map<std::string, sink_target>& targets() const noexcept {
    return targets_;
  }

  /// What the record says of operators' state.
  [[nodiscard]] std::unique_ptr<stored_state> recorded_state() const;

  /// Of the record, not known to be applied.
  [[nodiscard]] std::vector<sink_snapshot> unapplied() const;

  /// Names of operators with state, by number.
  std::vector<std::string> operators;

private:
  using partition_offsets = std::map<std::pair<std::string, std::uint32_t>, std::uint64_t>;

  struct savepoint {
    epoch_record record;
    std::map<state_key, std::string> state;
    partition_offsets offsets;
  };

  void check_positions(const epoch_record& record);
  void take_state(const epoch_record& record);

  trace& log_;
  std::uint64_t generation_ = 0;
  epoch_number next_epoch_ = 1;
  std::optional<epoch_record> record_;
  std::map<state_key, std::string> state_;
  std::map<std::string, std::vector<snapshot_ptr>> segments_; ///< not in a record yet
  std::uint64_t written_ = 0;
  std::map<epoch_number, std::uint64_t> owners_; ///< which generation an epoch belongs to
  std::map<sink_lane, epoch_number> applied_;
  std::map<std::string, kept_output> outputs_;
  std::set<std::tuple<std::string, std::uint32_t, epoch_number>> sealed_;
  std::map<std::string, sink_target> targets_;
  partition_offsets offsets_; ///< recorded
  std::optional<savepoint> savepoint_;
};

/// The disk as the checkpoints of one process see it.
class memory_store final : public checkpoint_store {
public:
  memory_store(memory_disk& disk, std::shared_ptr<process> by) : disk_(disk), by_(std::move(by)) {}

  result<epoch_number> reserve(std::uint32_t count) override {
    return disk_.reserve(*by_, count);
  }

  result<std::optional<segment_info>>
  write_delta(epoch_number epoch, std::span<const snapshot_ptr> snapshots) override {
    return disk_.write_delta(*by_, epoch, snapshots);
  }

  result<void> commit(const epoch_record& record) override {
    auto committed = disk_.commit(*by_, record);
    disk_.note_savepoint();
    return committed;
  }

  result<void> applied(const std::string& sink, std::uint32_t lane, epoch_number epoch,
                       std::uint64_t) override {
    return disk_.applied(*by_, sink, lane, epoch);
  }

  result<bool> maintain() override {
    return false;
  }

private:
  memory_disk& disk_;
  std::shared_ptr<process> by_;
};

/// `ebb run --data` on the disk.
class memory_run_data final : public run_data {
public:
  memory_run_data(memory_disk& disk, std::shared_ptr<process> by)
      : disk_(disk), by_(std::move(by)) {}

  result<stream_data> open_stream(const stream_definition& definition,
                                  const stage_plan& plan) override;

private:
  memory_disk& disk_;
  std::shared_ptr<process> by_;
};

} // namespace ebb::sim
