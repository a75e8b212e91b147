/// One side's rows of an interval join: appended cheaply, searched by key hash and time.
#pragma once

#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ebb {

/// Rows carry a tag, the low half of their key hash. Most rows of a large side are never looked for
/// (a bid meets one row per window), so nothing is inserted anywhere at first: a search scans the
/// tags of the chunks whose times overlap. A chunk that has been scanned for many rows is put into
/// a hash table, with all older ones; the table covers the oldest rows, the scan the rest.
class interval_side {
public:
  interval_side(std::vector<sql_type> types, std::uint32_t time_column, bool indexed)
      : rows_(std::move(types)), time_(time_column), may_index_(indexed) {}

  /// Appends rows whose time and keys are not NULL; hashes are by row of the batch.
  [[nodiscard]] result<void> append(const batch& from, const std::uint32_t* picks,
                                    std::uint32_t count, const std::uint64_t* hashes,
                                    std::uint32_t* numbers);
  [[nodiscard]] result<std::uint32_t> append_encoded(std::string_view value, std::uint64_t sequence,
                                                     std::span<const std::uint32_t> keys);

  [[nodiscard]] const row_store& rows() const noexcept {
    return rows_;
  }

  [[nodiscard]] micros time_of(std::uint32_t row) const noexcept {
    return rows_.value<micros>(time_, row);
  }

  [[nodiscard]] std::uint32_t tag_of(std::uint32_t row) const noexcept {
    return chunks_[rows_.chunk_of(row)].tags[row_store::place_of(row)];
  }

  /// Rows with times in [from, to], newest first; false = more than `most` of them, or too many
  /// rows to look at.
  [[nodiscard]] bool few_rows(micros from, micros to, std::uint32_t most,
                              std::vector<std::uint32_t>& out) const;

  /// Places in rows[0..count) (consecutive numbers of this side, as `append` gave them) with this
  /// tag and a time in [from, to]: the row numbers are appended to `out`.
  void scan_rows(std::span<const std::uint32_t> rows, std::uint32_t tag, micros from, micros to,
                 std::vector<std::uint32_t>& out) const;

  /// Says that `searches` rows will look for partners with times in [from, to].
  void expect(micros from, micros to, std::uint32_t searches);

  /// Where a search goes on; newest rows come first. A fresh one starts at the newest row.
  struct search {
    bool started = false;
    bool chained = false;    ///< in the hash table
    std::uint32_t chunk = 0; ///< scanning: chunk, and rows of it that are left
    std::uint32_t left = 0;
    std::uint32_t row = row_store::no_row; ///< chained: next row
  };

  /// Appends rows with this tag and a time in [from, to] to `out` until it holds `most`. Returns
  /// true at the end.
  [[nodiscard]] bool find(std::uint32_t tag, micros from, micros to, search& at, std::size_t most,
                          std::vector<std::uint32_t>& out) const;

  /// Fetch what `find` will read of the hash table, some rows ahead of it: first the head, then,
  /// later, the newest row.
  void prefetch_head(std::uint32_t tag) const noexcept {
    if (!heads_.empty())
      __builtin_prefetch(&heads_[tag & (heads_.size() - 1)]);
  }

  void prefetch_newest(std::uint32_t tag) const noexcept {
    if (heads_.empty())
      return;
    const auto row = heads_[tag & (heads_.size() - 1)];
    if (row != row_store::no_row && rows_.chunk_of(row) < rows_.chunk_count())
      __builtin_prefetch(&links_.at(rows_, row));
  }

  /// Sequence below which rows have not been looked at yet by this search.
  [[nodiscard]] std::uint64_t unseen_below(const search& at) const noexcept;

  /// Times of the rows of a chunk (indexes as of the row store).
  [[nodiscard]] const micros* times(std::uint32_t chunk) const noexcept;

  [[nodiscard]] micros newest_time(std::uint32_t chunk) const noexcept {
    return chunks_[chunk].newest;
  }

  [[nodiscard]] micros oldest_time(std::uint32_t chunk) const noexcept {
    return chunks_[chunk].oldest;
  }

  void drop_oldest();

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return rows_.byte_size() + rows_.rows() * sizeof(std::uint32_t)
           + heads_.size() * 2 * sizeof(std::uint32_t);
  }

private:
  struct chunk_facts {
    micros oldest = max_time;
    micros newest = min_time;
    std::uint64_t searches = 0;
    std::vector<std::uint32_t> tags;
  };

  // A row in the table: the next older one of its bucket, and its tag again, to be read at once.
  struct link {
    std::uint32_t older = row_store::no_row;
    std::uint32_t tag = 0;
  };

  void index_through(std::uint32_t chunk);
  void insert(std::uint32_t row, std::uint32_t tag);
  void rebuild(std::uint64_t rows);
  void scan_back(search& at, std::uint32_t stop, std::uint32_t tag, micros from, micros to,
                 std::size_t most, std::vector<std::uint32_t>& out) const;

  row_store rows_;
  std::uint32_t time_;
  bool may_index_;
  std::vector<chunk_facts> chunks_; ///< as the row store's
  // The hash table holds the rows before (indexed_chunk_, indexed_place_).
  std::uint32_t indexed_chunk_ = 0;
  std::uint32_t indexed_place_ = 0;
  std::uint64_t inserted_ = 0; ///< since the last rebuild
  std::vector<std::uint32_t> heads_;
  row_array<link> links_;
};

} // namespace ebb
