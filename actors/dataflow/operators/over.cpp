#include "actors/dataflow/operators/over.hpp"

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/over_calls.hpp"
#include "actors/dataflow/operators/row_compare.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/time_queue.hpp"
#include "actors/dataflow/watermark_merge.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace ebb {

namespace {

// More ready rows are ordered by a heap, a row at a time, so that no step sorts for long.
constexpr std::size_t most_sorted = 32'768;

std::vector<sql_type> types_of(const std::vector<sql_type>& types,
                               const std::vector<std::uint32_t>& columns) {
  std::vector<sql_type> result;
  result.reserve(columns.size());
  for (const auto k : columns)
    result.push_back(types[k]);
  return result;
}

class over final : public stream_operator {
public:
  over(const over_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)), order_(spec.order_by, context_.inputs[0]),
        calls_(spec, context_.inputs[0]), rows_(context_.inputs[0]),
        index_(types_of(context_.inputs[0], spec.partition), context_.key_groups) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override;

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = rows_.byte_size() + index_.byte_size() + calls_.byte_size()
                         + partitions_.size() * sizeof(over_partition)
                         + waiting_.size() * sizeof(waiting_row);
    return result;
  }

  change_mark mark() override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override;

private:
  struct ready_row {
    std::uint64_t prefix = 0;
    std::uint32_t row = 0;
    std::uint32_t slot = 0;
  };

  // A row that was saved and is gone.
  struct erased_row {
    change_mark at;
    std::uint16_t group;
    std::string key;
  };

  // ORDER BY, then partition by partition, then the order of arrival.
  bool before(const ready_row& a, const ready_row& b) const {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix;
    if (const int order = order_.compare(rows_, a.row, rows_, b.row); order != 0)
      return order < 0;
    return a.slot != b.slot ? a.slot < b.slot : a.row < b.row;
  }

  bool peers(const ready_row& a, const ready_row& b) const {
    return a.slot == b.slot && a.prefix == b.prefix
           && order_.compare(rows_, a.row, rows_, b.row) == 0;
  }

  result<void> take_rows(const stream_item& item, step_budget& budget);
  void collect_ready();
  const ready_row& next_ready() const noexcept;
  void pop_ready();
  result<void> process(step_budget& budget, output& out);
  void lay_out(const std::vector<ready_row>& ready, std::vector<std::uint32_t>& places);
  void move_on();
  void forget(std::uint32_t row);
  void compact();

  std::string key_of(std::uint32_t row) const {
    std::string key;
    put_row_key(rows_, spec_.partition, row, key);
    put_sequence(rows_.sequence_of(row), key);
    return key;
  }

  bool first_is_apart(const over_partition& x) const noexcept {
    return x.first != row_store::no_row && (x.history.empty() || x.history.front() != x.first);
  }

  std::uint16_t group_of(std::uint32_t row) const {
    std::uint64_t hash = 0;
    hash_stored(rows_, spec_.partition, {&row, 1}, &hash);
    return key_group_of(hash, context_.key_groups);
  }

  void sort_rows(change_mark since) const;
  result<void> finish_load();

  over_spec spec_;
  operator_context context_;
  row_order order_;
  over_calls calls_;
  row_store rows_;
  key_index index_;
  std::vector<over_partition> partitions_; ///< by slot
  time_queue waiting_;
  std::vector<ready_row>
      ready_; ///< behind the watermark, not processed: the next one last, or a heap
  bool heap_ = false;
  watermark_merge input_{1};
  micros released_ = min_time; ///< watermark up to which rows have become ready
  micros sent_ = min_time;
  bool idle_due_ = false;
  std::uint64_t dead_ = 0; ///< rows of the store that nothing needs
  over_block block_;
  operator_counters counters_;

  change_mark current_ = 1;
  sequence_marks marks_;
  std::vector<erased_row> erased_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> loaded_; ///< slot, row
  std::vector<std::size_t> loaded_history_;                     ///< by slot
  std::optional<error> load_failure_;

  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint32_t> numbers_;

  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<std::uint32_t> saved_;
  mutable group_buckets buckets_;
  mutable change_mark largest_since_ = 0;
};

