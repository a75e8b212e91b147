#include "tools/client/message_lines.hpp"

#include "tools/client/json.hpp"

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

} // namespace ebb::client
