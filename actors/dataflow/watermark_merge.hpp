/// One watermark out of several: the minimum over the active inputs.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Inputs are active, idle or finished. An idle one holds nothing back; when all are idle, the
/// furthest idle one counts, so that the order in which they fall idle does not matter. A finished
/// one (watermark max_time) says nothing while another may still come back: only when all are
/// finished is the result max_time. The result never falls.
class watermark_merge {
public:
  explicit watermark_merge(std::uint32_t inputs);

  /// Rows came: the input is active.
  void rows(std::uint32_t input);
  void advance(std::uint32_t input, micros watermark);
  void idle(std::uint32_t input);

  [[nodiscard]] micros merged() const noexcept {
    return merged_;
  }

  /// True when no input is active and not all are finished.
  [[nodiscard]] bool all_idle() const noexcept {
    return all_idle_;
  }

  /// What the other active inputs allow; max_time when there is none.
  [[nodiscard]] micros others(std::uint32_t input) const noexcept;

private:
  enum class state : std::uint8_t { active, idle, finished };

  struct entry {
    state now = state::active;
    micros watermark = min_time;
  };

  void settle();

  std::vector<entry> inputs_;
  micros merged_ = min_time;
  bool all_idle_ = false;
};

/// `rows` with its row watermarks lowered to `bound`; the same batch where nothing changes.
[[nodiscard]] batch_ptr bound_watermarks(const batch_ptr& rows, micros bound);

} // namespace ebb
