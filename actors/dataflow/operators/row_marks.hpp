/// Change numbers of some rows of a row_store.
#pragma once

#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Takes memory for chunks with such rows only. The store's oldest chunks may not be dropped.
class row_marks {
public:
  void set(const row_store& rows, std::uint32_t row, change_mark mark) {
    const auto chunk = rows.chunk_of(row);
    if (chunk >= marks_.size())
      marks_.resize(rows.chunk_count());
    auto& marks = marks_[chunk];
    if (marks.size() < rows.rows_in(chunk))
      marks.resize(rows.rows_in(chunk), 0);
    marks[row_store::place_of(row)] = mark;
  }

  /// A number was set until then.
  [[nodiscard]] bool until(const row_store& rows, std::uint32_t row, change_mark then) const {
    const auto chunk = rows.chunk_of(row);
    const auto place = row_store::place_of(row);
    if (chunk >= marks_.size() || place >= marks_[chunk].size())
      return false;
    return marks_[chunk][place] != 0 && marks_[chunk][place] <= then;
  }

  void clear() {
    marks_.clear();
  }

private:
  std::vector<std::vector<change_mark>> marks_;
};

} // namespace ebb
