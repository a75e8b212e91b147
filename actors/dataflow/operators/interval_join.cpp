#include "actors/dataflow/operators/interval_join.hpp"

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/interval_state.hpp"
#include "actors/dataflow/operators/two_inputs.hpp"
#include "actors/dataflow/operators/window_fire.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// So few possible partners are met by scanning the whole batch for each of them.
constexpr std::uint32_t few_partners = 16;
// Rows ahead of the search for which the other side's hash table is fetched.
constexpr std::size_t head_ahead = 24;
constexpr std::size_t newest_ahead = 10;

class interval_join final : public stream_operator, public event_timer {
public:
  interval_join(const interval_join_spec& spec, operator_context context)
      : state_(spec, context), pairs_(context.inputs[0], context.inputs[1], spec.left_keys,
                                      spec.right_keys, spec.residual, context.name) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    EBB_TRY(state_.finish_load());
    state_.saving_ends();
    if (item != nullptr && item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget, out));
    else if (item != nullptr)
      inputs_.take(*item);
    while (state_.next_task < state_.tasks.size()) {
      if (budget.rows == 0 && state_.has_spread())
        budget.rows = row_store::chunk_rows; // they have few partners
      if (budget.rows == 0)
        return true;
      EBB_TRY(search(state_.tasks[state_.next_task], budget, out));
    }
    state_.tasks.clear();
    state_.next_task = 0;
    if (!release(budget, out))
      return true;
    inputs_.pass_on(state_.bounds.output_watermark(state_.released), out);
    return false;
  }

  operator_counters counters() const override {
    auto result = counters_;
    for (const auto& side : state_.sides)
      result.state_bytes += side.rows.byte_size();
    return result;
  }

  micros next_watermark() const noexcept override {
    micros result = max_time;
    for (std::size_t s = 0; s < 2; ++s)
      if (state_.sides[s].keeps_unmatched)
        for (const auto time : state_.sides[s].waiting)
          if (const auto until = state_.bounds.kept_until(s, time); until != max_time)
            result = std::min(result, until + 1);
    return result;
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
    inputs_.restore(state_.acted.least());
    return {};
  }

private:
  result<void> take_rows(const stream_item& item, step_budget& budget, output& out);
  bool choose_rows(const stream_item& item, output& out);
  result<void> search(search_task& task, step_budget& budget, output& out);
  result<void> emit_found(output& out);
  bool release(step_budget& budget, output& out);
  std::uint32_t release_chunk(std::size_t s, std::uint32_t chunk, output& out);

  interval_state state_;
  join_pairs pairs_;
  two_inputs inputs_;
  operator_counters counters_;
  micros swept_ = min_time; ///< watermark of the last complete look for expired unmatched rows
  std::size_t sweep_side_ = 0;
  std::uint32_t sweep_chunk_ = 0;
  row_pairs found_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint64_t> hashes_;
};

// True = keep all rows, else `picks_`. Late ones are counted, ones that cannot match are padded.
bool interval_join::choose_rows(const stream_item& item, output& out) {
  const auto& input = *item.rows;
  const std::size_t s = item.input;
  const auto& side = state_.sides[s];
  const auto& time = input.columns[side.time_column];
  const auto* times = time.data<micros>();
  const bool nullable =
      time.has_nulls() || std::any_of(side.keys.begin(), side.keys.end(), [&](std::uint32_t k) {
        return input.columns[k].has_nulls();
      });
  if (!nullable && !input.watermarks
      && *std::min_element(times, times + input.rows) >= inputs_.merged())
    return true;
  const auto bound = inputs_.bound(item);
  picks_.clear();
  std::vector<std::uint32_t> lone;
  for (std::uint32_t i = 0; i < input.rows; ++i) {
    if (!time.is_null(i) && times[i] < inputs_.effective(input, i, bound))
      ++counters_.late_rows;
    else if (time.is_null(i) || std::any_of(side.keys.begin(), side.keys.end(), [&](auto k) {
               return input.columns[k].is_null(i);
             }))
      lone.push_back(i);
    else
      picks_.push_back(i);
  }
  if (!lone.empty() && side.keeps_unmatched) {
    counters_.rows_out += lone.size();
    out.emit(pairs_.pad(input, lone, s == 0));
  }
  return false;
}

result<void> interval_join::take_rows(const stream_item& item, step_budget& budget, output& out) {
  const auto& input = *item.rows;
  const auto s = static_cast<std::uint8_t>(item.input);
  inputs_.rows(item);
  counters_.rows_in += input.rows;
  budget.rows -= std::min(budget.rows, input.rows / 4);
  if (input.rows == 0)
    return {};
  const bool all = choose_rows(item, out);
  const auto count = all ? input.rows : static_cast<std::uint32_t>(picks_.size());
  const auto* picks = count == input.rows ? nullptr : picks_.data();
  if (count == 0)
    return {};
  auto& side = state_.sides[s];
  hashes_.resize(input.rows);
  hash_keys(key_columns(input, side.keys), input.rows, hashes_.data());
  rows_.resize(count);
  EBB_TRY(side.rows.append(input, picks, count, hashes_.data(), rows_.data()));
  // What the batch as a whole may meet.
  const auto* times = input.columns[side.time_column].data<micros>();
  micros oldest = max_time;
  micros newest = min_time;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto time = times[picks == nullptr ? i : picks[i]];
    oldest = std::min(oldest, time);
    newest = std::max(newest, time);
  }
  state_.note_rows(s, rows_, oldest, newest);
  auto& other = state_.sides[1 - s].rows;
  const auto from = state_.bounds.partners(s, oldest).first;
  const auto to = state_.bounds.partners(s, newest).second;
  search_task task;
  task.side = s;
  task.below = other.rows().next_sequence();
  task.few = other.few_rows(from, to, few_partners, task.partners);
  if (task.few && task.partners.empty())
    return {};
  if (!task.few) {
    task.partners.clear();
    other.expect(from, to, count);
  }
  task.rows = rows_;
  state_.tasks.push_back(std::move(task));
  return {};
}

