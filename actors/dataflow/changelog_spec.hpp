/// Operators whose results are revised. They read and emit changes: rows with weights (a batch's
/// `weights`; null = all +1). Columns are indexes into the operator's input row.
///
/// What all of them keep to:
/// - An input is *updating* where deletions may come; else every weight is positive. A weight other
///   than 1 or -1 stands for so many equal changes.
/// - A row is deleted only where it, or an equal one, came before on the same channel; between
///   channels there is no order. So two rows of what is a unique key of the input may be there at
///   once for a moment, or none.
/// - The output is net: within a batch that an operator emits no change takes back another, a group
///   (or partition and row) has at most one deletion and one insertion, and deletions come before
///   insertions. The two changes of one group are never in different batches.
/// - Results are emitted as rows come, not when a watermark passes; the watermark is passed on
/// after
///   what came before it.
#pragma once

#include "actors/dataflow/aggregate.hpp"
#include "actors/dataflow/expr.hpp"

#include <cstdint>
#include <limits>
#include <vector>

namespace ebb {

/// How long an operator keeps what is not written: keys (groups, partitions), or the rows of a
/// join. What has been left alone for `span` is dropped without a change being emitted, soon after.
struct retention_spec {
  micros span = 0;              ///< 0 = for ever
  bool processing_time = false; ///< time passes by ticks, else by watermarks

  bool operator==(const retention_spec&) const = default;
};

/// In two phases, the rows of one batch become one partial result a group before rows change hands:
/// keys…, states of each call…; the final phase has these as its input.
enum class group_phase : std::uint8_t { complete, partial, final };

/// GROUP BY without a window: one row a group that has rows (the sum of its weights is positive),
/// revised as rows come and go. Output: keys…, results…. NULL keys are one group. Calls may be
/// DISTINCT, have a FILTER and an ORDER BY. Without calls this is DISTINCT.
/// Without keys there is one row whatever the input: it is emitted with the first item, before any
/// rows (count 0, other results NULL), by the owner of its key group, and is never only deleted.
struct group_aggregate_spec {
  std::vector<std::uint32_t> keys;
  std::vector<aggregate_call> calls;
  bool updating = false; ///< the input is; else nothing that deletions need is kept
  retention_spec retention = {};
  group_phase phase = group_phase::complete;
};

enum class changelog_join_kind : std::uint8_t {
  inner,
  left,
  right,
  full,
  semi, ///< left rows that have a match
  anti  ///< left rows that have none
};

/// Joins two inputs without bounds in time; both are kept. Equal keys as SQL `=`: a row with a NULL
/// key matches nothing. No keys: every row meets every row. `residual` is over the concatenated
/// row; a pair is a match only where it is true. Output: left columns, right columns (NULL where
/// padded); of semi and anti joins the left columns alone. A pair's weight is the product of both.
struct changelog_join_spec {
  changelog_join_kind kind = changelog_join_kind::inner;
  std::vector<std::uint32_t> left_keys, right_keys;
  expr_ptr residual; ///< null = none
  bool left_updating = false, right_updating = false;
  /// Lookup join: the side (0 left, 1 right) whose rows are all taken before a row of the other
  /// side is joined, and which is kept alone; -1 = none. Only inner joins, and left or right ones
  /// that keep the rows of the other side.
  std::int32_t lookup = -1;
  retention_spec retention = {};

  /// Rows carry the columns of both inputs.
  [[nodiscard]] bool both_sides() const noexcept {
    return kind != changelog_join_kind::semi && kind != changelog_join_kind::anti;
  }
};

/// The kinds of rank that a top-N keeps rows by.
enum class rank_kind : std::uint8_t { row_number, rank, dense_rank };

/// Rows with rank ≤ `limit` in their partition without the first `offset` of them, whatever their
/// rank; none where `limit` ≤ `offset`. Revised as rows come and go. Rows that `order_by` does not
/// tell apart are ordered by their encoded columns, so that the answer does not depend on arrival,
/// nor which of equal rows are skipped. Empty partition: all rows. Empty order_by: encoded columns alone.
/// Appends the rank (BIGINT) when `with_rank`; then a change of rank is a change of the row.
/// Where the input is not updating, rows beyond `limit` need not be kept.
struct changelog_top_n_spec {
  std::vector<std::uint32_t> partition;
  std::vector<sort_key> order_by;
  rank_kind rank = rank_kind::row_number;
  std::int64_t offset = 0;
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  bool with_rank = false;
  bool updating = false; ///< the input is
  retention_spec retention = {};
};

/// Multiplies each row's weight by `count_column` (BIGINT) and drops the column; rows whose product
/// is 0 go. A negative count counts as 0. Stateless.
struct weigh_rows_spec {
  std::uint32_t count_column = 0;
};

/// Keeps the last row of each key (the primary key of a source). A row of positive weight is the
/// new row of its key: the old one, if there is one, is deleted. A row of negative weight deletes
/// the row of its key, whatever its other columns say; where there is none it is ignored. Rows of
/// one key come in order on one channel. Output: the same columns; at most one row a key.
struct upsert_spec {
  std::vector<std::uint32_t> keys;
};

/// Puts the changes of each key in order where they come from several instances, so that a row may
/// come before the one that it takes the place of goes. Once all changes have come at most one row
/// has a key; until then the rows of a key are held with their weights, which may be negative, and
/// the one that came last shows. A key has at most one change a batch: a deletion, an insertion, or
/// one of each. Output: the same columns; at most one row a key.
struct settle_spec {
  std::vector<std::uint32_t> keys;
  retention_spec retention = {};
};

} // namespace ebb
