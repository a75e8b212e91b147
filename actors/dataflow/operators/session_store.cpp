#include "actors/dataflow/operators/session_store.hpp"

#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

// Timer buckets a gap: each session is looked at about once a gap, and a bucket that has come only
// in part is small.
constexpr micros buckets_per_gap = 64;

} // namespace

session_store::session_store(micros gap)
    : gap_(static_cast<std::uint64_t>(gap)),
      bucket_width_(std::max<micros>(1, gap / buckets_per_gap)) {
  EBB_ASSERT(gap > 0);
}

std::uint32_t session_store::take_slow(std::uint32_t key, micros time) {
  auto& k = keys_[key];
  if (k.number == none) {
    k.number = make(key, time);
    k.first = k.last = time;
    return k.number;
  }
  if (time < k.first)
    return take_before_newest(key, time);
  if (time <= k.last)
    return k.number;
  if (near(k.last, time)) {
    k.last = time;
    return k.number;
  }
  move_newest_to_older(k);
  k.number = make(key, time);
  k.first = k.last = time;
  return k.number;
}

std::uint32_t session_store::take_before_newest(std::uint32_t key, micros time) {
  auto& k = keys_[key];
  if (!near(time, k.first))
    return take_among_older(key, time);
  k.first = time;
  if (!k.older || k.older->empty())
    return k.number;
  const auto before = std::prev(k.older->end());
  if (near(before->second.last, time)) {
    k.first = before->first;
    merge_away(before->second.number, k.number);
    --k.count;
    k.older->erase(before);
  }
  return k.number;
}

std::uint32_t session_store::take_among_older(std::uint32_t key, micros time) {
  auto& k = keys_[key];
  if (!k.older)
    k.older = std::make_unique<older_sessions>();
  auto& older = *k.older;
  const auto after = older.upper_bound(time);
  const auto before = after == older.begin() ? older.end() : std::prev(after);
  const bool touches_before =
      before != older.end() && (time <= before->second.last || near(before->second.last, time));
  const bool touches_after = after != older.end() && near(time, after->first);
  if (touches_before) {
    auto& x = before->second;
    x.last = std::max(x.last, time);
    if (touches_after) {
      x.last = after->second.last;
      merge_away(after->second.number, x.number);
      --k.count;
      older.erase(after);
    }
    return x.number;
  }
  if (touches_after) {
    const auto x = after->second;
    older.erase(after);
    add_older(k, time, x);
    return x.number;
  }
  const older_session x{time, make(key, time)};
  add_older(k, time, x);
  return x.number;
}

void session_store::move_newest_to_older(key_sessions& k) {
  if (!k.older)
    k.older = std::make_unique<older_sessions>();
  add_older(k, k.first, {k.last, k.number});
}

void session_store::add_older(key_sessions& k, micros first, const older_session& x) {
  k.older->emplace(first, x);
  owners_[x.number].first = first;
}

