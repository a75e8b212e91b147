/// DISTINCT inside an aggregate: one index over (slot, arguments) keeps each row once; the plain
/// aggregate sees them, sorted as PostgreSQL sorts them, when the result is asked for.
#include "actors/dataflow/aggregates/registry.hpp"
#include "actors/dataflow/aggregates/row_loop.hpp"
#include "actors/dataflow/aggregates/sort_bytes.hpp"
#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <numeric>

namespace ebb {

namespace {

constexpr std::uint32_t none = UINT32_MAX;

/// The distinct rows of one slot: a chain through `entry`.
struct distinct_set {
  std::uint32_t first = none;
  std::uint32_t last = none;
  std::uint32_t count = 0;   ///< entries
  std::uint32_t counted = 0; ///< entries without a NULL in the first argument
};

/// State column: the rows' byte forms.
class distinct final : public plain_accumulators<distinct_set> {
public:
  explicit distinct(aggregate_call call)
      : call_(std::move(call)), counts_only_(call_.function->name == "count"),
        index_(index_types(call_), 1) {}

  result<void> update(std::span<const std::uint32_t> slots, std::span<const column> args,
                      const std::uint8_t* included, const std::int32_t* weights) override {
    EBB_TRY(refuse_deletes(weights, slots.size(), "an aggregate with DISTINCT"));
    if (included == nullptr && weights == nullptr) {
      add(slots, args, nullptr);
      return {};
    }
    std::vector<std::uint32_t> picks;
    each_row(row_count(slots), nullptr, included, weights,
             [&](std::uint32_t i, std::int64_t weight) {
               if (weight > 0)
                 picks.push_back(i);
             });
    add(slots, args, &picks);
    return {};
  }

  void clear(std::uint32_t slot) override {
    for (auto e = states_[slot].first; e != none;) {
      const auto next = next_[e];
      index_.erase(e);
      remember_known();
      known_[e] = 0;
      e = next;
    }
    states_[slot] = distinct_set{};
  }

  void clear_all(std::uint32_t) override {
    std::fill(states_.begin(), states_.end(), distinct_set{});
    index_.clear();
    next_.clear();
    known_.clear();
    in_order_ = true;
  }

  result<void> merge(std::span<const std::uint32_t> into_slots, const accumulators& from,
                     std::span<const std::uint32_t> from_slots) override {
    const auto& other = static_cast<const distinct&>(from);
    std::vector<std::uint32_t> entries;
    std::vector<std::uint32_t> targets;
    for (std::size_t i = 0; i < into_slots.size(); ++i) {
      other.entries_of(from_slots[i], entries);
      targets.resize(entries.size(), into_slots[i]);
    }
    add(targets, other.arguments(entries), nullptr);
    return {};
  }

  result<column> finish(std::span<const std::uint32_t> slots) const override {
    if (counts_only_) {
      column x = make_column(sql_type{type_kind::bigint}, row_count(slots));
      for (std::uint32_t i = 0; i < slots.size(); ++i)
        x.mutable_data<std::int64_t>()[i] = states_[slots[i]].counted;
      return x;
    }
    const auto inner = call_.function->make(call_.arg_types);
    inner->resize(row_count(slots));
    std::vector<std::uint32_t> all(slots.size());
    std::iota(all.begin(), all.end(), 0U);
    std::vector<std::uint32_t> entries;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      entries.clear();
      entries_of(slots[i], entries);
      if (entries.empty())
        continue;
      sort(entries);
      const std::vector<std::uint32_t> targets(entries.size(), i);
      EBB_TRY(inner->update(targets, arguments(entries), nullptr, nullptr));
    }
    return inner->finish(all);
  }

  std::vector<column> state(std::span<const std::uint32_t> slots) const override {
    text_builder x(sql_type{type_kind::bytea}, row_count(slots));
    std::string bytes;
    std::vector<std::uint32_t> entries;
    for (const auto slot : slots) {
      bytes.clear();
      entries.clear();
      entries_of(slot, entries);
      const auto args = arguments(entries);
      for (std::uint32_t e = 0; e < entries.size(); ++e)
        for (const auto& arg : args)
          append_value(arg, e, bytes);
      x.append(bytes);
    }
    return {x.take()};
  }

