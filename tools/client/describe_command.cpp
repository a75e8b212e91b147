#include "tools/cli/text_table.hpp"
#include "tools/client/api.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/json_table.hpp"
#include "tools/client/kinds.hpp"
#include "tools/client/moments.hpp"
#include "tools/client/report.hpp"
#include "tools/client/yaml_text.hpp"

#include <array>
#include <utility>

namespace ebb::client {

namespace {

// Of each list about a stream.
constexpr const char* newest = "5";

std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = text.find('\n', begin);
    end = end == std::string::npos ? text.size() : end;
    out += (end > begin ? "  " : "") + text.substr(begin, end - begin) + '\n';
  }
  return out;
}

/// `Name:       delays`, lines without a value left out.
class field_list {
public:
  void add(const std::string& name, const std::string& value) {
    if (!value.empty())
      table_.add({name + ':', cell_of(value)});
  }

  [[nodiscard]] std::string text() const {
    const auto all = table_.text();
    return all.substr(all.find('\n') + 1);
  }

private:
  cli::text_table table_{{"", ""}};
};

/// `2026-01-31T12:00:00Z (5m ago)`.
std::string moment(const json& x, std::string_view path, std::int64_t now) {
  const auto text = text_at(x, path);
  const auto time = parse_time(text);
  if (!time)
    return text;
  return text
         + (*time > now ? " (in " + span_text(*time - now) + ')'
                        : " (" + span_text(now - *time) + " ago)");
}

std::string head_of(const json& x, std::int64_t now) {
  field_list fields;
  fields.add("Name", text_at(x, "metadata.name"));
  const auto name_space = text_at(x, "metadata.namespace");
  fields.add("Namespace", name_space.empty() ? "default" : name_space);
  fields.add("Kind", text_at(x, "kind"));
  fields.add("Created", moment(x, "metadata.creationTimestamp", now));
  fields.add("Generation", text_at(x, "metadata.generation"));
  fields.add("UID", text_at(x, "metadata.uid"));
  fields.add("Phase", text_at(x, "status.phase"));
  fields.add("Reason", text_at(x, "status.reason"));
  fields.add("Message", text_at(x, "status.message"));
  fields.add("Since", moment(x, "status.since", now));
  fields.add("Next wake", moment(x, "status.nextWake", now));
  if (const auto& checkpoint = at(x, "status.checkpoint"); checkpoint.is_object()) {
    const auto& bytes = at(checkpoint, "bytes");
    fields.add("Checkpoint",
               "epoch " + text_at(checkpoint, "epoch") + ", " + moment(checkpoint, "time", now)
                   + (bytes.is_number_unsigned() ? ", " + cli::size_text(bytes.get<std::uint64_t>())
                                                 : std::string{})
                   + (at(checkpoint, "durationMillis").is_null()
                          ? std::string{}
                          : ", took " + text_at(checkpoint, "durationMillis") + " ms"));
  }
  const auto& bytes = at(x, "status.bytes");
  if (bytes.is_number_unsigned())
    fields.add("Size", cli::size_text(bytes.get<std::uint64_t>()));
  fields.add("Rows", text_at(x, "status.rows"));
  return fields.text();
}

void section(const std::string& title, const std::string& text) {
  if (!text.empty())
    print('\n' + title + ":\n" + indented(text));
}

/// A list about a stream; what the service does not tell is left out.
result<void> view(api& service, const std::string& name, const std::string& title,
                  const std::string& what) {
  auto answer = service.get(path_of({"streams", name, what}), {{"limit", newest}});
  if (!answer) {
    if (answer.error().code == ec::cancelled)
      return std::move(answer).error();
    return {};
  }
  EBB_ASSIGN(const auto all, parse_json(answer->body));
  if (const auto& items = at(all, "items"); !items.empty())
    section(title, json_table(items));
  return {};
}

result<void> describe_stream(api& service, const std::string& name) {
  if (const auto answer = service.get(path_of({"streams", name, "why"}))) {
    EBB_ASSIGN(const auto why, parse_json(answer->body));
    std::string text;
    for (const auto& x : at(why, "sentences"))
      text += cell_of(text_of(x)) + '\n';
    section("Why", text);
  }
  EBB_TRY(view(service, name, "Newest checkpoints", "checkpoints"));
  EBB_TRY(view(service, name, "Newest wakes", "wakes"));
  EBB_TRY(view(service, name, "Newest errors", "errors"));
  return {};
}

result<int> describe(const connection_options& to, const get_arguments& what) {
  EBB_ASSIGN(const auto wanted, target_of(what.kind, what.name));
  if (wanted.name.empty())
    return make_error(ec::invalid_argument, "a name is missing",
                      "ebb get " + what.kind + " lists those there are");
  EBB_ASSIGN(auto service, api::open(to));
  EBB_ASSIGN(const auto answer, service.get(path_of({wanted.kind.plural, wanted.name})));
  EBB_ASSIGN(const auto x, parse_json(answer.body));
  print(head_of(x, time_now()));
  if (const auto& spec = at(x, "spec"); !spec.empty())
    section("Spec", yaml_text(spec));
  if (const auto& conditions = at(x, "status.conditions"); !conditions.empty())
    section("Conditions", json_table(conditions));
  if (const auto& partitions = at(x, "status.partitions");
      partitions.is_array() && !partitions.empty())
    section("Partitions", json_table(partitions));
  const std::array<std::pair<const char*, const char*>, 3> parts{
      {{"Sources", "sources"}, {"Operators", "operators"}, {"Sinks", "sinks"}}};
  for (const auto& [title, key] : parts)
    if (const auto& all = at(x, std::string("status.run.") + key); !all.empty())
      section(title, json_table(all));
  std::string users;
  for (const auto& user : at(x, "status.users"))
    users += text_of(user) + '\n';
  section("Users", users);
  if (wanted.kind.kind == std::string_view("Stream"))
    EBB_TRY(describe_stream(service, wanted.name));
  return 0;
}

} // namespace

int describe_command(const connection_options& to, const get_arguments& what) {
  return finish(describe(to, what));
}

} // namespace ebb::client
