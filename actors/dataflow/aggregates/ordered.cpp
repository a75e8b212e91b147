/// ORDER BY inside an aggregate: rows are kept, and fed in order when the result is asked for.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/aggregates/sort_bytes.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/sized_text.hpp"

#include <cstring>

namespace ebb {

void append_sort_bytes(const column& x, std::uint32_t i, const sort_key& key, std::string& out) {
  if (x.is_null(i)) {
    out.push_back(key.nulls_first ? '\0' : '\2');
    return;
  }
  const auto first = out.size();
  encode_key_value(x, i, out); // starts with tag byte 1
  if (key.descending)
    for (auto at = first + 1; at < out.size(); ++at)
      out[at] = static_cast<char>(~out[at]);
}

namespace {

struct kept_row {
  std::string order;
  std::string values; ///< the arguments' byte forms
};

void put_sized(std::string_view text, std::string& out) {
  const auto size = static_cast<std::uint32_t>(text.size());
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out.append(text);
}

/// State column: the rows.
class ordered final : public plain_accumulators<std::vector<kept_row>> {
public:
  explicit ordered(aggregate_call call) : call_(std::move(call)) {}

  void clear(std::uint32_t slot) override {
    for (const auto& row : states_[slot])
      kept_bytes_ -= size_of(row);
    plain_accumulators<std::vector<kept_row>>::clear(slot);
  }

  void clear_all(std::uint32_t count) override {
    for (std::uint32_t slot = 0; slot < count; ++slot)
      clear(slot);
  }

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), call_.function->name.c_str()));
    const auto inner = call_.args.size();
    EBB_ASSERT(args.size() == inner + call_.order_by.size());
    each_row(row_count(slots), nullptr, included, weights,
             [&](std::uint32_t i, std::int64_t weight) {
               kept_row row;
               for (std::size_t k = 0; k < call_.order_by.size(); ++k)
                 append_sort_bytes(args[inner + k], i, call_.order_by[k], row.order);
               for (std::size_t k = 0; k < inner; ++k)
                 append_value(args[k], i, row.values);
               for (auto w = weight; w > 1; --w)
                 keep(slots[i], row);
               keep(slots[i], std::move(row));
             });
    return {};
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const ordered&>(from);
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      for (const auto& row : other.states_[from_slots[i]])
        keep(into_slots[i], row);
    }
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    const auto inner = call_.function->make(call_.arg_types);
    inner->resize(row_count(slots));
    std::vector<std::uint32_t> all(slots.size());
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      all[i] = i;
      EBB_TRY(feed(states_[slots[i]], i, *inner));
    }
    return inner->finish(all);
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    text_builder x(sql_type{type_kind::bytea}, row_count(slots));
    std::string bytes;
    for (const auto slot : slots) {
      bytes.clear();
      for (const auto& row : states_[slot]) {
        put_sized(row.order, bytes);
        put_sized(row.values, bytes);
      }
      x.append(bytes);
    }
    return {x.take()};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      auto bytes = state[0].text_of(i);
      while (!bytes.empty()) {
        const auto order = take_sized(bytes);
        const auto values = order ? take_sized(bytes) : std::nullopt;
        if (!values)
          return make_error(ec::corrupt, "damaged state of an ordered aggregate");
        keep(slots[i], {std::string(*order), std::string(*values)});
      }
    }
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    return plain_accumulators<std::vector<kept_row>>::byte_size() + kept_bytes_;
  }

private:
  [[nodiscard]] static std::size_t size_of(const kept_row& row) noexcept {
    return sizeof row + row.order.size() + row.values.size();
  }

  void keep(std::uint32_t slot, kept_row row) {
    kept_bytes_ += size_of(row);
    states_[slot].push_back(std::move(row));
  }

  /// Gives the rows of one slot, sorted (ties in order of arrival), to slot `to` of `inner`.
  [[nodiscard]] result<void> feed(const std::vector<kept_row>& rows, std::uint32_t to,
                                  accumulators& inner) const {
    if (rows.empty())
      return {};
    std::vector<const kept_row*> sorted;
    sorted.reserve(rows.size());
    for (const auto& row : rows)
      sorted.push_back(&row);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto* a, const auto* b) { return a->order < b->order; });
    std::vector<value_builder> builders;
    for (const auto& type : call_.arg_types)
      builders.emplace_back(type, static_cast<std::uint32_t>(rows.size()));
    for (const auto* row : sorted) {
      std::string_view bytes = row->values;
      for (auto& builder : builders)
        EBB_TRY(builder.append_encoded(bytes));
    }
    std::vector<column> args;
    args.reserve(builders.size());
    for (auto& builder : builders)
      args.push_back(builder.take());
    const std::vector<std::uint32_t> targets(rows.size(), to);
    return inner.update(targets, args, nullptr, nullptr);
  }

  aggregate_call call_;
  std::size_t kept_bytes_ = 0; ///< of all slots: who asks for the size asks after every batch
};

} // namespace

std::unique_ptr<accumulators> make_ordered(const aggregate_call& call) {
  return std::make_unique<ordered>(call);
}

} // namespace ebb
