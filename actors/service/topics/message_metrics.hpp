/// Numbers about the message API.
#pragma once

#include "actors/gateway/metrics.hpp"

namespace ebb {

struct message_metrics {
  explicit message_metrics(metrics_registry& to);

  counter& appended;   ///< requests that were appended
  counter& duplicate;  ///< that had been before
  counter& rejected;   ///< that are wrong: 4xx
  counter& failed;     ///< that could not be served: 429, 5xx
  counter& body_bytes; ///< of requests to append
  histogram& body_size;
  histogram& seconds; ///< of appends, from the request's head to the answer
  counter& rows_read;
  counter& bytes_read;
  gauge& following; ///< answers that are being read
};

} // namespace ebb
