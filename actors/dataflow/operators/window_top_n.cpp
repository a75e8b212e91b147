#include "actors/dataflow/operators/window_top_n.hpp"

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/ranked_rows.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/window_rows.hpp"
#include "actors/dataflow/watermark_merge.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace ebb {

namespace {

// Larger partitions are ordered by a heap, a row at a time, so that no step sorts for long.
constexpr std::size_t most_sorted = 16'384;

struct window_name {
  micros end = 0;
  micros start = 0;

  auto operator<=>(const window_name&) const = default;
};

struct partition {
  ranked_rows rows;
  std::uint64_t emitted = 0; ///< rows that were emitted before the state was saved
};

struct ranked_window {
  ranked_window(const operator_context& context, const std::vector<sql_type>& keys,
                change_mark marks_before)
      : rows(context.inputs[0]), index(keys, 1), base(marks_before) {}

  [[nodiscard]] std::uint64_t first_after(change_mark since) const noexcept {
    return since <= base ? 0 : marks.first_after(since - base);
  }

  row_store rows;
  key_index index;
  std::vector<partition> partitions; ///< by slot
  std::uint64_t candidates = 0;      ///< rows of all partitions
  sequence_marks marks;
  change_mark base; ///< marks made before the window was
};

// Emits the partitions of one window, row by row in order.
class rank_cursor {
public:
  rank_cursor(const ranked_window& window, const ranking& by)
      : window_(window), by_(by), ranks_(by) {}

  /// Takes the next row and its rank; false = no more.
  bool next(std::uint32_t& row, std::int64_t& rank) {
    for (;;) {
      if (!open_ && !open())
        return false;
      if (at_ == order_.size()) {
        close();
        continue;
      }
      row = pop();
      rank = ranks_.next(window_.rows, row);
      if (rank > by_.limit) {
        close();
        continue;
      }
      ++emitted_;
      if (emitted_ > window_.partitions[partition_].emitted)
        return true;
    }
  }

  [[nodiscard]] bool done(std::uint32_t slot) const noexcept {
    return slot < partition_;
  }

  /// Rows of the partition that have been emitted.
  [[nodiscard]] std::uint64_t emitted(std::uint32_t slot) const noexcept {
    return slot == partition_ && open_ ? std::max(emitted_, window_.partitions[slot].emitted)
                                       : window_.partitions[slot].emitted;
  }

private:
  bool open() {
    if (partition_ == window_.partitions.size())
      return false;
    order_ = window_.partitions[partition_].rows.rows();
    heap_ = order_.size() > most_sorted;
    if (heap_)
      std::make_heap(order_.begin(), order_.end(), after());
    else
      std::sort(order_.begin(), order_.end(), ranked_less(by_, window_.rows));
    at_ = 0;
    emitted_ = 0;
    ranks_ = rank_counter(by_);
    open_ = true;
    return true;
  }

  std::uint32_t pop() {
    if (!heap_)
      return order_[at_++].row;
    std::pop_heap(order_.begin(), order_.end(), after());
    const auto row = order_.back().row;
    order_.pop_back();
    return row;
  }

  void close() {
    ++partition_;
    open_ = false;
  }

  // For a heap whose top comes first.
  struct later {
    ranked_less less;

    bool operator()(const ranked_row& a, const ranked_row& b) const {
      return less(b, a);
    }
  };

  [[nodiscard]] later after() const {
    return later{ranked_less(by_, window_.rows)};
  }

  const ranked_window& window_;
  const ranking& by_;
  rank_counter ranks_;
  std::uint32_t partition_ = 0;
  bool open_ = false;
  bool heap_ = false;
  std::vector<ranked_row> order_;
  std::size_t at_ = 0; ///< of a sorted order
  std::uint64_t emitted_ = 0;
};

class window_top_n final : public stream_operator {
public:
  window_top_n(const window_top_n_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)), by_{row_order(spec.order_by, context_.inputs[0]),
                                                       spec.rank, spec.limit} {
    for (const auto k : spec.partition)
      key_types_.push_back(context_.inputs[0][k]);
  }

