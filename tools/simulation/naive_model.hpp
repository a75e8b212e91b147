/// What queries mean, row by row, without watermarks, batches or state: the oracle's side.
#pragma once

#include "tools/simulation/input.hpp"

#include <cstdint>
#include <vector>

namespace ebb::sim {

using input_rows = std::vector<input_row>;
/// Stands for NULL.
inline constexpr std::int64_t no_value = INT64_MIN;
using naive_rows = std::vector<std::vector<std::int64_t>>;

/// k, window start, count, sum of v, least o; `size` = `slide`: tumbling windows.
[[nodiscard]] naive_rows naive_hop(const input_rows& rows, micros slide, micros size);
/// Window start, count, sum of v, over all keys.
[[nodiscard]] naive_rows naive_total(const input_rows& rows, micros size);
/// k, start, end, count, sum of v.
[[nodiscard]] naive_rows naive_session(const input_rows& rows, micros gap);
/// b.ts within [a.ts + lower, a.ts + upper] and equal k: k, both times, both partitions and
/// offsets.
[[nodiscard]] naive_rows naive_interval_join(const input_rows& a, const input_rows& b, micros lower,
                                             micros upper);
/// Tumbling windows in which both have the key: k, start, both counts.
[[nodiscard]] naive_rows naive_window_join(const input_rows& a, const input_rows& b, micros size);
/// Of each key and tumbling window the `limit` rows of the largest v, then by partition and offset:
/// k, start, v, partition, offset, number.
[[nodiscard]] naive_rows naive_top(const input_rows& rows, micros size, std::int64_t limit);
/// Of each hopping window the keys with the most rows, equal ones together: k, start, count, rank.
[[nodiscard]] naive_rows naive_best(const input_rows& rows, micros slide, micros size,
                                    std::int64_t limit);
/// Rows of a key by time, partition and offset: k, time, partition, offset, number, sum of v so
/// far, v of the row that is `distance` before.
[[nodiscard]] naive_rows naive_over(const input_rows& rows, std::size_t distance);
/// Of each key: k, count, sum of v, different v. Over all rows, whenever they came.
[[nodiscard]] naive_rows naive_groups(const input_rows& rows);
/// How many keys have that remainder of rows by 6: remainder, keys.
[[nodiscard]] naive_rows naive_sizes(const input_rows& rows);
/// Of the keys with one remainder by `groups` the `limit` with the most rows: remainder, k, rows,
/// number.
[[nodiscard]] naive_rows naive_largest(const input_rows& rows, std::int64_t groups,
                                       std::int64_t limit);
/// Each row of b with the remainders of v by 3 that a's rows of its key have, and their numbers;
/// none = NULL: k, partition, offset, remainder, number.
[[nodiscard]] naive_rows naive_counterparts(const input_rows& a, const input_rows& b);
/// Rows of both with the same k and v: k, both partitions and offsets.
[[nodiscard]] naive_rows naive_pairs(const input_rows& a, const input_rows& b);
/// Rows whose v is no multiple of `divisor`.
[[nodiscard]] naive_rows naive_pass(const input_rows& rows, std::int64_t divisor);

} // namespace ebb::sim
