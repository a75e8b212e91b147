/// The token of a receipt: all that is needed to answer later what has become of its messages.
#pragma once

#include "actors/service/topics/ack_tracker.hpp"
#include "schemas/error.hpp"

#include <string>
#include <string_view>

namespace ebb {

/// base64url of version, level, topic uid, stream, ranges and a checksum: any process that knows
/// the topic can answer it. It is no secret and proves nothing. Empty where it would be longer than
/// `receipt_token_max` (more than about a hundred ranges).
[[nodiscard]] std::string encode_token(const ack_question& x);

/// ec::not_found where it is none.
[[nodiscard]] result<ack_question> decode_receipt_token(std::string_view token);

inline constexpr std::size_t receipt_token_max = 1024;

} // namespace ebb
