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
#include <set>
#include <utility>

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

/// What tells an entry from others: a savepoint's name, a checkpoint's epoch, else its time.
std::string entry_label(const std::string& kind, const json& x) {
  auto name = text_at(x, "savepoint");
  if (name.empty() && x.contains("epoch"))
    name = text_of(x["epoch"]);
  if (name.empty())
    name = text_at(x, "time");
  return kind.substr(0, kind.size() - 1) + '/' + name;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty())
    lines.emplace_back(take_line(text));
  return lines;
}

/// Entries that are new since the last look, the oldest first.
class entry_printer {
public:
  void show(const std::string& kind, const json& items, const std::string& output) {
    auto fresh = json::array();
    for (auto x = items.rbegin(); x != items.rend(); ++x)
      if (seen_.insert(x->dump(-1, ' ', false, json::error_handler_t::replace)).second)
        fresh.push_back(*x);
    if (output == "table" && !fresh.empty()) {
      const auto lines = split_lines(json_table(fresh));
      for (std::size_t i = std::exchange(began_, true) ? 1 : 0; i < lines.size(); ++i)
        print(lines[i] + '\n');
    } else if (output != "table") {
      for (const auto& x : fresh)
        print(output == "json"   ? x.dump(-1, ' ', false, json::error_handler_t::replace) + '\n'
              : output == "yaml" ? "---\n" + yaml_text(x)
                                 : entry_label(kind, x) + '\n');
    }
  }

private:
  std::set<std::string> seen_;
  bool began_ = false;
};

/// `ebb get wakes STREAM`.
result<int> get_view(const connection_options& to, const get_arguments& what) {
  if (what.name.empty())
    return make_error(ec::invalid_argument, "a stream is missing",
                      "write ebb get " + what.kind + " STREAM [-o table|json|yaml|name] [--watch]");
  EBB_ASSIGN(auto service, api::open(to));
  query parameters;
  if (what.limit != 0)
    parameters.emplace_back("limit", std::to_string(what.limit));
  const auto path = path_of({"streams", what.name, what.kind});
  if (what.watch) {
    line_screen screen;
    entry_printer entries;
    const bool redraws = what.output == "table" && output_is_terminal();
    for (;;) {
      EBB_ASSIGN(const auto answer, service.get_patiently(path, parameters));
      EBB_ASSIGN(const auto all, parse_json(answer.body));
      if (redraws)
        screen.show(split_lines(json_table(at(all, "items"))));
      else
        entries.show(what.kind, at(all, "items"), what.output);
      EBB_TRY(pause_for(look_every));
    }
  }
  EBB_ASSIGN(const auto answer, service.get(path, parameters));
  EBB_ASSIGN(const auto all, parse_json(answer.body));
  if (what.output == "json")
    print_json(answer.body);
  else if (what.output == "yaml")
    print(yaml_text(all));
  else if (what.output == "name")
    for (const auto& x : at(all, "items"))
      print(entry_label(what.kind, x) + '\n');
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
