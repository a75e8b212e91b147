/// Events of Kubernetes. Pure.
#pragma once

#include "k8s-bridge/cluster/resource_state.hpp"

#include <cstdint>
#include <string>

namespace ebb {

struct event_subject {
  std::string api_version;
  std::string kind;
  std::string name_space;
  std::string name;
  std::string uid;
};

/// `number` makes names of events of one moment different; `holder`: the pod that tells.
[[nodiscard]] kube_json make_event(const event_subject& about, const resource_event& what,
                                   micros wall, std::uint64_t number, const std::string& holder);

} // namespace ebb
