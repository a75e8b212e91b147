// The one binary: `ebb COMMAND …`. Everything is built here and handed down; nothing is global.

#include "actors/plan/manifest.hpp"
#include "tools/cli/auth_commands.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/folder_commands.hpp"
#include "tools/cli/process_memory.hpp"
#include "tools/cli/service_options.hpp"
#include "tools/cli/standard_output.hpp"
#include "tools/client/client_commands.hpp"
#include "tools/simulation/simulate.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

// Exit codes that people and scripts rely on (INTERFACES: command line).
constexpr int usage_error = 2;
constexpr std::uint64_t bench_events_max = 1'000'000'000'000;

void add_run(CLI::App& app, ebb::cli::run_arguments& to) {
  auto* command =
      app.add_subcommand("run", "Run the streams of manifests until they end or Ctrl-C");
  command->add_option("files", to.files, "Manifests (YAML or JSON); - reads standard input")
      ->required()
      ->type_name("FILE");
  command->add_option("--parallelism", to.parallelism, "Overrides spec.parallelism")
      ->check(CLI::Range(1, 128))
      ->type_name("N");
  command->add_option("--threads", to.threads, "Worker threads; 0 = one a core")
      ->check(CLI::Range(0, 256))
      ->type_name("N");
  command
      ->add_option("--stats", to.stats,
                   "Write statistics of the run as JSON to this file, also when it fails; it may "
                   "replace those of an earlier run")
      ->type_name("FILE");
  command
      ->add_option("--data", to.data,
                   "Folder for checkpoints: the run is exactly-once and goes on where it was")
      ->type_name("DIR");
  command
      ->add_option("--from", to.from,
                   "With --data: latest-checkpoint (default), fresh, or the name of a savepoint")
      ->type_name("WHERE");
  command->add_flag("--yes,-y", to.yes, "With --from fresh: drop the state that is there");
  command
      ->add_option("--sinks", to.sinks,
                   "From a savepoint that sinks are past: rewind them, or keep what they have")
      ->check(CLI::IsMember({"rewind", "keep"}))
      ->type_name("HOW");
  command->add_flag("--quiet,-q", to.quiet, "No progress on the terminal");
}

/// What to say of a first word that is no command; empty where it is one, or an option.
std::string unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) {
    if (command->get_name() == word)
      return {};
    if (!command->get_group().empty())
      names.push_back(command->get_name());
  }
  if (word.starts_with('-'))
    return {};
  const auto nearest = ebb::nearest_name(word, names);
  return "there is no command " + word + "\nhint: "
         + (nearest.empty() ? "ebb --help lists those there are"
                            : "did you mean ebb " + nearest + '?');
}

CLI::Option* add_folder(CLI::App& command, const char* what, ebb::cli::state_arguments& to,
                        bool lists = false) {
  std::vector<std::string> forms{"table", "json"};
  if (lists)
    forms.insert(forms.end(), {"yaml", "name"});
  command
      .add_option("-o,--output", to.output, lists ? "table, json, yaml or name" : "table or json")
      ->check(CLI::IsMember(forms))
      ->type_name("FORMAT");
  return command.add_option("--data", to.data, what)->type_name("DIR");
}

CLI::App* add_state(CLI::App& app, const char* name, const char* what,
                    ebb::cli::state_arguments& to) {
  auto* command = app.add_subcommand(name, what);
  add_folder(*command, "Folder of ebb run --data; without it the service is asked", to);
  return command;
}

