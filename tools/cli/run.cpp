#include "actors/connectors/factory.hpp"
#include "actors/connectors/quarantine.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/alarm_reason.hpp"
#include "actors/runtime/run_stream.hpp"
#include "actors/runtime/stream_store.hpp"
#include "storage/control_db.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/control_socket.hpp"
#include "tools/cli/failed_end.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/process_memory.hpp"
#include "tools/cli/run_log.hpp"
#include "tools/cli/run_orders.hpp"
#include "tools/cli/stats.hpp"
#include "tools/cli/stats_path.hpp"
#include "tools/cli/wait_for_room.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>
#include <unistd.h>

namespace ebb::cli {

namespace {

std::atomic<bool> interrupted{false};
/// What runs is to end, for a signal or for an order of a person.
std::atomic<bool> end_round{false};

std::atomic<std::int64_t> interrupted_at{0}; ///< milliseconds of the steady clock

/// A signal to the process and to its group comes twice; a person takes longer to press again.
constexpr std::int64_t doubled_millis = 100;
constexpr std::int64_t patience_millis = 2000;

/// May be called by a signal handler.
std::int64_t steady_millis() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

std::atomic<bool> hung_up{false}; ///< the terminal has gone

/// As a shell tells it: 128 and the signal.
constexpr int exit_hung_up = 128 + SIGHUP;

int exit_of_signal() {
  return hung_up ? exit_hung_up : exit_interrupted;
}

extern "C" void on_signal(int number) {
  const auto now = steady_millis();
  if (!interrupted.exchange(true)) {
    hung_up = number == SIGHUP;
    interrupted_at = now;
    end_round = true; // behind `interrupted`, which is looked at after this is taken back
  } else if (number != SIGHUP && interrupted_at != 0 && now - interrupted_at > doubled_millis) {
    // A terminal that goes tells it more than once, with nobody there who would be impatient.
    _exit(exit_of_signal()); // what is under way is not waited for
  }
}

void catch_signals() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  // Under nohup it stays ignored.
  if (std::signal(SIGHUP, on_signal) == SIG_IGN)
    std::signal(SIGHUP, SIG_IGN);
  // A reader that goes away shows as an error of the write.
  std::signal(SIGPIPE, SIG_IGN);
}

result<data_options> options_of(const run_arguments& arguments) {
  if (arguments.data.empty() && (arguments.from != "latest-checkpoint" || !arguments.sinks.empty()))
    return make_error(ec::invalid_argument, "--from and --sinks need --data",
                      "name the folder that holds the stream's checkpoints with --data DIR");
  data_options options;
  options.folder = arguments.data;
  options.drop_state = arguments.yes;
  if (arguments.from == "fresh") {
    options.from = resume_from::fresh;
  } else if (arguments.from != "latest-checkpoint") {
    options.from = resume_from::savepoint;
    options.savepoint = arguments.from;
  }
  options.output = output_of(arguments.sinks);
  return options;
}

/// Null: nothing is kept.
result<std::shared_ptr<shared_ledger>> open_ledger(const std::string& folder) {
  if (folder.empty())
    return std::shared_ptr<shared_ledger>{};
  EBB_ASSIGN(auto database, control_db::open(folder));
  return std::make_shared<shared_ledger>(std::move(database));
}

/// A table that grows on the terminal where progress would be shown.
bool fills_the_terminal(const std::vector<stream_definition>& streams) {
  return isatty(STDOUT_FILENO) == 1
         && std::any_of(streams.begin(), streams.end(), [](const stream_definition& stream) {
              return std::any_of(stream.sinks.begin(), stream.sinks.end(),
                                 [](const sink_definition& sink) {
                                   return std::holds_alternative<stdout_sink>(sink.connector);
                                 });
            });
}

/// Says once why an interrupted run goes on.
void tell_patience() {
  static bool told = false;
  if (told || !interrupted || steady_millis() - interrupted_at < patience_millis)
    return;
  told = true;
  std::fputs("ending: what was read is still being written; one more Ctrl-C ends at once\n",
             stderr);
}

/// What a plan warns of, state without bounds above all.
void tell_warnings(const std::vector<stream_definition>& streams) {
  for (const auto& stream : streams)
    if (const auto graph = plan_stream(stream))
      for (const auto& warning : graph->warnings)
        print_warning(warning);
}

/// A checkpoint that cannot be completed is told once a reason, and when it could be after all.
void tell_alarms(const run_progress& progress, std::map<std::string, std::string>& told,
                 run_log& log) {
  for (const auto& stream : progress.streams) {
    if (!stream.checkpoints)
      continue;
    auto& last = told[stream.name];
    const auto& now = stream.checkpoints->alarm;
    if (alarm_reason(now) == alarm_reason(last))
      continue;
    if (!now.empty())
      std::fprintf(stderr, "warning: stream %s: the checkpoint is held up: %s\n",
                   stream.name.c_str(), now.c_str());
    else
      std::fprintf(stderr, "stream %s: checkpoints go on\n", stream.name.c_str());
    log.tell(now.empty() ? "info" : "warning", stream.name,
             now.empty() ? "checkpoints go on" : "the checkpoint is held up: " + now);
    last = now;
  }
}

/// Where a source's bad records are, or how they would be kept.
std::string where_bad_records_are(const std::vector<stream_definition>& streams,
                                  const std::string& stream, const std::string& source,
                                  const std::string& data) {
  for (const auto& x : streams)
    for (const auto& from : x.sources)
      if (x.name == stream && from.name == source
          && from.on_bad_record == bad_record_policy::quarantine)
        return "they are appended, with reasons, to "
               + std::filesystem::path(quarantine_path(x.folder, data, stream, source))
                     .lexically_normal()
                     .string();
  return "onBadRecord: quarantine keeps them, with reasons";
}

/// What a person should know of rows that are not in the results.
void tell_losses(const std::vector<stream_definition>& streams,
                 const std::vector<stream_report>& reports, const std::string& data) {
  for (const auto& stream : reports)
    for (const auto& x : stream.operators)
      if (x.late_rows != 0)
        std::fprintf(
            stderr,
            "warning: operator %s of stream %s dropped %s that came late or %s no time: a larger "
            "eventTime.maxDelay of its source keeps late ones\n",
            x.name.c_str(), stream.name.c_str(), counted(x.late_rows, "row").c_str(),
            x.late_rows == 1 ? "has" : "have");
  for (const auto& stream : reports)
    for (const auto& x : stream.sources)
      if (x.bad_rows != 0)
        std::fprintf(stderr, "warning: source %s of stream %s set aside %s: %s\n", x.name.c_str(),
                     stream.name.c_str(), counted(x.bad_rows, "bad record").c_str(),
                     where_bad_records_are(streams, stream.name, x.name, data).c_str());
}

/// `--stats`, also of a run that has failed. An error is printed.
bool write_stats(const run_arguments& arguments, std::chrono::steady_clock::time_point start,
                 const std::vector<stream_report>& reports, const error* problem) {
  if (arguments.stats.empty())
    return true;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const auto written = write_file(
      arguments.stats, stats_json(reports, usage_of_this_process(wall.count()), problem));
  if (!written)
    print_error(written.error());
  return written ? true : false;
}

/// Whether a stream goes on from what it has: a new one can as well be begun again.
bool have_state(shared_ledger* ledger, const std::vector<stream_definition>& streams) {
  return ledger != nullptr
         && std::any_of(streams.begin(), streams.end(), [&](const stream_definition& x) {
              const auto found = ledger->with([&](stream_ledger& db) -> result<bool> {
                EBB_ASSIGN(const auto stream, db.find_stream(x.name));
                if (!stream)
                  return false;
                EBB_ASSIGN(const auto newest, db.newest_record(stream->uid));
                return newest.has_value();
              });
              return found && *found;
            });
}

/// As open_ledger; waits for room where a database is there and no signal comes.
result<std::shared_ptr<shared_ledger>> open_ledger_in_time(const std::string& folder,
                                                           wait_for_room& room) {
  std::error_code ignored;
  for (;;) {
    auto opened = open_ledger(folder);
    if (opened || interrupted || !std::filesystem::exists(folder + "/control.mdb", ignored)
        || !room.holds_up(opened.error()))
      return opened;
    room.pause();
  }
}

/// Rounds until all streams have ended or a signal comes: an order ends one and begins the next.
result<void> run_rounds(run_orders& orders, connector_factory& connectors, run_options& options,
                        shared_ledger* ledger, wait_for_room& room, failed_end& end) {
  constexpr auto look_for_signals = std::chrono::milliseconds(200);
  for (;;) {
    bool waits = false;
    if (const auto streams = orders.next_round(); !streams.empty()) {
      options.data = orders.data_of_round();
      room.starts();
      const auto reports = run_streams(streams, connectors, options);
      end.came();
      if (!reports && orders.take_back(reports.error()))
        continue;
      waits = !reports && have_state(ledger, streams) && room.holds_up(reports.error());
      if (waits) {
        orders.held_up(room.reason());
        room.pause();
      }
      // An order that came while it was opened is carried out, too.
      if (!reports && !waits
          && (interrupted || !end_round || reports.error().code != ec::cancelled))
        return reports.error();
      if (reports)
        orders.ended(*reports);
    }
    const bool ordered = orders.carry_out();
    if (interrupted && waits)
      return make_error(ec::cancelled, "interrupted while it waited for room on the disk");
    if (interrupted)
      return {};
    if (ordered || waits)
      continue;
    if (!orders.some_sleep())
      return {};
    orders.wait_for_orders(look_for_signals);
  }
}

} // namespace

