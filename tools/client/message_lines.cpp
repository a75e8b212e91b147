#include "tools/client/message_lines.hpp"

#include "tools/client/json.hpp"

#include <charconv>

namespace ebb::client {

namespace {

/// The line as the service writes it; false where it is anything else.
bool parse_usual(std::string_view line, message_line& out) {
  const auto skip = [&](std::string_view text) {
    const bool there = line.substr(0, text.size()) == text;
    line.remove_prefix(there ? text.size() : 0);
    return there;
  };
  const auto number = [&](std::uint64_t& to) {
    const auto [stop, problem] = std::from_chars(line.data(), line.data() + line.size(), to);
    line.remove_prefix(static_cast<std::size_t>(stop - line.data()));
    return problem == std::errc{};
  };
  if (!skip(R"({"partition":)") || !number(out.partition) || !skip(R"(,"offset":)")
      || !number(out.offset) || !skip(R"(,"time":")"))
    return false;
  const auto end = line.find('"');
  line.remove_prefix(end == std::string_view::npos ? line.size() : end);
  if (!skip(R"(","value":{)") || line.size() < 2 || line.substr(line.size() - 2) != "}}")
    return false;
  (out.value = '{').append(line.substr(0, line.size() - 1));
  return true;
}

} // namespace

result<message_line> parse_message_line(std::string_view line) {
  message_line out;
  if (parse_usual(line, out))
    return out;
  EBB_ASSIGN(const auto x, parse_json(line));
  const auto& partition = at(x, "partition");
  const auto& offset = at(x, "offset");
  if (!partition.is_number_unsigned() || !offset.is_number_unsigned() || !x.contains("value"))
    return make_error(ec::io, "the answer has a line that is no message: " + std::string(line));
  return message_line{partition.get<std::uint64_t>(), offset.get<std::uint64_t>(),
                      text_of(x["value"])};
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
