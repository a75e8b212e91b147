#include "actors/dataflow/operators/stream_join.hpp"

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/block_writer.hpp"
#include "actors/dataflow/operators/changelog_join.hpp"
#include "actors/dataflow/operators/cold_groups.hpp"
#include "actors/dataflow/operators/join_pairs.hpp"
#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/saved_sequences.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/two_inputs.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <utility>

namespace ebb {

namespace {

constexpr auto no_row = row_store::no_row;
constexpr std::uint32_t rows_ahead = 24; ///< for which memory is fetched

// Newest row of each key, by side; the older ones hang behind it.
struct chain_heads {
  std::array<std::uint32_t, 2> of{no_row, no_row};
};

// One side's rows and, for each, the next older one of its key.
struct join_side {
  explicit join_side(std::vector<sql_type> types, std::vector<std::uint32_t> key_columns)
      : rows(std::move(types), 2048), keys(std::move(key_columns)) {}

  [[nodiscard]] std::uint32_t older(std::uint32_t row) const noexcept {
    return links.at(rows, row);
  }

  row_store rows;
  std::vector<std::uint32_t> keys;
  row_array<std::uint32_t> links;
};

// A row that still has partners to meet.
struct pending_row {
  std::uint32_t row = no_row;
  std::uint32_t partner = no_row; ///< next one of the other side
  std::uint32_t met = 0;          ///< partners before it
  std::uint8_t side = 0;
};

class stream_join final : public stream_operator {
public:
  stream_join(const stream_join_spec& spec, operator_context context)
      : key_groups_(context.key_groups),
        index_(types_of(context.inputs[0], spec.left_keys), context.key_groups),
        sides_{join_side(context.inputs[0], spec.left_keys),
               join_side(context.inputs[1], spec.right_keys)},
        writers_{block_writer(spec.left_keys, row_states, context.key_groups),
                 block_writer(spec.right_keys, row_states + 1, context.key_groups)},
        pairs_(context.inputs[0], context.inputs[1], spec.left_keys, spec.right_keys, spec.residual,
               context.name),
        sequences_(context, 2), cold_{cold_groups({row_states}, context.key_groups),
                                      cold_groups({row_states + 1}, context.key_groups)} {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    if (!pending_entries_.empty())
      EBB_TRY(finish_load());
    if (item != nullptr && item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget));
    else if (item != nullptr)
      inputs_.take(*item);
    EBB_TRY(meet_partners(budget, out));
    if (next_ < pending_.size())
      return true;
    inputs_.pass_on(inputs_.merged(), out);
    return false;
  }

  operator_counters counters() const override {
    auto result = counters_;
    result.state_bytes = sides_[0].rows.byte_size() + sides_[1].rows.byte_size()
                         + index_.byte_size() + heads_.size() * sizeof(chain_heads)
                         + (sides_[0].rows.rows() + sides_[1].rows.rows()) * sizeof(std::uint32_t);
    return result;
  }

  change_mark mark() override {
    index_.mark();
    for (std::size_t s = 0; s < 2; ++s)
      marks_[s].mark(sides_[s].rows.next_sequence());
    return current_++;
  }

  bool saves_frozen() const noexcept override {
    return true;
  }

  // Rows are only added, so a save writes those that there were.
  void begin_save(change_mark since) override {
    EBB_ASSERT(next_ == pending_.size()); // a barrier comes after whole batches
    EBB_ASSERT(since == 0 || since + marks_kept >= current_);
    for (std::size_t s = 0; s < 2; ++s)
      writers_[s].start(sides_[s].rows, marks_[s].first_after(since));
    sequences_.begin_save(next_sequences());
    saving_ = true;
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override;

  bool loads_late() const noexcept override {
    return true;
  }

  // A row needs those of the other side that it may meet, and none of its own.
  void wish(const stream_item& item, state_wishes& wishes) override {
    if (!sequences_.known())
      cold_[0].wish_all(wishes); // before anything is saved
    if (!sequences_.known() || item.kind != item_kind::batch)
      return;
    const auto& keys = sides_[item.input].keys;
    const bool all = rows_without_nulls(*item.rows, keys, picks_);
    cold_[1 - item.input].wish(*item.rows, keys, all ? nullptr : &picks_, wishes);
  }

  void all_loaded() override {
    for (std::size_t s = 0; s < 2; ++s) {
      if (!sequences_.known())
        marks_[s].loaded(current_ - 1, sides_[s].rows.next_sequence());
      cold_[s].all_loaded();
    }
  }

private:
  static constexpr std::uint16_t pending_state = 2;

  // Keeps the rows and notes those that have partners.
  result<void> take_rows(const stream_item& item, step_budget& budget) {
    const auto& input = *item.rows;
    const auto s = static_cast<std::uint8_t>(item.input);
    auto& side = sides_[s];
    inputs_.rows(item);
    counters_.rows_in += input.rows;
    budget.rows -= std::min(budget.rows, input.rows / 4);
    const bool all = rows_without_nulls(input, side.keys, picks_);
    const auto count = all ? input.rows : static_cast<std::uint32_t>(picks_.size());
    const auto* picks = all ? nullptr : picks_.data();
    hashes_.resize(input.rows);
    slots_.resize(count);
    rows_.resize(count);
    const auto keys = key_columns(input, side.keys);
    hash_keys(keys, input.rows, hashes_.data());
    index_.resolve(keys, hashes_.data(), picks, count, slots_.data());
    EBB_TRY(side.rows.append(input, picks, count, rows_.data()));
    side.links.grow(side.rows, no_row);
    heads_.resize(index_.slot_count());
    if (next_ == pending_.size()) {
      pending_.clear();
      next_ = 0;
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i + rows_ahead < count)
        __builtin_prefetch(&heads_[slots_[i + rows_ahead]]);
      auto& heads = heads_[slots_[i]];
      if (const auto partner = heads.of[1 - s]; partner != no_row) {
        __builtin_prefetch(&sides_[1 - s].links.at(sides_[1 - s].rows, partner));
        pending_.push_back({rows_[i], partner, 0, s});
      }
      side.links.at(side.rows, rows_[i]) = heads.of[s];
      heads.of[s] = rows_[i];
    }
    return {};
  }

