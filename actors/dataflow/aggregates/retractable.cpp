/// sum, avg, variance and stddev of REAL and DOUBLE PRECISION over rows that may be taken back.
///
/// Sums have twice the precision of a double, so that what is added and taken back leaves next to
/// nothing; NaN and infinities, which nothing takes back, are counted instead.
#include "actors/dataflow/aggregates/retractable.hpp"

#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/functions/float_checks.hpp"
#include "actors/dataflow/ordered_set.hpp"

#include <cmath>
#include <limits>
#include <map>

namespace ebb {

namespace {

/// An unevaluated sum of two doubles.
struct double_double {
  double high = 0;
  double low = 0;

  void add(double x, double rest) noexcept {
    const double sum = high + x;
    const double part = sum - high;
    const double lost = (high - (sum - part)) + (x - part);
    const double small = low + lost + rest;
    high = sum + small;
    low = small - (high - sum);
  }

  void add_square(double x, double weight) noexcept {
    const double square = x * x;
    const double rest = std::fma(x, x, -square);
    const double product = square * weight;
    add(product, std::fma(square, weight, -product) + rest * weight);
  }
};

/// What is not finite.
struct specials {
  std::int64_t nans = 0;
  std::int64_t plus = 0;
  std::int64_t minus = 0;

  [[nodiscard]] bool any() const noexcept {
    return nans != 0 || plus != 0 || minus != 0;
  }

  void add(double x, std::int64_t weight) noexcept {
    (std::isnan(x) ? nans : x > 0 ? plus : minus) += weight;
  }

  /// The sum where there is any.
  [[nodiscard]] double sum() const noexcept {
    if (nans != 0 || (plus != 0 && minus != 0))
      return std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    return plus != 0 ? infinity : -infinity;
  }
};

constexpr std::size_t special_columns = 3;

struct float_total {
  double_double sum;
  double_double squares; ///< of the variances only
  std::int64_t count = 0;
  specials special;

  void add(double x, std::int64_t weight, bool squared, bool& overflowed) noexcept {
    count += weight;
    if (!std::isfinite(x)) {
      special.add(x, weight);
      return;
    }
    const auto factor = static_cast<double>(weight);
    const double product = x * factor;
    sum.add(product, std::fma(x, factor, -product));
    if (squared)
      squares.add_square(x, factor);
    if (count == 0 && !special.any())
      *this = float_total{};
    overflowed |= !std::isfinite(sum.high) || !std::isfinite(squares.high);
  }

  void add(const float_total& x, bool& overflowed) noexcept {
    if (count == 0 && !special.any()) { // to the last bit, the sign of a zero too
      *this = x;
      return;
    }
    count += x.count;
    sum.add(x.sum.high, x.sum.low);
    squares.add(x.squares.high, x.squares.low);
    special.nans += x.special.nans;
    special.plus += x.special.plus;
    special.minus += x.special.minus;
    overflowed |= !std::isfinite(sum.high) || !std::isfinite(squares.high);
  }
};

/// State columns: sum (two), sum of squares (two), count, NaNs, infinities.
template <class T, bool Squared>
class float_totals : public plain_accumulators<float_total> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[0];
    const T* values = x.data<T>();
    auto* state = states_.data();
    bool overflowed = false;
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      state[slots[i]].add(static_cast<double>(values[x.at(i)]), weight, Squared, overflowed);
    });
    return check(overflowed);
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const float_totals&>(from);
    bool overflowed = false;
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      states_[into_slots[i]].add(other.states_[from_slots[i]], overflowed);
    return check(overflowed);
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    std::vector<column> parts;
    const auto add = [&](auto value) {
      using number = decltype(value(float_total{}));
      parts.push_back(
          make_column(sql_type{std::is_same_v<number, double> ? type_kind::double_precision
                                                              : type_kind::bigint},
                      row_count(slots)));
      auto* to = parts.back().mutable_data<number>();
      for (std::size_t i = 0; i < slots.size(); ++i)
        to[i] = value(states_[slots[i]]);
    };
    add([](const float_total& s) { return s.sum.high; });
    add([](const float_total& s) { return s.sum.low; });
    add([](const float_total& s) { return s.squares.high; });
    add([](const float_total& s) { return s.squares.low; });
    add([](const float_total& s) { return s.count; });
    add([](const float_total& s) { return s.special.nans; });
    add([](const float_total& s) { return s.special.plus; });
    add([](const float_total& s) { return s.special.minus; });
    return parts;
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    bool overflowed = false;
    const auto number = [&](std::size_t k, std::uint32_t i) {
      return state[k].data<double>()[state[k].at(i)];
    };
    const auto count = [&](std::size_t k, std::uint32_t i) {
      return state[k].data<std::int64_t>()[state[k].at(i)];
    };
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      float_total x;
      x.sum = {number(0, i), number(1, i)};
      x.squares = {number(2, i), number(3, i)};
      x.count = count(4, i);
      x.special = {count(5, i), count(6, i), count(7, i)};
      states_[slots[i]].add(x, overflowed);
    }
    return check(overflowed);
  }

