/// Keeps the sources of a stream near one another in event time.
///
/// What meets downstream waits for the slowest source: rows of one that is far ahead pile up in
/// open windows and joins. So a source that is ahead may read a bounded amount more, then waits.
/// And what is looked up in a table waits until the table's sources have ended.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace ebb {

/// How much a source has read: a row counts 1, and 1 more for every 256 bytes of input.
using read_amount = std::uint64_t;

[[nodiscard]] constexpr read_amount amount_read(std::uint64_t rows, std::uint64_t bytes) noexcept {
  return rows + bytes / 256;
}

/// What a source says of itself.
struct source_progress {
  micros watermark = min_time; ///< of all that it has read; min_time: not known yet
  read_amount read = 0;
  bool has_rows = true; ///< it reads, or would if it were let; false: quiet, idle or finished
  bool ended = false;   ///< it has given its last row
};

/// How a source meets others.
struct source_role {
  std::uint32_t group = 0; ///< those of one group stay near one another in event time
  bool is_table = false;   ///< while it has not ended, the others get their first grant alone
};

/// Decides for sources whose rows meet. Pure: the sources tell it positions and get grants.
///
/// A grant is the amount that a source may have read in all. Whenever the slowest other source has
/// reached the watermark at which the last grant was given, the next one allows `allowance` more.
/// So a source is never further ahead of the slowest one than two allowances; and the slowest one
/// is never held, so they cannot all wait for each other.
///
/// A source holds others only while it has rows to read, and a watermark or not begun: one that
/// reads without a watermark does not say where it is (of several partitions only the last gives it
/// one), and waiting for it could mean to read one source after the other. A source of a table
/// never waits.
class source_alignment {
public:
  /// Being ahead by so many rows costs a few MB downstream. It takes a source some milliseconds at
  /// full speed, so that sources that share a processor in turns do not wait for each other.
  static constexpr read_amount default_allowance = 65'536;

  explicit source_alignment(read_amount allowance = default_allowance) : allowance_(allowance) {}

  /// One more source; returns its number.
  std::uint32_t join(source_role role = {});

  /// Returns the source's grant. If that is not more than it has read, the source waits until
  /// `released` names it, and then tells its position again.
  [[nodiscard]] read_amount tell(std::uint32_t source, const source_progress& position);

  /// Appends the sources that wait and may go on after the last `tell`; each is named once.
  void released(std::vector<std::uint32_t>& out);

private:
  struct entry {
    source_progress at;
    micros granted_at = min_time; ///< its watermark when it got the grant
    read_amount grant = 0;
    bool waits = false;
    source_role role = {};
  };

  /// The two sources that hold others the most; max_time = none.
  struct slowest {
    micros first = max_time;
    micros second = max_time;
    std::uint32_t number = 0; ///< of the first
  };

  [[nodiscard]] slowest find_slowest(std::uint32_t group) const noexcept;
  [[nodiscard]] bool tables_ended() const noexcept;
  [[nodiscard]] bool may_renew(std::uint32_t source, const slowest& least) const noexcept;

  read_amount allowance_;
  std::vector<entry> entries_;
};

/// Where a source tells its position: the way to its source_alignment. Called by the threads of all
/// its sources.
class source_meeting {
public:
  virtual ~source_meeting() = default;
  /// As source_alignment::tell. Sources that are released by it are woken.
  virtual read_amount tell(std::uint32_t source, const source_progress& position) = 0;
};

/// A source's side; tells its position only now and then. Used by one thread at a time.
class aligned_source {
public:
  /// Meets no other source.
  aligned_source() = default;

  aligned_source(std::shared_ptr<source_meeting> meeting, std::uint32_t number)
      : meeting_(std::move(meeting)), number_(number) {}

  /// Before a read; `watermark`: of what it has read. False: it must not read now, and is woken.
  [[nodiscard]] bool may_read(micros watermark);
  /// After a read: the amount in all, whether there is more, and whether that was the last.
  void has_read(read_amount total, bool has_rows, bool ended);

  /// The last `may_read` said no.
  [[nodiscard]] bool held() const noexcept {
    return held_;
  }

private:
  void tell();

  std::shared_ptr<source_meeting> meeting_;
  std::uint32_t number_ = 0;
  source_progress at_;
  read_amount tell_at_ = 0; ///< amount at which to tell the position again
  bool held_ = false;
};

} // namespace ebb