std::uint32_t session_store::make(std::uint32_t key, micros time) {
  std::uint32_t number = 0;
  if (free_.empty()) {
    number = number_count();
    EBB_ASSERT(number < none);
    owners_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  owners_[number] = owner{time, key};
  ++keys_[key].count;
  set_timer(end_of(time), number);
  return number;
}

void session_store::merge_away(std::uint32_t from, std::uint32_t into) {
  owners_[from].key = none;
  merges_.push_back({into, from});
}

micros session_store::bucket_of(micros end) const noexcept {
  return end / bucket_width_ - (end % bucket_width_ < 0 ? 1 : 0);
}

void session_store::set_timer(micros end, std::uint32_t number) {
  timers_[bucket_of(end)].push_back(number);
}

micros session_store::end_touched(std::uint32_t key, micros time) const {
  const auto& k = keys_[key];
  micros end = max_time;
  const auto look = [&](micros first, micros last) {
    if (time >= first ? time <= last || near(last, time) : near(time, first))
      end = std::min(end, end_of(last));
  };
  if (k.number != none)
    look(k.first, k.last);
  if (k.older) {
    const auto after = k.older->upper_bound(time);
    if (after != k.older->end())
      look(after->first, after->second.last);
    if (after != k.older->begin())
      look(std::prev(after)->first, std::prev(after)->second.last);
  }
  return end;
}

session_store::session session_store::find(std::uint32_t number) const {
  const auto& who = owners_[number];
  const auto& k = keys_[who.key];
  if (k.number == number)
    return {k.first, k.last, number, who.key};
  const auto x = k.older->find(who.first);
  EBB_ASSERT(x != k.older->end() && x->second.number == number);
  return {x->first, x->second.last, number, who.key};
}

void session_store::remove(const session& x) {
  auto& k = keys_[x.key];
  if (k.number != x.number) {
    k.older->erase(x.first);
    return;
  }
  k.number = none;
  if (!k.older || k.older->empty())
    return;
  // The newest ends last, so this is only where it is no later than an older one of equal end.
  const auto newest = std::prev(k.older->end());
  k.first = newest->first;
  k.last = newest->second.last;
  k.number = newest->second.number;
  k.older->erase(newest);
}

void session_store::expire(micros time, std::vector<session>& out) {
  const auto from = out.size();
  std::vector<std::uint32_t> grown;
  while (!timers_.empty()) {
    const auto bucket = timers_.begin();
    if (int128{bucket->first} * bucket_width_ >= time && time != max_time)
      break;
    auto& numbers = bucket->second;
    const bool all = (int128{bucket->first} + 1) * bucket_width_ <= time;
    std::size_t kept = 0;
    for (const auto number : numbers) {
      if (owners_[number].key == none) {
        free_.push_back(number);
        continue;
      }
      const auto x = find(number);
      const auto end = end_of(x.last);
      if (end < time || time == max_time) {
        remove(x);
        out.push_back(x);
      } else if (bucket_of(end) == bucket->first) {
        numbers[kept++] = number;
      } else {
        grown.push_back(number);
      }
    }
    numbers.resize(kept);
    EBB_ASSERT(!all || kept == 0);
    const bool partial = kept != 0;
    if (!partial)
      timers_.erase(bucket);
    for (const auto number : grown)
      set_timer(end_of(find(number).last), number);
    grown.clear();
    if (partial)
      break;
  }
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
            [this](const session& a, const session& b) {
              return pane_id{end_of(a.last), a.first} < pane_id{end_of(b.last), b.first};
            });
}

void session_store::release(const session& x) {
  --keys_[x.key].count;
  owners_[x.number].key = none;
  free_.push_back(x.number);
}

micros session_store::next_end() const noexcept {
  if (timers_.empty())
    return max_time;
  // The end of the first bucket: all sessions with a timer there have ended or grown by then.
  const auto end = (int128{timers_.begin()->first} + 1) * bucket_width_;
  return end > max_time ? max_time : static_cast<micros>(end);
}

void session_store::sessions_of(std::uint32_t key, std::vector<session>& out) const {
  const auto& k = keys_[key];
  if (k.older)
    for (const auto& [first, x] : *k.older)
      out.push_back({first, x.last, x.number, key});
  if (k.number != none)
    out.push_back({k.first, k.last, k.number, key});
}

std::uint32_t session_store::restore(std::uint32_t key, micros first, micros last) {
  auto& k = keys_[key];
  if (k.number != none)
    move_newest_to_older(k);
  k.number = make(key, last);
  k.first = first;
  k.last = last;
  return k.number;
}

session_store::session session_store::restore_expired(std::uint32_t key, micros first,
                                                      micros last) {
  std::uint32_t number = number_count();
  owners_.push_back(owner{first, key});
  ++keys_[key].count;
  return {first, last, number, key};
}

std::size_t session_store::byte_size() const noexcept {
  return keys_.capacity() * sizeof(key_sessions) + owners_.capacity() * sizeof(owner)
         + owners_.size() * sizeof(std::uint32_t);
}

} // namespace ebb
