// The documents of a file: which kinds there are, their names and their texts.

#include "actors/plan/manifest_parts.hpp"

#include <filesystem>

namespace ebb {

namespace manifest {

namespace {

bool ends_document(std::string_view line) noexcept {
  return (line.starts_with("---") || line.starts_with("..."))
         && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

std::string_view without_blank_lines(std::string_view text) noexcept {
  for (;;) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos || text.find_first_not_of(" \t\r\n") < end)
      break;
    text.remove_prefix(end + 1);
  }
  const auto last = text.find_last_not_of(" \t\r\n");
  const auto end = last == std::string_view::npos ? last : text.find('\n', last);
  return end == std::string_view::npos ? text : text.substr(0, end + 1);
}

/// What stands between two markers of documents, around the document's first line.
std::string text_of(const yaml_source& source, const yaml_node& document) {
  const auto all = source.text();
  const auto offset = [&](std::uint32_t line) {
    return static_cast<std::size_t>(source.line(line).data() - all.data());
  };
  auto first = document.line;
  while (first > 1 && !ends_document(source.line(first)))
    --first;
  std::size_t begin = 0;
  if (ends_document(source.line(first)))
    begin = source.line(first).starts_with('.') ? offset(first + 1) : offset(first) + 3;
  auto end = all.size();
  for (auto number = document.line + 1; source.line(number).data() != nullptr; ++number) {
    if (!ends_document(source.line(number)))
      continue;
    end = offset(number);
    break;
  }
  return std::string(without_blank_lines(all.substr(begin, end - begin)));
}

} // namespace

result<void> name_table::add(const reader& in, const located& at, const std::string& name,
                             const char* what) {
  const auto line = at.node->line;
  const auto [found, is_new] = names_.emplace(name, line);
  if (is_new)
    return {};
  return in.fail(reader::field(at, "name") ? reader::field(at, "name") : at,
                 std::string("two ") + what + " named " + name,
                 "the other one is in line " + std::to_string(found->second) + "; rename one");
}

std::vector<std::string> name_table::names() const {
  std::vector<std::string> out;
  for (const auto& [name, line] : names_)
    out.push_back(name);
  return out;
}

result<document_name> read_metadata(const reader& in, const located& document) {
  EBB_ASSIGN(const auto at, in.required(document, "metadata", "metadata: {name: delays}"));
  EBB_TRY(in.keys(at, {"name", "namespace", "labels", "annotations"}));
  EBB_TRY(in.texts(reader::field(at, "labels")));
  EBB_TRY(in.texts(reader::field(at, "annotations")));
  document_name out{default_namespace, {}};
  if (const auto x = reader::field(at, "namespace")) {
    EBB_ASSIGN(out.name_space, in.label(x));
  }
  EBB_ASSIGN(const auto name, in.required(at, "name", "name: delays"));
  EBB_ASSIGN(const auto label, in.label(name));
  out.name = qualified_name(out.name_space, label);
  return out;
}

namespace {

/// All documents of a file; `topics` false: they are refused.
result<manifest_documents> read_documents(std::string_view text, const std::string& file,
                                          std::vector<error>& warnings, bool topics,
                                          std::vector<field_rule>* rules = nullptr) {
  if (text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  const yaml_source source(text, file);
  EBB_ASSIGN(const auto documents, parse_yaml(source));
  const reader in(source, warnings, rules);
  const auto folder = std::filesystem::path(file).parent_path().string();
  manifest_documents out;
  name_table stream_names, topic_names;
  for (const auto& node : documents) {
    const located document{&node, {}};
    EBB_TRY(in.keys(document, {"apiVersion", "kind", "metadata", "spec", "status"}));
    EBB_ASSIGN(const auto version,
               in.required(document, "apiVersion", "apiVersion: ebb.dev/v1alpha1"));
    EBB_TRY(in.word(version, {"ebb.dev/v1alpha1"}));
    EBB_ASSIGN(const auto kind, in.required(document, "kind", "kind: Stream"));
    EBB_ASSIGN(const auto which, in.word(kind, {"Stream", "Topic", "Function"}));
    const auto metadata = reader::field(document, "metadata");
    if (which == 0) {
      EBB_ASSIGN(auto stream, read_stream(in, document, folder));
      EBB_TRY(stream_names.add(in, metadata, stream.name, "streams"));
      stream.text = text_of(source, node);
      out.streams.push_back(std::move(stream));
    } else if (which == 1) {
      EBB_ASSIGN(auto topic, read_topic(in, document));
      EBB_TRY(topic_names.add(in, metadata, topic.name, "topics"));
      if (!topics)
        return in.fail(kind, "topic " + topic.name + ": topics need the service",
                       "apply the file to one (ebb up, ebb apply -f FILE), or run a file "
                       "of streams without topics",
                       ec::unsupported);
      topic.text = text_of(source, node);
      out.topics.push_back(std::move(topic));
    } else {
      return in.fail(kind, "kind Function is not available in this version",
                     "use operators with sql", ec::unsupported);
    }
  }
  return out;
}

} // namespace

} // namespace manifest

std::string qualified_name(const std::string& name_space, const std::string& name) {
  return name_space == default_namespace ? name : name_space + '.' + name;
}

result<manifest_documents> parse_documents(std::string_view text, const std::string& file,
                                           std::vector<error>& warnings) {
  EBB_ASSIGN(auto out, manifest::read_documents(text, file, warnings, true));
  if (!out.streams.empty() || !out.topics.empty())
    return out;
  auto problem = make_error(ec::invalid_argument, "the file has no document",
                            "begin with apiVersion: ebb.dev/v1alpha1 and kind: Stream");
  problem.place.file = file;
  return problem;
}

result<void> read_rules(std::string_view text, const std::string& file,
                        std::vector<field_rule>& rules) {
  std::vector<error> warnings;
  EBB_TRY(manifest::read_documents(text, file, warnings, true, &rules));
  return {};
}

result<std::vector<stream_definition>>
parse_manifest(std::string_view text, const std::string& file, std::vector<error>& warnings) {
  EBB_ASSIGN(auto out, manifest::read_documents(text, file, warnings, false));
  if (!out.streams.empty())
    return std::move(out.streams);
  auto problem = make_error(ec::invalid_argument, "the file has no document of kind Stream",
                            "begin with apiVersion: ebb.dev/v1alpha1 and kind: Stream");
  problem.place.file = file;
  return problem;
}

} // namespace ebb
