/// percentile_cont, percentile_disc and mode.
#include "actors/dataflow/aggregates/percentiles.hpp"
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/aggregates/sorted_bytes.hpp"
#include "actors/dataflow/aggregates/sorted_values.hpp"
#include "actors/dataflow/ordered_set.hpp"

#include <cstdio>
#include <cstring>

namespace ebb {

namespace {

/// State columns: the direct argument's byte form (NULL where there is none), and the values: of
/// each its count and its byte form.
template <class Value, class Answer>
class ordered_sets final : public accumulators {
public:
  ordered_sets(std::span<const sql_type> args, sql_type type, bool descending)
      : args_(args.begin(), args.end()), type_(type), descending_(descending) {}

  void resize(std::uint32_t count) override {
    if (groups_.size() < count)
      groups_.resize(count);
  }

  void clear(std::uint32_t slot) override {
    groups_[slot] = {};
  }

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    const auto& x = args[args_.size() - 1];
    // Rows that are left out tell the group's direct argument too.
    if (has_direct())
      take_direct(slots, args[0]);
    each_row(row_count(slots), &x, included, weights, [&](std::uint32_t i, std::int64_t weight) {
      groups_[slots[i]].values.add(Value::of(x, i), weight);
    });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const ordered_sets&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      const auto& add = other.groups_[from_slots[i]];
      auto& to = groups_[into_slots[i]];
      to.values.add(add.values, 1);
      if (!add.direct.empty())
        to.direct = add.direct;
    }
    return {};
  }

  [[nodiscard]] bool invertible() const noexcept override {
    return true;
  }

  void subtract(std::span<const std::uint32_t> into_slots, const accumulators& from,
                std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const ordered_sets&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i)
      groups_[into_slots[i]].values.add(other.groups_[from_slots[i]].values, -1);
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    value_builder out(type_, row_count(slots));
    column direct;
    if (has_direct()) {
      EBB_ASSIGN(direct, direct_arguments(slots));
    }
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const ranked_values<Value> values(groups_[slots[i]].values.sorted(), descending_);
      EBB_TRY(Answer::run(values, has_direct() ? &direct : nullptr, i, out));
    }
    return out.take();
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    text_builder directs(sql_type{type_kind::bytea}, row_count(slots));
    text_builder values(sql_type{type_kind::bytea}, row_count(slots));
    std::string bytes;
    for (const auto slot : slots) {
      auto& kept = groups_[slot];
      if (kept.direct.empty())
        directs.append_null();
      else
        directs.append(kept.direct);
      write_values(kept.values.sorted(), bytes);
      values.append(bytes);
    }
    return {directs.take(), values.take()};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    value_builder builder(args_.back());
    std::vector<std::pair<std::uint32_t, std::int64_t>> places; // slot and count of each value
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      if (!state[0].is_null(i))
        groups_[slots[i]].direct = state[0].text_of(i);
      auto bytes = state[1].text_of(i);
      while (!bytes.empty()) {
        std::int64_t count = 0;
        if (bytes.size() < sizeof count)
          return make_error(ec::corrupt, "damaged state of an ordered-set aggregate");
        std::memcpy(&count, bytes.data(), sizeof count);
        bytes.remove_prefix(sizeof count);
        EBB_TRY(builder.append_encoded(bytes));
        places.emplace_back(slots[i], count);
      }
    }
    const auto values = builder.take();
    for (std::uint32_t k = 0; k < places.size(); ++k)
      groups_[places[k].first].values.add(Value::of(values, k), places[k].second);
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    std::size_t bytes = groups_.capacity() * sizeof(group);
    for (const auto& x : groups_)
      bytes += x.values.byte_size() + (x.direct.capacity() > 15 ? x.direct.capacity() : 0);
    return bytes;
  }

private:
  using entry = typename value_multiset<Value>::entry;

  struct group {
    value_multiset<Value> values;
    std::string direct; ///< byte form; empty before the first row
  };

  [[nodiscard]] bool has_direct() const noexcept {
    return args_.size() > 1;
  }

  void take_direct(std::span<const std::uint32_t> slots, const column& x) {
    std::string bytes;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      if (i == 0 || !x.constant) {
        bytes.clear();
        append_value(x, i, bytes);
      }
      auto& known = groups_[slots[i]].direct;
      if (known != bytes)
        known = bytes;
    }
  }

  [[nodiscard]] result<column> direct_arguments(std::span<const std::uint32_t> slots) const {
    value_builder builder(args_[0], row_count(slots));
    for (const auto slot : slots) {
      std::string_view bytes = groups_[slot].direct;
      if (bytes.empty())
        builder.append_null();
      else
        EBB_TRY(builder.append_encoded(bytes));
    }
    return builder.take();
  }

  void write_values(const std::vector<entry>& sorted, std::string& bytes) const {
    value_builder builder(args_.back(), static_cast<std::uint32_t>(sorted.size()));
    for (const auto& x : sorted) {
      const auto appended = x.value.append_to(builder);
      EBB_ASSERT(appended); // its bytes are our own
    }
    const auto values = builder.take();
    bytes.clear();
    for (std::uint32_t k = 0; k < sorted.size(); ++k) {
      const auto count = sorted[k].count;
      bytes.append(reinterpret_cast<const char*>(&count), sizeof count);
      append_value(values, k, bytes);
    }
  }

  std::vector<sql_type> args_;
  sql_type type_; ///< of the result
  bool descending_;
  /// Mutable: values are sorted when they are looked at, which does not change what they are.
  mutable std::vector<group> groups_;
};

