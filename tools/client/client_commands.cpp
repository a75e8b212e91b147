#include "tools/client/client_commands.hpp"

#include "schemas/savepoint_name.hpp"
#include "tools/client/report.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <limits>

namespace ebb::client {

namespace {

void add_output(CLI::App& to, std::string& output, const std::vector<std::string>& forms) {
  std::string text;
  for (const auto& x : forms)
    text += (text.empty() ? "" : x == forms.back() ? " or " : ", ") + x;
  to.add_option("-o,--output", output, text)->check(CLI::IsMember(forms))->type_name("FORMAT");
}

void add_stream(CLI::App& to, std::string& stream) {
  to.add_option("stream", stream, "Name of the stream")->required()->type_name("STREAM");
}

} // namespace

client_commands::client_commands(CLI::App& app, folder_actions folders)
    : folders_(std::move(folders)) {
  add_manifests(app);
  add_looking(app);
  add_messages(app);
  add_operations(app);
  add_contexts(app);
}

CLI::App* client_commands::add(CLI::App& app, const std::string& name, const std::string& summary,
                               action run) {
  auto* command = app.add_subcommand(name, summary);
  commands_.emplace_back(command, std::move(run));
  return command;
}

void client_commands::add_connection(CLI::App& command) {
  add_connection_options(command, connection_);
}

void client_commands::add_waiting(CLI::App& command) {
  command.add_flag("--no-wait", operate_.no_wait, "Only begin it");
  command.add_option("--timeout", operate_.timeout, "How long to wait for its end: 5m")
      ->type_name("TIME");
}

void client_commands::add_folder(CLI::App& command) {
  command
      .add_option("--data", folder_, "Folder of ebb run --data; without it the service is asked")
      ->type_name("DIR");
}

void client_commands::add_to(CLI::App& checkpoints, CLI::App& savepoint, CLI::App& inspect,
                             CLI::App& verify) {
  add_waiting(savepoint);
  for (auto* command : {&checkpoints, &savepoint, &inspect, &verify})
    add_connection(*command);
}

int client_commands::checkpoints(const cli::state_arguments& what) const {
  if (what.watch || what.output == "yaml" || what.output == "name") {
    get_arguments list;
    list.kind = "checkpoints";
    list.name = what.stream;
    list.output = what.output;
    list.watch = what.watch;
    return get_command(connection_, list);
  }
  view_arguments view;
  view.stream = what.stream;
  view.output = what.output;
  return checkpoints_command(connection_, view);
}

int client_commands::savepoint(const cli::state_arguments& what) const {
  auto operation = operate_;
  operation.stream = what.stream;
  operation.savepoint = what.target;
  operation.output = what.output;
  if (const auto allowed = check_savepoint_name(what.target); !allowed)
    return exit_of(allowed.error());
  return what.data.empty() ? operate_command(connection_, "savepoint", operation)
                           : folders_.operate(what.data, "savepoint", operation);
}

int client_commands::inspect(const cli::state_arguments& what) const {
  view_arguments view;
  view.stream = what.stream;
  view.operator_name = what.target;
  view.key = what.key;
  view.limit = what.limit;
  view.output = what.output;
  return inspect_command(connection_, view);
}

int client_commands::verify(const cli::state_arguments& what) const {
  view_arguments view;
  view.output = what.output;
  return verify_command(connection_, view);
}

void client_commands::add_manifests(CLI::App& app) {
  auto* apply = add(app, "apply", "Create or change what manifests describe, all or nothing",
                    [this] { return apply_command(connection_, apply_); });
  apply->add_option("-f,--filename", apply_.files, "Manifests; a folder's; - reads standard input")
      ->required()
      ->type_name("FILE|DIR|-");
  apply->add_flag("--dry-run", apply_.dry_run, "Only check and compare");
  apply->add_flag("--wait{Ready}", apply_.wait,
                  "Wait until the streams are Ready, or in the condition or phase --wait=NAME");
  apply->add_option("--timeout", apply_.timeout, "How long --wait waits: 60s")->type_name("TIME");
  add_connection(*apply);
  auto* remove = add(app, "delete", "Delete streams, topics and functions",
                     [this] { return delete_command(connection_, delete_); });
  remove->add_option("kind", delete_.kind, "stream, topic or function; or KIND/NAME")
      ->type_name("KIND");
  remove->add_option("names", delete_.names, "Names")->type_name("NAME");
  remove->add_option("-f,--filename", delete_.files, "What these manifests describe")
      ->allow_extra_args(false)
      ->type_name("FILE|DIR|-");
  remove->add_flag("--ignore-not-found", delete_.ignore_missing, "No error where it is gone");
  add_connection(*remove);
}

void client_commands::add_looking(CLI::App& app) {
  auto* get =
      add(app, "get", "List streams, topics, functions; wakes, decisions, errors of a stream",
          [this] { return get_command(connection_, get_); });
  get->add_option("kind", get_.kind,
                  "streams, topics, functions; with a stream's name wakes, decisions, errors, "
                  "checkpoints")
      ->required()
      ->type_name("KIND");
  get->add_option("name", get_.name, "Only this one")->type_name("NAME");
  add_output(*get, get_.output, {"table", "json", "yaml", "name"});
  get->add_flag("-w,--watch", get_.watch, "Go on and show what changes, until Ctrl-C");
  get->add_option("--limit", get_.limit, "Most wakes, decisions, errors, checkpoints")
      ->check(CLI::Range(1, 1'000))
      ->type_name("N");
  add_connection(*get);
  auto* describe = add(app, "describe", "Show all about a stream, topic or function",
                       [this] { return describe_command(connection_, get_); });
  describe->add_option("kind", get_.kind, "stream, topic or function; or KIND/NAME")
      ->required()
      ->type_name("KIND");
  describe->add_option("name", get_.name, "Its name")->type_name("NAME");
  add_connection(*describe);
  auto* why = add(app, "why", "Tell why a stream is awake, asleep or failing", [this] {
    return folder_.empty() ? why_command(connection_, view_) : folders_.why(folder_, view_);
  });
  add_stream(*why, view_.stream);
  add_output(*why, view_.output, {"table", "json"});
  add_folder(*why);
  add_connection(*why);
  auto* logs = add(app, "logs", "Show what a stream's processes have logged", [this] {
    return folder_.empty() ? logs_command(connection_, view_) : folders_.logs(folder_, view_);
  });
  add_stream(*logs, view_.stream);
  logs->add_flag("-f,--follow", view_.follow, "Go on with lines that come later");
  logs->add_option("--level", view_.level, "The least one shown: info")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->type_name("LEVEL");
  logs->add_option("--limit", view_.limit, "Most lines, the newest: 100")
      ->check(CLI::Range(1, 10'000))
      ->type_name("N");
  add_output(*logs, view_.output, {"table", "json"});
  add_folder(*logs);
  add_connection(*logs);
  auto* names = add(app, "__names", "", [this] { return names_command(connection_, get_.kind); });
  names->group("");
  names->add_option("kind", get_.kind)->required();
}

void client_commands::add_messages(CLI::App& app) {
  auto* send = add(app, "send", "Append messages to a topic: one JSON object a line",
                   [this] { return send_command(connection_, send_); });
  send->add_option("topic", send_.topic, "Name of the topic")->required()->type_name("TOPIC");
  send->add_option("file", send_.file, "Messages; - or nothing reads standard input")
      ->type_name("FILE|-");
  send->add_option("--ack", send_.ack, "Wait until they are logged, checkpointed or committed")
      ->check(CLI::IsMember({"logged", "checkpointed", "committed"}))
      ->type_name("LEVEL");
  send->add_option("--stream", send_.stream, "Whose --ack, where several streams read the topic")
      ->type_name("STREAM");
  send->add_option("--producer", send_.producer,
                   "Numbers the lines under this name: sent again, they are not doubled")
      ->type_name("NAME");
  send->add_option("--sequence", send_.sequence, "With --producer: number of the first line: 0")
      ->type_name("N");
  send->add_option("--batch", send_.batch, "Most messages of a request: 1000")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  send->add_option("--timeout", send_.timeout,
                   "For a request with its retries, and for an acknowledgement: 5m")
      ->type_name("TIME");
  send->add_flag("-q,--quiet", send_.quiet, "No progress on the terminal");
  add_connection(*send);
  auto* tail = add(app, "tail", "Follow the messages of a topic, or of a stream's sink",
                   [this] { return tail_command(connection_, tail_); });
  tail->add_option("what", tail_.what, "Topic, or stream and sink")
      ->required()
      ->type_name("TOPIC|STREAM/SINK");
  tail->add_option("--from", tail_.from, "earliest, latest (default) or an offset")
      ->type_name("WHERE");
  tail->add_option("--limit", tail_.limit, "End after so many")
      ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()))
      ->type_name("N");
  tail->add_option("--partition", tail_.partition, "Only this one")
      ->check(CLI::Range(0, 65'535))
      ->type_name("N");
  tail->add_flag("--no-follow", tail_.no_follow, "End with what is there");
  tail->add_flag("--meta", tail_.meta, "Show partition, offset and time, too");
  add_connection(*tail);
}

void client_commands::add_operations(CLI::App& app) {
  const auto operation = [&](const char* verb, const char* summary) {
    auto* command = add(app, verb, summary, [this, verb] {
      return folder_.empty() ? operate_command(connection_, verb, operate_)
                             : folders_.operate(folder_, verb, operate_);
    });
    add_stream(*command, operate_.stream);
    return command;
  };
  const auto finish = [&](CLI::App& command) {
    add_waiting(command);
    add_output(command, operate_.output, {"table", "json"});
    add_folder(command);
    add_connection(command);
  };
  finish(*operation("sleep", "Put a stream to sleep"));
  finish(*operation("wake", "Wake a stream"));
  auto* scale = operation("scale", "Change how many subtasks a stream has");
  scale->add_option("parallelism", operate_.parallelism, "Of every operator")
      ->required()
      ->check(CLI::Range(1, 128))
      ->type_name("N");
  finish(*scale);
  auto* restore = operation("restore", "Go back to a savepoint");
  restore->add_option("savepoint", operate_.savepoint, "Its name")->required()->type_name("NAME");
  restore
      ->add_option("--sinks", operate_.sinks,
                   "Where sinks are past it: rewind them, or keep what they have")
      ->check(CLI::IsMember({"rewind", "keep"}))
      ->type_name("HOW");
  finish(*restore);
}

void client_commands::add_contexts(CLI::App& app) {
  auto* context = app.add_subcommand("context", "Services to work with, by name");
  context->require_subcommand(1);
  auto* list = add(*context, "list", "Show what contexts there are",
                   [this] { return context_list(context_); });
  add_output(*list, context_.output, {"table", "json", "yaml", "name"});
  const auto named = [&](const char* verb, const char* summary, action run) {
    auto* command = add(*context, verb, summary, std::move(run));
    command->add_option("name", context_.name, "Name of the context")
        ->required()
        ->type_name("NAME");
    return command;
  };
  named("use", "Use this one from now on", [this] { return context_use(context_); });
  auto* set =
      named("set", "Make one, or change what is given", [this] { return context_set(context_); });
  set->add_option("--server", context_.values.server, "http://HOST:PORT or https://HOST:PORT")
      ->type_name("URL");
  set->add_option("-n,--namespace", context_.values.name_space, "Where names are looked up")
      ->type_name("NAME");
  set->add_option("--token-file", context_.token_file, "Holds the token; - reads standard input")
      ->type_name("FILE|-");
  set->add_option("--ca", context_.values.ca, "PEM file of the authority to trust")
      ->type_name("FILE");
  set->add_option("--pin", context_.values.pin, "SHA-256 of the only certificate to accept")
      ->type_name("HEX");
  named("delete", "Forget one", [this] { return context_delete(context_); });
}

bool client_commands::chosen() const {
  return std::any_of(commands_.begin(), commands_.end(),
                     [](const auto& x) { return x.first->parsed(); });
}

int client_commands::run() const {
  const auto found = std::find_if(commands_.begin(), commands_.end(),
                                  [](const auto& x) { return x.first->parsed(); });
  return found->second();
}

} // namespace ebb::client
