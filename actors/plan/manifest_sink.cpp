// Sinks of a manifest, and what sources and sinks have in common.

#include "actors/plan/manifest_parts.hpp"

#include <algorithm>

namespace ebb::manifest {

namespace {

constexpr std::string_view later[] = {"kafka", "postgres", "s3", "http"};

result<file_sink> read_file(const reader& in, const located& at) {
  EBB_TRY(in.keys(at, {"path", "format", "delimiter"}));
  file_sink out;
  EBB_ASSIGN(out.path, read_path(in, at, "path: result.ndjson", "name the file to write"));
  EBB_ASSIGN(out.format, read_format(in, at, out.path));
  if (const auto x = reader::field(at, "delimiter")) {
    if (out.format != record_format::csv)
      return in.fail(x, "delimiter is only for format csv", "leave it out");
    EBB_ASSIGN(out.delimiter, read_delimiter(in, x));
  }
  return out;
}

/// Like `x.ends_with(".csv")`, also before an ending of compression.
bool has_ending(std::string_view path, std::string_view ending) {
  for (const auto* packed : {".gz", ".zst"})
    if (path.ends_with(packed))
      path.remove_suffix(std::string_view(packed).size());
  return path.ends_with(ending);
}

} // namespace

result<located> only_connector(const reader& in, const located& at,
                               std::span<const std::string_view> known) {
  in.note_choice(at, known);
  std::string names;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i > 0)
      names += i + 1 == known.size() ? " or " : ", ";
    names += known[i];
  }
  located found;
  std::string found_name;
  for (std::size_t i = 0; i < at.node->keys.size(); ++i) {
    const auto& key = at.node->keys[i];
    const auto is_later = std::find(std::begin(later), std::end(later), key.text);
    const auto is_known = std::find(known.begin(), known.end(), key.text) != known.end();
    if (!is_known && is_later == std::end(later))
      continue;
    const auto path = at.path + '.' + key.text;
    if (found)
      return in.fail({&key, path}, "two connectors, " + found_name + " and " + key.text,
                     "keep one of them");
    if (!is_known)
      return in.fail({&key, path}, "connector " + key.text + " is not available in this version",
                     "use " + names, ec::unsupported);
    found = {&at.node->values[i], path};
    found_name = key.text;
  }
  if (!found)
    return in.fail(at, "no connector", "give one of " + names);
  return found;
}

result<std::string> read_path(const reader& in, const located& file, std::string_view example,
                              const char* hint) {
  constexpr std::size_t longest = 4096; ///< as Linux has it
  EBB_ASSIGN(const auto at, in.required(file, "path", example));
  EBB_ASSIGN(auto path, in.text(at, "a path"));
  if (path.empty())
    return in.fail(at, "the path is empty", hint);
  if (path.size() > longest)
    return in.fail(at, "the path is longer than 4096 bytes", hint);
  return path;
}

result<record_format> read_format(const reader& in, const located& file, std::string_view path) {
  const auto x = reader::field(file, "format");
  if (x) {
    EBB_ASSIGN(const auto which, in.word(x, {"json", "csv", "debezium"}));
    return static_cast<record_format>(which);
  }
  if (has_ending(path, ".csv"))
    return record_format::csv;
  for (const auto* ending : {".json", ".ndjson", ".jsonl"})
    if (has_ending(path, ending))
      return record_format::json;
  auto problem = in.fail(file, "format is missing, and the file's ending does not tell it",
                         "add format: json or format: csv");
  problem.place.field = x.path;
  return problem;
}

result<char> read_delimiter(const reader& in, const located& at) {
  EBB_ASSIGN(const auto text, in.text(at, "one character"));
  const auto usable = text.size() == 1 && text[0] != '"' && text[0] != '\n' && text[0] != '\r'
                      && static_cast<unsigned char>(text[0]) < 0x80;
  if (!usable)
    return in.fail(at, "expected one ASCII character that is no quote and no line end",
                   R"(write delimiter: ";" or delimiter: "\t")");
  return text[0];
}

result<std::string> read_topic_name(const reader& in, const located& topic) {
  EBB_ASSIGN(const auto name, in.required(topic, "name", "name: clicks"));
  return in.label(name);
}

result<record_format> read_message_format(const reader& in, const located& topic) {
  const auto x = reader::field(topic, "format");
  if (!x)
    return record_format::json;
  EBB_ASSIGN(const auto which, in.word(x, {"json", "debezium"}));
  return which == 0 ? record_format::json : record_format::debezium;
}

result<sink_definition> read_sink(const reader& in, const located& at) {
  constexpr std::string_view connectors[] = {"file", "topic", "stdout", "discard"};
  EBB_TRY(in.keys(at, {"name", "from", "file", "stdout", "discard", "topic", "kafka", "postgres",
                       "s3", "http"}));
  sink_definition out;
  out.place = in.place(at);
  if (const auto x = reader::field(at, "name")) {
    EBB_ASSIGN(out.name, in.text(x, "a name"));
    const auto usable = [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
             || c == '-';
    };
    if (out.name.empty() || out.name.size() > 63
        || !std::all_of(out.name.begin(), out.name.end(), usable))
      return in.fail(x, "expected a name of letters, digits, _ and -, at most 63 characters");
  }
  if (const auto x = reader::field(at, "from")) {
    EBB_ASSIGN(out.from, in.text(x, "the name of an operator or source"));
    if (out.from.empty())
      return in.fail(x, "from is empty", "name an operator or source, or leave it out");
  }
  EBB_ASSIGN(const auto connector, only_connector(in, at, connectors));
  if (connector.node == at.node->find("file")) {
    EBB_ASSIGN(out.connector, read_file(in, connector));
  } else if (connector.node == at.node->find("topic")) {
    EBB_TRY(in.keys(connector, {"name", "format"}));
    topic_sink sink;
    EBB_ASSIGN(sink.name, read_topic_name(in, connector));
    EBB_ASSIGN(sink.format, read_message_format(in, connector));
    out.connector = std::move(sink);
  } else if (connector.node == at.node->find("stdout")) {
    EBB_TRY(in.keys(connector, {"format"}, true));
    stdout_sink sink;
    if (const auto x = reader::field(connector, "format")) {
      EBB_ASSIGN(const auto which, in.word(x, {"table", "json", "csv"}));
      sink.format = static_cast<stdout_format>(which);
    }
    out.connector = sink;
  } else {
    EBB_TRY(in.keys(connector, {"hash"}, true));
    discard_sink sink;
    if (const auto x = reader::field(connector, "hash")) {
      EBB_ASSIGN(sink.hash, in.boolean(x));
    }
    out.connector = sink;
  }
  return out;
}

} // namespace ebb::manifest
