#include "actors/dataflow/operators/session_aggregate.hpp"

#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/row_values.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

constexpr std::uint32_t emitted_rows_max = 4096; // a batch at load
constexpr std::uint32_t prefetch_distance = 16;

} // namespace

session_aggregate::session_aggregate(const window_aggregate_spec& spec, operator_context context)
    : context_(std::move(context)), window_(spec.window), keys_(spec.keys),
      shape_(types_of(context_.inputs[0], spec.keys), spec.calls, context_.key_groups),
      index_(shape_.key_types, shape_.key_groups), sessions_(spec.window.size) {
  EBB_ASSERT(spec.window.kind == window_kind::session && spec.phase == aggregate_phase::complete);
  for (const auto& call : shape_.calls)
    calls_.push_back(make_accumulators(call, {}));
}

result<bool> session_aggregate::step(stream_item* item, step_budget& budget, output& out) {
  if (item != nullptr)
    accept(*item);
  budget.rows = std::max<std::uint32_t>(1, budget.rows);
  bool more = true;
  while (more && budget.rows != 0) {
    if (next_expired_ < expired_.size()) {
      EBB_TRY(emit_expired(budget, out));
    } else if (fired_ < target_) {
      expire();
    } else if (rows_) {
      EBB_TRY(take_rows(budget));
    } else {
      more = false;
    }
  }
  collector_.flush(out);
  if (more)
    return next_expired_ < expired_.size() || fired_ < target_ || rows_ != nullptr
               ? result<bool>(true)
               : step(nullptr, budget, out);
  if (promised_ > passed_) {
    passed_ = promised_;
    out.advance(passed_);
  }
  if (idle_)
    out.idle();
  idle_ = false;
  return false;
}

void session_aggregate::accept(const stream_item& item) {
  switch (item.kind) {
  case item_kind::batch:
    start_batch(item);
    return;
  case item_kind::watermark:
    if (!window_.processing_time || item.time == max_time)
      promised_ = std::max(promised_, item.time);
    break;
  case item_kind::tick:
    now_ = std::max(now_, item.time);
    if (window_.processing_time)
      promised_ = std::max(promised_, now_);
    break;
  case item_kind::idle:
    idle_ = true;
    break;
  case item_kind::end:
    promised_ = max_time;
    break;
  }
  target_ = std::max(target_, promised_);
}

void session_aggregate::start_batch(const stream_item& item) {
  counters_.rows_in += item.rows->rows;
  if (item.rows->rows == 0)
    return;
  rows_ = item.rows;
  next_row_ = 0;
  other_channels_ = item.other_channels;
  std::vector<const column*> keys;
  for (const auto k : keys_)
    keys.push_back(&rows_->columns[k]);
  std::vector<std::uint64_t> hashes(rows_->rows);
  hash_keys(keys, rows_->rows, hashes.data());
  key_slots_.resize(rows_->rows);
  index_.resolve(keys, hashes.data(), nullptr, rows_->rows, key_slots_.data());
  sessions_.resize(index_.slot_count());
  preserve();
  call_rows_ = arguments_of(shape_, *rows_);
}

result<void> session_aggregate::take_rows(step_budget& budget) {
  const auto before = next_row_;
  numbers_.clear();
  picks_.clear();
  if (window_.processing_time) {
    const std::vector<micros> times(rows_->rows, now_);
    place_rows(times.data(), nullptr);
  } else {
    const auto& times = rows_->columns[static_cast<std::size_t>(window_.time_column)];
    if (next_row_ == 0)
      EBB_TRY(check_ends(times));
    place_rows(times.data<micros>(), times.has_nulls() ? &times : nullptr);
  }
  EBB_TRY(add_placed());
  budget.rows -= std::min(budget.rows, next_row_ - before);
  if (next_row_ < rows_->rows)
    return {};
  rows_ = nullptr;
  call_rows_ = call_rows{};
  std::sort(doubtful_.begin(), doubtful_.end());
  doubtful_.erase(std::unique(doubtful_.begin(), doubtful_.end()), doubtful_.end());
  for (const auto key : doubtful_)
    forget_key(key);
  doubtful_.clear();
  return {};
}

result<void> session_aggregate::check_ends(const column& times) const {
  const auto* values = times.data<micros>();
  const micros last = max_time - window_.size - 1;
  for (std::uint32_t i = 0; i < times.rows; ++i)
    if (values[i] > last && values[i] != max_time && !times.is_null(i)) [[unlikely]]
      return name_row(out_of_range(i), *rows_, context_.name);
  return {};
}

void session_aggregate::place_rows(const micros* times, const column* missing) {
  const auto rows = rows_->rows;
  const auto* watermarks = rows_->watermarks ? rows_->watermarks.as<const micros>() : nullptr;
  for (; next_row_ < rows; ++next_row_) {
    const auto i = next_row_;
    if (i + prefetch_distance < rows)
      sessions_.prefetch(key_slots_[i + prefetch_distance]);
    const auto key = key_slots_[i];
    const auto time = times[i];
    const auto watermark =
        watermarks == nullptr ? fired_ : std::max(fired_, std::min(watermarks[i], other_channels_));
    if (time < watermark || is_infinite(time) || missing != nullptr) [[unlikely]] {
      const bool timeless = is_infinite(time) || (missing != nullptr && missing->is_null(i));
      const auto what = timeless           ? verdict::drop
                        : time < watermark ? judge(key, time, watermark)
                                           : verdict::take;
      if (what == verdict::fire_first) {
        target_ = std::max(target_, watermark);
        return;
      }
      if (what == verdict::drop) {
        ++counters_.late_rows;
        doubtful_.push_back(key);
        continue;
      }
    }
    numbers_.push_back(sessions_.take(key, time));
    picks_.push_back(i);
  }
}

