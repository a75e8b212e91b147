#include "tools/cli/folder_commands.hpp"

#include "actors/runtime/moment_text.hpp"
#include "actors/runtime/processing_time.hpp"
#include "storage/folder_lock.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/control_socket.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/run_log.hpp"
#include "tools/client/exit_codes.hpp"
#include "tools/client/interrupt.hpp"
#include "tools/client/json.hpp"
#include "tools/client/log_text.hpp"
#include "tools/client/report.hpp"
#include "tools/client/settings.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace ebb::cli {

namespace {

using client::json;

constexpr auto look_every = std::chrono::milliseconds(200);
// A run answers at once what it only looks up.
constexpr auto answer_soon = std::chrono::seconds(10);

/// What a person does to a stream that nobody runs.
error nobody_runs(const std::string& folder, const std::string& verb,
                  const client::operate_arguments& what) {
  auto command = "ebb run FILE --data " + folder;
  if (verb == "scale")
    command += " --parallelism " + std::to_string(what.parallelism);
  if (verb == "restore")
    command += " --from " + what.savepoint + (what.sinks.empty() ? "" : " --sinks " + what.sinks);
  const auto holder = folder_lock::holder(folder);
  if (holder && *holder)
    return make_error(ec::conflict,
                      "process " + std::to_string(**holder) + " uses " + folder
                          + ", and takes no orders by it",
                      "a service is asked without --data; an ebb run that starts is asked again "
                      "in a moment");
  // As a savepoint has always been refused: there is no run to be found.
  return make_error(verb == "savepoint" ? ec::not_found : ec::conflict, "no ebb run uses " + folder,
                    verb == "savepoint" ? "a savepoint is made by the running stream: start it "
                                          "with "
                                              + command
                                        : "nothing is changed in a folder that nobody runs: "
                                              + command + " does it");
}

std::string done_text(const std::string& verb, const client::operate_arguments& what) {
  const auto stream = "stream " + what.stream;
  return verb == "sleep"       ? stream + " is asleep"
         : verb == "wake"      ? stream + " is awake"
         : verb == "scale"     ? stream + " is scaled to " + std::to_string(what.parallelism)
         : verb == "savepoint" ? "savepoint " + what.savepoint + " of " + stream + " is made"
                               : stream + " is restored to savepoint " + what.savepoint;
}

/// What holds the stream up, as the run says it; empty = nothing that it knows.
std::string held_up_by(const std::string& folder, const std::string& stream) {
  const auto told = ask_run(folder, {"status", stream, {}, 0, {}}, answer_soon);
  if (!told || !told->in_time)
    return {};
  const auto status = json::parse(told->text, nullptr, false);
  for (const auto& x : client::at(status, "sentences"))
    if (auto text = client::text_of(x); text.find(" held up: ") != std::string::npos)
      return text;
  return {};
}

result<int> operate(const std::string& folder, const std::string& verb,
                    const client::operate_arguments& what) {
  EBB_ASSIGN(const auto timeout, client::option_duration("--timeout", what.timeout));
  const auto started = processing_time()();
  const auto patience =
      what.no_wait ? std::chrono::milliseconds(0) : std::max(timeout, std::chrono::milliseconds(1));
  EBB_ASSIGN(
      const auto told,
      ask_run(folder, {verb, what.stream, what.savepoint, what.parallelism, what.sinks}, patience));
  json answer = json::object();
  if (told.in_time)
    answer = json::parse(told.text, nullptr, false);
  std::string message = client::text_at(answer, "message");
  if (answer.contains("epoch"))
    message = "epoch " + client::text_at(answer, "epoch");
  if (!told.runs) {
    EBB_ASSIGN(const auto opened, open_stream(folder, what.stream));
    const auto holder = folder_lock::holder(folder);
    // What does not run rests, too.
    if (verb != "sleep" || (holder && *holder))
      return nobody_runs(folder, verb, what);
    message = "no ebb run uses " + folder;
  }
  const bool waits = told.runs && !told.in_time;
  if (what.output == "json") {
    json all{{"phase", waits ? "Running" : "Succeeded"},
             {"operation", verb},
             {"stream", what.stream},
             {"startedAt", moment_text(started)}};
    if (!waits)
      all["finishedAt"] = moment_text(processing_time()());
    if (!message.empty())
      all["message"] = message;
    if (answer.contains("epoch"))
      all["epoch"] = answer["epoch"];
    std::puts(all.dump(2, ' ', false, json::error_handler_t::replace).c_str());
  } else if (!waits) {
    std::puts((done_text(verb, what) + (message.empty() ? "" : ": " + message)).c_str());
  } else if (what.no_wait) {
    std::puts((verb + " of stream " + what.stream + " has begun").c_str());
  }
  if (!waits || what.no_wait)
    return exit_done;
  const auto why = held_up_by(folder, what.stream);
  std::fprintf(stderr, "error: %s of stream %s takes longer than it was given; it goes on%s\n",
               verb.c_str(), what.stream.c_str(), why.empty() ? "" : (": " + why).c_str());
  return client::exit_timed_out;
}

result<int> why(const std::string& folder, const client::view_arguments& what) {
  EBB_ASSIGN(auto opened, open_stream(folder, what.stream));
  const auto& stream = opened.stream;
  EBB_ASSIGN(const auto newest, opened.database.newest_record(stream.uid));
  auto told = ask_run(folder, {"status", what.stream, {}, 0, {}}, answer_soon);
  json all{{"stream", what.stream}};
  auto sentences = json::array();
  if (told && told->in_time) {
    const auto status = json::parse(told->text, nullptr, false);
    for (const auto* key : {"phase", "reason", "since"})
      all[key] = client::text_at(status, key);
    sentences = client::at(status, "sentences");
  } else {
    const bool finished = stream.life == stream_life::finished;
    all["phase"] = finished ? "Stopped" : "Asleep";
    all["reason"] = finished ? "Completed" : "NotRunning";
    if (newest)
      all["since"] = moment_text(newest->when);
    const auto holder = folder_lock::holder(folder);
    if (finished)
      sentences.push_back("its input has ended, and all of its output is written");
    else if (holder && *holder)
      sentences.push_back("process " + std::to_string(**holder) + " uses " + folder
                          + ": if it is a service, ebb why without --data asks it");
    else
      sentences.push_back("no ebb run uses " + folder + ": ebb run FILE --data " + folder
                          + (newest ? " goes on from its newest checkpoint" : " begins it"));
  }
  if (newest) {
    std::uint64_t bytes = 0;
    for (const auto& x : newest->segments)
      bytes += x.bytes;
    sentences.push_back("its newest checkpoint is epoch " + std::to_string(newest->epoch) + " of "
                        + moment_text(newest->when) + ", with " + std::to_string(bytes)
                        + " bytes of state");
  } else {
    sentences.push_back("it has no checkpoint yet");
  }
  all["sentences"] = std::move(sentences);
  if (what.output == "json") {
    std::puts(all.dump(2, ' ', false, json::error_handler_t::replace).c_str());
    return exit_done;
  }
  for (const auto& x : all["sentences"])
    std::puts(client::text_of(x).c_str());
  return exit_done;
}

std::size_t weight_of(const std::string& level) {
  constexpr std::array<const char*, 4> levels{"debug", "info", "warning", "error"};
  return static_cast<std::size_t>(std::find(levels.begin(), levels.end(), level) - levels.begin());
}

/// What a run has told of the stream, and what a service has kept of it, by time.
std::vector<json> lines_of(const std::string& folder, opened_stream& of, const std::string& level) {
  std::vector<json> lines;
  const auto put = [&](const std::string& text) {
    auto x = json::parse(text, nullptr, false);
    if (!x.is_object() || weight_of(client::text_at(x, "level")) < weight_of(level))
      return;
    const auto about = client::text_at(x, "stream");
    if (about.empty() || about == of.stream.name)
      lines.push_back(std::move(x));
  };
  for (const auto& x : run_log_lines(folder))
    put(x);
  if (auto kept = of.database.events(of.stream.uid, "logs", told_events_kept))
    for (auto x = kept->rbegin(); x != kept->rend(); ++x)
      put(*x);
  std::stable_sort(lines.begin(), lines.end(), [](const json& a, const json& b) {
    return client::text_at(a, "time") < client::text_at(b, "time");
  });
  return lines;
}

result<int> logs(const std::string& folder, const client::view_arguments& what) {
  constexpr std::size_t standard_limit = 100;
  const auto level = what.level.empty() ? std::string("info") : what.level;
  const auto limit = what.limit == 0 ? standard_limit : static_cast<std::size_t>(what.limit);
  const auto show = [&](const json& x) {
    client::print((what.output == "json" ? x.dump(-1, ' ', false, json::error_handler_t::replace)
                                         : client::log_text(x))
                  + '\n');
  };
  if (what.follow)
    client::notice_interrupts();
  std::optional<std::size_t> shown;
  for (;;) {
    EBB_ASSIGN(auto opened, open_stream(folder, what.stream));
    const auto lines = lines_of(folder, opened, level);
    // Fewer than before: the oldest are gone, and what was shown is among those that are left.
    const auto first =
        shown ? std::min(*shown, lines.size()) : lines.size() - std::min(limit, lines.size());
    for (auto i = first; i < lines.size(); ++i)
      show(lines[i]);
    shown = lines.size();
    if (!what.follow)
      return exit_done;
    EBB_TRY(client::pause_for(look_every));
  }
}

} // namespace

