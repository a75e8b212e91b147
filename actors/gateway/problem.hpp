/// What a client is told when a request fails: an RFC 9457 problem document.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebb {

/// A failed request. A value type. Sent as `application/problem+json`.
struct http_problem {
  int status = 500;
  std::string type;   ///< last part of the type's URI: `parameter-unknown`; stable, for programs
  std::string detail; ///< one sentence, lower case, no full stop
  std::string field;  ///< what is wrong: `query.limit`, `header.Ebb-Sequence`, `spec.sinks[0]`
  std::string hint;   ///< what to do; may be empty
  std::uint32_t line = 0;                           ///< of the body, from 1; 0 = unknown
  std::uint32_t column = 0;                         ///< of that line, from 1; 0 = unknown
  std::optional<std::uint32_t> retry_after_seconds; ///< with 429 and 503
  std::string allow;                                ///< methods, with 405

  bool operator==(const http_problem&) const = default;
};

/// The URI of every type is this and `http_problem::type`.
inline constexpr std::string_view problem_type_base = "https://ebb.dev/problems/";

[[nodiscard]] http_problem make_problem(int status, std::string type, std::string detail,
                                        std::string field = {}, std::string hint = {});

/// By kind: invalid_argument, bad_record, evaluation 400; unsupported 422; not_found 404; conflict
/// 409; resource 429 with Retry-After; cancelled 503; io, corrupt, internal 500.
[[nodiscard]] http_problem problem_of(const error& x);

/// Reason phrase of a status, `Bad Request`; `Unknown` for one that ebb does not send.
[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

/// The document: type, title, status, detail, and field, hint, line, column where there are any.
/// Bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string to_json(const http_problem& x);

} // namespace ebb
