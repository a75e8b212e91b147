/// min and max of fixed-width types.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/key_words.hpp"

#include <cmath>

namespace ebb {

namespace {

/// True where `a` sorts before `b`; NaN after everything, intervals by 30-day months.
template <class T>
[[gnu::always_inline]] inline bool before(const T& a, const T& b) noexcept {
  if constexpr (std::is_floating_point_v<T>)
    return a < b || (std::isnan(b) && !std::isnan(a));
  else if constexpr (std::is_same_v<T, interval_value>)
    return comparable(a) < comparable(b);
  else
    return a < b;
}

/// True where PostgreSQL goes on with `b` after having seen `a`: equal values replace (0 and -0).
template <bool Max, class T>
[[gnu::always_inline]] inline bool replaces(const T& b, const T& a) noexcept {
  return Max ? !before(b, a) : !before(a, b);
}

template <class T>
struct extreme {
  T value{};
  bool any = false;
};

/// State column: the extreme, NULL where there was no value.
template <class T, bool Max>
class extremes final : public plain_accumulators<extreme<T>> {
public:
  explicit extremes(sql_type type) : type_{type.kind} {}

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), Max ? "max" : "min"));
    const auto& x = args[0];
    const auto rows = row_count(slots);
    const T* values = x.template data<T>();
    auto* state = this->states_.data();
    if constexpr (std::is_integral_v<T>) {
      if (!x.has_nulls() && !x.constant && included == nullptr && one_slot(slots)) {
        T best = values[0];
        for (std::uint32_t i = 1; i < rows; ++i)
          best = Max ? std::max(best, values[i]) : std::min(best, values[i]);
        take(state[slots[0]], best);
        return {};
      }
    }
    each_row(rows, &x, included, nullptr,
             [&](std::uint32_t i, std::int64_t) { take(state[slots[i]], values[x.at(i)]); });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const extremes&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      if (const auto& s = other.states_[from_slots[i]]; s.any)
        take(this->states_[into_slots[i]], s.value);
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_column(type_, row_count(slots));
    T* to = x.mutable_data<T>();
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = this->states_[slots[i]];
      to[i] = s.value;
      if (!s.any)
        set_null(x, i);
    }
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    return {*finish(slots)};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    return update(slots, state, nullptr, nullptr);
  }

private:
  [[gnu::always_inline]] static void take(extreme<T>& s, const T& value) noexcept {
    if (!s.any || replaces<Max>(value, s.value)) {
      s.value = value;
      s.any = true;
    }
  }

  sql_type type_;
};

std::vector<sql_type> own_state(std::span<const sql_type> args) {
  return {same_as_argument(args)};
}

template <class T, bool Max>
std::unique_ptr<accumulators> make_extremes(std::span<const sql_type> args) {
  return std::make_unique<extremes<T, Max>>(args[0]);
}

template <class T>
void add_for(aggregate_registry& registry, type_kind kind) {
  add_aggregate(registry, "min",
                {{sql_type{kind}}, same_as_argument, own_state, make_extremes<T, false>});
  add_aggregate(registry, "max",
                {{sql_type{kind}}, same_as_argument, own_state, make_extremes<T, true>});
}

} // namespace

void add_extremes(aggregate_registry& registry) {
  add_for<std::int16_t>(registry, type_kind::smallint);
  add_for<std::int32_t>(registry, type_kind::integer);
  add_for<std::int64_t>(registry, type_kind::bigint);
  add_for<float>(registry, type_kind::real);
  add_for<double>(registry, type_kind::double_precision);
  add_for<std::int32_t>(registry, type_kind::date);
  add_for<std::int64_t>(registry, type_kind::timestamp);
  add_for<std::int64_t>(registry, type_kind::timestamptz);
  add_for<interval_value>(registry, type_kind::interval);
}

} // namespace ebb
