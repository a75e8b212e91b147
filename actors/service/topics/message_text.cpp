#include "actors/service/topics/message_text.hpp"

#include "actors/connectors/topic_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace ebb {

message_text::message_text(const topic_settings& topic, const form& how)
    : form_(how),
      writer_(topic.changes ? make_change_message_writer(topic.columns, topic.primary_key)
                            : make_json_writer(topic.columns)) {}

void message_text::add_line(const topic_cursor::unit& what, std::uint64_t offset,
                            std::string_view row, std::string_view time, std::string& out) const {
  if (form_.events)
    out += "data: ";
  if (form_.meta) {
    fmt::format_to(std::back_inserter(out), R"({{"partition":{},"offset":{},"time":"{}","value":)",
                   what.partition, offset, time);
    out += row;
    out += '}';
  } else {
    out += row;
  }
  out += form_.events ? "\n\n" : "\n";
}

result<void> message_text::add(const topic_cursor::unit& what,
                               const std::vector<topic_cursor::position>& after, std::string& out) {
  EBB_TRY(writer_->write(*what.rows.rows, rows_));
  if (!form_.events && !form_.meta) {
    for (auto block = rows_.pop(true); block.size != 0; block = rows_.pop(true))
      out.append(block.memory.as<const char>(), block.size);
    return {};
  }
  std::string lines;
  for (auto block = rows_.pop(true); block.size != 0; block = rows_.pop(true))
    lines.append(block.memory.as<const char>(), block.size);
  char time[fixed_text_max];
  const std::string_view time_text(
      time, static_cast<std::size_t>(write_timestamp(what.rows.time, true, time) - time));
  auto positions = after;
  auto offset = what.rows.first;
  // JSON's text has no line feeds but those at the ends.
  for (std::string_view rest = lines; !rest.empty(); ++offset) {
    const auto row = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(row.size() + 1);
    if (form_.ids == event_ids::offset) {
      fmt::format_to(std::back_inserter(out), "id: {}\n", offset);
    } else if (form_.ids == event_ids::positions) {
      for (auto& x : positions)
        if (x.partition == what.partition)
          x.next = offset + 1;
      out += "id: " + position_text(positions) + '\n';
    }
    add_line(what, offset, row, time_text, out);
  }
  return {};
}

std::string position_text(const std::vector<topic_cursor::position>& x) {
  std::string out;
  for (const auto& p : x)
    fmt::format_to(std::back_inserter(out), "{}{}:{}", out.empty() ? "" : ",", p.partition, p.next);
  return out;
}

std::optional<std::vector<topic_cursor::position>> parse_positions(std::string_view x) {
  std::vector<topic_cursor::position> out;
  const char* at = x.data();
  const char* const end = at + x.size();
  while (at != end) {
    topic_cursor::position p;
    auto parsed = std::from_chars(at, end, p.partition);
    if (parsed.ec != std::errc{} || parsed.ptr == end || *parsed.ptr != ':')
      return std::nullopt;
    parsed = std::from_chars(parsed.ptr + 1, end, p.next);
    if (parsed.ec != std::errc{} || (parsed.ptr != end && *parsed.ptr != ','))
      return std::nullopt;
    out.push_back(p);
    at = parsed.ptr;
    if (at != end && ++at == end)
      return std::nullopt;
  }
  return out;
}

} // namespace ebb
