#include "tools/cli/commands.hpp"
#include "tools/client/api.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/json_table.hpp"
#include "tools/client/kinds.hpp"
#include "tools/client/line_screen.hpp"
#include "tools/client/moments.hpp"
#include "tools/client/report.hpp"
#include "tools/client/resource_table.hpp"
#include "tools/client/yaml_text.hpp"

#include <cstdio>
#include <map>

namespace ebb::client {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 1s;

std::string label_of(const kind_names& kind, const json& x) {
  return std::string(kind.singular) + '/' + text_at(x, "metadata.name");
}

/// What was found: `body` is what the service sent, unless it took several pages.
struct found {
  json items;
  json whole;
  std::string body;
};

result<found> fetch(api& service, const target& what, bool patiently) {
  found out;
  if (what.name.empty()) {
    EBB_ASSIGN(auto all, service.list(path_of({what.kind.plural}), patiently));
    out.whole = std::move(all.all);
    out.items = out.whole["items"];
    out.body = std::move(all.body);
    return out;
  }
  const auto path = path_of({what.kind.plural, what.name});
  EBB_ASSIGN(auto answer, patiently ? service.get_patiently(path) : service.get(path));
  EBB_ASSIGN(out.whole, parse_json(answer.body));
  out.items = json::array({out.whole});
  out.body = std::move(answer.body);
  return out;
}

void show(const kind_names& kind, const found& all, const std::string& output) {
  if (output == "json")
    return print_json(all.body);
  if (output == "yaml")
    return print(yaml_text(all.whole));
  if (output == "name") {
    for (const auto& x : all.items)
      print(label_of(kind, x) + '\n');
    return;
  }
  if (all.items.empty()) {
    std::fprintf(stderr, "There are no %s.\n", kind.plural);
    return;
  }
  for (const auto& line : resource_lines(kind, all.items, time_now()))
    print(line + '\n');
}

/// Without a terminal, and in other forms than tables: each item again when it has changed.
class change_printer {
public:
  void show(const kind_names& kind, const json& items, const std::string& output) {
    const auto lines = resource_lines(kind, items, time_now());
    if (output == "table" && !began_)
      print(lines.front() + '\n');
    began_ = true;
    std::map<std::string, std::string> now;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto label = label_of(kind, items[i]);
      auto text = items[i].dump(-1, ' ', false, json::error_handler_t::replace);
      const auto before = seen_.find(label);
      if (before == seen_.end() || before->second != text)
        print(output == "json"   ? text + '\n'
              : output == "yaml" ? "---\n" + yaml_text(items[i])
              : output == "name" ? label + '\n'
                                 : lines[i + 1] + '\n');
      now.emplace(label, std::move(text));
    }
    for (const auto& [label, text] : seen_)
      if (now.count(label) == 0)
        std::fprintf(stderr, "%s is gone\n", label.c_str());
    seen_ = std::move(now);
  }

private:
  std::map<std::string, std::string> seen_;
  bool began_ = false;
};

result<int> watch(api& service, const target& what, const std::string& output) {
  line_screen screen;
  change_printer changes;
  const bool redraws = output == "table" && output_is_terminal();
  for (;;) {
    EBB_ASSIGN(const auto all, fetch(service, what, true));
    if (redraws)
      screen.show(resource_lines(what.kind, all.items, time_now()));
    else
      changes.show(what.kind, all.items, output);
    EBB_TRY(pause_for(look_every));
  }
}

/// `ebb get wakes STREAM`.
result<int> get_view(const connection_options& to, const get_arguments& what) {
  if (what.name.empty() || what.watch || what.output == "name")
    return make_error(ec::invalid_argument,
                      what.name.empty() ? "a stream is missing"
                                        : what.kind + " have no names, and cannot be watched",
                      "write ebb get " + what.kind + " STREAM [-o table|json|yaml]");
  EBB_ASSIGN(auto service, api::open(to));
  query parameters;
  if (what.limit != 0)
    parameters.emplace_back("limit", std::to_string(what.limit));
  EBB_ASSIGN(const auto answer,
             service.get(path_of({"streams", what.name, what.kind}), parameters));
  EBB_ASSIGN(const auto all, parse_json(answer.body));
  if (what.output == "json")
    print_json(answer.body);
  else if (what.output == "yaml")
    print(yaml_text(all));
  else if (at(all, "items").empty())
    std::fprintf(stderr, "There are no %s of stream %s.\n", what.kind.c_str(), what.name.c_str());
  else
    print(json_table(at(all, "items")));
  return 0;
}

result<int> get(const connection_options& to, const get_arguments& what) {
  if (is_view(what.kind))
    return get_view(to, what);
  if (what.limit != 0)
    return make_error(ec::invalid_argument, "--limit is for wakes, decisions, errors, checkpoints");
  EBB_ASSIGN(const auto wanted, target_of(what.kind, what.name));
  EBB_ASSIGN(auto service, api::open(to));
  if (what.watch)
    return watch(service, wanted, what.output);
  EBB_ASSIGN(const auto all, fetch(service, wanted, false));
  show(wanted.kind, all, what.output);
  return 0;
}

} // namespace

int get_command(const connection_options& to, const get_arguments& what) {
  return finish(get(to, what));
}

int names_command(const connection_options& to, const std::string& kind) {
  const auto named = kind_named(kind);
  if (!named)
    return cli::exit_done;
  auto quick = to;
  quick.request_timeout = "1s";
  auto service = api::open(quick);
  if (!service)
    return cli::exit_done;
  if (const auto all = service->list(path_of({named->plural})))
    for (const auto& x : all->all["items"])
      print(text_at(x, "metadata.name") + '\n');
  return cli::exit_done;
}

} // namespace ebb::client
