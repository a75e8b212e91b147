/// A stream's actors in this process and those in others: what crosses, both ways.
#pragma once

#include "actors/runtime/handles.hpp"
#include "actors/runtime/stats_board.hpp"
#include "schemas/peer_records.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ebb {

/// The way to one other part. Thread-safe.
class peer_channel {
public:
  virtual ~peer_channel() = default;
  /// Does not block. Messages of one thread keep their order. After an error nothing goes any more.
  [[nodiscard]] virtual result<void> send(const peer_message& x) = 0;
  /// Closes when what waits is sent. The other side sees that the part has ended.
  virtual void finish() = 0;
};

/// Thread-safe, but for `connect`. Messages of an actor reach an actor in the order in which they
/// were sent. Where a channel closes or breaks, the stream cannot go on: its supervisor is told,
/// once.
class stream_peers {
public:
  /// `parts`: of the stream; `part`: this one.
  stream_peers(std::uint32_t part, std::uint32_t parts, generation_number generation)
      : part_(part), generation_(generation), channels_(parts) {}

  /// Before `attach`.
  void connect(std::uint32_t part, std::shared_ptr<peer_channel> channel) {
    channels_[part] = std::move(channel);
  }

  struct actors {
    /// By number; those of other parts are stand-ins (remote_subtask.hpp).
    std::vector<subtask_actor> subtasks;
    std::vector<std::uint32_t> parts; ///< of the subtasks
    std::vector<std::shared_ptr<stats_board>> boards;
    supervisor_actor supervisor;
    coordinator_actor coordinator; ///< part 0: null without checkpoints; others: null
  };

  /// The actors are there.
  void attach(actors x);

  /// Called by `attach`, in its thread; set before.
  std::function<void()> attached;

  /// The actors end: what comes from now on is dropped, and channels are finished.
  void detach();

  /// To a part. An error is told to the supervisor.
  void send(std::uint32_t part, const peer_message& x);

  /// To all other parts.
  void send_all(const peer_message& x);

  // From the channels, in any thread.

  void receive(std::uint32_t from, peer_message&& x);

  /// The channel to a part has closed.
  void lost(std::uint32_t part, const error& why);

  /// The stream cannot go on; the supervisor is told the first time.
  void fail(const error& why);

  /// What is said of a part that is lost: ec::cancelled.
  [[nodiscard]] static error loss_of(std::uint32_t part, const error& why);

  [[nodiscard]] std::uint32_t part() const noexcept {
    return part_;
  }

  [[nodiscard]] generation_number generation() const noexcept {
    return generation_;
  }

private:
  [[nodiscard]] std::shared_ptr<const actors> known();
  void take(peer_items&& x);
  void take(const peer_credit& x);
  void take(const peer_order& x);
  void take(std::uint32_t from, peer_report&& x);
  void take(std::uint32_t from, const peer_written& x);
  void take(const peer_stats& x);

  const std::uint32_t part_;
  const generation_number generation_;
  std::vector<std::shared_ptr<peer_channel>> channels_; ///< by part; null: this one

  std::mutex mutex_; ///< guards what follows
  std::shared_ptr<const actors> actors_;
  bool failed_ = false;
  bool detached_ = false;
  std::optional<error> early_; ///< a failure before the actors were there
};

/// Of the counters that a subtask shows, for peer_stats.
[[nodiscard]] peer_stats to_peer_stats(std::uint32_t subtask, const stats_board::entry& x);
[[nodiscard]] stats_board::entry from_peer_stats(const peer_stats& x);

/// What a process has made durable, for peer_written.
[[nodiscard]] peer_written to_peer_written(epoch_number epoch, const written_part& x);
[[nodiscard]] written_part from_peer_written(const peer_written& x);

} // namespace ebb
