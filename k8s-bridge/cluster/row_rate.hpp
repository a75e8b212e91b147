/// Rows a second, from counts that come now and then. Pure.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <optional>

namespace ebb {

class row_rate {
public:
  /// `rows` have been read in the run of this number until `now` (monotone).
  void take(std::uint64_t run, std::uint64_t rows, micros now) {
    if (!last_ || last_->run != run || rows < last_->rows) {
      last_ = sample{run, rows, now};
      a_second_ = 0;
    } else if (now - last_->at >= window) {
      const auto seconds = static_cast<double>(now - last_->at) / micros_per_second;
      a_second_ = static_cast<std::uint64_t>(static_cast<double>(rows - last_->rows) / seconds);
      last_ = sample{run, rows, now};
    }
  }

  /// It does not run.
  void rest() {
    last_.reset();
    a_second_ = 0;
  }

  [[nodiscard]] std::uint64_t a_second() const noexcept {
    return a_second_;
  }

private:
  static constexpr micros window = 5 * micros_per_second;

  struct sample {
    std::uint64_t run = 0;
    std::uint64_t rows = 0;
    micros at = 0;
  };

  std::optional<sample> last_;
  std::uint64_t a_second_ = 0;
};

} // namespace ebb