result<bool> over::step(stream_item* item, step_budget& budget, output& out) {
  saved_fresh_ = false;
  EBB_TRY(finish_load());
  if (item != nullptr) {
    if (item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget));
    else if (item->kind == item_kind::watermark)
      input_.advance(0, item->time);
    else if (item->kind == item_kind::end)
      input_.advance(0, max_time);
    idle_due_ = item->kind == item_kind::idle;
  }
  if (ready_.empty() && input_.merged() > released_)
    collect_ready();
  while (!ready_.empty()) {
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
    auto watermark = input_.merged();
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
  index_.resolve(keys, hashes_.data(), picks_.data(), count, slots_.data());
  partitions_.resize(index_.slot_count());
  EBB_TRY(
      rows_.append(input, count == input.rows ? nullptr : picks_.data(), count, numbers_.data()));
  for (std::uint32_t i = 0; i < count; ++i)
    waiting_.add({time.is_null(picks_[i]) ? max_time : times[picks_[i]], numbers_[i], slots_[i]});
  return {};
}

void over::collect_ready() {
  std::vector<waiting_row> taken;
  released_ = input_.merged();
  waiting_.take_before(released_, taken);
  ready_.reserve(taken.size());
  for (const auto& x : taken)
    ready_.push_back({order_.prefix(rows_, x.row), x.row, x.slot});
  heap_ = ready_.size() > most_sorted;
  const auto later = [this](const ready_row& a, const ready_row& b) { return before(b, a); };
  if (heap_)
    std::make_heap(ready_.begin(), ready_.end(), later);
  else
    std::sort(ready_.begin(), ready_.end(), later);
}

const over::ready_row& over::next_ready() const noexcept {
  return heap_ ? ready_.front() : ready_.back();
}

void over::pop_ready() {
  if (heap_)
    std::pop_heap(ready_.begin(), ready_.end(),
                  [this](const ready_row& a, const ready_row& b) { return before(b, a); });
  ready_.pop_back();
}

// Takes rows up to the budget, and on to the last one's last peer, and emits them with results.
result<void> over::process(step_budget& budget, output& out) {
  const auto room = std::min(budget.rows, row_store::chunk_rows);
  std::vector<ready_row> ready;
  while (!ready_.empty() && (ready.size() < room || peers(ready.back(), next_ready()))) {
    ready.push_back(next_ready());
    pop_ready();
  }
  std::vector<std::uint32_t> places;
  lay_out(ready, places);
  auto results = calls_.compute(block_, rows_, partitions_);
  if (!results) {
    batch failed;
    failed.rows = block_.size();
    return name_row(std::move(results).error(), failed, context_.name);
  }
  auto emitted = std::make_shared<batch>();
  emitted->rows = block_.size();
  numbers_.clear();
  for (const auto& x : ready)
    numbers_.push_back(x.row);
  rows_.gather_all(numbers_.data(), emitted->rows, emitted->columns);
  for (auto& x : *results)
    emitted->columns.push_back(places.empty() ? std::move(x)
                                              : gather(x, places.data(), emitted->rows));
  counters_.rows_out += emitted->rows;
  budget.rows -= std::min(budget.rows, emitted->rows);
  out.emit(std::move(emitted));
  move_on();
  return {};
}

// Lays ready rows out partition by partition. places[i] = place of ready row i; empty = i itself.
void over::lay_out(const std::vector<ready_row>& ready, std::vector<std::uint32_t>& places) {
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
    const bool peer = place != 0 && peers(ready[by_slot[place - 1]], x);
    block_.group_first[place] = peer ? block_.group_first[place - 1] : place;
  }
  for (auto place = count; place-- > 0;) {
    const bool last = place + 1 == count || block_.group_first[place + 1] == place + 1;
    block_.group_last[place] = last ? place : block_.group_last[place + 1];
  }
}

