/// One stream's checkpoints in a data folder: segments as files, records in the control database.
#pragma once

#include "actors/runtime/checkpoint_store.hpp"
#include "schemas/control_records.hpp"
#include "storage/control_db.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// The control database of a process, for the streams that share it.
class shared_control {
public:
  explicit shared_control(control_db database)
      : folder_(database.folder()), database_(std::move(database)) {}

  /// Calls `use(control_db&)` while no other thread does. After ec::resource (a full disk) the
  /// database is opened again by the next call; whether what failed is in it must be looked up.
  /// After ec::io it takes no more writes.
  template <class Use>
  auto with(const Use& use) -> decltype(use(std::declval<control_db&>())) {
    std::lock_guard guard(mutex_);
    if (!database_) {
      auto opened = control_db::open(folder_);
      if (!opened)
        return std::move(opened).error();
      database_.emplace(std::move(*opened));
    }
    auto done = use(*database_);
    if (!done && done.error().code == ec::resource)
      database_.reset();
    return done;
  }

private:
  std::string folder_;
  std::mutex mutex_;
  std::optional<control_db> database_;
};

/// What a record says, in the database's terms.
[[nodiscard]] checkpoint_record to_record(const epoch_record& from, const std::string& uid,
                                          std::uint64_t generation,
                                          std::vector<segment_info> segments);

class stream_store final : public checkpoint_store {
public:
  /// Goes on behind `segments`, those of the restored record. `folder` (DIR/streams/UID/segments)
  /// exists.
  stream_store(std::shared_ptr<shared_control> control, std::string folder, stream_entry stream,
               std::vector<segment_info> segments);

  result<epoch_number> reserve(std::uint32_t count) override;
  result<std::optional<segment_info>> write_delta(epoch_number epoch,
                                                  std::span<const snapshot_ptr> snapshots) override;
  result<void> commit(const epoch_record& record) override;
  result<void> applied(const std::string& sink, std::uint32_t lane, epoch_number epoch,
                       std::uint64_t offset) override;
  result<bool> maintain() override;

  void stop_maintenance() noexcept override {
    stopping_ = true;
  }

private:
  [[nodiscard]] std::string new_name(const char* kind, epoch_number epoch, bool plain);
  result<bool> merge();
  result<void> remove_garbage();

  const std::shared_ptr<shared_control> control_;
  const std::string folder_;
  const stream_entry stream_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_; ///< guards what follows: two lanes use the store
  /// What the next record lists before its own delta, oldest first.
  std::vector<segment_info> chain_;
  /// Written, or being written, and in no record yet; with the epoch of a delta, else 0.
  std::map<std::string, epoch_number> unlisted_;
  std::uint64_t names_ = 0;
  epoch_number unsure_ = 0; ///< its commit has failed, and may be durable all the same
};

} // namespace ebb
