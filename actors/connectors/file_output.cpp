#include "actors/connectors/file_output.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace ebb {

struct file_output::shared {
  /// The end of an epoch in the text.
  struct mark {
    epoch_number epoch = 0;
    std::uint64_t end = 0; ///< bytes before it
    std::uint64_t rows = 0;
  };

  enum class task : std::uint8_t { none, write, seal, finish };

  std::unique_ptr<output_target> target; ///< of the jobs alone; they run one at a time

  mutable std::mutex mutex; ///< guards what follows
  output_buffer buffer;
  std::deque<mark> marks;
  std::uint64_t popped = 0;
  std::deque<sealed_output> sealed;
  wake_function wake;
  std::optional<error> failure;
  std::size_t in_flight = 0;
  bool busy = false; ///< a job that writes is queued or running
  bool closing = false;
  bool closed = false;
  bool abandoned = false;
  std::condition_variable hurry; ///< told when waiting for more text has become useless

  [[nodiscard]] bool has_work() const noexcept {
    return buffer.pending() != 0 || !marks.empty() || closing;
  }

  [[nodiscard]] bool is_urgent() const noexcept {
    return has_work() || abandoned || failure;
  }

  void run();
  task next(output_block& block, mark& at);
  result<std::optional<sealed_output>> work(task what, const output_block& block, const mark& at);

  // Called under the mutex: whether a job must be queued.
  bool must_start() {
    const bool start = !busy && !abandoned && !failure && !closed && has_work();
    busy |= start;
    return start;
  }
};

// Called under the mutex.
file_output::shared::task file_output::shared::next(output_block& block, mark& at) {
  if (abandoned || failure)
    return task::none;
  if (!marks.empty() && marks.front().end == popped) {
    at = marks.front();
    marks.pop_front();
    return task::seal;
  }
  block = buffer.pop(true);
  popped += block.size;
  in_flight = block.size;
  if (block.size != 0)
    return task::write;
  return closing && !closed ? task::finish : task::none;
}

result<std::optional<sealed_output>> file_output::shared::work(task what, const output_block& block,
                                                               const mark& at) {
  std::optional<sealed_output> made;
  if (what == task::write) {
    EBB_TRY(target->write(block.memory.as<char>(), block.size));
  } else if (what == task::seal) {
    EBB_ASSIGN(made, target->seal(at.epoch));
    made->rows = at.rows;
  } else {
    EBB_TRY(target->finish());
  }
  return made;
}

void file_output::shared::run() {
  for (;;) {
    output_block block;
    mark at;
    auto what = task::none;
    {
      const std::lock_guard lock(mutex);
      what = next(block, at);
      if (what == task::none) {
        busy = false;
        return;
      }
    }
    auto done = work(what, block, at);
    wake_function call;
    {
      const std::lock_guard lock(mutex);
      in_flight = 0;
      if (!done)
        failure = std::move(done).error();
      else if (*done)
        sealed.push_back(std::move(**done));
      if (what == task::finish) {
        closed = !failure;
        busy = false;
      }
      call = wake;
    }
    if (call)
      call();
    if (what == task::finish)
      return;
  }
}

file_output::file_output(std::unique_ptr<output_target> target, const connector_context& context)
    : io_(*context.io), lane_(context.io->open_lane()), shared_(std::make_shared<shared>()) {
  shared_->target = std::move(target);
  shared_->wake = context.wake;
}

file_output::~file_output() {
  abandon();
}

result<void> file_output::append(const filler& fill) {
  bool start = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->failure)
      return *shared_->failure;
    EBB_TRY(fill(shared_->buffer));
    start = shared_->must_start();
    shared_->hurry.notify_all();
  }
  if (start)
    io_.submit(lane_, [x = shared_] { x->run(); });
  return {};
}

void file_output::append_later(std::chrono::milliseconds delay, filler fill) {
  io_.submit(lane_, [x = shared_, delay, fill = std::move(fill)] {
    wake_function call;
    {
      std::unique_lock lock(x->mutex);
      // Work behind this job on the lane must not wait for the delay.
      if (x->hurry.wait_for(lock, delay, [&] { return x->is_urgent(); }))
        return;
      if (auto done = fill(x->buffer); !done) {
        x->failure = std::move(done).error();
        call = x->wake;
      } else if (!x->must_start()) {
        return;
      }
    }
    if (call)
      call();
    else
      x->run();
  });
}

result<void> file_output::check() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->failure ? result<void>(*shared_->failure) : result<void>{};
}

std::size_t file_output::backlog() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->buffer.pending() + shared_->in_flight;
}

std::uint64_t file_output::bytes() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->buffer.total();
}

result<void> file_output::seal(epoch_number epoch, std::uint64_t rows, const filler& last) {
  return append([&](output_buffer& out) -> result<void> {
    EBB_TRY(last(out));
    out.cut();
    shared_->marks.push_back({epoch, out.total(), rows});
    return {};
  });
}

result<std::optional<sealed_output>> file_output::take_sealed() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->failure)
    return *shared_->failure;
  std::optional<sealed_output> first;
  if (!shared_->sealed.empty()) {
    first = std::move(shared_->sealed.front());
    shared_->sealed.pop_front();
  }
  return first;
}

result<bool> file_output::finish(const filler& last) {
  bool start = false;
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->failure)
      return *shared_->failure;
    if (!shared_->closing) {
      EBB_TRY(last(shared_->buffer));
      shared_->closing = true;
    }
    if (shared_->closed)
      return true;
    start = shared_->must_start();
    shared_->hurry.notify_all();
  }
  if (start)
    io_.submit(lane_, [x = shared_] { x->run(); });
  const std::lock_guard lock(shared_->mutex);
  if (shared_->failure)
    return *shared_->failure;
  return shared_->closed;
}

void file_output::abandon() {
  const std::lock_guard lock(shared_->mutex);
  shared_->abandoned = true;
  shared_->wake = nullptr;
  shared_->hurry.notify_all();
}

} // namespace ebb
