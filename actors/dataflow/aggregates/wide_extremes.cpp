/// min and max of types whose values are not of one width: text, NUMERIC, arrays.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/numeric_small.hpp"
#include "actors/dataflow/value_builder.hpp"

namespace ebb {

namespace {

/// Text is its own order (collation C).
struct text_value {
  std::string bytes;

  static bool before(const column& x, std::uint32_t i, const text_value& y) {
    return x.text_of(i) < y.bytes;
  }

  static bool after(const column& x, std::uint32_t i, const text_value& y) {
    return x.text_of(i) > y.bytes;
  }

  void take(const column& x, std::uint32_t i) {
    bytes.assign(x.text_of(i));
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    to.append_text(bytes);
    return {};
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return bytes.capacity() > 15 ? bytes.capacity() : 0;
  }
};

/// Any other value: canonical bytes to compare by, exact bytes to give back.
struct encoded_value {
  std::string key;
  std::string exact;

  static std::string key_of(const column& x, std::uint32_t i) {
    std::string bytes;
    encode_key_value(x, i, bytes);
    return bytes;
  }

  static bool before(const column& x, std::uint32_t i, const encoded_value& y) {
    return key_of(x, i) < y.key;
  }

  static bool after(const column& x, std::uint32_t i, const encoded_value& y) {
    return key_of(x, i) > y.key;
  }

  void take(const column& x, std::uint32_t i) {
    key = key_of(x, i);
    exact.clear();
    append_value(x, i, exact);
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    std::string_view bytes = exact;
    return to.append_encoded(bytes);
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return key.capacity() + exact.capacity();
  }
};

/// NUMERIC: 128 bits are compared as such; the rest goes by its encoding.
struct numeric_extreme {
  int128 value = 0;
  std::int16_t scale = 0; ///< or a numeric_tag: then only `other` counts
  encoded_value other;

  static int compare(const column& x, std::uint32_t i, const numeric_extreme& y) {
    const auto scale = x.scale_of(i);
    if (scale >= 0 && y.scale >= 0)
      return compare_small(x.data<int128>()[x.at(i)], scale, y.value, y.scale);
    const auto key = encoded_value::key_of(x, i);
    return key.compare(y.key());
  }

  static bool before(const column& x, std::uint32_t i, const numeric_extreme& y) {
    return compare(x, i, y) < 0;
  }

  static bool after(const column& x, std::uint32_t i, const numeric_extreme& y) {
    return compare(x, i, y) > 0;
  }

  void take(const column& x, std::uint32_t i) {
    scale = x.scale_of(i);
    if (scale >= 0)
      value = x.data<int128>()[x.at(i)];
    else
      other.take(x, i);
  }

  [[nodiscard]] result<void> append_to(value_builder& to) const {
    if (scale < 0)
      return other.append_to(to);
    to.append_numeric(value, scale);
    return {};
  }

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return other.heap_bytes();
  }

private:
  [[nodiscard]] std::string key() const {
    if (scale < 0)
      return other.key;
    column one = make_numeric_column(sql_type{type_kind::numeric}, 1);
    set_numeric(one, 0, value, scale);
    return encoded_value::key_of(one, 0);
  }
};

template <class Value>
struct wide_extreme {
  Value value;
  bool any = false;
};

template <class Value, bool Max>
class wide_extremes final : public plain_accumulators<wide_extreme<Value>> {
public:
  explicit wide_extremes(sql_type type) : type_{type.kind, type.element} {}

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), Max ? "max" : "min"));
    const auto& x = args[0];
    each_row(row_count(slots), &x, included, nullptr, [&](std::uint32_t i, std::int64_t) {
      auto& s = this->states_[slots[i]];
      // Equal values that are written differently replace, as PostgreSQL has it.
      if (!s.any || !(Max ? Value::before(x, i, s.value) : Value::after(x, i, s.value))) {
        s.value.take(x, i);
        s.any = true;
      }
    });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const wide_extremes&>(from);
    EBB_ASSIGN(const auto values, other.finish(from_slots));
    return update(into_slots, {&values, 1}, nullptr, nullptr);
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    value_builder x(type_, row_count(slots));
    for (const auto slot : slots) {
      const auto& s = this->states_[slot];
      if (!s.any)
        x.append_null();
      else
        EBB_TRY(s.value.append_to(x));
    }
    return x.take();
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    return {*finish(slots)};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    return update(slots, state, nullptr, nullptr);
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    std::size_t bytes = plain_accumulators<wide_extreme<Value>>::byte_size();
    for (const auto& s : this->states_)
      bytes += s.value.heap_bytes();
    return bytes;
  }

private:
  sql_type type_;
};

std::vector<sql_type> own_state(std::span<const sql_type> args) {
  return {same_as_argument(args)};
}

template <class Value, bool Max>
std::unique_ptr<accumulators> make_extremes(std::span<const sql_type> args) {
  return std::make_unique<wide_extremes<Value, Max>>(args[0]);
}

template <class Value>
void add_for(aggregate_registry& registry, sql_type type) {
  add_aggregate(registry, "min",
                {{type}, same_as_argument, own_state, make_extremes<Value, false>});
  add_aggregate(registry, "max", {{type}, same_as_argument, own_state, make_extremes<Value, true>});
}

} // namespace

void add_wide_extremes(aggregate_registry& registry) {
  add_for<text_value>(registry, sql_type{type_kind::text});
  add_for<numeric_extreme>(registry, sql_type{type_kind::numeric});
  for (const auto element :
       {type_kind::boolean, type_kind::smallint, type_kind::integer, type_kind::bigint,
        type_kind::real, type_kind::double_precision, type_kind::numeric, type_kind::text,
        type_kind::date, type_kind::timestamp, type_kind::timestamptz, type_kind::interval})
    add_for<encoded_value>(registry, sql_type{type_kind::array, element});
}

} // namespace ebb
