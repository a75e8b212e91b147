/// Rows that wait for the watermark to pass their time.
#pragma once

#include "schemas/types.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ebb {

/// A row number, its partition's slot and its time.
struct waiting_row {
  micros time = 0;
  std::uint32_t row = 0;
  std::uint32_t slot = 0;
};

/// Kept in segments of rows that came together, each with its earliest time, so that a watermark
/// looks only at segments that hold rows before it.
class time_queue {
public:
  void add(waiting_row row) {
    if (segments_.empty() || segments_.back().rows.size() == segment_rows)
      segments_.push_back({});
    auto& last = segments_.back();
    last.earliest = std::min(last.earliest, row.time);
    last.rows.push_back(row);
    ++size_;
  }

  /// Moves the rows for which the watermark is beyond their time (max_time: all) to `out`.
  void take_before(micros watermark, std::vector<waiting_row>& out) {
    for (auto& segment : segments_) {
      if (segment.earliest >= watermark && watermark != max_time)
        continue;
      segment.earliest = max_time;
      std::size_t kept = 0;
      for (const auto& row : segment.rows) {
        if (row.time < watermark || watermark == max_time) {
          out.push_back(row);
          continue;
        }
        segment.earliest = std::min(segment.earliest, row.time);
        segment.rows[kept++] = row;
      }
      size_ -= segment.rows.size() - kept;
      segment.rows.resize(kept);
    }
    std::erase_if(segments_, [](const queue_segment& x) { return x.rows.empty(); });
  }

  /// max_time = there is none with a time.
  [[nodiscard]] micros earliest() const noexcept {
    micros result = max_time;
    for (const auto& x : segments_)
      result = std::min(result, x.earliest);
    return result;
  }

  template <class Visit>
  void for_each(Visit visit) {
    for (auto& x : segments_)
      for (auto& row : x.rows)
        visit(row);
  }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& x : segments_)
      for (const auto& row : x.rows)
        visit(row);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

private:
  static constexpr std::size_t segment_rows = 4096;

  struct queue_segment {
    micros earliest = max_time;
    std::vector<waiting_row> rows;
  };

  std::vector<queue_segment> segments_;
  std::size_t size_ = 0;
};

} // namespace ebb
