/// Finds or makes a dense slot number for each key of a batch: the table behind every keyed state.
///
/// One open-addressing table per key group (a group can be saved, loaded or dropped alone); slots
/// and stored keys are shared by all groups, so accumulators are dense arrays over slots. Keys of
/// one or two fixed-width columns are compared as words, others by their canonical bytes.
#pragma once

#include "actors/dataflow/key_encoding.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ebb {

class key_index {
public:
  static constexpr std::uint32_t no_slot = UINT32_MAX;

  key_index(std::vector<sql_type> key_types, std::uint16_t key_groups);
  ~key_index();
  key_index(key_index&&) noexcept;
  key_index& operator=(key_index&&) noexcept;

  /// slots[i] = slot of row i's key, made if new. `hashes` from hash_keys over the same columns.
  /// Touched slots are marked as changed. With `picks`, row picks[i] instead of row i.
  void resolve(std::span<const column* const> keys, const std::uint64_t* hashes,
               const std::uint32_t* picks, std::uint32_t count, std::uint32_t* slots);

  /// As `resolve`, for restored keys, which are new here: they have not changed since the first
  /// mark.
  void resolve_restored(std::span<const column* const> keys, const std::uint64_t* hashes,
                        std::uint32_t count, std::uint32_t* slots);

  /// As `resolve` without making new slots: `no_slot` where the key is absent. Marks nothing.
  void find(std::span<const column* const> keys, const std::uint64_t* hashes,
            const std::uint32_t* picks, std::uint32_t count, std::uint32_t* slots) const;

  /// As `resolve`, for the keys of another index over the same key types: into[i] = our slot of
  /// from's slot theirs[i].
  void resolve_from(const key_index& from, std::span<const std::uint32_t> theirs,
                    std::uint32_t* into);

  /// Slots ever given out; live ones are below. Freed slots are reused.
  [[nodiscard]] std::uint32_t slot_count() const noexcept;
  [[nodiscard]] std::uint32_t live() const noexcept;

  void erase(std::uint32_t slot);
  void clear();

  /// Key column k of the given slots, values as first seen.
  [[nodiscard]] column key_column(std::size_t k, std::span<const std::uint32_t> slots) const;
  /// False where the canonical bytes lose how a key was written (scale, -0.0, interval parts); then
  /// state must keep `key_column`'s values beside them.
  [[nodiscard]] bool exact() const noexcept;
  [[nodiscard]] std::uint64_t hash_of(std::uint32_t slot) const noexcept;
  /// By slot, as long as no slot is made or cleared.
  [[nodiscard]] std::span<const std::uint64_t> hashes() const noexcept;
  /// Canonical bytes of the slot's key.
  void encode(std::uint32_t slot, std::string& out) const;
  /// The same without a copy, where keys are kept as bytes (a column wider than a word, or many);
  /// valid until a slot is made or erased.
  [[nodiscard]] std::string_view encoded(std::uint32_t slot) const noexcept;
  /// Slot of a key given by its canonical bytes, made if new.
  [[nodiscard]] result<std::uint32_t> resolve_encoded(std::string_view key);

  /// Live slots of a key group, in no particular order.
  void slots_of_group(std::uint16_t group, std::vector<std::uint32_t>& out) const;

  /// Change numbers: `mark()` starts a new one; a slot's number is that of its last touch.
  std::uint32_t mark();
  /// Goes on with a number that others have reached, before the first key.
  void start_at(std::uint32_t mark) noexcept;
  [[nodiscard]] std::uint32_t changed_at(std::uint32_t slot) const noexcept;
  void touch(std::uint32_t slot);

  /// Starts a save of the slots that changed after `since` and not after the last mark, just after
  /// `mark`. From now on, after `resolve`, `resolve_from` and `touch`, `preserved` names those that
  /// must be written before their values change; whoever has done so empties it. `take_frozen`
  /// appends some of the others, false = there are no more.
  void freeze(std::uint32_t since);
  void unfreeze();
  [[nodiscard]] bool frozen() const noexcept;
  [[nodiscard]] std::vector<std::uint32_t>& preserved() noexcept;
  [[nodiscard]] bool take_frozen(std::size_t most, std::vector<std::uint32_t>& out);

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace ebb
