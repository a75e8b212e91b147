/// The watermark that an operator has acted on, in its state: after a restart it does not go back.
#pragma once

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"

#include <algorithm>
#include <vector>

namespace ebb {

/// Saved with each key group. Instances that become one may have been at different points, where
/// one knew an input to be idle that the other had rows of: the least counts, and each group keeps
/// its own for the question whether a row is late.
class acted_watermark {
public:
  explicit acted_watermark(std::uint16_t key_groups) : key_groups_(key_groups) {}

  static void save(micros acted_on, std::uint16_t state, state_sink& sink) {
    if (acted_on == min_time)
      return;
    std::string value;
    append_time_key(acted_on, value);
    sink.put(state, {}, value);
  }

  [[nodiscard]] result<void> load(std::uint16_t key_group, std::string_view value) {
    EBB_ASSIGN(const auto time, take_time_key(value));
    if (key_group >= key_groups_)
      return make_error(ec::corrupt, "a watermark of an unknown key group");
    uneven_ = !of_group_.empty() && (uneven_ || time != least_);
    least_ = of_group_.empty() ? time : std::min(least_, time);
    of_group_.resize(key_groups_, min_time);
    of_group_[key_group] = time;
    return {};
  }

  [[nodiscard]] micros least() const noexcept {
    return least_;
  }

  /// What has been acted on for a key of this hash, where that is more than `least`.
  [[nodiscard]] micros of(std::uint64_t hash) const noexcept {
    return uneven_ ? of_group_[key_group_of(hash, key_groups_)] : min_time;
  }

  [[nodiscard]] bool uneven() const noexcept {
    return uneven_;
  }

private:
  std::uint16_t key_groups_;
  bool uneven_ = false;
  micros least_ = min_time;
  std::vector<micros> of_group_;
};

} // namespace ebb
