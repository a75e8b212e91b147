#include "tools/client/api.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/exit_codes.hpp"
#include "tools/client/kinds.hpp"
#include "tools/client/manifests.hpp"
#include "tools/client/report.hpp"
#include "tools/client/waiting.hpp"

namespace ebb::client {

namespace {

/// `stream/delays`.
std::string label_of(const std::string& kind, const std::string& name) {
  const auto known = kind_named(kind);
  return (known ? known->singular : kind) + '/' + name;
}

result<int> apply(const connection_options& to, const apply_arguments& what) {
  EBB_ASSIGN(const auto timeout, option_duration("--timeout", what.timeout));
  if (!what.wait.empty())
    EBB_TRY(check_condition(what.wait));
  EBB_ASSIGN(const auto bundle, load_bundle(what.files));
  EBB_ASSIGN(auto service, api::open(to));
  query parameters;
  if (what.dry_run)
    parameters.emplace_back("dryRun", "true");
  auto answer = service.post("/v1/apply", parameters, bundle.body, "application/yaml");
  if (!answer)
    return placed_in(bundle, answer.error());
  EBB_ASSIGN(const auto applied, parse_json(answer->body));
  std::vector<waited_stream> streams;
  for (const auto& x : at(applied, "results")) {
    const auto kind = text_at(x, "kind");
    const auto name = text_at(x, "name");
    for (const auto& warning : at(x, "warnings"))
      warn(label_of(kind, name) + ": " + text_of(warning));
    print(label_of(kind, name) + ' ' + text_at(x, "action") + (what.dry_run ? " (dry run)" : "")
          + '\n');
    if (kind == "Stream")
      streams.push_back({name, text_at(x, "namespace")});
  }
  if (what.wait.empty() || what.dry_run)
    return 0;
  return wait_for_streams(service, streams, what.wait, timeout);
}

result<int> remove(const connection_options& to, const delete_arguments& what) {
  std::vector<manifest_name> all;
  if (what.files.empty()) {
    if (what.kind.empty())
      return make_error(ec::invalid_argument, "nothing is named",
                        "give KIND NAME, or -f FILE with manifests");
    if (what.names.empty() && what.kind.find('/') == std::string::npos)
      return make_error(ec::invalid_argument, "a name is missing",
                        "ebb get " + what.kind + " lists those there are");
    EBB_ASSIGN(const auto first, target_of(what.kind, what.names.empty() ? "" : what.names[0]));
    all.push_back({first.kind.kind, first.name, {}});
    for (std::size_t i = 1; i < what.names.size(); ++i)
      all.push_back({first.kind.kind, what.names[i], {}});
  } else {
    if (!what.kind.empty())
      return make_error(ec::invalid_argument, "both -f and " + what.kind + " are given",
                        "give one of them");
    EBB_ASSIGN(const auto bundle, load_bundle(what.files));
    EBB_ASSIGN(all, names_in(bundle));
    // What uses comes before what is used.
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return (a.kind == "Stream") > (b.kind == "Stream");
    });
  }
  EBB_ASSIGN(auto service, api::open(to));
  const auto standard = service.name_space();
  int code = 0;
  for (const auto& x : all) {
    EBB_ASSIGN(const auto kind, kind_named(x.kind));
    service.use_name_space(x.name_space.empty() ? standard : x.name_space);
    const auto gone = service.remove(path_of({kind.plural, x.name}));
    if (gone) {
      print(label_of(x.kind, x.name) + " deleted\n");
      continue;
    }
    if (gone.error().code == ec::not_found && what.ignore_missing)
      continue;
    const int failed = exit_of(gone.error());
    if (gone.error().code != ec::not_found && gone.error().code != ec::conflict)
      return failed;
    code = code == 0 ? failed : code;
  }
  return code;
}

} // namespace

int apply_command(const connection_options& to, const apply_arguments& what) {
  return finish(apply(to, what));
}

int delete_command(const connection_options& to, const delete_arguments& what) {
  return finish(remove(to, what));
}

} // namespace ebb::client
