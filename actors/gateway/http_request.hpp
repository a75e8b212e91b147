/// A request that has passed every check that the route table allows.
#pragma once

#include "actors/gateway/caller.hpp"
#include "actors/gateway/route_table.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// Immutable once it is given to the service, which may keep it for as long as it likes; its body
/// counts against the server's memory until the answer has begun.
struct http_request {
  /// A parameter that was given, valid for its kind.
  struct value {
    const parameter* of = nullptr; ///< in the route
    std::string text;
    std::int64_t number = 0; ///< integer; boolean 0 or 1; duration in milliseconds; offset, or -1
                             ///< for `latest` and 0 for `earliest`
  };

  const route* to = nullptr; ///< lives as long as the server
  bool head = false;         ///< HEAD: the answer's body is not sent
  std::vector<value> path;
  std::vector<value> query;
  std::vector<value> headers;
  std::string content_type; ///< the body's media type, as the route spells it; empty = no body
  std::string body;
  std::string accept; ///< media type of the route's answers that suits the client best
  caller from;
  std::string peer;                               ///< address of the client, without port
  std::string traceparent;                        ///< W3C trace context: the client's, or a new one
  std::chrono::steady_clock::time_point received; ///< when its head was complete

  /// Part of the path; it must be declared.
  [[nodiscard]] const std::string& part(std::string_view name) const;

  /// Null where it was not given.
  [[nodiscard]] const value* query_value(std::string_view name) const noexcept;
  [[nodiscard]] const value* header_value(std::string_view name) const noexcept;

  [[nodiscard]] std::string_view query_text(std::string_view name,
                                            std::string_view otherwise = {}) const noexcept;
  [[nodiscard]] std::int64_t query_number(std::string_view name,
                                          std::int64_t otherwise) const noexcept;

  [[nodiscard]] std::string_view name_space() const noexcept {
    return query_text("namespace", "default");
  }
};

} // namespace ebb
