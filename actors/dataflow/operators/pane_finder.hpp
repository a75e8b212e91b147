/// Sorts the rows of a batch into panes.
#pragma once

#include "actors/dataflow/operators/window_slicer.hpp"

#include <map>
#include <span>
#include <vector>

namespace ebb {

/// Where a row's pane is written.
struct pane_source {
  std::int32_t time = -1;  ///< column of a time in the pane; -1 = all rows have one given time
  std::int32_t end = -1;   ///< attached windows: column of window_end …
  std::int32_t start = -1; ///< … and window_start; -1 = not known
};

/// One at a time; its memory is reused from batch to batch.
class pane_finder {
public:
  static constexpr std::uint32_t no_pane = UINT32_MAX;

  /// A pane that rows of the batch lie in.
  struct found_pane {
    pane_id pane;
    bool covered = false;        ///< some window has this pane
    micros first_end = max_time; ///< of the windows with this pane, if covered
    micros last_end = max_time;
    std::vector<std::uint32_t> picks; ///< for the caller; empty at first
  };

  pane_finder(const window_slicer& slicer, pane_source source) : slicer_(slicer), source_(source) {}

  /// Starts on a batch, which must live until the next start. `given`: the time of all rows, where
  /// the source has no column. An error, with its row, where a window does not fit the range of
  /// times.
  [[nodiscard]] result<void> start(const batch& rows, micros given);

  /// Index in `panes()` of row i's pane; no_pane = its time is NULL or infinite.
  [[nodiscard]] std::uint32_t find(std::uint32_t i) {
    if (times_ == nullptr)
      return find_untimed(i);
    const auto time = times_[i];
    if (time >= current_start_ && time < current_end_)
      return current_;
    return find_other(i);
  }

  /// Index of the one pane that all rows lie in, or no_pane.
  [[nodiscard]] std::uint32_t only_pane();

  /// Panes found since `start`.
  [[nodiscard]] std::span<found_pane> panes() noexcept {
    return {pool_.data(), used_};
  }

private:
  [[nodiscard]] std::uint32_t find_untimed(std::uint32_t i);
  [[nodiscard]] std::uint32_t find_other(std::uint32_t i);
  [[nodiscard]] std::uint32_t find_by_id(const pane_id& pane);
  [[nodiscard]] std::uint32_t add(const pane_id& pane);
  void measure(const column& times);
  [[nodiscard]] error name_unfit(const column& times) const;

  const window_slicer& slicer_;
  pane_source source_;
  const batch* rows_ = nullptr;
  const micros* times_ = nullptr;
  bool missing_ = false;    ///< some time is NULL or infinite
  micros least_ = max_time; ///< of the other times
  micros largest_ = min_time;
  std::vector<found_pane> pool_; ///< kept for its memory; the first used_ are of this batch
  std::size_t used_ = 0;
  std::map<pane_id, std::uint32_t> by_id_;
  /// Panes by distance from the first one, where the batch's times are close together.
  std::vector<std::uint32_t> by_distance_;
  pane_id first_;
  std::uint64_t width_ = 0;
  // The last pane found; the range is empty where each row must be looked at for NULL.
  std::uint32_t current_ = no_pane;
  micros current_start_ = 0;
  micros current_end_ = 0;
};

} // namespace ebb
