#include "actors/service/keeper/input_positions.hpp"

#include "actors/connectors/topic_position.hpp"

#include <algorithm>

namespace ebb {

std::map<std::pair<std::string, std::uint32_t>, std::uint64_t>
input_positions(const checkpoint_record& x) {
  std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> all;
  for (const auto& position : x.positions) {
    const auto at = decode_topic_position(position.bytes, position.source);
    if (!at)
      continue;
    const auto [found, fresh] = all.try_emplace({at->topic, position.partition}, at->offset);
    if (!fresh)
      found->second = std::min(found->second, at->offset);
  }
  return all;
}

} // namespace ebb
