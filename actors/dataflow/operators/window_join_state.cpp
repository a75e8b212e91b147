#include "actors/dataflow/operators/window_join_state.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/window_rows.hpp"

#include <algorithm>

namespace ebb {

namespace {

// Bits of the first byte of an entry's value.
constexpr std::uint8_t flag_matched = 1;
constexpr std::uint8_t flag_begun = 2;
constexpr std::uint8_t flag_probing_right = 4;
constexpr std::uint8_t flag_partial = 8;
constexpr std::uint8_t flag_passed = 16; ///< needs no partners any more

} // namespace

window_join_state::window_join_state(const window_join_spec& spec, const operator_context& context,
                                     const window_fire& fire)
    : acted(context.key_groups), spec_(spec), inputs_(context.inputs), fire_(fire),
      key_groups_(context.key_groups), own_(context) {}

std::string window_join_state::prefix_of(const window_name& name) {
  std::string prefix;
  put_time(name.end, prefix);
  put_time(name.start, prefix);
  return prefix;
}

void window_join_state::drop_first() {
  const auto first = windows_.begin();
  // Windows that no save has seen need no erasing.
  if (first->second.base + 1 < current_)
    dropped_.add(current_, prefix_of(first->first));
  if (save_)
    save_->windows.drop_first(windows_);
  else
    windows_.erase(first);
}

void window_join_state::note_homes(window_side& side, std::span<const std::uint32_t> rows) const {
  side.homes.grow(side.rows, 0);
  for (const auto row : rows)
    side.homes.at(side.rows, row) = own_.pick(side.rows.sequence_of(row));
}

std::size_t window_join_state::byte_size() const {
  std::size_t bytes = 0;
  for (const auto& [name, window] : windows_)
    for (const auto& side : window.sides)
      bytes += side.rows.byte_size() + side.joinable.size() * sizeof(std::uint32_t)
               + side.hashes.size() * sizeof(std::uint64_t);
  return bytes;
}

change_mark window_join_state::mark() {
  if (auto built = finish_load(); !built)
    load_failure_ = std::move(built).error();
  save_.reset(); // given up
  dropped_.forget();
  for (auto& [name, window] : windows_)
    for (auto& side : window.sides)
      side.marks.mark(side.rows.next_sequence());
  return current_++;
}

const std::vector<std::uint32_t>& window_join_state::list_of(const listed_row& x) noexcept {
  const auto& side = x.window->second.sides[x.side];
  return x.lone ? side.lone : side.joinable;
}

// Whether all rows of a window's side are written, though they were before.
bool window_join_state::is_whole(const window_map::value_type& window, std::size_t side,
                                 change_mark since) const {
  if (since == 0 || (is_spread(side) && rewrites(since)))
    return true;
  // Windows of one name have one prefix. Only a restart makes several.
  if (window.second.base != 0)
    return false;
  const auto& first = windows_.begin()->first;
  return (fire_.active() && !is_spread(side) && first.end == window.first.end
          && first.start == window.first.start)
         || dropped_.erases(since, prefix_of(window.first));
}

// Place in a list from which on rows are written.
std::size_t window_join_state::first_place(const window_map::value_type& window, std::size_t s,
                                           bool lone, change_mark since) const {
  const auto& side = window.second.sides[s];
  const auto& list = lone ? side.lone : side.joinable;
  // The spread side's rows stay until the window goes.
  if (is_firing(window) && !is_spread(s))
    return fire_.done(s, lone, list.size());
  if (is_whole(window, s, since))
    return 0;
  // Rows that were loaded come first, and have smaller sequences than any mark.
  const auto first = window.second.first_after(s, since);
  const auto at = std::partition_point(list.begin(), list.end(), [&](std::uint32_t row) {
    return side.rows.sequence_of(row) < first;
  });
  return static_cast<std::size_t>(at - list.begin());
}

// Whether the window's join still needs the row. `fired`: how far it had come.
bool window_join_state::is_left(const listed_row& x, const fire_progress* fired,
                                change_mark until) const {
  if (fired == nullptr || is_spread(x.side) || x.lone || !fired->passed(x.at))
    return true;
  const auto& side = x.window->second.sides[x.side];
  return keeps_unmatched(spec_.type, x.side) && !side.was_matched(side.joinable[x.at], until);
}

// Where the row is saved; the number of key groups: with no key group.
std::uint16_t window_join_state::group_of(const listed_row& x) const {
  const auto& side = x.window->second.sides[x.side];
  if (is_spread(x.side))
    return key_groups_;
  if (spec_.spread >= 0)
    return side.homes.at(side.rows, list_of(x)[x.at]);
  auto hash = hash_of_time(x.window->first.end, inputs_[0][spec_.left_end]);
  if (!keys(x.side).empty()) {
    if (x.lone)
      hash_stored(side.rows, keys(x.side), {&side.lone[x.at], 1}, &hash);
    else
      hash = side.hashes[x.at];
  }
  return key_group_of(hash, key_groups_);
}

void window_join_state::put_key(const listed_row& x, std::string& key) const {
  const auto& rows = x.window->second.sides[x.side].rows;
  const auto row = list_of(x)[x.at];
  if (is_spread(x.side))
    put_writer(own_.first, key);
  put_time(x.window->first.end, key);
  put_time(x.window->first.start, key);
  put_row_key(rows, keys(x.side), row, key);
  put_sequence(rows.sequence_of(row), key);
}

void window_join_state::put_value(const listed_row& x, const fire_progress* fired,
                                  change_mark until, std::string& value) const {
  const auto& window = x.window->second;
  const auto& side = window.sides[x.side];
  const auto row = list_of(x)[x.at];
  const bool fires = fired != nullptr && !is_spread(x.side);
  std::uint8_t flags = 0;
  std::uint64_t met = 0;
  if (fires || window.probing) {
    const auto probing = fires ? fired->probing() : *window.probing;
    if (spec_.spread < 0)
      flags |= probing == 1 ? flag_begun | flag_probing_right : flag_begun;
    if (!x.lone && side.was_matched(row, until))
      flags |= flag_matched;
    if (x.side == probing && !x.lone)
      met = fires && fired->is_current(x.at) ? fired->met() : window.met_before(row);
  } else if (spec_.spread >= 0 && !x.lone) {
    met = window.met_before(row); // as it was loaded
    if (side.was_matched(row, until))
      flags |= flag_matched;
  }
  // Without keys no row is alone for the lack of one.
  if (spec_.spread >= 0 && (x.lone ? keys(x.side).empty() : fires && fired->passed(x.at)))
    flags |= flag_passed;
  if (met != 0)
    flags |= flag_partial;
  value.assign(1, static_cast<char>(flags));
  if (met != 0)
    put_sequence(met, value);
  side.rows.encode(row, value);
}

void window_join_state::erase_writers(state_sink& sink) const {
  for (const auto writer : writers_) {
    std::string prefix;
    put_writer(writer, prefix);
    sink.erase_prefix(static_cast<std::uint16_t>(spec_.spread), prefix);
  }
}

// Of what is loaded, all is older than the first mark.
join_window& window_join_state::loaded_window(const window_name& name) {
  const auto [at, added] = windows_.try_emplace(name, inputs_[0], inputs_[1], 0);
  if (added)
    for (auto& side : at->second.sides)
      side.marks.loaded(current_ - 1, 0);
  return at->second;
}

result<void> window_join_state::load(std::uint16_t key_group, std::uint16_t state,
                                     std::string_view key, std::string_view value) {
  if (state == watermark_state)
    return acted.load(key_group, value);
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
  auto& window = loaded_window(name);
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

result<std::uint32_t> window_join_state::add_loaded(join_window& window, std::size_t s, bool passed,
                                                    std::uint64_t sequence,
                                                    std::string_view value) {
  auto& side = window.sides[s];
  EBB_ASSIGN(const auto row, side.rows.append_encoded(value, sequence));
  side.marks.loaded(current_ - 1, side.rows.next_sequence());
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
result<void> window_join_state::finish_load() {
  if (load_failure_)
    return *load_failure_;
  if (loaded_spread_.empty())
    return {};
  const auto s = static_cast<std::size_t>(spec_.spread);
  for (const auto& x : most_of_any_writer(std::move(loaded_spread_))) {
    auto& window = loaded_window(x.window);
    EBB_TRY(add_loaded(window, s, false, window.sides[s].rows.next_sequence(), x.value));
  }
  loaded_spread_.clear();
  restored_spread_ = true;
  return {};
}

} // namespace ebb
