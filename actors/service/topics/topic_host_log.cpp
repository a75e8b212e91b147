// A topic's log: when it is opened and closed, and what is known of it.

#include "actors/service/topics/topic_host.hpp"

#include <algorithm>
#include <filesystem>

namespace ebb {

namespace {

// An eighth of what is kept, since files go as a whole; of a quota that is smaller, since a topic
// that is full in its first file would stay so.
std::uint64_t file_bytes_for(const topic_settings& x) {
  constexpr std::uint64_t least = std::uint64_t{64} << 10;
  constexpr std::uint64_t most = std::uint64_t{1} << 30;
  const auto kept = [](std::uint64_t bytes) { return bytes == 0 ? most * 8 : bytes; };
  return std::clamp(std::min(kept(x.retention_bytes), kept(x.quota_bytes)) / 8, least, most);
}

bool any_rows(const std::vector<topic_bounds>& bounds) {
  return std::any_of(bounds.begin(), bounds.end(), [](const auto& x) { return x.begin != x.end; });
}

} // namespace

result<void> topic_host::ensure_open() {
  if (closed_for_)
    return *closed_for_;
  if (log_ && reopen_.exchange(false))
    close_log(false);
  if (log_)
    return {};
  const auto what = settings();
  topic_options options;
  options.uid = uid_;
  options.partitions = what->partitions;
  options.file_bytes = file_bytes_for(*what);
  options.quota_bytes = what->quota_bytes;
  EBB_TRY(forget_closed(folder_));
  EBB_ASSIGN(log_, topic_log::open(folder_, options, around_->clock()));
  open_ = true;
  ++around_->open_logs;
  files_ = log_->size().files;
  std::vector<topic_bounds> before;
  micros last_time = 0;
  {
    std::lock_guard guard(mutex_);
    if (known_) {
      before = known_->bounds;
      last_time = known_->last_time;
    }
  }
  const auto bounds = log_->bounds();
  for (std::size_t p = 0; p < before.size(); ++p)
    if (bounds[p].end > before[p].end)
      learned_moved_ = true;
  if (any_rows(bounds) && (before.empty() || learned_moved_))
    last_time = around_->clock();
  learn(last_time);
  touch();
  arm_idle();
  if (around_->opened)
    around_->opened();
  return {};
}

void topic_host::learn(micros last_time) {
  closed_topic now{log_->bounds(), log_->size(), last_time};
  std::lock_guard guard(mutex_);
  if (known_)
    now.last_time = std::max(now.last_time, known_->last_time);
  known_ = std::move(now);
}

void topic_host::close_log(bool note) {
  if (!log_)
    return;
  {
    std::lock_guard guard(reader_mutex_);
    reader_.reset();
  }
  log_.reset();
  open_ = false;
  --around_->open_logs;
  std::optional<closed_topic> known;
  {
    std::lock_guard guard(mutex_);
    known = known_;
    parsers_.reset();
  }
  // Only spares the next process to open the log.
  if (note && known)
    static_cast<void>(write_closed(folder_, *known));
}

void topic_host::arm_idle() {
  const auto idle = std::chrono::microseconds(around_->options.idle_time);
  around_->timer.at(std::max(used(), clock::now() - idle) + idle, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || !self->is_open())
      return;
    if (self->used() + std::chrono::microseconds(self->around_->options.idle_time) > clock::now())
      return self->arm_idle();
    self->around_->io.submit(self->read_lane_, [self] { self->close_if_idle(false); });
  });
}

void topic_host::close_soon() {
  around_->io.submit(read_lane_, [self = shared_from_this()] { self->close_if_idle(true); });
}

void topic_host::close_if_idle(bool forced) {
  std::unique_lock log(log_mutex_, std::try_to_lock);
  const auto idle = std::chrono::microseconds(around_->options.idle_time);
  bool busy = !log.owns_lock() || (!forced && used() + idle > clock::now());
  if (!busy) {
    std::lock_guard guard(mutex_);
    busy = scheduled_ || (gathering_ && !gathering_->empty());
    if (!busy)
      gathering_.reset();
  }
  if (!busy)
    close_log(true);
  else if (!forced)
    arm_idle();
}

