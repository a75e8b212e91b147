#include "actors/dataflow/operators/changelog_over.hpp"

#include "actors/dataflow/operators/net_batch.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/over_changes.hpp"
#include "actors/dataflow/operators/over_layout.hpp"

#include <algorithm>
#include <unordered_map>

namespace ebb {

namespace {

// What is kept, and in which order, is as of a top-N without limit.
changelog_top_n_spec rows_of(const changelog_over_spec& spec) {
  changelog_top_n_spec rows;
  rows.partition = spec.partition;
  rows.order_by = spec.order_by;
  rows.updating = spec.updating;
  rows.retention = spec.retention;
  return rows;
}

sort_key first_of(const std::vector<sort_key>& order) {
  return order.empty() ? sort_key{} : order.front();
}

class changelog_over final : public ordered_partitions {
public:
  changelog_over(const changelog_over_spec& spec, operator_context context)
      : ordered_partitions(rows_of(spec), std::move(context)),
        calls_(spec.calls, first_of(spec.order_by), context_.inputs[0]),
        layout_(extent_of(spec.calls), order_, peers_, rows()), net_(context_.inputs[0]),
        found_(order_, rows()) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    EBB_TRY(take_item(item, budget));
    while (!idle()) {
      if (budget.rows == 0)
        return true;
      if (next_change_ == changes_.size())
        EBB_TRY(compute_some(budget));
      else
        emit_some(budget, out);
    }
    finish_batch();
    return finish_item(item, budget, out);
  }

private:
  /// A partition that the batch changes; its rows are parts of `gone_` and `fresh_`.
  struct touched_partition {
    std::uint32_t slot = 0;
    std::size_t gone = 0, gone_count = 0;
    std::size_t fresh = 0, fresh_count = 0;
  };

  bool idle() const noexcept override {
    return next_ == touched_.size() && next_change_ == changes_.size();
  }

  result<void> take_rows(const batch& input) override;
  result<void> find_gone(const batch& input, std::vector<std::uint32_t>& gone_slots);
  void group_by_partition(const std::vector<std::uint32_t>& gone_slots,
                          const std::vector<std::uint32_t>& fresh_slots);
  result<void> compute_some(step_budget& budget);
  result<void> compute_results(over_rows& x);
  void emit_some(step_budget& budget, output& out);
  void finish_batch();

  over_calls calls_;
  over_layout layout_;
  net_batch net_;

