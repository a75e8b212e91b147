/// The HTTP interface as data. Dispatch, 404 and 405, checks of parameters and bodies, who may call
/// what, `/v1/openapi.json` and docs/http.md all come from this one table.
#pragma once

#include "actors/gateway/api_call.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

enum class http_method : std::uint8_t { get, post, put, delete_ };

[[nodiscard]] const char* to_string(http_method method) noexcept;

/// Who may call a route. An operator may call all of them.
enum class route_access : std::uint8_t {
  open,      ///< anybody, without a token
  any_token, ///< whoever has a valid token
  viewer,
  submitter,
  operator_,
};

[[nodiscard]] const char* to_string(route_access access) noexcept;

enum class parameter_kind : std::uint8_t {
  text,       ///< UTF-8 without control characters, `least` to `most` of them
  label,      ///< DNS label (RFC 1123), names of streams and topics
  identifier, ///< SQL identifier, names of operators
  integer,    ///< decimal, `least` to `most`
  boolean,    ///< `true` or `false`
  choice,     ///< one of `choices`
  duration,   ///< `250ms`, `10s`, `5m`, `1h`, `7d`; `least` and `most` in milliseconds
  position,   ///< `earliest`, `latest` or an offset
};

/// A part of the path, a query parameter or a header.
struct parameter {
  std::string name; ///< a header as it is written in the documentation: `Ebb-Sequence`
  parameter_kind kind = parameter_kind::text;
  std::string summary;
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max(); ///< a text has at most 1,024
  std::vector<std::string> choices = {};
  std::string standard = {}; ///< what holds when it is absent, for the documentation
  bool required = false;     ///< parts of the path always are
};

/// A media type that a route takes.
struct body_kind {
  std::string media_type;
  std::uint64_t bytes_max = 0;
  std::string schema; ///< JSON Schema, or the name of one in openapi.hpp; empty = any
};

/// A status that a route answers when it succeeds, and in which form.
struct response_kind {
  int status = 200;
  std::string media_type; ///< empty = no body
  std::string summary;
  std::string schema = {}; ///< as in body_kind
};

struct route {
  api_call call;
  http_method method = http_method::get;
  /// Segments are literals, `{name}`, or `{name}:verb`: `/v1/streams/{stream}:sleep`.
  std::string pattern;
  std::string summary; ///< one sentence, no full stop
  route_access access = route_access::operator_;
  std::vector<parameter> path = {}; ///< one for each `{name}`, in order
  std::vector<parameter> query = {};
  std::vector<parameter> headers = {};
  std::vector<body_kind> bodies = {}; ///< none: a body is refused
  std::vector<response_kind> responses = {};
  std::vector<int> failures = {}; ///< statuses of problems besides those that every route may have
  /// How long the service may take to begin its answer; then the client gets 503.
  std::chrono::milliseconds answer_time = std::chrono::seconds(30);
};

/// Segments of a path, decoded. Decoding has refused whatever has two spellings.
using path_segments = std::vector<std::string>;

/// Immutable after make(); thread-safe.
class route_table {
public:
  struct found {
    const route* match = nullptr;          ///< null: nothing, or not with this method
    std::size_t index = 0;                 ///< of `match` in all()
    std::vector<std::string> values = {};  ///< parts of the path, in the order of route::path
    std::vector<http_method> allowed = {}; ///< methods that this path has; empty = 404
  };

  /// Errors (two routes for one path, a part of a path that is not declared, choices without
  /// values) are bugs of the table, found by its test.
  [[nodiscard]] static result<route_table> make(std::vector<route> routes);

  /// The values are not checked against their kinds yet.
  [[nodiscard]] found match(http_method method, const path_segments& path) const;

  [[nodiscard]] const std::vector<route>& all() const noexcept {
    return routes_;
  }

private:
  struct segment {
    std::string literal; ///< of a parameter the verb with its colon, or empty
    bool parameter = false;
  };

  [[nodiscard]] static result<std::vector<segment>> parse(const route& x);

  std::vector<route> routes_;
  std::vector<std::vector<segment>> segments_; ///< of each route
};

} // namespace ebb
