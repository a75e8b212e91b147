/// What is to be done about one worker of a cluster. Pure.
#pragma once

#include "k8s-bridge/cluster/worker_pod.hpp"

#include <cstdint>
#include <optional>

namespace ebb {

enum class worker_wish : std::uint8_t {
  none, ///< nobody has asked for it: an earlier control process may have
  run,
  end,  ///< with final checkpoints
  kill, ///< at once
};

struct observed_worker {
  worker_wish wish = worker_wish::none;
  micros since = 0; ///< of the wish

  bool pods_known = false;         ///< the mirror has been filled
  std::optional<observed_pod> pod; ///< as the mirror has it
  /// The API server has made it, or it was there when this process began to care for it.
  bool made = false;
  bool seen = false; ///< the mirror has had it since
  micros made_at = 0;
  std::string deleted_uid; ///< a delete was answered well
  int deleted_grace = 0;   ///< with this grace
  micros deleted_at = 0;

  bool told_start = false; ///< the listener
  bool told_end = false;
  std::string told_problem;

  micros call_at = 0; ///< not before: a call has failed
};

struct worker_actions {
  bool create = false;
  bool look = false;         ///< ask for the pod: what the mirror does not have may be gone
  std::optional<int> remove; ///< the pod of this uid; grace in seconds, less than 0 = its own
  bool tell_start = false;
  bool tell_end = false; ///< its process is gone, or never comes
  bool tell_problem = false;
  bool forget = false; ///< nothing is left of it
  micros again = max_time;

  [[nodiscard]] bool calls() const noexcept {
    return create || look || remove;
  }
};

[[nodiscard]] worker_actions desired_state(const observed_worker& x, micros now);

} // namespace ebb
