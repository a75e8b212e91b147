#include "actors/connectors/factory.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/run_stream.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/control_socket.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/process_memory.hpp"
#include "tools/cli/stats.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>

namespace ebb::cli {

namespace {

std::atomic<bool> interrupted{false};

std::atomic<std::time_t> interrupted_at{0};

extern "C" void on_signal(int signal) {
  // A second Ctrl-C ends the process at once; one that comes with the first (to the process and to
  // its group) does not count.
  constexpr std::time_t grace_seconds = 2;
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (!interrupted.exchange(true)) {
    interrupted_at = now.tv_sec;
  } else if (now.tv_sec - interrupted_at >= grace_seconds) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

void catch_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // A reader that goes away shows as an error of the write.
  std::signal(SIGPIPE, SIG_IGN);
}

result<std::shared_ptr<run_data>> open_data(const run_arguments& arguments) {
  if (arguments.data.empty()) {
    if (arguments.from != "latest-checkpoint" || !arguments.sinks.empty())
      return make_error(ec::invalid_argument, "--from and --sinks need --data",
                        "name the folder that holds the stream's checkpoints with --data DIR");
    return std::shared_ptr<run_data>{};
  }
  data_options options;
  options.folder = arguments.data;
  options.drop_state = arguments.yes;
  if (arguments.from == "fresh") {
    options.from = resume_from::fresh;
  } else if (arguments.from != "latest-checkpoint") {
    options.from = resume_from::savepoint;
    options.savepoint = arguments.from;
  }
  options.output = arguments.sinks == "rewind" ? past_output::rewind
                   : arguments.sinks == "keep" ? past_output::keep
                                               : past_output::refuse;
  return open_run_data(options);
}

/// What the system said, behind the names of files, of which each attempt has others.
std::string reason_of(const std::string& alarm) {
  const auto at = alarm.rfind(": ");
  return at == std::string::npos ? alarm : alarm.substr(at);
}

/// What a plan warns of, state without bounds above all.
void tell_warnings(const std::vector<stream_definition>& streams) {
  for (const auto& stream : streams)
    if (const auto graph = plan_stream(stream))
      for (const auto& warning : graph->warnings)
        print_warning(warning);
}

/// A checkpoint that cannot be completed is told once a reason, and when it could be after all.
void tell_alarms(const run_progress& progress, std::map<std::string, std::string>& told) {
  for (const auto& stream : progress.streams) {
    if (!stream.checkpoints)
      continue;
    auto& last = told[stream.name];
    const auto& now = stream.checkpoints->alarm;
    if (reason_of(now) == reason_of(last))
      continue;
    if (!now.empty())
      std::fprintf(stderr, "warning: stream %s: the checkpoint is held up: %s\n",
                   stream.name.c_str(), now.c_str());
    else
      std::fprintf(stderr, "stream %s: checkpoints go on\n", stream.name.c_str());
    last = now;
  }
}

} // namespace

int run_command(const run_arguments& arguments) {
  catch_signals();
  auto streams = load_streams(arguments.files);
  if (!streams) {
    print_error(streams.error());
    return exit_invalid;
  }
  for (auto& stream : *streams)
    if (arguments.parallelism != 0)
      stream.parallelism = arguments.parallelism;
  tell_warnings(*streams);
  auto data = open_data(arguments);
  if (!data) {
    return exit_of_start(data.error());
  }
  const auto connectors = make_connectors();
  const auto start = std::chrono::steady_clock::now();
  progress_line line{arguments.quiet};
  run_options options;
  options.threads = arguments.threads;
  options.interrupted = &interrupted;
  options.data = *data;
  options.data_folder = arguments.data;
  options.note = [](const std::string& stream, const std::string& text) {
    std::fprintf(stderr, "stream %s: %s\n", stream.c_str(), text.c_str());
  };
  std::unique_ptr<control_socket> door;
  if (*data) {
    options.savepoints = std::make_shared<savepoint_desk>();
    auto opened = control_socket::listen(
        arguments.data, [desk = options.savepoints](const savepoint_request& wish) {
          desk->ask(wish.stream, wish.name, wish.answer);
        });
    if (!opened) {
      print_error(opened.error());
      return exit_failed;
    }
    door = std::move(*opened);
  }
  options.ready = give_code_back;
  std::map<std::string, std::string> alarms;
  resting_memory memory;
  options.progress = [&](const run_progress& progress) {
    memory.look(progress);
    tell_alarms(progress, alarms);
    line.show(progress);
  };
  const auto reports = run_streams(*streams, *connectors, options);
  line.clear();
  if (!reports) {
    const auto code = exit_of_start(reports.error());
    const bool no_savepoint =
        reports.error().code == ec::not_found
        && reports.error().message.ends_with("there is no savepoint " + arguments.from);
    return no_savepoint ? exit_not_found : code;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  if (!arguments.stats.empty())
    if (const auto written =
            write_file(arguments.stats, stats_json(*reports, usage_of_this_process(wall.count())));
        !written) {
      print_error(written.error());
      return exit_failed;
    }
  for (const auto& stream : *reports)
    for (const auto& x : stream.operators)
      if (x.late_rows != 0)
        std::fprintf(
            stderr,
            "warning: operator %s of stream %s dropped %llu rows that came late or have no "
            "time: a larger eventTime.maxDelay of its source keeps late ones\n",
            x.name.c_str(), stream.name.c_str(), static_cast<unsigned long long>(x.late_rows));
  for (const auto& stream : *reports)
    for (const auto& x : stream.sources)
      if (x.bad_rows != 0)
        std::fprintf(stderr, "warning: source %s of stream %s set aside %llu bad records\n",
                     x.name.c_str(), stream.name.c_str(),
                     static_cast<unsigned long long>(x.bad_rows));
  for (const auto& stream : *reports)
    if (stream.interrupted)
      return exit_interrupted;
  return exit_done;
}

} // namespace ebb::cli
