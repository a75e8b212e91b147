#include "actors/connectors/part_name.hpp"

namespace ebb {

std::optional<part_name> part_of(std::string_view name, std::string_view start,
                                 std::string_view end) {
  part_name x;
  if (!name.starts_with(start))
    return std::nullopt;
  name.remove_prefix(start.size());
  if (!take_number(name, x.lane) || !name.starts_with('-'))
    return std::nullopt;
  name.remove_prefix(1);
  if (!take_number(name, x.epoch) || name != end)
    return std::nullopt;
  return x;
}

} // namespace ebb
