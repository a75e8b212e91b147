#include "storage/erased_prefixes.hpp"

#include <algorithm>
#include <tuple>

namespace ebb {

erased_prefixes::erased_prefixes(std::vector<erased_prefix> prefixes) {
  const auto order = [](const erased_prefix& x) {
    return std::tuple{x.key_group, x.state, std::string_view{x.prefix}};
  };
  std::sort(prefixes.begin(), prefixes.end(),
            [&](const auto& a, const auto& b) { return order(a) < order(b); });
  // A prefix sorts directly before all that it covers, so the last one kept is the only candidate.
  for (auto& x : prefixes)
    if (!covers(x.key_group, x.state, x.prefix))
      prefixes_.push_back(std::move(x));
}

bool erased_prefixes::covers(std::uint16_t key_group, std::uint16_t state,
                             std::string_view key) const noexcept {
  const auto wanted = std::tuple{key_group, state, key};
  const auto after = std::upper_bound(
      prefixes_.begin(), prefixes_.end(), wanted, [](const auto& a, const erased_prefix& b) {
        return a < std::tuple{b.key_group, b.state, std::string_view{b.prefix}};
      });
  if (after == prefixes_.begin())
    return false;
  const auto& candidate = *std::prev(after);
  return candidate.key_group == key_group && candidate.state == state
         && key.starts_with(candidate.prefix);
}

} // namespace ebb
