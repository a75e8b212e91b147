#include "actors/service/hosting/stream_host.hpp"

#include "actors/runtime/engine_config.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/runtime/processing_time.hpp"
#include "actors/service/hosting/placed_part.hpp"
#include "actors/service/hosting/placed_stream.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>
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
  using key = std::tuple<std::string, std::uint64_t, std::uint32_t>; ///< uid, placement, part

  struct entry {
    std::shared_ptr<placed_run> stream;
    std::uint64_t lane = 0;
    std::set<std::uint64_t> savepoints; ///< that are not answered
    bool ended = false;                 ///< is being told
  };

  parts(const host_options& options, host_services& s, host_listener& l)
      : services(s), listener(l), config(threads_of(options)), system(config) {
    environment.make = make_operator;
    environment.io = &io;
    environment.clock = processing_time();
  }

  ~parts() {
    std::map<key, entry> left;
    std::unique_lock guard(mutex);
    closing = true;
    left.swap(streams); // nothing is told any more
    guard.unlock();
    for (auto& [at, x] : left)
      x.stream->kill();
    // The actor system goes before the jobs: none of them may still start actors.
    guard.lock();
    idle.wait(guard, [this] { return jobs == 0; });
  }

  /// Those of this placement that are here.
  std::vector<entry> parts_of(const std::string& uid, std::uint64_t placement) {
    std::vector<entry> result;
    std::lock_guard guard(mutex);
    for (auto i = streams.lower_bound({uid, placement, 0});
         i != streams.end() && std::get<0>(i->first) == uid && std::get<1>(i->first) == placement;
         ++i)
      result.push_back(i->second);
    return result;
  }

  std::vector<std::shared_ptr<placed_run>> all() {
    std::vector<std::shared_ptr<placed_run>> result;
    std::lock_guard guard(mutex);
    for (const auto& [at, x] : streams)
      result.push_back(x.stream);
    return result;
  }

  /// The destructor waits for it.
  template <class Job>
  void submit(std::uint64_t lane, Job job) {
    {
      std::lock_guard guard(mutex);
      ++jobs;
    }
    io.submit(lane, [this, job = std::move(job)] {
      job();
      std::lock_guard guard(mutex);
      if (--jobs == 0)
        idle.notify_all();
    });
  }

  /// Tells the end, once. It is among the streams until that was told.
  void remove(stream_ended ended) {
    const key at{ended.uid, ended.placement, ended.part};
    std::unique_lock guard(mutex);
    const auto found = streams.find(at);
    if (found == streams.end() || std::exchange(found->second.ended, true))
      return;
    const auto savepoints = std::exchange(found->second.savepoints, {});
    guard.unlock();
    for (const auto id : savepoints)
      listener.tell(savepoint_made{
          id, 0, make_error(ec::conflict, "the stream ended before the savepoint was made")});
    listener.tell(std::move(ended));
    guard.lock();
    // The last handle goes without the lock.
    const auto last = streams.extract(at);
    guard.unlock();
  }

  void open(const std::shared_ptr<placed_run>& stream, std::uint64_t lane) {
    // The last handle must not go in an actor's thread: a job of the lane holds it.
    auto concluded = [this, lane, weak = std::weak_ptr(stream)] {
      if (auto held = weak.lock())
        submit(lane, [this, held = std::move(held)] { remove(held->close()); });
    };
    auto opened = stream->open(concluded);
    if (opened) {
      if (*opened)
        listener.tell(**std::move(opened));
      return;
    }
    auto ended = stream->ended();
    if (opened.error().code != ec::cancelled)
      ended.problem = std::move(opened).error();
    remove(std::move(ended));
  }

  /// What blocks of the stream is not waited for.
  void kill(const std::shared_ptr<placed_run>& stream, std::uint64_t lane) {
    stream->kill();
    submit(lane, [this, stream] { remove(stream->close()); });
  }

  /// True once, where it is to be told.
  bool take_savepoint(const key& at, std::uint64_t id) {
    std::lock_guard guard(mutex);
    const auto found = streams.find(at);
    return found != streams.end() && found->second.savepoints.erase(id) != 0;
  }

  host_services& services;
  host_listener& listener;
  mutable std::mutex mutex; ///< guards what follows
  std::map<key, entry> streams;
  std::uint64_t jobs = 0; ///< under way
  bool closing = false;
  std::condition_variable idle;
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
  auto& p = *parts_;
  const parts::key at{order.uid, order.placement, order.part};
  const auto lane = p.io.open_lane();
  std::shared_ptr<placed_run> stream;
  std::vector<parts::entry> before;
  {
    std::lock_guard guard(p.mutex);
    if (p.closing)
      return;
    const auto& [uid, placement, part] = at;
    for (auto i = p.streams.lower_bound({uid, 0, 0});
         i != p.streams.end() && std::get<0>(i->first) == uid; ++i) {
      const auto there = std::get<1>(i->first);
      if (there > placement || i->first == at)
        return;
      if (there < placement)
        before.push_back(i->second);
    }
    // A part is expected by others from here on: not one that is there already.
    if (part == 0)
      stream =
          std::make_shared<placed_stream>(std::move(order), p.system, p.environment, p.services);
    else
      stream = std::make_shared<placed_part>(std::move(order), p.system, p.environment, p.services);
    p.streams.emplace(at, parts::entry{stream, lane, {}});
  }
  for (const auto& x : before)
    p.kill(x.stream, x.lane);
  p.submit(lane, [q = &p, stream, lane] { q->open(stream, lane); });
}

void stream_host::stop(const stop_stream& order) {
  for (const auto& x : parts_->parts_of(order.uid, order.placement)) {
    if (order.kill) {
      parts_->kill(x.stream, x.lane);
      continue;
    }
    x.stream->hurry();
    parts_->submit(x.lane, [stream = x.stream] { stream->stop(); });
  }
}

void stream_host::savepoint(const savepoint_stream& order) {
  auto& p = *parts_;
  const parts::key at{order.uid, order.placement, 0};
  std::shared_ptr<placed_run> stream;
  {
    std::lock_guard guard(p.mutex);
    const auto found = p.streams.find(at);
    if (found != p.streams.end() && !found->second.ended) {
      stream = found->second.stream;
      found->second.savepoints.insert(order.id);
    }
  }
  if (!stream) {
    p.listener.tell(
        savepoint_made{order.id, 0, make_error(ec::conflict, "the stream does not run")});
    return;
  }
  stream->savepoint(order.name, [q = &p, at, id = order.id](const result<epoch_number>& made) {
    if (!q->take_savepoint(at, id))
      return;
    savepoint_made x{id, 0, {}};
    if (made)
      x.epoch = *made;
    else
      x.problem = made.error();
    q->listener.tell(std::move(x));
  });
}

std::vector<hosted_stream> stream_host::hosted() const {
  std::vector<hosted_stream> all;
  for (const auto& x : parts_->all())
    all.push_back(x->name());
  return all;
}

std::vector<stream_status> stream_host::changes(bool all) {
  std::vector<stream_status> changed;
  for (const auto& x : parts_->all())
    if (auto status = x->change(all))
      changed.push_back(std::move(*status));
  return changed;
}

std::size_t stream_host::count() const {
  std::lock_guard guard(parts_->mutex);
  return parts_->streams.size();
}

} // namespace ebb
