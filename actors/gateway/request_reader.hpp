/// Bytes of one request to its head and body. Boost.Beast parses; what it is lenient about, and two
/// servers could read in two ways, is refused here.
#pragma once

#include "actors/gateway/problem.hpp"
#include "actors/gateway/route_table.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// The views point into the bytes that the head was read from.
struct request_head {
  std::string_view method; ///< `GET`, whatever was sent
  std::string_view target;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool chunked = false;
  std::uint64_t content_length = 0; ///< when it is not chunked
  bool expects_continue = false;
  std::string_view host;
  std::string_view authorization;
  std::string_view content_type;
  std::string_view content_encoding;
  std::string_view origin;
  std::string_view traceparent;
  std::string accept; ///< of all Accept fields
  /// Fields that are parameters of routes: `Ebb-…`, `Idempotency-Key`, `Last-Event-ID`.
  std::vector<std::pair<std::string_view, std::string_view>> parameters;

  [[nodiscard]] bool has_body() const noexcept {
    return chunked || content_length != 0;
  }
};

struct reader_limits {
  std::size_t header_bytes = 32 << 10;
  std::size_t header_fields = 100;
  std::size_t target_bytes = 8 << 10;
};

/// Reads one request; then it is thrown away. After `bad` the connection must be closed, since
/// nobody knows where the next request would begin.
class request_reader {
public:
  enum class step { more, done, bad };

  explicit request_reader(const reader_limits& limits);
  ~request_reader();

  /// `bytes` is all that has come since the request began; `more` wants them again with what comes
  /// next. After `done` the head is there and `used` says how many bytes it took.
  [[nodiscard]] step read_head(std::string_view bytes, std::size_t& used);

  [[nodiscard]] const request_head& head() const noexcept {
    return head_;
  }

  /// The same for the body, from the first byte that was not used; appends to `to`. A body beyond
  /// `bytes_max` is bad (413). `used` counts with `more`, too. Views of the head may have gone.
  [[nodiscard]] step read_body(std::string_view bytes, std::size_t& used, std::string& to,
                               std::uint64_t bytes_max);

  /// Why it is bad.
  [[nodiscard]] const http_problem& problem() const noexcept {
    return problem_;
  }

private:
  class parser;

  [[nodiscard]] step scan(std::string_view bytes);
  [[nodiscard]] step fail(int status, std::string type, std::string detail, std::string hint = {});
  [[nodiscard]] step check_head();

  reader_limits limits_;
  std::unique_ptr<parser> parser_;
  request_head head_;
  http_problem problem_;
  std::size_t begin_ = 0;   ///< an empty line before the request is skipped
  std::size_t scanned_ = 0; ///< bytes that scan() has looked at
  std::size_t lines_ = 0;
  std::size_t line_begin_ = 0;
  bool complete_ = false; ///< scan() has seen the empty line
  std::uint64_t raw_body_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
};

} // namespace ebb
