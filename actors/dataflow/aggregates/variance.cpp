/// variance and stddev of integers and NUMERIC: exact sums, one rounding at the end, with
/// PostgreSQL's scales.
#include "actors/dataflow/aggregates/numeric_sums.hpp"
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"

namespace ebb {

namespace {

enum class spread { variance_pop, variance_samp, stddev_pop, stddev_samp };

/// Square root of x ≥ 0 rounded half up to `scale` places.
numeric square_root(const numeric& x, int scale) {
  const int places = 2 * (scale + 1);
  big_integer radicand = x.unscaled();
  if (places >= x.scale())
    radicand *= big_power_of_ten(static_cast<unsigned>(places - x.scale()));
  else
    radicand /= big_power_of_ten(static_cast<unsigned>(x.scale() - places));
  return numeric(boost::multiprecision::sqrt(radicand), scale + 1).rounded(scale);
}

/// The statistic, or nothing where it is NULL.
result<std::optional<numeric>> spread_of(spread what, std::int64_t count, const numeric& sum,
                                         const numeric& squares) {
  const bool sample = what == spread::variance_samp || what == spread::stddev_samp;
  if (count <= (sample ? 1 : 0))
    return std::optional<numeric>{};
  if (!sum.finite() || !squares.finite())
    return std::optional<numeric>{numeric(numeric_form::nan)};
  const numeric n(big_integer(count), 0);
  const auto numerator = subtract(multiply(n, squares), multiply(sum, sum));
  if (numerator.sign() <= 0)
    return std::optional<numeric>{numeric(big_integer(0), 0)};
  const numeric denominator(big_integer(count) * (sample ? count - 1 : count), 0);
  EBB_ASSIGN(auto variance, divide(numerator, denominator));
  if (what == spread::variance_pop || what == spread::variance_samp)
    return std::optional<numeric>{std::move(variance)};
  return std::optional<numeric>{square_root(variance, division_scale(numerator, denominator))};
}

/// T: stored integer type, or int128 for NUMERIC columns. State columns: sum, sum of squares,
/// count.
template <class T, spread What>
class spreads final : public accumulators {
public:
  void resize(std::uint32_t count) override {
    sums_.resize(count);
    squares_.resize(count);
    if (counts_.size() < count)
      counts_.resize(count);
  }

  void clear(std::uint32_t slot) override {
    sums_.clear(slot);
    squares_.clear(slot);
    counts_[slot] = 0;
  }

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[0];
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      add(slots[i], x, i, weight);
      counts_[slots[i]] += weight;
      if (weight < 0 && counts_[slots[i]] == 0)
        clear(slots[i]); // the scale of what is gone does not stay
    });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const spreads&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      sums_.merge(into_slots[i], other.sums_, from_slots[i]);
      squares_.merge(into_slots[i], other.squares_, from_slots[i]);
      counts_[into_slots[i]] += other.counts_[from_slots[i]];
    }
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    column x = make_numeric_column(sql_type{type_kind::numeric}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto slot = slots[i];
      EBB_ASSIGN(auto value,
                 spread_of(What, counts_[slot], sums_.value(slot), squares_.value(slot)));
      if (!value)
        set_null(x, i);
      else
        EBB_TRY(value->store(x, i));
    }
    pack_scales(x);
    return x;
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    column sums = make_numeric_column(sql_type{type_kind::numeric}, row_count(slots));
    column squares = make_numeric_column(sql_type{type_kind::numeric}, row_count(slots));
    column counts = make_column(sql_type{type_kind::bigint}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      if (!sums_.store(slots[i], sums, i))
        set_numeric_special(sums, i, numeric_tag::nan);
      if (!squares_.store(slots[i], squares, i))
        set_numeric_special(squares, i, numeric_tag::nan);
      counts.mutable_data<std::int64_t>()[i] = counts_[slots[i]];
    }
    pack_scales(sums);
    pack_scales(squares);
    return {sums, squares, counts};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto count = state[2].data<std::int64_t>()[state[2].at(i)];
      if (count == 0)
        continue;
      sums_.add(slots[i], state[0], i, 1);
      squares_.add(slots[i], state[1], i, 1);
      counts_[slots[i]] += count;
    }
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    return sums_.byte_size() + squares_.byte_size() + counts_.capacity() * sizeof(std::int64_t);
  }

private:
  void add(std::uint32_t slot, const column& x, std::uint32_t i, std::int64_t weight) {
    const auto scale = std::is_same_v<T, int128> ? x.scale_of(i) : std::int16_t{0};
    if (scale >= 0) {
      const int128 value = x.data<T>()[x.at(i)];
      int128 square;
      if (2 * scale <= INT16_MAX && multiply_checked(value, value, square)) {
        sums_.add(slot, value, scale, weight);
        squares_.add(slot, square, static_cast<std::int16_t>(2 * scale), weight);
        return;
      }
    }
    const auto value = numeric::load(x, i);
    sums_.add(slot, value, weight);
    squares_.add(slot, multiply(value, value), weight);
  }

  numeric_sums sums_;
  numeric_sums squares_;
  std::vector<std::int64_t> counts_;
};

std::vector<sql_type> spread_state(std::span<const sql_type>) {
  return {sql_type{type_kind::numeric}, sql_type{type_kind::numeric}, sql_type{type_kind::bigint}};
}

template <class T, spread What>
std::unique_ptr<accumulators> make_spreads(std::span<const sql_type>) {
  return std::make_unique<spreads<T, What>>();
}

template <class T>
void add_for(aggregate_registry& registry, type_kind kind) {
  const auto add = [&](std::string_view name, auto make) {
    add_aggregate(registry, name,
                  {{sql_type{kind}}, always<type_kind::numeric>, spread_state, make});
  };
  add("variance", make_spreads<T, spread::variance_samp>);
  add("var_samp", make_spreads<T, spread::variance_samp>);
  add("var_pop", make_spreads<T, spread::variance_pop>);
  add("stddev", make_spreads<T, spread::stddev_samp>);
  add("stddev_samp", make_spreads<T, spread::stddev_samp>);
  add("stddev_pop", make_spreads<T, spread::stddev_pop>);
}

} // namespace

void add_variances(aggregate_registry& registry) {
  add_for<std::int16_t>(registry, type_kind::smallint);
  add_for<std::int32_t>(registry, type_kind::integer);
  add_for<std::int64_t>(registry, type_kind::bigint);
  add_for<int128>(registry, type_kind::numeric);
}

} // namespace ebb
