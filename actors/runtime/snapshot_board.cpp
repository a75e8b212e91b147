#include "actors/runtime/snapshot_board.hpp"

namespace ebb {

namespace {
// Those before others come first, and a subtask waits for those before it.
constexpr std::size_t named = 3;
} // namespace

std::string snapshot_waits_for(const std::vector<subtask_label>& labels,
                               const std::set<std::uint32_t>& came,
                               const std::vector<bool>& written) {
  std::string missing;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < labels.size(); ++i)
    if (labels[i].part == 0 && came.count(i) == 0 && ++count <= named)
      missing += (missing.empty() ? "" : ", ") + labels[i].name;
  if (count > named)
    missing += " and " + std::to_string(count - named) + " more";
  const bool mine = !written.empty() && written.front();
  if (count != 0 && !mine)
    return "there is no snapshot yet of " + missing;
  if (!mine)
    return "the snapshot is being written to disk";
  std::string others;
  for (std::size_t i = 1; i < written.size(); ++i)
    if (!written[i])
      others += (others.empty() ? "" : ", ") + std::to_string(i);
  return others.empty() ? "its record is being written"
                        : "no snapshot was written yet by the workers of parts " + others
                              + " of the stream, counted from 0";
}

} // namespace ebb
