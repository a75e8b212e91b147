/// The open sessions of every key: which session a row belongs to, which sessions become one, and
/// which have ended. Knows keys and accumulators only by their numbers. Pure.
#pragma once

#include "actors/dataflow/operators/window_slicer.hpp"

#include <map>
#include <memory>
#include <vector>

namespace ebb {

class session_store {
public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// A session by its first and last row; its number is that of its accumulators.
  struct session {
    micros first = 0;
    micros last = 0;
    std::uint32_t number = none;
    std::uint32_t key = none;
  };

  /// Session `from` has become part of `into`.
  struct merge {
    std::uint32_t into;
    std::uint32_t from;
  };

  /// Rows up to `gap` (> 0) apart belong together.
  explicit session_store(micros gap);

  /// Makes room for keys 0..count.
  void resize(std::uint32_t count) {
    if (keys_.size() < count)
      keys_.resize(count);
  }

  void prefetch(std::uint32_t key) const noexcept {
    __builtin_prefetch(keys_.data() + key, 1);
  }

  /// Takes a row: makes, extends or merges sessions of its key; returns the row's session. Merges
  /// are added to `merges()`, whose numbers stay taken until `forget_merges`.
  [[nodiscard]] std::uint32_t take(std::uint32_t key, micros time) {
    auto& k = keys_[key];
    // Unsigned: true only for a time at or up to a gap after the newest session's last row.
    if (static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(k.last) <= gap_
        && k.number != none && time >= k.last) [[likely]] {
      k.last = time;
      return k.number;
    }
    return take_slow(key, time);
  }

  [[nodiscard]] const std::vector<merge>& merges() const noexcept {
    return merges_;
  }

  void forget_merges() {
    merges_.clear();
  }

  /// End of the earliest-ending session that a row would become part of; max_time = of none.
  [[nodiscard]] micros end_touched(std::uint32_t key, micros time) const;

  /// Last moment of a session that consists of a row at `time`.
  [[nodiscard]] micros end_of(micros time) const noexcept {
    return saturated_sum(time, static_cast<micros>(gap_));
  }

  /// Sessions ever numbered; numbers are reused.
  [[nodiscard]] std::uint32_t number_count() const noexcept {
    return static_cast<std::uint32_t>(owners_.size());
  }

  /// Moves sessions that end before `time` (all, for max_time) to the end of `out`, by end, then
  /// first row. Their numbers stay taken until `release`.
  void expire(micros time, std::vector<session>& out);
  void release(const session& x);

  /// Sessions of a key that `expire` has not taken or `release` has not released.
  [[nodiscard]] std::uint32_t count(std::uint32_t key) const noexcept {
    return keys_[key].count;
  }

  /// A time after which some session may have ended; max_time = no sessions.
  [[nodiscard]] micros next_end() const noexcept;

  /// Open sessions of a key, by first row.
  void sessions_of(std::uint32_t key, std::vector<session>& out) const;
  /// Puts back an open session; the key's sessions come in order.
  std::uint32_t restore(std::uint32_t key, micros first, micros last);
  /// Numbers an expired session that is to be released later.
  session restore_expired(std::uint32_t key, micros first, micros last);

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  struct older_session {
    micros last = 0;
    std::uint32_t number = none;
  };

  using older_sessions = std::map<micros, older_session>; ///< by first row

  /// The newest session of a key, and the others where it has several.
  struct key_sessions {
    micros first = 0;
    micros last = 0;
    std::uint32_t number = none;
    std::uint32_t count = 0;
    std::unique_ptr<older_sessions> older;
  };

  /// Whose a session is. `first` is kept for older sessions only.
  struct owner {
    micros first = 0;
    std::uint32_t key = none; ///< none = merged away; freed when its timer comes
  };

  [[nodiscard]] std::uint32_t take_slow(std::uint32_t key, micros time);
  [[nodiscard]] std::uint32_t take_before_newest(std::uint32_t key, micros time);
  [[nodiscard]] std::uint32_t take_among_older(std::uint32_t key, micros time);
  void move_newest_to_older(key_sessions& k);
  void add_older(key_sessions& k, micros first, const older_session& x);
  [[nodiscard]] std::uint32_t make(std::uint32_t key, micros time);
  void merge_away(std::uint32_t from, std::uint32_t into);
  [[nodiscard]] micros bucket_of(micros end) const noexcept;
  void set_timer(micros end, std::uint32_t number);
  [[nodiscard]] session find(std::uint32_t number) const;
  void remove(const session& x);

  [[nodiscard]] bool near(micros earlier, micros later) const noexcept {
    return static_cast<std::uint64_t>(later) - static_cast<std::uint64_t>(earlier) <= gap_;
  }

  std::uint64_t gap_;
  micros bucket_width_;
  std::vector<key_sessions> keys_;
  std::vector<owner> owners_; ///< by session number
  std::vector<std::uint32_t> free_;
  std::vector<merge> merges_;
  /// Each session has one timer, in the bucket of an end that it had; sessions that have grown are
  /// put further when their bucket comes.
  std::map<micros, std::vector<std::uint32_t>> timers_;
};

} // namespace ebb
