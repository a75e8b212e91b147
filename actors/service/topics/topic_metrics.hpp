/// Numbers about topics and messages.
#pragma once

#include "actors/gateway/metrics.hpp"

namespace ebb {

/// Of all topics together; sizes by topic are sampled by the registry.
struct topic_metrics {
  explicit topic_metrics(metrics_registry& to);

  counter& rows;         ///< appended
  counter& bytes;        ///< of the same, in memory
  counter& duplicates;   ///< requests that were there already
  counter& refused;      ///< conflicts, quotas, malformed requests
  counter& over_quota;   ///< of these, requests beyond their topic's quota
  counter& failed;       ///< requests that the log could not take
  histogram& seconds;    ///< from a request's arrival at its topic until it is durable
  histogram& group_size; ///< requests that shared a commit
  histogram& commit_seconds;
};

} // namespace ebb
