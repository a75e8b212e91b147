/// Keys of state entries: the canonical bytes of a row's key columns, times and sequences in order,
/// and what changed since a mark.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/row_store.hpp"
#include "schemas/assert.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Bytes whose order is the order of the numbers: big-endian, times with the sign flipped.
void put_sequence(std::uint64_t sequence, std::string& out);
void put_time(micros time, std::string& out);
/// Reads what they wrote from the front or the back of `bytes` and removes it. Error: too short.
[[nodiscard]] result<micros> take_time(std::string_view& bytes);
[[nodiscard]] result<std::uint64_t> take_sequence(std::string_view& bytes);
[[nodiscard]] result<std::uint64_t> take_last_sequence(std::string_view& bytes);

/// Appends the canonical encoding of the row's key columns.
void put_row_key(const row_store& rows, std::span<const std::uint32_t> keys, std::uint32_t row,
                 std::string& out);

/// hash_keys over the key columns of stored rows.
void hash_stored(const row_store& store, std::span<const std::uint32_t> keys,
                 std::span<const std::uint32_t> rows, std::uint64_t* hashes);

/// Hashes of a chunk's rows, of all their columns.
[[nodiscard]] std::vector<std::uint64_t> hash_chunk(const row_store& store, std::uint32_t chunk);

/// slots[i] = slot in the index of the key that the stored row rows[i] has.
void resolve_stored(key_index& index, const row_store& store, std::span<const std::uint32_t> keys,
                    std::span<const std::uint32_t> rows, std::vector<std::uint32_t>& slots);

/// Where the sequence of a store stood at the last marks, so that "changed since" is a comparison
/// for rows that are only appended.
class sequence_marks {
public:
  /// Starts a new change number.
  void mark(std::uint64_t next_sequence) noexcept {
    at_[++marks_ % at_.size()] = next_sequence;
  }

  /// Says that all rows up to now were loaded: they are older than any of the `marks`, those to
  /// come are not.
  void loaded(change_mark marks, std::uint64_t next_sequence) noexcept {
    marks_ = marks;
    at_.fill(next_sequence);
  }

  /// First sequence that was given out after `since`, one of the last marks or 0.
  [[nodiscard]] std::uint64_t first_after(change_mark since) const noexcept {
    if (since == 0)
      return 0;
    EBB_ASSERT(since + at_.size() > marks_);
    return since > marks_ ? UINT64_MAX : at_[since % at_.size()];
  }

private:
  change_mark marks_ = 0;
  std::array<std::uint64_t, marks_kept + 1> at_{};
};

/// Things numbered 0..count, sorted by key group, so that saving group after group looks at each
/// thing once.
class group_buckets {
public:
  template <class GroupOf>
  void build(std::uint16_t groups, std::uint32_t count, GroupOf group_of) {
    starts_.assign(groups + std::size_t{1}, 0);
    std::vector<std::uint16_t> of(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      of[i] = group_of(i);
      ++starts_[of[i] + std::size_t{1}];
    }
    for (std::size_t g = 0; g < groups; ++g)
      starts_[g + 1] += starts_[g];
    order_.resize(count);
    auto next = starts_;
    for (std::uint32_t i = 0; i < count; ++i)
      order_[next[of[i]]++] = i;
  }

  [[nodiscard]] std::span<const std::uint32_t> of(std::uint16_t group) const noexcept {
    return std::span(order_).subspan(starts_[group],
                                     starts_[group + std::size_t{1}] - starts_[group]);
  }

private:
  std::vector<std::uint32_t> starts_;
  std::vector<std::uint32_t> order_;
};

/// Prefixes of entries that are gone as a whole (fired panes), until a save has carried them off.
class dropped_panes {
public:
  void add(change_mark now, std::string prefix) {
    panes_.push_back({now, std::move(prefix)});
  }

  /// Erases what was dropped after `since` from each of the states 0..states; `before` stands
  /// before the prefixes. What was dropped after `until` is left out.
  void save(change_mark since, std::uint16_t states, state_sink& sink, std::string_view before = {},
            change_mark until = UINT32_MAX) const;

  /// For a save in pieces, until `forget`: those dropped after `since` have the places
  /// [first_after(since), end()).
  [[nodiscard]] std::size_t first_after(change_mark since) const;

  [[nodiscard]] std::size_t end() const noexcept {
    return panes_.size();
  }

  /// Erases the prefix of one place from each of the states 0..states.
  void erase(std::size_t place, std::uint16_t states, state_sink& sink,
             std::string_view before = {}) const;

  /// Whether `save` erases this prefix.
  [[nodiscard]] bool erases(change_mark since, std::string_view prefix) const noexcept;

  /// Forgets what no save will ask for: the marks asked for only rise.
  void forget();

  /// Largest mark that a save has asked for.
  [[nodiscard]] change_mark asked() const noexcept {
    return asked_;
  }

private:
  struct dropped_pane {
    change_mark dropped_at;
    std::string prefix;
  };

  std::vector<dropped_pane> panes_;
  mutable change_mark asked_ = 0; ///< largest `since` of a save
};

/// Entries of one save, sorted before they go to the sink.
class entry_list {
public:
  void add(std::string key, std::string value) {
    entries_.push_back({std::move(key), std::move(value)});
  }

  /// Puts all, by key, and forgets them.
  void put_sorted(std::uint16_t state, state_sink& sink);

private:
  struct entry {
    std::string key;
    std::string value;
  };

  std::vector<entry> entries_;
};

} // namespace ebb
