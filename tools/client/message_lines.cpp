#include "tools/client/message_lines.hpp"

#include "tools/client/json.hpp"

#include <charconv>
#include <iterator>

namespace ebb::client {

result<message_line> parse_message_line(std::string_view line) {
  EBB_ASSIGN(const auto x, parse_json(line));
  const auto& partition = at(x, "partition");
  const auto& offset = at(x, "offset");
  if (!partition.is_number_unsigned() || !offset.is_number_unsigned() || !x.contains("value"))
    return make_error(ec::io, "the answer has a line that is no message: " + std::string(line));
  message_line out{partition.get<std::uint64_t>(), offset.get<std::uint64_t>(), {}};
  // Numbers are not read and written again: 1.10 stays 1.10. The fields before it hold no texts
  // that could look like it.
  constexpr std::string_view key = R"("value":)";
  const auto begin = line.find(key);
  const auto end = line.rfind('}');
  if (begin != std::string_view::npos && end != std::string_view::npos
      && x.items().begin() != x.items().end() && std::prev(x.end()).key() == "value")
    out.value = line.substr(begin + key.size(), end - begin - key.size());
  else
    out.value = text_of(x["value"]);
  return out;
}

std::string positions_text(const message_positions& x) {
  std::string out;
  for (const auto& [partition, next] : x)
    out += (out.empty() ? "" : ",") + std::to_string(partition) + ':' + std::to_string(next);
  return out;
}

message_positions parse_positions(std::string_view text) {
  message_positions out;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](std::uint64_t& to) {
    const auto [stop, problem] = std::from_chars(at, end, to);
    at = stop;
    return problem == std::errc{};
  };
  while (at != end) {
    std::uint64_t partition = 0;
    std::uint64_t next = 0;
    if (!number(partition) || at == end || *at++ != ':' || !number(next)
        || (at != end && (*at++ != ',' || at == end)))
      return {};
    out[partition] = next;
  }
  return out;
}

} // namespace ebb::client
