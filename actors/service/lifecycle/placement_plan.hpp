/// Which worker process gets a stream, when one is started and when one may go. Pure.
#pragma once

#include "schemas/types.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

struct placement_limits {
  std::size_t warm = 1;                         ///< idle workers kept for the next stream
  std::size_t max_workers = 8;                  ///< then streams share them
  micros share_after = micros_per_second / 4;   ///< a stream waits so long for a worker of its own
  micros idle_grace = 30 * micros_per_second;   ///< then an idle worker beyond the warm ones ends
  micros ready_within = 15 * micros_per_second; ///< of a worker's start, else it is killed
  micros drop_within = 5 * micros_per_second;   ///< of `drop`, else its worker is killed
  micros backoff_min = micros_per_second;       ///< between starts, when workers die at once
  micros backoff_max = 60 * micros_per_second;
  micros well_after = 5 * micros_per_second; ///< a worker that dies earlier died at once
  /// A worker takes one stream and no other, ever. It is started for it, or (`warm`) for none yet.
  bool own = false;
  /// With `own`: warm workers that are kept for streams of one pool alone, besides `warm`, which
  /// are for the streams of no such pool.
  std::map<std::string, std::size_t> pools = {};
  /// With `own`: a warm one that was taken is replaced so much later, so that the wake has the
  /// machine.
  micros refill_after = micros_per_second;
};

/// One start of a stream, or of one part of it where it is spread over several workers.
struct placement_key {
  std::string stream; ///< any form, unique
  std::uint64_t placement = 0;
  std::uint32_t part = 0;

  auto operator<=>(const placement_key&) const = default;
};

enum class worker_state : std::uint8_t { starting, ready };

/// The pool of one machine. A stream has a worker of its own while there is one; when there are
/// `max_workers`, the least loaded one takes the next. Workers are numbered by this class.
class placement_plan {
public:
  struct effect {
    enum class kind : std::uint8_t {
      /// Start process `worker`, for `key` where workers are streams' own; then `worker_ready` or
      /// `worker_lost`.
      start_worker,
      assign,      ///< tell `worker` to run `key`
      drop,        ///< tell `worker` to drop `key`; then `dropped`
      end_worker,  ///< tell it to end, it has nothing; then `worker_lost`
      kill_worker, ///< SIGKILL; then `worker_lost`
      lost,        ///< the worker of `key` is gone: the stream's `worker_lost`
    };
    kind what;
    std::uint64_t worker = 0;
    placement_key key;
  };

  /// `first_worker`: numbers below were given out by earlier incarnations of the control process.
  /// Until `start_from` their workers may come back: none is started before.
  placement_plan(const placement_limits& limits, std::uint64_t first_worker, micros now,
                 micros start_from = 0);

  /// Wants a worker; that of (key.stream, `after`, key.part) if it is still there, 0 = any.
  /// `warm`: one that was started for no stream will do, where workers take one stream: one of
  /// `pool`, if there is such a pool.
  void place(const placement_key& key, std::uint64_t after, micros now, bool warm = true,
             const std::string& pool = {});
  /// Has ended by itself; its place is free.
  void release(const placement_key& key, micros now);
  /// Is to be dropped; its place is free when the worker has, or is dead. Unknown ones mean
  /// nothing.
  void kill(const placement_key& key, micros now);
  void dropped(const placement_key& key, micros now);

  /// All workers of before are back: others may be started.
  void returned(micros now);
  void worker_ready(std::uint64_t worker, std::int64_t pid, micros now);
  /// It has ended or was cut off (then the caller sees to it that it ends).
  void worker_lost(std::uint64_t worker, micros now);
  /// One came back, of this or of an earlier incarnation, with what it has (ended runs, too).
  void worker_back(std::uint64_t worker, std::int64_t pid, const std::vector<placement_key>& runs,
                   micros now);
  void tick(micros now);

  [[nodiscard]] std::vector<effect> take_effects();
  [[nodiscard]] micros next_time() const noexcept;

  struct worker_view {
    std::uint64_t worker = 0;
    std::int64_t pid = 0;
    worker_state state = worker_state::starting;
    micros since = 0;
    bool ending = false;
    std::vector<placement_key> runs;
  };

  [[nodiscard]] std::vector<worker_view> workers() const;
  /// 0 = none (yet).
  [[nodiscard]] std::uint64_t worker_of(const placement_key& key) const;

  /// Parts of a placement that have a worker or wait for one, in their order.
  [[nodiscard]] std::vector<placement_key> parts_of(const std::string& stream,
                                                    std::uint64_t placement) const;

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.size();
  }

  /// One sentence on why the placement has no worker yet; empty when it has.
  [[nodiscard]] std::string why(const placement_key& key, micros now) const;

private:
  struct worker_entry {
    std::int64_t pid = 0;
    worker_state state = worker_state::starting;
    micros since = 0;      ///< in this state
    micros idle_since = 0; ///< ready and without streams
    bool ending = false;
    bool killed = false;
    std::string only;                     ///< the stream that it is for; empty = any
    std::string pool;                     ///< of which it may be, where it is for any
    std::map<placement_key, micros> runs; ///< when it must have been dropped; max_time = runs
  };

  struct request {
    placement_key key;
    micros since = 0;
    bool warm = true;
    std::string pool = {}; ///< empty = of none that has warm workers of its own
  };

  [[nodiscard]] static bool takes_streams(const worker_entry& x) noexcept;
  [[nodiscard]] static bool is_idle(const worker_entry& x) noexcept;
  [[nodiscard]] bool is_unwanted(const worker_entry& x) const;
  [[nodiscard]] std::size_t count_idle() const;
  [[nodiscard]] std::size_t count_starting() const;
  [[nodiscard]] std::size_t count_spare(const std::string& pool) const;
  [[nodiscard]] std::size_t warm_of(const std::string& pool) const;
  [[nodiscard]] std::vector<std::string> pools() const;
  [[nodiscard]] bool may_end(const worker_entry& x) const noexcept;
  [[nodiscard]] micros backoff() const noexcept;
  void assign(const placement_key& key, std::uint64_t worker);
  void forget(const placement_key& key);
  void advance();
  void kill_late();
  void serve();
  void serve_own();
  void start_own();
  void start_warm(const std::string& pool);
  void start_workers();
  void end_idle();
  void end_own_idle();

  placement_limits limits_;
  std::map<std::uint64_t, worker_entry> workers_;
  std::map<placement_key, std::uint64_t> homes_;
  std::vector<request> waiting_;
  std::uint64_t next_worker_;
  std::uint32_t failures_ = 0; ///< starts in a row that died at once
  micros start_after_ = 0;
  micros failed_at_ = 0;
  micros refill_at_ = 0;
  micros now_;
  std::vector<effect> effects_;
};

} // namespace ebb
