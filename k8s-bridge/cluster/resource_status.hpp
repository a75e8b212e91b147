/// The status of Streams and Topics, as it is written. Pure.
#pragma once

#include "k8s-bridge/cluster/resource_state.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// Name of a worker's pod.
[[nodiscard]] std::string pod_name(const std::string& worker);

/// `before`: the status that was there; times of conditions that have not changed are kept.
[[nodiscard]] kube_json make_status(const observed_resource& x, const kube_json& before,
                                    micros wall);

enum class status_change : std::uint8_t {
  none,
  numbers, ///< what changes all the time: texts with durations, checkpoints
  matter,
};

[[nodiscard]] status_change compare_status(const kube_json& before, const kube_json& now);

} // namespace ebb
