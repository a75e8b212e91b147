#include "actors/dataflow/operators/window_join.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
#include "actors/dataflow/operators/spread_rows.hpp"
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

using spread_row = loaded_spread_row<window_name>;

// Bits of the first byte of an entry's value.
constexpr std::uint8_t flag_matched = 1;
constexpr std::uint8_t flag_begun = 2;
constexpr std::uint8_t flag_probing_right = 4;
constexpr std::uint8_t flag_partial = 8;
constexpr std::uint8_t flag_passed = 16; ///< needs no partners any more

constexpr std::uint16_t watermark_state = 2; ///< 0 and 1: the rows of the sides

class window_join final : public stream_operator {
public:
  window_join(const window_join_spec& spec, operator_context context)
      : spec_(spec), context_(std::move(context)),
        pairs_(context_.inputs[0], context_.inputs[1], spec.left_keys, spec.right_keys,
               spec.residual, context_.name),
        fire_(spec_, pairs_), own_(context_), acted_(context_.key_groups) {}

  result<bool> step(stream_item* item, step_budget& budget, output& out) override {
    buckets_fresh_ = false;
    EBB_TRY(finish_load());
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
    if (auto built = finish_load(); !built)
      load_failure_ = std::move(built).error();
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

  bool is_spread(std::size_t side) const noexcept {
    return spec_.spread == static_cast<std::int32_t>(side);
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

  result<std::uint32_t> add_loaded(join_window& window, std::size_t side, bool passed,
                                   std::uint64_t sequence, std::string_view value);

  // The first save after a restart puts the spread side down as ours.
  [[nodiscard]] bool rewrites(change_mark since) const noexcept {
    return restored_spread_ && since == 1;
  }

  result<void> finish_load();

  struct saved_row {
    const window_map::value_type* window;
    std::uint32_t row;
    std::uint32_t at; ///< place in its list
    std::uint8_t side;
    bool lone;
  };

  void sort_rows(change_mark since) const;
  void groups_of(const window_map::value_type& window, std::size_t side,
                 std::span<const std::uint32_t> rows, std::vector<std::uint16_t>& groups) const;
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

  owned_groups own_;
  acted_watermark acted_;
  std::vector<spread_row> loaded_spread_;
  std::vector<std::uint16_t> writers_; ///< of what was loaded of the spread side, if we own them
  bool restored_spread_ = false;
  std::optional<error> load_failure_;
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
  if (!keys(s).empty()) {
    hashes_.resize(input.rows);
    hash_keys(key_columns(input, keys(s)), input.rows, hashes_.data());
  }
  const bool uneven = acted_.uneven() && spec_.spread < 0;
  const auto late = [&](std::uint32_t row, micros end) {
    if (inputs_.effective(input, row, bound) >= end)
      return true;
    return uneven
           && end <= acted_.of(keys(s).empty()
                                   ? hash_of_time(end, context_.inputs[0][spec_.left_end])
                                   : hashes_[row]);
  };
  counters_.late_rows += groups_.drop_late(
      late, input.watermarks || uneven ? window_rows::each_row : window_rows::whole_windows);
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
  if (spec_.spread >= 0 && !is_spread(s)) {
    side.homes.grow(side.rows, 0);
    for (const auto row : rows_)
      side.homes.at(side.rows, row) = own_.pick(side.rows.sequence_of(row));
  }
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

// Where the rows of one side of one window are saved. Bucket `key_groups`: with no key group.
void window_join::groups_of(const window_map::value_type& window, std::size_t s,
                            std::span<const std::uint32_t> rows,
                            std::vector<std::uint16_t>& groups) const {
  const auto& side = window.second.sides[s];
  if (is_spread(s)) {
    groups.insert(groups.end(), rows.size(), context_.key_groups);
  } else if (spec_.spread >= 0) {
    for (const auto row : rows)
      groups.push_back(side.homes.at(side.rows, row));
  } else if (keys(s).empty()) {
    const auto hash = hash_of_time(window.first.end, context_.inputs[0][spec_.left_end]);
    groups.insert(groups.end(), rows.size(), key_group_of(hash, context_.key_groups));
  } else {
    std::vector<std::uint64_t> hashes(rows.size());
    hash_stored(side.rows, keys(s), rows, hashes.data());
    for (const auto hash : hashes)
      groups.push_back(key_group_of(hash, context_.key_groups));
  }
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
    const bool dropped_before = dropped_.erases(since, prefix_of(name));
    for (std::uint8_t s = 0; s < 2; ++s) {
      const auto& side = window.sides[s];
      // The spread side's rows stay until the window goes.
      const bool fires = firing && !is_spread(s);
      const bool whole = fires || dropped_before || (is_spread(s) && rewrites(since));
      const auto first = whole ? 0 : window.first_after(s, since);
      std::vector<std::uint32_t> rows;
      const auto list = [&](const std::vector<std::uint32_t>& all, bool lone) {
        for (std::uint32_t i = 0; i < all.size(); ++i) {
          if (side.rows.sequence_of(all[i]) < first || (fires && fire_.done(s, lone, i)))
            continue;
          if (fires && !lone && fire_.passed(i)
              && (!keeps_unmatched(spec_.type, s) || side.matched.at(side.rows, all[i]) != 0))
            continue;
          saved_.push_back({&entry, all[i], i, s, lone});
          rows.push_back(all[i]);
        }
      };
      list(side.joinable, false);
      list(side.lone, true);
      groups_of(entry, s, rows, groups);
    }
  }
  buckets_.build(static_cast<std::uint16_t>(context_.key_groups + 1),
                 static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return groups[i]; });
}

std::string window_join::value_of(const saved_row& x) const {
  const auto& [name, window] = *x.window;
  const auto& side = window.sides[x.side];
  const bool firing = fire_.active() && x.window == &*windows_.begin() && !is_spread(x.side);
  std::uint8_t flags = 0;
  std::uint64_t met = 0;
  if (firing || window.probing) {
    const auto probing = firing ? fire_.probing() : *window.probing;
    if (spec_.spread < 0)
      flags |= probing == 1 ? flag_begun | flag_probing_right : flag_begun;
    if (!x.lone && side.matched.has(side.rows, x.row) && side.matched.at(side.rows, x.row) != 0)
      flags |= flag_matched;
    if (x.side == probing && !x.lone)
      met = firing && fire_.is_current(x.at) ? fire_.met() : window.met_before(x.row);
  } else if (spec_.spread >= 0 && !x.lone) {
    met = window.met_before(x.row); // as it was loaded
    if (side.matched.has(side.rows, x.row) && side.matched.at(side.rows, x.row) != 0)
      flags |= flag_matched;
  }
  // Without keys no row is alone for the lack of one.
  if (spec_.spread >= 0 && (x.lone ? keys(x.side).empty() : firing && fire_.passed(x.at)))
    flags |= flag_passed;
  if (met != 0)
    flags |= flag_partial;
  std::string value(1, static_cast<char>(flags));
  if (met != 0)
    put_sequence(met, value);
  side.rows.encode(x.row, value);
  return value;
}

void window_join::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  const bool unkeyed = key_group == unkeyed_group;
  if (unkeyed && spec_.spread < 0)
    return;
  sort_rows(since);
  std::string before;
  if (unkeyed) {
    put_writer(own_.first, before);
    if (rewrites(since))
      for (const auto writer : writers_) {
        std::string prefix;
        put_writer(writer, prefix);
        sink.erase_prefix(static_cast<std::uint16_t>(spec_.spread), prefix);
      }
  }
  dropped_.save(since, 2, sink, before);
  if (since != 0 && fire_.active() && !unkeyed)
    for (std::uint16_t state = 0; state < 2; ++state)
      sink.erase_prefix(state, prefix_of(windows_.begin()->first));
  std::array<entry_list, 2> entries;
  for (const auto i : buckets_.of(unkeyed ? context_.key_groups : key_group)) {
    const auto& x = saved_[i];
    const auto& rows = x.window->second.sides[x.side].rows;
    auto key = before + prefix_of(x.window->first);
    put_row_key(rows, keys(x.side), x.row, key);
    put_sequence(rows.sequence_of(x.row), key);
    entries[x.side].add(std::move(key), value_of(x));
  }
  for (std::uint16_t state = 0; state < 2; ++state)
    entries[state].put_sorted(state, sink);
  if (!unkeyed)
    acted_watermark::save(inputs_.merged(), watermark_state, sink);
}

