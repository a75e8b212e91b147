#include "tools/cli/commands.hpp"
#include "tools/client/api.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/json_table.hpp"
#include "tools/client/log_text.hpp"
#include "tools/client/report.hpp"

#include <cstdio>

namespace ebb::client {

namespace {

result<int> why(const connection_options& to, const view_arguments& what) {
  EBB_ASSIGN(auto service, api::open(to));
  EBB_ASSIGN(const auto answer, service.get(path_of({"streams", what.stream, "why"})));
  EBB_ASSIGN(const auto told, parse_json(answer.body));
  if (what.output == "json") {
    print_json(answer.body);
    return 0;
  }
  for (const auto& x : at(told, "sentences"))
    print(text_of(x) + '\n');
  return 0;
}

result<int> logs(const connection_options& to, const view_arguments& what) {
  EBB_ASSIGN(auto service, api::open(to));
  query parameters;
  if (!what.level.empty())
    parameters.emplace_back("level", what.level);
  if (what.limit != 0)
    parameters.emplace_back("limit", std::to_string(what.limit));
  if (what.follow)
    parameters.emplace_back("follow", "true");
  const auto show = [&](std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
      const auto line = take_line(lines);
      const auto x = json::parse(line, nullptr, false);
      out += (what.output == "json" || x.is_discarded() ? std::string(line) : log_text(x)) + '\n';
    }
    print(out);
    return result<bool>(true);
  };
  EBB_TRY(service.lines(
      path_of({"streams", what.stream, "logs"}), parameters, {}, what.follow,
      [](const http_response& /*head*/) {}, show));
  if (what.follow)
    return make_error(ec::io, "the service has ended the log");
  return 0;
}

/// A list under `items`, or under another name; what else is told stands above it.
void print_list(const std::string& body, const json& all, const std::string& key,
                const view_arguments& what, const std::string& none) {
  if (what.output == "json")
    return print_json(body);
  std::string head;
  for (const auto& [name, value] : all.items())
    if (name != key && name != "next" && !value.is_structured())
      head += (head.empty() ? "" : ", ") + name + ' ' + cell_of(text_of(value));
  if (!head.empty())
    print(head + '\n');
  if (at(all, key).empty())
    std::fprintf(stderr, "%s\n", none.c_str());
  else
    print(json_table(at(all, key)));
}

result<int> checkpoints(const connection_options& to, const view_arguments& what) {
  EBB_ASSIGN(auto service, api::open(to));
  EBB_ASSIGN(const auto answer, service.get(path_of({"streams", what.stream, "checkpoints"})));
  EBB_ASSIGN(const auto all, parse_json(answer.body));
  print_list(answer.body, all, "items", what, "Stream " + what.stream + " has no checkpoint yet.");
  return 0;
}

result<int> inspect(const connection_options& to, const view_arguments& what) {
  EBB_ASSIGN(auto service, api::open(to));
  query parameters;
  if (what.limit != 0)
    parameters.emplace_back("limit", std::to_string(what.limit));
  if (!what.key.empty())
    parameters.emplace_back("key", what.key);
  EBB_ASSIGN(
      const auto answer,
      service.get(path_of({"streams", what.stream, "state", what.operator_name}), parameters));
  EBB_ASSIGN(const auto all, parse_json(answer.body));
  print_list(answer.body, all, all.contains("entries") ? "entries" : "items", what,
             "There are no such entries.");
  return 0;
}

/// The table is printed at the end; how far it has got meanwhile stands on a terminal.
result<int> verify(const connection_options& to, const view_arguments& what) {
  EBB_ASSIGN(auto service, api::open(to));
  auto files = json::array();
  std::optional<std::uint64_t> damaged;
  const auto take = [&](std::string_view lines) -> result<bool> {
    while (!lines.empty()) {
      const auto line = take_line(lines);
      const auto x = json::parse(line, nullptr, false);
      if (!x.is_object())
        return make_error(ec::io, "the service has said what is not understood");
      if (what.output == "json")
        print(std::string(line) + '\n');
      if (x.contains("damaged"))
        damaged = x["damaged"].get<std::uint64_t>();
      else
        files.push_back(x);
    }
    return true;
  };
  EBB_TRY(service.lines(
      path_of({"verify"}), {}, {}, false, [](const http_response& /*head*/) {}, take));
  if (what.output != "json") {
    if (files.empty())
      std::fprintf(stderr, "There is nothing on disk yet.\n");
    else
      print(json_table(files));
  }
  if (!damaged)
    return make_error(ec::io, "the service has stopped before all was read");
  if (*damaged == 0)
    return 0;
  return make_error(ec::corrupt, *damaged == 1 ? "1 file is damaged"
                                                : std::to_string(*damaged) + " files are damaged",
                    "restore them from a copy of the data folder");
}

} // namespace

int why_command(const connection_options& to, const view_arguments& what) {
  return finish(why(to, what));
}

int logs_command(const connection_options& to, const view_arguments& what) {
  return finish(logs(to, what));
}

int checkpoints_command(const connection_options& to, const view_arguments& what) {
  return finish(checkpoints(to, what));
}

int verify_command(const connection_options& to, const view_arguments& what) {
  return finish(verify(to, what));
}

int inspect_command(const connection_options& to, const view_arguments& what) {
  return finish(inspect(to, what));
}

} // namespace ebb::client
