#include "actors/plan/exchange_hashes.hpp"

namespace ebb {

bool hashes_come_along(const operator_spec& spec, const std::vector<std::uint32_t>& columns) {
  const auto* x = std::get_if<window_aggregate_spec>(&spec);
  if (x == nullptr || x->phase != aggregate_phase::partial || x->keys.size() != columns.size())
    return false;
  for (std::uint32_t k = 0; k < columns.size(); ++k)
    if (columns[k] != k)
      return false;
  return !columns.empty();
}

} // namespace ebb