// Counts the block's rows into their partitions and lets go of what no later row can reach.
void over::move_on() {
  for (const auto& run : block_.runs) {
    auto& x = partitions_[run.slot];
    x.rows += run.count;
    for (auto place = run.first; place < run.first + run.count; ++place)
      x.peer_groups += block_.group_first[place] == place ? 1 : 0;
    x.changed_at = current_;
    if (calls_.keeps_first() && x.first == row_store::no_row)
      x.first = block_.rows[run.first];
    const auto* rows = block_.rows.data() + run.first;
    x.history.insert(x.history.end(), rows, rows + run.count);
    const auto last = x.history.back();
    auto kept = std::min(x.history.size(), calls_.rows_kept());
    if (!rows_.is_null(spec_.time_column, last)) {
      const auto from = calls_.kept_from(rows_.value<micros>(spec_.time_column, last));
      while (from != max_time && kept < x.history.size()
             && rows_.value<micros>(spec_.time_column, x.history[x.history.size() - 1 - kept])
                    >= from)
        ++kept;
    }
    const auto gone = x.history.size() - kept;
    for (std::size_t i = 0; i < gone; ++i)
      if (x.history[i] != x.first)
        forget(x.history[i]);
    x.history.erase(x.history.begin(), x.history.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  if (dead_ > row_store::chunk_rows + (rows_.rows() - dead_))
    compact();
}

void over::forget(std::uint32_t row) {
  ++dead_;
  if (current_ > 1 && rows_.sequence_of(row) < marks_.first_after(current_ - 1))
    erased_.push_back({current_, group_of(row), key_of(row)});
}

// Rebuilds the store with the rows that are needed.
void over::compact() {
  std::vector<std::uint32_t*> users;
  waiting_.for_each([&](waiting_row& x) { users.push_back(&x.row); });
  for (auto& x : ready_)
    users.push_back(&x.row);
  for (auto& x : partitions_) {
    for (auto& row : x.history)
      users.push_back(&row);
    if (x.first != row_store::no_row)
      users.push_back(&x.first);
  }
  std::sort(users.begin(), users.end(), [](const auto* a, const auto* b) { return *a < *b; });
  std::vector<std::uint32_t> numbers;
  for (const auto* user : users)
    if (numbers.empty() || numbers.back() != *user)
      numbers.push_back(*user);
  const auto old = numbers;
  rows_.keep_only(numbers);
  std::size_t at = 0;
  for (auto* user : users) {
    while (old[at] != *user)
      ++at;
    *user = numbers[at];
  }
  dead_ = 0;
}

change_mark over::mark() {
  if (auto built = finish_load(); !built)
    load_failure_ = std::move(built).error();
  std::erase_if(erased_, [&](const erased_row& x) { return x.at <= largest_since_; });
  marks_.mark(rows_.next_sequence());
  index_.mark();
  return current_++;
}

// Lists the live rows that came after a mark, by key group.
void over::sort_rows(change_mark since) const {
  if (saved_fresh_ && saved_since_ == since)
    return;
  saved_fresh_ = true;
  saved_since_ = since;
  saved_.clear();
  const auto first = marks_.first_after(since);
  const auto add = [&](std::uint32_t row) {
    if (rows_.sequence_of(row) >= first)
      saved_.push_back(row);
  };
  waiting_.for_each([&](const waiting_row& x) { add(x.row); });
  for (const auto& x : ready_)
    add(x.row);
  for (const auto& x : partitions_) {
    for (const auto row : x.history)
      add(row);
    if (first_is_apart(x))
      add(x.first);
  }
  std::vector<std::uint64_t> hashes(saved_.size());
  hash_stored(rows_, spec_.partition, saved_, hashes.data());
  buckets_.build(context_.key_groups, static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return key_group_of(hashes[i], context_.key_groups); });
}

void over::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  largest_since_ = std::max(largest_since_, since);
  sort_rows(since);
  if (since != 0)
    for (const auto& x : erased_)
      if (x.at > since && x.group == key_group)
        sink.erase(0, x.key);
  entry_list rows;
  for (const auto i : buckets_.of(key_group)) {
    std::string value;
    rows_.encode(saved_[i], value);
    rows.add(key_of(saved_[i]), std::move(value));
  }
  rows.put_sorted(0, sink);
  // Counters and accumulators of the partitions that moved on.
  entry_list counts;
  std::vector<std::uint32_t> slots;
  index_.slots_of_group(key_group, slots);
  for (const auto slot : slots) {
    const auto& x = partitions_[slot];
    if (x.rows == 0 || x.changed_at < since + 1)
      continue;
    std::string key;
    index_.encode(slot, key);
    std::string value(1, first_is_apart(x) ? '\1' : '\0');
    put_sequence(static_cast<std::uint64_t>(x.rows), value);
    put_sequence(static_cast<std::uint64_t>(x.peer_groups), value);
    put_sequence(x.history.size(), value);
    calls_.save(slot, value);
    counts.add(std::move(key), std::move(value));
  }
  counts.put_sorted(1, sink);
}

