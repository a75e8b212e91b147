#include "actors/dataflow/operators/over.hpp"

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/over_state.hpp"
#include "actors/dataflow/watermark_merge.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// More ready rows are ordered by a heap, a row at a time, so that no step sorts for long.
constexpr std::size_t most_sorted = 32'768;

class over final : public stream_operator, public event_timer {
public:
  over(const over_spec& spec, operator_context context)
      : spec_(spec), name_(context.name), state_(spec, std::move(context)) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override;

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = state_.byte_size();
    return result;
  }

  micros next_watermark() const noexcept override {
    const auto earliest = state_.waiting.earliest();
    return earliest == max_time ? max_time : earliest + 1;
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
    return std::max(input_.merged(), state_.acted.least());
  }

  result<void> take_rows(const stream_item& item, step_budget& budget);
  void collect_ready();
  const over_state::ready_row& next_ready() const noexcept;
  void pop_ready();
  result<void> process(step_budget& budget, output& out);
  void lay_out(const std::vector<over_state::ready_row>& ready, std::vector<std::uint32_t>& places);

  over_spec spec_;
  std::string name_;
  over_state state_; ///< its ready rows: the next one last, or a heap
  bool heap_ = false;
  watermark_merge input_{1};
  micros released_ = min_time; ///< watermark up to which rows have become ready
  micros sent_ = min_time;
  bool idle_due_ = false;
  over_block block_;
  operator_counters counters_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint32_t> numbers_;
};

result<bool> over::step(stream_item* item, step_budget& budget, output& out) {
  state_.saving_ends();
  EBB_TRY(state_.finish_load());
  if (item != nullptr) {
    if (item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget));
    else if (item->kind == item_kind::watermark)
      input_.advance(0, item->time);
    else if (item->kind == item_kind::end)
      input_.advance(0, max_time);
    idle_due_ = item->kind == item_kind::idle;
  }
  if (state_.ready.empty() && merged() > released_)
    collect_ready();
  while (!state_.ready.empty()) {
    if (budget.rows == 0)
      return true;
    EBB_TRY(process(budget, out));
  }
  if (released_ > sent_) {
    sent_ = released_;
    out.advance(sent_);
  }
  if (idle_due_)
    out.idle();
  idle_due_ = false;
  return false;
}

result<void> over::take_rows(const stream_item& item, step_budget& budget) {
  const auto& input = *item.rows;
  counters_.rows_in += input.rows;
  budget.rows -= std::min(budget.rows, input.rows / 4);
  if (input.rows == 0)
    return {};
  const auto& time = input.columns[spec_.time_column];
  const auto* times = time.data<micros>();
  picks_.clear();
  for (std::uint32_t i = 0; i < input.rows; ++i) {
    auto watermark = merged();
    if (input.watermarks)
      watermark = std::max(watermark,
                           std::min(input.watermarks.as<const micros>()[i], item.other_channels));
    if (time.is_null(i) || times[i] >= watermark)
      picks_.push_back(i);
    else
      ++counters_.late_rows;
  }
  const auto count = static_cast<std::uint32_t>(picks_.size());
  if (count == 0)
    return {};
  hashes_.resize(input.rows);
  slots_.resize(count);
  numbers_.resize(count);
  const auto keys = key_columns(input, spec_.partition);
  hash_keys(keys, input.rows, hashes_.data());
  state_.index.resolve(keys, hashes_.data(), picks_.data(), count, slots_.data());
  state_.partitions.resize(state_.index.slot_count());
  EBB_TRY(state_.rows.append(input, count == input.rows ? nullptr : picks_.data(), count,
                             numbers_.data()));
  for (std::uint32_t i = 0; i < count; ++i)
    state_.waiting.add(
        {time.is_null(picks_[i]) ? max_time : times[picks_[i]], numbers_[i], slots_[i]});
  return {};
}

