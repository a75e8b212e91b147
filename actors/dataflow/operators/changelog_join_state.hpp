/// The two sides of a changelog join: rows in chains by key, and how many partners they have.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/changing_rows.hpp"
#include "actors/dataflow/operators/cold_groups.hpp"
#include "actors/dataflow/operators/join_pairs.hpp"
#include "actors/dataflow/operators/key_retention.hpp"
#include "actors/dataflow/operators/net_batch.hpp"
#include "actors/dataflow/operators/row_finder.hpp"
#include "actors/dataflow/operators/saved_sequences.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace ebb {

class changelog_join_state {
public:
  static constexpr std::uint32_t no_row = row_store::no_row;

  changelog_join_state(const changelog_join_spec& spec, const operator_context& context);

  /// The rows of one input's batch that come and go with a key, by key. Rows that go can still be
  /// read until the next `take`.
  struct change {
    std::uint32_t slot = 0;
    std::uint32_t row = no_row;
    bool comes = false;
  };

  /// Applies a batch of one side: `changes` are sorted by slot, those that go first. Rows with a
  /// NULL key are not kept; `lone_deleted` and `lone_inserted` are their places in the batch.
  struct taken_batch {
    std::vector<change> changes;
    std::vector<std::uint32_t> lone_deleted;
    std::vector<std::uint32_t> lone_inserted;
  };

  [[nodiscard]] result<void> take(std::size_t side, const batch& rows, taken_batch& out);

  /// Slots of rows `picks`, whose keys are not NULL, by the keys of side `s`; key_index::no_slot
  /// where nothing is kept of the key.
  void look_up(std::size_t s, const batch& rows, const std::vector<std::uint32_t>& picks,
               std::vector<std::uint32_t>& slots);

  /// Forgets slots whose last row went with the last `take`.
  void finish_batch();

  /// Is told the time.
  [[nodiscard]] key_retention& retention() noexcept {
    return retention_;
  }

  [[nodiscard]] bool by_ticks() const noexcept {
    return retention_.by_ticks();
  }

  /// Drops rows of keys that were not written for long; true = there are more.
  [[nodiscard]] bool drop_some(step_budget& budget);

  [[nodiscard]] const row_store& rows(std::size_t side) const noexcept {
    return sides_[side].kept.rows();
  }

  /// Newest row of a key.
  [[nodiscard]] std::uint32_t head(std::uint32_t slot, std::size_t side) const noexcept {
    return heads_[slot].of[side];
  }

  /// The next older row of the same key.
  [[nodiscard]] std::uint32_t older(std::size_t side, std::uint32_t row) const noexcept {
    return sides_[side].older.at(rows(side), row);
  }

  /// Rows of a key.
  [[nodiscard]] std::uint32_t count(std::uint32_t slot, std::size_t side) const noexcept {
    return heads_[slot].count[side];
  }

  /// Partners of a row, where each must be looked at and the number matters.
  [[nodiscard]] std::uint32_t& partners(std::size_t side, std::uint32_t row) noexcept {
    return sides_[side].partners.at(rows(side), row);
  }

  [[nodiscard]] bool counts_partners(std::size_t side) const noexcept {
    return sides_[side].counts_partners;
  }

  // As of stream_operator.
  void mark();
  void begin_save(change_mark since);
  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink); ///< true = all
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  /// Counts partners of the rows, with `pairs`, where that is done.
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value, join_pairs* pairs);

  [[nodiscard]] bool loads_late() const noexcept {
    return !retention_.active(); // which must look at all
  }

  void wish(const stream_item& item, state_wishes& wishes);
  void all_loaded();

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  /// Newest row of a key by side, and how many there are.
  struct chain_heads {
    std::array<std::uint32_t, 2> of{no_row, no_row};
    std::array<std::uint32_t, 2> count{0, 0};
  };

  struct join_side {
    join_side(const std::vector<sql_type>& types, std::vector<std::uint32_t> keys, bool updates,
              bool counts, std::uint16_t state, std::uint16_t key_groups);

    changing_rows kept;
    net_batch net;
    bool updating;
    bool counts_partners;
    row_array<std::uint32_t> older;
    row_array<std::uint32_t> newer;    ///< updating
    row_array<std::uint32_t> hashes;   ///< updating: of the whole row
    row_finder finder;                 ///< updating: by these
    row_array<std::uint32_t> partners; ///< where they are counted
  };

  void resolve(const join_side& side, const batch& rows, const std::vector<std::uint32_t>& picks);
  [[nodiscard]] result<void> delete_rows(std::size_t s, const batch& rows, taken_batch& out);
  [[nodiscard]] result<void> insert_rows(std::size_t s, const batch& rows, taken_batch& out);
  void link(std::size_t s, std::uint32_t slot, std::uint32_t row);
  void unlink(std::size_t s, std::uint32_t slot, std::uint32_t row);
  void drop_key(std::uint32_t slot);
  [[nodiscard]] result<void> count_partners(std::size_t s, join_pairs& pairs);
  [[nodiscard]] std::vector<std::uint64_t> next_sequences() const;
  void grow(join_side& side);
  [[nodiscard]] result<void> move_rows(std::size_t s);
  [[nodiscard]] error not_there(const batch& rows, std::uint32_t i, const join_side& side) const;

  std::uint16_t key_groups_;
  key_index index_;
  key_retention retention_;
  std::vector<chain_heads> heads_; ///< by slot
  std::array<join_side, 2> sides_;
  saved_sequences sequences_;
  cold_groups cold_;
  std::vector<std::uint32_t> emptied_; ///< slots that may have no rows left

  std::vector<std::uint32_t> picks_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> from_;
  std::vector<std::uint32_t> to_;
};

} // namespace ebb
