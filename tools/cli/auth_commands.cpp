#include "tools/cli/auth_commands.hpp"

#include "actors/gateway/parameters.hpp"
#include "actors/gateway/token_store.hpp"
#include "actors/runtime/moment_text.hpp"
#include "storage/files.hpp"
#include "storage/folder_lock.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/text_table.hpp"
#include "tools/client/yaml_text.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

namespace ebb::cli {

namespace {

using json = nlohmann::ordered_json;

micros now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int exit_of(const error& problem) {
  print_error(problem);
  switch (problem.code) {
  case ec::invalid_argument:
    return exit_invalid;
  case ec::not_found:
    return exit_not_found;
  case ec::conflict:
    return exit_conflict;
  default:
    return exit_failed;
  }
}

int finish(const result<int>& done) {
  return done ? *done : exit_of(done.error());
}

// One command at a time changes the file.
result<folder_lock> lock(const std::string& data) {
  const auto folder = folder_of(token_file(data).path());
  EBB_TRY(make_folder(folder));
  return folder_lock::acquire(folder);
}

result<token_store> load(const token_file& file) {
  EBB_ASSIGN(auto tokens, file.load());
  if (!tokens)
    return make_error(ec::not_found, "there are no tokens in " + file.path(),
                      "ebb auth init --data DIR makes the first one");
  return *std::move(tokens);
}

access_role role_of(const std::string& text) {
  return text == "operator"    ? access_role::operator_
         : text == "submitter" ? access_role::submitter
                               : access_role::viewer;
}

result<micros> expiry_of(const std::string& text) {
  if (text == "never")
    return max_time;
  // As durations are written everywhere.
  const parameter duration{.name = "--expires",
                           .kind = parameter_kind::duration,
                           .summary = {},
                           .least = 1,
                           .most = std::int64_t{36'500} * 86'400'000};
  std::vector<http_request::value> values;
  if (const auto wrong = check_values({duration}, {{"--expires", text}}, "query", values))
    return make_error(ec::invalid_argument, wrong->detail, wrong->hint + ", or never");
  constexpr micros micros_per_milli = 1'000;
  return now() + values[0].number * micros_per_milli;
}

std::string expiry_text(micros time) {
  return time == max_time ? "never" : moment_text(time);
}

std::string list_text(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& x : names)
    out += (out.empty() ? "" : ", ") + x;
  return out.empty() ? "all" : out;
}

json to_json(const token_record& x) {
  json out{{"id", x.id},
           {"role", to_string(x.role)},
           {"topics", x.topics},
           {"created", moment_text(x.created)}};
  if (x.expires != max_time)
    out["expires"] = moment_text(x.expires);
  if (x.last_used != 0)
    out["lastUsed"] = moment_text(x.last_used);
  return out;
}

void show(const token_store::created& made, const auth_arguments& arguments) {
  if (arguments.output == "json") {
    auto out = to_json(made.record);
    out["token"] = made.text;
    std::puts(out.dump(2).c_str());
    return;
  }
  // The token alone on standard output, so that a script can take it.
  std::puts(made.text.c_str());
  std::fprintf(stderr,
               "This is the token %s: role %s, topics %s, expires %s. It is not shown again.\n",
               made.record.id.c_str(), to_string(made.record.role),
               list_text(made.record.topics).c_str(), expiry_text(made.record.expires).c_str());
}

result<int> init(const auth_arguments& arguments) {
  EBB_ASSIGN(const auto guard, lock(arguments.data));
  const token_file file(arguments.data);
  EBB_ASSIGN(const auto before, file.load());
  if (before)
    return make_error(ec::conflict, file.path() + " exists",
                      "ebb auth token create makes further tokens");
  token_store tokens;
  EBB_ASSIGN(const auto made, tokens.create({access_role::operator_, {}, max_time}, now()));
  EBB_TRY(file.save(tokens));
  show(made, arguments);
  return exit_done;
}

result<int> create(const auth_arguments& arguments) {
  EBB_ASSIGN(const auto guard, lock(arguments.data));
  const token_file file(arguments.data);
  EBB_ASSIGN(auto tokens, load(file));
  EBB_ASSIGN(const auto expires, expiry_of(arguments.expires));
  EBB_ASSIGN(const auto made,
             tokens.create({role_of(arguments.role), arguments.topics, expires}, now()));
  EBB_TRY(file.save(tokens));
  show(made, arguments);
  return exit_done;
}

result<int> list(const auth_arguments& arguments) {
  EBB_ASSIGN(const auto tokens, load(token_file(arguments.data)));
  if (arguments.output == "json" || arguments.output == "yaml") {
    json all = json::array();
    for (const auto& x : tokens.all())
      all.push_back(to_json(x));
    std::fputs(client::listing_text(all, arguments.output).c_str(), stdout);
    return exit_done;
  }
  if (arguments.output == "name") {
    for (const auto& x : tokens.all())
      std::printf("token/%s\n", x.id.c_str());
    return exit_done;
  }
  text_table table({"ID", "ROLE", "TOPICS", "CREATED", "EXPIRES", "LAST USED"});
  const auto time = now();
  for (const auto& x : tokens.all())
    table.add({x.id, to_string(x.role), list_text(x.topics), moment_text(x.created),
               x.expires <= time ? "expired" : expiry_text(x.expires),
               x.last_used == 0 ? "" : moment_text(x.last_used)});
  std::fputs(table.text().c_str(), stdout);
  return exit_done;
}

result<int> revoke(const auth_arguments& arguments) {
  EBB_ASSIGN(const auto guard, lock(arguments.data));
  const token_file file(arguments.data);
  EBB_ASSIGN(auto tokens, load(file));
  EBB_TRY(tokens.revoke(arguments.id));
  EBB_TRY(file.save(tokens));
  std::fprintf(stderr, "Token %s is revoked.\n", arguments.id.c_str());
  return exit_done;
}

void add_output(CLI::App& to, std::string& output, bool lists = false) {
  std::vector<std::string> forms{"table", "json"};
  if (lists)
    forms.insert(forms.end(), {"yaml", "name"});
  to.add_option("-o,--output", output, lists ? "table, json, yaml or name" : "table or json")
      ->check(CLI::IsMember(forms))
      ->type_name("FORMAT");
}

CLI::App* add(CLI::App& app, const char* name, const char* what, auth_arguments& to) {
  auto* command = app.add_subcommand(name, what);
  command->add_option("--data", to.data, "Folder that the service uses")
      ->required()
      ->type_name("DIR");
  return command;
}

} // namespace

int auth_init(const auth_arguments& arguments) {
  return finish(init(arguments));
}

int auth_create(const auth_arguments& arguments) {
  return finish(create(arguments));
}

int auth_list(const auth_arguments& arguments) {
  return finish(list(arguments));
}

int auth_revoke(const auth_arguments& arguments) {
  return finish(revoke(arguments));
}

auth_commands::auth_commands(CLI::App& app) {
  auto* auth = app.add_subcommand("auth", "Tokens for the service's HTTP interface");
  auth->require_subcommand(1);
  init_ = add(*auth, "init", "Demand tokens from now on; makes the first one, of an operator",
              arguments_);
  add_output(*init_, arguments_.output);
  auto* token = auth->add_subcommand("token", "Make, list and revoke tokens");
  token->require_subcommand(1);
  create_ = add(*token, "create", "Make a token and show it, once", arguments_);
  create_->add_option("--role", arguments_.role, "viewer, submitter or operator")
      ->required()
      ->check(CLI::IsMember({"viewer", "submitter", "operator"}))
      ->type_name("ROLE");
  create_
      ->add_option("--topic", arguments_.topics, "Only for this topic; may be given several times")
      ->type_name("TOPIC");
  create_->add_option("--expires", arguments_.expires, "Duration such as 90d; never (default)")
      ->type_name("DURATION");
  add_output(*create_, arguments_.output);
  list_ = add(*token, "list", "Show what tokens there are", arguments_);
  add_output(*list_, arguments_.output, true);
  revoke_ = add(*token, "revoke", "Take a token's rights away", arguments_);
  revoke_->add_option("id", arguments_.id, "Of the token, as list shows it")
      ->required()
      ->type_name("ID");
}

bool auth_commands::chosen() const {
  return init_->parsed() || create_->parsed() || list_->parsed() || revoke_->parsed();
}

int auth_commands::run() const {
  return init_->parsed()     ? auth_init(arguments_)
         : create_->parsed() ? auth_create(arguments_)
         : list_->parsed()   ? auth_list(arguments_)
                             : auth_revoke(arguments_);
}

} // namespace ebb::cli
