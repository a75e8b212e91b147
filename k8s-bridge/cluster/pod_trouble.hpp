/// Why a worker's pod does not run, or does not any more, for people.
#pragma once

#include "k8s-bridge/client/kube_answer.hpp"

#include <string>
#include <string_view>

namespace ebb {

/// Of a pod that runs all the same.
inline constexpr const char* clock_skew = "ClockSkew";

struct pod_trouble {
  std::string reason;  ///< `Unschedulable`
  std::string message; ///< what Kubernetes says of it
  bool ended = false;  ///< it ran

  bool operator==(const pod_trouble&) const = default;
};

/// The API server does not make a pod.
[[nodiscard]] pod_trouble refused_pod(const kube_answer& answer);

/// What a person can do about it; empty where that is not known.
[[nodiscard]] std::string pod_advice(std::string_view reason);

/// `pod NAME: message (advice)`.
[[nodiscard]] std::string sentence_of(const pod_trouble& x, const std::string& pod);

} // namespace ebb
