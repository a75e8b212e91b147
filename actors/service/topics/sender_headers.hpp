/// Who sends messages, as the headers of a request say it.
#pragma once

#include "actors/gateway/http_request.hpp"
#include "actors/gateway/problem.hpp"
#include "storage/topic_request.hpp"

#include <optional>

namespace ebb {

/// What a request's headers say of the request as a whole: producer and numbers, or key. 400 where
/// they do not go together.
[[nodiscard]] std::optional<http_problem> read_sender(const http_request& from, topic_append& to);

} // namespace ebb
