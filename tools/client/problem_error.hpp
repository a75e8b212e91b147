/// Problem documents (RFC 9457) as the errors that commands print.
#pragma once

#include "schemas/error.hpp"
#include "tools/client/http_client.hpp"

#include <chrono>
#include <optional>

namespace ebb::client {

/// The error of an answer that is not good. Kinds: 400, 413, 422 ec::invalid_argument; 404
/// ec::not_found; 409 ec::conflict; 408, 429, 503 ec::resource; others ec::io. Place, field and
/// hint are the document's; further errors of its list `errors` are lines of the excerpt. What is
/// no problem document is told by its status.
[[nodiscard]] error problem_error(const http_response& answer);

/// The kind of a problem by its `type`, for exit codes: not_found, conflict, invalid_argument, else
/// io.
[[nodiscard]] ec kind_of_problem(std::string_view type) noexcept;

/// Whether the same request may succeed later: 408, 429, 502, 503, 504.
[[nodiscard]] bool is_passing(const http_response& answer) noexcept;

/// What the answer's Retry-After says in whole seconds; nothing without one.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const http_response& answer);

} // namespace ebb::client