  result<void> meet_partners(step_budget& budget, output& out) {
    while (next_ < pending_.size() && budget.rows > 0) {
      const auto room = std::min(budget.rows, row_store::chunk_rows);
      const auto s = pending_[next_].side;
      auto& own = s == 0 ? met_.left : met_.right;
      auto& other = s == 0 ? met_.right : met_.left;
      met_.clear();
      while (next_ < pending_.size() && pending_[next_].side == s && own.size() < room) {
        auto& x = pending_[next_];
        for (; x.partner != no_row && own.size() < room; ++x.met) {
          own.push_back(x.row);
          other.push_back(x.partner);
          x.partner = sides_[1 - s].older(x.partner);
        }
        if (x.partner == no_row)
          ++next_;
      }
      budget.rows -= met_.size();
      EBB_TRY(pairs_.keep_matching(sides_[0].rows, sides_[1].rows, met_));
      if (met_.size() == 0)
        continue;
      counters_.rows_out += met_.size();
      out.emit(pairs_.make(sides_[0].rows, sides_[1].rows, met_));
    }
    return {};
  }

  [[nodiscard]] std::vector<std::uint64_t> next_sequences() const {
    return {sides_[0].rows.next_sequence(), sides_[1].rows.next_sequence()};
  }

  result<void> load_rows(std::size_t side, std::string_view value);
  result<void> load_pending(std::string_view key, std::string_view value);
  result<void> finish_load();

  std::uint16_t key_groups_;
  key_index index_;
  std::vector<chain_heads> heads_; ///< by slot
  std::array<join_side, 2> sides_;
  std::array<block_writer, 2> writers_;
  join_pairs pairs_;
  saved_sequences sequences_;
  std::array<cold_groups, 2> cold_; ///< of each side's rows
  two_inputs inputs_;
  operator_counters counters_;
  std::array<sequence_marks, 2> marks_;
  bool saving_ = false;
  change_mark current_ = 1;
  mutable change_mark pending_saved_at_ = 0;

  std::vector<std::pair<std::string, std::string>> pending_entries_; ///< loaded
  std::vector<pending_row> pending_; ///< of the item being worked on; done before `next_`
  std::size_t next_ = 0;
  row_pairs met_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> rows_;
};

void stream_join::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  if (key_group == unkeyed_group) {
    sequences_.put(next_sequences(), sink);
    return;
  }
  // Pending rows are few and short-lived: each save replaces the group's.
  if (since != 0 && pending_saved_at_ >= since)
    sink.erase_prefix(pending_state, {});
  entry_list entries;
  for (auto i = next_; i < pending_.size(); ++i) {
    const auto& x = pending_[i];
    const auto& side = sides_[x.side];
    std::uint64_t hash = 0;
    hash_stored(side.rows, side.keys, {&x.row, 1}, &hash);
    if (key_group_of(hash, key_groups_) != key_group)
      continue;
    std::string key;
    put_row_key(side.rows, side.keys, x.row, key);
    key.push_back(static_cast<char>(x.side));
    put_sequence(side.rows.sequence_of(x.row), key);
    std::string value;
    put_sequence(x.met, value);
    entries.add(std::move(key), std::move(value));
    pending_saved_at_ = current_;
  }
  entries.put_sorted(pending_state, sink);
  std::vector<std::uint32_t> slots;
  index_.slots_of_group(key_group, slots);
  for (std::size_t s = 0; s < 2; ++s) {
    const auto& side = sides_[s];
    const auto first = marks_[s].first_after(since);
    std::vector<std::uint32_t> rows;
    for (const auto slot : slots)
      for (auto row = slot < heads_.size() ? heads_[slot].of[s] : no_row; row != no_row;
           row = side.older(row))
        if (side.rows.sequence_of(row) >= first)
          rows.push_back(row);
    std::sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
      return side.rows.sequence_of(a) < side.rows.sequence_of(b);
    });
    writers_[s].put_rows(side.rows, rows, sink, {});
  }
}

