/// The streams that are simulated: a manifest each, planned as `ebb run` does it, and what their
/// sinks must have got in the end by a naive model, row by row.
#pragma once

#include "actors/runtime/run_stream.hpp"
#include "tools/simulation/input.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb::sim {

/// A row of a sink: all of its columns are BIGINT or TIMESTAMP.
using output_row = std::vector<std::int64_t>;

inline constexpr std::uint32_t parallelism_max = 5;

class stream_shapes {
public:
  [[nodiscard]] static std::size_t count() noexcept;

  /// Planned once, then kept.
  [[nodiscard]] result<const planned_stream*> planned(std::size_t shape, std::uint32_t parallelism);

  /// By sink: `first` and `second`. `a` and `b` are the rows of the two sources. Sorted.
  [[nodiscard]] static std::vector<std::vector<output_row>>
  expected(std::size_t shape, const std::vector<input_row>& a, const std::vector<input_row>& b);

  /// What a sink's rows leave: where the result is revised, a row may end in its weight.
  [[nodiscard]] static std::vector<output_row> left_by(std::size_t shape, std::size_t sink,
                                                       std::vector<output_row> rows);

  /// The sink's rows come from one source without a change: (partition, offset) in the last two
  /// columns, in order.
  [[nodiscard]] static bool keeps_order(std::size_t shape, std::size_t sink) noexcept;

private:
  std::vector<std::vector<std::unique_ptr<planned_stream>>> planned_;
};

} // namespace ebb::sim
