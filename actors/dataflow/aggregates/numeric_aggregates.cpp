/// sum and avg of NUMERIC.
#include "actors/dataflow/aggregates/numeric_sums.hpp"
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"

namespace ebb {

namespace {

/// State columns: the sum (its scale is the largest of the values), the count of values.
template <bool Average>
class sums_of_numerics final : public accumulators {
public:
  void resize(std::uint32_t count) override {
    sums_.resize(count);
    if (counts_.size() < count)
      counts_.resize(count);
  }

  void clear(std::uint32_t slot) override {
    sums_.clear(slot);
    counts_[slot] = 0;
  }

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[0];
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      sums_.add(slots[i], x, i, weight);
      counts_[slots[i]] += weight;
      if (weight < 0 && counts_[slots[i]] == 0)
        sums_.clear(slots[i]); // the scale of what is gone does not stay
    });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const sums_of_numerics&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      sums_.merge(into_slots[i], other.sums_, from_slots[i]);
      counts_[into_slots[i]] += other.counts_[from_slots[i]];
    }
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_numeric_column(sql_type{type_kind::numeric}, row_count(slots));
    column one = make_numeric_column(sql_type{type_kind::numeric}, 2);
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      if (counts_[slots[i]] == 0) {
        set_null(x, i);
      } else if constexpr (Average) {
        EBB_TRY(sums_.store(slots[i], one, 0));
        set_numeric(one, 1, counts_[slots[i]], 0);
        EBB_TRY(divide_numeric(x, i, one, 0, one, 1));
      } else {
        EBB_TRY(sums_.store(slots[i], x, i));
      }
    }
    pack_scales(x);
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    column sums = make_numeric_column(sql_type{type_kind::numeric}, row_count(slots));
    column counts = make_column(sql_type{type_kind::bigint}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      // A sum too large for the format stays what it is: no number.
      if (!sums_.store(slots[i], sums, i))
        set_numeric_special(sums, i, numeric_tag::nan);
      counts.mutable_data<std::int64_t>()[i] = counts_[slots[i]];
    }
    pack_scales(sums);
    return {sums, counts};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto count = state[1].data<std::int64_t>()[state[1].at(i)];
      if (count == 0)
        continue;
      sums_.add(slots[i], state[0], i, 1);
      counts_[slots[i]] += count;
    }
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    return sums_.byte_size() + counts_.capacity() * sizeof(std::int64_t);
  }

private:
  numeric_sums sums_;
  std::vector<std::int64_t> counts_;
};

std::vector<sql_type> state_types_of_sum(std::span<const sql_type>) {
  return {sql_type{type_kind::numeric}, sql_type{type_kind::bigint}};
}

template <bool Average>
std::unique_ptr<accumulators> make_sums(std::span<const sql_type>) {
  return std::make_unique<sums_of_numerics<Average>>();
}

} // namespace

void add_numeric_aggregates(aggregate_registry& registry) {
  const std::vector<sql_type> params{sql_type{type_kind::numeric}};
  add_aggregate(registry, "sum",
                {params, always<type_kind::numeric>, state_types_of_sum, make_sums<false>});
  add_aggregate(registry, "avg",
                {params, always<type_kind::numeric>, state_types_of_sum, make_sums<true>});
}

} // namespace ebb
