/// One stream's checkpoints in a data folder: segments as files, records in the control database.
#pragma once

#include "actors/runtime/checkpoint_store.hpp"
#include "actors/runtime/dropped_state.hpp"
#include "schemas/control_records.hpp"
#include "storage/control_db.hpp"
#include "storage/snapshot_store.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// The ledger of a process, for the streams that share it.
class shared_ledger {
public:
  using opener = std::function<result<std::unique_ptr<stream_ledger>>()>;

  /// `open` is called when it is first used, and again after a full disk.
  explicit shared_ledger(opener open) : open_(std::move(open)) {}

  /// The control database of `folder`, which is open already.
  explicit shared_ledger(control_db database);

  /// Calls `use(stream_ledger&)` while no other thread does. After ec::resource (a full disk) the
  /// ledger is opened again by the next call; whether what failed is in it must be looked up.
  /// After ec::io it takes no more writes.
  template <class Use>
  auto with(const Use& use) -> decltype(use(std::declval<stream_ledger&>())) {
    std::lock_guard guard(mutex_);
    if (!ledger_) {
      auto opened = open_();
      if (!opened)
        return std::move(opened).error();
      ledger_ = *std::move(opened);
    }
    auto done = use(*ledger_);
    if (!done && done.error().code == ec::resource)
      ledger_.reset();
    return done;
  }

private:
  opener open_;
  std::mutex mutex_;
  std::unique_ptr<stream_ledger> ledger_;
};

/// What a record says, in the database's terms.
[[nodiscard]] checkpoint_record to_record(const epoch_record& from, const std::string& uid,
                                          std::uint64_t generation,
                                          std::vector<segment_info> segments);

/// Name of the waiting file where it lies in the output folder of stream `uid`; empty where it does
/// not. Processes have folders at different places.
[[nodiscard]] std::string waiting_name(const sealed_output& output, const std::string& uid);

class stream_store final : public checkpoint_store {
public:
  /// Goes on behind `segments`, those of the restored record. `folder` (DIR/streams/UID/segments)
  /// exists. A part of the stream other than 0 only writes deltas: it needs no ledger.
  stream_store(std::shared_ptr<shared_ledger> ledger, const std::string& folder,
               stream_entry stream, std::vector<segment_info> segments, std::uint32_t part = 0);

  /// The same where `files` has segments and waiting output. `unapplied`: outputs of the restored
  /// record that may not have reached their targets.
  stream_store(std::shared_ptr<shared_ledger> ledger, std::shared_ptr<snapshot_store> files,
               stream_entry stream, std::vector<segment_info> segments, std::uint32_t part = 0,
               std::span<const sink_snapshot> unapplied = {});

  result<epoch_number> reserve(std::uint32_t count) override;
  result<std::optional<segment_info>> write_delta(epoch_number epoch,
                                                  std::span<const snapshot_ptr> snapshots) override;
  result<std::vector<std::size_t>> taken(const epoch_record& record) override;
  result<void> commit(const epoch_record& record) override;
  result<sink_snapshot> bring(sink_snapshot x) override;
  result<void> applied(const std::string& sink, std::uint32_t lane, epoch_number epoch,
                       std::uint64_t offset) override;
  result<bool> maintain() override;

  void stop_maintenance() noexcept override {
    stopping_ = true;
  }

private:
  [[nodiscard]] std::string new_name(const char* kind, epoch_number epoch, bool plain);
  result<void> keep_outputs(std::span<const snapshot_ptr> snapshots);
  void expect(const sink_snapshot& x);
  result<bool> merge();
  result<void> keep_merged(const std::vector<segment_info>& made);
  result<void> remove_garbage();
  /// Another part is writing it, or has, and its epoch is still under way.
  [[nodiscard]] bool is_of_part(const std::string& name) const;

  const std::shared_ptr<shared_ledger> ledger_;
  const std::shared_ptr<snapshot_store> files_;
  const stream_entry stream_;
  const std::uint32_t part_;
  std::atomic<bool> stopping_ = false;
  dropped_state dropped_; ///< used by the maintenance lane

  std::mutex mutex_; ///< guards what follows: two lanes use the store
  /// What the next record lists before its own delta, oldest first.
  std::vector<segment_info> chain_;
  /// Written, or being written, and in no record yet; with the epoch of a delta, else 0.
  std::map<std::string, epoch_number> unlisted_;
  std::uint64_t names_ = 0;
  std::set<std::string> kept_outputs_; ///< files of outputs that no record lists yet
  /// Files of committed outputs that have not been applied, by sink and lane.
  std::map<std::pair<std::string, std::uint32_t>, std::map<epoch_number, std::string>> waiting_;
  bool grows_ = false;         ///< the last merge into bases dropped little
  epoch_number committed_ = 0; ///< last
  epoch_number unsure_ = 0;    ///< its commit has failed, and may be durable all the same
};

} // namespace ebb
