/// The control database of a service, used by several threads, and who may write for a stream.
#pragma once

#include "actors/runtime/stream_store.hpp"
#include "schemas/link_operations.hpp"
#include "schemas/link_records.hpp"
#include "storage/control_db.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace ebb {

/// Thread-safe. Functions that use the database block.
class control_records {
public:
  [[nodiscard]] static result<std::unique_ptr<control_records>> open(const std::string& folder);

  [[nodiscard]] const std::string& folder() const noexcept {
    return folder_;
  }

  /// Calls `use(control_db&)` while no other thread does. After a full disk the database is opened
  /// again by the next call.
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
    if (!done && (done.error().code == ec::resource || done.error().code == ec::io))
      database_.reset();
    return done;
  }

  /// From now on only this placement of the stream may write; 0 = none.
  void allow(const std::string& uid, std::uint64_t placement);

  /// This placement may not write any more; another one of the stream still may.
  void forbid(const stream_placement& x);

  /// The worker was ordered to run a part of this placement, or has it already.
  void admit(const stream_placement& x, std::uint64_t worker);

  [[nodiscard]] bool allows(const stream_placement& x);

  /// The same, for calls of this worker: others may not speak for the stream.
  [[nodiscard]] bool allows(const stream_placement& x, std::uint64_t worker);

  /// A call of a worker's stream upon the ledger; ec::conflict where its placement may not write.
  /// What a person has applied meanwhile stays.
  [[nodiscard]] call_outcome answer(const stream_placement& from, const call_operation& what);

private:
  explicit control_records(std::string folder, control_db database)
      : folder_(std::move(folder)), database_(std::move(database)) {}

  const std::string folder_;
  std::mutex mutex_; ///< guards what follows
  std::optional<control_db> database_;

  struct allowed {
    std::uint64_t placement = 0;
    std::set<std::uint64_t> workers; ///< that run a part of it
  };

  std::unordered_map<std::string, allowed> allowed_; ///< by stream
};

} // namespace ebb
