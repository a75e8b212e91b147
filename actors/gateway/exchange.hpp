/// A request and its answer, while a connection is busy with them.
#pragma once

#include "actors/gateway/connection.hpp"
#include "actors/gateway/http_request.hpp"

namespace ebb {

struct connection::exchange {
  explicit exchange(const reader_limits& limits) : reader(limits) {}

  request_reader reader;
  std::shared_ptr<http_request> request; ///< while its body comes
  std::shared_ptr<reply_channel> reply;
  std::optional<http_problem> refusal; ///< to be sent when `thrown_away` is complete
  std::string thrown_away;             ///< body of a refused request
  std::uint64_t body_max = 0;
  std::uint64_t body_bytes = 0; ///< counted in the core
  server_core::clock::time_point head_done;
  server_core::clock::time_point body_begun;
  int route = -1;
  int status = 0;
  bool pending = false; ///< counted in the core
  bool keep_alive = true;
  bool http_1_0 = false;
  bool for_anybody = false; ///< no token is needed
  std::string token;        ///< id of the one that the request came with; may be empty
  bool head_only = false;

  // The answer: three pieces one after the other.
  std::string out;
  std::string body;
  std::string_view tail;
  std::size_t sent = 0;           ///< of all three
  std::size_t stream_payload = 0; ///< of the stream, in `body`
  bool chunked = false;
  bool events = false; ///< server-sent
  bool last = false;   ///< nothing follows these pieces

  [[nodiscard]] std::size_t size() const noexcept {
    return out.size() + body.size() + tail.size();
  }
};

} // namespace ebb
