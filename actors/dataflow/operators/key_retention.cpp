#include "actors/dataflow/operators/key_retention.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/interval_bounds.hpp"
#include "actors/dataflow/operators/time_keys.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::uint32_t looks_per_row = 64;

} // namespace

key_retention::key_retention(const retention_spec& spec, const key_index& index,
                             const operator_context& context)
    : spec_(spec), index_(index), key_groups_(context.key_groups), own_(context),
      grain_(std::max<micros>(1, spec.span / 16)) {}

void key_retention::advance(micros time) {
  // The end of the input is no time at which anything gets old.
  if (!active() || time == max_time || time <= now_)
    return;
  now_ = time;
  now_changed_at_ = mark_;
  settle_recent();
  if (at_ < end_ || now_ < next_sweep_)
    return;
  make_room();
  at_ = 0;
  end_ = static_cast<std::uint32_t>(written_.size());
  next_sweep_ = add_time(now_, std::max<micros>(1, spec_.span / 8));
}

void key_retention::settle_recent() {
  for (const auto slot : recent_)
    if (const auto at = written_[slot];
        at != no_key && at != now_ && (at == min_time || (now_ > at && now_ - at >= grain_)))
      renew(slot);
  recent_.clear();
}

// Time stands still.
void key_retention::drop_repeated() {
  std::sort(recent_.begin(), recent_.end());
  recent_.erase(std::unique(recent_.begin(), recent_.end()), recent_.end());
}

bool key_retention::sweep(step_budget& budget, std::vector<std::uint32_t>& expired) {
  if (at_ == end_)
    return false;
  const auto room = std::uint64_t{budget.rows} * looks_per_row;
  const auto last = static_cast<std::uint32_t>(std::min<std::uint64_t>(end_, at_ + room));
  const auto limit = add_time(now_, -add_time(spec_.span, grain_));
  const auto most = expired.size() + budget.rows;
  for (; at_ < last && expired.size() < most; ++at_) {
    if (written_[at_] == no_key)
      continue;
    if (written_[at_] == min_time)
      renew(at_); // before time was known
    else if (written_[at_] <= limit)
      expired.push_back(at_);
  }
  budget.rows = static_cast<std::uint32_t>(most - expired.size());
  return at_ < end_;
}

void key_retention::forget(std::uint32_t slot) {
  if (!active() || slot >= written_.size() || written_[slot] == no_key)
    return;
  if (saving_ && slot < frozen_.size() && frozen_[slot] != no_key) {
    put(slot, frozen_[slot], early_);
    frozen_[slot] = no_key;
  }
  written_[slot] = no_key;
  if (saved_[slot] == 0)
    return;
  saved_[slot] = 0;
  std::string key;
  index_.encode(slot, key);
  erased_.add(mark_, key_group_of(index_.hash_of(slot), key_groups_), key);
}

void key_retention::mark() {
  // What is restored must not be older than it is known to be.
  settle_recent();
  saving_ = false;
  erased_.forget(asked_);
  const auto kept = std::upper_bound(changes_.begin(), changes_.end(), asked_,
                                     [](change_mark at, const auto& x) { return at < x.first; });
  changes_.erase(changes_.begin(), kept);
  ++mark_;
}

void key_retention::begin_save(change_mark since) {
  if (!active())
    return;
  make_room();
  saving_ = true;
  since_ = since;
  asked_ = std::max(asked_, since);
  erased_end_ = erased_.end();
  next_erased_ = since == 0 ? erased_end_ : erased_.first_after(since);
  early_ = {};
  next_frozen_ = 0;
  frozen_now_ = now_;
  next_group_ = time_to_save(since) ? 0 : own_.count;
  frozen_list_.clear();
  frozen_.assign(written_.size(), no_key);
  const auto freeze = [this](std::uint32_t slot) {
    if (written_[slot] == no_key || frozen_[slot] != no_key)
      return;
    frozen_[slot] = written_[slot];
    frozen_list_.push_back(slot);
  };
  if (since == 0)
    for (std::uint32_t slot = 0; slot < written_.size(); ++slot)
      freeze(slot);
  else
    for (auto x = std::upper_bound(changes_.begin(), changes_.end(), since,
                                   [](change_mark at, const auto&y) { return at < y.first; });
         x != changes_.end(); ++x)
      freeze(x->second);
}

bool key_retention::erase_slice(std::uint32_t& left, state_sink& sink) {
  if (!saving_)
    return true;
  erased_.save(next_erased_, erased_end_, since_, state, left, sink);
  return next_erased_ == erased_end_;
}

bool key_retention::save_slice(std::uint32_t& left, state_sink& sink) {
  if (!saving_)
    return true;
  left -= early_.drain(left, sink);
  for (; next_group_ < own_.count && left != 0; ++next_group_, --left) {
    sink.select_group(static_cast<std::uint16_t>(own_.first + next_group_));
    put_time(frozen_now_, sink);
  }
  for (; next_frozen_ < frozen_list_.size() && left != 0; ++next_frozen_, --left) {
    auto& time = frozen_[frozen_list_[next_frozen_]];
    if (time != no_key)
      put(frozen_list_[next_frozen_], time, sink);
    time = no_key;
  }
  saving_ = next_frozen_ < frozen_list_.size() || next_group_ < own_.count || !early_.empty();
  return !saving_;
}

void key_retention::put(std::uint32_t slot, micros time, state_sink& sink) const {
  std::string key;
  std::string value;
  index_.encode(slot, key);
  append_time_key(time, value);
  sink.select_group(key_group_of(index_.hash_of(slot), key_groups_));
  sink.put(state, key, value);
  saved_[slot] = 1;
}

void key_retention::put_time(micros time, state_sink& sink) {
  std::string value;
  append_time_key(time, value);
  sink.put(state, {}, value);
}

void key_retention::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  if (!active())
    return;
  if (since != 0)
    erased_.save_group(key_group, since, state, sink);
  if (time_to_save(since) && own_.contains(key_group))
    put_time(now_, sink);
  std::vector<std::uint32_t> slots;
  index_.slots_of_group(key_group, slots);
  std::vector<std::pair<std::string, std::uint32_t>> keys;
  for (const auto slot : slots)
    if (slot < written_.size() && written_[slot] != no_key) {
      keys.emplace_back(std::string{}, slot);
      index_.encode(slot, keys.back().first);
    }
  std::sort(keys.begin(), keys.end());
  for (const auto& [key, slot] : keys)
    put(slot, written_[slot], sink);
}

result<void> key_retention::load(std::string_view key, std::string_view value) {
  EBB_ASSIGN(const auto time, take_time_key(value));
  if (key.empty())
    loaded_now_ = std::max(loaded_now_, time);
  else
    loaded_[std::string(key)] = time;
  return {};
}

// Keys that nothing is known of count from now.
void key_retention::finish_load() {
  if (!active())
    return;
  advance(loaded_now_);
  now_changed_at_ = 0;
  make_room();
  std::vector<std::uint32_t> slots;
  for (std::uint32_t group = 0; group < key_groups_; ++group)
    index_.slots_of_group(static_cast<std::uint16_t>(group), slots);
  std::string key;
  for (const auto slot : slots) {
    if (written_[slot] != no_key)
      continue;
    key.clear();
    index_.encode(slot, key);
    const auto found = loaded_.find(key);
    if (found == loaded_.end()) {
      renew(slot);
      continue;
    }
    written_[slot] = found->second;
    saved_[slot] = 1;
  }
  loaded_.clear();
}

} // namespace ebb
