/// sum, avg, variance and stddev of REAL and DOUBLE PRECISION, in PostgreSQL's order of operations.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/functions/float_checks.hpp"

#include <cmath>
#include <limits>

namespace ebb {

namespace {

/// sum starts from -0.0, which adding any first value gives back as it is (-0.0 too).
template <class T, bool Average>
struct float_sum {
  T sum = Average ? T{0} : -T{0};
  std::int64_t count = 0;
};

/// Adds and notes where finite numbers became infinite.
template <class T>
[[gnu::always_inline]] inline T add_noting(T a, T b, bool& overflowed) noexcept {
  const T sum = a + b;
  overflowed |= std::isinf(sum) && !std::isinf(a) && !std::isinf(b);
  return sum;
}

/// `Sum`: type of the sum, REAL's own for sum(real), as PostgreSQL. State columns: sum, count.
template <class T, class Sum, bool Average>
class float_sums final : public plain_accumulators<float_sum<Sum, Average>> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), Average ? "avg" : "sum"));
    const auto& x = args[0];
    const T* values = x.template data<T>();
    auto* state = this->states_.data();
    bool overflowed = false;
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      auto& s = state[slots[i]];
      const auto value = static_cast<Sum>(values[x.at(i)]);
      for (auto w = weight; w > 0; --w)
        s.sum = add_noting(s.sum, value, overflowed);
      s.count += weight;
    });
    if (overflowed)
      return float_overflow();
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const float_sums&>(from);
    bool overflowed = false;
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      auto& to = this->states_[into_slots[i]];
      const auto& add = other.states_[from_slots[i]];
      to.sum = add_noting(to.sum, add.sum, overflowed);
      to.count += add.count;
    }
    if (overflowed)
      return float_overflow();
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    using result_value = std::conditional_t<Average, double, Sum>;
    column x = make_column(sql_type{float_kind<result_value>}, row_count(slots));
    auto* to = x.mutable_data<result_value>();
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = this->states_[slots[i]];
      if (s.count == 0) {
        to[i] = 0;
        set_null(x, i);
      } else if constexpr (Average) {
        to[i] = s.sum / static_cast<double>(s.count);
      } else {
        to[i] = s.sum;
      }
    }
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    column sums = make_column(sql_type{float_kind<Sum>}, row_count(slots));
    column counts = make_column(sql_type{type_kind::bigint}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      sums.mutable_data<Sum>()[i] = this->states_[slots[i]].sum;
      counts.mutable_data<std::int64_t>()[i] = this->states_[slots[i]].count;
    }
    return {sums, counts};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    bool overflowed = false;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      auto& to = this->states_[slots[i]];
      to.sum = add_noting(to.sum, state[0].template data<Sum>()[state[0].at(i)], overflowed);
      to.count += state[1].template data<std::int64_t>()[state[1].at(i)];
    }
    if (overflowed)
      return float_overflow();
    return {};
  }
};

enum class spread { variance_pop, variance_samp, stddev_pop, stddev_samp };

/// Youngs and Cramer's running sum of squared differences, as PostgreSQL keeps it.
struct moments {
  double count = 0;
  double sum = 0;
  double squares = 0;

  void add(double value, bool& overflowed) noexcept {
    const double before = count;
    const double sum_before = sum;
    count += 1;
    sum += value;
    if (before > 0) {
      const double distance = value * count - sum;
      squares += distance * distance / (count * before);
      note(sum_before, value, overflowed);
    } else if (!std::isfinite(value)) {
      squares = std::numeric_limits<double>::quiet_NaN();
    }
  }

