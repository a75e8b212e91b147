/// One connection of a client: reads a request, gives it to the service, writes the answer, and
/// only then looks at the next. Includes Asio.
#pragma once

#include "actors/gateway/deadline_wheel.hpp"
#include "actors/gateway/reply_channel.hpp"
#include "actors/gateway/request_reader.hpp"
#include "actors/gateway/server_core.hpp"
#include "actors/gateway/transport.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ebb {

/// On the server's thread. Held by the core; every operation that waits holds it, too. While it
/// waits for a request it has no buffer and no exchange.
class connection final : public deadline_entry, public std::enable_shared_from_this<connection> {
public:
  connection(server_core& core, server_core::tcp::socket socket, std::string peer,
             std::string counted_address);
  ~connection() override;

  void start();

  /// Nothing more is read or written.
  void close();

  /// The server stops: closes when nothing is under way, else finishes that.
  void wind_up();

  /// Tokens may have been revoked, or have expired: an answer that goes on ends with its token. It
  /// is cut, so that the client does not take it for complete.
  void on_tokens();

  /// There is news of the reply.
  void on_reply();

  void on_deadline() override;

  /// An answer goes on.
  [[nodiscard]] bool streams() const noexcept {
    return stage_ == stage::streaming;
  }

  /// Its part in limits by address; empty = not counted.
  [[nodiscard]] const std::string& counted_address() const noexcept {
    return counted_address_;
  }

  [[nodiscard]] server_core::clock::time_point idle_since() const noexcept {
    return since_;
  }

  // The core's list of idle connections.
  connection* idle_next = nullptr;
  connection* idle_previous = nullptr;
  bool in_idle_list = false;

private:
  enum class stage : std::uint8_t {
    handshake,
    idle,      ///< between requests
    head,      ///< some bytes of one have come
    body,      ///< of a request that goes to the service
    drain,     ///< of one that is refused; the next can follow
    answering, ///< with the service
    writing,   ///< an answer, the last part of it
    streaming, ///< an answer that goes on
    linger,    ///< all is sent; what the client still sends is thrown away, so that it reads
    closed,
  };

  struct exchange;

  // connection.cpp: what comes in
  void shake_hands();
  void wait_to_read();
  void on_readable();
  void take(std::string_view bytes);
  void resume();
  [[nodiscard]] std::size_t process(std::string_view bytes);
  void begin_request();
  void on_head();
  void on_body_step(request_reader::step step, std::size_t used);
  void dispatch();
  void refuse(http_problem problem, bool close_after);
  [[nodiscard]] bool wants_bytes() const noexcept;

  // connection_answer.cpp: what goes out
  void poll_reply();
  void begin_answer(http_response answer);
  void begin_stream(http_response head);
  void pull_stream(reply_channel::news news);
  void put_chunk(std::string bytes, std::size_t payload);
  void wait_to_write();
  void flush();
  void on_flushed();
  void finish_answer();
  void count_answer();

  // connection_end.cpp
  void on_end();
  void linger();

  void set_stage(stage next);
  void deadline_in(server_core::clock::duration from_now);
  [[nodiscard]] server_core::clock::duration transfer_time(std::uint64_t bytes) const;

  server_core& core_;
  server_core::tcp::socket socket_;
  transport transport_;
  std::string in_; ///< come, but not used yet
  std::unique_ptr<exchange> exchange_;
  std::string peer_;
  std::string counted_address_;
  server_core::clock::time_point since_; ///< it is in this stage
  std::uint64_t lingered_ = 0;           ///< bytes
  stage stage_ = stage::handshake;
  bool reading_ = false; ///< waits until it can read
  bool writing_ = false;
  bool inside_ = false; ///< of process()
  bool peer_ended_ = false;
};

} // namespace ebb
