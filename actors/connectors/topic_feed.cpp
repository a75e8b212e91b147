#include "actors/connectors/topic_feed.hpp"

#include "storage/topic_batches.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

// Read ahead of all partitions of a reader together: enough that it need not wait for the disk.
constexpr std::size_t ahead_bytes = std::size_t{16} << 20;
constexpr std::size_t slice_bytes_max = std::size_t{1} << 20;
constexpr std::size_t slice_bytes_min = std::size_t{64} << 10;
constexpr std::uint64_t slice_rows = 32'768;
// A batch that others would be put together to.
constexpr std::size_t batch_bytes = std::size_t{256} << 10;
// How often in a row the log is opened again before its error counts.
constexpr int failures_max = 6;

/// Puts stored batches together, or cuts them up, to what operators like to get.
std::deque<topic_rows> in_good_sizes(const std::vector<topic_rows>& stored) {
  std::deque<topic_rows> out;
  std::vector<batch_ptr> run;
  std::uint64_t run_rows = 0;
  std::size_t run_bytes = 0;
  topic_rows last;
  const auto flush = [&] {
    if (run.empty())
      return;
    last.rows = run.size() == 1 ? run.front() : std::make_shared<const batch>(concatenate(run));
    out.push_back(last);
    run.clear();
    run_rows = run_bytes = 0;
  };
  for (const auto& x : stored)
    for (std::uint32_t first = 0; first < x.rows->rows;) {
      const auto count = std::min(x.rows->rows - first, topic_feed::rows_max);
      auto piece = count == x.rows->rows
                       ? x.rows
                       : std::make_shared<const batch>(slice(*x.rows, first, count));
      const auto bytes = byte_size(*piece);
      if (run_rows + count > topic_feed::rows_max || run_bytes + bytes > batch_bytes)
        flush();
      if (run.empty())
        last.first = x.first + first;
      last.time = x.time;
      run.push_back(std::move(piece));
      run_rows += count;
      run_bytes += bytes;
      first += count;
    }
  flush();
  return out;
}

} // namespace

topic_feed::topic_feed(topic_info topic, std::vector<share> from, topic_access& topics,
                       std::optional<topic_reader> reader, const connector_context& context)
    : topic_(std::move(topic)), topics_(topics), io_(*context.io), lane_(context.io->open_lane()),
      slice_bytes_(std::clamp(ahead_bytes / 2 / std::max<std::size_t>(1, from.size()),
                              slice_bytes_min, slice_bytes_max)),
      reader_(std::move(reader)), wake_(context.wake) {
  lanes_.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i)
    lanes_[i].at = from[i];
}

void topic_feed::start() {
  // What is appended before the watch begins is seen by the first look.
  watch_ = topics_.watch(topic_.uid, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->moved();
  });
  moved();
}

void topic_feed::moved() {
  bool start = false;
  {
    const std::lock_guard lock(mutex_);
    ++moves_;
    for (auto& x : lanes_)
      x.at_end = false;
    start = must_start();
  }
  if (start)
    io_.submit(lane_, [self = shared_from_this()] { self->run(); });
}

bool topic_feed::is_wanted(const lane& x) const {
  return !x.at_end && x.bytes < slice_bytes_;
}

bool topic_feed::must_start() {
  const bool start =
      !busy_ && !stopped_ && !failure_
      && std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& x) { return is_wanted(x); });
  busy_ |= start;
  return start;
}

wake_function topic_feed::news(bool rows) {
  if (stopped_ || waiting_ == wait::nothing || (waiting_ == wait::rows && !rows))
    return nullptr;
  waiting_ = wait::nothing;
  return wake_;
}

void topic_feed::run() {
  for (;;) {
    std::vector<wish> wishes;
    std::uint64_t moves = 0;
    wake_function wake;
    {
      const std::lock_guard lock(mutex_);
      moves = moves_;
      for (std::size_t i = 0; i < lanes_.size() && !stopped_; ++i)
        if (is_wanted(lanes_[i]))
          wishes.push_back({i, lanes_[i].at});
      if (wishes.empty()) {
        busy_ = false;
        wake = news(false);
      }
    }
    if (wishes.empty()) {
      if (wake)
        wake();
      return;
    }
    auto done = read(wishes, moves);
    {
      const std::lock_guard lock(mutex_);
      if (done) {
        failures_ = 0;
        continue;
      }
      failure_ = std::move(done).error();
      ++failures_;
      busy_ = false;
      wake = news(true);
    }
    reader_.reset();
    if (wake)
      wake();
    return;
  }
}

