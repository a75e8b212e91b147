/// Copies of segments that the processes of a node share, and that outlive each of them.
///
/// FOLDER/segments has one file a segment, named by its digest and never written anew; like all
/// copies it may lack blocks, and is believed for its hashes alone. Who uses one has a second name
/// for it in a folder of its own, so what another process removes is not missed, and a file with
/// one name is used by nobody. FOLDER/workers has those folders; what processes leave there that
/// were killed goes when the next one comes.
#pragma once

#include "schemas/error.hpp"
#include "schemas/segment_info.hpp"
#include "storage/files.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace ebb {

struct node_cache_options {
  std::string folder; ///< that all of them have
  /// Beyond it, files that nobody uses go, the longest unused first.
  std::uint64_t bytes_max = std::uint64_t{4} << 30;
};

/// Thread-safe. What cannot be shared is no error: a copy is fetched again then.
class node_cache {
public:
  /// An error where the folder is not there, or files cannot have two names in it.
  [[nodiscard]] static result<std::unique_ptr<node_cache>> open(node_cache_options options);
  ~node_cache(); ///< with the folder of its own
  node_cache(const node_cache&) = delete;
  node_cache& operator=(const node_cache&) = delete;

  /// Nobody else writes in it.
  [[nodiscard]] const std::string& own_folder() const noexcept {
    return own_;
  }

  /// The copy of this segment gets the name `path`, in the own folder; false where there is none.
  [[nodiscard]] bool take(const digest128& segment, const std::string& path);

  /// Others may use the file, too. `instead`: of a copy that is no good.
  void give(const digest128& segment, const std::string& path, bool instead);

  /// Nobody will ask for it any more.
  void drop(const digest128& segment);

private:
  node_cache(node_cache_options options, std::string own, owned_file lock)
      : options_(std::move(options)), own_(std::move(own)), lock_(std::move(lock)) {}

  [[nodiscard]] std::string path_of(const digest128& segment) const;
  result<void> prove();
  void sweep() const;
  void make_room();

  const node_cache_options options_;
  const std::string own_;
  const owned_file lock_; ///< of the own folder, beside it
  std::mutex mutex_;      ///< one thread removes
  std::atomic<std::uint64_t> names_ = 0;
};

} // namespace ebb
