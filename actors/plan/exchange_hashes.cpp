#include "actors/plan/exchange_hashes.hpp"

namespace ebb {

bool hashes_come_along(const operator_spec& spec, const std::vector<std::uint32_t>& columns) {
  const auto* window = std::get_if<window_aggregate_spec>(&spec);
  const auto* group = std::get_if<group_aggregate_spec>(&spec);
  const bool partial = (window != nullptr && window->phase == aggregate_phase::partial)
                       || (group != nullptr && group->phase == group_phase::partial);
  if (!partial || (window != nullptr ? window->keys : group->keys).size() != columns.size())
    return false;
  for (std::uint32_t k = 0; k < columns.size(); ++k)
    if (columns[k] != k)
      return false;
  return !columns.empty();
}

} // namespace ebb
