#include "actors/connectors/file_feed.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <utility>

namespace ebb {

namespace {

// Chunks that wait for the reader: enough that it need not wait for the disk, few enough that they
// stay in the processor's cache.
constexpr std::size_t ready_max = 3;

} // namespace

file_feed::file_feed(named_file file, const text_position& from, bool follow, io_executor& io,
                     std::uint64_t lane, wake_function wake)
    : file_(std::move(file)), from_(from), follow_(follow), io_(io), lane_(lane),
      wake_(std::move(wake)) {}

void file_feed::start() {
  busy_ = true;
  submit();
}

void file_feed::submit() {
  io_.submit(lane_, [self = shared_from_this()] { self->run(); });
}

// Of a file that is read once and was replaced or removed, what is open is whole; one that was cut and
// written anew is two halves.
std::optional<error> file_feed::check_file() {
  struct stat info {};

  const auto changed = [&](const std::string& how) {
    return make_error(ec::corrupt,
                      file_.shown + " was " + how + (follow_ ? " while it was followed" : " while it was read"),
                      follow_ ? "a followed file may only grow; write new data into a new file"
                              : "a file that is read may only grow: put it back as it was and start "
                                "again; rotate by renaming, not by copying and emptying");
  };
  if (!plain_)
    return std::nullopt;
  if (::stat(file_.path.c_str(), &info) != 0)
    return follow_ && errno == ENOENT ? std::optional(changed("removed or renamed")) : std::nullopt;
  if (info.st_dev != device_ || info.st_ino != inode_)
    return follow_ && S_ISREG(info.st_mode) ? std::optional(changed("replaced by another file"))
                                            : std::nullopt;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  // A followed file is not compressed, so it had what was read of it.
  const auto had = follow_ ? offset_ : size_;
  if (size < had)
    return changed(std::string("cut from ") + (follow_ ? "at least " : "") + std::to_string(had)
                   + " to " + std::to_string(size) + " bytes");
  size_ = size;
  return std::nullopt;
}

result<void> file_feed::open() {
  struct stat info {};

  plain_ = ::stat(file_.path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  device_ = info.st_dev;
  inode_ = info.st_ino;
  size_ = plain_ ? static_cast<std::uint64_t>(info.st_size) : 0;
  // Called while a job of this feed runs, which holds it.
  const auto stopped = [this] {
    const std::lock_guard lock(mutex_);
    return stopped_;
  };
  if (from_.offset == 0) {
    EBB_ASSIGN(bytes_, open_reader(file_.path, file_.shown, stopped));
    return {};
  }
  EBB_ASSIGN(auto opened, reopen(file_, from_, stopped));
  bytes_ = std::move(opened.rest);
  offset_ = from_.offset;
  const std::lock_guard lock(mutex_);
  start_ = std::move(opened);
  return {};
}

result<std::size_t> file_feed::read_chunk(byte_chunk& chunk) {
  if (!bytes_)
    EBB_TRY(open());
  EBB_ASSIGN(const auto count,
             bytes_->read(chunk.begin, static_cast<std::size_t>(chunk.limit() - chunk.begin)));
  chunk.end = chunk.begin + count;
  offset_ += count;
  // With each chunk, for it may have grown beyond its size again by the end; a followed file has none.
  if (!follow_ || count == 0)
    if (auto problem = check_file())
      return *std::move(problem);
  return count;
}

void file_feed::run() {
  for (;;) {
    auto chunk = make_chunk(chunk_size);
    auto count = read_chunk(chunk);
    wake_function wake;
    bool go_on = false;
    {
      const std::lock_guard lock(mutex_);
      if (!count)
        failure_ = std::move(count).error();
      else if (*count == 0)
        dry_ = true;
      else
        ready_.push_back(std::move(chunk));
      go_on = count && *count != 0 && ready_.size() < ready_max && !stopped_;
      busy_ = go_on;
      if (waited_for_ && !stopped_) {
        waited_for_ = false;
        wake = wake_;
      }
    }
    if (wake)
      wake();
    if (!go_on)
      return;
  }
}

result<file_feed::state> file_feed::take(byte_chunk& out) {
  bool more = false;
  auto found = state::chunk;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) {
      if (failure_)
        return *failure_;
      if (dry_)
        return follow_ ? state::caught_up : state::end;
      waited_for_ = true;
      found = state::pending;
    } else {
      out = std::move(ready_.front());
      ready_.pop_front();
    }
    more = !busy_ && !dry_ && !failure_ && ready_.size() < ready_max;
    busy_ |= more;
  }
  if (more)
    submit();
  return found;
}

std::optional<reopened_text> file_feed::take_start() {
  const std::lock_guard lock(mutex_);
  return std::exchange(start_, std::nullopt);
}

void file_feed::look_again() {
  {
    const std::lock_guard lock(mutex_);
    if (busy_ || !dry_)
      return;
    dry_ = false;
    busy_ = true;
  }
  submit();
}

void file_feed::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  wake_ = nullptr;
}

} // namespace ebb