session_aggregate::verdict session_aggregate::judge(std::uint32_t key, micros time,
                                                    micros watermark) const {
  const auto touched = sessions_.end_touched(key, time);
  // A session that the row's watermark has closed must not take the row in.
  if (touched < watermark)
    return verdict::fire_first;
  if (touched == max_time && sessions_.end_of(time) < watermark)
    return verdict::drop;
  return verdict::take;
}

result<void> session_aggregate::add_placed() {
  for (auto& call : calls_)
    call->resize(sessions_.number_count());
  if (!picks_.empty()) {
    auto done = update_calls(calls_, numbers_, call_rows_,
                             picks_.size() == rows_->rows ? nullptr : &picks_);
    if (!done)
      return name_row(std::move(done).error(), *rows_, context_.name);
  }
  return apply_merges();
}

result<void> session_aggregate::apply_merges() {
  for (const auto& x : sessions_.merges())
    for (auto& call : calls_) {
      if (auto done = call->merge({&x.into, 1}, *call, {&x.from, 1}); !done)
        return name_row(std::move(done).error(), *rows_, context_.name);
      call->clear(x.from);
    }
  sessions_.forget_merges();
  return {};
}

void session_aggregate::expire() {
  EBB_ASSERT(!save_ || save_->next_ended == save_->ended_end);
  expired_.clear();
  next_expired_ = 0;
  sessions_.expire(target_, expired_);
  for (const auto& x : expired_)
    index_.touch(x.key);
  preserve(expired_);
  fired_ = target_;
}

result<void> session_aggregate::emit_expired(step_budget& budget, output& out) {
  const auto count = static_cast<std::uint32_t>(
      std::min<std::size_t>({expired_.size() - next_expired_, emitted_rows_max, budget.rows}));
  budget.rows -= count;
  if (save_ && save_->next_ended < std::min(save_->ended_end, next_expired_ + count)) {
    const auto end = std::min(save_->ended_end, next_expired_ + count);
    put_ended(save_->next_ended, end, save_->early);
    save_->next_ended = end;
  }
  const std::span<const session_store::session> going(expired_.data() + next_expired_, count);
  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> numbers;
  column starts = make_column(sql_type{type_kind::timestamp}, count);
  column ends = make_column(sql_type{type_kind::timestamp}, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    keys.push_back(going[i].key);
    numbers.push_back(going[i].number);
    starts.mutable_data<micros>()[i] = going[i].first;
    ends.mutable_data<micros>()[i] = sessions_.end_of(going[i].last);
  }
  auto made = std::make_shared<batch>();
  made->rows = count;
  for (std::size_t k = 0; k < shape_.key_types.size(); ++k)
    made->columns.push_back(index_.key_column(k, keys));
  made->columns.push_back(std::move(starts));
  made->columns.push_back(std::move(ends));
  for (const auto& call : calls_) {
    auto x = call->finish(numbers);
    if (!x) {
      auto problem = std::move(x).error();
      const auto failing = std::find_if(numbers.begin(), numbers.end(), [&](const auto& number) {
        return !call->finish({&number, 1});
      });
      if (failing != numbers.end())
        name_key(problem, std::span(made->columns).first(shape_.key_types.size()),
                 static_cast<std::uint32_t>(failing - numbers.begin()),
                 made->columns[shape_.key_types.size()],
                 made->columns[shape_.key_types.size() + 1]);
      return name_row(std::move(problem), batch{}, context_.name);
    }
    made->columns.push_back(*std::move(x));
  }
  counters_.rows_out += count;
  collector_.add(std::move(made), out);
  for (const auto& x : going) {
    for (auto& call : calls_)
      call->clear(x.number);
    sessions_.release(x);
    if (sessions_.count(x.key) != 0)
      continue;
    // Rows of a batch that is half taken may still mean the key.
    if (rows_)
      doubtful_.push_back(x.key);
    else
      forget_key(x.key);
  }
  next_expired_ += count;
  return {};
}

bool session_aggregate::wants_ticks() const noexcept {
  return window_.processing_time;
}

micros session_aggregate::next_tick() const noexcept {
  return window_.processing_time ? sessions_.next_end() : max_time;
}

micros session_aggregate::next_watermark() const noexcept {
  return window_.processing_time ? max_time : sessions_.next_end();
}

operator_counters session_aggregate::counters() const {
  auto x = counters_;
  x.state_bytes = index_.byte_size() + sessions_.byte_size();
  for (const auto& call : calls_)
    x.state_bytes += call->byte_size();
  return x;
}

} // namespace ebb
