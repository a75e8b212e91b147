#include "actors/dataflow/operators/changelog_top_n.hpp"

#include "actors/dataflow/operators/net_batch.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/ordered_partitions.hpp"

#include <algorithm>

namespace ebb {

namespace {

class changelog_top_n final : public ordered_partitions {
public:
  changelog_top_n(const changelog_top_n_spec& spec, operator_context context)
      : ordered_partitions(spec, std::move(context)), net_(context_.inputs[0]) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    EBB_TRY(take_item(item, budget));
    emit_some(budget, out);
    if (next_ < touched_.size())
      return true;
    finish_batch();
    return finish_item(item, budget, out);
  }

private:
  /// A row that shows, and its rank.
  struct shown_row {
    placed_row at;
    std::int64_t rank = 0;
  };

  /// A partition of the present batch, with the rows that it showed before: `shown_` from `first`.
  struct touched_partition {
    std::uint32_t slot = 0;
    std::size_t first = 0;
    std::size_t count = 0;
  };

  bool idle() const noexcept override {
    return next_ == touched_.size();
  }

  result<void> take_rows(const batch& input) override;
  void touch(std::uint32_t slot);
  [[nodiscard]] bool accepts(std::uint32_t slot, const batch& input, std::uint32_t i) const;
  result<void> delete_rows(const batch& input);
  void show(std::uint32_t slot, std::vector<shown_row>& to) const;
  void prune(std::uint32_t slot);
  void emit_some(step_budget& budget, output& out);
  /// As they show: two rows that are equal are one.
  [[nodiscard]] int compare(const shown_row& a, const shown_row& b) const;
  void compare_shown(const touched_partition& x);
  void finish_batch();

  net_batch net_;
  std::vector<std::uint32_t> stamps_;
  std::uint32_t batch_ = 0;

