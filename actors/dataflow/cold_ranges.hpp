/// Which part of a subtask's restored state is still in its segments only.
///
/// The subtask's entries, in the order (key group, state, key), are cut into ranges. A range is
/// loaded as a whole, before anything in it is looked at or changed, and never again: so what the
/// restored epoch held never meets what has happened since. Pure; used by one thread at a time.
#pragma once

#include "actors/dataflow/snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Everything in [from, to).
struct cold_span {
  state_place from;
  state_place to;
};

class cold_ranges {
public:
  /// Ranges over [from, to). `cuts`, inside and in any order, are where one ends and the next
  /// begins.
  cold_ranges(const state_place& from, const std::vector<state_place>& cuts, const state_place& to);

  /// A range ends here and another begins, where neither has been wanted yet.
  void cut(const state_place& at);

  /// The entry with this key is needed: its range is wanted.
  void want(std::uint16_t key_group, std::uint16_t state, std::string_view key);
  /// All entries in [from, to) are: cuts are made there, so that no others are loaded with them.
  void want_span(const state_place& from, const state_place& to);

  /// True when all that was wanted is loaded.
  [[nodiscard]] bool ready() const noexcept {
    return missing_ == 0;
  }

  [[nodiscard]] bool complete() const noexcept {
    return cold_ == 0;
  }

  /// Everything of this key group is loaded.
  [[nodiscard]] bool loaded(std::uint16_t key_group) const noexcept {
    return left_[static_cast<std::size_t>(key_group - first_group_)] == 0;
  }

  /// Takes up to `most` ranges to be read, neighbours as one span: those that are wanted; else,
  /// where a quarter of all has been, others, since the rest will then be wanted soon. Empty =
  /// none.
  [[nodiscard]] std::vector<cold_span> take(std::size_t most);

  /// What `take` gave has been read and loaded.
  void loaded(const cold_span& span);

private:
  enum class status : std::uint8_t { cold, wanted, asked, wanted_asked, loaded };

  // By its start, as bytes in the order of places; the last element is the end of all.
  using range_map = std::map<std::string, status, std::less<>>;
  using range = range_map::iterator;

  [[nodiscard]] range find(std::string_view place);
  void cut(std::string_view place);
  void want(range x);
  void count_groups(range x, std::int32_t by);

  range_map ranges_;
  std::uint16_t first_group_;
  std::vector<std::int32_t> left_; ///< of each key group: ranges that are not loaded
  std::vector<range> wanted_;      ///< and not taken, in any order
  std::size_t missing_ = 0;        ///< wanted and not loaded
  std::size_t cold_ = 0;           ///< not loaded
  std::size_t taken_ = 0;          ///< so far
  range next_;                     ///< none before it is cold and not taken
};

} // namespace ebb