int run_command_line(int argc, char** argv) {
  namespace cli = ebb::cli;
  cli::settle_allocator();
  CLI::App app{"ebb: streams that cost nothing while nothing flows", "ebb"};
  app.require_subcommand(1);
  app.set_version_flag("--version", cli::version_text());
  app.get_formatter()->column_width(28);

  cli::run_arguments run;
  add_run(app, run);
  cli::up_arguments up;
  cli::add_up(app, up);

  std::vector<std::string> files;
  auto* validate = app.add_subcommand("validate", "Check manifests without running them");
  validate->add_option("files", files, "Manifests; - reads standard input")
      ->required()
      ->type_name("FILE");

  cli::explain_arguments explain;
  auto* explain_command =
      app.add_subcommand("explain", "Show stages, exchanges, keys and state of a manifest");
  explain_command->add_option("file", explain.file, "Manifest")->required()->type_name("FILE");
  explain_command->add_option("--format", explain.format, "text, json or dot (Graphviz)")
      ->check(CLI::IsMember({"text", "json", "dot"}))
      ->type_name("FORMAT");
  explain_command->add_option("--parallelism", explain.parallelism, "Overrides spec.parallelism")
      ->check(CLI::Range(1, 128))
      ->type_name("N");

  cli::bench_arguments bench;
  auto* bench_command =
      app.add_subcommand("bench", "Measure: Nexmark queries and the parts they are made of");
  bench_command
      ->add_option(
          "names", bench.names,
          "Queries q0 … q22 and q4_windowed, all of them (queries), memory, ingest, latency, "
          "window-latency, start, scaling, state, save, checkpoint, recovery, resume, resume-joins, "
          "written, topics; all of it (all, the default)")
      ->type_name("NAME");
  bench_command->add_option("--events", bench.events, "Nexmark events (all three tables)")
      ->check(CLI::Range(std::uint64_t{1}, bench_events_max))
      ->type_name("N");
  bench_command->add_option("--parallelism", bench.parallelism, "Subtasks a stage")
      ->check(CLI::Range(1, 128))
      ->type_name("N");
  bench_command->add_option("--runs", bench.runs, "Runs of each; the median is shown")
      ->check(CLI::Range(1, 100))
      ->type_name("N");
  bench_command->add_flag("--verify", bench.verify,
                          "Run each query into a file, too, and compare the hash of its rows");
  bench_command->add_option("-o,--output", bench.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORMAT");

  ebb::sim::sim_arguments simulation;
  auto* sim_command = app.add_subcommand(
      "sim", "Simulate streams with seeded faults in virtual time, against a naive model");
  sim_command->add_option("--seed", simulation.seed, "The first seed")->type_name("N");
  sim_command->add_option("--count", simulation.count, "How many seeds")->type_name("N");
  sim_command->add_flag("--parts", simulation.parts,
                        "Every stream is shared by two or three processes");
  sim_command->add_flag("--verbose", simulation.verbose, "Print every event");

  cli::worker_arguments worker;
  auto* worker_app = cli::add_worker(app, worker);

  cli::state_arguments state;
  auto* checkpoints =
      app.add_subcommand("checkpoints", "List the checkpoints that a stream can be restored from");
  add_folder(*checkpoints, "Folder of ebb run --data; without it the service is asked", state,
             true);
  checkpoints->add_flag("-w,--watch", state.watch,
                        "Of a service: go on and show what changes, until Ctrl-C");
  checkpoints->add_option("stream", state.stream, "Name of the stream")
      ->required()
      ->type_name("STREAM");
  auto* savepoint =
      add_state(app, "savepoint", "Make a checkpoint that is kept under a name", state);
  savepoint->add_option("stream", state.stream, "Name of the stream")
      ->required()
      ->type_name("STREAM");
  savepoint->add_option("name", state.target, "Name of the savepoint")
      ->required()
      ->type_name("NAME");
  auto* inspect = add_state(app, "inspect", "Look into the state of an operator", state);
  inspect->add_option("stream", state.stream, "Name of the stream")
      ->required()
      ->type_name("STREAM");
  inspect->add_option("operator", state.target, "Operator or source of the manifest")
      ->required()
      ->type_name("OPERATOR");
  inspect->add_option("key", state.key, "Shows entries whose key contains this, like auction=7")
      ->type_name("KEY");
  inspect->add_option("--limit", state.limit, "Most entries to show")
      ->check([](const std::string& text) {
        const bool good = text.find_first_not_of("0123456789") == std::string::npos
                          && text.find_first_not_of('0') != std::string::npos;
        return good ? std::string{} : "expected a number from 1, got " + text;
      })
      ->type_name("N");
  auto* verify =
      app.add_subcommand("verify", "Compare the state of streams, and messages, with checksums");
  add_folder(*verify, "Folder of ebb run --data or ebb up; without it the service is asked", state);

  const cli::auth_commands auth(app);
  ebb::client::client_commands client(app,
                                      {cli::folder_operate, cli::folder_why, cli::folder_logs});
  client.add_to(*checkpoints, *savepoint, *inspect, *verify);

  std::string output = "table";
  auto* version = app.add_subcommand("version", "Print the version");
  version->add_option("-o,--output", output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORMAT");

  std::string shell;
  auto* completion = app.add_subcommand("completion", "Print a completion script for a shell");
  completion->add_option("shell", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    if (problem.get_exit_code() == 0)
      return app.exit(problem);
    if (argc < 2) {
      std::fputs(app.help().c_str(), stderr);
      return usage_error;
    }
    if (const auto wrong = unknown_command(app, argv[1]); !wrong.empty()) {
      std::fprintf(stderr, "ebb: %s\n", wrong.c_str());
      return usage_error;
    }
    std::fprintf(stderr, "ebb: %s\n", problem.what());
    std::fprintf(stderr, "Run \"ebb --help\" or \"ebb COMMAND --help\" for the ways to call it.\n");
    return usage_error;
  }
  if (app.got_subcommand("run"))
    return cli::run_command(run);
  if (app.got_subcommand("up"))
    return cli::up_command(up);
  if (app.got_subcommand(validate))
    return cli::validate_command(files);
  if (app.got_subcommand(explain_command))
    return cli::explain_command_run(explain);
  if (app.got_subcommand(worker_app))
    return cli::worker_command(worker);
  if (app.got_subcommand(bench_command))
    return cli::bench_command_run(bench);
  if (app.got_subcommand(sim_command))
    return ebb::sim::simulate(simulation);
  if (client.chosen())
    return client.run();
  const bool asks = state.data.empty();
  if (app.got_subcommand(checkpoints))
    return asks ? client.checkpoints(state) : cli::checkpoints_command(state);
  if (app.got_subcommand(savepoint))
    return client.savepoint(state);
  if (app.got_subcommand(inspect))
    return asks ? client.inspect(state) : cli::inspect_command(state);
  if (app.got_subcommand(verify))
    return asks ? client.verify(state) : cli::verify_command(state);
  if (auth.chosen())
    return auth.run();
  if (app.got_subcommand(version))
    return cli::version_command(output);
  return cli::completion_command(shell, app);
}

} // namespace

int main(int argc, char** argv) {
  ebb::cli::fill_standard_files();
  return ebb::cli::with_output_flushed(run_command_line(argc, argv));
}
