#include "actors/dataflow/cold_ranges.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

/// Once one in so many ranges has been taken, the rest is read, too.
constexpr std::size_t enough_share = 4;
constexpr std::size_t prefix_bytes = 4;

std::string bytes_of(std::uint16_t key_group, std::uint16_t state, std::string_view key) {
  std::string bytes;
  bytes.reserve(prefix_bytes + key.size());
  for (const auto x : {key_group, state}) {
    bytes.push_back(static_cast<char>(x >> 8));
    bytes.push_back(static_cast<char>(x & 0xff));
  }
  bytes += key;
  return bytes;
}

std::string bytes_of(const state_place& x) {
  return bytes_of(x.key_group, x.state, x.key);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8
                                    | static_cast<unsigned char>(bytes[at + 1]));
}

state_place place_of(std::string_view bytes) {
  return {number_at(bytes, 0), number_at(bytes, 2), std::string(bytes.substr(prefix_bytes))};
}

} // namespace

cold_ranges::cold_ranges(const state_place& from, const std::vector<state_place>& cuts,
                         const state_place& to)
    : first_group_(from.key_group), left_(to.key_group - from.key_group + std::size_t{1}) {
  auto first = bytes_of(from);
  auto last = bytes_of(to);
  EBB_ASSERT(first < last);
  ranges_.emplace(std::move(first), status::cold);
  for (const auto& x : cuts) {
    auto at = bytes_of(x);
    EBB_ASSERT(ranges_.begin()->first <= at && at < last);
    ranges_.emplace(std::move(at), status::cold);
  }
  cold_ = ranges_.size();
  ranges_.emplace(std::move(last), status::loaded);
  next_ = ranges_.begin();
  for (auto x = ranges_.begin(); std::next(x) != ranges_.end(); ++x)
    count_groups(x, 1);
}

// A range that ends at the begin of a group counts for that as well, which does no harm.
void cold_ranges::count_groups(range x, std::int32_t by) {
  for (std::size_t group = number_at(x->first, 0); group <= number_at(std::next(x)->first, 0);
       ++group)
    left_[group - first_group_] += by;
}

cold_ranges::range cold_ranges::find(std::string_view place) {
  const auto after = ranges_.upper_bound(place);
  EBB_ASSERT(after != ranges_.begin() && after != ranges_.end());
  return std::prev(after);
}

void cold_ranges::cut(std::string_view place) {
  if (place <= ranges_.begin()->first || place >= ranges_.rbegin()->first)
    return;
  const auto whole = find(place);
  if (whole->second != status::cold || whole->first == place)
    return;
  count_groups(whole, -1);
  const auto second = ranges_.emplace_hint(std::next(whole), place, status::cold);
  count_groups(whole, 1);
  count_groups(second, 1);
  ++cold_;
}

void cold_ranges::cut(const state_place& at) {
  cut(bytes_of(at));
}

void cold_ranges::want(range x) {
  if (x->second != status::cold && x->second != status::asked)
    return;
  if (x->second == status::cold)
    wanted_.push_back(x);
  x->second = x->second == status::cold ? status::wanted : status::wanted_asked;
  ++missing_;
}

void cold_ranges::want(std::uint16_t key_group, std::uint16_t state, std::string_view key) {
  want(find(bytes_of(key_group, state, key)));
}

void cold_ranges::want_span(const state_place& from, const state_place& to) {
  const auto first = bytes_of(from);
  const auto last = bytes_of(to);
  if (first >= last)
    return;
  cut(first);
  cut(last);
  for (auto x = find(first); x->first < last && std::next(x) != ranges_.end(); ++x)
    want(x);
}

std::vector<cold_span> cold_ranges::take(std::size_t most) {
  std::vector<range> taken;
  if (!wanted_.empty()) {
    // In order, so that neighbours are read in one go.
    std::sort(wanted_.begin(), wanted_.end(),
              [](const auto& x, const auto& y) { return x->first > y->first; });
    while (!wanted_.empty() && taken.size() < most) {
      taken.push_back(wanted_.back());
      wanted_.pop_back();
      taken.back()->second = status::wanted_asked;
    }
  } else if (taken_ * enough_share >= ranges_.size() - 1) {
    for (; std::next(next_) != ranges_.end() && taken.size() < most; ++next_)
      if (next_->second == status::cold) {
        taken.push_back(next_);
        next_->second = status::asked;
      }
  }
  taken_ += taken.size();
  std::vector<cold_span> spans;
  range end = ranges_.end();
  for (const auto& x : taken) {
    if (x != end || spans.empty())
      spans.push_back({place_of(x->first), {}});
    end = std::next(x);
    spans.back().to = place_of(end->first);
  }
  return spans;
}

void cold_ranges::loaded(const cold_span& span) {
  const auto end = bytes_of(span.to);
  for (auto x = find(bytes_of(span.from)); x->first < end; ++x) {
    EBB_ASSERT(x->second == status::asked || x->second == status::wanted_asked);
    missing_ -= x->second == status::wanted_asked ? 1 : 0;
    x->second = status::loaded;
    --cold_;
    count_groups(x, -1);
  }
}

} // namespace ebb
