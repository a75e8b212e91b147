/// Longer and longer pauses between tries, spread by chance. Pure.
#pragma once

#include "schemas/types.hpp"

#include <algorithm>
#include <cstdint>

namespace ebb {

struct back_off_limits {
  micros first = micros_per_second / 2;
  micros most = 30 * micros_per_second;
};

class back_off {
public:
  explicit back_off(back_off_limits limits = {}) : limits_(limits) {}

  /// The pause before the next try, half of it by `chance` ([0, 1)).
  [[nodiscard]] micros next(double chance) {
    const auto whole = std::min(limits_.first << std::min<std::uint32_t>(tries_, 20), limits_.most);
    ++tries_;
    return whole / 2 + static_cast<micros>(static_cast<double>(whole) / 2 * chance);
  }

  void reset() {
    tries_ = 0;
  }

  [[nodiscard]] std::uint32_t tries() const {
    return tries_;
  }

private:
  back_off_limits limits_;
  std::uint32_t tries_ = 0;
};

} // namespace ebb
