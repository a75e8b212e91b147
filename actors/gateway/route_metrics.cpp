#include "actors/gateway/route_metrics.hpp"

namespace ebb {

namespace {

constexpr const char* requests_help = "Requests that were answered, by route and status";

} // namespace

route_metrics::route_metrics(metrics_registry& registry, const route_table& routes)
    : connections(registry.make_gauge("ebb_http_connections", "Open connections of clients")),
      pending(registry.make_gauge("ebb_http_pending_requests",
                                  "Requests that the service has not answered yet")),
      pending_bytes(registry.make_gauge("ebb_http_pending_body_bytes",
                                        "Bytes of the bodies of requests under way")),
      refused(registry.make_counter("ebb_http_connections_refused_total",
                                    "Connections beyond a limit, closed at once")),
      timeouts(registry.make_counter("ebb_http_timeouts_total",
                                     "Connections closed since a client was too slow")),
      received_bytes(registry.make_counter("ebb_http_received_bytes_total",
                                           "Bytes of requests, without those of TLS")),
      sent_bytes(registry.make_counter("ebb_http_sent_bytes_total",
                                       "Bytes of answers, without those of TLS")),
      registry_(registry) {
  for (const auto& x : routes.all())
    routes_.push_back({{{"method", to_string(x.method)}, {"route", x.pattern}}, nullptr, {}});
  routes_.push_back({{{"method", "other"}, {"route", "none"}}, nullptr, {}});
  for (auto& x : routes_)
    x.seconds = &registry.make_histogram(
        "ebb_http_request_seconds", "From the end of a request's head to the end of its answer",
        x.labels, latency_bounds());
}

void route_metrics::answered(int route, int status, std::chrono::nanoseconds took) {
  auto& x = route < 0 ? routes_.back() : routes_[static_cast<std::size_t>(route)];
  x.seconds->observe(std::chrono::duration<double>(took).count());
  auto& count = x.by_status[status];
  if (count == nullptr) {
    auto labels = x.labels;
    labels.emplace_back("status", std::to_string(status));
    count = &registry_.make_counter("ebb_http_requests_total", requests_help, labels);
  }
  count->add();
}

} // namespace ebb
