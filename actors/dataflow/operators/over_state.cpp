#include "actors/dataflow/operators/over_state.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::vector<sql_type> types_of(const std::vector<sql_type>& types,
                               const std::vector<std::uint32_t>& columns) {
  std::vector<sql_type> result;
  result.reserve(columns.size());
  for (const auto k : columns)
    result.push_back(types[k]);
  return result;
}

} // namespace

over_state::over_state(const over_spec& spec, operator_context context)
    : order(spec.order_by, context.inputs[0]),
      calls(spec.calls,
            spec.order_by.empty() ? sort_key{spec.time_column, false, false}
                                  : spec.order_by.front(),
            context.inputs[0]),
      rows(context.inputs[0]),
      index(types_of(context.inputs[0], spec.partition), context.key_groups),
      acted(context.key_groups), partition_by_(spec.partition), time_column_(spec.time_column),
      key_groups_(context.key_groups), own_(context) {}

std::size_t over_state::byte_size() const {
  return rows.byte_size() + index.byte_size() + calls.byte_size()
         + partitions.size() * sizeof(over_partition) + waiting.size() * sizeof(waiting_row);
}

std::string over_state::key_of(std::uint32_t row) const {
  std::string key;
  put_row_key(rows, partition_by_, row, key);
  put_sequence(rows.sequence_of(row), key);
  return key;
}

std::uint16_t over_state::group_of(std::uint32_t row) const {
  std::uint64_t hash = 0;
  hash_stored(rows, partition_by_, {&row, 1}, &hash);
  return key_group_of(hash, key_groups_);
}

void over_state::move_on(const over_block& block) {
  for (const auto& run : block.runs) {
    auto& x = partitions[run.slot];
    x.rows += run.count;
    for (auto place = run.first; place < run.first + run.count; ++place)
      x.peer_groups += block.group_first[place] == place ? 1 : 0;
    if (x.changed_at != current_ && current_ > 1)
      changed_.push_back(run.slot);
    x.changed_at = current_;
    if (calls.keeps_first() && x.first == row_store::no_row)
      x.first = block.rows[run.first];
    const auto* added = block.rows.data() + run.first;
    x.history.insert(x.history.end(), added, added + run.count);
    const auto last = x.history.back();
    auto kept = std::min(x.history.size(), calls.rows_kept());
    if (!rows.is_null(time_column_, last)) {
      const auto from = calls.kept_from(rows.value<micros>(time_column_, last));
      while (from != max_time && kept < x.history.size()
             && rows.value<micros>(time_column_, x.history[x.history.size() - 1 - kept]) >= from)
        ++kept;
    }
    const auto gone = x.history.size() - kept;
    for (std::size_t i = 0; i < gone; ++i)
      if (x.history[i] != x.first)
        forget(x.history[i]);
    x.history.erase(x.history.begin(), x.history.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  // A save goes by the rows' numbers.
  if (!save_ && dead_ > row_store::chunk_rows + (rows.rows() - dead_))
    compact();
}

void over_state::forget(std::uint32_t row) {
  ++dead_;
  gone_.set(rows, row, current_);
  if (current_ > 1 && rows.sequence_of(row) < marks_.first_after(current_ - 1))
    erased_.add(current_, group_of(row), key_of(row));
}

// Rebuilds the store with the rows that are needed.
void over_state::compact() {
  std::vector<std::uint32_t*> users;
  waiting.for_each([&](waiting_row& x) { users.push_back(&x.row); });
  for (auto& x : ready)
    users.push_back(&x.row);
  for (auto& x : partitions) {
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
  rows.keep_only(numbers);
  gone_.clear();
  std::size_t at = 0;
  for (auto* user : users) {
    while (old[at] != *user)
      ++at;
    *user = numbers[at];
  }
  dead_ = 0;
}

change_mark over_state::mark() {
  if (auto built = finish_load(); !built)
    load_failure_ = std::move(built).error();
  save_.reset(); // given up
  erased_.forget(asked_);
  frozen_ = std::move(changed_);
  changed_.clear();
  marks_.mark(rows.next_sequence());
  index.mark();
  return current_++;
}

result<void> over_state::load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                              std::string_view value) {
  if (state == watermark_state)
    return acted.load(key_group, value);
  if (state > 1)
    return make_error(ec::corrupt, "a state entry of OVER has an unknown kind");
  if (state == 0) {
    EBB_ASSIGN(const auto sequence, take_last_sequence(key));
    EBB_ASSIGN(const auto row, rows.append_encoded(value, sequence));
    marks_.loaded(current_ - 1, rows.next_sequence());
    EBB_ASSIGN(const auto slot, index.resolve_encoded(key));
    loaded_.emplace_back(slot, row);
    return {};
  }
  EBB_ASSIGN(const auto slot, index.resolve_encoded(key));
  partitions.resize(index.slot_count());
  loaded_history_.resize(index.slot_count(), 0);
  auto& x = partitions[slot];
  if (value.empty())
    return make_error(ec::corrupt, "a partition's state entry is empty");
  const std::size_t apart = value.front() != '\0' ? 1 : 0;
  value.remove_prefix(1);
  EBB_ASSIGN(const auto processed, take_sequence(value));
  EBB_ASSIGN(const auto groups, take_sequence(value));
  EBB_ASSIGN(const auto history, take_sequence(value));
  x.rows = static_cast<std::int64_t>(processed);
  x.peer_groups = static_cast<std::int64_t>(groups);
  x.changed_at = 1; // before the first mark
  loaded_history_[slot] = static_cast<std::size_t>(history) * 2 + apart;
  return calls.load(slot, value);
}

// Sorts what was loaded into rows that had been processed and rows that wait.
result<void> over_state::finish_load() {
  if (load_failure_)
    return *load_failure_;
  if (loaded_.empty())
    return {};
  partitions.resize(index.slot_count());
  loaded_history_.resize(index.slot_count(), 0);
  std::vector<ready_row> sorted;
  sorted.reserve(loaded_.size());
  for (const auto& [slot, row] : loaded_)
    sorted.push_back({order.prefix(rows, row), row, slot});
  std::sort(sorted.begin(), sorted.end(), [this](const ready_row& a, const ready_row& b) {
    return a.slot != b.slot ? a.slot < b.slot : before(a, b);
  });
  for (std::size_t i = 0; i < sorted.size();) {
    auto stop = i;
    while (stop < sorted.size() && sorted[stop].slot == sorted[i].slot)
      ++stop;
    EBB_TRY(finish_partition(std::span(sorted).subspan(i, stop - i)));
    i = stop;
  }
  loaded_.clear();
  loaded_history_.clear();
  return {};
}

// The rows of one partition in order: the first of all, the processed ones, those that wait.
result<void> over_state::finish_partition(std::span<const ready_row> sorted) {
  const auto slot = sorted.front().slot;
  auto& x = partitions[slot];
  const std::size_t apart = loaded_history_[slot] % 2;
  const auto processed = apart + loaded_history_[slot] / 2;
  if (processed > sorted.size())
    return make_error(ec::corrupt, "rows of an OVER partition are missing");
  if (calls.keeps_first() && processed != 0)
    x.first = sorted.front().row;
  for (const auto& y : sorted.subspan(apart, processed - apart))
    x.history.push_back(y.row);
  for (const auto& y : sorted.subspan(processed)) {
    const bool timeless = rows.is_null(time_column_, y.row);
    waiting.add({timeless ? max_time : rows.value<micros>(time_column_, y.row), y.row, slot});
  }
  return {};
}

} // namespace ebb
