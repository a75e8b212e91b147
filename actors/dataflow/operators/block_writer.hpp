/// Writes the rows of a store into state entries of many rows each: a block holds rows of one key
/// group, in the order of their sequences.
///
/// Key: the sequence of the first row. Value: a version byte and packs (row_pack.hpp). A block
/// closes at some ten KiB, and at the end of a save.
#pragma once

#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operators/frozen_rows.hpp"
#include "actors/dataflow/operators/row_pack.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// First byte of a block.
inline constexpr char block_version = 1;

class block_writer {
public:
  /// `keys`: columns that decide about a row's key group.
  block_writer(std::vector<std::uint32_t> keys, std::uint16_t state, std::uint16_t key_groups)
      : keys_(std::move(keys)), state_(state), key_groups_(key_groups) {}

  /// A block that was put: key group, first sequence, number of rows.
  using on_put = std::function<void(std::uint16_t, std::uint64_t, std::uint32_t)>;

  /// Freezes the rows with sequences from `first` on. What an earlier save left is dropped.
  void start(const row_store& rows, std::uint64_t first);

  /// Writes about `left` rows, without those that `leave_out` names; true = all are written.
  template <class LeaveOut>
  [[nodiscard]] bool save_slice(const row_store& rows, const LeaveOut& leave_out,
                                std::uint32_t& left, state_sink& sink, const on_put& put) {
    while (left != 0 && !done_) {
      if (next_column_ < rows.types().size())
        add_column(rows, left);
      else if (more_)
        take_rows(rows, leave_out, left, sink, put);
      else
        close_all(left, sink, put);
    }
    return done_;
  }

  /// Puts the given rows of one key group, by rising sequence.
  void put_rows(const row_store& rows, std::span<const std::uint32_t> numbers, state_sink& sink,
                const on_put& put) const;

private:
  // Enough that packs are long, and what a piece of work reads fits a processor's cache.
  static constexpr std::uint32_t window_rows = 2 * row_store::chunk_rows;
  static constexpr std::size_t full_block = std::size_t{28} << 10;

  struct open_block {
    pack_bytes value;
    std::uint64_t first = 0;
    std::uint32_t rows = 0;
  };

  /// Rows [first, end) of the window.
  struct group_run {
    std::uint16_t group = 0;
    std::uint32_t first = 0;
    std::uint32_t end = 0;
  };

  template <class LeaveOut>
  void take_rows(const row_store& rows, const LeaveOut& leave_out, std::uint32_t& left,
                 state_sink& sink, const on_put& put) {
    close_full(sink, put);
    taken_.clear();
    more_ = frozen_.take(rows, window_rows, taken_);
    std::erase_if(taken_, leave_out);
    begin_packs(rows, left);
  }

  void begin_packs(const row_store& rows, std::uint32_t& left);
  void add_column(const row_store& rows, std::uint32_t& left);
  void close_full(state_sink& sink, const on_put& put);
  void close_all(std::uint32_t& left, state_sink& sink, const on_put& put);
  void close(std::uint16_t group, state_sink& sink, const on_put& put);

  std::vector<std::uint32_t> keys_;
  std::uint16_t state_;
  std::uint16_t key_groups_;
  frozen_rows frozen_;
  bool more_ = false;
  bool done_ = true;
  std::vector<std::uint32_t> taken_;
  std::vector<std::uint32_t> window_; ///< rows by key group
  std::vector<group_run> runs_;
  std::size_t next_column_ = SIZE_MAX; ///< to be added to the packs of the window
  std::vector<open_block> open_;       ///< by key group
  std::vector<std::uint64_t> hashes_;
  std::uint32_t next_group_ = 0; ///< to be closed
};

/// Reads a block's packs one by one: `act(row_pack)` -> result<void>. Error: corrupt bytes.
template <class Act>
[[nodiscard]] result<void> read_block(std::string_view value, const Act& act) {
  if (value.empty() || value.front() != block_version)
    return make_error(ec::corrupt, "a state entry's rows have an unknown version");
  value.remove_prefix(1);
  while (!value.empty()) {
    EBB_ASSIGN(auto pack, take_pack(value));
    EBB_TRY(act(std::move(pack)));
  }
  return {};
}

} // namespace ebb
