#include "actors/dataflow/source_alignment.hpp"

#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

std::uint32_t source_alignment::join(source_role role) {
  entries_.emplace_back().role = role;
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

read_amount source_alignment::tell(std::uint32_t source, const source_progress& position) {
  EBB_ASSERT(source < entries_.size());
  auto& x = entries_[source];
  x.at = position;
  if (may_renew(source, find_slowest(x.role.group))) {
    x.grant = position.read + allowance_;
    x.granted_at = position.watermark;
  }
  x.waits = x.grant <= position.read;
  return x.grant;
}

void source_alignment::released(std::vector<std::uint32_t>& out) {
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    auto& x = entries_[i];
    if (!x.waits || !may_renew(i, find_slowest(x.role.group)))
      continue;
    x.waits = false;
    out.push_back(i);
  }
}

source_alignment::slowest source_alignment::find_slowest(std::uint32_t group) const noexcept {
  slowest least;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].role.is_table || entries_[i].role.group != group)
      continue;
    const auto& at = entries_[i].at;
    if (!at.has_rows || (at.watermark == min_time && at.read != 0))
      continue;
    if (at.watermark < least.first) {
      least.second = least.first;
      least.first = at.watermark;
      least.number = i;
    } else {
      least.second = std::min(least.second, at.watermark);
    }
  }
  return least;
}

bool source_alignment::tables_ended() const noexcept {
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const entry& x) { return !x.role.is_table || x.at.ended; });
}

bool source_alignment::may_renew(std::uint32_t source, const slowest& least) const noexcept {
  const auto& x = entries_[source];
  if (x.role.is_table)
    return true;
  if (!tables_ended())
    return x.grant == 0;
  const bool is_slowest = least.first != max_time && least.number == source;
  return (is_slowest ? least.second : least.first) >= entries_[source].granted_at;
}

bool aligned_source::may_read(micros watermark) {
  if (!meeting_)
    return true;
  at_.watermark = watermark;
  if (at_.read >= tell_at_ || held_)
    tell();
  return !held_;
}

void aligned_source::has_read(read_amount total, bool has_rows, bool ended) {
  if (!meeting_)
    return;
  at_.read = total;
  if (at_.has_rows == has_rows && at_.ended == ended)
    return;
  at_.has_rows = has_rows;
  at_.ended = ended;
  tell();
}

void aligned_source::tell() {
  const auto grant = meeting_->tell(number_, at_);
  held_ = grant <= at_.read;
  // Some times a grant: often enough that others see it move, seldom enough to cost nothing.
  tell_at_ = held_ ? at_.read : at_.read + (grant - at_.read + 7) / 8;
}

} // namespace ebb
