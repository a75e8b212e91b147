/// Values as ordered-set aggregates keep them: each type has a total order that refines SQL's, so
/// that values which are equal but written differently (1.0 and 1.00) stay apart. Internal to the
/// folder.
///
/// Each has: `of`, the value of a row; `before`, the total order; `equals`, SQL's equality;
/// `append_to` a column of the type; `heap_bytes`.
#pragma once

#include "actors/dataflow/key_words.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <type_traits>

namespace ebb {

/// Integers, dates, times and BOOLEAN by their stored type.
template <class T>
struct sorted_plain {
  T value{};

  static sorted_plain of(const column& x, std::uint32_t i) {
    return {x.data<T>()[x.at(i)]};
  }

  [[nodiscard]] bool before(const sorted_plain& y) const noexcept {
    return value < y.value;
  }

  [[nodiscard]] bool equals(const sorted_plain& y) const noexcept {
    return value == y.value;
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    to.append(value);
    return {};
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return 0;
  }
};

/// NaN comes last, -0.0 before 0.0.
template <class T>
struct sorted_float {
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

  T value{};

  static sorted_float of(const column& x, std::uint32_t i) {
    const auto value = x.data<T>()[x.at(i)];
    return {std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value};
  }

  [[nodiscard]] bits rank() const noexcept {
    constexpr auto sign = bits{1} << (sizeof(T) * 8 - 1);
    const auto x = std::bit_cast<bits>(value);
    return (x & sign) != 0 ? static_cast<bits>(~x) : x | sign;
  }

  [[nodiscard]] bool before(const sorted_float& y) const noexcept {
    return rank() < y.rank();
  }

  [[nodiscard]] bool equals(const sorted_float& y) const noexcept {
    return value == y.value || (std::isnan(value) && std::isnan(y.value));
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    to.append(value);
    return {};
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return 0;
  }
};

struct sorted_interval {
  interval_value value;

  static sorted_interval of(const column& x, std::uint32_t i) {
    return {x.data<interval_value>()[x.at(i)]};
  }

  [[nodiscard]] bool before(const sorted_interval& y) const noexcept {
    const auto a = comparable(value);
    const auto b = comparable(y.value);
    return a != b ? a < b
                  : std::tie(value.months, value.days) < std::tie(y.value.months, y.value.days);
  }

  [[nodiscard]] bool equals(const sorted_interval& y) const noexcept {
    return comparable(value) == comparable(y.value);
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    to.append(value);
    return {};
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return 0;
  }
};

} // namespace ebb
