/// What the planner says of each operator: plain descriptions from which `make_operator` builds
/// instances. Columns are indexes into the operator's input row (of input 0, 1, … where it has
/// several).
#pragma once

#include "actors/dataflow/aggregate.hpp"
#include "actors/dataflow/changelog_spec.hpp"
#include "actors/dataflow/expr.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/row_specs.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace ebb {

/// WHERE and SELECT in one: rows for which `predicate` is true (null = all), then `outputs`.
struct filter_project_spec {
  expr_ptr predicate;
  std::vector<expr_ptr> outputs;
};

/// Head of a source's chain: derives the watermark from the event-time column, a partition at a
/// time, and marks batches that hold rows behind it.
struct assign_watermarks_spec {
  std::uint32_t time_column = 0; ///< TIMESTAMP or TIMESTAMPTZ, microseconds; NULL = bad record
  micros max_delay = 0;
};

enum class window_kind : std::uint8_t {
  tumble,
  hop,
  cumulate,
  session,
  attached, ///< rows already carry window_start and window_end (an aggregate over windows)
};

/// A window as the window functions of SQL describe it. Times in microseconds.
struct window_spec {
  window_kind kind = window_kind::tumble;
  std::int32_t time_column = -1;  ///< event time; -1 where processing_time or attached
  micros size = 0;                ///< tumble, hop: size; cumulate: max; session: gap
  micros slide = 0;               ///< hop: slide; cumulate: step
  micros offset = 0;              ///< alignment relative to 1970-01-01
  bool processing_time = false;   ///< time is the tick before the row
  std::int32_t start_column = -1; ///< attached; -1 where only the end is a key
  std::int32_t end_column = -1;   ///< attached

  bool operator==(const window_spec&) const = default;
};

/// Appends window_start and window_end (TIMESTAMP) to each row, one row a window it lies in.
struct window_assign_spec {
  window_spec window; ///< not session, not attached
};

enum class aggregate_phase : std::uint8_t {
  complete, ///< rows in, results out
  partial,  ///< rows in, (keys…, window_start, window_end, states…) out, flushed each batch
  final,    ///< partial rows in, results out
};

/// GROUP BY a window and keys; emits once per window when the watermark passes its end (sessions:
/// passes beyond it). Output: keys…, window_start, window_end, results….
/// partial output: keys…, pane_start, pane_end, states of each call…; final takes exactly that.
struct window_aggregate_spec {
  window_spec window;
  std::vector<std::uint32_t> keys;
  std::vector<aggregate_call> calls;
  aggregate_phase phase = aggregate_phase::complete;
};

enum class join_type : std::uint8_t { inner, left, right, full };

/// Joins rows of the same window: both inputs carry window_start and window_end. Emits when the
/// watermark passes window_end. Output: left columns, right columns. Equal keys as SQL `=` (NULL
/// never matches). The `spread` side has at most one row a window and is not kept where unmatched;
/// the other side's rows then lie on any instance. State is saved in the same way by one instance.
struct window_join_spec {
  join_type type = join_type::inner;
  std::uint32_t left_start = 0, left_end = 0;
  std::uint32_t right_start = 0, right_end = 0;
  std::vector<std::uint32_t> left_keys, right_keys; ///< without the window columns
  expr_ptr residual;        ///< BOOLEAN over the concatenated row; null = none
  std::int32_t spread = -1; ///< side whose rows all instances get, if there are several; -1 = none
};

/// left.time BETWEEN right.time + lower AND right.time + upper, and equal keys. Emits matches as
/// they appear, unmatched outer rows when the watermark has passed their last possible match.
struct interval_join_spec {
  join_type type = join_type::inner;
  std::uint32_t left_time = 0, right_time = 0;
  micros lower = 0, upper = 0; ///< both inclusive
  std::vector<std::uint32_t> left_keys, right_keys;
  expr_ptr residual;
  std::int32_t spread = -1; ///< as in window_join_spec
};

/// Inner join of append-only inputs without time bounds: both sides are kept for ever.
struct stream_join_spec {
  std::vector<std::uint32_t> left_keys, right_keys;
  expr_ptr residual;
  retention_spec retention = {};
};

