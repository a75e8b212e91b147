/// A batch: the only unit of rows that moves between operators and actors.
#pragma once

#include "schemas/column.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Where the rows of a batch come from, for error messages. Kept by filters and projections,
/// dropped by exchanges and stateful operators.
struct row_origin {
  std::shared_ptr<const std::string> source; ///< `source flights, file flights.csv`; null = unknown
  std::uint64_t first = 0;                   ///< record number (from 1) or offset of row 0
  buffer_ptr rows; ///< u32 a row: distance from `first`; null = consecutive
};

/// Immutable rows in columns. Shared by pointer; any thread may read it.
struct batch {
  std::uint32_t rows = 0;
  std::vector<column> columns; ///< none is `constant`
  /// i32 a row: change of multiplicity (+1 insert, -1 delete). Null = all +1.
  buffer_ptr weights;
  /// i64 a row: the lowest watermark of the partitions that the row's source subtask reads, just
  /// before the row. Present only where
  /// some row of the batch lies behind it; then lateness is decided row by row.
  buffer_ptr watermarks;
  /// u64 a row: hash of the key columns of the exchange the batch came through. Null = not hashed.
  buffer_ptr hashes;
  row_origin origin;
  /// Until the watermark is assigned: the source partition of the rows, and of how many that the
  /// subtask reads. Those below `partitions_ended` have ended; the others hold the watermark back
  /// until they have had rows.
  std::uint32_t partition = 0;
  std::uint32_t partitions = 1;
  std::uint32_t partitions_ended = 0;
};

using batch_ptr = std::shared_ptr<const batch>;

/// Bytes that the batch holds in memory, as counted by credit: values, bits and text.
[[nodiscard]] std::size_t byte_size(const batch& x) noexcept;
[[nodiscard]] std::size_t byte_size(const column& x) noexcept;

/// Rows `picks[0..count)`: columns, weights, watermarks, hashes and origin.
[[nodiscard]] batch gather(const batch& source, const std::uint32_t* picks, std::uint32_t count);

/// The rows of all parts, in order. All have the same columns. Origin is dropped.
[[nodiscard]] batch concatenate(const std::vector<batch_ptr>& parts);

/// `source flights, record 17` for row i, or empty where it is not known.
[[nodiscard]] std::string origin_text(const batch& x, std::uint32_t i);

/// Name and type of one column.
struct field {
  std::string name;
  sql_type type;
  bool not_null = false;

  bool operator==(const field&) const = default;
};

using schema = std::vector<field>;

} // namespace ebb