result<void> topic_feed::read(const std::vector<wish>& wishes, std::uint64_t moves) {
  if (!reader_) {
    EBB_ASSIGN(reader_, topics_.open_reader(topic_));
  }
  if (wishes.size() == 1)
    return read_one(wishes.front(), moves);
  // One look tells for most of them that there is nothing.
  EBB_ASSIGN(const auto bounds, reader_->bounds());
  for (const auto& x : wishes) {
    if (x.at.partition < bounds.size() && bounds[x.at.partition].end == x.at.offset)
      deliver(x, moves, {{}, x.at.offset, x.at.offset});
    else
      EBB_TRY(read_one(x, moves));
  }
  return {};
}

result<void> topic_feed::read_one(const wish& what, std::uint64_t moves) {
  auto slice = reader_->read(what.at.partition, what.at.offset, {slice_bytes_, slice_rows});
  if (!slice)
    return explained(std::move(slice).error());
  deliver(what, moves, *std::move(slice));
  return {};
}

void topic_feed::deliver(const wish& what, std::uint64_t moves, topic_slice slice) {
  const bool at_end = slice.next == slice.end;
  auto rows = in_good_sizes(slice.batches);
  std::size_t bytes = 0;
  for (const auto& x : rows)
    bytes += byte_size(*x.rows);
  wake_function wake;
  {
    const std::lock_guard lock(mutex_);
    auto& x = lanes_[what.index];
    // What came after the look may be behind this end.
    x.at_end = at_end && moves == moves_;
    x.at.offset = slice.next;
    x.bytes += bytes;
    std::move(rows.begin(), rows.end(), std::back_inserter(x.ready));
    if (bytes != 0)
      wake = news(true);
  }
  if (wake)
    wake();
}

error topic_feed::explained(error problem) const {
  problem.message = "topic " + topic_.name + ": " + problem.message;
  if (problem.code == ec::not_found) {
    problem.message += ", and the stream has not read it";
    problem.hint = "raise the topic's retention; to go on without these rows, begin anew with "
                   "--from fresh";
  } else if (problem.code == ec::invalid_argument) {
    problem.code = ec::corrupt;
    problem.hint =
        "the topic's log has lost rows that the stream has read: restore it from a newer "
        "copy, or begin anew with --from fresh";
  }
  return problem;
}

result<topic_feed::state> topic_feed::take(topic_rows& out, std::size_t& index) {
  bool start = false;
  auto found = state::at_end;
  {
    const std::lock_guard lock(mutex_);
    waiting_ = wait::nothing;
    for (std::size_t i = 0; i < lanes_.size() && found != state::rows; ++i) {
      index = (turn_ + i) % lanes_.size();
      auto& x = lanes_[index];
      if (x.ready.empty())
        continue;
      out = std::move(x.ready.front());
      x.ready.pop_front();
      x.bytes = x.ready.empty() ? 0 : x.bytes - byte_size(*out.rows);
      turn_ = (index + 1) % lanes_.size();
      found = state::rows;
    }
    start = must_start();
    if (found != state::rows) {
      if (failure_ && (failure_->code != ec::io || failures_ >= failures_max))
        return *failure_;
      if (failure_)
        return state::failed;
      if (busy_)
        found = state::pending;
      waiting_ = busy_ ? wait::any_news : wait::rows;
    }
  }
  if (start)
    io_.submit(lane_, [self = shared_from_this()] { self->run(); });
  return found;
}

std::vector<std::uint32_t> topic_feed::at_end() {
  std::vector<std::uint32_t> result;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    if (lanes_[i].at_end && lanes_[i].ready.empty())
      result.push_back(static_cast<std::uint32_t>(i));
  return result;
}

void topic_feed::try_again() {
  bool start = false;
  {
    const std::lock_guard lock(mutex_);
    failure_.reset();
    start = must_start();
  }
  if (start)
    io_.submit(lane_, [self = shared_from_this()] { self->run(); });
}

void topic_feed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    wake_ = nullptr;
  }
  watch_.reset();
}

} // namespace ebb
