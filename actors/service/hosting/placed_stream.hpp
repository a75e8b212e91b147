/// One stream that a host runs: from the order to start it to the end of its actors.
#pragma once

#include "actors/runtime/prepare_run.hpp"
#include "actors/runtime/stream_run.hpp"
#include "actors/service/hosting/stream_host.hpp"

#include <caf/fwd.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace ebb {

/// `open`, `stop` and `close` block and are called by one I/O lane; the others are thread-safe and
/// do not.
class placed_stream {
public:
  /// All outlive it.
  placed_stream(start_stream order, caf::actor_system& system,
                const stream_environment& environment, host_services& services);

  /// Plans it, restores its state, starts its actors. `concluded` is called from an actor's thread
  /// when they have ended (from this one, where the stream had finished before); not, where the
  /// result is an error. ec::cancelled after `kill`.
  [[nodiscard]] result<stream_started> open(const std::function<void()>& concluded);

  /// How it ended. Its handles go.
  [[nodiscard]] stream_ended close();

  /// Sources stop, the last checkpoint is made. Waits for the first reports of all subtasks, since
  /// they say when the stream wants to be woken.
  void stop();
  /// As if the process had been killed; also while it opens.
  void kill();
  /// `answer` is called once, or never where the stream ends before.
  void savepoint(const std::string& name,
                 std::function<void(const result<epoch_number>&)> answer) const;

  [[nodiscard]] hosted_stream name() const;
  /// Nothing while it starts, after its end, and, unless `always`, where nothing has changed since
  /// the last call. It is busy where rows have moved since then.
  [[nodiscard]] std::optional<stream_status> change(bool always);

  [[nodiscard]] stream_placement placement() const {
    return {order_.uid, order_.placement};
  }

private:
  result<void> plan();
  [[nodiscard]] stream_status status(const stream_report& from) const;

  start_stream order_;
  caf::actor_system& system_;
  const stream_environment& environment_;
  host_services& services_;

  /// Lives until the last of its actors has ended.
  struct parts {
    planned_stream planned;
    std::unique_ptr<topic_access> topics;
    std::unique_ptr<connector_factory> connectors;
  };

  const std::shared_ptr<parts> parts_ = std::make_shared<parts>();
  std::shared_ptr<checkpoint_board> board_;

  mutable std::mutex mutex_; ///< guards what follows
  std::unique_ptr<stream_run> run_;
  std::uint64_t generation_ = 0;
  bool killed_ = false;
  micros next_timer_ = max_time;      ///< when the stop was ordered
  std::optional<stream_status> told_; ///< the last one
};

} // namespace ebb
