/// Lines of `GET …/messages?meta=true`.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::client {

struct message_line {
  std::uint64_t partition = 0;
  std::uint64_t offset = 0;
  std::string value; ///< the row, byte by byte as the service sent it
};

/// `{"partition":0,"offset":5,"time":"…","value":{…}}`. ec::io where it is none.
[[nodiscard]] result<message_line> parse_message_line(std::string_view line);

} // namespace ebb::client
