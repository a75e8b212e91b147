/// What stands behind the method in a request: path and query.
#pragma once

#include "actors/gateway/problem.hpp"
#include "actors/gateway/route_table.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ebb {

struct request_target {
  path_segments path;                                     ///< decoded; none for `/`
  bool server = false;                                    ///< `*`, as OPTIONS may say
  std::vector<std::pair<std::string, std::string>> query; ///< decoded, in order
};

/// Takes `/path?query`, `http://host/path?query` and `*`. A path has one spelling: empty, `.` and
/// `..` segments, encoded slashes, control characters and what is no UTF-8 are refused, so nothing
/// that is checked on this path can be read as another one later. In the query `+` is a space.
[[nodiscard]] std::variant<request_target, http_problem> parse_target(std::string_view text);

} // namespace ebb
