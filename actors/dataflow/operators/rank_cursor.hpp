/// One window of a windowed top-N, and the resumable emission of its rows.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/ranked_rows.hpp"
#include "actors/dataflow/operators/row_marks.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Candidates of one partition.
struct ranked_partition {
  ranked_rows rows;
  std::uint64_t emitted = 0; ///< rows that were emitted before the state was saved
};

/// One window that has not been emitted to its end.
struct ranked_window {
  ranked_window(const operator_context& context, const std::vector<sql_type>& keys,
                change_mark marks_before)
      : rows(context.inputs[0]), index(keys, 1), base(marks_before) {}

  [[nodiscard]] std::uint64_t first_after(change_mark since) const noexcept {
    return since <= base ? 0 : marks.first_after(since - base);
  }

  row_store rows;
  key_index index;
  std::vector<ranked_partition> partitions; ///< by slot
  std::uint64_t candidates = 0;             ///< rows of all partitions
  bool resumed = false;                     ///< some partitions had been emitted in part
  row_marks outranked;                      ///< rows that are no candidates any more
  sequence_marks marks;
  change_mark base; ///< marks made before the window was
};

/// Emits the partitions of one window, row by row in order. The window stays as it is.
class rank_cursor {
public:
  rank_cursor(const ranked_window& window, const ranking& by);

  /// Takes the next row and its rank; false = no more.
  [[nodiscard]] bool next(std::uint32_t& row, std::int64_t& rank);

  /// The partition that is being emitted; those before it are done.
  [[nodiscard]] std::uint32_t partition() const noexcept {
    return partition_;
  }

  /// Rows of that partition that have been emitted.
  [[nodiscard]] std::uint64_t emitted() const noexcept;

private:
  // For a heap whose top comes first.
  struct later {
    ranked_less less;

    bool operator()(const ranked_row& a, const ranked_row& b) const {
      return less(b, a);
    }
  };

  [[nodiscard]] bool open();
  [[nodiscard]] std::uint32_t pop();
  void close() noexcept;

  const ranked_window& window_;
  const ranking& by_;
  rank_counter ranks_;
  std::uint32_t partition_ = 0;
  bool open_ = false;
  bool heap_ = false;
  std::vector<ranked_row> order_;
  std::size_t at_ = 0; ///< of a sorted order
  std::uint64_t emitted_ = 0;
};

} // namespace ebb
