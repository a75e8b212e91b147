/// bool_and, bool_or, every, bit_and, bit_or, bit_xor.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"

namespace ebb {

namespace {

struct truth_counts {
  std::int64_t trues = 0;
  std::int64_t falses = 0;
};

/// Counts, so that rows can be taken back. State columns: how many were true, how many false.
template <bool And>
class truths final : public plain_accumulators<truth_counts> {
public:
  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[0];
    const auto* values = x.data<std::uint8_t>();
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      auto& s = states_[slots[i]];
      const bool value = values[x.at(i)] != 0;
      s.trues += value ? weight : 0;
      s.falses += value ? 0 : weight;
    });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const truths&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      states_[into_slots[i]].trues += other.states_[from_slots[i]].trues;
      states_[into_slots[i]].falses += other.states_[from_slots[i]].falses;
    }
    return {};
  }

  [[nodiscard]] bool invertible() const noexcept override {
    return true;
  }

  void subtract(std::span<const std::uint32_t> into_slots, const accumulators& from,
                std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const truths&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      states_[into_slots[i]].trues -= other.states_[from_slots[i]].trues;
      states_[into_slots[i]].falses -= other.states_[from_slots[i]].falses;
    }
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_column(sql_type{type_kind::boolean}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = states_[slots[i]];
      x.mutable_data<std::uint8_t>()[i] = (And ? s.falses == 0 : s.trues != 0) ? 1 : 0;
      if (s.trues == 0 && s.falses == 0)
        set_null(x, i);
    }
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    column trues = make_column(sql_type{type_kind::bigint}, row_count(slots));
    column falses = make_column(sql_type{type_kind::bigint}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      trues.mutable_data<std::int64_t>()[i] = states_[slots[i]].trues;
      falses.mutable_data<std::int64_t>()[i] = states_[slots[i]].falses;
    }
    return {trues, falses};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      states_[slots[i]].trues += state[0].data<std::int64_t>()[state[0].at(i)];
      states_[slots[i]].falses += state[1].data<std::int64_t>()[state[1].at(i)];
    }
    return {};
  }
};

enum class bit_fold { bit_and, bit_or, bit_xor };

template <class T>
struct bit_state {
  T value = 0;
  bool any = false;
};

/// State column: the folded bits, NULL where there was no value.
template <class T, bit_fold Fold>
class bits final : public plain_accumulators<bit_state<T>> {
public:
  explicit bits(sql_type type) : type_{type.kind} {}

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), "a bit aggregate"));
    const auto& x = args[0];
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      // A pair of equal values does not change XOR.
      if (Fold != bit_fold::bit_xor || weight % 2 != 0)
        take(this->states_[slots[i]], x.template data<T>()[x.at(i)]);
      else
        this->states_[slots[i]].any = true;
    });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const bits&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      if (const auto& s = other.states_[from_slots[i]]; s.any)
        take(this->states_[into_slots[i]], s.value);
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_column(type_, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      x.mutable_data<T>()[i] = this->states_[slots[i]].value;
      if (!this->states_[slots[i]].any)
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
  static void take(bit_state<T>& s, T value) noexcept {
    if (!s.any)
      s.value = value;
    else if constexpr (Fold == bit_fold::bit_and)
      s.value = static_cast<T>(s.value & value);
    else if constexpr (Fold == bit_fold::bit_or)
      s.value = static_cast<T>(s.value | value);
    else
      s.value = static_cast<T>(s.value ^ value);
    s.any = true;
  }

  sql_type type_;
};

std::vector<sql_type> truth_state(std::span<const sql_type>) {
  return {sql_type{type_kind::bigint}, sql_type{type_kind::bigint}};
}

std::vector<sql_type> own_state(std::span<const sql_type> args) {
  return {same_as_argument(args)};
}

template <bool And>
std::unique_ptr<accumulators> make_truths(std::span<const sql_type>) {
  return std::make_unique<truths<And>>();
}

template <class T, bit_fold Fold>
std::unique_ptr<accumulators> make_bits(std::span<const sql_type> args) {
  return std::make_unique<bits<T, Fold>>(args[0]);
}

template <class T>
void add_for(aggregate_registry& registry, type_kind kind) {
  const auto add = [&](std::string_view name, auto make) {
    add_aggregate(registry, name, {{sql_type{kind}}, same_as_argument, own_state, make});
  };
  add("bit_and", make_bits<T, bit_fold::bit_and>);
  add("bit_or", make_bits<T, bit_fold::bit_or>);
  add("bit_xor", make_bits<T, bit_fold::bit_xor>);
}

} // namespace

void add_bits(aggregate_registry& registry) {
  const auto add = [&](std::string_view name, auto make) {
    add_aggregate(registry, name,
                  {{sql_type{type_kind::boolean}}, always<type_kind::boolean>, truth_state, make});
  };
  add("bool_and", make_truths<true>);
  add("every", make_truths<true>);
  add("bool_or", make_truths<false>);
  add_for<std::int16_t>(registry, type_kind::smallint);
  add_for<std::int32_t>(registry, type_kind::integer);
  add_for<std::int64_t>(registry, type_kind::bigint);
}

} // namespace ebb
