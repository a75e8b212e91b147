/// sum and avg of SMALLINT, INTEGER and BIGINT, in 128 bits.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/numeric.hpp"

namespace ebb {

namespace {

/// `Wide` holds the sum of as many values as there can be: int64 for 2-byte and (checked) 4-byte
/// values, int128 for 8-byte ones.
template <class Wide>
struct sum_state {
  Wide sum = 0;
  std::int64_t count = 0;
};

template <class T, class Wide>
class integer_sums : public plain_accumulators<sum_state<Wide>> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[0];
    const auto rows = row_count(slots);
    const T* values = x.template data<T>();
    auto* state = this->states_.data();
    bool overflow = false;
    if (!x.has_nulls() && !x.constant && included == nullptr && weights == nullptr
        && one_slot(slots)) {
      // A batch's sum of values that are half as wide cannot overflow.
      Wide sum = 0;
      for (std::uint32_t i = 0; i < rows; ++i)
        sum += values[i];
      auto& s = state[slots[0]];
      overflow = __builtin_add_overflow(s.sum, sum, &s.sum);
      s.count += rows;
    } else {
      each_row(rows, &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
        auto& s = state[slots[i]];
        overflow |=
            __builtin_add_overflow(s.sum, static_cast<Wide>(values[x.at(i)]) * weight, &s.sum);
        s.count += weight;
      });
    }
    return check(overflow);
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const integer_sums&>(from);
    bool overflow = false;
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      auto& to = this->states_[into_slots[i]];
      const auto& add = other.states_[from_slots[i]];
      overflow |= __builtin_add_overflow(to.sum, add.sum, &to.sum);
      to.count += add.count;
    }
    return check(overflow);
  }

  [[nodiscard]] bool invertible() const noexcept override {
    return true;
  }

  void subtract(std::span<const std::uint32_t> into_slots, const accumulators& from,
                std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const integer_sums&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      auto& to = this->states_[into_slots[i]];
      const auto& less = other.states_[from_slots[i]];
      static_cast<void>(__builtin_sub_overflow(to.sum, less.sum, &to.sum));
      to.count -= less.count;
    }
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    return {sums(slots), counts(slots)};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    bool overflow = false;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      auto& to = this->states_[slots[i]];
      const auto k = state[0].at(i);
      const auto sum = state[0].type.kind == type_kind::numeric
                           ? state[0].template data<int128>()[k]
                           : int128{state[0].template data<std::int64_t>()[k]};
      overflow |= __builtin_add_overflow(to.sum, static_cast<Wide>(sum), &to.sum);
      to.count += state[1].template data<std::int64_t>()[state[1].at(i)];
    }
    return check(overflow);
  }

protected:
  [[nodiscard]] static result<void> check(bool overflow) {
    if (overflow)
      return make_error(ec::evaluation, "bigint out of range");
    return {};
  }

  /// BIGINT, or NUMERIC with scale 0.
  [[nodiscard]] column sums(std::span<const std::uint32_t> slots) const {
    column x = make_column(sql_type{sizeof(Wide) == 8 ? type_kind::bigint : type_kind::numeric},
                           row_count(slots));
    auto* to = x.mutable_data<Wide>();
    for (std::size_t i = 0; i < slots.size(); ++i)
      to[i] = this->states_[slots[i]].sum;
    return x;
  }

  [[nodiscard]] column counts(std::span<const std::uint32_t> slots) const {
    column x = make_column(sql_type{type_kind::bigint}, row_count(slots));
    auto* to = x.mutable_data<std::int64_t>();
    for (std::size_t i = 0; i < slots.size(); ++i)
      to[i] = this->states_[slots[i]].count;
    return x;
  }
};

template <class T, class Wide>
class sum_of_integers final : public integer_sums<T, Wide> {
public:
  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = this->sums(slots);
    for (std::uint32_t i = 0; i < slots.size(); ++i)
      if (this->states_[slots[i]].count == 0)
        set_null(x, i);
    return x;
  }
};

template <class T, class Wide>
class average_of_integers final : public integer_sums<T, Wide> {
public:
  result<column> finish(std::span<const std::uint32_t> slots) const override {
    const auto rows = row_count(slots);
    column sums = make_numeric_column(sql_type{type_kind::numeric}, 1);
    column counts = make_numeric_column(sql_type{type_kind::numeric}, 1);
    column x = make_numeric_column(sql_type{type_kind::numeric}, rows);
    for (std::uint32_t i = 0; i < rows; ++i) {
      const auto& s = this->states_[slots[i]];
      if (s.count == 0) {
        set_null(x, i);
        continue;
      }
      set_numeric(sums, 0, s.sum, 0);
      set_numeric(counts, 0, s.count, 0);
      EBB_TRY(divide_numeric(x, i, sums, 0, counts, 0));
    }
    pack_scales(x);
    return x;
  }
};

template <class Wide>
std::vector<sql_type> sum_state_types(std::span<const sql_type>) {
  return {sql_type{sizeof(Wide) == 8 ? type_kind::bigint : type_kind::numeric},
          sql_type{type_kind::bigint}};
}

template <class T, class Wide>
void add_both(aggregate_registry& registry, type_kind kind) {
  add_aggregate(registry, "sum",
                {{sql_type{kind}},
                 sizeof(Wide) == 8 ? always<type_kind::bigint> : always<type_kind::numeric>,
                 sum_state_types<Wide>,
                 make_state<sum_of_integers<T, Wide>>});
  add_aggregate(registry, "avg",
                {{sql_type{kind}},
                 always<type_kind::numeric>,
                 sum_state_types<Wide>,
                 make_state<average_of_integers<T, Wide>>});
}

} // namespace

void add_integer_sums(aggregate_registry& registry) {
  add_both<std::int16_t, std::int64_t>(registry, type_kind::smallint);
  add_both<std::int32_t, std::int64_t>(registry, type_kind::integer);
  add_both<std::int64_t, int128>(registry, type_kind::bigint);
}

} // namespace ebb
