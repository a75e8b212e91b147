#include "actors/dataflow/barrier_aligner.hpp"

#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

barrier_aligner::barrier_aligner(const std::vector<std::uint32_t>& channels) {
  for (const auto count : channels) {
    channels_.emplace_back(count, state::open);
    open_ += count;
  }
}

barrier_aligner::effect barrier_aligner::request(epoch_number epoch) {
  if (epoch <= past_ || epoch < current_)
    return {};
  const bool release = supersede(epoch);
  requested_ = epoch;
  return {release, false};
}

barrier_aligner::effect barrier_aligner::barrier(std::uint32_t input, std::uint32_t channel,
                                                 epoch_number epoch) {
  if (epoch <= past_ || epoch < current_)
    return {};
  const bool release = supersede(epoch);
  auto& x = channels_[input][channel];
  EBB_ASSERT(x != state::closed);
  if (x == state::arrived)
    return {release, false};
  x = state::arrived;
  --missing_;
  return {release, true};
}

void barrier_aligner::close(std::uint32_t input, std::uint32_t channel) {
  auto& x = channels_[input][channel];
  EBB_ASSERT(x != state::closed);
  if (current_ != 0 && x == state::open)
    --missing_;
  x = state::closed;
  --open_;
}

void barrier_aligner::complete() {
  EBB_ASSERT(aligned());
  past_ = current_;
  current_ = 0;
  for (auto& row : channels_)
    std::replace(row.begin(), row.end(), state::arrived, state::open);
}

bool barrier_aligner::supersede(epoch_number epoch) {
  if (epoch == current_)
    return false;
  const bool older = current_ != 0;
  past_ = std::max(past_, current_);
  current_ = epoch;
  for (auto& row : channels_)
    std::replace(row.begin(), row.end(), state::arrived, state::open);
  missing_ = open_;
  return older;
}

} // namespace ebb
