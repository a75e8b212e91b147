/// What happened last, and the first thing that was wrong.
#pragma once

#include "schemas/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace ebb::sim {

/// Keeps the last events, or prints all of them as they come.
class trace {
public:
  explicit trace(bool print) noexcept : print_(print) {}

  void at(micros now) noexcept {
    now_ = now;
  }

  /// `what` lives for ever.
  void note(const char* what, std::uint64_t x = 0, std::uint64_t y = 0) noexcept {
    auto& e = last_[count_++ % last_.size()];
    e = {now_, what, x, y};
    hash_ = (hash_ ^ (static_cast<std::uint64_t>(now_) + x * 31 + y)) * 0x100000001b3U;
    if (print_)
      show(e);
  }

  /// Only the first one counts.
  void violated(std::string what) {
    if (!violation_.empty())
      return;
    violation_ = std::move(what);
    if (print_)
      std::printf("VIOLATION: %s\n", violation_.c_str());
  }

  [[nodiscard]] const std::string& violation() const noexcept {
    return violation_;
  }

  /// Of all events: the same for the same run.
  [[nodiscard]] std::uint64_t hash() const noexcept {
    return hash_;
  }

  void show_last() const {
    const auto size = last_.size();
    for (std::size_t i = count_ > size ? count_ - size : 0; i < count_; ++i)
      show(last_[i % size]);
  }

private:
  struct event {
    micros time = 0;
    const char* what = "";
    std::uint64_t x = 0;
    std::uint64_t y = 0;
  };

  static void show(const event& e) {
    std::printf("  %9.3f ms  %s %llu %llu\n", static_cast<double>(e.time) / 1000, e.what,
                static_cast<unsigned long long>(e.x), static_cast<unsigned long long>(e.y));
  }

  bool print_;
  micros now_ = 0;
  std::array<event, 60> last_{};
  std::size_t count_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::string violation_;
};

} // namespace ebb::sim
