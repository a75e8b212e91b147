/// The first row of each partition where rows only come: one row number a partition, no lists.
#include "actors/dataflow/growing_array.hpp"
#include "actors/dataflow/operators/changelog_partitions.hpp"
#include "actors/dataflow/operators/net_changes.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr auto no_row = row_store::no_row;
constexpr std::uint32_t rows_ahead = 16; ///< for which memory is fetched

class changelog_top_1 final : public changelog_partitions {
public:
  changelog_top_1(const changelog_top_n_spec& spec, operator_context context)
      : changelog_partitions(spec, std::move(context)) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    finish_load();
    if (item != nullptr && item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      budget.rows -= std::min(budget.rows, item->rows->rows / 2);
      if (auto taken = take_rows(*item->rows, out); !taken)
        return name_row(std::move(taken).error(), *item->rows, context_.name);
    }
    return finish_item(item, budget, out);
  }

private:
  /// A partition's first row, and the one that is to replace it in the present batch.
  struct first_row {
    std::uint64_t prefix = 0; ///< of its order
    std::uint32_t row = no_row;
    std::uint32_t winner = no_row; ///< row of the batch
  };

  void add_loaded(std::uint32_t slot, std::uint32_t row) override {
    firsts_.grow(slot + std::size_t{1}, {});
    firsts_[slot] = {order_.prefix(rows(), row), row, no_row};
  }

  void renumber(std::uint32_t slot, std::uint32_t from, std::uint32_t to) override {
    EBB_ASSERT(firsts_[slot].row == from);
    firsts_[slot].row = to;
  }

  bool idle() const noexcept override {
    return true;
  }

  void drop_rows(std::uint32_t slot, std::vector<std::uint32_t>& numbers) override {
    numbers.push_back(firsts_[slot].row);
    firsts_[slot] = {};
  }

  std::size_t list_bytes() const noexcept override {
    return firsts_.capacity() * sizeof(first_row);
  }

  result<void> take_rows(const batch& input, output& out);
  [[nodiscard]] bool first_of(const batch& input, std::uint32_t a, std::uint32_t b) const;
  void emit(const batch& input, output& out);

  growing_array<first_row> firsts_; ///< by partition
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint64_t> prefixes_;
  std::vector<std::uint32_t> changed_; ///< partitions
  std::vector<std::uint32_t> winners_; ///< rows of the batch
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> replaced_;
};

result<void> changelog_top_1::take_rows(const batch& input, output& out) {
  EBB_TRY(move_rows());
  find_partitions(input, nullptr, input.rows, slots_);
  firsts_.grow(index_.slot_count(), {});
  prefixes_.resize(input.rows);
  order_.prefixes(input, prefixes_.data());
  changed_.clear();
  for (std::uint32_t i = 0; i < input.rows; ++i) {
    if (i + rows_ahead < input.rows)
      __builtin_prefetch(&firsts_[slots_[i + rows_ahead]]);
    auto& first = firsts_[slots_[i]];
    if (first.winner != no_row) {
      const auto theirs = prefixes_[first.winner];
      if (prefixes_[i] < theirs || (prefixes_[i] == theirs && first_of(input, i, first.winner)))
        first.winner = i;
      continue;
    }
    if (first.row != no_row
        && (prefixes_[i] > first.prefix
            || (prefixes_[i] == first.prefix && order_.compare(input, i, rows(), first.row) >= 0)))
      continue;
    first.winner = i;
    changed_.push_back(slots_[i]);
  }
  if (changed_.empty())
    return {};
  winners_.clear();
  replaced_.clear();
  for (const auto slot : changed_) {
    winners_.push_back(firsts_[slot].winner);
    if (firsts_[slot].row != no_row)
      replaced_.push_back(firsts_[slot].row);
  }
  const auto count = static_cast<std::uint32_t>(winners_.size());
  const bool whole = count == input.rows;
  numbers_.resize(count);
  EBB_TRY(kept_.append(input, whole ? nullptr : winners_.data(), count, numbers_.data()));
  for (std::uint32_t j = 0; j < count; ++j) {
    auto& first = firsts_[changed_[j]];
    first = {prefixes_[first.winner], numbers_[j], no_row};
  }
  emit(input, out);
  if (!replaced_.empty())
    kept_.remove(replaced_);
  return {};
}

// Whether row a comes before row b, whose prefix is the same.
bool changelog_top_1::first_of(const batch& input, std::uint32_t a, std::uint32_t b) const {
  const auto before = [&](const sort_key& key, int& order) {
    const auto& x = input.columns[key.column];
    const bool null_a = x.is_null(a);
    const bool null_b = x.is_null(b);
    if (null_a || null_b)
      order = null_a == null_b ? 0 : (null_a == key.nulls_first ? -1 : 1);
    else
      order = key.descending ? -compare_values(x, a, x, b) : compare_values(x, a, x, b);
    return order != 0;
  };
  int order = 0;
  for (const auto& key : spec_.order_by)
    if (before(key, order))
      return order < 0;
  for (std::uint32_t k = 0; k < input.columns.size(); ++k)
    if (before({k, false, false}, order))
      return order < 0;
  return false;
}

void changelog_top_1::emit(const batch& input, output& out) {
  const auto minus = static_cast<std::uint32_t>(replaced_.size());
  const auto plus = static_cast<std::uint32_t>(winners_.size());
  auto made = std::make_shared<batch>();
  made->rows = minus + plus;
  std::vector<column> old_rows;
  if (minus != 0)
    rows().gather_all(replaced_.data(), minus, old_rows);
  for (std::size_t k = 0; k < input.columns.size(); ++k) {
    auto fresh =
        plus == input.rows ? input.columns[k] : gather(input.columns[k], winners_.data(), plus);
    made->columns.push_back(minus == 0
                                ? std::move(fresh)
                                : concatenate(std::vector<const column*>{&old_rows[k], &fresh}));
  }
  if (spec_.with_rank) {
    column ranks = make_column(sql_type{type_kind::bigint}, made->rows);
    std::fill_n(ranks.mutable_data<std::int64_t>(), made->rows, std::int64_t{1});
    made->columns.push_back(std::move(ranks));
  }
  made->weights = weights_of(minus, plus);
  counters_.rows_out += made->rows;
  out.emit(std::move(made));
}

} // namespace

std::unique_ptr<stream_operator> make_changelog_top_1(const changelog_top_n_spec& spec,
                                                      operator_context context) {
  return std::make_unique<changelog_top_1>(spec, std::move(context));
}

} // namespace ebb
