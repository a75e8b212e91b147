#include "actors/dataflow/operators/group_aggregate.hpp"

#include "actors/dataflow/opening_rows.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/cold_groups.hpp"
#include "actors/dataflow/operators/group_calls.hpp"
#include "actors/dataflow/operators/key_retention.hpp"
#include "actors/dataflow/operators/missing_row.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/partial_groups.hpp"
#include "actors/dataflow/operators/pass_time.hpp"
#include "actors/dataflow/operators/row_values.hpp"

#include <algorithm>
#include <optional>

namespace ebb {

namespace {

class group_aggregate final : public stream_operator, public opening_rows {
public:
  group_aggregate(const group_aggregate_spec& spec, operator_context context)
      : context_(std::move(context)), spec_(spec), calls_(spec, context_),
        retention_(spec.retention, calls_.table().index(), context_),
        cold_(group_calls::states(), context_.key_groups) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (loading_)
      EBB_TRY(finish_load());
    if (load_problem_)
      return *load_problem_;
    if (item == nullptr)
      return drop_some(budget);
    if (!opened_)
      EBB_TRY(emit_group_of_nothing(out));
    switch (item->kind) {
    case item_kind::batch:
      counters_.rows_in += item->rows->rows;
      budget.rows -= std::min(budget.rows, item->rows->rows / 2);
      if (item->rows->rows != 0)
        if (auto taken = take_rows(*item->rows, out); !taken)
          return name_row(std::move(taken).error(), *item->rows, context_.name);
      break;
    default:
      pass_time(*item, out);
    }
    retention_.take(*item);
    return drop_some(budget);
  }

  bool wants_ticks() const noexcept override {
    return retention_.by_ticks();
  }

  bool opens() const noexcept override {
    std::uint64_t hash = 0;
    hash_keys({}, 1, &hash);
    return spec_.keys.empty()
           && owned_groups(context_).contains(key_group_of(hash, context_.key_groups));
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = calls_.byte_size() + retention_.byte_size();
    return result;
  }

