#include "tools/cli/text_table.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/json.hpp"
#include "tools/client/report.hpp"
#include "tools/client/yaml_text.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

namespace ebb::client {

namespace {

error no_context(const std::string& name) {
  return make_error(ec::not_found, "there is no context " + name,
                    "ebb context list shows those there are");
}

/// The first line of a file, or of standard input.
result<std::string> read_token(const std::string& path) {
  const bool standard = path == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{
      standard ? stdin : std::fopen(path.c_str(), "rb"),
      standard ? [](std::FILE*) { return 0; } : std::fclose};
  std::array<char, 4096> line{};
  if (file == nullptr || std::fgets(line.data(), line.size(), file.get()) == nullptr) {
    auto problem =
        make_error(ec::invalid_argument,
                   file == nullptr ? std::string("cannot read the token: ") + std::strerror(errno)
                                   : "there is no token in it");
    problem.place.file = standard ? "standard input" : path;
    return problem;
  }
  std::string text = line.data();
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

result<int> list(const context_arguments& what) {
  EBB_ASSIGN(const auto file, load_contexts(context_path()));
  const auto server_of = [](const auto& x) {
    return x.server.empty() ? std::string(default_server) : x.server;
  };
  const auto name_space_of = [](const auto& x) {
    return x.name_space.empty() ? std::string("default") : x.name_space;
  };
  if (what.output == "json" || what.output == "yaml") {
    json all = json::array();
    for (const auto& [name, x] : file.contexts)
      all.push_back({{"name", name},
                     {"current", name == file.current},
                     {"server", server_of(x)},
                     {"namespace", name_space_of(x)},
                     {"token", !x.token.empty()}});
    print(listing_text(all, what.output));
    return 0;
  }
  if (what.output == "name") {
    for (const auto& [name, x] : file.contexts)
      print("context/" + name + '\n');
    return 0;
  }
  if (file.contexts.empty()) {
    std::fputs("There are no contexts; ebb context set NAME --server URL makes one.\n", stderr);
    return 0;
  }
  cli::text_table table({"", "NAME", "SERVER", "NAMESPACE", "TOKEN"});
  for (const auto& [name, x] : file.contexts)
    table.add({name == file.current ? "*" : "", name, server_of(x), name_space_of(x),
               x.token.empty() ? "no" : "yes"});
  print(table.text());
  return 0;
}

result<int> use(const context_arguments& what) {
  EBB_ASSIGN(auto file, load_contexts(context_path()));
  if (file.contexts.count(what.name) == 0)
    return no_context(what.name);
  file.current = what.name;
  EBB_TRY(save_contexts(file, context_path()));
  print("context " + what.name + " is in use\n");
  return 0;
}

result<int> set(const context_arguments& what) {
  EBB_ASSIGN(auto file, load_contexts(context_path()));
  const bool fresh = file.contexts.count(what.name) == 0;
  auto& x = file.contexts[what.name];
  const auto before = x;
  const auto& given = what.values;
  for (const auto member : {&service_context::server, &service_context::name_space,
                            &service_context::ca, &service_context::pin})
    if (!(given.*member).empty())
      x.*member = given.*member;
  if (!x.server.empty())
    EBB_TRY(parse_endpoint(x.server));
  // Commands are called in other folders, too.
  if (!given.ca.empty())
    x.ca = std::filesystem::absolute(given.ca).lexically_normal().string();
  if (!given.pin.empty()) {
    EBB_ASSIGN(x.pin, normal_pin(given.pin));
  }
  if (!what.token_file.empty()) {
    EBB_ASSIGN(x.token, read_token(what.token_file));
  }
  // The first one is what is meant.
  if (file.contexts.size() == 1)
    file.current = what.name;
  EBB_TRY(save_contexts(file, context_path()));
  print("context " + what.name
        + (fresh         ? " created"
           : before == x ? " unchanged"
                         : " changed")
        + (file.current == what.name ? ", in use\n" : "\n"));
  return 0;
}

result<int> remove(const context_arguments& what) {
  EBB_ASSIGN(auto file, load_contexts(context_path()));
  if (file.contexts.erase(what.name) == 0)
    return no_context(what.name);
  if (file.current == what.name)
    file.current.clear();
  EBB_TRY(save_contexts(file, context_path()));
  print("context " + what.name + " deleted\n");
  return 0;
}

} // namespace

int context_list(const context_arguments& what) {
  return finish(list(what));
}

int context_use(const context_arguments& what) {
  return finish(use(what));
}

int context_set(const context_arguments& what) {
  return finish(set(what));
}

int context_delete(const context_arguments& what) {
  return finish(remove(what));
}

} // namespace ebb::client