// Finds pairs for one task within the budget.
result<void> interval_join::search(search_task& task, step_budget& budget, output& out) {
  const std::size_t s = task.side;
  const auto& own = state_.sides[s].rows;
  const auto& other = state_.sides[1 - s].rows;
  auto& own_rows = s == 0 ? found_.left : found_.right;
  auto& other_rows = s == 0 ? found_.right : found_.left;
  const auto room = std::min(budget.rows, row_store::chunk_rows);
  found_.clear();
  std::size_t work = 0;
  if (task.few) {
    while (task.at < task.partners.size() && own_rows.size() < room && work < room) {
      const auto partner = task.partners[task.at++];
      const auto [from, to] = state_.bounds.partners(1 - s, other.time_of(partner));
      own.scan_rows(task.rows, other.tag_of(partner), from, to, own_rows);
      other_rows.resize(own_rows.size(), partner);
      work += task.rows.size() / 4;
    }
    if (task.at == task.partners.size())
      ++state_.next_task;
  } else {
    while (task.at < task.rows.size() && own_rows.size() < room && work < room) {
      ++work;
      const auto row = task.rows[task.at];
      if (task.at + head_ahead < task.rows.size()) {
        other.prefetch_head(own.tag_of(task.rows[task.at + head_ahead]));
        other.prefetch_newest(own.tag_of(task.rows[task.at + newest_ahead]));
      }
      const auto [from, to] = state_.bounds.partners(s, own.time_of(row));
      const auto before = other_rows.size();
      const bool all = other.find(own.tag_of(row), from, to, task.place, room, other_rows);
      // Rows of the other side that came after this one look for it themselves.
      if (task.below < other.rows().next_sequence())
        other_rows.erase(std::remove_if(other_rows.begin() + static_cast<std::ptrdiff_t>(before),
                                        other_rows.end(),
                                        [&](std::uint32_t x) {
                                          return other.rows().sequence_of(x) >= task.below;
                                        }),
                         other_rows.end());
      own_rows.resize(other_rows.size(), row);
      if (!all)
        continue;
      ++task.at;
      task.place = {};
    }
    if (task.at == task.rows.size())
      ++state_.next_task;
  }
  budget.rows -= static_cast<std::uint32_t>(
      std::min<std::size_t>(budget.rows, std::max<std::size_t>({found_.size(), work, 1})));
  return emit_found(out);
}

result<void> interval_join::emit_found(output& out) {
  const auto& left = state_.sides[0].rows.rows();
  const auto& right = state_.sides[1].rows.rows();
  pairs_.keep_equal(left, right, found_);
  EBB_TRY(pairs_.keep_matching(left, right, found_));
  state_.settle(0, found_.left);
  state_.settle(1, found_.right);
  counters_.rows_out += found_.size();
  for (std::size_t done = 0; done < found_.size();) {
    const auto count = std::min<std::size_t>(found_.size() - done, row_store::chunk_rows);
    out.emit(pairs_.make(left, right, std::span(found_.left).subspan(done, count),
                         std::span(found_.right).subspan(done, count)));
    done += count;
  }
  return {};
}

// Pads unmatched rows that no match can come for, and drops rows that have expired. Returns true
// when that is done for the merged watermark.
bool interval_join::release(step_budget& budget, output& out) {
  const auto watermark = inputs_.merged();
  if (watermark == state_.released)
    return true;
  for (; sweep_side_ < 2; ++sweep_side_, sweep_chunk_ = 0) {
    const auto& side = state_.sides[sweep_side_];
    if (!side.keeps_unmatched)
      continue;
    for (; sweep_chunk_ < side.rows.rows().chunk_count(); ++sweep_chunk_) {
      if (!state_.bounds.expired(sweep_side_, side.waiting[sweep_chunk_], watermark))
        continue;
      if (budget.rows == 0)
        return false;
      const auto rows = release_chunk(sweep_side_, sweep_chunk_, out);
      budget.rows -= std::min(budget.rows, rows);
    }
  }
  sweep_side_ = 0;
  sweep_chunk_ = 0;
  state_.drop_expired(watermark);
  return true;
}

// Pads the chunk's unmatched rows that have expired; returns how many rows it looked at.
std::uint32_t interval_join::release_chunk(std::size_t s, std::uint32_t chunk, output& out) {
  auto& side = state_.sides[s];
  const auto& rows = side.rows.rows();
  const auto* times = side.rows.times(chunk);
  const auto& settled = side.settled.chunk(chunk);
  micros waiting = max_time;
  std::vector<std::uint32_t> expired;
  for (std::uint32_t place = 0; place < rows.rows_in(chunk); ++place) {
    if (settled[place] != 0)
      continue;
    if (state_.bounds.expired(s, times[place], inputs_.merged()))
      expired.push_back(rows.row_at(chunk, place));
    else
      waiting = std::min(waiting, times[place]);
  }
  side.waiting[chunk] = waiting;
  if (!expired.empty()) {
    state_.settle(s, expired);
    counters_.rows_out += expired.size();
    out.emit(s == 0 ? pairs_.make_left_only(rows, expired) : pairs_.make_right_only(rows, expired));
  }
  return rows.rows_in(chunk);
}

} // namespace

std::unique_ptr<stream_operator> make_interval_join(const interval_join_spec& spec,
                                                    operator_context context) {
  return std::make_unique<interval_join>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const interval_join_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  result.insert(result.end(), inputs[1].begin(), inputs[1].end());
  return result;
}

} // namespace ebb
