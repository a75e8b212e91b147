/// The bytes before an answer's body.
#pragma once

#include "actors/gateway/http_reply.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

/// How the client learns where the body ends.
enum class body_framing : std::uint8_t {
  length,  ///< Content-Length, of http_response::body
  chunked, ///< to HTTP/1.1
  close,   ///< to HTTP/1.0: the connection ends
};

/// `date` as in the header. Control characters in headers become spaces.
[[nodiscard]] std::string response_head(const http_response& x, body_framing framing,
                                        bool keep_alive, bool http_1_0, std::string_view date);

/// `Thu, 26 Nov 2026 07:06:14 GMT`.
[[nodiscard]] std::string http_date(std::int64_t unix_seconds);

} // namespace ebb
