/// How much a sender may still put into one channel.
#pragma once

#include "schemas/assert.hpp"

#include <cstddef>

namespace ebb {

/// Bytes in flight on one channel against its window. A batch larger than the window travels alone.
class credit_ledger {
public:
  /// About five batches of 2k rows: a consumer at full speed has it worked off in a few ms.
  static constexpr std::size_t default_window = std::size_t{1} << 20;

  explicit credit_ledger(std::size_t window = default_window) noexcept : window_(window) {}

  [[nodiscard]] bool may_send(std::size_t bytes) const noexcept {
    return bytes == 0 || in_flight_ == 0 || in_flight_ + bytes <= window_;
  }

  void sent(std::size_t bytes) noexcept {
    in_flight_ += bytes;
  }

  void returned(std::size_t bytes) noexcept {
    EBB_ASSERT(bytes <= in_flight_);
    in_flight_ -= bytes;
  }

  /// 0: the receiver has taken everything.
  [[nodiscard]] std::size_t in_flight() const noexcept {
    return in_flight_;
  }

private:
  std::size_t window_;
  std::size_t in_flight_ = 0;
};

} // namespace ebb
