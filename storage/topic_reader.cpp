#include "storage/topic_reader.hpp"

#include "storage/files.hpp"
#include "storage/folder_lock.hpp"
#include "storage/topic_batches.hpp"
#include "storage/topic_file.hpp"
#include "storage/topic_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <unistd.h>

namespace ebb {

namespace {

// A file may be removed between the look at the list and its opening; not often in a row.
constexpr int attempts_max = 8;

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// The newest files that readers of this process follow. LMDB's locks belong to the process, and
/// all of them go when it closes the file once: so its readers share one opened file, and it is
/// opened and closed under the mutex.
class followed_files {
public:
  result<std::shared_ptr<topic_file>> open(const std::string& folder,
                                           const topic_file::expectation& expected) {
    const auto path = topic_file_path(folder, expected.number);
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = files_.find(path);
      if (found == files_.end())
        break;
      if (auto known = found->second.lock(); known)
        return known;
      closed_.wait(lock); // its last reader has gone, and it is about to be closed
    }
    EBB_ASSIGN(auto opened,
               topic_file::open(folder, topic_file_use::follow, topic_map_max, expected));
    auto* const file = opened.get();
    std::shared_ptr<topic_file> shared(
        file, [this, path, held = std::move(opened)](topic_file*) mutable { close(path, held); });
    files_[path] = shared;
    return shared;
  }

private:
  void close(const std::string& path, std::shared_ptr<topic_file>& file) {
    const std::lock_guard lock(mutex_);
    file.reset();
    files_.erase(path);
    closed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable closed_;
  std::map<std::string, std::weak_ptr<topic_file>> files_;
};

// Never destroyed: readers may outlive other objects of the process.
followed_files& followed() {
  static auto* const all = new followed_files;
  return *all;
}

} // namespace

// What one call reads: a snapshot of the newest file, and the list that goes with it.
struct topic_file_reading::view {
  std::shared_ptr<topic_file> newest;
  lmdb_transaction in;
  topic_summary summary;
  std::shared_ptr<const topic_state> state; ///< its catalog is that of the snapshot

