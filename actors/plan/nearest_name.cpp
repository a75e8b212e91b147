#include "actors/plan/manifest.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// Edit distance with swaps of neighbours, given up at `limit` + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  const auto difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference > limit)
    return limit + 1;
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t change = a[i - 1] == b[k - 1] ? 0 : 1;
      row[k] = std::min({last[k] + 1, row[k - 1] + 1, last[k - 1] + change});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
        row[k] = std::min(row[k], before[k - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

} // namespace

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  // Names in SQL and in manifests are at most 63 bytes; a longer word is no slip of the finger.
  constexpr std::size_t longest = 256;
  if (word.empty() || word.size() > longest)
    return {};
  const std::size_t limit = word.size() / 3;
  std::size_t best = limit + 1;
  std::string nearest;
  for (const auto& candidate : candidates) {
    const auto distance = edit_distance(word, candidate, limit);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

} // namespace ebb
