#include "actors/runtime/snapshot_collector.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

bool snapshot_collector::add(std::uint32_t subtask, snapshot_ptr part,
                             const snapshot_moments& when) {
  if (part->epoch < epoch_)
    return false;
  if (part->epoch > epoch_) {
    epoch_ = part->epoch;
    std::fill(parts_.begin(), parts_.end(), nullptr);
    when_ = {};
    count_ = 0;
    gone_ = false;
  }
  if (gone_)
    return false;
  const auto found = std::lower_bound(subtasks_.begin(), subtasks_.end(), subtask);
  if (found == subtasks_.end() || *found != subtask)
    return false;
  auto& place = parts_[static_cast<std::size_t>(found - subtasks_.begin())];
  if (place)
    return false;
  place = std::move(part);
  when_.later(when);
  ++count_;
  return complete();
}

void snapshot_collector::let_go() {
  EBB_ASSERT(complete());
  std::fill(parts_.begin(), parts_.end(), nullptr);
  gone_ = true;
}

written_part snapshot_collector::summary() const {
  EBB_ASSERT(!gone_);
  written_part result;
  result.when = when_;
  for (const auto& part : parts_) {
    for (const auto& x : part->sources)
      result.sources.push_back(x);
    for (const auto& x : part->sinks)
      result.sinks.push_back(x);
    result.watermark = std::min(result.watermark, part->watermark);
  }
  return result;
}

} // namespace ebb
