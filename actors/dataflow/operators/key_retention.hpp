/// When the keys of an operator were last written, and which of them are to be dropped
/// (retention_spec in changelog_spec.hpp).
///
/// Time is what the operator has been told: its watermark, or ticks. A key is dropped between one
/// and 1.2 spans after it was last written, when time moves on: times of keys are kept roughly, so
/// that a key that is written all the time costs a look, and are saved beside the operator's state.
#pragma once

#include "actors/dataflow/changelog_spec.hpp"
#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/saved_entries.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebb {

class key_retention {
public:
  /// State of its entries: key -> when it was written; an empty key -> the time, for each key
  /// group.
  static constexpr std::uint16_t state = 6;

  /// `index`, which has the keys, outlives it.
  key_retention(const retention_spec& spec, const key_index& index,
                const operator_context& context);

  [[nodiscard]] bool active() const noexcept {
    return spec_.span > 0;
  }

  /// Ticks tell the time.
  [[nodiscard]] bool by_ticks() const noexcept {
    return active() && spec_.processing_time;
  }

  /// Takes the time from an item of an operator with one input.
  void take(const stream_item& item) {
    if (active() && item.kind == (by_ticks() ? item_kind::tick : item_kind::watermark))
      advance(item.time);
  }

  void advance(micros time);

  /// These keys are written now; a slot may come many times. By watermarks that is the next one:
  /// the rows are not before the last, and may be far behind it.
  void touch(std::span<const std::uint32_t> slots) {
    if (!active())
      return;
    make_room();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (i + slots_ahead < slots.size())
        __builtin_prefetch(&written_[slots[i + slots_ahead]]);
      if (written_[slots[i]] == no_key)
        renew(slots[i]);
    }
    recent_.insert(recent_.end(), slots.begin(), slots.end());
    if (recent_.size() > most_recent + 2 * written_.size())
      drop_repeated();
    if (by_ticks())
      settle_recent();
  }

  /// The key is about to be taken out of the index.
  void forget(std::uint32_t slot);

  /// Appends slots that are to be dropped, and looks at so many keys: more than `budget` has rows,
  /// as that costs little. True while there are more.
  [[nodiscard]] bool sweep(step_budget& budget, std::vector<std::uint32_t>& expired);

  // Saving, as of stream_operator. Erases come before any puts.
  void mark();
  void begin_save(change_mark since);
  [[nodiscard]] bool erase_slice(std::uint32_t& left, state_sink& sink); ///< true = all
  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink);  ///< true = all
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::string_view key, std::string_view value);
  /// The operator's keys are loaded, too.
  void finish_load();

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return written_.capacity() * (sizeof(micros) + 1) + recent_.capacity() * sizeof(std::uint32_t)
           + changes_.capacity() * sizeof(changes_[0]);
  }

private:
  static constexpr micros no_key = max_time;
  static constexpr std::size_t slots_ahead = 16; ///< for which memory is fetched
  static constexpr std::size_t most_recent = 1U << 16;

  void make_room() {
    if (written_.size() < index_.slot_count()) {
      written_.resize(index_.slot_count(), no_key);
      saved_.resize(index_.slot_count(), 0);
    }
  }

  /// Gives keys that were written the present time, where theirs is old enough.
  void settle_recent();
  void drop_repeated();

  [[nodiscard]] bool time_to_save(change_mark since) const noexcept {
    return now_ != min_time && (since == 0 || now_changed_at_ > since);
  }

  void renew(std::uint32_t slot) {
    written_[slot] = now_;
    changes_.emplace_back(mark_, slot);
  }

  void put(std::uint32_t slot, micros time, state_sink& sink) const;
  static void put_time(micros time, state_sink& sink);

  retention_spec spec_;
  const key_index& index_;
  std::uint16_t key_groups_;
  owned_groups own_;
  micros grain_;          ///< times of keys are right to so much
  micros now_ = min_time; ///< not known yet: as the times of keys that are written before
  change_mark now_changed_at_ = 0;
  micros next_sweep_ = min_time;
  std::uint32_t at_ = 0;                    ///< next slot of the sweep
  std::uint32_t end_ = 0;                   ///< of the sweep
  std::vector<micros> written_;             ///< by slot
  std::vector<std::uint32_t> recent_;       ///< slots that were touched since time moved on
  mutable std::vector<std::uint8_t> saved_; ///< by slot: an entry may be in saved state

  change_mark mark_ = 1;
  change_mark asked_ = 0;
  std::vector<std::pair<change_mark, std::uint32_t>> changes_; ///< slots, by mark
  erased_keys erased_;
  bool saving_ = false;
  change_mark since_ = 0;
  std::size_t next_erased_ = 0;
  std::size_t erased_end_ = 0;
  std::vector<micros> frozen_;             ///< by slot: what is to be written; no_key = nothing
  std::vector<std::uint32_t> frozen_list_; ///< slots
  std::size_t next_frozen_ = 0;
  micros frozen_now_ = min_time;
  std::uint32_t next_group_ = 0; ///< of the owned ones, that the time is to be written for
  saved_entries early_;          ///< of keys that went before their turn
  std::unordered_map<std::string, micros> loaded_;
  micros loaded_now_ = min_time;
};

} // namespace ebb