int run_command(const run_arguments& arguments) {
  catch_signals();
  const auto start = std::chrono::steady_clock::now();
  if (const auto free = check_stats_path(arguments.stats, arguments.files); !free)
    return exit_of_start(free.error());
  auto streams = load_streams(arguments.files);
  if (!streams) {
    print_error(streams.error());
    static_cast<void>(write_stats(arguments, start, {}, &streams.error()));
    return exit_invalid;
  }
  for (auto& stream : *streams)
    if (arguments.parallelism != 0)
      stream.parallelism = arguments.parallelism;
  if (const auto free = check_stats_path(arguments.stats, *streams, arguments.data); !free)
    return exit_of_start(free.error());
  tell_warnings(*streams);
  const auto cannot_begin = [&](const error& problem) {
    static_cast<void>(write_stats(arguments, start, {}, &problem));
    return exit_of_start(problem);
  };
  const auto from = options_of(arguments);
  if (!from)
    return cannot_begin(from.error());
  const auto connectors = make_connectors();
  run_log log(arguments.data);
  wait_for_room room(arguments.data, log, end_round);
  const auto ledger = open_ledger_in_time(arguments.data, room);
  if (!ledger)
    return cannot_begin(ledger.error());
  progress_line line{arguments.quiet || fills_the_terminal(*streams)};
  run_options options;
  options.threads = arguments.threads;
  options.interrupted = &end_round;
  options.data_folder = arguments.data;
  options.note = [&log](const std::string& stream, const std::string& text) {
    std::fprintf(stderr, "stream %s: %s\n", stream.c_str(), text.c_str());
    log.tell("info", stream, text);
  };
  if (*ledger)
    options.savepoints = std::make_shared<savepoint_desk>();
  run_orders orders(*streams, *from, *ledger, options.savepoints, log, end_round);
  std::unique_ptr<control_socket> door;
  if (*ledger) {
    auto opened = control_socket::listen(arguments.data,
                                         [&orders](door_request wish, const door_answer& answer) {
                                           orders.handle(std::move(wish), answer);
                                         });
    if (!opened) {
      print_error(opened.error());
      return exit_failed;
    }
    door = std::move(*opened);
  }
  options.ready = [&] {
    for (const auto& x : orders.next_round())
      log.tell("info", x.name, "begins, with parallelism " + std::to_string(x.parallelism));
    orders.begun();
    room.begun();
    give_code_back();
  };
  std::map<std::string, std::string> alarms;
  resting_memory memory;
  options.progress = [&](const run_progress& progress) {
    memory.look(progress);
    tell_alarms(progress, alarms, log);
    orders.note_progress(progress);
    line.show(progress);
    tell_patience();
  };
  failed_end end;
  options.failed = [&](const error& problem) {
    // A disk may be waited for, and has no reader.
    if (!is_full_disk(problem))
      end.expect([arguments, start, reports = orders.reports(), problem] {
        static_cast<void>(write_stats(arguments, start, reports, &problem));
        return exit_of_start(problem);
      });
  };
  const auto done = run_rounds(orders, *connectors, options, ledger->get(), room, end);
  line.clear();
  if (!done) {
    log.tell("error", {}, done.error().message);
    static_cast<void>(write_stats(arguments, start, orders.reports(), &done.error()));
    const auto code = exit_of_start(done.error());
    if (interrupted && done.error().code == ec::cancelled)
      return exit_of_signal();
    const bool no_savepoint =
        done.error().code == ec::not_found
        && done.error().message.ends_with("there is no savepoint " + arguments.from);
    return no_savepoint ? exit_not_found : code;
  }
  const auto reports = orders.reports();
  for (const auto& stream : reports)
    log.tell("info", stream.name, stream.interrupted ? "ends before its input" : "has completed");
  if (!write_stats(arguments, start, reports, nullptr))
    return exit_failed;
  tell_losses(*streams, reports, arguments.data);
  for (const auto& stream : reports)
    if (stream.interrupted)
      return exit_of_signal();
  return exit_done;
}

} // namespace ebb::cli