result<void> window_join::load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                               std::string_view value) {
  if (state == watermark_state) {
    EBB_TRY(acted_.load(key_group, value));
    inputs_.restore(acted_.least());
    return {};
  }
  const bool unkeyed = key_group == unkeyed_group;
  if (state > 1 || value.empty() || unkeyed != is_spread(state))
    return make_error(ec::corrupt, "a windowed join's state entry has an unknown kind");
  std::uint16_t writer = 0;
  if (unkeyed) {
    EBB_ASSIGN(writer, take_writer(key));
    if (own_.contains(writer) && (writers_.empty() || writers_.back() != writer))
      writers_.push_back(writer);
  }
  const auto flags = static_cast<std::uint8_t>(value.front());
  value.remove_prefix(1);
  window_name name;
  EBB_ASSIGN(name.end, take_time(key));
  EBB_ASSIGN(name.start, take_time(key));
  EBB_ASSIGN(const auto sequence, take_last_sequence(key));
  if (unkeyed) {
    loaded_spread_.push_back({name, std::string(value), writer});
    return {};
  }
  const std::uint8_t probing = (flags & flag_probing_right) != 0 ? 1 : 0;
  if ((flags & flag_begun) != 0)
    name.begun = static_cast<std::uint8_t>(1 + probing);
  auto& window = window_at(name);
  if ((flags & flag_begun) != 0)
    window.probing = probing;
  std::uint64_t met = 0;
  if ((flags & flag_partial) != 0) {
    EBB_ASSIGN(met, take_sequence(value));
  }
  EBB_ASSIGN(const auto row,
             add_loaded(window, state, (flags & flag_passed) != 0, sequence, value));
  auto& side = window.sides[state];
  if (met != 0)
    window.partial.emplace_back(row, met);
  side.matched.grow(side.rows, 0);
  side.matched.at(side.rows, row) = (flags & flag_matched) != 0 ? 1 : 0;
  if (spec_.spread >= 0) {
    side.homes.grow(side.rows, 0);
    side.homes.at(side.rows, row) = key_group;
  }
  return {};
}