  void add(const moments& other, bool& overflowed) noexcept {
    if (other.count == 0)
      return;
    if (count == 0) {
      *this = other;
      return;
    }
    const double both = count + other.count;
    const double distance = sum / count - other.sum / other.count;
    const double sum_before = sum;
    squares += other.squares + count * other.count * distance * distance / both;
    sum += other.sum;
    count = both;
    note(sum_before, other.sum, overflowed);
  }

private:
  /// Infinite input makes the squares NaN; an infinite result of finite input is an error.
  void note(double a, double b, bool& overflowed) noexcept {
    if (std::isinf(sum) || std::isinf(squares)) {
      overflowed |= !std::isinf(a) && !std::isinf(b);
      squares = std::numeric_limits<double>::quiet_NaN();
    }
  }
};

/// State columns: count, sum, squares.
template <class T, spread What>
class float_spreads final : public plain_accumulators<moments> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), "variance"));
    const auto& x = args[0];
    const T* values = x.template data<T>();
    bool overflowed = false;
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      for (auto w = weight; w > 0; --w)
        states_[slots[i]].add(static_cast<double>(values[x.at(i)]), overflowed);
    });
    if (overflowed)
      return float_overflow();
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const float_spreads&>(from);
    bool overflowed = false;
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      states_[into_slots[i]].add(other.states_[from_slots[i]], overflowed);
    if (overflowed)
      return float_overflow();
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    constexpr bool sample = What == spread::variance_samp || What == spread::stddev_samp;
    constexpr bool root = What == spread::stddev_pop || What == spread::stddev_samp;
    column x = make_column(sql_type{type_kind::double_precision}, row_count(slots));
    auto* to = x.mutable_data<double>();
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = states_[slots[i]];
      to[i] = 0;
      if (s.count <= (sample ? 1 : 0)) {
        set_null(x, i);
        continue;
      }
      const double variance = s.squares / (sample ? s.count - 1 : s.count);
      to[i] = root ? std::sqrt(variance) : variance;
    }
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    std::vector<column> parts(3, column{});
    for (auto& part : parts)
      part = make_column(sql_type{type_kind::double_precision}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = states_[slots[i]];
      parts[0].mutable_data<double>()[i] = s.count;
      parts[1].mutable_data<double>()[i] = s.sum;
      parts[2].mutable_data<double>()[i] = s.squares;
    }
    return parts;
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    bool overflowed = false;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      moments other;
      other.count = state[0].data<double>()[state[0].at(i)];
      other.sum = state[1].data<double>()[state[1].at(i)];
      other.squares = state[2].data<double>()[state[2].at(i)];
      states_[slots[i]].add(other, overflowed);
    }
    if (overflowed)
      return float_overflow();
    return {};
  }
};

template <class Sum>
std::vector<sql_type> sum_state(std::span<const sql_type>) {
  return {sql_type{float_kind<Sum>}, sql_type{type_kind::bigint}};
}

std::vector<sql_type> spread_state(std::span<const sql_type>) {
  return std::vector<sql_type>(3, sql_type{type_kind::double_precision});
}

template <class T>
void add_for(aggregate_registry& registry) {
  const std::vector<sql_type> params{sql_type{float_kind<T>}};
  add_aggregate(registry, "sum",
                {params, always<float_kind<T>>, sum_state<T>, make_state<float_sums<T, T, false>>});
  add_aggregate(registry, "avg",
                {params, always<type_kind::double_precision>, sum_state<double>,
                 make_state<float_sums<T, double, true>>});
  const auto add = [&](std::string_view name, auto make) {
    add_aggregate(registry, name,
                  {params, always<type_kind::double_precision>, spread_state, make});
  };
  add("variance", make_state<float_spreads<T, spread::variance_samp>>);
  add("var_samp", make_state<float_spreads<T, spread::variance_samp>>);
  add("var_pop", make_state<float_spreads<T, spread::variance_pop>>);
  add("stddev", make_state<float_spreads<T, spread::stddev_samp>>);
  add("stddev_samp", make_state<float_spreads<T, spread::stddev_samp>>);
  add("stddev_pop", make_state<float_spreads<T, spread::stddev_pop>>);
}

} // namespace

void add_float_aggregates(aggregate_registry& registry) {
  add_for<float>(registry);
  add_for<double>(registry);
}

} // namespace ebb
