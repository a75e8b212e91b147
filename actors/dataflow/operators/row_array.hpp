/// One value of T for each row of a row_store, kept beside it.
#pragma once

#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Follows the store by `grow` after appends and `drop_oldest` with it.
template <class T>
class row_array {
public:
  /// Gives rows that the store took since the last call the value `initial`.
  void grow(const row_store& rows, T initial) {
    values_.resize(rows.chunk_count());
    for (auto c = values_.size(); c-- > 0;) {
      const auto wanted = rows.rows_in(static_cast<std::uint32_t>(c));
      if (values_[c].size() == wanted)
        break; // older chunks do not grow
      values_[c].resize(wanted, initial);
    }
  }

  [[nodiscard]] T& at(const row_store& rows, std::uint32_t row) noexcept {
    return values_[rows.chunk_of(row)][row_store::place_of(row)];
  }

  [[nodiscard]] const T& at(const row_store& rows, std::uint32_t row) const noexcept {
    return values_[rows.chunk_of(row)][row_store::place_of(row)];
  }

  /// Whether the row had a value given by `grow`.
  [[nodiscard]] bool has(const row_store& rows, std::uint32_t row) const noexcept {
    const auto c = rows.chunk_of(row);
    return c < values_.size() && row_store::place_of(row) < values_[c].size();
  }

  /// Called with the store's `drop_oldest`.
  void drop_oldest() {
    if (!values_.empty())
      values_.erase(values_.begin());
  }

  [[nodiscard]] std::vector<T>& chunk(std::uint32_t c) noexcept {
    return values_[c];
  }

  [[nodiscard]] const std::vector<T>& chunk(std::uint32_t c) const noexcept {
    return values_[c];
  }

private:
  std::vector<std::vector<T>> values_;
};

} // namespace ebb
