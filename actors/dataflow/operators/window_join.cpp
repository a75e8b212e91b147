#include "actors/dataflow/operators/window_join.hpp"

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/two_inputs.hpp"
#include "actors/dataflow/operators/window_join_state.hpp"
#include "actors/dataflow/operators/window_rows.hpp"

#include <algorithm>

namespace ebb {

namespace {

class window_join final : public stream_operator, public event_timer {
public:
  window_join(const window_join_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)),
        pairs_(context_.inputs[0], context_.inputs[1], spec.left_keys, spec.right_keys,
               spec.residual, context_.name),
        fire_(spec_, pairs_), state_(spec_, context_, fire_) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    state_.saving_ends();
    EBB_TRY(state_.finish_load());
    if (item != nullptr && item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget, out));
    else if (item != nullptr)
      inputs_.take(*item);
    while (!state_.empty() && state_.first_end() <= inputs_.merged()) {
      if (budget.rows == 0)
        return true;
      if (!fire_.active())
        fire_.start(state_.first_window());
      EBB_ASSIGN(const bool done, fire_.step(budget, state_.now(), out, counters_.rows_out));
      if (done)
        state_.drop_first();
    }
    inputs_.pass_on(inputs_.merged(), out);
    return false;
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = state_.byte_size();
    return result;
  }

  micros next_watermark() const noexcept override {
    return state_.empty() ? max_time : state_.first_end();
  }

  change_mark mark() override {
    return state_.mark();
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override {
    state_.begin_save(since, inputs_.merged());
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    return state_.save_slice(entries, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    state_.save(key_group, since, inputs_.merged(), sink);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    EBB_TRY(state_.load(key_group, state, key, value));
    if (state == window_join_state::watermark_state)
      inputs_.restore(state_.acted.least());
    return {};
  }

private:
  result<void> take_rows(const stream_item& item, step_budget& budget, output& out);
  result<void> keep(const batch& input, std::size_t s, const window_rows::group& group);

  window_join_spec spec_;
  operator_context context_;
  join_pairs pairs_;
  two_inputs inputs_;
  window_fire fire_; ///< of the first window
  window_join_state state_;
  operator_counters counters_;
  window_rows groups_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> rows_;
};

result<void> window_join::take_rows(const stream_item& item, step_budget& budget, output& out) {
  const auto& input = *item.rows;
  const std::size_t s = item.input;
  inputs_.rows(item);
  counters_.rows_in += input.rows;
  budget.rows -= std::min(budget.rows, input.rows / 4);
  const auto bound = inputs_.bound(item);
  groups_.split(input, s == 0 ? spec_.left_start : spec_.right_start,
                s == 0 ? spec_.left_end : spec_.right_end);
  if (!groups_.without_window().empty() && keeps_unmatched(spec_.type, s)) {
    // A NULL window equals no window.
    counters_.rows_out += groups_.without_window().size();
    out.emit(pairs_.pad(input, groups_.without_window(), s == 0));
  }
  if (!state_.keys(s).empty()) {
    hashes_.resize(input.rows);
    hash_keys(key_columns(input, state_.keys(s)), input.rows, hashes_.data());
  }
  const bool uneven = state_.acted.uneven() && spec_.spread < 0;
  const auto late = [&](std::uint32_t row, micros end) {
    if (inputs_.effective(input, row, bound) >= end)
      return true;
    return uneven
           && end <= state_.acted.of(state_.keys(s).empty()
                                         ? hash_of_time(end, context_.inputs[0][spec_.left_end])
                                         : hashes_[row]);
  };
  counters_.late_rows += groups_.drop_late(
      late, input.watermarks || uneven ? window_rows::each_row : window_rows::whole_windows);
  for (const auto& group : groups_.groups())
    EBB_TRY(keep(input, s, group));
  return {};
}

result<void> window_join::keep(const batch& input, std::size_t s, const window_rows::group& group) {
  auto picks = group.rows;
  const auto& key = state_.keys(s);
  const bool nullable = std::any_of(key.begin(), key.end(),
                                    [&](std::uint32_t k) { return input.columns[k].has_nulls(); });
  const auto has_null = [&](std::uint32_t row) {
    return nullable && std::any_of(key.begin(), key.end(), [&](std::uint32_t k) {
             return input.columns[k].is_null(row);
           });
  };
  if (nullable && !keeps_unmatched(spec_.type, s))
    std::erase_if(picks, has_null);
  if (picks.empty())
    return {};
  auto& side = state_.window_at({group.end, group.start, 0}).sides[s];
  const auto count = static_cast<std::uint32_t>(picks.size());
  rows_.resize(count);
  EBB_TRY(
      side.rows.append(input, count == input.rows ? nullptr : picks.data(), count, rows_.data()));
  if (spec_.spread >= 0 && !state_.is_spread(s))
    state_.note_homes(side, rows_);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (has_null(picks[i])) {
      side.lone.push_back(rows_[i]);
      continue;
    }
    side.joinable.push_back(rows_[i]);
    if (!key.empty())
      side.hashes.push_back(hashes_[picks[i]]);
  }
  return {};
}

} // namespace

std::unique_ptr<stream_operator> make_window_join(const window_join_spec& spec,
                                                  operator_context context) {
  return std::make_unique<window_join>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const window_join_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  result.insert(result.end(), inputs[1].begin(), inputs[1].end());
  return result;
}

} // namespace ebb
