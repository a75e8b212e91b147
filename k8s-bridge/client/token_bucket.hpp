/// So many calls a second, and a few more at once. Pure.
#pragma once

#include "schemas/types.hpp"

#include <algorithm>

namespace ebb {

class token_bucket {
public:
  token_bucket(double a_second, double burst) : rate_(a_second), burst_(burst), tokens_(burst) {}

  /// 0 = go on, a token was taken; else come back after so long.
  [[nodiscard]] micros take(micros now) {
    const auto passed = std::max<micros>(now - at_, 0);
    tokens_ = std::min(burst_, tokens_ + rate_ * static_cast<double>(passed) / 1e6);
    at_ = now;
    if (now < paused_until_)
      return paused_until_ - now;
    if (tokens_ >= 1) {
      tokens_ -= 1;
      return 0;
    }
    return static_cast<micros>((1 - tokens_) / rate_ * 1e6) + 1;
  }

  /// The other side has asked for it.
  void pause(micros until) {
    paused_until_ = std::max(paused_until_, until);
  }

private:
  double rate_;
  double burst_;
  double tokens_;
  micros at_ = 0;
  micros paused_until_ = 0;
};

} // namespace ebb
