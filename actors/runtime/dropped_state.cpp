#include "actors/runtime/dropped_state.hpp"

#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/snapshot.hpp"
#include "actors/plan/pinned_plan.hpp"
#include "storage/merged_state.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <utility>

namespace ebb {

namespace {

constexpr std::size_t states_of_operator = std::size_t{1} << operator_state_bits;

/// `KIND-EPOCH-GENERATION-…`; 0 where the name says nothing.
std::uint64_t generation_of(const std::string& name) {
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;
  return std::sscanf(name.c_str(), "%*[a-z]-%" SCNu64 "-%" SCNu64 "-", &epoch, &generation) == 2
             ? generation
             : 0;
}

} // namespace

dropped_state::dropped_state(const stream_entry& stream)
    : uid_(stream.uid), key_groups_(stream.key_groups) {
  const auto pinned = read_pinned(stream);
  for (std::size_t number = 0; number < pinned.operators.size(); ++number)
    if (const auto by = pinned.operators[number].dropped_by; by != 0)
      operators_.emplace(static_cast<std::uint16_t>(number), by);
  gone_ = operators_.empty();
}

std::vector<bool> dropped_state::states() const {
  std::vector<bool> result;
  for (const auto& [number, since] : operators_) {
    const std::size_t first = state_number(number, 0);
    result.resize(std::max(result.size(), first + states_of_operator));
    std::fill_n(result.begin() + static_cast<std::ptrdiff_t>(first), states_of_operator, true);
  }
  return result;
}

result<bool> dropped_state::lies_in(std::span<const segment_info> segments, snapshot_store& files) {
  if (gone_ || segments.empty())
    return false;
  for (const auto& [number, since] : operators_) {
    EBB_ASSIGN(const bool found, lies_in(number, since, segments, files));
    if (found)
      return true;
  }
  gone_ = true;
  return false;
}

result<bool> dropped_state::lies_in(std::uint16_t number, std::uint64_t since,
                                    std::span<const segment_info> segments,
                                    snapshot_store& files) const {
  std::vector<std::shared_ptr<segment_reader>> readers;
  for (const auto& x : segments)
    if (generation_of(x.id) < since) {
      EBB_ASSIGN(auto reader, files.open({x, uid_, key_groups_}));
      readers.push_back(std::move(reader));
    }
  if (readers.empty())
    return false;
  const merged_state old(std::move(readers));
  EBB_ASSIGN(auto cursor, old.scan(0, unkeyed_group));
  for (std::uint32_t i = 0; i <= key_groups_; ++i) {
    const auto group = i == key_groups_ ? unkeyed_group : static_cast<std::uint16_t>(i);
    EBB_TRY(cursor.seek(group, state_number(number, 0), {}));
    EBB_ASSIGN(const bool more, cursor.next());
    if (!more)
      return false;
    const auto& x = cursor.entry();
    if (x.key_group == group && operator_of(x.state) == number)
      return true;
  }
  return false;
}

} // namespace ebb
