#include "actors/dataflow/operators/window_top_n.hpp"

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/top_n_state.hpp"
#include "actors/dataflow/operators/window_rows.hpp"
#include "actors/dataflow/watermark_merge.hpp"

#include <algorithm>

namespace ebb {

namespace {

class window_top_n final : public stream_operator, public event_timer {
public:
  window_top_n(const window_top_n_spec& spec, operator_context context)
      : spec_(spec), state_(spec, std::move(context)) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override;

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
    state_.begin_save(since, merged());
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    return state_.save_slice(entries, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    state_.save(key_group, since, merged(), sink);
  }

  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    return state_.load(key_group, state, key, value);
  }

private:
  /// The input's watermark; it does not go back across a restart.
  [[nodiscard]] micros merged() const noexcept {
    return std::max(input_.merged(), state_.acted().least());
  }

  result<void> take_rows(const stream_item& item, step_budget& budget);
  result<void> keep(const batch& input, const top_n_state::window_name& name,
                    const std::vector<std::uint32_t>& rows);
  void fire(step_budget& budget, output& out);

  window_top_n_spec spec_;
  top_n_state state_;
  watermark_merge input_{1};
  micros sent_ = min_time;
  operator_counters counters_;
  window_rows groups_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint64_t> prefixes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> accepted_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> pruned_;
};

result<bool> window_top_n::step(stream_item* item, step_budget& budget, output& out) {
  state_.saving_ends();
  bool idle = false;
  if (item != nullptr) {
    if (item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget));
    else if (item->kind == item_kind::watermark)
      input_.advance(0, item->time);
    else if (item->kind == item_kind::end)
      input_.advance(0, max_time);
    idle = item->kind == item_kind::idle;
  }
  while (!state_.empty() && state_.first_end() <= merged()) {
    if (budget.rows == 0)
      return true;
    fire(budget, out);
  }
  if (merged() > sent_) {
    sent_ = merged();
    out.advance(sent_);
  }
  if (idle)
    out.idle();
  return false;
}

result<void> window_top_n::take_rows(const stream_item& item, step_budget& budget) {
  const auto& input = *item.rows;
  counters_.rows_in += input.rows;
  budget.rows -= std::min(budget.rows, input.rows / 4);
  groups_.split(input, spec_.window_start, spec_.window_end);
  hashes_.resize(input.rows);
  prefixes_.resize(input.rows);
  if (!spec_.partition.empty())
    hash_keys(key_columns(input, spec_.partition), input.rows, hashes_.data());
  else if (state_.acted().uneven())
    hash_keys(key_columns(input, {&spec_.window_end, 1}), input.rows, hashes_.data());
  const auto late = [&](std::uint32_t row, micros end) {
    auto watermark = merged();
    if (state_.acted().uneven())
      watermark = std::max(watermark, state_.acted().of(hashes_[row]));
    if (input.watermarks)
      watermark = std::max(watermark,
                           std::min(input.watermarks.as<const micros>()[row], item.other_channels));
    return watermark >= end;
  };
  counters_.late_rows += groups_.drop_late(late, input.watermarks || state_.acted().uneven()
                                                     ? window_rows::each_row
                                                     : window_rows::whole_windows);
  state_.by().order.prefixes(input, prefixes_.data());
  for (const auto& group : groups_.groups())
    EBB_TRY(keep(input, {group.end, group.start}, group.rows));
  // Rows without a window are of none that ends: they rank at the end of the input.
  const auto& rest = groups_.without_window();
  if (!rest.empty())
    EBB_TRY(keep(input, {max_time, max_time}, {rest.begin(), rest.end()}));
  return {};
}

result<void> window_top_n::keep(const batch& input, const top_n_state::window_name& name,
                                const std::vector<std::uint32_t>& rows) {
  if (rows.empty())
    return {};
  auto& window = state_.window_at(name);
  const auto count = static_cast<std::uint32_t>(rows.size());
  slots_.assign(count, 0);
  if (!spec_.partition.empty())
    window.index.resolve(key_columns(input, spec_.partition), hashes_.data(), rows.data(), count,
                         slots_.data());
  window.partitions.resize(spec_.partition.empty() ? 1 : window.index.slot_count());
  accepted_.clear();
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto row = rows[i];
    if (!window.partitions[slots_[i]].rows.accepts(state_.by(), window.rows, input, row,
                                                   prefixes_[row]))
      continue;
    accepted_.push_back(row);
    slots_[kept++] = slots_[i];
  }
  numbers_.resize(kept);
  EBB_TRY(window.rows.append(input, kept == input.rows ? nullptr : accepted_.data(), kept,
                             numbers_.data()));
  window.candidates += kept;
  pruned_.clear();
  for (std::uint32_t i = 0; i < kept; ++i) {
    auto& x = window.partitions[slots_[i]].rows;
    x.add({prefixes_[accepted_[i]], numbers_[i]});
    x.prune(state_.by(), window.rows, pruned_);
  }
  if (!pruned_.empty())
    state_.forget(name, window, pruned_);
  return {};
}

// Emits rows of the first window; drops it at the end.
void window_top_n::fire(step_budget& budget, output& out) {
  const auto& window = state_.first_window();
  auto& cursor = state_.first_cursor();
  const auto room = std::min(budget.rows, row_store::chunk_rows);
  numbers_.clear();
  auto ranks = make_column(sql_type{type_kind::bigint}, room);
  bool more = true;
  while (numbers_.size() < room) {
    std::uint32_t row = 0;
    std::int64_t rank = 0;
    more = cursor.next(row, rank);
    if (!more)
      break;
    ranks.mutable_data<std::int64_t>()[numbers_.size()] = rank;
    numbers_.push_back(row);
  }
  budget.rows -= std::min(budget.rows,
                          std::max<std::uint32_t>(1, static_cast<std::uint32_t>(numbers_.size())));
  if (!numbers_.empty()) {
    auto rows = std::make_shared<batch>();
    rows->rows = static_cast<std::uint32_t>(numbers_.size());
    window.rows.gather_all(numbers_.data(), rows->rows, rows->columns);
    ranks.rows = rows->rows;
    if (spec_.with_rank)
      rows->columns.push_back(std::move(ranks));
    counters_.rows_out += rows->rows;
    out.emit(std::move(rows));
  }
  if (!more)
    state_.drop_first();
}

} // namespace

std::unique_ptr<stream_operator> make_window_top_n(const window_top_n_spec& spec,
                                                   operator_context context) {
  return std::make_unique<window_top_n>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const window_top_n_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  if (spec.with_rank)
    result.push_back(sql_type{type_kind::bigint});
  return result;
}

} // namespace ebb