  result<bool> step(stream_item* item, step_budget& budget, output& out) override;

  operator_counters counters() const override {
    auto result = counters_;
    for (const auto& [name, window] : windows_)
      result.state_bytes += window.rows.byte_size() + window.index.byte_size()
                            + window.partitions.size() * sizeof(partition)
                            + window.candidates * sizeof(ranked_row);
    return result;
  }

  change_mark mark() override {
    dropped_.forget();
    std::erase_if(erased_, [&](const erased_row& x) { return x.at <= dropped_.asked(); });
    for (auto& [name, window] : windows_)
      window.marks.mark(window.rows.next_sequence());
    return current_++;
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override;

private:
  using window_map = std::map<window_name, ranked_window>;

  // A row that was saved and no longer ranks.
  struct erased_row {
    change_mark at;
    std::uint16_t group;
    std::string key;
  };

  struct saved_row {
    const window_map::value_type* window;
    std::uint32_t row;
  };

  ranked_window& window_at(const window_name& name) {
    return windows_.try_emplace(name, context_, key_types_, current_ - 1).first->second;
  }

  static std::string prefix_of(const window_name& name) {
    std::string prefix;
    put_time(name.end, prefix);
    put_time(name.start, prefix);
    return prefix;
  }

  std::string key_of(const window_name& name, const row_store& rows, std::uint32_t row) const {
    auto key = prefix_of(name);
    put_row_key(rows, spec_.partition, row, key);
    put_sequence(rows.sequence_of(row), key);
    return key;
  }

  std::vector<std::uint16_t> groups_of(const window_name& name, const row_store& rows,
                                       std::span<const std::uint32_t> numbers) const;

  result<void> take_rows(const stream_item& item, step_budget& budget);
  result<void> keep(const batch& input, const window_name& name,
                    const std::vector<std::uint32_t>& rows);
  void forget_rows(const window_name& name, ranked_window& window);
  void compact(ranked_window& window);
  void fire(step_budget& budget, output& out);
  void sort_rows(change_mark since) const;

  bool firing(const window_map::value_type& entry) const {
    return cursor_ && &entry == &*windows_.begin();
  }

  window_top_n_spec spec_;
  operator_context context_;
  ranking by_;
  std::vector<sql_type> key_types_;
  watermark_merge input_{1};
  micros sent_ = min_time;
  window_map windows_;
  std::optional<rank_cursor> cursor_; ///< of the first window, while it fires
  operator_counters counters_;
  change_mark current_ = 1;
  dropped_panes dropped_;
  std::vector<erased_row> erased_;

  window_rows groups_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint64_t> prefixes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> accepted_;
  std::vector<std::uint32_t> numbers_;
  std::vector<std::uint32_t> pruned_;

  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<saved_row> saved_;
  mutable group_buckets buckets_;
};

result<bool> window_top_n::step(stream_item* item, step_budget& budget, output& out) {
  saved_fresh_ = false;
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
  while (!windows_.empty() && windows_.begin()->first.end <= input_.merged()) {
    if (budget.rows == 0)
      return true;
    fire(budget, out);
  }
  if (input_.merged() > sent_) {
    sent_ = input_.merged();
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
  const auto late = [&](std::uint32_t row, micros end) {
    auto watermark = input_.merged();
    if (input.watermarks)
      watermark = std::max(watermark,
                           std::min(input.watermarks.as<const micros>()[row], item.other_channels));
    return watermark >= end;
  };
  counters_.late_rows += groups_.drop_late(late, input.watermarks ? window_rows::each_row
                                                                  : window_rows::whole_windows);
  hashes_.resize(input.rows);
  prefixes_.resize(input.rows);
  if (!spec_.partition.empty())
    hash_keys(key_columns(input, spec_.partition), input.rows, hashes_.data());
  by_.order.prefixes(input, prefixes_.data());
  for (const auto& group : groups_.groups())
    EBB_TRY(keep(input, {group.end, group.start}, group.rows));
  // Rows without a window are of none that ends: they rank at the end of the input.
  const auto& rest = groups_.without_window();
  if (!rest.empty())
    EBB_TRY(keep(input, {max_time, max_time}, {rest.begin(), rest.end()}));
  return {};
}

result<void> window_top_n::keep(const batch& input, const window_name& name,
                                const std::vector<std::uint32_t>& rows) {
  if (rows.empty())
    return {};
  auto& window = window_at(name);
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
    if (!window.partitions[slots_[i]].rows.accepts(by_, window.rows, input, row, prefixes_[row]))
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
    x.prune(by_, window.rows, pruned_);
  }
  if (!pruned_.empty())
    forget_rows(name, window);
  return {};
}

// Notes the pruned rows that a save may hold, and frees their memory when most of it is theirs.
void window_top_n::forget_rows(const window_name& name, ranked_window& window) {
  window.candidates -= pruned_.size();
  const auto unsaved_from = window.first_after(current_ - 1);
  if (window.base + 1 < current_) {
    std::erase_if(pruned_,
                  [&](std::uint32_t row) { return window.rows.sequence_of(row) >= unsaved_from; });
    const auto groups = groups_of(name, window.rows, pruned_);
    for (std::size_t i = 0; i < pruned_.size(); ++i)
      erased_.push_back({current_, groups[i], key_of(name, window.rows, pruned_[i])});
  }
  if (window.rows.rows() > window.candidates * 4 + row_store::chunk_rows)
    compact(window);
}

void window_top_n::compact(ranked_window& window) {
  std::vector<ranked_row*> places;
  for (auto& x : window.partitions)
    for (auto& row : x.rows.rows())
      places.push_back(&row);
  std::sort(places.begin(), places.end(),
            [](const ranked_row* a, const ranked_row* b) { return a->row < b->row; });
  std::vector<std::uint32_t> numbers;
  numbers.reserve(places.size());
  for (const auto* place : places)
    numbers.push_back(place->row);
  window.rows.keep_only(numbers);
  for (std::size_t i = 0; i < places.size(); ++i)
    places[i]->row = numbers[i];
  for (auto& x : window.partitions)
    x.rows.renumbered();
}

// Emits rows of the first window; drops it at the end.
void window_top_n::fire(step_budget& budget, output& out) {
  const auto first = windows_.begin();
  auto& window = first->second;
  if (!cursor_)
    cursor_.emplace(window, by_);
  const auto room = std::min(budget.rows, row_store::chunk_rows);
  numbers_.clear();
  auto ranks = make_column(sql_type{type_kind::bigint}, room);
  bool more = true;
  while (numbers_.size() < room) {
    std::uint32_t row = 0;
    std::int64_t rank = 0;
    more = cursor_->next(row, rank);
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
  if (more)
    return;
  cursor_.reset();
  if (window.base + 1 < current_)
    dropped_.add(current_, prefix_of(first->first));
  windows_.erase(first);
}

std::vector<std::uint16_t> window_top_n::groups_of(const window_name& name, const row_store& rows,
                                                   std::span<const std::uint32_t> numbers) const {
  std::vector<std::uint64_t> hashes(numbers.size());
  if (spec_.partition.empty())
    std::fill(hashes.begin(), hashes.end(),
              hash_of_time(name.end, context_.inputs[0][spec_.window_end]));
  else
    hash_stored(rows, spec_.partition, numbers, hashes.data());
  std::vector<std::uint16_t> groups;
  groups.reserve(hashes.size());
  for (const auto hash : hashes)
    groups.push_back(key_group_of(hash, context_.key_groups));
  return groups;
}

// Lists the candidates that changed since a mark, by key group.
void window_top_n::sort_rows(change_mark since) const {
  if (saved_fresh_ && saved_since_ == since)
    return;
  saved_fresh_ = true;
  saved_since_ = since;
  saved_.clear();
  std::vector<std::uint16_t> groups;
  for (const auto& entry : windows_) {
    const auto& [name, window] = entry;
    const auto first = firing(entry) ? 0 : window.first_after(since);
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t slot = 0; slot < window.partitions.size(); ++slot) {
      if (firing(entry) && cursor_->done(slot))
        continue;
      for (const auto& x : window.partitions[slot].rows.rows())
        if (window.rows.sequence_of(x.row) >= first)
          numbers.push_back(x.row);
    }
    for (const auto number : numbers)
      saved_.push_back({&entry, number});
    const auto of = groups_of(name, window.rows, numbers);
    groups.insert(groups.end(), of.begin(), of.end());
  }
  buckets_.build(context_.key_groups, static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return groups[i]; });
}

