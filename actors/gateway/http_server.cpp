#include "actors/gateway/http_server.hpp"

#include "actors/gateway/server_core.hpp"
#include "actors/runtime/blocked_signals.hpp"

#include <boost/asio/post.hpp>

#include <ctime>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>

namespace ebb {

namespace {

// Off loopback, what is missing for others to be let in safely.
result<void> check_exposure(const http_options& options, const token_guard& tokens) {
  const auto where = options.address + ':' + std::to_string(options.port);
  if (options.tls_certificate.empty())
    return make_error(
        ec::invalid_argument, "listening on " + where + ", which others can reach, needs TLS",
        "give --tls-cert FILE --tls-key FILE (openssl req -x509 -newkey ec -pkeyopt "
        "ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -subj /CN=HOST -addext "
        "subjectAltName=DNS:HOST makes a pair), or listen on 127.0.0.1");
  if (!tokens.any_good(server_core::wall_time()))
    return make_error(ec::invalid_argument,
                      "listening on " + where + ", which others can reach, needs tokens",
                      "make the first one: ebb auth init --data DIR, or listen on 127.0.0.1");
  return {};
}

} // namespace

struct http_server::parts {
  std::unique_ptr<server_core> core;
  std::thread thread;
  std::string url;
  double cpu_at_end = 0;
  std::mutex mutex; ///< of thread and cpu_at_end

  [[nodiscard]] double cpu_seconds();
};

http_server::http_server(std::unique_ptr<parts> made) : parts_(std::move(made)) {}

result<std::unique_ptr<http_server>> http_server::start(const http_options& options,
                                                        route_table routes,
                                                        gateway_service& service,
                                                        metrics_registry& metrics) {
  boost::system::error_code problem;
  const auto address = boost::asio::ip::make_address(
      options.address == "localhost" ? "127.0.0.1" : options.address, problem);
  if (problem)
    return make_error(ec::invalid_argument, options.address + " is no address",
                      "give digits, such as 127.0.0.1, 0.0.0.0 or ::1");
  if (options.tls_certificate.empty() != options.tls_key.empty())
    return make_error(ec::invalid_argument, "a certificate and its key belong together",
                      "give both --tls-cert and --tls-key");
  EBB_ASSIGN(auto tokens, token_guard::open(options.token_folder));
  if (!address.is_loopback())
    EBB_TRY(check_exposure(options, tokens));
  std::optional<tls_identity> identity;
  if (!options.tls_certificate.empty()) {
    EBB_ASSIGN(identity, tls_identity::load(options.tls_certificate, options.tls_key));
  }
  auto made = std::make_unique<parts>();
  made->core = std::make_unique<server_core>(options, std::move(routes), service, metrics,
                                             std::move(identity), std::move(tokens));
  auto& core = *made->core;
  EBB_TRY(core.listen({address, options.port}));
  const auto host = address.to_string();
  made->url = std::string(core.tls ? "https://" : "http://")
              + (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(core.port);
  const blocked_signals guard;
  made->thread = std::thread([&core] {
    pthread_setname_np(pthread_self(), "ebb-http");
    core.run();
  });
  return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

http_server::~http_server() {
  stop(std::chrono::milliseconds(0));
}

std::uint16_t http_server::port() const noexcept {
  return parts_->core->port;
}

std::string http_server::url() const {
  return parts_->url;
}

void http_server::stop(std::chrono::milliseconds patience) {
  std::lock_guard guard(parts_->mutex);
  if (!parts_->thread.joinable())
    return;
  auto& core = *parts_->core;
  boost::asio::post(core.io, [&core, patience] { core.stop(patience); });
  parts_->cpu_at_end = parts_->cpu_seconds();
  parts_->thread.join();
}

double http_server::cpu_seconds() const {
  std::lock_guard guard(parts_->mutex);
  return parts_->cpu_seconds();
}

double http_server::parts::cpu_seconds() {
  clockid_t clock{};
  timespec used{};
  if (!thread.joinable() || pthread_getcpuclockid(thread.native_handle(), &clock) != 0
      || clock_gettime(clock, &used) != 0)
    return cpu_at_end;
  constexpr double nanos = 1e9;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / nanos;
}

} // namespace ebb
