#include "tools/client/waiting.hpp"

#include "actors/plan/manifest.hpp"
#include "tools/cli/commands.hpp"
#include "tools/client/exit_codes.hpp"
#include "tools/client/problem_error.hpp"
#include "tools/client/report.hpp"

#include <algorithm>
#include <cstdio>

namespace ebb::client {

namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 200ms;
// A failed stream may be on its way to another try, or be the one from before the apply.
constexpr auto failed_for = 3s;
// Time that the service itself is asked to wait for an operation.
constexpr auto longest_look = 10'000ms;

bool same_word(const std::string& a, const std::string& b) {
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return low(x) == low(y); });
}

constexpr const char* completed = "Completed";

/// Its input had an end, and all of it is in: it will not be anything else again.
bool has_completed(const json& stream) {
  return text_at(stream, "status.phase") == "Stopped"
         && text_at(stream, "status.reason") == completed;
}

/// It has not yet begun what was applied, or its last start has failed and the next is to come. The
/// service calls it ready, as it takes messages; who applies it wants to know whether it works.
bool is_starting(const json& stream) {
  return text_at(stream, "status.phase") == "Waking";
}

bool keeps_failing(const json& stream) {
  return text_at(stream, "status.phase") == "Failed"
         || (is_starting(stream) && text_at(stream, "status.reason") == "Crashed");
}

std::string state_of(const json& stream) {
  const auto phase = text_at(stream, "status.phase");
  const auto reason = text_at(stream, "status.reason");
  const auto message = text_at(stream, "status.message");
  return (phase.empty() ? "Unknown" : phase) + (reason.empty() ? "" : " (" + reason + ")")
         + (message.empty() ? "" : ": " + message);
}

} // namespace

bool fulfils(const json& stream, const std::string& condition) {
  if (same_word(text_at(stream, "status.phase"), condition))
    return true;
  if (same_word(condition, completed) && has_completed(stream))
    return true;
  const auto& all = at(stream, "status.conditions");
  return std::any_of(all.begin(), all.end(), [&](const json& x) {
    return same_word(text_at(x, "type"), condition) && text_at(x, "status") == "True";
  });
}

result<void> check_condition(const std::string& condition) {
  static const std::vector<std::string> known{"Ready",        "Running", "Asleep", "Waking",
                                              "GoingToSleep", "Stopped", "Failed", completed};
  if (std::any_of(known.begin(), known.end(),
                  [&](const auto& x) { return same_word(x, condition); }))
    return {};
  const auto nearest = nearest_name(condition, known);
  return make_error(ec::invalid_argument, "there is no condition or phase " + condition,
                    nearest.empty()
                        ? "wait for Ready, Running, Asleep, Stopped, Completed or Failed"
                        : "did you mean --wait=" + nearest + '?');
}

result<int> wait_for_streams(api& service, const std::vector<waited_stream>& streams,
                             const std::string& condition, std::chrono::milliseconds timeout) {
  const auto end = after(timeout);
  const auto standard = service.name_space();
  progress_line progress;
  for (const auto& x : streams) {
    service.use_name_space(x.name_space.empty() ? standard : x.name_space);
    auto failed_since = never;
    for (;;) {
      EBB_ASSIGN(const auto answer, service.get_patiently(path_of({"streams", x.name})));
      EBB_ASSIGN(const auto stream, parse_json(answer.body));
      if (fulfils(stream, condition) && !(same_word(condition, "Ready") && is_starting(stream)))
        break;
      if (has_completed(stream) && same_word(condition, "Ready")) {
        progress.clear();
        std::fprintf(stderr, "stream/%s has completed: its input has ended\n", x.name.c_str());
        break;
      }
      const auto now = std::chrono::steady_clock::now();
      const bool failed = keeps_failing(stream);
      failed_since = failed ? std::min(failed_since, now) : never;
      if (failed && now - failed_since >= failed_for) {
        progress.clear();
        std::fprintf(stderr, "error: stream/%s is %s\n", x.name.c_str(), state_of(stream).c_str());
        std::fprintf(stderr, "hint: ebb why %s and ebb logs %s tell more\n", x.name.c_str(),
                     x.name.c_str());
        return cli::exit_failed;
      }
      if (now >= end) {
        progress.clear();
        std::fprintf(stderr, "error: stream/%s is not %s in time; it is %s\n", x.name.c_str(),
                     condition.c_str(), state_of(stream).c_str());
        return exit_timed_out;
      }
      progress.show("waiting until stream/" + x.name + " is " + condition + "; it is "
                    + state_of(stream));
      EBB_TRY(pause_for(look_every));
    }
  }
  return 0;
}

result<ended_operation> wait_for_operation(api& service, const json& begun,
                                           const std::string& doing,
                                           std::chrono::milliseconds timeout) {
  const auto end = after(timeout);
  const auto id = text_at(begun, "id");
  ended_operation out{0, begun};
  progress_line progress;
  for (;;) {
    const auto phase = text_at(out.operation, "phase");
    const auto message = text_at(out.operation, "message");
    if (phase == "Succeeded")
      return out;
    if (phase == "Failed") {
      progress.clear();
      std::fprintf(stderr, "error: %s failed%s%s\n", doing.c_str(), message.empty() ? "" : ": ",
                   message.c_str());
      if (const auto hint = text_at(out.operation, "hint"); !hint.empty())
        std::fprintf(stderr, "hint: %s\n", hint.c_str());
      out.code = exit_code_of(kind_of_problem(text_at(out.operation, "type")));
      return out;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left <= 0ms) {
      progress.clear();
      std::fprintf(stderr, "error: %s takes longer than it was given; it goes on as operation %s\n",
                   doing.c_str(), id.c_str());
      out.code = exit_timed_out;
      return out;
    }
    progress.show(doing + (message.empty() ? "" : ": " + message));
    const auto wait = std::min<std::chrono::milliseconds>(left, longest_look);
    EBB_ASSIGN(const auto answer,
               service.get_patiently(path_of({"operations", id}),
                                     {{"timeout", std::to_string(wait.count()) + "ms"}}));
    EBB_ASSIGN(out.operation, parse_json(answer.body));
    // Also where the service answers at once.
    const auto next = text_at(out.operation, "phase");
    if (next != "Succeeded" && next != "Failed")
      EBB_TRY(pause_for(std::min<std::chrono::milliseconds>(left, 100ms)));
  }
}

} // namespace ebb::client
