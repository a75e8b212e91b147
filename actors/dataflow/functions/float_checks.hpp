/// Range checks of REAL and DOUBLE results, with PostgreSQL's errors.
#pragma once

#include "schemas/error.hpp"

#include <cmath>
#include <limits>

namespace ebb {

template <class T>
bool is_infinite(T x) noexcept {
  return std::fabs(x) == std::numeric_limits<T>::infinity();
}

/// The result is infinite though no operand is. Without branches, so that loops vectorise.
template <class T>
bool overflowed(T r, T a, T b) noexcept {
  return is_infinite(r) & !is_infinite(a) & !is_infinite(b);
}

inline error float_overflow() {
  return make_error(ec::evaluation, "value out of range: overflow");
}

inline error float_underflow() {
  return make_error(ec::evaluation, "value out of range: underflow");
}

} // namespace ebb
