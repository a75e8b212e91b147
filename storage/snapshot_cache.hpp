/// A folder of this process with copies of what streams keep in an object store.
///
/// A segment's file has its full size from the beginning; what it lacks is fetched when it is first
/// read, a few blocks at a time: a block whose bytes do not have the hash that the segment's
/// trailer gives is fetched, whether it was never there or is damaged. The trailer is believed
/// where its digest is the record's. So a copy is never trusted for being there.
#pragma once

#include "storage/node_cache.hpp"
#include "storage/snapshot_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace ebb {

struct cache_options {
  std::string folder;
  /// Of segments at rest, all streams together: beyond it, files that nobody reads go, the longest
  /// unused first. What is read at the same time is there at the same time, however much that is.
  std::uint64_t bytes_max = std::uint64_t{4} << 30;
  /// Where copies of segments outlive the process; `folder` is its own one then. Null = nowhere.
  std::shared_ptr<node_cache> node = nullptr;
};

/// Thread-safe. Shared by the streams of a process.
class snapshot_cache {
public:
  explicit snapshot_cache(cache_options options) : options_(std::move(options)) {}

  /// Of one stream: FOLDER/streams/UID/segments and …/output. Copies that an earlier run of this
  /// process has left are used.
  [[nodiscard]] result<std::unique_ptr<snapshot_store>> open(const std::string& stream_uid,
                                                             std::shared_ptr<object_store> store);

  /// Makes room for so many bytes more.
  void make_room(std::uint64_t bytes);

  /// The store has the file: the copy may go when it must.
  void is_kept(const std::string& path);

  /// May be null.
  [[nodiscard]] node_cache* node() const noexcept {
    return options_.node.get();
  }

  /// The file may not go while the handle lives.
  [[nodiscard]] std::shared_ptr<void> hold(const std::string& path);

private:
  const cache_options options_;
  std::mutex mutex_; ///< guards what follows, and removing
  std::map<std::string, std::weak_ptr<void>> held_;
  std::set<std::string> kept_;
};

} // namespace ebb
