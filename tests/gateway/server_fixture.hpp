/// A server on a free port, and a service that does what the test says.
#pragma once

#include "actors/gateway/http_server.hpp"
#include "actors/gateway/service_routes.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ebb::test {

/// Thread-safe setters; the handler runs on the server's thread.
class scripted_service final : public gateway_service {
public:
  using handler = std::function<void(std::shared_ptr<const http_request>, http_reply)>;

  /// Answers with the request's parts by default, so that tests see what was understood.
  void handle(std::shared_ptr<const http_request> request, http_reply reply) override {
    handler call;
    {
      std::lock_guard guard(mutex_);
      call = handler_;
    }
    if (call)
      return call(std::move(request), std::move(reply));
    reply.json(200, R"({"call":")" + std::string(to_string(request->to->call)) + R"(","body":)"
                        + std::to_string(request->body.size()) + '}');
  }

  void look_ready(std::function<void(const result<void>&)> answer) override {
    std::lock_guard guard(mutex_);
    answer(not_ready_.empty()
               ? result<void>()
               : make_error(ec::resource, not_ready_, "wait until " + not_ready_ + " no more"));
  }

  void on_request(handler call) {
    std::lock_guard guard(mutex_);
    handler_ = std::move(call);
  }

  void set_not_ready(std::string why) {
    std::lock_guard guard(mutex_);
    not_ready_ = std::move(why);
  }

private:
  mutable std::mutex mutex_;
  handler handler_;
  std::string not_ready_;
};

struct server_fixture {
  explicit server_fixture(http_options how = {}) {
    how.port = 0;
    auto started = http_server::start(how, service_routes(), service, metrics);
    if (!started)
      BOOST_FAIL(to_string(started.error()));
    server = *std::move(started);
  }

  [[nodiscard]] std::uint16_t port() const {
    return server->port();
  }

  scripted_service service;
  metrics_registry metrics;
  std::unique_ptr<http_server> server; ///< goes first
};

/// A folder that goes with it.
class scratch_folder {
public:
  scratch_folder() {
    char name[] = "/tmp/ebb-gateway-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }

  ~scratch_folder() {
    std::filesystem::remove_all(path_);
  }

  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

private:
  std::string path_;
};

} // namespace ebb::test
