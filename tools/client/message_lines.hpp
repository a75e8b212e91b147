/// Messages and places of topics, as `GET …/messages` gives them.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ebb::client {

struct message_line {
  std::uint64_t partition = 0;
  std::uint64_t offset = 0;
  std::string value; ///< the row, byte by byte where the line has the usual form
};

/// `{"partition":0,"offset":5,"time":"…","value":{…}}`, else in any order and spacing, then the
/// row's numbers may be spelled anew. ec::io where it is none.
[[nodiscard]] result<message_line> parse_message_line(std::string_view line);

/// The next offset of each partition.
using message_positions = std::map<std::uint64_t, std::uint64_t>;

/// `0:17,1:4`, as in the headers Ebb-Next and Last-Event-ID.
[[nodiscard]] std::string positions_text(const message_positions& x);

/// The reverse; empty where it is no such text.
[[nodiscard]] message_positions parse_positions(std::string_view text);

} // namespace ebb::client
