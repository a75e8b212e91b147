#include "actors/service/topics/message_metrics.hpp"

namespace ebb {

namespace {

counter& outcome(metrics_registry& to, const char* name) {
  return to.make_counter("ebb_message_requests_total", "Requests to append messages, by outcome.",
                         {{"outcome", name}});
}

} // namespace

message_metrics::message_metrics(metrics_registry& to)
    : appended(outcome(to, "appended")), duplicate(outcome(to, "duplicate")),
      rejected(outcome(to, "rejected")), failed(outcome(to, "failed")),
      body_bytes(to.make_counter("ebb_message_body_bytes_total",
                                 "Bytes of bodies of requests to append messages.")),
      body_size(to.make_histogram("ebb_message_body_bytes",
                                  "Size of bodies of requests to append messages.", {},
                                  {100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000})),
      seconds(to.make_histogram("ebb_message_append_seconds",
                                "Time from a request's head until its messages are durable.", {},
                                latency_bounds())),
      rows_read(to.make_counter("ebb_message_rows_read_total",
                                "Messages sent to clients that read topics.")),
      bytes_read(to.make_counter("ebb_message_bytes_read_total",
                                 "Bytes sent to clients that read topics.")),
      following(to.make_gauge("ebb_message_readers", "Clients that are reading topics.")) {}

} // namespace ebb