  result<void> merge_state(std::span<const std::uint32_t> slots,
                           std::span<const column> state) override {
    std::vector<value_builder> builders;
    for (const auto& type : call_.arg_types)
      builders.emplace_back(type);
    std::vector<std::uint32_t> targets;
    for (std::uint32_t i = 0; i < slots.size(); ++i) {
      auto bytes = state[0].text_of(i);
      while (!bytes.empty()) {
        for (auto& builder : builders)
          EBB_TRY(builder.append_encoded(bytes));
        targets.push_back(slots[i]);
      }
    }
    std::vector<column> args;
    args.reserve(builders.size());
    for (auto& builder : builders)
      args.push_back(builder.take());
    add(targets, args, nullptr);
    return {};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept override {
    return plain_accumulators<distinct_set>::byte_size() + index_.byte_size()
           + next_.capacity() * sizeof(std::uint32_t) + known_.capacity();
  }

private:
  static std::vector<sql_type> index_types(const aggregate_call& call) {
    std::vector<sql_type> types{sql_type{type_kind::integer}}; // the slot
    types.insert(types.end(), call.arg_types.begin(), call.arg_types.end());
    return types;
  }

  /// Adds rows (of all, or the picked ones) that are new in their slots.
  void add(std::span<const std::uint32_t> slots, std::span<const column> args,
           const std::vector<std::uint32_t>* picks) {
    const auto rows = row_count(slots);
    column owners = make_column(sql_type{type_kind::integer}, rows);
    std::copy(slots.begin(), slots.end(), owners.mutable_data<std::uint32_t>());
    std::vector<const column*> keys{&owners};
    for (std::size_t k = 0; k < call_.arg_types.size(); ++k)
      keys.push_back(&args[k]);
    std::vector<std::uint64_t> hashes(rows);
    hash_keys(keys, rows, hashes.data());
    const auto count = picks == nullptr ? rows : static_cast<std::uint32_t>(picks->size());
    std::vector<std::uint32_t> entries(count);
    index_.resolve(keys, hashes.data(), picks == nullptr ? nullptr : picks->data(), count,
                   entries.data());
    // While no entry has been erased, new ones are numbered in the order of the rows.
    auto first_new = static_cast<std::uint32_t>(next_.size());
    next_.resize(index_.slot_count(), none);
    if (!in_order_)
      known_.resize(index_.slot_count(), 0);
    for (std::uint32_t j = 0; j < count; ++j) {
      const auto e = entries[j];
      if (in_order_ ? e < first_new : known_[e] != 0)
        continue;
      if (in_order_)
        first_new = e + 1;
      else
        known_[e] = 1;
      next_[e] = none;
      const auto i = picks == nullptr ? j : (*picks)[j];
      auto& s = states_[slots[i]];
      (s.first == none ? s.first : next_[s.last]) = e;
      s.last = e;
      ++s.count;
      s.counted += args[0].is_null(i) ? 0 : 1;
    }
  }

  void remember_known() {
    if (in_order_)
      known_.assign(next_.size(), 1);
    in_order_ = false;
  }

  void entries_of(std::uint32_t slot, std::vector<std::uint32_t>& out) const {
    for (auto e = states_[slot].first; e != none; e = next_[e])
      out.push_back(e);
  }

  /// The argument columns of entries.
  [[nodiscard]] std::vector<column> arguments(const std::vector<std::uint32_t>& entries) const {
    std::vector<column> args;
    for (std::size_t k = 0; k < call_.arg_types.size(); ++k)
      args.push_back(index_.key_column(k + 1, entries));
    return args;
  }

  /// By ORDER BY, then by all arguments ascending, NULLs last.
  void sort(std::vector<std::uint32_t>& entries) const {
    const auto args = arguments(entries);
    std::vector<std::string> order(entries.size());
    for (std::uint32_t e = 0; e < entries.size(); ++e) {
      for (const auto& key : call_.order_by) {
        const auto at = std::find(call_.args.begin(), call_.args.end(), key.column);
        EBB_ASSERT(at != call_.args.end()); // PostgreSQL's rule for DISTINCT, kept by the binder
        append_sort_bytes(args[static_cast<std::size_t>(at - call_.args.begin())], e, key,
                          order[e]);
      }
      for (const auto& arg : args)
        append_sort_bytes(arg, e, sort_key{}, order[e]);
    }
    std::vector<std::uint32_t> ranks(entries.size());
    std::iota(ranks.begin(), ranks.end(), 0U);
    std::sort(ranks.begin(), ranks.end(), [&](auto a, auto b) { return order[a] < order[b]; });
    std::vector<std::uint32_t> sorted(entries.size());
    for (std::size_t i = 0; i < ranks.size(); ++i)
      sorted[i] = entries[ranks[i]];
    entries = std::move(sorted);
  }

  aggregate_call call_;
  bool counts_only_;
  key_index index_;
  std::vector<std::uint32_t> next_; ///< by entry
  bool in_order_ = true;            ///< no entry has been erased
  std::vector<std::uint8_t> known_; ///< by entry, once one was erased: it is in a chain
};

} // namespace

std::unique_ptr<accumulators> make_distinct(const aggregate_call& call) {
  return std::make_unique<distinct>(call);
}

} // namespace ebb
