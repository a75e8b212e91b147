#include "actors/service/control_records.hpp"
#include "actors/service/keeper/input_positions.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// What nothing stands at; retention looks at the topic's own bounds then.
constexpr std::uint64_t not_needed = UINT64_MAX;

} // namespace

std::vector<std::uint64_t> needed_offsets(control_records& records, const std::string& topic,
                                          std::uint32_t partitions) {
  std::vector<std::uint64_t> all(partitions, not_needed);
  auto looked = records.with([&](control_db& db) -> result<void> {
    EBB_ASSIGN(const auto traits, db.traits());
    for (const auto& x : traits) {
      if (std::none_of(x.inputs.begin(), x.inputs.end(),
                       [&](const auto& y) { return y.topic == topic; }))
        continue;
      EBB_ASSIGN(auto kept, db.records(x.uid));
      if (kept.empty())
        return make_error(ec::not_found, "a stream has no checkpoint yet");
      EBB_ASSIGN(const auto savepoints, db.savepoints(x.uid));
      EBB_ASSIGN(const auto given_up, db.given_up_savepoints(x.uid));
      for (const auto& y : savepoints)
        if (std::find(given_up.begin(), given_up.end(), y.name) == given_up.end())
          kept.push_back(y.record);
      for (const auto& record : kept)
        for (const auto& [at, offset] : input_positions(record))
          if (at.first == topic && at.second < partitions)
            all[at.second] = std::min(all[at.second], offset);
    }
    return {};
  });
  // Where it is not known, everything is needed.
  if (!looked)
    std::fill(all.begin(), all.end(), 0);
  return all;
}

} // namespace ebb
