/// What a client is told about messages that it has sent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

enum class ack_level : std::uint8_t { logged, checkpointed, committed };

[[nodiscard]] const char* to_string(ack_level level) noexcept;

/// The level that a valid value of the parameter `ack` names.
[[nodiscard]] ack_level ack_level_of(const std::string& text) noexcept;

/// Where the messages of one request lie, and what has happened to them.
struct message_receipt {
  struct range {
    std::uint32_t partition = 0;
    std::uint64_t first = 0; ///< offset
    std::uint64_t last = 0;  ///< itself included
  };

  std::string topic;
  std::vector<range> ranges; ///< one a partition
  ack_level ack = ack_level::logged;
  bool duplicate = false; ///< a retry: they were there already
  std::string token;      ///< for GET /v1/acks/{token}: characters that a path takes as they are
};

/// The schema `Receipt`.
[[nodiscard]] std::string to_json(const message_receipt& x);

} // namespace ebb
