#include "actors/dataflow/operators/changelog_join.hpp"

#include "actors/dataflow/operators/changelog_join_state.hpp"
#include "actors/dataflow/operators/lookup_join.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/stream_join.hpp"
#include "actors/dataflow/operators/two_inputs.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

constexpr auto no_row = row_store::no_row;

/// Whether rows of a side show without a partner, padded with NULLs.
bool keeps_unmatched(changelog_join_kind kind, std::size_t side) noexcept {
  return kind == changelog_join_kind::full || (side == 0 && kind == changelog_join_kind::left)
         || (side == 1 && kind == changelog_join_kind::right);
}

/// What a step emits: pairs, and rows of one side alone.
struct emitted_rows {
  row_pairs pairs;
  std::array<std::vector<std::uint32_t>, 2> alone;

  [[nodiscard]] std::size_t size() const noexcept {
    return pairs.size() + alone[0].size() + alone[1].size();
  }

  void clear() {
    pairs.clear();
    alone[0].clear();
    alone[1].clear();
  }
};

class changelog_join final : public stream_operator {
public:
  changelog_join(const changelog_join_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)), state_(spec_, context_),
        pairs_(context_.inputs[0], context_.inputs[1], spec_.left_keys, spec_.right_keys,
               spec_.residual, context_.name) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    finish_load();
    if (item != nullptr && item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      budget.rows -= std::min(budget.rows, item->rows->rows / 4);
      inputs_.rows(*item);
      if (auto taken = take_rows(*item); !taken)
        return name_row(std::move(taken).error(), *item->rows, context_.name);
    } else if (item != nullptr) {
      inputs_.take(*item);
    }
    EBB_TRY(meet_partners(budget, out));
    if (at_ < taken_.changes.size())
      return true;
    state_.finish_batch();
    inputs_.pass_on(inputs_.merged(), out);
    auto& retention = state_.retention();
    if (item != nullptr && retention.by_ticks() && item->kind == item_kind::tick)
      retention.advance(item->time);
    else if (!retention.by_ticks())
      retention.advance(inputs_.merged());
    return state_.drop_some(budget);
  }

  bool wants_ticks() const noexcept override {
    return state_.by_ticks();
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = state_.byte_size();
    return result;
  }

  change_mark mark() override {
    finish_load();
    state_.mark();
    return mark_++;
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override {
    EBB_ASSERT(at_ == taken_.changes.size()); // a barrier comes after whole batches
    EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
    state_.begin_save(since);
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    auto left = std::max(1U, entries);
    return !state_.save_slice(left, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    state_.save(key_group, since, sink);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    loading_ = state_.retention().active();
    return state_.load(key_group, state, key, value, &pairs_);
  }

  bool loads_late() const noexcept override {
    return state_.loads_late();
  }

  void wish(const stream_item& item, state_wishes& wishes) override {
    state_.wish(item, wishes);
  }

  void all_loaded() override {
    state_.all_loaded();
  }

private:
  void finish_load() {
    if (std::exchange(loading_, false))
      state_.retention().finish_load();
  }

  result<void> take_rows(const stream_item& item);
  void take_lone_rows(const batch& rows);
  result<void> meet_partners(step_budget& budget, output& out);
  void start_group();
  result<void> meet_some(step_budget& budget);
  void meet_all_equal(std::size_t partners);
  result<void> meet_matching(std::size_t partners);
  void change_partner(std::uint32_t partner, bool before, bool after);
  void finish_group();
  void emit(output& out);
  [[nodiscard]] batch_ptr alone(std::size_t side, const std::vector<std::uint32_t>& rows) const;

  void add_pair(const changelog_join_state::change& x, std::uint32_t partner) {
    auto& to = (x.comes ? inserted_ : deleted_).pairs;
    if (side_ == 0)
      to.add(x.row, partner);
    else
      to.add(partner, x.row);
  }

  changelog_join_spec spec_;
  operator_context context_;
  changelog_join_state state_;
  join_pairs pairs_;
  two_inputs inputs_;
  operator_counters counters_;
  change_mark mark_ = 1;
  bool loading_ = false;

  // The item being worked on. Its changes of one key are a group: each partner meets all of them at
  // once, so that what it shows changes once.
  std::size_t side_ = 0;
  changelog_join_state::taken_batch taken_;
  std::size_t at_ = 0;  ///< first change of the present group
  std::size_t end_ = 0; ///< behind its last; `at_` = none has begun
  std::uint32_t partner_ = no_row;
  bool had_rows_ = false;             ///< before the item
  std::vector<std::uint32_t> met_by_; ///< by change of the group: partners that it matches

  emitted_rows deleted_;
  emitted_rows inserted_;
  std::vector<batch_ptr> lone_deleted_;
  std::vector<batch_ptr> lone_inserted_;
  row_pairs candidates_;
  std::vector<std::uint32_t> partners_;
};

result<void> changelog_join::take_rows(const stream_item& item) {
  side_ = item.input;
  at_ = end_ = 0;
  EBB_TRY(state_.take(side_, *item.rows, taken_));
  take_lone_rows(*item.rows);
  return {};
}

// Rows with a NULL key match nothing.
void changelog_join::take_lone_rows(const batch& rows) {
  const bool anti = spec_.kind == changelog_join_kind::anti && side_ == 0;
  if (!anti && !keeps_unmatched(spec_.kind, side_))
    return;
  const auto make = [&](const std::vector<std::uint32_t>& picks, std::vector<batch_ptr>& to) {
    if (picks.empty())
      return;
    if (!anti) {
      to.push_back(pairs_.pad(rows, picks, side_ == 0));
      return;
    }
    auto made = std::make_shared<batch>();
    made->rows = static_cast<std::uint32_t>(picks.size());
    for (const auto& x : rows.columns)
      made->columns.push_back(gather(x, picks.data(), made->rows));
    to.push_back(std::move(made));
  };
  make(taken_.lone_deleted, lone_deleted_);
  make(taken_.lone_inserted, lone_inserted_);
}

result<void> changelog_join::meet_partners(step_budget& budget, output& out) {
  while (at_ < taken_.changes.size() && budget.rows > 0
         && deleted_.size() + inserted_.size() < row_store::chunk_rows) {
    if (end_ == at_)
      start_group();
    EBB_TRY(meet_some(budget));
    if (partner_ == no_row)
      finish_group();
  }
  emit(out);
  return {};
}

void changelog_join::start_group() {
  const auto slot = taken_.changes[at_].slot;
  std::size_t comes = 0;
  for (end_ = at_; end_ < taken_.changes.size() && taken_.changes[end_].slot == slot; ++end_)
    comes += taken_.changes[end_].comes ? 1U : 0U;
  const auto goes = end_ - at_ - comes;
  had_rows_ = state_.count(slot, side_) + goes > comes;
  partner_ = state_.head(slot, 1 - side_);
  met_by_.assign(end_ - at_, 0);
}

// Some partners of the group; all where the group is small, so that its changes stay together.
result<void> changelog_join::meet_some(step_budget& budget) {
  const auto changes = end_ - at_;
  const auto slot = taken_.changes[at_].slot;
  const bool small = changes * state_.count(slot, 1 - side_) <= row_store::chunk_rows;
  const auto most = std::max<std::size_t>(1, row_store::chunk_rows / changes);
  const auto wanted =
      small ? most : std::max<std::size_t>(1, std::min<std::size_t>(most, budget.rows / changes));
  const bool alone = !spec_.residual && spec_.both_sides() == false && side_ == 0;
  if (alone)
    partner_ = no_row; // whether there are partners says all
  partners_.clear();
  for (; partner_ != no_row && partners_.size() < wanted;
       partner_ = state_.older(1 - side_, partner_))
    partners_.push_back(partner_);
  const auto pairs = std::max<std::size_t>(1, partners_.size() * changes);
  budget.rows -= static_cast<std::uint32_t>(std::min<std::size_t>(budget.rows, pairs));
  if (spec_.residual)
    return meet_matching(changes);
  meet_all_equal(changes);
  return {};
}

void changelog_join::meet_all_equal(std::size_t changes) {
  const auto slot = taken_.changes[at_].slot;
  const bool has_rows = state_.count(slot, side_) != 0;
  for (const auto partner : partners_) {
    if (spec_.both_sides())
      for (std::size_t c = 0; c < changes; ++c)
        add_pair(taken_.changes[at_ + c], partner);
    change_partner(partner, had_rows_, has_rows);
  }
}

result<void> changelog_join::meet_matching(std::size_t changes) {
  candidates_.clear();
  for (const auto partner : partners_)
    for (std::size_t c = 0; c < changes; ++c) {
      const auto row = taken_.changes[at_ + c].row;
      if (side_ == 0)
        candidates_.add(row, partner);
      else
        candidates_.add(partner, row);
    }
  EBB_TRY(pairs_.keep_matching(state_.rows(0), state_.rows(1), candidates_));
  const auto& of_partner = side_ == 0 ? candidates_.right : candidates_.left;
  const auto& of_change = side_ == 0 ? candidates_.left : candidates_.right;
  std::size_t met = 0;
  for (const auto partner : partners_) {
    std::int64_t more = 0;
    for (std::size_t c = 0; c < changes; ++c) {
      const auto& x = taken_.changes[at_ + c];
      if (met == of_change.size() || of_partner[met] != partner || of_change[met] != x.row)
        continue;
      ++met;
      ++met_by_[c];
      more += x.comes ? 1 : -1;
      if (spec_.both_sides())
        add_pair(x, partner);
    }
    if (!state_.counts_partners(1 - side_))
      continue;
    auto& count = state_.partners(1 - side_, partner);
    const auto before = count;
    count = static_cast<std::uint32_t>(count + more);
    change_partner(partner, before != 0, count != 0);
  }
  return {};
}

// A row of the other side, which has gained its first match or lost its last.
void changelog_join::change_partner(std::uint32_t partner, bool before, bool after) {
  if (before == after)
    return;
  const auto other = 1 - side_;
  if (spec_.both_sides()) {
    if (keeps_unmatched(spec_.kind, other))
      (after ? deleted_ : inserted_).alone[other].push_back(partner);
  } else if (other == 0) {
    const bool shows = (spec_.kind == changelog_join_kind::semi) == after;
    (shows ? inserted_ : deleted_).alone[0].push_back(partner);
  }
}

// The group's own rows, which know now how many partners they have.
void changelog_join::finish_group() {
  const auto slot = taken_.changes[at_].slot;
  const bool semi = spec_.kind == changelog_join_kind::semi && side_ == 0;
  const bool padded =
      keeps_unmatched(spec_.kind, side_) || (spec_.kind == changelog_join_kind::anti && side_ == 0);
  const auto partners = state_.count(slot, 1 - side_);
  for (auto c = at_; c < end_; ++c) {
    const auto& x = taken_.changes[c];
    const auto met = spec_.residual ? met_by_[c - at_] : partners;
    if (x.comes && state_.counts_partners(side_))
      state_.partners(side_, x.row) = met;
    if ((semi && met != 0) || (padded && met == 0))
      (x.comes ? inserted_ : deleted_).alone[side_].push_back(x.row);
  }
  at_ = end_;
}

batch_ptr changelog_join::alone(std::size_t side, const std::vector<std::uint32_t>& rows) const {
  if (spec_.both_sides())
    return side == 0 ? pairs_.make_left_only(state_.rows(0), rows)
                     : pairs_.make_right_only(state_.rows(1), rows);
  auto made = std::make_shared<batch>();
  made->rows = static_cast<std::uint32_t>(rows.size());
  state_.rows(0).gather_all(rows.data(), made->rows, made->columns);
  return made;
}

void changelog_join::emit(output& out) {
  std::vector<batch_ptr> parts;
  const auto add = [&](emitted_rows& rows, std::vector<batch_ptr>& lone) {
    std::uint32_t count = 0;
    const auto part = [&](batch_ptr x) {
      count += x->rows;
      parts.push_back(std::move(x));
    };
    if (rows.pairs.size() != 0)
      part(pairs_.make(state_.rows(0), state_.rows(1), rows.pairs));
    for (std::size_t side = 0; side < 2; ++side)
      if (!rows.alone[side].empty())
        part(alone(side, rows.alone[side]));
    for (auto& x : lone)
      part(std::move(x));
    rows.clear();
    lone.clear();
    return count;
  };
  const auto minus = add(deleted_, lone_deleted_);
  const auto plus = add(inserted_, lone_inserted_);
  if (minus + plus == 0)
    return;
  counters_.rows_out += minus + plus;
  if (parts.size() == 1 && minus == 0) {
    out.emit(std::move(parts.front()));
    return;
  }
  auto all = std::make_shared<batch>(parts.size() == 1 ? *parts.front() : concatenate(parts));
  all->weights = weights_of(minus, plus);
  out.emit(std::move(all));
}

} // namespace

std::unique_ptr<stream_operator> make_changelog_join(const changelog_join_spec& spec,
                                                     operator_context context) {
  if (spec.lookup >= 0)
    return make_lookup_join(spec, std::move(context));
  // Where nothing is ever taken back, less has to be remembered.
  if (spec.kind == changelog_join_kind::inner && !spec.left_updating && !spec.right_updating
      && spec.retention.span == 0)
    return make_stream_join({spec.left_keys, spec.right_keys, spec.residual}, std::move(context));
  return std::make_unique<changelog_join>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const changelog_join_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  if (spec.both_sides())
    result.insert(result.end(), inputs[1].begin(), inputs[1].end());
  return result;
}

} // namespace ebb
