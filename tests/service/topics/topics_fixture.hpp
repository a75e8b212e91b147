/// Topics behind a real HTTP server on a free port, with a service that routes the message calls
/// only.
#pragma once

#include "actors/gateway/http_server.hpp"
#include "actors/gateway/service_routes.hpp"
#include "actors/runtime/io_pool.hpp"
#include "actors/service/topics/message_api.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "tests/gateway/http_client.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ebb::test {

/// A folder that goes with it.
class topics_folder {
public:
  topics_folder() {
    char name[] = "/tmp/ebb-topics-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }

  ~topics_folder() {
    std::filesystem::remove_all(path_);
  }

  topics_folder(const topics_folder&) = delete;
  topics_folder& operator=(const topics_folder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

private:
  std::string path_;
};

/// Says what the test wants.
class scripted_acks final : public ack_tracker {
public:
  result<bool> reached(const ack_question& what) override {
    std::lock_guard guard(mutex_);
    asked_.push_back(what);
    return answer_ ? answer_(what) : result<bool>(false);
  }

  std::shared_ptr<void> watch(const std::string& /*uid*/, std::function<void()> changed) override {
    std::lock_guard guard(mutex_);
    auto held = std::make_shared<std::function<void()>>(std::move(changed));
    watchers_.push_back(held);
    return held;
  }

  void set(std::function<result<bool>(const ack_question&)> answer) {
    std::vector<std::shared_ptr<std::function<void()>>> told;
    {
      std::lock_guard guard(mutex_);
      answer_ = std::move(answer);
      for (const auto& x : watchers_)
        if (auto held = x.lock())
          told.push_back(std::move(held));
    }
    for (const auto& x : told)
      (*x)();
  }

  [[nodiscard]] std::size_t watchers() const {
    std::lock_guard guard(mutex_);
    std::size_t count = 0;
    for (const auto& x : watchers_)
      count += x.expired() ? 0 : 1;
    return count;
  }

  [[nodiscard]] ack_question last() const {
    std::lock_guard guard(mutex_);
    return asked_.back();
  }

private:
  mutable std::mutex mutex_;
  std::function<result<bool>(const ack_question&)> answer_;
  std::vector<std::weak_ptr<std::function<void()>>> watchers_;
  std::vector<ack_question> asked_;
};

/// The columns of most tests.
inline schema order_columns() {
  return {{"id", {type_kind::bigint}, true},
          {"name", {type_kind::text}, false},
          {"price", {type_kind::double_precision}, false}};
}

inline topic_settings orders(std::string uid = "t-orders", std::uint32_t partitions = 1) {
  topic_settings x;
  x.uid = std::move(uid);
  x.name = "orders";
  x.columns = order_columns();
  x.partitions = partitions;
  return x;
}

/// Microseconds since 1970.
inline micros wall_time() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Registry, API and server; may be stopped and made again on the same folder.
class topics_service final : public gateway_service {
public:
  explicit topics_service(const std::string& folder, topic_registry_options options = {},
                          http_options how = {}) {
    options.data_folder = folder;
    auto opened = topic_registry::open(std::move(options), io, wall_time, metrics);
    if (!opened)
      BOOST_FAIL(to_string(opened.error()));
    topics = *std::move(opened);
    api = std::make_unique<message_api>(*topics, io, &acks, metrics);
    how.port = 0;
    auto started = http_server::start(how, service_routes(), *this, metrics);
    if (!started)
      BOOST_FAIL(to_string(started.error()));
    server = *std::move(started);
  }

  ~topics_service() override {
    server->stop(std::chrono::milliseconds(0));
    api.reset();
    topics.reset();
  }

  topics_service(const topics_service&) = delete;
  topics_service& operator=(const topics_service&) = delete;

  void handle(std::shared_ptr<const http_request> request, http_reply reply) override {
    api->handle(std::move(request), std::move(reply));
  }

  void look_ready(std::function<void(const result<void>&)> answer) override {
    answer({});
  }

  void put(topic_settings x) const {
    const auto done = topics->put(std::move(x));
    if (!done)
      BOOST_FAIL(to_string(done.error()));
  }

  [[nodiscard]] http_answer ask(std::string_view bytes) const {
    http_client client(server->port());
    auto answer = client.ask(bytes);
    if (!answer)
      BOOST_FAIL("no answer");
    return *std::move(answer);
  }

  [[nodiscard]] std::string read(const std::string& query = {}) const {
    return ask(get("/v1/topics/orders/messages" + query)).body;
  }

  metrics_registry metrics;
  scripted_acks acks;
  io_pool io{4};
  std::unique_ptr<topic_registry> topics;
  std::unique_ptr<message_api> api;
  std::unique_ptr<http_server> server;
};

} // namespace ebb::test