void window_top_n::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  sort_rows(since);
  dropped_.save(since, 2, sink);
  if (since != 0 && cursor_)
    for (std::uint16_t state = 0; state < 2; ++state)
      sink.erase_prefix(state, prefix_of(windows_.begin()->first));
  if (since != 0)
    for (const auto& x : erased_)
      if (x.at > since && x.group == key_group)
        sink.erase(0, x.key);
  entry_list rows;
  for (const auto i : buckets_.of(key_group)) {
    const auto& x = saved_[i];
    std::string value;
    x.window->second.rows.encode(x.row, value);
    rows.add(key_of(x.window->first, x.window->second.rows, x.row), std::move(value));
  }
  rows.put_sorted(0, sink);
  // How far the partition had come that was being emitted.
  entry_list progress;
  for (const auto& entry : windows_) {
    const auto& [name, window] = entry;
    if (!firing(entry) && since > window.base)
      continue; // as it was loaded
    for (std::uint32_t slot = 0; slot < window.partitions.size(); ++slot) {
      const auto& x = window.partitions[slot];
      const auto emitted = firing(entry) ? cursor_->emitted(slot) : x.emitted;
      if (emitted == 0 || (firing(entry) && cursor_->done(slot)))
        continue;
      const auto row = x.rows.rows().front().row;
      if (groups_of(name, window.rows, {&row, 1}).front() != key_group)
        continue;
      auto key = prefix_of(name);
      put_row_key(window.rows, spec_.partition, row, key);
      std::string value;
      put_sequence(emitted, value);
      progress.add(std::move(key), std::move(value));
    }
  }
  progress.put_sorted(1, sink);
}

result<void> window_top_n::load(std::uint16_t, std::uint16_t state, std::string_view key,
                                std::string_view value) {
  if (state > 1)
    return make_error(ec::corrupt, "a windowed top-N's state entry has an unknown kind");
  window_name name;
  EBB_ASSIGN(name.end, take_time(key));
  EBB_ASSIGN(name.start, take_time(key));
  std::uint64_t number = 0;
  if (state == 0) {
    EBB_ASSIGN(number, take_last_sequence(key));
  } else {
    EBB_ASSIGN(number, take_last_sequence(value));
  }
  auto& window = window_at(name);
  std::uint32_t slot = 0;
  if (!spec_.partition.empty()) {
    EBB_ASSIGN(slot, window.index.resolve_encoded(key));
  }
  window.partitions.resize(std::max<std::size_t>(window.partitions.size(), slot + std::size_t{1}));
  auto& x = window.partitions[slot];
  if (state == 1) {
    x.emitted = number;
    return {};
  }
  EBB_ASSIGN(const auto row, window.rows.append_encoded(value, number));
  x.rows.add({by_.order.prefix(window.rows, row), row});
  ++window.candidates;
  return {};
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