constexpr std::string_view continuous = "percentile_cont";
constexpr std::string_view discrete = "percentile_disc";
constexpr std::string_view most_frequent = "mode";

sql_type bare(const sql_type& type) {
  return sql_type{type.kind, type.element};
}

/// percentile_…(…) of values of the last argument's type: an array where the first one is.
sql_type percentile_type(std::span<const sql_type> args) {
  return args[0].kind == type_kind::array ? bare(args[1]).array_of() : bare(args[1]);
}

sql_type mode_type(std::span<const sql_type> args) {
  return bare(args[0]);
}

std::vector<sql_type> value_state(std::span<const sql_type>) {
  return {sql_type{type_kind::bytea}, sql_type{type_kind::bytea}};
}

/// Calls `body` with an empty value of the class that keeps values of `type`.
template <class Body>
std::unique_ptr<accumulators> with_value(const sql_type& type, const Body& body) {
  switch (type.kind) {
  case type_kind::boolean:
    return body(sorted_plain<std::uint8_t>{});
  case type_kind::smallint:
    return body(sorted_plain<std::int16_t>{});
  case type_kind::integer:
  case type_kind::date:
    return body(sorted_plain<std::int32_t>{});
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return body(sorted_plain<std::int64_t>{});
  case type_kind::real:
    return body(sorted_float<float>{});
  case type_kind::double_precision:
    return body(sorted_float<double>{});
  case type_kind::interval:
    return body(sorted_interval{});
  case type_kind::text:
  case type_kind::bytea:
    return body(sorted_text{});
  default:
    return body(sorted_encoded{});
  }
}

std::unique_ptr<accumulators> make(std::string_view name, std::span<const sql_type> args,
                                   bool descending) {
  const auto type = name == most_frequent ? mode_type(args) : percentile_type(args);
  if (name == continuous) {
    using percentile = append_percentiles<continuous_percentile>;
    if (args[1].kind == type_kind::interval)
      return std::make_unique<ordered_sets<sorted_interval, percentile>>(args, type, descending);
    return std::make_unique<ordered_sets<sorted_float<double>, percentile>>(args, type, descending);
  }
  return with_value(args.back(), [&](auto value) -> std::unique_ptr<accumulators> {
    using kept = decltype(value);
    if (name == discrete)
      return std::make_unique<ordered_sets<kept, append_percentiles<discrete_percentile>>>(
          args, type, descending);
    return std::make_unique<ordered_sets<kept, append_mode>>(args, type, descending);
  });
}

template <const std::string_view& Name>
std::unique_ptr<accumulators> make_ascending(std::span<const sql_type> args) {
  return make(Name, args, false);
}

} // namespace

bool is_ordered_set(const aggregate_function& function) noexcept {
  return function.name == continuous || function.name == discrete || function.name == most_frequent;
}

result<void> check_percentile(double share) {
  if (share >= 0 && share <= 1)
    return {};
  char text[32];
  if (std::isnan(share))
    std::strcpy(text, "NaN");
  else if (std::isinf(share))
    std::strcpy(text, share < 0 ? "-Infinity" : "Infinity");
  else
    std::snprintf(text, sizeof text, "%g", share);
  return make_error(ec::evaluation,
                    "percentile value " + std::string(text) + " is not between 0 and 1",
                    "give a share of the rows: 0.5 is the median");
}

std::unique_ptr<accumulators> make_ordered_set(const aggregate_call& call) {
  return make(call.function->name, call.arg_types,
              !call.order_by.empty() && call.order_by[0].descending);
}

void add_ordered_sets(aggregate_registry& registry) {
  const sql_type share{type_kind::double_precision};
  const sql_type any;
  for (const auto& direct : {share, share.array_of()}) {
    for (const auto kind : {type_kind::double_precision, type_kind::interval})
      add_aggregate(
          registry, continuous,
          {{direct, sql_type{kind}}, percentile_type, value_state, make_ascending<continuous>});
    add_aggregate(registry, discrete,
                  {{direct, any}, percentile_type, value_state, make_ascending<discrete>});
  }
  add_aggregate(registry, most_frequent,
                {{any}, mode_type, value_state, make_ascending<most_frequent>});
}

} // namespace ebb
