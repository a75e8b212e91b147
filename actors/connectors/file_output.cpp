#include "actors/connectors/file_output.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace ebb {

struct file_output::shared {
  // Of the jobs alone; they run one at a time.
  std::unique_ptr<byte_writer> writer;
  std::function<result<void>()> publish;

  mutable std::mutex mutex; ///< guards what follows
  output_buffer buffer;
  wake_function wake;
  std::optional<error> failure;
  std::size_t in_flight = 0;
  bool busy = false; ///< a job that writes is queued or running
  bool closing = false;
  bool closed = false;
  bool abandoned = false;
  std::condition_variable hurry; ///< told when waiting for more text has become useless

  [[nodiscard]] bool is_urgent() const noexcept {
    return closing || abandoned || failure || buffer.pending() != 0;
  }

  void run();
  result<void> close();

  // Called under the mutex: whether a job must be queued.
  bool must_start() {
    const bool start =
        !busy && !abandoned && !failure && !closed && (buffer.pending() != 0 || closing);
    busy |= start;
    return start;
  }
};

result<void> file_output::shared::close() {
  EBB_TRY(writer->finish());
  return publish ? publish() : result<void>{};
}

void file_output::shared::run() {
  for (;;) {
    output_block block;
    {
      const std::lock_guard lock(mutex);
      if (!abandoned && !failure)
        block = buffer.pop(true);
      if (block.size == 0 && (abandoned || failure || !closing)) {
        busy = false;
        return;
      }
      in_flight = block.size;
    }
    const bool last = block.size == 0;
    auto done = last ? close() : writer->write(block.memory.as<char>(), block.size);
    wake_function call;
    {
      const std::lock_guard lock(mutex);
      in_flight = 0;
      if (!done)
        failure = std::move(done).error();
      closed |= last && done;
      if (last)
        busy = false;
      call = wake;
    }
    if (call)
      call();
    if (last)
      return;
  }
}

file_output::file_output(std::unique_ptr<byte_writer> writer, const connector_context& context,
                         std::function<result<void>()> publish)
    : io_(*context.io), lane_(context.io->open_lane()), shared_(std::make_shared<shared>()) {
  shared_->writer = std::move(writer);
  shared_->publish = std::move(publish);
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
    {
      std::unique_lock lock(x->mutex);
      // Work behind this job on the lane must not wait for the delay.
      if (x->hurry.wait_for(lock, delay, [&] { return x->is_urgent(); }))
        return;
      if (auto done = fill(x->buffer); !done) {
        x->failure = std::move(done).error();
        return;
      }
      if (!x->must_start())
        return;
    }
    x->run();
  });
}

std::size_t file_output::backlog() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->buffer.pending() + shared_->in_flight;
}

std::uint64_t file_output::bytes() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->buffer.total();
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