  // The batch being worked on.
  std::vector<touched_partition> touched_;
  std::size_t next_ = 0; ///< of `touched_`: not yet compared with what it showed
  std::vector<shown_row> shown_;
  std::vector<std::uint32_t> pruned_;

  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint64_t> prefixes_;
  std::vector<shown_row> after_;
  std::vector<shown_row> deleted_;
  std::vector<shown_row> inserted_;
};

result<void> changelog_top_n::take_rows(const batch& input) {
  EBB_TRY(move_rows());
  touched_.clear();
  shown_.clear();
  next_ = 0;
  if (++batch_ == 0) {
    std::fill(stamps_.begin(), stamps_.end(), 0U);
    batch_ = 1;
  }
  net_.take(input, nullptr);
  prefixes_.resize(input.rows);
  order_.prefixes(input, prefixes_.data());
  if (!net_.deleted().empty())
    EBB_TRY(delete_rows(input));
  const auto& all = net_.inserted();
  const auto count = static_cast<std::uint32_t>(all.size());
  if (count == 0)
    return {};
  find_partitions(input, all.data(), count, slots_);
  make_lists();
  stamps_.resize(lists_.size(), 0);
  picks_.clear();
  std::uint32_t kept = 0;
  for (std::uint32_t j = 0; j < count; ++j) {
    if (!accepts(slots_[j], input, all[j]))
      continue;
    touch(slots_[j]);
    picks_.push_back(all[j]);
    slots_[kept++] = slots_[j];
  }
  numbers_.resize(kept);
  const bool whole = kept == input.rows && !input.weights;
  EBB_TRY(kept_.append(input, whole ? nullptr : picks_.data(), kept, numbers_.data()));
  for (std::uint32_t j = 0; j < kept; ++j)
    insert(slots_[j], {prefixes_[picks_[j]], numbers_[j]});
  return {};
}

// Where rows never go, one behind the last that ranks need not be kept.
bool changelog_top_n::accepts(std::uint32_t slot, const batch& input, std::uint32_t i) const {
  const auto& list = lists_[slot];
  if (spec_.updating || spec_.rank == rank_kind::dense_rank
      || list.size() < static_cast<std::uint64_t>(spec_.limit))
    return true;
  if (list.empty()) // LIMIT 0
    return false;
  const auto& last = list.back();
  if (prefixes_[i] != last.prefix)
    return prefixes_[i] < last.prefix;
  if (spec_.rank == rank_kind::rank)
    return peers_.compare(input, i, rows(), last.row) <= 0;
  return order_.compare(input, i, rows(), last.row) < 0;
}

// Notes what the partition shows, before it changes.
void changelog_top_n::touch(std::uint32_t slot) {
  if (stamps_[slot] == batch_)
    return;
  stamps_[slot] = batch_;
  const auto first = shown_.size();
  show(slot, shown_);
  touched_.push_back({slot, first, shown_.size() - first});
}

result<void> changelog_top_n::delete_rows(const batch& input) {
  const auto& gone = net_.deleted();
  const auto count = static_cast<std::uint32_t>(gone.size());
  find_partitions(input, gone.data(), count, slots_);
  make_lists();
  stamps_.resize(lists_.size(), 0);
  numbers_.clear();
  for (std::uint32_t j = 0; j < count; ++j) {
    const auto i = gone[j];
    const auto* found = find_equal(slots_[j], input, i, prefixes_[i]);
    if (found == nullptr) {
      if (!retention_.active())
        return not_there(input, i);
      touch(slots_[j]); // it was dropped
      continue;
    }
    touch(slots_[j]);
    numbers_.push_back(found->row);
    erase(slots_[j], *found);
  }
  kept_.remove(numbers_);
  return {};
}

void changelog_top_n::show(std::uint32_t slot, std::vector<shown_row>& to) const {
  std::int64_t number = 0;
  std::int64_t rank = 0;
  std::int64_t dense = 0;
  auto last = row_store::no_row;
  lists_[slot].each([&](const placed_row& x) {
    ++number;
    auto of_row = number;
    if (spec_.rank != rank_kind::row_number) {
      if (last == row_store::no_row || peers_.compare(rows(), last, rows(), x.row) != 0) {
        rank = number;
        ++dense;
      }
      last = x.row;
      of_row = spec_.rank == rank_kind::rank ? rank : dense;
    }
    if (of_row > spec_.limit || spec_.limit <= spec_.offset)
      return false;
    if (number > spec_.offset)
      to.push_back({x, of_row});
    return true;
  });
}

// Rows that do not rank go, where none before them ever does.
void changelog_top_n::prune(std::uint32_t slot) {
  auto& list = lists_[slot];
  if (spec_.updating || list.size() <= static_cast<std::uint64_t>(spec_.limit))
    return;
  std::size_t ranked = 0;
  if (spec_.rank == rank_kind::row_number) {
    ranked = static_cast<std::size_t>(spec_.limit);
  } else {
    std::vector<shown_row> all;
    show(slot, all);
    // Those that are skipped come before the first that shows.
    ranked = static_cast<std::size_t>(spec_.offset) + all.size();
  }
  while (list.size() > ranked) {
    pruned_.push_back(list.back().row);
    list.pop_back();
  }
}

void changelog_top_n::emit_some(step_budget& budget, output& out) {
  deleted_.clear();
  inserted_.clear();
  while (next_ < touched_.size() && budget.rows > 0
         && deleted_.size() + inserted_.size() < row_store::chunk_rows) {
    const auto& x = touched_[next_++];
    compare_shown(x);
    budget.rows -=
        static_cast<std::uint32_t>(std::min<std::size_t>(budget.rows, 1 + x.count + after_.size()));
  }
  const auto minus = static_cast<std::uint32_t>(deleted_.size());
  const auto plus = static_cast<std::uint32_t>(inserted_.size());
  if (minus + plus == 0)
    return;
  auto made = std::make_shared<batch>();
  made->rows = minus + plus;
  std::vector<std::uint32_t> numbers;
  numbers.reserve(made->rows);
  column ranks = make_column(sql_type{type_kind::bigint}, made->rows);
  for (const auto* part : {&deleted_, &inserted_})
    for (const auto& x : *part) {
      ranks.mutable_data<std::int64_t>()[numbers.size()] = x.rank;
      numbers.push_back(x.at.row);
    }
  rows().gather_all(numbers.data(), made->rows, made->columns);
  if (spec_.with_rank)
    made->columns.push_back(std::move(ranks));
  made->weights = weights_of(minus, plus);
  counters_.rows_out += made->rows;
  out.emit(std::move(made));
}

int changelog_top_n::compare(const shown_row& a, const shown_row& b) const {
  if (spec_.with_rank && a.rank != b.rank)
    return a.rank < b.rank ? -1 : 1;
  if (a.at.row == b.at.row)
    return 0;
  if (a.at.prefix != b.at.prefix)
    return a.at.prefix < b.at.prefix ? -1 : 1;
  return order_.compare(rows(), a.at.row, rows(), b.at.row);
}

// Both lists are in the order of the rows, and so of their ranks.
void changelog_top_n::compare_shown(const touched_partition& x) {
  after_.clear();
  prune(x.slot);
  show(x.slot, after_);
  const auto* before = shown_.data() + x.first;
  std::size_t b = 0;
  std::size_t a = 0;
  while (b < x.count || a < after_.size()) {
    int order = b == x.count ? 1 : a == after_.size() ? -1 : 0;
    if (order == 0)
      order = compare(before[b], after_[a]);
    if (order < 0)
      deleted_.push_back(before[b]);
    if (order > 0)
      inserted_.push_back(after_[a]);
    b += order <= 0 ? 1U : 0U;
    a += order >= 0 ? 1U : 0U;
  }
}

void changelog_top_n::finish_batch() {
  if (!pruned_.empty())
    kept_.remove(pruned_);
  pruned_.clear();
  erase_empty(touched_);
  touched_.clear();
  next_ = 0;
}

} // namespace

std::unique_ptr<stream_operator> make_changelog_top_n(const changelog_top_n_spec& spec,
                                                      operator_context context) {
  if (!spec.updating && spec.limit == 1 && spec.offset == 0 && spec.rank == rank_kind::row_number)
    return make_changelog_top_1(spec, std::move(context));
  return std::make_unique<changelog_top_n>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const changelog_top_n_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  if (spec.with_rank)
    result.push_back(sql_type{type_kind::bigint});
  return result;
}

} // namespace ebb