  // The batch being worked on.
  std::vector<touched_partition> touched_;
  std::size_t next_ = 0; ///< of `touched_`
  std::vector<placed_row> gone_;
  std::vector<placed_row> fresh_;
  std::vector<std::uint32_t> dropped_; ///< partitions of deletions that come too late
  over_rows before_;
  over_rows after_;
  over_changes found_;
  std::vector<over_change> changes_; ///< between the two
  std::size_t next_change_ = 0;      ///< not emitted yet
  std::size_t together_ = 0;         ///< changes that go with the next batch

  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint64_t> prefixes_;
};

result<void> changelog_over::take_rows(const batch& input) {
  EBB_TRY(move_rows());
  touched_.clear();
  gone_.clear();
  fresh_.clear();
  next_ = 0;
  net_.take(input, nullptr);
  prefixes_.resize(input.rows);
  order_.prefixes(input, prefixes_.data());
  std::vector<std::uint32_t> gone_slots;
  std::vector<std::uint32_t> fresh_slots;
  if (!net_.deleted().empty())
    EBB_TRY(find_gone(input, gone_slots));
  const auto& all = net_.inserted();
  const auto count = static_cast<std::uint32_t>(all.size());
  if (count != 0) {
    find_partitions(input, all.data(), count, fresh_slots);
    make_lists();
    numbers_.resize(count);
    const bool whole = count == input.rows && !input.weights;
    EBB_TRY(kept_.append(input, whole ? nullptr : all.data(), count, numbers_.data()));
    for (std::uint32_t j = 0; j < count; ++j)
      fresh_.push_back({prefixes_[all[j]], numbers_[j]});
  }
  group_by_partition(gone_slots, fresh_slots);
  return {};
}

// Of equal rows each deletion takes the next one.
result<void> changelog_over::find_gone(const batch& input, std::vector<std::uint32_t>& gone_slots) {
  std::vector<std::uint32_t> slots;
  const auto& deleted = net_.deleted();
  find_partitions(input, deleted.data(), static_cast<std::uint32_t>(deleted.size()), slots);
  make_lists();
  std::unordered_map<std::uint32_t, std::uint32_t> taken; // first of equal rows, last one taken
  for (std::size_t j = 0; j < deleted.size(); ++j) {
    const auto i = deleted[j];
    const auto prefix = prefixes_[i];
    const auto* found = find_equal(slots[j], input, i, prefix);
    if (found != nullptr) {
      const auto [at, is_first] = taken.try_emplace(found->row, found->row);
      if (!is_first)
        found = find_equal(slots[j], input, i, prefix, at->second);
      if (found != nullptr)
        at->second = found->row;
    }
    if (found == nullptr) {
      if (!retention_.active())
        return not_there(input, i);
      dropped_.push_back(slots[j]); // before
      continue;
    }
    gone_.push_back(*found);
    gone_slots.push_back(slots[j]);
  }
  return {};
}

void changelog_over::group_by_partition(const std::vector<std::uint32_t>& gone_slots,
                                        const std::vector<std::uint32_t>& fresh_slots) {
  const auto sort = [this](const std::vector<std::uint32_t>& slots, std::vector<placed_row>& rows) {
    std::vector<std::pair<std::uint32_t, placed_row>> all;
    all.reserve(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i)
      all.emplace_back(slots[i], rows[i]);
    std::sort(all.begin(), all.end(), [this](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : less(a.second, b.second);
    });
    for (std::size_t i = 0; i < all.size(); ++i)
      rows[i] = all[i].second;
    return all;
  };
  const auto gone = sort(gone_slots, gone_);
  const auto fresh = sort(fresh_slots, fresh_);
  std::size_t g = 0;
  std::size_t f = 0;
  std::size_t d = 0;
  std::sort(dropped_.begin(), dropped_.end());
  while (g < gone.size() || f < fresh.size() || d < dropped_.size()) {
    touched_partition x;
    x.slot = UINT32_MAX;
    if (g < gone.size())
      x.slot = gone[g].first;
    if (f < fresh.size())
      x.slot = std::min(x.slot, fresh[f].first);
    if (d < dropped_.size())
      x.slot = std::min(x.slot, dropped_[d]);
    x.gone = g;
    x.fresh = f;
    for (; g < gone.size() && gone[g].first == x.slot; ++g)
      ++x.gone_count;
    for (; f < fresh.size() && fresh[f].first == x.slot; ++f)
      ++x.fresh_count;
    while (d < dropped_.size() && dropped_[d] == x.slot)
      ++d;
    touched_.push_back(x);
  }
  dropped_.clear();
}

// Changes some partitions, and finds what that does to their results.
result<void> changelog_over::compute_some(step_budget& budget) {
  before_.clear();
  after_.clear();
  found_.clear();
  while (next_ < touched_.size() && budget.rows > 0
         && before_.block.size() + after_.block.size() < row_store::chunk_rows) {
    const auto& x = touched_[next_++];
    if (x.gone_count + x.fresh_count == 0)
      continue;
    const std::span<const placed_row> gone(gone_.data() + x.gone, x.gone_count);
    const std::span<const placed_row> fresh(fresh_.data() + x.fresh, x.fresh_count);
    const auto laid_out = before_.block.size() + after_.block.size();
    const auto before_run = before_.block.runs.size();
    const auto after_run = after_.block.runs.size();
    layout_.add(lists_[x.slot], gone, fresh, before_);
    for (const auto& row : gone)
      erase(x.slot, row);
    for (const auto& row : fresh)
      insert(x.slot, row);
    layout_.add(lists_[x.slot], fresh, gone, after_);
    found_.compare(before_, before_run, after_, after_run, gone, fresh);
    budget.rows -= std::min(budget.rows, 1 + before_.block.size() + after_.block.size() - laid_out);
  }
  EBB_TRY(compute_results(before_));
  EBB_TRY(compute_results(after_));
  changes_ = found_.finish(before_, after_, together_);
  next_change_ = 0;
  return {};
}

result<void> changelog_over::compute_results(over_rows& x) {
  auto results = calls_.compute_whole(x.block, rows());
  if (!results) {
    batch failed;
    failed.rows = x.block.size();
    return name_row(std::move(results).error(), failed, context_.name);
  }
  x.results = *std::move(results);
  return {};
}

// Rows that went and came leave in one batch, as a key's old and new row may be among them; others
// with their new results, so many at a time.
void changelog_over::emit_some(step_budget& budget, output& out) {
  const auto room = std::max<std::size_t>(together_, row_store::chunk_rows / 2);
  const auto count = std::min(room, changes_.size() - next_change_);
  together_ = 0;
  std::vector<std::uint32_t> deleted;
  std::vector<std::uint32_t> inserted;
  for (const auto end = next_change_ + count; next_change_ < end; ++next_change_) {
    const auto& x = changes_[next_change_];
    if (x.before != over_change::none)
      deleted.push_back(x.before);
    if (x.after != over_change::none)
      inserted.push_back(x.after);
  }
  auto made = std::make_shared<batch>();
  made->rows = static_cast<std::uint32_t>(deleted.size() + inserted.size());
  numbers_.clear();
  for (const auto place : deleted)
    numbers_.push_back(before_.block.rows[place]);
  for (const auto place : inserted)
    numbers_.push_back(after_.block.rows[place]);
  rows().gather_all(numbers_.data(), made->rows, made->columns);
  for (std::size_t k = 0; k < before_.results.size(); ++k)
    made->columns.push_back(
        deleted_and_inserted(before_.results[k], deleted, after_.results[k], inserted));
  made->weights = weights_of(static_cast<std::uint32_t>(deleted.size()),
                             static_cast<std::uint32_t>(inserted.size()));
  counters_.rows_out += made->rows;
  budget.rows -= std::min(budget.rows, made->rows);
  out.emit(std::move(made));
}

void changelog_over::finish_batch() {
  if (!gone_.empty()) {
    numbers_.clear();
    for (const auto& x : gone_)
      numbers_.push_back(x.row);
    kept_.remove(numbers_);
  }
  gone_.clear();
  erase_empty(touched_);
  touched_.clear();
  next_ = 0;
}

} // namespace

std::unique_ptr<stream_operator> make_changelog_over(const changelog_over_spec& spec,
                                                     operator_context context) {
  return std::make_unique<changelog_over>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const changelog_over_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return types_with_results(inputs[0], spec.calls);
}

} // namespace ebb
