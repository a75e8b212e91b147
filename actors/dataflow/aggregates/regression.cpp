/// corr, covar_… and regr_…: statistics of pairs (y, x), by PostgreSQL's operations in its order.
/// They cannot take rows back: sums of floats do not come out as if the row had never been there.
/// regr_count can.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/functions/float_checks.hpp"

#include <cmath>
#include <limits>

namespace ebb {

namespace {

/// Running sums of Youngs and Cramer, for two variables.
struct pair_moments {
  double count = 0;
  double x = 0;  ///< sum
  double xx = 0; ///< sum of squared distances from the mean
  double y = 0;
  double yy = 0;
  double xy = 0; ///< sum of products of both distances

  void add(double value_y, double value_x, bool& overflowed) noexcept {
    const auto before = *this;
    count += 1;
    x += value_x;
    y += value_y;
    if (before.count > 0) {
      const double distance_x = value_x * count - x;
      const double distance_y = value_y * count - y;
      const double scale = 1.0 / (count * before.count);
      xx += distance_x * distance_x * scale;
      yy += distance_y * distance_y * scale;
      xy += distance_x * distance_y * scale;
      note_infinite(before, value_y, value_x, overflowed);
      return;
    }
    // Of one pair the distances are 0, unless a value has none.
    if (!std::isfinite(value_x))
      xx = xy = nan;
    if (!std::isfinite(value_y))
      yy = xy = nan;
  }

  void add(const pair_moments& other, bool& overflowed) noexcept {
    if (other.count == 0)
      return;
    if (count == 0) {
      *this = other;
      return;
    }
    const auto before = *this;
    const double distance_x = x / count - other.x / other.count;
    const double distance_y = y / count - other.y / other.count;
    const double pairs = count * other.count;
    count += other.count;
    x += other.x;
    y += other.y;
    xx += other.xx + pairs * distance_x * distance_x / count;
    yy += other.yy + pairs * distance_y * distance_y / count;
    xy += other.xy + pairs * distance_x * distance_y / count;
    overflowed |= became_infinite(x, before.x, other.x) || became_infinite(y, before.y, other.y)
                  || became_infinite(xx, before.xx, other.xx)
                  || became_infinite(yy, before.yy, other.yy)
                  || became_infinite(xy, before.xy, other.xy);
  }

private:
  static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

  static bool became_infinite(double sum, double a, double b) noexcept {
    return std::isinf(sum) && !std::isinf(a) && !std::isinf(b);
  }

  /// Infinite input makes distances NaN; an infinite result of finite input is an error.
  void note_infinite(const pair_moments& before, double value_y, double value_x,
                     bool& overflowed) noexcept {
    const bool finite_x = !std::isinf(before.x) && !std::isinf(value_x);
    const bool finite_y = !std::isinf(before.y) && !std::isinf(value_y);
    overflowed |= ((std::isinf(x) || std::isinf(xx)) && finite_x)
                  || ((std::isinf(y) || std::isinf(yy)) && finite_y)
                  || (std::isinf(xy) && finite_x && finite_y);
    for (auto* sum : {&xx, &yy, &xy})
      if (std::isinf(*sum))
        *sum = nan;
  }
};

/// A statistic of the pairs, NaN included, or nothing where it is NULL. `least`: with fewer pairs
/// it is NULL.
struct covariance_pop {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    return s.xy / s.count;
  }
};

struct covariance_samp {
  static constexpr double least = 2;

  static std::optional<double> of(const pair_moments& s) {
    return s.xy / (s.count - 1);
  }
};

struct correlation {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    if (s.xx == 0 || s.yy == 0)
      return std::nullopt;
    return s.xy / std::sqrt(s.xx * s.yy);
  }
};

struct average_x {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    return s.x / s.count;
  }
};

struct average_y {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    return s.y / s.count;
  }
};

struct squares_x {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    return s.xx;
  }
};

struct squares_y {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    return s.yy;
  }
};

struct products {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    return s.xy;
  }
};

struct slope {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    if (s.xx == 0)
      return std::nullopt;
    return s.xy / s.xx;
  }
};

struct intercept {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    if (s.xx == 0)
      return std::nullopt;
    return (s.y - s.x * s.xy / s.xx) / s.count;
  }
};

struct determination {
  static constexpr double least = 1;

  static std::optional<double> of(const pair_moments& s) {
    if (s.xx == 0)
      return std::nullopt;
    if (s.yy == 0)
      return 1.0;
    return (s.xy * s.xy) / (s.xx * s.yy);
  }
};

/// State columns: the members of pair_moments.
template <class Statistic>
class regressions final : public plain_accumulators<pair_moments> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), "a regression"));
    const auto& y = args[0];
    const auto& x = args[1];
    bool overflowed = false;
    each_row(row_count(slots), &y, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      if (x.is_null(i))
        return;
      for (auto w = weight; w > 0; --w)
        states_[slots[i]].add(y.data<double>()[y.at(i)], x.data<double>()[x.at(i)], overflowed);
    });
    if (overflowed)
      return float_overflow();
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const regressions&>(from);
    bool overflowed = false;
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      states_[into_slots[i]].add(other.states_[from_slots[i]], overflowed);
    if (overflowed)
      return float_overflow();
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column out = make_column(sql_type{type_kind::double_precision}, row_count(slots));
    auto* to = out.mutable_data<double>();
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = states_[slots[i]];
      const auto value = s.count < Statistic::least ? std::nullopt : Statistic::of(s);
      to[i] = value.value_or(0);
      if (!value)
        set_null(out, i);
    }
    return out;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    std::vector<column> parts;
    for (const auto member : members) {
      parts.push_back(make_column(sql_type{type_kind::double_precision}, row_count(slots)));
      auto* to = parts.back().mutable_data<double>();
      for (std::uint32_t i = 0; i < slots.size(); ++i)
        to[i] = states_[slots[i]].*member;
    }
    return parts;
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    bool overflowed = false;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      pair_moments other;
      for (std::size_t k = 0; k < members.size(); ++k)
        other.*members[k] = state[k].data<double>()[state[k].at(i)];
      states_[slots[i]].add(other, overflowed);
    }
    if (overflowed)
      return float_overflow();
    return {};
  }

private:
  static constexpr std::array members{&pair_moments::count, &pair_moments::x,  &pair_moments::xx,
                                      &pair_moments::y,     &pair_moments::yy, &pair_moments::xy};
};

std::vector<sql_type> moments_state(std::span<const sql_type>) {
  return std::vector<sql_type>(6, sql_type{type_kind::double_precision});
}

} // namespace

void add_regressions(aggregate_registry& registry) {
  const std::vector<sql_type> params(2, sql_type{type_kind::double_precision});
  const auto add = [&](std::string_view name, auto make) {
    add_aggregate(registry, name,
                  {params, always<type_kind::double_precision>, moments_state, make});
  };
  add("corr", make_state<regressions<correlation>>);
  add("covar_pop", make_state<regressions<covariance_pop>>);
  add("covar_samp", make_state<regressions<covariance_samp>>);
  add("regr_avgx", make_state<regressions<average_x>>);
  add("regr_avgy", make_state<regressions<average_y>>);
  add("regr_intercept", make_state<regressions<intercept>>);
  add("regr_r2", make_state<regressions<determination>>);
  add("regr_slope", make_state<regressions<slope>>);
  add("regr_sxx", make_state<regressions<squares_x>>);
  add("regr_sxy", make_state<regressions<products>>);
  add("regr_syy", make_state<regressions<squares_y>>);
}

} // namespace ebb
