/// What a call is answered with where its work gives a result.
#pragma once

#include "schemas/error.hpp"
#include "schemas/link_operations.hpp"

#include <utility>

namespace ebb {

template <class T>
[[nodiscard]] call_outcome outcome_of(result<T> x) {
  if (!x)
    return std::move(x).error();
  return call_value{*std::move(x)};
}

[[nodiscard]] inline call_outcome outcome_of(result<void> x) {
  if (!x)
    return std::move(x).error();
  return call_value{};
}

} // namespace ebb
