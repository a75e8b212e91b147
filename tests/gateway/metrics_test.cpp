// Prometheus' text form.

#include "actors/gateway/metrics.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <thread>

using namespace ebb;

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(writes_what_prometheus_reads) {
  metrics_registry registry;
  registry.make_counter("ebb_b_total", "Things", {{"name", "a\"b\\c\nd"}}).add(3);
  registry.make_gauge("ebb_a_bytes", "Size\nof \\ it").set(1.5);
  auto& seconds = registry.make_histogram("ebb_c_seconds", "Times", {{"x", "y"}}, {0.1, 1});
  seconds.observe(0.1);
  seconds.observe(0.5);
  seconds.observe(7);
  BOOST_TEST(registry.text()
             == "# HELP ebb_a_bytes Size\\nof \\\\ it\n# TYPE ebb_a_bytes gauge\n"
                "ebb_a_bytes 1.5\n"
                "# HELP ebb_b_total Things\n# TYPE ebb_b_total counter\n"
                "ebb_b_total{name=\"a\\\"b\\\\c\\nd\"} 3\n"
                "# HELP ebb_c_seconds Times\n# TYPE ebb_c_seconds histogram\n"
                "ebb_c_seconds_bucket{x=\"y\",le=\"0.1\"} 1\n"
                "ebb_c_seconds_bucket{x=\"y\",le=\"1\"} 2\n"
                "ebb_c_seconds_bucket{x=\"y\",le=\"+Inf\"} 3\n"
                "ebb_c_seconds_sum{x=\"y\"} 7.6\n"
                "ebb_c_seconds_count{x=\"y\"} 3\n");
}

BOOST_AUTO_TEST_CASE(gives_the_same_metric_for_the_same_labels) {
  metrics_registry registry;
  auto& one = registry.make_counter("ebb_x_total", "X", {{"a", "1"}});
  auto& other = registry.make_counter("ebb_x_total", "X", {{"a", "2"}});
  BOOST_TEST(&one == &registry.make_counter("ebb_x_total", "X", {{"a", "1"}}));
  BOOST_TEST(&one != &other);
}

BOOST_AUTO_TEST_CASE(asks_for_samples_that_come_and_go) {
  metrics_registry registry;
  metrics_registry::samples now{{{{"stream", "a"}}, 1}};
  // A sample may use the registry itself.
  registry.sample_gauge("ebb_lag_seconds", "Lag", [&] {
    registry.make_counter("ebb_samples_total", "Samples").add();
    return now;
  });
  BOOST_TEST(registry.text().find("ebb_lag_seconds{stream=\"a\"} 1\n") != std::string::npos);
  now = {{{{"stream", "b"}}, std::numeric_limits<double>::infinity()}};
  const auto text = registry.text();
  BOOST_TEST(text.find("stream=\"a\"") == std::string::npos);
  BOOST_TEST(text.find("ebb_lag_seconds{stream=\"b\"} +Inf\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(counts_from_many_threads) {
  metrics_registry registry;
  std::vector<std::thread> threads;
  constexpr int each = 10'000;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        registry.make_counter("ebb_n_total", "N").add();
        registry.make_histogram("ebb_h_seconds", "H", {}, {1}).observe(0.5);
        if (i % 1'000 == 0)
          (void)registry.text();
      }
    });
  for (auto& x : threads)
    x.join();
  BOOST_TEST(registry.make_counter("ebb_n_total", "N").value() == 4U * each);
  BOOST_TEST(registry.make_histogram("ebb_h_seconds", "H", {}, {1}).read().counts.back()
             == 4U * each);
}

BOOST_AUTO_TEST_SUITE_END()
