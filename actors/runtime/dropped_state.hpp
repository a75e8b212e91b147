/// State of operators that a changed manifest has dropped: it goes with the next merge.
#pragma once

#include "schemas/control_records.hpp"
#include "storage/snapshot_store.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace ebb {

/// No restore looks for this state, so it is about room alone. Used by one thread.
class dropped_state {
public:
  explicit dropped_state(const stream_entry& stream);

  /// By number: whether a state's entries are left behind by merges.
  [[nodiscard]] std::vector<bool> states() const;

  /// Whether the segments have such entries. Looks until it has found none: what is written from
  /// then on has none either. Blocks.
  [[nodiscard]] result<bool> lies_in(std::span<const segment_info> segments, snapshot_store& files);

  /// Everything was merged.
  void are_gone() noexcept {
    gone_ = true;
  }

private:
  [[nodiscard]] result<bool> lies_in(std::uint16_t number, std::uint64_t since,
                                     std::span<const segment_info> segments,
                                     snapshot_store& files) const;

  std::string uid_;
  std::uint16_t key_groups_;
  /// By number of the operator: the generation from which on no segment has its entries.
  std::map<std::uint16_t, std::uint64_t> operators_;
  bool gone_ = false;
};

} // namespace ebb
