/// HTTP/1.1 with or without TLS, on one thread of its own.
#pragma once

#include "actors/gateway/gateway_service.hpp"
#include "actors/gateway/metrics.hpp"
#include "actors/gateway/route_table.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace ebb {

/// What one client, or all together, may take of the server.
struct http_limits {
  std::size_t header_bytes = 32 << 10;
  std::size_t header_fields = 100;
  std::size_t target_bytes = 8 << 10;
  std::size_t connections = 16'384; ///< at most what the process's limit of open files leaves
  std::size_t connections_per_address = 1'024; ///< not counted for loopback addresses
  std::size_t pending_requests = 4'096;        ///< given to the service and not answered
  std::uint64_t body_bytes = 256 << 20;        ///< of all pending requests together
  std::size_t stream_buffer_bytes = 256 << 10; ///< unsent, of one stream

  std::chrono::milliseconds header_time = std::chrono::seconds(10); ///< TLS handshake as well
  std::chrono::milliseconds idle_time = std::chrono::seconds(90);   ///< between two requests
  /// A body, and an answer that the client reads, may take this long and one second more for every
  /// `rate_bytes` that have passed.
  std::chrono::milliseconds transfer_time = std::chrono::seconds(20);
  std::size_t rate_bytes = 4 << 10;
  std::chrono::milliseconds heartbeat_time = std::chrono::seconds(15); ///< server-sent events
};

struct http_options {
  std::string address = "127.0.0.1"; ///< numeric, or `localhost`
  std::uint16_t port = 8181;         ///< 0 = any free one
  std::string tls_certificate = {};  ///< PEM file, with the chain; empty = no TLS
  std::string tls_key = {};          ///< PEM file
  /// Folder with the file of tokens (token_store.hpp), which is read again when it changes; empty,
  /// or without that file: whoever reaches a loopback address may do everything.
  std::string token_folder = {};
  http_limits limits = {};
  std::string version = "0"; ///< of ebb, for the OpenAPI document
};

/// Connections are served from start() to stop(). All functions are thread-safe; `service` and
/// `metrics` must outlive the server.
class http_server {
public:
  /// Off loopback ec::invalid_argument without TLS or without tokens, with what to do. ec::conflict
  /// where the port is taken.
  [[nodiscard]] static result<std::unique_ptr<http_server>> start(const http_options& options,
                                                                  route_table routes,
                                                                  gateway_service& service,
                                                                  metrics_registry& metrics);

  /// As stop(0).
  ~http_server();

  /// The port that it listens on.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// `http://127.0.0.1:8181`.
  [[nodiscard]] std::string url() const;

  /// Takes no new connections, closes idle ones, lets requests that are under way finish, ends
  /// streams; after `patience` cuts what is left. Blocks until then. Not from the server's thread.
  void stop(std::chrono::milliseconds patience);

  /// CPU time of the server's thread so far, in seconds.
  [[nodiscard]] double cpu_seconds() const;

private:
  struct parts;
  explicit http_server(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

} // namespace ebb
