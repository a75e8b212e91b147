/// What the routes of streams and topics have in common.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/http_request.hpp"
#include "actors/plan/manifest.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <string>

namespace ebb {

/// Qualified name of what the path names: `part` is `stream` or `topic`.
[[nodiscard]] inline std::string qualified_part(const http_request& x, const char* part) {
  return qualified_name(std::string(x.name_space()), x.part(part));
}

/// The path names a thing of this kind that is not there.
[[nodiscard]] inline error no_such(const std::string& kind, const http_request& x) {
  auto problem = make_error(ec::not_found, "there is no " + kind + " named " + x.part(kind),
                            "ebb get " + kind + "s lists those of a namespace");
  problem.place.field = "path." + kind;
  return problem;
}

[[nodiscard]] inline std::size_t limit_of(const http_request& x) {
  return static_cast<std::size_t>(x.query_number("limit", 100));
}

/// 200 with a document, or the error.
inline void answer(const http_reply& reply, const result<std::string>& made) {
  if (made)
    reply.json(200, *made);
  else
    reply.fail(made.error());
}

} // namespace ebb
