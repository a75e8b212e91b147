/// string_agg and array_agg: values in the order of the rows.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <cstring>

namespace ebb {

namespace {

/// A text and bytea value may not be longer than what a text_ref can say, nor PostgreSQL's 1 GB.
constexpr std::size_t text_bytes_max = (std::size_t{1} << 30) - 1;

/// Values with a delimiter before each, the first one too: so parts can be put together.
struct joined_text {
  std::string text;
  std::uint32_t first_delimiter = 0; ///< bytes of the first delimiter; not part of the result
  bool any = false;

  void append(std::string_view delimiter, std::string_view value) {
    if (!any)
      first_delimiter = static_cast<std::uint32_t>(delimiter.size());
    any = true;
    text.append(delimiter);
    text.append(value);
  }

  void append(const joined_text& other) {
    if (!other.any)
      return;
    if (!any)
      first_delimiter = other.first_delimiter;
    any = true;
    text += other.text;
  }

  [[nodiscard]] std::string_view joined() const noexcept {
    return std::string_view(text).substr(first_delimiter);
  }
};

error too_long() {
  return make_error(ec::evaluation, "invalid memory alloc request size: string_agg is too long",
                    "aggregate fewer rows a group: string_agg holds at most 1 GB");
}

/// State columns: the text with its first delimiter (NULL = empty), the length of that delimiter.
class joined_texts final : public plain_accumulators<joined_text> {
public:
  explicit joined_texts(sql_type type) : type_{type.kind} {}

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), "string_agg"));
    bool good = true;
    each_row(row_count(slots), &args[0], included, weights,
             [&](std::uint32_t i, std::int64_t weight) {
               auto& s = states_[slots[i]];
               const auto delimiter = args[1].is_null(i) ? std::string_view{} : args[1].text_of(i);
               for (auto w = weight; w > 0; --w)
                 s.append(delimiter, args[0].text_of(i));
               good &= s.text.size() <= text_bytes_max;
             });
    if (!good)
      return too_long();
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const joined_texts&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      states_[into_slots[i]].append(other.states_[from_slots[i]]);
      if (states_[into_slots[i]].text.size() > text_bytes_max)
        return too_long();
    }
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    text_builder x(type_, row_count(slots));
    for (const auto slot : slots) {
      if (states_[slot].any)
        x.append(states_[slot].joined());
      else
        x.append_null();
    }
    return x.take();
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    text_builder texts(type_, row_count(slots));
    column lengths = make_column(sql_type{type_kind::integer}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      const auto& s = states_[slots[i]];
      if (s.any)
        texts.append(s.text);
      else
        texts.append_null();
      lengths.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(s.first_delimiter);
    }
    return {texts.take(), lengths};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      if (state[0].is_null(i))
        continue;
      const auto text = state[0].text_of(i);
      const auto length = static_cast<std::uint32_t>(state[1].data<std::int32_t>()[state[1].at(i)]);
      if (length > text.size())
        return make_error(ec::corrupt, "damaged state of string_agg");
      auto& s = states_[slots[i]];
      s.append(text.substr(0, length), text.substr(length));
      if (s.text.size() > text_bytes_max)
        return too_long();
    }
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    std::size_t bytes = plain_accumulators<joined_text>::byte_size();
    for (const auto& s : states_)
      bytes += s.text.capacity();
    return bytes;
  }

private:
  sql_type type_;
};

struct collected {
  std::string values; ///< in append_value's byte form
  std::uint32_t count = 0;
};

/// State column: the values' byte forms, NULL = none.
class arrays final : public plain_accumulators<collected> {
public:
  explicit arrays(sql_type element) : element_{element.kind} {}

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), "array_agg"));
    each_row(row_count(slots), nullptr, included, weights,
             [&](std::uint32_t i, std::int64_t weight) {
               auto& s = states_[slots[i]];
               for (auto w = weight; w > 0; --w) {
                 append_value(args[0], i, s.values);
                 ++s.count;
               }
             });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const arrays&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      auto& to = states_[into_slots[i]];
      to.values += other.states_[from_slots[i]].values;
      to.count += other.states_[from_slots[i]].count;
    }
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    value_builder x(element_.array_of(), row_count(slots));
    for (const auto slot : slots) {
      const auto& s = states_[slot];
      if (s.count == 0) {
        x.append_null();
        continue;
      }
      std::string_view bytes = s.values;
      while (!bytes.empty())
        EBB_TRY(x.elements().append_encoded(bytes));
      x.end_array();
    }
    return x.take();
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    text_builder values(sql_type{type_kind::bytea}, row_count(slots));
    column counts = make_column(sql_type{type_kind::bigint}, row_count(slots));
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      values.append(states_[slots[i]].values);
      counts.mutable_data<std::int64_t>()[i] = states_[slots[i]].count;
    }
    return {values.take(), counts};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      states_[slots[i]].values += state[0].text_of(i);
      states_[slots[i]].count +=
          static_cast<std::uint32_t>(state[1].data<std::int64_t>()[state[1].at(i)]);
    }
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    std::size_t bytes = plain_accumulators<collected>::byte_size();
    for (const auto& s : states_)
      bytes += s.values.capacity();
    return bytes;
  }

private:
  sql_type element_;
};

std::vector<sql_type> text_state(std::span<const sql_type> args) {
  return {sql_type{args[0].kind}, sql_type{type_kind::integer}};
}

std::vector<sql_type> array_state(std::span<const sql_type>) {
  return {sql_type{type_kind::bytea}, sql_type{type_kind::bigint}};
}

sql_type array_of_argument(std::span<const sql_type> args) {
  return sql_type{args[0].kind}.array_of();
}

std::unique_ptr<accumulators> make_joined(std::span<const sql_type> args) {
  return std::make_unique<joined_texts>(args[0]);
}

std::unique_ptr<accumulators> make_arrays(std::span<const sql_type> args) {
  return std::make_unique<arrays>(args[0]);
}

} // namespace

void add_collections(aggregate_registry& registry) {
  for (const auto kind : {type_kind::text, type_kind::bytea})
    add_aggregate(
        registry, "string_agg",
        {{sql_type{kind}, sql_type{kind}}, same_as_argument, text_state, make_joined, false});
  for (const auto kind : {type_kind::boolean, type_kind::smallint, type_kind::integer,
                          type_kind::bigint, type_kind::real, type_kind::double_precision,
                          type_kind::numeric, type_kind::text, type_kind::bytea, type_kind::date,
                          type_kind::timestamp, type_kind::timestamptz, type_kind::interval,
                          type_kind::jsonb})
    add_aggregate(registry, "array_agg",
                  {{sql_type{kind}}, array_of_argument, array_state, make_arrays, false});
}

} // namespace ebb
