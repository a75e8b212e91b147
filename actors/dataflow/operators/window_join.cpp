#include "actors/dataflow/operators/window_join.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/two_inputs.hpp"
#include "actors/dataflow/operators/window_fire.hpp"
#include "actors/dataflow/operators/window_rows.hpp"

#include <algorithm>
#include <map>

namespace ebb {

namespace {

// End, start, and 1 + probing side for windows whose join had begun when they were saved.
struct window_name {
  micros end = 0;
  micros start = 0;
  std::uint8_t begun = 0;

  auto operator<=>(const window_name&) const = default;
};

// Bits of the first byte of an entry's value.
constexpr std::uint8_t flag_matched = 1;
constexpr std::uint8_t flag_begun = 2;
constexpr std::uint8_t flag_probing_right = 4;
constexpr std::uint8_t flag_partial = 8;

class window_join final : public stream_operator {
public:
  window_join(const window_join_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)),
        pairs_(context_.inputs[0], context_.inputs[1], spec.left_keys, spec.right_keys,
               spec.residual, context_.name),
        fire_(spec_, pairs_) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    buckets_fresh_ = false;
    if (item != nullptr && item->kind == item_kind::batch)
      EBB_TRY(take_rows(*item, budget, out));
    else if (item != nullptr)
      inputs_.take(*item);
    while (!windows_.empty() && windows_.begin()->first.end <= inputs_.merged()) {
      if (budget.rows == 0)
        return true;
      const auto first = windows_.begin();
      if (!fire_.active())
        fire_.start(first->second);
      EBB_ASSIGN(const bool done, fire_.step(budget, out, counters_.rows_out));
      if (done)
        drop(first);
    }
    inputs_.pass_on(inputs_.merged(), out);
    return false;
  }

  operator_counters counters() const override {
    auto result = counters_;
    for (const auto& [name, window] : windows_)
      for (const auto& side : window.sides)
        result.state_bytes += side.rows.byte_size() + side.joinable.size() * sizeof(std::uint32_t)
                              + side.hashes.size() * sizeof(std::uint64_t);
    return result;
  }

  change_mark mark() override {
    dropped_.forget();
    for (auto& [name, window] : windows_)
      for (auto& side : window.sides)
        side.marks.mark(side.rows.next_sequence());
    return current_++;
  }

  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  result<void> load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                    std::string_view value) override;

private:
  using window_map = std::map<window_name, join_window>;

  const std::vector<std::uint32_t>& keys(std::size_t side) const noexcept {
    return side == 0 ? spec_.left_keys : spec_.right_keys;
  }

  static std::string prefix_of(const window_name& name) {
    std::string prefix;
    put_time(name.end, prefix);
    put_time(name.start, prefix);
    return prefix;
  }

  join_window& window_at(const window_name& name) {
    return windows_.try_emplace(name, context_.inputs[0], context_.inputs[1], current_ - 1)
        .first->second;
  }

  result<void> take_rows(const stream_item& item, step_budget& budget, output& out);
  result<void> keep(const batch& input, std::size_t s, const window_rows::group& group);

  void drop(window_map::iterator window) {
    // Windows that no save has seen need no erasing.
    if (window->second.base + 1 < current_)
      dropped_.add(current_, prefix_of(window->first));
    windows_.erase(window);
  }

  struct saved_row {
    const window_map::value_type* window;
    std::uint32_t row;
    std::uint32_t at; ///< place in its list
    std::uint8_t side;
    bool lone;
  };

  void sort_rows(change_mark since) const;
  std::string value_of(const saved_row& x) const;

  window_join_spec spec_;
  operator_context context_;
  join_pairs pairs_;
  two_inputs inputs_;
  window_map windows_;
  window_fire fire_; ///< of the first window
  operator_counters counters_;
  window_rows groups_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> rows_;

  change_mark current_ = 1;
  dropped_panes dropped_;
  mutable bool buckets_fresh_ = false; ///< `saved_` and `buckets_` are of the present state
  mutable change_mark buckets_since_ = 0;
  mutable std::vector<saved_row> saved_;
  mutable group_buckets buckets_;
};