result<std::uint32_t> window_join::add_loaded(join_window& window, std::size_t s, bool passed,
                                              std::uint64_t sequence, std::string_view value) {
  auto& side = window.sides[s];
  EBB_ASSIGN(const auto row, side.rows.append_encoded(value, sequence));
  const auto& own = keys(s);
  if (passed || std::any_of(own.begin(), own.end(), [&](std::uint32_t k) {
        return side.rows.is_null(k, row);
      })) {
    side.lone.push_back(row);
    return row;
  }
  side.joinable.push_back(row);
  if (!own.empty()) {
    side.hashes.push_back(0);
    hash_stored(side.rows, own, {&row, 1}, &side.hashes.back());
  }
  return row;
}

// Each instance had saved the spread side as it knew it: one that was ahead no longer has the rows
// of a window that another one has not joined to its end. So a row is there as many times as in the
// copy that has it most often.
result<void> window_join::finish_load() {
  if (load_failure_)
    return *load_failure_;
  if (loaded_spread_.empty())
    return {};
  const auto s = static_cast<std::size_t>(spec_.spread);
  for (const auto& x : most_of_any_writer(std::move(loaded_spread_))) {
    auto& window = window_at(x.window);
    EBB_TRY(add_loaded(window, s, false, window.sides[s].rows.next_sequence(), x.value));
  }
  loaded_spread_.clear();
  restored_spread_ = true;
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