private:
  [[nodiscard]] static result<void> check(bool overflowed) {
    if (overflowed)
      return float_overflow();
    return {};
  }
};

template <class T, bool Average>
class float_sum_totals final : public float_totals<T, false> {
public:
  result<column> finish(std::span<const std::uint32_t> slots) const override {
    using result_value = std::conditional_t<Average, double, T>;
    column x = make_column(sql_type{float_kind<result_value>}, row_count(slots));
    auto* to = x.mutable_data<result_value>();
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = this->states_[slots[i]];
      to[i] = 0;
      if (s.count == 0) {
        set_null(x, i);
        continue;
      }
      const double sum = s.special.any() ? s.special.sum() : s.sum.high;
      to[i] = static_cast<result_value>(Average ? sum / static_cast<double>(s.count) : sum);
      if (std::isinf(to[i]) && !std::isinf(sum))
        return float_overflow();
    }
    return x;
  }
};

template <class T, bool Sample, bool Root>
class float_spread_totals final : public float_totals<T, true> {
public:
  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_column(sql_type{type_kind::double_precision}, row_count(slots));
    auto* to = x.mutable_data<double>();
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = this->states_[slots[i]];
      to[i] = 0;
      if (s.count <= (Sample ? 1 : 0)) {
        set_null(x, i);
        continue;
      }
      const double variance =
          s.special.any() ? std::numeric_limits<double>::quiet_NaN() : variance_of(s);
      to[i] = Root ? std::sqrt(variance) : variance;
    }
    return x;
  }

private:
  /// squares/d − sum²/(n·d), with d = n or n − 1.
  [[nodiscard]] static double variance_of(const float_total& s) noexcept {
    const auto n = static_cast<double>(s.count);
    double_double spread = s.squares;
    const double mean = s.sum.high / n;
    const double mean_rest = (std::fma(-mean, n, s.sum.high) + s.sum.low) / n;
    // sum²/n = n·mean², in parts.
    const double square = mean * s.sum.high;
    spread.add(-square,
               -std::fma(mean, s.sum.high, -square) - (mean * s.sum.low + mean_rest * s.sum.high));
    return std::max(0.0, spread.high / (Sample ? n - 1 : n));
  }
};

std::vector<sql_type> total_state(std::span<const sql_type>) {
  std::vector<sql_type> types(4, sql_type{type_kind::double_precision});
  types.resize(types.size() + 1 + special_columns, sql_type{type_kind::bigint});
  return types;
}

template <class T>
void add_for(aggregate_registry& registry) {
  const std::vector<sql_type> params{sql_type{float_kind<T>}};
  const auto add = [&](std::string_view name, auto result_type, auto make) {
    add_aggregate(registry, name, {params, result_type, total_state, make});
  };
  constexpr auto as_double = always<type_kind::double_precision>;
  add("sum", always<float_kind<T>>, make_state<float_sum_totals<T, false>>);
  add("avg", as_double, make_state<float_sum_totals<T, true>>);
  add("variance", as_double, make_state<float_spread_totals<T, true, false>>);
  add("var_samp", as_double, make_state<float_spread_totals<T, true, false>>);
  add("var_pop", as_double, make_state<float_spread_totals<T, false, false>>);
  add("stddev", as_double, make_state<float_spread_totals<T, true, true>>);
  add("stddev_samp", as_double, make_state<float_spread_totals<T, true, true>>);
  add("stddev_pop", as_double, make_state<float_spread_totals<T, false, true>>);
}

const aggregate_registry& float_registry() {
  static const aggregate_registry all = [] {
    aggregate_registry made;
    add_for<float>(made);
    add_for<double>(made);
    return made;
  }();
  return all;
}

/// Exact sums and counts.
bool adds_and_subtracts(std::string_view name) noexcept {
  constexpr std::string_view names[] = {"count",    "sum",         "avg",     "bool_and",
                                        "bool_or",  "every",       "stddev",  "stddev_pop",
                                        "variance", "stddev_samp", "var_pop", "var_samp"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

} // namespace

const aggregate_function* find_retractable(const aggregate_function& plain) {
  if (is_ordered_set(plain) || plain.name == "regr_count")
    return &plain;
  if (!adds_and_subtracts(plain.name))
    return nullptr;
  if (plain.params.empty() || plain.name == "count"
      || (plain.params[0].kind != type_kind::real
          && plain.params[0].kind != type_kind::double_precision))
    return &plain;
  for (const auto& x : float_registry().at(plain.name))
    if (x.params == plain.params)
      return &x;
  return nullptr;
}

} // namespace ebb