void over::collect_ready() {
  std::vector<waiting_row> taken;
  released_ = merged();
  state_.waiting.take_before(released_, taken);
  state_.ready.reserve(taken.size());
  for (const auto& x : taken)
    state_.ready.push_back({state_.order.prefix(state_.rows, x.row), x.row, x.slot});
  heap_ = state_.ready.size() > most_sorted;
  const auto later = [this](const over_state::ready_row& a, const over_state::ready_row& b) {
    return state_.before(b, a);
  };
  if (heap_)
    std::make_heap(state_.ready.begin(), state_.ready.end(), later);
  else
    std::sort(state_.ready.begin(), state_.ready.end(), later);
}

const over_state::ready_row& over::next_ready() const noexcept {
  return heap_ ? state_.ready.front() : state_.ready.back();
}

void over::pop_ready() {
  if (heap_)
    std::pop_heap(state_.ready.begin(), state_.ready.end(),
                  [this](const over_state::ready_row& a, const over_state::ready_row& b) {
                    return state_.before(b, a);
                  });
  state_.ready.pop_back();
}

// Takes rows up to the budget, and on to the last one's last peer, and emits them with results.
result<void> over::process(step_budget& budget, output& out) {
  const auto room = std::min(budget.rows, row_store::chunk_rows);
  std::vector<over_state::ready_row> ready;
  while (!state_.ready.empty()
         && (ready.size() < room || state_.peers(ready.back(), next_ready()))) {
    ready.push_back(next_ready());
    pop_ready();
  }
  std::vector<std::uint32_t> places;
  lay_out(ready, places);
  state_.preserve(block_);
  auto results = state_.calls.compute(block_, state_.rows, state_.partitions);
  if (!results) {
    batch failed;
    failed.rows = block_.size();
    return name_row(std::move(results).error(), failed, name_);
  }
  auto emitted = std::make_shared<batch>();
  emitted->rows = block_.size();
  numbers_.clear();
  for (const auto& x : ready)
    numbers_.push_back(x.row);
  state_.rows.gather_all(numbers_.data(), emitted->rows, emitted->columns);
  for (auto& x : *results)
    emitted->columns.push_back(places.empty() ? std::move(x)
                                              : gather(x, places.data(), emitted->rows));
  counters_.rows_out += emitted->rows;
  budget.rows -= std::min(budget.rows, emitted->rows);
  out.emit(std::move(emitted));
  state_.move_on(block_);
  return {};
}

// Lays ready rows out partition by partition. places[i] = place of ready row i; empty = i itself.
void over::lay_out(const std::vector<over_state::ready_row>& ready,
                   std::vector<std::uint32_t>& places) {
  const auto count = static_cast<std::uint32_t>(ready.size());
  std::vector<std::uint32_t> by_slot(count);
  std::iota(by_slot.begin(), by_slot.end(), 0U);
  if (!spec_.partition.empty()) {
    std::stable_sort(by_slot.begin(), by_slot.end(), [&](std::uint32_t a, std::uint32_t b) {
      return ready[a].slot < ready[b].slot;
    });
    places.resize(count);
    for (std::uint32_t place = 0; place < count; ++place)
      places[by_slot[place]] = place;
  }
  block_.rows.resize(count);
  block_.group_first.resize(count);
  block_.group_last.resize(count);
  block_.runs.clear();
  for (std::uint32_t place = 0; place < count; ++place) {
    const auto& x = ready[by_slot[place]];
    block_.rows[place] = x.row;
    if (block_.runs.empty() || block_.runs.back().slot != x.slot)
      block_.runs.push_back({x.slot, place, 0});
    ++block_.runs.back().count;
    const bool peer = place != 0 && state_.peers(ready[by_slot[place - 1]], x);
    block_.group_first[place] = peer ? block_.group_first[place - 1] : place;
  }
  for (auto place = count; place-- > 0;) {
    const bool last = place + 1 == count || block_.group_first[place + 1] == place + 1;
    block_.group_last[place] = last ? place : block_.group_last[place + 1];
  }
}

} // namespace

std::unique_ptr<stream_operator> make_over(const over_spec& spec, operator_context context) {
  return std::make_unique<over>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const over_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return types_with_results(inputs[0], spec.calls);
}

} // namespace ebb
