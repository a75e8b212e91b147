/// Exact sums of NUMERIC values by slot: 128 bits while they hold the sum, arbitrary precision
/// beyond. Internal to the folder.
#pragma once

#include "actors/dataflow/numeric_small.hpp"
#include "actors/dataflow/numeric_value.hpp"

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace ebb {

/// One growing array of sums. The scale of a sum is the largest scale added, as PostgreSQL's.
class numeric_sums {
public:
  void resize(std::uint32_t count) {
    if (sums_.size() < count)
      sums_.resize(count);
  }

  void clear(std::uint32_t slot) {
    sums_[slot] = small_sum{};
    big_.erase(slot);
  }

  /// Adds value / 10^scale, times `weight`.
  void add(std::uint32_t slot, int128 value, std::int16_t scale, std::int64_t weight) {
    auto& s = sums_[slot];
    if (s.scale == scale && !s.spilled) [[likely]] {
      int128 product;
      int128 sum;
      if (multiply_checked(value, weight, product) && add_checked(s.sum, product, sum)) [[likely]] {
        s.sum = sum;
        return;
      }
    }
    add_slow(slot, value, scale, weight);
  }

  /// Adds any value, NaN and infinities too.
  void add(std::uint32_t slot, const numeric& value, std::int64_t weight);

  /// Adds value k of a column.
  void add(std::uint32_t slot, const column& x, std::uint32_t i, std::int64_t weight) {
    const auto scale = x.scale_of(i);
    if (scale >= 0)
      add(slot, x.data<int128>()[x.at(i)], scale, weight);
    else
      add(slot, numeric::load(x, i), weight);
  }

  void merge(std::uint32_t slot, const numeric_sums& from, std::uint32_t from_slot);

  [[nodiscard]] numeric value(std::uint32_t slot) const;
  /// Writes the sum of a slot to row i of a column made by make_numeric_column.
  [[nodiscard]] result<void> store(std::uint32_t slot, column& x, std::uint32_t i) const;

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return sums_.capacity() * sizeof(small_sum) + big_.size() * sizeof(big_sum);
  }

private:
  struct small_sum {
    int128 sum = 0;
    std::int16_t scale = 0;
    bool spilled = false; ///< the sum is in big_
  };

  struct big_sum {
    numeric sum; ///< of the finite values
    std::int64_t nans = 0;
    std::int64_t plus_infinities = 0;
    std::int64_t minus_infinities = 0;
  };

  void add_slow(std::uint32_t slot, int128 value, std::int16_t scale, std::int64_t weight);
  big_sum& spill(std::uint32_t slot);

  std::vector<small_sum> sums_;
  std::unordered_map<std::uint32_t, big_sum> big_;
};

} // namespace ebb
