#include "actors/service/hosting/stream_host.hpp"

#include "actors/runtime/engine_config.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/runtime/processing_time.hpp"
#include "actors/service/hosting/placed_stream.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace ebb {

namespace {

/// Jobs of streams wait for the control process, so more of them are there than processors.
constexpr std::uint32_t io_threads = 8;

std::uint32_t threads_of(const host_options& options) {
  return options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
}

} // namespace

struct stream_host::parts {
  struct entry {
    std::shared_ptr<placed_stream> stream;
    std::uint64_t lane = 0;
  };

  parts(const host_options& options, host_services& s, host_listener& l)
      : services(s), listener(l), config(threads_of(options)), system(config) {
    environment.make = make_operator;
    environment.io = &io;
    environment.clock = processing_time();
  }

  ~parts() {
    std::map<std::string, entry> left;
    {
      std::lock_guard guard(mutex);
      left.swap(streams);
    }
    for (auto& [uid, x] : left)
      x.stream->kill();
  }

  /// Null where another placement is there, or none.
  entry find(const std::string& uid, std::uint64_t placement) {
    std::lock_guard guard(mutex);
    const auto found = streams.find(uid);
    if (found == streams.end() || found->second.stream->placement() != placement)
      return {};
    return found->second;
  }

  bool remove(const std::string& uid, std::uint64_t placement) {
    std::lock_guard guard(mutex);
    const auto found = streams.find(uid);
    if (found == streams.end() || found->second.stream->placement() != placement)
      return false;
    streams.erase(found);
    return true;
  }

  /// On the stream's lane.
  void end(const std::shared_ptr<placed_stream>& stream) {
    auto ended = stream->close();
    if (remove(ended.uid, ended.placement))
      listener.tell(std::move(ended));
  }

  void open(const std::shared_ptr<placed_stream>& stream, std::uint64_t lane) {
    // The last handle must not go in an actor's thread: a job of the lane holds it.
    auto concluded = [this, lane, weak = std::weak_ptr(stream)] {
      if (auto held = weak.lock())
        io.submit(lane, [this, held = std::move(held)] { end(held); });
    };
    auto opened = stream->open(concluded);
    const auto name = stream->name();
    if (opened) {
      listener.tell(*std::move(opened));
      return;
    }
    if (remove(name.uid, name.placement))
      listener.tell(stream_ended{
          name.uid, name.placement, false, false, std::move(opened).error(), max_time, {}});
  }

  host_services& services;
  host_listener& listener;
  std::mutex mutex;
  std::map<std::string, entry> streams; ///< by uid
  // Jobs outlive actors, and end before what they use goes.
  io_pool io{io_threads};
  stream_environment environment;
  engine_config config;
  caf::actor_system system;
};

stream_host::stream_host(const host_options& options, host_services& services,
                         host_listener& listener)
    : parts_(std::make_unique<parts>(options, services, listener)) {}

stream_host::~stream_host() = default;

void stream_host::start(start_stream order) {
  const auto lane = parts_->io.open_lane();
  const auto uid = order.uid;
  auto stream = std::make_shared<placed_stream>(std::move(order), parts_->system,
                                                parts_->environment, parts_->services);
  parts::entry before;
  {
    std::lock_guard guard(parts_->mutex);
    auto& at = parts_->streams[uid];
    before = std::exchange(at, {stream, lane});
  }
  // A newer placement takes the place of an older one, which is fenced already.
  if (before.stream)
    before.stream->kill();
  parts_->io.submit(lane, [p = parts_.get(), stream, lane] { p->open(stream, lane); });
}

void stream_host::stop(const stop_stream& order) {
  auto found = parts_->find(order.uid, order.placement);
  if (!found.stream)
    return;
  if (!order.kill) {
    found.stream->stop();
    return;
  }
  // Behind its start, if that is under way.
  parts_->io.submit(found.lane, [p = parts_.get(), stream = found.stream] {
    stream->kill();
    p->end(stream);
  });
}

void stream_host::savepoint(const savepoint_stream& order) {
  const auto answer = [this, id = order.id](const result<epoch_number>& made) {
    savepoint_made x{id, 0, {}};
    if (made)
      x.epoch = *made;
    else
      x.problem = made.error();
    parts_->listener.tell(std::move(x));
  };
  const auto found = parts_->find(order.uid, order.placement);
  if (found.stream)
    found.stream->savepoint(order.name, answer);
  else
    answer(make_error(ec::conflict, "the stream does not run"));
}

std::vector<hosted_stream> stream_host::hosted() const {
  std::lock_guard guard(parts_->mutex);
  std::vector<hosted_stream> all;
  for (const auto& [uid, x] : parts_->streams)
    all.push_back(x.stream->name());
  return all;
}

std::vector<stream_status> stream_host::changes() {
  std::vector<std::shared_ptr<placed_stream>> all;
  {
    std::lock_guard guard(parts_->mutex);
    for (const auto& [uid, x] : parts_->streams)
      all.push_back(x.stream);
  }
  std::vector<stream_status> changed;
  for (const auto& x : all)
    if (auto status = x->change())
      changed.push_back(std::move(*status));
  return changed;
}

std::size_t stream_host::count() const {
  std::lock_guard guard(parts_->mutex);
  return parts_->streams.size();
}

} // namespace ebb