result<opened_stream> open_stream(const std::string& folder, const std::string& name) {
  EBB_ASSIGN(auto database, control_db::open_read_only(folder));
  EBB_ASSIGN(const auto found, database.find_stream(name));
  if (found)
    return opened_stream{std::move(database), *found};
  std::string names;
  EBB_ASSIGN(const auto all, database.streams());
  for (const auto& x : all)
    if (x.life != stream_life::deleted)
      names += (names.empty() ? "" : ", ") + x.name;
  return make_error(ec::not_found, "there is no stream " + name + " in " + folder,
                    names.empty() ? "nothing has run with this folder yet"
                                  : "its streams are " + names);
}

int finish_on_folder(const result<int>& done) {
  if (done)
    return *done;
  if (done.error().code == ec::cancelled)
    return exit_interrupted;
  print_error(done.error());
  switch (done.error().code) {
  case ec::not_found:
    return exit_not_found;
  case ec::conflict:
    return exit_conflict;
  case ec::invalid_argument:
  case ec::unsupported:
    return exit_invalid;
  default:
    return exit_failed;
  }
}

int folder_operate(const std::string& folder, const std::string& verb,
                   const client::operate_arguments& what) {
  return finish_on_folder(operate(folder, verb, what));
}

int folder_why(const std::string& folder, const client::view_arguments& what) {
  return finish_on_folder(why(folder, what));
}

int folder_logs(const std::string& folder, const client::view_arguments& what) {
  return finish_on_folder(logs(folder, what));
}

} // namespace ebb::cli
