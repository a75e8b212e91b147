/// What the keeper of a service's streams reaches the world through.
#pragma once

#include "schemas/link_records.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ebb {

class control_records;
class topic_registry;
struct stream_slot;
struct wake_trace;

/// Called on the keeper's thread; nothing blocks.
class keeper_world {
public:
  virtual ~keeper_world() = default;

  /// Processing time, never falling.
  [[nodiscard]] virtual micros now() const = 0;

  /// Runs `work` on an I/O thread, in order with other work of the control database, then `then` on
  /// the keeper's thread.
  virtual void run(std::function<void()> work, std::function<void()> then) = 0;

  /// The keeper's `tick` is to be called at this time; replaces an earlier one.
  virtual void call_at(micros when) = 0;

  /// A process; `keeper::worker_here` or `worker_gone` comes.
  virtual void start_worker(std::uint64_t worker) = 0;

  /// The same, for this start of a stream that alone will run there (placement_limits::own).
  virtual void start_worker_for(std::uint64_t worker, const stream_slot&, std::uint64_t placement) {
    static_cast<void>(placement);
    start_worker(worker);
  }

  /// A worker that was started for none has become the stream's.
  virtual void worker_is_for(std::uint64_t worker, const stream_slot&, std::uint64_t placement) {
    static_cast<void>(worker);
    static_cast<void>(placement);
  }

  /// Whether a worker that was started for no stream has all that this one asks for.
  [[nodiscard]] virtual bool takes_warm(const stream_slot&) const {
    return true;
  }

  virtual void kill_worker(std::uint64_t worker) = 0;

  /// False where it is not connected.
  virtual bool send(std::uint64_t worker, const link_message& what) = 0;

  [[nodiscard]] virtual control_records& records() = 0;
  [[nodiscard]] virtual topic_registry& topics() = 0;

  /// Where `moved` of the registry is of interest to the keeper.
  virtual void listen(const std::string& topic, bool on) = 0;

  /// For the metrics: how a stream is now, whose phase was shown as `x.shown`; and a wake that is
  /// over.
  virtual void show(const stream_slot& x) = 0;
  virtual void show(const wake_trace& x) = 0;

  /// A line of the stream's log.
  virtual void said(const stream_slot&, const log_line&) {}

  /// The stream reads the topics of `x.inputs` now.
  virtual void reads(const stream_slot& x) = 0;
  virtual void gone(const stream_slot& x) = 0;
};

} // namespace ebb