result<void> topic_host::end(const error& why, bool remove) {
  {
    std::lock_guard guard(mutex_);
    if (!ended_)
      ended_ = why;
  }
  auto removed = [&]() -> result<void> {
    std::lock_guard guard(log_mutex_);
    close_log(!remove);
    closed_for_ = why;
    if (!remove)
      return {};
    std::error_code failure;
    std::filesystem::remove_all(folder_, failure);
    if (failure)
      return make_error(ec::io, folder_ + ": cannot be removed: " + failure.message(),
                        "remove the folder by hand");
    return {};
  }();
  fail_waiting(why);
  {
    std::unique_lock guard(mutex_);
    rested_.wait(guard, [this] { return running_ == 0; });
  }
  notify(false);
  return removed;
}

// --- what is known -------------------------------------------------------------------------------

std::optional<topic_usage> topic_host::known() const {
  std::lock_guard guard(mutex_);
  if (!known_)
    return std::nullopt;
  return topic_usage{known_->bounds, known_->size, known_->last_time};
}

result<topic_usage> topic_host::usage() {
  if (auto now = known())
    return *std::move(now);
  {
    std::lock_guard log(log_mutex_);
    if (closed_for_)
      return *closed_for_;
    if (!log_) {
      if (auto told = read_closed(folder_, settings()->partitions)) {
        std::lock_guard guard(mutex_);
        known_ = std::move(told);
      } else {
        EBB_TRY(ensure_open());
      }
    }
  }
  notify_learned();
  auto now = known();
  EBB_ASSERT(now.has_value());
  return *std::move(now);
}

result<std::vector<topic_bounds>> topic_host::bounds() {
  {
    std::lock_guard guard(mutex_);
    if (ended_)
      return *ended_;
    if (known_)
      return known_->bounds;
  }
  EBB_ASSIGN(auto now, usage());
  return std::move(now.bounds);
}

bool topic_host::overdue() {
  const auto what = settings();
  if (is_open() || what->retention_age == 0)
    return false;
  auto now = known();
  if (!now) {
    const auto told = read_closed(folder_, what->partitions);
    if (!told)
      return true;
    now = topic_usage{told->bounds, told->size, told->last_time};
  }
  return any_rows(now->bounds) && now->last_time < around_->clock() - what->retention_age;
}

// --- its log -------------------------------------------------------------------------------------

result<topic_slice> topic_host::read(std::uint32_t partition, std::uint64_t offset,
                                     const topic_read_limits& limits) {
  touch();
  for (;;) {
    {
      std::lock_guard guard(reader_mutex_);
      if (reader_)
        return reader_->read(partition, offset, limits);
    }
    {
      std::lock_guard log(log_mutex_);
      EBB_TRY(ensure_open());
      std::lock_guard guard(reader_mutex_);
      if (!reader_)
        reader_ = log_->make_reader();
    }
    notify_learned();
  }
}

result<std::optional<sink_mark>> topic_host::mark(std::string_view sink) {
  std::lock_guard log(log_mutex_);
  EBB_TRY(ensure_open());
  return log_->mark(sink);
}

result<void> topic_host::forget_marks(std::string_view prefix) {
  std::lock_guard log(log_mutex_);
  EBB_TRY(ensure_open());
  return log_->forget_marks(prefix, around_->clock());
}

result<retention_outcome> topic_host::retain() {
  std::lock_guard log(log_mutex_);
  EBB_TRY(ensure_open());
  return retain_open();
}

result<retention_outcome> topic_host::retain_open() {
  const auto what = settings();
  topic_retention retention;
  retention.age = what->retention_age;
  retention.bytes = what->retention_bytes;
  if (around_->options.needed) {
    const use_gate::use use(around_->hooks);
    if (!use)
      return make_error(ec::cancelled, "the service stops");
    retention.needed = around_->options.needed(uid_);
  }
  auto outcome = log_->retain(retention, around_->clock());
  files_ = log_->size().files;
  learn(0);
  return outcome;
}

} // namespace ebb
