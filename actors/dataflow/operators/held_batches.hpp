/// Batches that wait, in order, with all that belongs to their rows, and their place in state.
#pragma once

#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/batch.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

namespace ebb {

/// An entry a row: its number as key, in the group of its key columns. For few rows: each save
/// writes all that are new, each release erases what was saved.
class held_batches {
public:
  /// Entries have the number `state`.
  held_batches(std::vector<sql_type> types, std::vector<std::uint32_t> keys, std::uint16_t state,
               std::uint16_t key_groups)
      : types_(std::move(types)), keys_(std::move(keys)), state_(state), key_groups_(key_groups) {}

  void hold(batch_ptr rows);

  [[nodiscard]] bool empty() const noexcept {
    return batches_.empty();
  }

  /// The oldest batch, of which rows may have been released already.
  [[nodiscard]] const batch_ptr& front() const noexcept {
    return batches_.front().rows;
  }

  /// The first of its rows that is held.
  [[nodiscard]] std::uint32_t first_held() const noexcept {
    return batches_.front().released;
  }

  /// Its rows before `row` are held no more; all of them: nor is the batch.
  void release(std::uint32_t row);

  // As of stream_operator.
  void mark();
  void begin_save(change_mark since);
  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink); ///< true = all
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::string_view key, std::string_view value);
  void finish_load();

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return bytes_;
  }

private:
  struct held {
    batch_ptr rows;
    std::vector<std::uint64_t> numbers;
    std::vector<std::uint16_t> groups;
    change_mark since = 0; ///< change number when it came
    std::uint32_t released = 0;
  };

  /// Rows that are being loaded.
  struct loaded_rows {
    std::vector<value_builder> columns;
    std::vector<std::uint64_t> numbers;
    std::vector<micros> watermarks;
    value_builder weights{sql_type{type_kind::integer}};
  };

  [[nodiscard]] std::vector<std::uint16_t> groups_of(const batch& rows) const;
  void put(const held& x, std::uint32_t i, state_sink& sink) const;

  std::vector<sql_type> types_;
  std::vector<std::uint32_t> keys_;
  std::uint16_t state_;
  std::uint16_t key_groups_;
  std::deque<held> batches_;
  std::uint64_t next_number_ = 0;
  std::size_t bytes_ = 0;
  change_mark now_ = 1;
  erased_keys erased_;
  std::unique_ptr<loaded_rows> loading_;

  // A save under way.
  std::vector<held> frozen_;
  std::size_t next_batch_ = 0;
  std::uint32_t next_row_ = 0;
  change_mark since_ = 0;
  change_mark asked_ = 0;
  std::size_t next_erased_ = 0;
  std::size_t erased_end_ = 0;
};

} // namespace ebb
