#include "actors/dataflow/functions/regex_syntax.hpp"
#include "actors/dataflow/functions/unicode.hpp"

#include <algorithm>

namespace ebb {

code_set code_set::all() {
  code_set result;
  result.add(0, last_code);
  return result;
}

code_set code_set::words() {
  static const code_set made = [] {
    code_set set;
    set.add('0', '9');
    set.add('_', '_');
    for (const auto& range : unicode::alpha)
      set.add(range.first, range.last);
    set.normalize();
    return set;
  }();
  return made;
}

void code_set::add(const code_set& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
}

void code_set::normalize() {
  std::sort(ranges_.begin(), ranges_.end());
  std::size_t kept = 0;
  for (const auto& range : ranges_) {
    if (kept != 0 && range.first <= ranges_[kept - 1].second + 1)
      ranges_[kept - 1].second = std::max(ranges_[kept - 1].second, range.second);
    else
      ranges_[kept++] = range;
  }
  ranges_.resize(kept);
}

void code_set::complement() {
  std::vector<std::pair<char32_t, char32_t>> gaps;
  char32_t next = 0;
  for (const auto& [first, last] : ranges_) {
    if (first > next)
      gaps.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= last_code)
    gaps.emplace_back(next, last_code);
  ranges_ = std::move(gaps);
}

bool code_set::contains(char32_t c) const noexcept {
  const auto found =
      std::lower_bound(ranges_.begin(), ranges_.end(), c,
                       [](const auto& range, char32_t x) { return range.second < x; });
  return found != ranges_.end() && found->first <= c;
}

bool code_set::intersects(const code_set& other) const noexcept {
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    if (a->second < b->first)
      ++a;
    else if (b->second < a->first)
      ++b;
    else
      return true;
  }
  return false;
}

bool code_set::subset_of(const code_set& other) const {
  code_set outside = other;
  outside.complement();
  return !intersects(outside);
}

} // namespace ebb
