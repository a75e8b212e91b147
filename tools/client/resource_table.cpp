#include "tools/client/resource_table.hpp"

#include "tools/cli/text_table.hpp"
#include "tools/client/json_table.hpp"
#include "tools/client/moments.hpp"
#include "tools/client/report.hpp"

namespace ebb::client {

namespace {

std::string name_of(const json& x) {
  return text_at(x, "metadata.name");
}

std::string age_of(const json& x, std::int64_t now) {
  return age_text(text_at(x, "metadata.creationTimestamp"), now);
}

/// `12 (3s ago)`.
std::string checkpoint_of(const json& x, std::int64_t now) {
  const auto epoch = text_at(x, "status.checkpoint.epoch");
  const auto time = text_at(x, "status.checkpoint.time");
  return epoch.empty() || time.empty() ? epoch : epoch + " (" + age_text(time, now) + " ago)";
}

std::string size_at(const json& x, std::string_view path) {
  const auto& value = at(x, path);
  return value.is_number_unsigned() ? cli::size_text(value.get<std::uint64_t>()) : text_of(value);
}

std::string count_at(const json& x, std::string_view path) {
  const auto& value = at(x, path);
  return value.is_number_unsigned() ? grouped(value.get<std::uint64_t>()) : text_of(value);
}

std::string list_at(const json& x, std::string_view path) {
  std::string out;
  for (const auto& y : at(x, path))
    out += (out.empty() ? "" : ", ") + text_of(y);
  return out;
}

std::string partitions_of(const json& x) {
  const auto& all = at(x, "status.partitions");
  return all.is_array() ? std::to_string(all.size()) : text_of(all);
}

cli::text_table stream_table(const json& items, std::int64_t now) {
  cli::text_table table(
      {"NAME", "PHASE", "REASON", "SINCE", "CHECKPOINT", "WRITTEN", "NEXT WAKE", "AGE"});
  table.right(5);
  for (const auto& x : items) {
    const auto wake = text_at(x, "status.nextWake");
    table.add({cell_of(name_of(x)), cell_of(text_at(x, "status.phase")),
               cell_of(text_at(x, "status.reason")),
               cell_of(age_text(text_at(x, "status.since"), now)), cell_of(checkpoint_of(x, now)),
               cell_of(size_at(x, "status.checkpoint.bytes")),
               cell_of(wake.empty() ? wake : ahead_text(wake, now)), cell_of(age_of(x, now))});
  }
  return table;
}

cli::text_table topic_table(const json& items, std::int64_t now) {
  cli::text_table table({"NAME", "PARTITIONS", "ROWS", "SIZE", "USERS", "AGE"});
  for (const std::size_t i : {1U, 2U, 3U})
    table.right(i);
  for (const auto& x : items)
    table.add({cell_of(name_of(x)), partitions_of(x), count_at(x, "status.rows"),
               size_at(x, "status.bytes"), cell_of(list_at(x, "status.users")),
               cell_of(age_of(x, now))});
  return table;
}

} // namespace

std::vector<std::string> resource_lines(const kind_names& kind, const json& items,
                                        std::int64_t now) {
  std::string text;
  if (kind.kind == std::string_view("Stream")) {
    text = stream_table(items, now).text();
  } else if (kind.kind == std::string_view("Topic")) {
    text = topic_table(items, now).text();
  } else {
    cli::text_table table({"NAME", "AGE"});
    for (const auto& x : items)
      table.add({cell_of(name_of(x)), cell_of(age_of(x, now))});
    text = table.text();
  }
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

} // namespace ebb::client
