/// The thread's side of the server: what all connections share. Includes Asio.
#pragma once

#include "actors/gateway/deadline_wheel.hpp"
#include "actors/gateway/gateway_service.hpp"
#include "actors/gateway/http_server.hpp"
#include "actors/gateway/loop_door.hpp"
#include "actors/gateway/route_metrics.hpp"
#include "actors/gateway/token_guard.hpp"
#include "actors/gateway/trace_context.hpp"
#include "actors/gateway/transport.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ebb {

class connection;

/// Used on the server's thread alone, but for the door.
class server_core {
public:
  using clock = std::chrono::steady_clock;
  using tcp = boost::asio::ip::tcp;

  server_core(const http_options& how, route_table table, gateway_service& behind,
              metrics_registry& registry, std::optional<tls_identity> identity, token_guard guard);
  ~server_core();

  [[nodiscard]] result<void> listen(const tcp::endpoint& where);

  /// The server's thread: returns when the last connection has gone after stop().
  void run();

  /// No new connections; those without a request are closed, the others after `patience`.
  void stop(clock::duration patience);

  void set_deadline(deadline_entry& entry, clock::time_point when);

  /// Connections that wait for a request, in the order in which they began to.
  void idle(connection& x, bool now);

  void gone(connection& x);

  /// Answers of the server itself; false where the service answers.
  [[nodiscard]] bool answer(const http_request& request, const http_reply& reply);

  /// For the header Date.
  [[nodiscard]] std::string_view date();

  /// Microseconds since 1970.
  [[nodiscard]] static micros wall_time();

  const http_options options;
  const route_table routes;
  gateway_service& service;
  metrics_registry& metrics;
  route_metrics counts;
  const std::optional<tls_identity> tls;
  token_guard tokens;
  trace_source traces;
  std::shared_ptr<loop_door> door;
  std::size_t pending = 0;         ///< requests with the service
  std::uint64_t pending_bytes = 0; ///< of bodies
  bool stopping = false;
  /// All connections read into this; what they keep, they copy.
  std::array<char, 64 << 10> scratch;
  boost::asio::io_context io;
  std::uint16_t port = 0; ///< that it listens on

private:
  class door_to_io;

  void accept_soon();
  void accept_some();
  void admit(tcp::socket socket);
  void arm_timer(clock::time_point when);
  void refresh_tokens();
  void tell_of_tokens();
  [[nodiscard]] bool make_room();
  [[nodiscard]] std::size_t open_connections_max() const;

  tcp::acceptor acceptor_;
  boost::asio::steady_timer accept_again_;
  boost::asio::steady_timer deadline_timer_;
  boost::asio::steady_timer token_timer_;
  boost::asio::steady_timer stop_timer_;
  clock::time_point armed_for_ = clock::time_point::max();
  deadline_wheel wheel_;
  std::unordered_map<connection*, std::shared_ptr<connection>> connections_;
  std::unordered_map<std::string, std::size_t> per_address_;
  connection* idle_first_ = nullptr;
  connection* idle_last_ = nullptr;
  std::size_t connections_max_ = 0;
  std::string openapi_;
  std::string date_;
  std::int64_t date_second_ = -1;
};

} // namespace ebb
