/// Puts small batches together, so that a step that fires many small windows emits few batches.
#pragma once

#include "actors/dataflow/operator.hpp"

#include <utility>
#include <vector>

namespace ebb {

class batch_collector {
public:
  /// Takes a batch without weights or watermarks; emits once there is a batch's worth of rows.
  void add(batch_ptr rows, output& out) {
    if (rows_ + rows->rows > rows_max)
      flush(out);
    rows_ += rows->rows;
    parts_.push_back(std::move(rows));
  }

  /// Emits what there is. Call at the end of each step, and before a watermark.
  void flush(output& out) {
    if (parts_.empty())
      return;
    out.emit(parts_.size() == 1 ? std::move(parts_.front())
                                : std::make_shared<const batch>(concatenate(parts_)));
    parts_.clear();
    rows_ = 0;
  }

private:
  static constexpr std::uint32_t rows_max = 4096; // a batch at load

  std::vector<batch_ptr> parts_;
  std::uint32_t rows_ = 0;
};

} // namespace ebb