bool stream_join::save_slice(std::uint32_t entries, state_sink& sink) {
  auto left = std::max(1U, entries);
  sequences_.save_slice(left, sink);
  const auto none = [](std::uint32_t) { return false; };
  for (std::size_t s = 0; saving_ && s < 2; ++s)
    if (!writers_[s].save_slice(sides_[s].rows, none, left, sink, {}))
      return true;
  saving_ = false;
  return false;
}

result<void> stream_join::load(std::uint16_t, std::uint16_t state, std::string_view key,
                               std::string_view value) {
  if (state == pending_state) {
    pending_entries_.emplace_back(key, value);
    return {};
  }
  if (state == saved_sequences::state) {
    EBB_TRY(sequences_.load(key, value));
    for (std::size_t s = 0; s < 2; ++s)
      sides_[s].rows.skip_sequences(sequences_.restored(s));
    return {};
  }
  if (state < row_states || state > row_states + 1)
    return make_error(ec::corrupt, "a join's state entry has an unknown kind");
  return load_rows(state - row_states, value);
}

result<void> stream_join::load_rows(std::size_t s, std::string_view value) {
  auto& side = sides_[s];
  return read_block(value, [&](row_pack pack) -> result<void> {
    const auto count = pack.rows.rows;
    std::vector<std::uint32_t> all(count);
    std::iota(all.begin(), all.end(), 0U);
    rows_.resize(count);
    EBB_TRY(side.rows.append_saved(std::move(pack), all, rows_.data()));
    resolve_stored(index_, side.rows, side.keys, rows_, slots_);
    side.links.grow(side.rows, no_row);
    heads_.resize(index_.slot_count());
    for (std::uint32_t i = 0; i < count; ++i) {
      side.links.at(side.rows, rows_[i]) = heads_[slots_[i]].of[s];
      heads_[slots_[i]].of[s] = rows_[i];
    }
    return {};
  });
}

// Their rows come behind them.
result<void> stream_join::finish_load() {
  const auto entries = std::exchange(pending_entries_, {});
  for (const auto& [key, value] : entries)
    EBB_TRY(load_pending(key, value));
  return {};
}

result<void> stream_join::load_pending(std::string_view key, std::string_view value) {
  EBB_ASSIGN(const auto sequence, take_last_sequence(key));
  EBB_ASSIGN(const auto met, take_last_sequence(value));
  if (key.empty() || static_cast<std::uint8_t>(key.back()) > 1)
    return make_error(ec::corrupt, "a join's pending entry has no side");
  pending_row x;
  x.side = static_cast<std::uint8_t>(key.back());
  key.remove_suffix(1);
  EBB_ASSIGN(const auto slot, index_.resolve_encoded(key));
  heads_.resize(index_.slot_count());
  const auto& own = sides_[x.side];
  for (x.row = heads_[slot].of[x.side]; x.row != no_row && own.rows.sequence_of(x.row) != sequence;)
    x.row = own.older(x.row);
  x.partner = heads_[slot].of[1 - x.side];
  for (; x.met < met && x.partner != no_row; ++x.met)
    x.partner = sides_[1 - x.side].older(x.partner);
  if (x.row == no_row || x.partner == no_row)
    return make_error(ec::corrupt, "a join's pending row is not in its state");
  pending_.push_back(x);
  pending_saved_at_ = current_;
  return {};
}

} // namespace

std::unique_ptr<stream_operator> make_stream_join(const stream_join_spec& spec,
                                                  operator_context context) {
  if (spec.retention.span > 0) { // rows go
    changelog_join_spec changing;
    changing.left_keys = spec.left_keys;
    changing.right_keys = spec.right_keys;
    changing.residual = spec.residual;
    changing.retention = spec.retention;
    return make_changelog_join(changing, std::move(context));
  }
  return std::make_unique<stream_join>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const stream_join_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  result.insert(result.end(), inputs[1].begin(), inputs[1].end());
  return result;
}

} // namespace ebb