  [[nodiscard]] const std::vector<std::uint64_t>& begins() const {
    const auto& sealed = state->catalog.sealed;
    return sealed.empty() ? newest->header().begins : sealed.front().begins;
  }
};

result<std::shared_ptr<const topic_state>> topic_file_reading::current() {
  if (slot_) {
    if (auto state = slot_->get(); state)
      return state;
    return make_error(ec::io, folder_ + ": a write to the topic's log has failed",
                      "it is opened again by the next append");
  }
  for (int attempt = 0;
       !state_ || exists(topic_file_path(folder_, state_->newest->header().number + 1))
       || !exists(topic_file_path(folder_, state_->newest->header().number));
       ++attempt) {
    EBB_ASSIGN(const auto numbers, topic_file_numbers(folder_));
    if (numbers.empty())
      return make_error(ec::not_found, folder_ + ": there is no topic's log");
    EBB_ASSIGN(const auto writer, folder_lock::holder(folder_));
    auto newest = followed().open(folder_, {numbers.back(), 0, 0, !writer});
    if (!newest) {
      if (newest.error().code == ec::not_found && attempt < attempts_max)
        continue;
      return std::move(newest).error();
    }
    auto state = std::make_shared<topic_state>();
    state->newest = *std::move(newest);
    state->catalog.version = UINT64_MAX; // not read yet
    state_ = std::move(state);
    if (attempt == attempts_max)
      break;
  }
  return state_;
}

result<topic_file_reading::view> topic_file_reading::look() {
  EBB_ASSIGN(auto state, current());
  EBB_ASSIGN(auto in, state->newest->begin_read());
  EBB_ASSIGN(auto summary, state->newest->summary(in));
  if (summary.catalog_version != state->catalog.version) {
    auto newer = std::make_shared<topic_state>(*state);
    EBB_ASSIGN(newer->catalog, state->newest->catalog(in));
    state = newer;
    if (!slot_)
      state_ = newer;
  }
  return view{state->newest, std::move(in), std::move(summary), state};
}

result<std::shared_ptr<topic_file>>
topic_file_reading::open_sealed(const sealed_topic_file& which) {
  if (auto known = open_->find(which.number); known)
    return known;
  EBB_ASSIGN(auto file, topic_file::open(folder_, topic_file_use::sealed, which.bytes,
                                         {which.number, which.transaction, which.bytes, true}));
  if (file->header().begins != which.begins)
    return file->damaged("it begins at other offsets than the list of files says");
  open_->keep(file);
  return file;
}

result<topic_slice> topic_file_reading::read(std::uint32_t partition, std::uint64_t offset,
                                             const topic_read_limits& limits) {
  for (int attempt = 0;; ++attempt) {
    EBB_ASSIGN(const auto now, look());
    if (partition >= now.summary.ends.size())
      return make_error(ec::invalid_argument, fmt::format("there is no partition {}", partition),
                        fmt::format("partitions are 0 to {}", now.summary.ends.size() - 1));
    const auto begin = now.begins()[partition];
    const auto end = now.summary.ends[partition];
    if (offset < begin)
      return make_error(ec::not_found,
                        fmt::format("offset {} of partition {} has been removed by retention, the "
                                    "oldest is {}",
                                    offset, partition, begin),
                        fmt::format("read from offset {}", begin));
    if (offset > end)
      return make_error(ec::invalid_argument,
                        fmt::format("offset {} of partition {} is behind the end, which is {}",
                                    offset, partition, end),
                        fmt::format("read from {} to {}", begin, end));
    auto slice = read(now, partition, offset, limits);
    if (slice || slice.error().code != ec::not_found)
      return slice;
    if (attempt == attempts_max)
      return make_error(ec::corrupt, slice.error().message,
                        "a file of the topic's log is missing: restore it from a copy");
  }
}

result<topic_slice> topic_file_reading::read(const view& now, std::uint32_t partition,
                                             std::uint64_t offset,
                                             const topic_read_limits& limits) {
  topic_slice slice;
  slice.next = offset;
  slice.end = now.summary.ends[partition];
  topic_room room{std::max<std::size_t>(1, limits.bytes), std::max<std::uint64_t>(1, limits.rows)};
  while (slice.next < slice.end && !room.full) {
    const auto& sealed = now.state->catalog.sealed;
    if (slice.next >= now.newest->header().begins[partition]) {
      EBB_TRY(read_topic_file(*now.newest, now.in, partition, slice.end, room, slice));
      break;
    }
    // The last that begins no later; files without rows of this partition are passed over.
    auto which = std::upper_bound(
        sealed.begin(), sealed.end(), slice.next,
        [&](std::uint64_t x, const sealed_topic_file& file) { return x < file.begins[partition]; });
    const auto end =
        which == sealed.end() ? now.newest->header().begins[partition] : which->begins[partition];
    EBB_ASSIGN(const auto file, open_sealed(*--which));
    EBB_ASSIGN(const auto in, file->begin_read());
    EBB_TRY(read_topic_file(*file, in, partition, end, room, slice));
  }
  return slice;
}

result<std::vector<topic_bounds>> topic_file_reading::bounds() {
  EBB_ASSIGN(const auto now, look());
  std::vector<topic_bounds> all(now.summary.ends.size());
  for (std::size_t p = 0; p < all.size(); ++p)
    all[p] = {now.begins()[p], now.summary.ends[p]};
  return all;
}

// --- reader --------------------------------------------------------------------------------------

topic_reader::topic_reader(std::unique_ptr<implementation> made)
    : implementation_(std::move(made)) {}

topic_reader::topic_reader(topic_reader&& other) noexcept = default;
topic_reader& topic_reader::operator=(topic_reader&& other) noexcept = default;
topic_reader::~topic_reader() = default;

result<topic_reader> topic_reader::open(const std::string& folder) {
  EBB_TRY(refuse_network_file_system(folder));
  auto made = std::make_unique<topic_file_reading>(folder, nullptr);
  EBB_TRY(made->bounds());
  return topic_reader{std::move(made)};
}

result<topic_slice> topic_reader::read(std::uint32_t partition, std::uint64_t offset,
                                       const topic_read_limits& limits) {
  return implementation_->read(partition, offset, limits);
}

result<std::vector<topic_bounds>> topic_reader::bounds() {
  return implementation_->bounds();
}

} // namespace ebb
