// Workers of an earlier control process.

#include "actors/service/keeper/keeper.hpp"

#include <algorithm>

namespace ebb {

bool keeper::returned(const std::vector<std::uint64_t>& living) {
  std::vector<std::string> awaiting;
  for (const auto& slot : streams_)
    if (slot->life.awaited() != 0)
      awaiting.push_back(slot->uid);
  const auto own = options_.incarnation * workers_an_incarnation;
  const bool all = std::all_of(living.begin(), living.end(), [&](std::uint64_t worker) {
    return worker > own || connected_.count(worker) != 0;
  });
  // Without a stream that waits nobody is missed.
  if (!all && !awaiting.empty())
    return false;
  const auto now = world_.now();
  for (const auto& uid : awaiting)
    if (auto* slot = by_uid(uid)) {
      if (options_.after_end)
        slot->life.restarted(now);
      else
        slot->life.worker_lost(slot->life.awaited(), now);
      pump(*slot);
    }
  places_.returned(now);
  pump_places();
  return true;
}

} // namespace ebb
