#include "actors/dataflow/operators/settle.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/key_retention.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/pass_time.hpp"
#include "actors/dataflow/operators/saved_entries.hpp"
#include "actors/dataflow/operators/settled_rows.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

constexpr std::uint16_t rows_state = 0;

class settle final : public stream_operator {
public:
  settle(const settle_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)),
        index_(types_of(context_.inputs[0], spec_.keys), context_.key_groups),
        retention_(spec_.retention, index_, context_), equal_(context_.inputs[0]) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    finish_load();
    if (item == nullptr)
      return drop_some(budget);
    if (item->kind == item_kind::batch) {
      counters_.rows_in += item->rows->rows;
      budget.rows -= std::min(budget.rows, item->rows->rows);
      if (item->rows->rows != 0)
        EBB_TRY(take_rows(*item->rows, out));
    } else {
      pass_time(*item, out);
    }
    retention_.take(*item);
    return drop_some(budget);
  }

  bool wants_ticks() const noexcept override {
    return retention_.by_ticks();
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = index_.byte_size() + retention_.byte_size() + row_bytes_
                         + held_.capacity() * sizeof(settled_rows);
    return result;
  }

  change_mark mark() override {
    finish_load();
    index_.unfreeze();
    early_ = nullptr;
    erased_.forget(asked_);
    index_.mark();
    retention_.mark();
    return mark_++;
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override {
    early_ = std::make_unique<saved_entries>();
    since_ = since;
    asked_ = std::max(asked_, since);
    erased_end_ = erased_.end();
    next_erased_ = since == 0 ? erased_end_ : erased_.first_after(since);
    all_taken_ = false;
    index_.freeze(since);
    retention_.begin_save(since);
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override {
    auto left = std::max(1U, entries);
    return !retention_.erase_slice(left, sink) || !save_rows(left, sink)
           || !retention_.save_slice(left, sink);
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override {
    if (since != 0)
      erased_.save_group(key_group, since, rows_state, sink);
    std::vector<std::uint32_t> slots;
    index_.slots_of_group(key_group, slots);
    std::erase_if(slots, [&](std::uint32_t slot) { return index_.changed_at(slot) <= since; });
    put(slots, sink);
    retention_.save(key_group, since, sink);
  }

  bool loads_late() const noexcept override {
    return !retention_.active();
  }

  void wish(const stream_item& item, state_wishes& wishes) override {
    if (item.kind != item_kind::batch)
      return;
    const auto& rows = *item.rows;
    find_keys(rows);
    std::string key;
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      const auto group = key_group_of(hashes_[i], context_.key_groups);
      if (wishes.loaded(group))
        continue;
      key.clear();
      for (const auto* column : keys_)
        encode_key_value(*column, i, key);
      wishes.wish(group, rows_state, key);
    }
  }

  result<void> load(std::uint16_t, std::uint16_t state, std::string_view key,
                    std::string_view value) override {
    loading_ = true;
    if (state == key_retention::state)
      return retention_.load(key, value);
    if (state != rows_state)
      return make_error(ec::corrupt, "unknown state of a settle operator");
    EBB_ASSIGN(const auto slot, slot_of(key));
    make_room();
    auto& held = held_[slot];
    if (!held.load(value, [this](std::string_view bytes) { return row_end(bytes); }))
      return make_error(ec::corrupt, "rows of a settle operator that cannot be read");
    row_bytes_ += held.byte_size();
    return {};
  }

private:
  /// A key that the batch has, and the row of it that showed before.
  struct touched_key {
    std::uint32_t slot = 0;
    std::string before; ///< empty = none
  };

  void finish_load() {
    if (std::exchange(loading_, false))
      retention_.finish_load();
  }

  result<std::uint32_t> slot_of(std::string_view key) {
    std::vector<column> values;
    for (const auto k : spec_.keys) {
      EBB_ASSIGN(auto value, decode_key_value(key, context_.inputs[0][k]));
      values.push_back(std::move(value));
    }
    if (!key.empty())
      return make_error(ec::corrupt, "a stored key is longer than its columns");
    const auto columns = pointers_to(values);
    std::uint64_t hash = 0;
    hash_keys(columns, 1, &hash);
    std::uint32_t slot = 0;
    index_.resolve_restored(columns, &hash, 1, &slot);
    return slot;
  }

  [[nodiscard]] std::size_t row_end(std::string_view bytes) const {
    const auto all = bytes.size();
    for (const auto& type : context_.inputs[0])
      if (!value_builder(type, 1).append_encoded(bytes))
        return 0;
    return all - bytes.size();
  }

  void find_keys(const batch& rows) {
    keys_ = key_columns(rows, spec_.keys);
    hashes_.resize(rows.rows);
    hash_keys(keys_, rows.rows, hashes_.data());
  }

  void make_room() {
    if (held_.size() < index_.slot_count()) {
      held_.resize(index_.slot_count());
      seen_.resize(index_.slot_count(), 0);
    }
  }

  // What a save has frozen is written before it changes.
  void preserve() {
    if (!early_ || index_.preserved().empty())
      return;
    put(index_.preserved(), *early_);
    index_.preserved().clear();
  }

  result<void> take_rows(const batch& rows, output& out) {
    find_keys(rows);
    slots_.resize(rows.rows);
    index_.resolve(keys_, hashes_.data(), nullptr, rows.rows, slots_.data());
    make_room();
    preserve();
    retention_.touch(slots_);
    if (++batch_ == 0) {
      std::fill(seen_.begin(), seen_.end(), 0U);
      batch_ = 1;
    }
    touched_.clear();
    const auto* weights = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
    for (std::uint32_t i = 0; i < rows.rows; ++i) {
      row_.clear();
      for (const auto& column : rows.columns)
        append_value(column, i, row_);
      take_row(slots_[i], weights == nullptr ? 1 : weights[i]);
    }
    return emit_changes(rows, out);
  }

  void take_row(std::uint32_t slot, std::int32_t weight) {
    auto& held = held_[slot];
    if (seen_[slot] != batch_) {
      seen_[slot] = batch_;
      touched_.push_back({slot, std::string(held.newest())});
      // The key was dropped, as it had not been written for long; its row shows until now.
      if (weight < 0 && held.empty() && retention_.active()) {
        touched_.back().before = row_;
        return;
      }
    }
    row_bytes_ -= held.byte_size();
    held.add(row_, weight, equal_);
    row_bytes_ += held.byte_size();
  }

  result<void> emit_changes(const batch& rows, output& out) {
    std::vector<std::string_view> gone;
    std::vector<std::string_view> come;
    for (const auto& x : touched_) {
      const auto now = held_[x.slot].newest();
      if (x.before == now)
        continue;
      if (!x.before.empty())
        gone.emplace_back(x.before);
      if (!now.empty())
        come.push_back(now);
    }
    const auto deleted = static_cast<std::uint32_t>(gone.size());
    const auto inserted = static_cast<std::uint32_t>(come.size());
    if (deleted + inserted != 0) {
      gone.insert(gone.end(), come.begin(), come.end());
      auto made = std::make_shared<batch>();
      made->rows = deleted + inserted;
      for (const auto& column : rows.columns) {
        value_builder values(column.type, made->rows);
        for (auto& row : gone)
          EBB_TRY(values.append_encoded(row));
        made->columns.push_back(values.take());
      }
      made->weights = weights_of(deleted, inserted);
      counters_.rows_out += made->rows;
      out.emit(std::move(made));
    }
    for (const auto& x : touched_)
      if (held_[x.slot].empty())
        erase(x.slot);
    return {};
  }

  void erase(std::uint32_t slot) {
    retention_.forget(slot);
    row_bytes_ -= held_[slot].byte_size();
    held_[slot] = {};
    std::string key;
    index_.encode(slot, key);
    erased_.add(mark_, key_group_of(index_.hash_of(slot), context_.key_groups), key);
    index_.erase(slot);
  }

  // True = more keys are to be looked at, or to be dropped.
  bool drop_some(step_budget& budget) {
    if (!retention_.active())
      return false;
    if (next_expired_ == 0 && retention_.sweep(budget, expired_))
      return true;
    const auto count = std::min<std::size_t>(expired_.size() - next_expired_, budget.rows);
    const auto last = next_expired_ + count;
    for (auto i = next_expired_; i < last; ++i)
      index_.touch(expired_[i]);
    preserve();
    for (; next_expired_ < last; ++next_expired_)
      erase(expired_[next_expired_]);
    budget.rows -= static_cast<std::uint32_t>(count);
    if (next_expired_ < expired_.size())
      return true;
    expired_.clear();
    next_expired_ = 0;
    return false;
  }

  void put(const std::vector<std::uint32_t>& slots, state_sink& sink) const {
    std::vector<std::pair<std::string, std::uint32_t>> keys;
    for (const auto slot : slots) {
      keys.emplace_back(std::string{}, slot);
      index_.encode(slot, keys.back().first);
    }
    std::sort(keys.begin(), keys.end());
    std::string value;
    for (const auto& [key, slot] : keys) {
      value.clear();
      held_[slot].save(value);
      sink.select_group(key_group_of(index_.hash_of(slot), context_.key_groups));
      sink.put(rows_state, key, value);
    }
  }

  bool save_rows(std::uint32_t& left, state_sink& sink) {
    if (!early_)
      return true;
    erased_.save(next_erased_, erased_end_, since_, rows_state, left, sink);
    if (next_erased_ != erased_end_)
      return false;
    left -= std::min(left, early_->drain(left, sink));
    if (!all_taken_ && left != 0) {
      std::vector<std::uint32_t> slots;
      all_taken_ = !index_.take_frozen(left, slots);
      put(slots, sink);
      if (all_taken_)
        index_.unfreeze();
      left -= std::min(left, std::max(1U, static_cast<std::uint32_t>(slots.size())));
    }
    if (!all_taken_ || !early_->empty())
      return false;
    early_ = nullptr;
    return true;
  }

  settle_spec spec_;
  operator_context context_;
  key_index index_;
  key_retention retention_;
  row_equality equal_;
  std::vector<settled_rows> held_; ///< by slot
  std::size_t row_bytes_ = 0;      ///< of them
  operator_counters counters_;

  std::vector<const column*> keys_; ///< of the present batch
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
  std::string row_;
  std::vector<touched_key> touched_;
  std::vector<std::uint32_t> seen_; ///< by slot: the last batch that had it
  std::uint32_t batch_ = 0;
  std::vector<std::uint32_t> expired_;
  std::size_t next_expired_ = 0;

  bool loading_ = false;
  change_mark mark_ = 1;
  change_mark asked_ = 0;
  change_mark since_ = 0;
  erased_keys erased_;
  std::size_t next_erased_ = 0;
  std::size_t erased_end_ = 0;
  std::unique_ptr<saved_entries> early_; ///< while a save is under way
  bool all_taken_ = true;                ///< of what it has frozen
};

} // namespace

std::unique_ptr<stream_operator> make_settle(const settle_spec& spec, operator_context context) {
  return std::make_unique<settle>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const settle_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  return inputs[0];
}

} // namespace ebb
