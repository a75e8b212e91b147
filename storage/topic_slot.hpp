/// What a topic's log and its readers share.
#pragma once

#include "storage/topic_file.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace ebb {

/// The files of a log at one time.
struct topic_state {
  std::shared_ptr<topic_file> newest;
  topic_catalog catalog;
};

/// What a log and its readers share: which files it consists of, and the sealed files that are
/// open. Checking a file costs milliseconds, so it is done once for all readers. Any thread.
class topic_slot {
public:
  /// Null: the log cannot be read until the next `set`.
  void set(std::shared_ptr<const topic_state> x);
  [[nodiscard]] std::shared_ptr<const topic_state> get() const;

  /// The open file with this number, or null.
  [[nodiscard]] std::shared_ptr<topic_file> find(std::uint64_t number);
  /// Keeps the file open while few others are used.
  void keep(const std::shared_ptr<topic_file>& file);

private:
  mutable std::mutex mutex_;
  std::shared_ptr<const topic_state> state_;
  std::vector<std::shared_ptr<topic_file>> open_; ///< the last used first
};

} // namespace ebb
