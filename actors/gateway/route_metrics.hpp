/// What the server counts.
#pragma once

#include "actors/gateway/metrics.hpp"
#include "actors/gateway/route_table.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <vector>

namespace ebb {

/// Of one server. Not thread-safe, but what it counts may be read by any thread.
class route_metrics {
public:
  route_metrics(metrics_registry& registry, const route_table& routes);

  /// An answer was sent; `route` is -1 where the request had none.
  void answered(int route, int status, std::chrono::nanoseconds took);

  gauge& connections;
  gauge& pending;       ///< requests with the service
  gauge& pending_bytes; ///< of their bodies
  counter& refused;     ///< connections
  counter& timeouts;
  counter& received_bytes;
  counter& sent_bytes;

private:
  struct one {
    metric_labels labels;
    histogram* seconds = nullptr;
    std::map<int, counter*> by_status;
  };

  metrics_registry& registry_;
  std::vector<one> routes_; ///< the last is for requests without one
};

} // namespace ebb
