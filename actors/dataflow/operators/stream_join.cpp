#include "actors/dataflow/operators/stream_join.hpp"

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/frozen_rows.hpp"
#include "actors/dataflow/operators/join_pairs.hpp"
#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/two_inputs.hpp"

#include <algorithm>
#include <array>

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
        index_(key_types(context.inputs[0], spec.left_keys), context.key_groups),
        sides_{join_side(context.inputs[0], spec.left_keys),
               join_side(context.inputs[1], spec.right_keys)},
        pairs_(context.inputs[0], context.inputs[1], spec.left_keys, spec.right_keys, spec.residual,
               context.name) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
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
      frozen_[s].start(sides_[s].rows, marks_[s].first_after(since));
    frozen_side_ = 0;
  }

  bool save_slice(std::uint32_t entries, state_sink& sink) override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override;

private:
  static constexpr std::uint16_t pending_state = 2; ///< 0 and 1: the rows of the sides

  static std::vector<sql_type> key_types(const std::vector<sql_type>& types,
                                         const std::vector<std::uint32_t>& keys) {
    std::vector<sql_type> result;
    result.reserve(keys.size());
    for (const auto k : keys)
      result.push_back(types[k]);
    return result;
  }

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

  result<void> load_row(std::size_t side, std::string_view key, std::string_view value);
  result<void> load_pending(std::string_view key, std::string_view value);

  std::uint16_t key_groups_;
  key_index index_;
  std::vector<chain_heads> heads_; ///< by slot
  std::array<join_side, 2> sides_;
  join_pairs pairs_;
  two_inputs inputs_;
  operator_counters counters_;
  std::array<sequence_marks, 2> marks_;
  std::array<frozen_rows, 2> frozen_;
  std::uint16_t frozen_side_ = 2; ///< being saved; 2 = none
  change_mark current_ = 1;
  mutable change_mark pending_saved_at_ = 0;

  std::vector<pending_row> pending_; ///< of the item being worked on; done before `next_`
  std::size_t next_ = 0;
  row_pairs met_;
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;
  std::vector<std::uint32_t> rows_;
};

void stream_join::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  std::vector<std::uint32_t> slots;
  index_.slots_of_group(key_group, slots);
  for (std::uint16_t s = 0; s < 2; ++s) {
    const auto& side = sides_[s];
    const auto first = marks_[s].first_after(since);
    entry_list entries;
    for (const auto slot : slots) {
      if (slot >= heads_.size() || index_.changed_at(slot) <= since)
        continue;
      std::string prefix;
      index_.encode(slot, prefix);
      for (auto row = heads_[slot].of[s]; row != no_row; row = side.older(row)) {
        const auto sequence = side.rows.sequence_of(row);
        if (sequence < first)
          break; // older rows are older entries
        auto key = prefix;
        put_sequence(sequence, key);
        std::string value;
        side.rows.encode(row, value);
        entries.add(std::move(key), std::move(value));
      }
    }
    entries.put_sorted(s, sink);
  }
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
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
}

bool stream_join::save_slice(std::uint32_t entries, state_sink& sink) {
  if (frozen_side_ == 2)
    return false;
  const auto& side = sides_[frozen_side_];
  std::vector<std::uint32_t> rows;
  const bool more = frozen_[frozen_side_].take(side.rows, std::max(1U, entries), rows);
  std::vector<std::uint64_t> hashes(rows.size());
  hash_stored(side.rows, side.keys, rows, hashes.data());
  std::string key;
  std::string value;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    key.clear();
    put_row_key(side.rows, side.keys, rows[i], key);
    put_sequence(side.rows.sequence_of(rows[i]), key);
    value.clear();
    side.rows.encode(rows[i], value);
    sink.select_group(key_group_of(hashes[i], key_groups_));
    sink.put(frozen_side_, key, value);
  }
  if (!more)
    ++frozen_side_;
  return frozen_side_ < 2;
}

result<void> stream_join::load(std::uint16_t, std::uint16_t state, std::string_view key,
                               std::string_view value) {
  return state == pending_state ? load_pending(key, value) : load_row(state, key, value);
}

result<void> stream_join::load_row(std::size_t side, std::string_view key, std::string_view value) {
  if (side > 1)
    return make_error(ec::corrupt, "a join's state entry has an unknown kind");
  EBB_ASSIGN(const auto sequence, take_last_sequence(key));
  EBB_ASSIGN(const auto row, sides_[side].rows.append_encoded(value, sequence));
  EBB_ASSIGN(const auto slot, index_.resolve_encoded(key));
  sides_[side].links.grow(sides_[side].rows, no_row);
  heads_.resize(index_.slot_count());
  sides_[side].links.at(sides_[side].rows, row) = heads_[slot].of[side];
  heads_[slot].of[side] = row;
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
  return std::make_unique<stream_join>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const stream_join_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  result.insert(result.end(), inputs[1].begin(), inputs[1].end());
  return result;
}

} // namespace ebb