result<void> window_join::take_rows(const stream_item& item, step_budget& budget, output& out) {
  const auto& input = *item.rows;
  const std::size_t s = item.input;
  inputs_.rows(item);
  counters_.rows_in += input.rows;
  budget.rows -= std::min(budget.rows, input.rows / 4);
  const auto bound = inputs_.bound(item);
  groups_.split(input, s == 0 ? spec_.left_start : spec_.right_start,
                s == 0 ? spec_.left_end : spec_.right_end);
  if (!groups_.without_window().empty() && keeps_unmatched(spec_.type, s)) {
    // A NULL window equals no window.
    counters_.rows_out += groups_.without_window().size();
    out.emit(pairs_.pad(input, groups_.without_window(), s == 0));
  }
  counters_.late_rows += groups_.drop_late(
      [&](std::uint32_t row, micros end) { return inputs_.effective(input, row, bound) >= end; },
      input.watermarks ? window_rows::each_row : window_rows::whole_windows);
  if (!keys(s).empty()) {
    hashes_.resize(input.rows);
    hash_keys(key_columns(input, keys(s)), input.rows, hashes_.data());
  }
  for (const auto& group : groups_.groups())
    EBB_TRY(keep(input, s, group));
  return {};
}

result<void> window_join::keep(const batch& input, std::size_t s, const window_rows::group& group) {
  auto picks = group.rows;
  const auto& key = keys(s);
  const bool nullable = std::any_of(key.begin(), key.end(),
                                    [&](std::uint32_t k) { return input.columns[k].has_nulls(); });
  const auto has_null = [&](std::uint32_t row) {
    return nullable && std::any_of(key.begin(), key.end(), [&](std::uint32_t k) {
             return input.columns[k].is_null(row);
           });
  };
  if (nullable && !keeps_unmatched(spec_.type, s))
    std::erase_if(picks, has_null);
  if (picks.empty())
    return {};
  auto& side = window_at({group.end, group.start, 0}).sides[s];
  const auto count = static_cast<std::uint32_t>(picks.size());
  rows_.resize(count);
  EBB_TRY(
      side.rows.append(input, count == input.rows ? nullptr : picks.data(), count, rows_.data()));
  for (std::uint32_t i = 0; i < count; ++i) {
    if (has_null(picks[i])) {
      side.lone.push_back(rows_[i]);
      continue;
    }
    side.joinable.push_back(rows_[i]);
    if (!key.empty())
      side.hashes.push_back(hashes_[picks[i]]);
  }
  return {};
}

// Lists the rows that changed since a mark, by key group.
void window_join::sort_rows(change_mark since) const {
  if (buckets_fresh_ && buckets_since_ == since)
    return;
  buckets_fresh_ = true;
  buckets_since_ = since;
  saved_.clear();
  std::vector<std::uint16_t> groups;
  for (const auto& entry : windows_) {
    const auto& [name, window] = entry;
    const bool firing = fire_.active() && &entry == &*windows_.begin();
    const bool whole = firing || dropped_.erases(since, prefix_of(name));
    const auto end_type = context_.inputs[0][spec_.left_end];
    for (std::uint8_t s = 0; s < 2; ++s) {
      const auto& side = window.sides[s];
      const auto first = whole ? 0 : window.first_after(s, since);
      const auto list = [&](const std::vector<std::uint32_t>& rows, bool lone) {
        for (std::uint32_t i = 0; i < rows.size(); ++i)
          if (side.rows.sequence_of(rows[i]) >= first && !(firing && fire_.done(s, lone, i)))
            saved_.push_back({&entry, rows[i], i, s, lone});
      };
      const auto from = saved_.size();
      list(side.joinable, false);
      list(side.lone, true);
      // The key group of each row, by its keys or its window's end.
      std::vector<std::uint32_t> rows;
      for (auto i = from; i < saved_.size(); ++i)
        rows.push_back(saved_[i].row);
      std::vector<std::uint64_t> hashes(rows.size());
      if (!keys(s).empty())
        hash_stored(side.rows, keys(s), rows, hashes.data());
      else
        std::fill(hashes.begin(), hashes.end(), hash_of_time(name.end, end_type));
      for (const auto hash : hashes)
        groups.push_back(key_group_of(hash, context_.key_groups));
    }
  }
  buckets_.build(context_.key_groups, static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return groups[i]; });
}

