/// Where a stream stands in one partition of a topic, as its checkpoints keep it.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

struct topic_position {
  std::string topic;        ///< its uid
  std::uint64_t offset = 0; ///< of the row to read next

  bool operator==(const topic_position&) const = default;
};

/// The bytes of `source_position`.
[[nodiscard]] std::string encode(const topic_position& x);

/// ec::corrupt where the bytes are none of a topic. `source` is for the message.
[[nodiscard]] result<topic_position> decode_topic_position(std::string_view bytes,
                                                           const std::string& source);

} // namespace ebb