/// Rows with rank ≤ `limit` per partition and window, emitted when the watermark passes window_end,
/// in rank order; appends the rank (BIGINT) when `with_rank`.
struct window_top_n_spec {
  std::int32_t window_start = -1;
  std::uint32_t window_end = 0;
  std::vector<std::uint32_t> partition; ///< without the window columns
  std::vector<sort_key> order_by;
  rank_kind rank = rank_kind::row_number;
  std::int64_t limit = 1;
  bool with_rank = false;
};

/// The frame of an OVER clause, in rows (ROWS) or in microseconds of the first ORDER BY column
/// (RANGE, where 0 means the current row with its peers).
struct frame_spec {
  bool range = false;         ///< RANGE, else ROWS
  bool unbounded = true;      ///< begins with the partition's first row
  std::int64_t preceding = 0; ///< else so much before the current row; negative = after it
  bool to_last = false;       ///< ends with the partition's last row
  std::int64_t following = 0; ///< else so much after the current row; negative = before it

  bool operator==(const frame_spec&) const = default;
};

/// One function OVER the window: an aggregate over a frame, or a ranking/offset function.
struct over_call {
  enum class kind : std::uint8_t {
    aggregate,
    row_number,
    rank,
    dense_rank,
    lag,
    lead,
    first_value,
    last_value,
    nth_value,
    ntile,
    percent_rank,
    cume_dist
  };
  kind what = kind::aggregate;
  /// aggregate; else only `args`, `arg_types` and `type` are used. A second argument of lag and
  /// lead is their value where there is no row.
  aggregate_call call;
  frame_spec frame;
  std::int64_t distance = 1; ///< lag, lead: rows; nth_value: n; ntile: how many
};

/// OVER (PARTITION BY … ORDER BY event time): rows are held until the watermark passes their time,
/// then emitted in time order with the results appended. Frames end at the current row; no call
/// looks at later rows.
struct over_spec {
  std::vector<std::uint32_t> partition;
  std::uint32_t time_column = 0;
  std::vector<sort_key> order_by; ///< the whole ORDER BY; the first is the time column, ascending
  std::vector<over_call> calls;
};

/// OVER in any order and of any rows (changelog_spec.hpp): results are revised as rows come and go.
/// Rows that `order_by` does not tell apart are ordered by their columns. Empty order_by: all rows
/// of a partition are peers.
struct changelog_over_spec {
  std::vector<std::uint32_t> partition;
  std::vector<sort_key> order_by;
  std::vector<over_call> calls;
  bool updating = false; ///< the input is
  retention_spec retention = {};
};

/// All inputs, one after the other as they come; the watermark is the minimum of the active ones.
struct union_all_spec {
  std::uint32_t inputs = 2;
};

/// Appends the processing time of the last tick as a TIMESTAMP column (`proctime()`).
struct stamp_time_spec {};

using operator_spec =
    std::variant<filter_project_spec, assign_watermarks_spec, window_assign_spec,
                 window_aggregate_spec, window_join_spec, interval_join_spec, stream_join_spec,
                 window_top_n_spec, over_spec, union_all_spec, stamp_time_spec,
                 group_aggregate_spec, changelog_join_spec, changelog_top_n_spec, weigh_rows_spec,
                 upsert_spec, changelog_over_spec, expand_rows_spec, live_rows_spec, settle_spec>;

/// What an instance knows besides its spec.
struct operator_context {
  std::string name;                          ///< of the operator in the manifest, for messages
  std::vector<std::vector<sql_type>> inputs; ///< column types of each input
  std::uint16_t key_groups = 128;            ///< maxParallelism
  std::uint32_t subtask = 0;                 ///< of `parallelism` instances
  std::uint32_t parallelism = 1;
};

/// Builds an instance. The spec is valid: the planner has checked it.
[[nodiscard]] std::unique_ptr<stream_operator> make_operator(const operator_spec& spec,
                                                             operator_context context);

/// Column types that the operator emits.
[[nodiscard]] std::vector<sql_type> output_types(const operator_spec& spec,
                                                 const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
