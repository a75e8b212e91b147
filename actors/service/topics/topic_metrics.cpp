#include "actors/service/topics/topic_metrics.hpp"

namespace ebb {

topic_metrics::topic_metrics(metrics_registry& to)
    : rows(to.make_counter("ebb_topic_rows_appended_total", "Rows appended to topics.")),
      bytes(to.make_counter("ebb_topic_bytes_appended_total",
                            "Bytes of rows appended to topics, as they are in memory.")),
      duplicates(to.make_counter("ebb_topic_duplicates_total",
                                 "Requests that were in their topic already.")),
      refused(to.make_counter("ebb_topic_refused_total",
                              "Requests that topics refused: conflicts and quotas.")),
      over_quota(to.make_counter("ebb_topic_over_quota_total",
                                 "Requests that topics refused since they hold as much as their "
                                 "quota allows.")),
      failed(to.make_counter("ebb_topic_failed_total", "Requests that topics could not store.")),
      seconds(to.make_histogram("ebb_topic_append_seconds",
                                "Time from a request's arrival at its topic until it is durable.",
                                {}, latency_bounds())),
      group_size(to.make_histogram("ebb_topic_group_requests", "Requests that shared a commit.", {},
                                   {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000})),
      commit_seconds(to.make_histogram("ebb_topic_commit_seconds",
                                       "Time of commits of topics' logs.", {}, latency_bounds())) {}

} // namespace ebb
