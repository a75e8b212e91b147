/// The input of a simulated stream: rows are a function of seed, source, partition and offset.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <vector>

namespace ebb::sim {

/// Columns of every source: k BIGINT, v BIGINT, ts TIMESTAMP, p BIGINT, o BIGINT.
struct input_row {
  std::int64_t key = 0;
  std::int64_t value = 0;
  micros time = 0;
  std::int64_t partition = 0;
  std::int64_t offset = 0;
};

/// How far times lie out of order, and so the sources' maxDelay.
inline constexpr micros max_delay = 300'000;

struct source_input {
  std::uint64_t seed = 0;
  std::vector<std::uint32_t> rows; ///< of each partition
  std::uint32_t keys = 8;
  std::uint32_t pauses = 0; ///< chance of one between two reads, in a million
  micros pause_max = 0;

  [[nodiscard]] input_row row(std::uint32_t partition, std::uint32_t offset) const noexcept;
  [[nodiscard]] std::vector<input_row> all() const;
};

} // namespace ebb::sim