  change_mark mark() override {
    if (loading_)
      if (auto loaded = finish_load(); !loaded)
        load_problem_ = std::move(loaded).error();
    calls_.mark();
    retention_.mark();
    return mark_++;
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override {
    EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
    calls_.begin_save(since);
    retention_.begin_save(since);
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    auto left = std::max(1U, entries);
    return !retention_.erase_slice(left, sink) || !calls_.save_slice(left, sink)
           || !retention_.save_slice(left, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    calls_.save(key_group, since, sink);
    retention_.save(key_group, since, sink);
  }

  result<void> load(std::uint16_t, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    loading_ = true;
    if (state == key_retention::state)
      return retention_.load(key, value);
    return calls_.load(state, key, value);
  }

  bool loads_late() const noexcept override {
    return calls_.loads_late();
  }

  void wish(const stream_item& item, state_wishes& wishes) override;

  void all_loaded() override {
    cold_.all_loaded();
  }

private:
  result<void> finish_load() {
    loading_ = false;
    EBB_TRY(calls_.finish_load());
    retention_.finish_load();
    return {};
  }

  result<void> take_rows(const batch& rows, output& out);
  void find_touched(std::uint32_t first_new);
  result<void> find_existing(const column& before, const column& after);
  void emit_changes(const batch* rows, std::span<const column> before,
                    std::span<const column> after, output& out);
  result<void> emit_group_of_nothing(output& out);
  void erase(std::span<const std::uint32_t> gone);
  bool drop_some(step_budget& budget);

  /// Groups go: their rows are taken back, or they are dropped.
  [[nodiscard]] bool loses_groups() const noexcept {
    return (spec_.updating || retention_.active()) && !spec_.keys.empty();
  }

  [[nodiscard]] error deleted_too_often(std::uint32_t slot) const;
  [[nodiscard]] error name_group(error problem) const;
  [[nodiscard]] error name_group_of(error problem, const batch& rows) const;

  operator_context context_;
  group_aggregate_spec spec_;
  group_calls calls_;
  key_retention retention_;
  cold_groups cold_; ///< where groups are more than an entry
  std::vector<std::uint32_t> expired_; ///< groups that are to be dropped
  std::size_t next_expired_ = 0;
  operator_counters counters_;
  change_mark mark_ = 1;
  bool opened_ = false; ///< the row of nothing is there, where there is to be one
  bool loading_ = false;
  std::optional<error> load_problem_; ///< of `mark`, told by the next step

  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> touched_;    ///< groups of the batch, those that were there first
  std::vector<std::uint32_t> touched_by_; ///< first row of each
  std::uint32_t old_groups_ = 0;          ///< how many of `touched_` can have been there
  std::vector<std::uint32_t> seen_;       ///< by slot: number of the batch that touched it last
  std::uint32_t batch_ = 0;
  std::vector<std::uint8_t> was_there_; ///< by place in `touched_`
  std::vector<std::uint8_t> is_there_;
  std::vector<std::uint32_t> deleted_; ///< places in `touched_`
  std::vector<std::uint32_t> inserted_;
};

void group_aggregate::wish(const stream_item& item, state_wishes& wishes) {
  if (item.kind != item_kind::batch)
    return;
  const auto& rows = *item.rows;
  if (!calls_.one_entry_each()) {
    cold_.wish(rows, spec_.keys, nullptr, wishes);
    return;
  }
  const auto keys = key_columns(rows, spec_.keys);
  hashes_.resize(rows.rows);
  hash_keys(keys, rows.rows, hashes_.data());
  std::string key;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    const auto group = key_group_of(hashes_[i], context_.key_groups);
    if (wishes.loaded(group))
      continue;
    key.clear();
    for (const auto* x : keys)
      encode_key_value(*x, i, key);
    wishes.wish(group, group_calls::group_entries, key);
  }
}

result<void> group_aggregate::take_rows(const batch& rows, output& out) {
  auto& table = calls_.table();
  const auto keys = key_columns(rows, spec_.keys);
  hashes_.resize(rows.rows);
  hash_keys(keys, rows.rows, hashes_.data());
  const auto first_new = table.index().slot_count();
  table.resolve(keys, hashes_.data(), nullptr, rows.rows);
  find_touched(first_new);
  retention_.touch(touched_);
  if (retention_.active() && !spec_.updating) {
    was_there_.resize(touched_.size());
    for (std::size_t i = 0; i < touched_.size(); ++i)
      was_there_[i] = calls_.has_had_rows(touched_[i]) ? 1 : 0;
    is_there_.assign(touched_.size(), 1);
  }
  std::vector<column> before;
  std::vector<column> after;
  column count_before;
  column count_after;
  EBB_TRY(calls_.results({touched_.data(), old_groups_}, before, &count_before));
  if (auto updated = calls_.update(rows); !updated)
    return name_group_of(std::move(updated).error(), rows);
  if (auto done = calls_.results(touched_, after, &count_after); !done)
    return name_group(std::move(done).error());
  if (spec_.updating)
    EBB_TRY(find_existing(count_before, count_after));
  if (!loses_groups()) {
    was_there_.assign(touched_.size(), 0);
    std::fill_n(was_there_.begin(), old_groups_, std::uint8_t{1});
    is_there_.assign(touched_.size(), 1);
  }
  emit_changes(&rows, before, after, out);
  if (!spec_.updating || spec_.keys.empty())
    return {};
  std::vector<std::uint32_t> gone;
  for (std::size_t i = 0; i < touched_.size(); ++i)
    if (is_there_[i] == 0)
      gone.push_back(touched_[i]);
  // Rows may have been taken back that were dropped before: then others are left.
  if (retention_.active() && !gone.empty())
    calls_.drop_values(gone);
  erase(gone);
  return {};
}

void group_aggregate::erase(std::span<const std::uint32_t> gone) {
  for (const auto slot : gone) {
    retention_.forget(slot);
    calls_.erase(slot);
  }
}

// True = more groups are to be looked at, or to be dropped.
bool group_aggregate::drop_some(step_budget& budget) {
  if (!retention_.active() || spec_.keys.empty())
    return false;
  if (next_expired_ == 0) {
    if (retention_.sweep(budget, expired_))
      return true;
    if (!expired_.empty())
      calls_.drop_values(expired_);
  }
  const auto count = std::min<std::size_t>(expired_.size() - next_expired_, budget.rows);
  // A save may have begun since their values were dropped.
  calls_.table().touch({expired_.data() + next_expired_, count});
  erase({expired_.data() + next_expired_, count});
  next_expired_ += count;
  budget.rows -= static_cast<std::uint32_t>(count);
  if (next_expired_ < expired_.size())
    return true;
  expired_.clear();
  next_expired_ = 0;
  return false;
}

// Each group once. Where groups never go, those with smaller slots were there before.
void group_aggregate::find_touched(std::uint32_t first_new) {
  const auto slots = calls_.table().last_slots();
  seen_.resize(calls_.table().index().slot_count(), 0);
  if (++batch_ == 0) {
    std::fill(seen_.begin(), seen_.end(), 0U);
    batch_ = 1;
  }
  const bool reuses = loses_groups();
  touched_.clear();
  touched_by_.clear();
  std::vector<std::uint32_t> fresh;
  std::vector<std::uint32_t> fresh_by;
  for (std::uint32_t i = 0; i < slots.size(); ++i) {
    const auto slot = slots[i];
    if (seen_[slot] == batch_)
      continue;
    seen_[slot] = batch_;
    const bool old = reuses || slot < first_new;
    (old ? touched_ : fresh).push_back(slot);
    (old ? touched_by_ : fresh_by).push_back(i);
  }
  old_groups_ = static_cast<std::uint32_t>(touched_.size());
  touched_.insert(touched_.end(), fresh.begin(), fresh.end());
  touched_by_.insert(touched_by_.end(), fresh_by.begin(), fresh_by.end());
}

result<void> group_aggregate::find_existing(const column& before, const column& after) {
  was_there_.resize(touched_.size());
  is_there_.resize(touched_.size());
  const auto* old_counts = before.data<std::int64_t>();
  const auto* new_counts = after.data<std::int64_t>();
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    was_there_[i] = i < old_groups_ && old_counts[i] > 0 ? 1 : 0;
    is_there_[i] = new_counts[i] > 0 ? 1 : 0;
    if (new_counts[i] < 0 && !retention_.active())
      return deleted_too_often(touched_[i]);
  }
  return {};
}

error group_aggregate::deleted_too_often(std::uint32_t slot) const {
  std::vector<column> values;
  calls_.table().keys({&slot, 1}, values);
  return missing_row("its key is ", pointers_to(values), 0);
}

// A deletion that some call has found to be wrong: whose it was.
error group_aggregate::name_group_of(error problem, const batch& rows) const {
  if (!problem.row || !problem.message.starts_with(missing_row_text))
    return problem;
  auto named = missing_row("its key is ", key_columns(rows, spec_.keys), *problem.row);
  named.row = problem.row;
  return named;
}

// Which of the touched groups has no result.
error group_aggregate::name_group(error problem) const {
  for (const auto& slot : touched_) {
    std::vector<column> values;
    if (calls_.results({&slot, 1}, values, nullptr))
      continue;
    values.clear();
    calls_.table().keys({&slot, 1}, values);
    name_key(problem, values, 0);
    break;
  }
  return problem;
}

void group_aggregate::emit_changes(const batch* input, std::span<const column> before,
                                   std::span<const column> after, output& out) {
  std::vector<std::uint8_t> differs(old_groups_);
  for (std::size_t i = 0; i < old_groups_; ++i)
    differs[i] = was_there_[i] & is_there_[i];
  if (old_groups_ != 0)
    keep_different(before, after, differs);
  deleted_.clear();
  inserted_.clear();
  for (std::uint32_t i = 0; i < touched_.size(); ++i) {
    const bool changed = i < old_groups_ && differs[i] != 0;
    if (was_there_[i] != 0 && (is_there_[i] == 0 || changed))
      deleted_.push_back(i);
    if (is_there_[i] != 0 && (was_there_[i] == 0 || changed))
      inserted_.push_back(i);
  }
  const auto minus = static_cast<std::uint32_t>(deleted_.size());
  const auto plus = static_cast<std::uint32_t>(inserted_.size());
  if (minus + plus == 0)
    return;
  auto rows = std::make_shared<batch>();
  rows->rows = minus + plus;
  rows->columns.reserve(spec_.keys.size() + after.size());
  // Keys are as they were first seen, or any row's where all write them the same way.
  const bool any_row = input != nullptr && calls_.table().index().exact();
  const auto& of = any_row ? touched_by_ : touched_;
  std::vector<std::uint32_t> picks;
  picks.reserve(rows->rows);
  for (const auto i : deleted_)
    picks.push_back(of[i]);
  for (const auto i : inserted_)
    picks.push_back(of[i]);
  if (any_row)
    for (const auto k : spec_.keys)
      rows->columns.push_back(gather(input->columns[k], picks.data(), rows->rows));
  else
    calls_.table().keys(picks, rows->columns);
  for (std::size_t k = 0; k < after.size(); ++k)
    rows->columns.push_back(deleted_and_inserted(before[k], deleted_, after[k], inserted_));
  rows->weights = weights_of(minus, plus);
  counters_.rows_out += rows->rows;
  out.emit(std::move(rows));
}

// Without keys there is a row even where there was no input.
result<void> group_aggregate::emit_group_of_nothing(output& out) {
  opened_ = true;
  if (!opens() || calls_.table().index().live() != 0)
    return {};
  std::uint64_t hash = 0;
  hash_keys({}, 1, &hash);
  calls_.table().resolve({}, &hash, nullptr, 1);
  touched_.assign(1, calls_.table().last_slots()[0]);
  old_groups_ = 0;
  was_there_.assign(1, 0);
  is_there_.assign(1, 1);
  std::vector<column> after;
  EBB_TRY(calls_.results(touched_, after, nullptr));
  const std::vector<column> before(after.size());
  emit_changes(nullptr, before, after, out);
  return {};
}

} // namespace

std::unique_ptr<stream_operator> make_group_aggregate(const group_aggregate_spec& spec,
                                                      operator_context context) {
  if (spec.phase == group_phase::partial)
    return make_partial_groups(spec, std::move(context));
  return std::make_unique<group_aggregate>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const group_aggregate_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  std::vector<sql_type> types;
  for (const auto k : spec.keys)
    types.push_back(inputs[0][k]);
  for (const auto& call : spec.calls) {
    if (spec.phase == group_phase::partial)
      for (const auto& type : state_types(call))
        types.push_back(type);
    else
      types.push_back(call.type);
  }
  return types;
}

} // namespace ebb