std::string window_join::value_of(const saved_row& x) const {
  const auto& [name, window] = *x.window;
  const auto& side = window.sides[x.side];
  const bool firing = fire_.active() && x.window == &*windows_.begin();
  std::uint8_t flags = 0;
  std::uint64_t met = 0;
  if (firing || window.probing) {
    const auto probing = firing ? fire_.probing() : *window.probing;
    flags |= flag_begun;
    if (probing == 1)
      flags |= flag_probing_right;
    if (!x.lone && side.matched.has(side.rows, x.row) && side.matched.at(side.rows, x.row) != 0)
      flags |= flag_matched;
    if (x.side == probing && !x.lone)
      met = firing && fire_.is_current(x.at) ? fire_.met() : window.met_before(x.row);
    if (met != 0)
      flags |= flag_partial;
  }
  std::string value(1, static_cast<char>(flags));
  if (met != 0)
    put_sequence(met, value);
  side.rows.encode(x.row, value);
  return value;
}

void window_join::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  sort_rows(since);
  dropped_.save(since, 2, sink);
  if (since != 0 && fire_.active())
    for (std::uint16_t state = 0; state < 2; ++state)
      sink.erase_prefix(state, prefix_of(windows_.begin()->first));
  std::array<entry_list, 2> entries;
  for (const auto i : buckets_.of(key_group)) {
    const auto& x = saved_[i];
    const auto& rows = x.window->second.sides[x.side].rows;
    auto key = prefix_of(x.window->first);
    put_row_key(rows, keys(x.side), x.row, key);
    put_sequence(rows.sequence_of(x.row), key);
    entries[x.side].add(std::move(key), value_of(x));
  }
  for (std::uint16_t state = 0; state < 2; ++state)
    entries[state].put_sorted(state, sink);
}

result<void> window_join::load(std::uint16_t, std::uint16_t state, std::string_view key,
                               std::string_view value) {
  if (state > 1 || value.empty())
    return make_error(ec::corrupt, "a windowed join's state entry has an unknown kind");
  const auto flags = static_cast<std::uint8_t>(value.front());
  value.remove_prefix(1);
  window_name name;
  EBB_ASSIGN(name.end, take_time(key));
  EBB_ASSIGN(name.start, take_time(key));
  EBB_ASSIGN(const auto sequence, take_last_sequence(key));
  const std::uint8_t probing = (flags & flag_probing_right) != 0 ? 1 : 0;
  if ((flags & flag_begun) != 0)
    name.begun = static_cast<std::uint8_t>(1 + probing);
  std::uint64_t met = 0;
  if ((flags & flag_partial) != 0) {
    EBB_ASSIGN(met, take_sequence(value));
  }
  auto& window = window_at(name);
  auto& side = window.sides[state];
  EBB_ASSIGN(const auto row, side.rows.append_encoded(value, sequence));
  if ((flags & flag_begun) != 0)
    window.probing = probing;
  if (met != 0)
    window.partial.emplace_back(row, met);
  side.matched.grow(side.rows, 0);
  side.matched.at(side.rows, row) = (flags & flag_matched) != 0 ? 1 : 0;
  const auto& own = keys(state);
  if (std::any_of(own.begin(), own.end(),
                  [&](std::uint32_t k) { return side.rows.is_null(k, row); })) {
    side.lone.push_back(row);
    return {};
  }
  side.joinable.push_back(row);
  if (!own.empty()) {
    side.hashes.push_back(0);
    hash_stored(side.rows, own, {&row, 1}, &side.hashes.back());
  }
  return {};
}

} // namespace

std::unique_ptr<stream_operator> make_window_join(const window_join_spec& spec,
                                                  operator_context context) {
  return std::make_unique<window_join>(spec, std::move(context));
}

std::vector<sql_type> output_types_of(const window_join_spec&,
                                      const std::vector<std::vector<sql_type>>& inputs) {
  auto result = inputs[0];
  result.insert(result.end(), inputs[1].begin(), inputs[1].end());
  return result;
}

} // namespace ebb
