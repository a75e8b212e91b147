/// HTTP/1.1 as the commands speak it: one request after the other on a connection that stays.
#pragma once

#include "tools/client/connection.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb::client {

using http_headers = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method = "GET";
  std::string target; ///< path and query, encoded
  http_headers headers;
  std::string_view body = {};
  std::string content_type = {};
  std::string accept = "application/json";
  /// How much longer than usual the head of the answer may take: what the service was asked to
  /// wait.
  std::chrono::milliseconds waits = {};
  /// The answer goes on without an end.
  bool follows = false;
};

struct http_response {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;

  [[nodiscard]] bool good() const noexcept {
    return status >= 200 && status < 300;
  }
};

struct http_limits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds answer{30'000}; ///< for the head, and between two parts of the body
  std::size_t body_bytes = std::size_t{256} << 20;
};

/// Keeps one connection to one endpoint. One thread at a time.
///
/// Errors are those of the connection; an answer with any status is no error. A GET whose kept
/// connection turns out to be gone is sent once more; nothing else is ever sent twice.
class http_client {
public:
  http_client(endpoint to, tls_choice tls, std::string token, http_limits limits = {});

  [[nodiscard]] result<http_response> send(const http_request& request);

  /// Gives the head of a good answer, then its body in parts as they come; false = enough, the
  /// connection is closed. Other answers are collected.
  using body_part = std::function<result<bool>(std::string_view part)>;
  using head_seen = std::function<void(const http_response& head)>;
  [[nodiscard]] result<http_response> stream(const http_request& request, const head_seen& see,
                                             const body_part& take);

  /// Whether the service has ever answered.
  [[nodiscard]] bool has_answered() const noexcept {
    return answered_;
  }

  [[nodiscard]] const endpoint& to() const noexcept {
    return to_;
  }

private:
  [[nodiscard]] std::string head_of(const http_request& request) const;
  [[nodiscard]] result<http_response> exchange(const http_request& request, const head_seen& see,
                                               const body_part& take, bool& began);

  endpoint to_;
  tls_choice tls_;
  std::string token_;
  http_limits limits_;
  std::optional<connection> connection_;
  bool answered_ = false;
};

} // namespace ebb::client
