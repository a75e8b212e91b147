/// What percentile_cont, percentile_disc and mode find among sorted values. Internal to the folder.
#pragma once

#include "actors/dataflow/aggregates/ranked_values.hpp"
#include "actors/dataflow/interval_scale.hpp"
#include "actors/dataflow/ordered_set.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/error.hpp"

#include <cmath>

namespace ebb {

/// A value between two, by PostgreSQL's formula. False where it is out of range.
[[nodiscard]] inline bool between(double low, double high, double share, double& out) noexcept {
  out = low + share * (high - low);
  return true;
}

[[nodiscard]] inline bool between(const interval_value& low, const interval_value& high,
                                  double share, interval_value& out) noexcept {
  interval_value distance;
  return !__builtin_sub_overflow(high.months, low.months, &distance.months)
         && !__builtin_sub_overflow(high.days, low.days, &distance.days)
         && !__builtin_sub_overflow(high.micros, low.micros, &distance.micros)
         && multiply_interval(distance, share, out)
         && !__builtin_add_overflow(out.months, low.months, &out.months)
         && !__builtin_add_overflow(out.days, low.days, &out.days)
         && !__builtin_add_overflow(out.micros, low.micros, &out.micros);
}

/// percentile_cont: between the two values nearest to the place. Value: sorted_float<double> or
/// sorted_interval.
struct continuous_percentile {
  template <class Value>
  static result<void> append(const ranked_values<Value>& values, double share, value_builder& to) {
    const auto place = share * static_cast<double>(values.size() - 1);
    const auto low = std::floor(place);
    const auto first = static_cast<std::int64_t>(low);
    const auto second = static_cast<std::int64_t>(std::ceil(place));
    const auto below = values.at(first).value;
    auto value = below;
    if (first != second && !between(below, values.at(second).value, place - low, value))
      return make_error(ec::evaluation, "interval out of range");
    to.append(value);
    return {};
  }
};

/// percentile_disc: the first value whose rank, as a share of all, reaches the wanted one.
struct discrete_percentile {
  template <class Value>
  static result<void> append(const ranked_values<Value>& values, double share, value_builder& to) {
    const auto rank =
        static_cast<std::int64_t>(std::ceil(share * static_cast<double>(values.size())));
    return values.at(std::max<std::int64_t>(1, rank) - 1).append_to(to);
  }
};

/// Percentiles of a group for row i of `shares`: DOUBLE PRECISION, or an array of them.
template <class Percentile>
struct append_percentiles {
  template <class Value>
  static result<void> run(const ranked_values<Value>& values, const column* shares, std::uint32_t i,
                          value_builder& to) {
    EBB_ASSERT(shares != nullptr);
    if (shares->type.kind == type_kind::array)
      return run_array(values, *shares, i, to);
    if (shares->is_null(i)) {
      to.append_null();
      return {};
    }
    const auto share = shares->data<double>()[shares->at(i)];
    EBB_TRY(check_percentile(share));
    if (values.size() == 0) {
      to.append_null();
      return {};
    }
    return Percentile::append(values, share, to);
  }

private:
  template <class Value>
  static result<void> run_array(const ranked_values<Value>& values, const column& shares,
                                std::uint32_t i, value_builder& to) {
    if (values.size() == 0 || shares.is_null(i)) {
      to.append_null();
      return {};
    }
    const auto* offsets = shares.data<std::uint32_t>() + shares.at(i);
    const auto& child = *shares.child;
    for (auto k = offsets[0]; k < offsets[1]; ++k) {
      if (child.is_null(k)) {
        to.elements().append_null();
        continue;
      }
      const auto share = child.data<double>()[child.at(k)];
      EBB_TRY(check_percentile(share));
      EBB_TRY(Percentile::append(values, share, to.elements()));
    }
    to.end_array();
    return {};
  }
};

struct append_mode {
  template <class Value>
  static result<void> run(const ranked_values<Value>& values, const column* /*direct*/,
                          std::uint32_t /*i*/, value_builder& to) {
    if (values.size() > 0)
      return values.most_frequent().append_to(to);
    to.append_null();
    return {};
  }
};

} // namespace ebb