result<void> over::load(std::uint16_t, std::uint16_t state, std::string_view key,
                        std::string_view value) {
  if (state > 1)
    return make_error(ec::corrupt, "a state entry of OVER has an unknown kind");
  if (state == 0) {
    EBB_ASSIGN(const auto sequence, take_last_sequence(key));
    EBB_ASSIGN(const auto row, rows_.append_encoded(value, sequence));
    EBB_ASSIGN(const auto slot, index_.resolve_encoded(key));
    loaded_.emplace_back(slot, row);
    return {};
  }
  EBB_ASSIGN(const auto slot, index_.resolve_encoded(key));
  partitions_.resize(index_.slot_count());
  loaded_history_.resize(index_.slot_count(), 0);
  auto& x = partitions_[slot];
  if (value.empty())
    return make_error(ec::corrupt, "a partition's state entry is empty");
  const std::size_t apart = value.front() != '\0' ? 1 : 0;
  value.remove_prefix(1);
  EBB_ASSIGN(const auto rows, take_sequence(value));
  EBB_ASSIGN(const auto groups, take_sequence(value));
  EBB_ASSIGN(const auto history, take_sequence(value));
  x.rows = static_cast<std::int64_t>(rows);
  x.peer_groups = static_cast<std::int64_t>(groups);
  x.changed_at = current_;
  loaded_history_[slot] = static_cast<std::size_t>(history) * 2 + apart;
  return calls_.load(slot, value);
}

// Sorts what was loaded into rows that had been processed and rows that wait.
result<void> over::finish_load() {
  if (load_failure_)
    return *load_failure_;
  if (loaded_.empty())
    return {};
  partitions_.resize(index_.slot_count());
  loaded_history_.resize(index_.slot_count(), 0);
  std::vector<ready_row> rows;
  rows.reserve(loaded_.size());
  for (const auto& [slot, row] : loaded_)
    rows.push_back({order_.prefix(rows_, row), row, slot});
  std::sort(rows.begin(), rows.end(), [this](const ready_row& a, const ready_row& b) {
    return a.slot != b.slot ? a.slot < b.slot : before(a, b);
  });
  for (std::size_t i = 0; i < rows.size();) {
    const auto slot = rows[i].slot;
    auto& x = partitions_[slot];
    auto stop = i;
    while (stop < rows.size() && rows[stop].slot == slot)
      ++stop;
    const std::size_t apart = loaded_history_[slot] % 2;
    const auto history = loaded_history_[slot] / 2;
    if (apart + history > stop - i)
      return make_error(ec::corrupt, "rows of an OVER partition are missing");
    if (calls_.keeps_first() && x.rows != 0 && apart + history != 0)
      x.first = rows[i].row;
    i += apart;
    for (std::size_t k = 0; k < history; ++k)
      x.history.push_back(rows[i++].row);
    for (; i < stop; ++i) {
      const bool timeless = rows_.is_null(spec_.time_column, rows[i].row);
      waiting_.add({timeless ? max_time : rows_.value<micros>(spec_.time_column, rows[i].row),
                    rows[i].row, slot});
    }
  }
  loaded_.clear();
  loaded_history_.clear();
  return {};
}

} // namespace

std::unique_ptr<stream_operator> make_over(const over_spec& spec, operator_context context) {
  return std::make_unique<over>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const over_spec& spec,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  for (const auto& call : spec.calls) {
    switch (call.what) {
    case over_call::kind::row_number:
    case over_call::kind::rank:
    case over_call::kind::dense_rank:
      result.push_back(sql_type{type_kind::bigint});
      break;
    case over_call::kind::aggregate:
      result.push_back(call.call.type);
      break;
    case over_call::kind::lag:
    case over_call::kind::first_value:
    case over_call::kind::last_value:
      result.push_back(call.call.type.kind == type_kind::unknown ? inputs[0][call.call.args.front()]
                                                                 : call.call.type);
      break;
    }
  }
  return result;
}

} // namespace ebb
