/// count(*) and count(x).
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"

namespace ebb {

namespace {

class counts : public plain_accumulators<std::int64_t> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto rows = row_count(slots);
    const column* strict = args.empty() || !args[0].has_nulls() ? nullptr : &args[0];
    if (strict == nullptr && included == nullptr && weights == nullptr && one_slot(slots)) {
      states_[slots[0]] += rows;
      return {};
    }
    auto* state = states_.data();
    each_row(rows, strict, included, weights,
             [&](std::uint32_t i, std::int64_t weight) { state[slots[i]] += weight; });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const counts&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      states_[into_slots[i]] += other.states_[from_slots[i]];
    return {};
  }

  [[nodiscard]] bool invertible() const noexcept override {
    return true;
  }

  void subtract(std::span<const std::uint32_t> into_slots, const accumulators& from,
                std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const counts&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      states_[into_slots[i]] -= other.states_[from_slots[i]];
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_column(sql_type{type_kind::bigint}, row_count(slots));
    auto* to = x.mutable_data<std::int64_t>();
    for (std::size_t i = 0; i < slots.size(); ++i)
      to[i] = states_[slots[i]];
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    return {*finish(slots)};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i)
      states_[slots[i]] += state[0].data<std::int64_t>()[state[0].at(i)];
    return {};
  }
};

/// regr_count: pairs without a NULL.
class pair_counts final : public counts {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    each_row(row_count(slots), &args[0], included, weights,
             [&](std::uint32_t i, std::int64_t weight) {
               if (!args[1].is_null(i))
                 states_[slots[i]] += weight;
             });
    return {};
  }
};

std::vector<sql_type> count_state(std::span<const sql_type>) {
  return {sql_type{type_kind::bigint}};
}

constexpr type_kind countable[] = {type_kind::unknown,
                                   type_kind::boolean,
                                   type_kind::smallint,
                                   type_kind::integer,
                                   type_kind::bigint,
                                   type_kind::real,
                                   type_kind::double_precision,
                                   type_kind::numeric,
                                   type_kind::text,
                                   type_kind::bytea,
                                   type_kind::date,
                                   type_kind::timestamp,
                                   type_kind::interval,
                                   type_kind::jsonb,
                                   type_kind::timestamptz};

} // namespace

void add_counts(aggregate_registry& registry) {
  const auto add = [&](std::vector<sql_type> params) {
    add_aggregate(registry, "count",
                  {std::move(params), always<type_kind::bigint>, count_state, make_state<counts>});
  };
  add({});
  for (const auto kind : countable) {
    add({sql_type{kind}});
    add({sql_type{type_kind::array, kind}});
  }
  const std::vector<sql_type> pair(2, sql_type{type_kind::double_precision});
  add_aggregate(registry, "regr_count",
                {pair, always<type_kind::bigint>, count_state, make_state<pair_counts>});
}

} // namespace ebb
