/// sum and avg of INTERVAL.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/interval_scale.hpp"

namespace ebb {

namespace {

struct interval_sum {
  interval_value sum;
  std::int64_t count = 0;
};

error out_of_range() {
  return make_error(ec::evaluation, "interval out of range");
}

/// Adds `weight` times x; false on overflow.
bool add_to(interval_value& sum, const interval_value& x, std::int64_t weight) noexcept {
  std::int64_t micros_part = 0;
  const auto part = [&](std::int32_t& to, std::int32_t from) {
    const auto wide = std::int64_t{to} + std::int64_t{from} * weight;
    to = static_cast<std::int32_t>(wide);
    return wide == to;
  };
  return part(sum.months, x.months) && part(sum.days, x.days)
         && !__builtin_mul_overflow(x.micros, weight, &micros_part)
         && !__builtin_add_overflow(sum.micros, micros_part, &sum.micros);
}

/// State columns: sum, count.
template <bool Average>
class interval_sums final : public plain_accumulators<interval_sum> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[0];
    const auto* values = x.data<interval_value>();
    bool good = true;
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      auto& s = states_[slots[i]];
      good &= add_to(s.sum, values[x.at(i)], weight);
      s.count += weight;
    });
    if (!good)
      return out_of_range();
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const interval_sums&>(from);
    bool good = true;
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      good &= add_to(states_[into_slots[i]].sum, other.states_[from_slots[i]].sum, 1);
      states_[into_slots[i]].count += other.states_[from_slots[i]].count;
    }
    if (!good)
      return out_of_range();
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_column(sql_type{type_kind::interval}, row_count(slots));
    auto* to = x.mutable_data<interval_value>();
    bool good = true;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = states_[slots[i]];
      to[i] = s.sum;
      if (s.count == 0)
        set_null(x, i);
      else if (Average)
        good &= divide_interval(s.sum, static_cast<double>(s.count), to[i]);
    }
    if (!good)
      return out_of_range();
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    column sums = make_column(sql_type{type_kind::interval}, row_count(slots));
    column counts = make_column(sql_type{type_kind::bigint}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      sums.mutable_data<interval_value>()[i] = states_[slots[i]].sum;
      counts.mutable_data<std::int64_t>()[i] = states_[slots[i]].count;
    }
    return {sums, counts};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    bool good = true;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      good &= add_to(states_[slots[i]].sum, state[0].data<interval_value>()[state[0].at(i)], 1);
      states_[slots[i]].count += state[1].data<std::int64_t>()[state[1].at(i)];
    }
    if (!good)
      return out_of_range();
    return {};
  }
};

std::vector<sql_type> sum_state(std::span<const sql_type>) {
  return {sql_type{type_kind::interval}, sql_type{type_kind::bigint}};
}

template <bool Average>
std::unique_ptr<accumulators> make_sums(std::span<const sql_type>) {
  return std::make_unique<interval_sums<Average>>();
}

} // namespace

void add_interval_aggregates(aggregate_registry& registry) {
  const std::vector<sql_type> params{sql_type{type_kind::interval}};
  add_aggregate(registry, "sum",
                {params, always<type_kind::interval>, sum_state, make_sums<false>});
  add_aggregate(registry, "avg", {params, always<type_kind::interval>, sum_state, make_sums<true>});
}

} // namespace ebb
