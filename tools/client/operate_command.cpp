#include "tools/client/api.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/report.hpp"
#include "tools/client/waiting.hpp"

namespace ebb::client {

namespace {

struct wording {
  query parameters;
  std::string doing; ///< for progress and failure
  std::string done;
};

wording words_for(const std::string& verb, const operate_arguments& what) {
  const auto stream = "stream/" + what.stream;
  if (verb == "sleep")
    return {{}, "putting " + stream + " to sleep", stream + " is asleep"};
  if (verb == "wake")
    return {{}, "waking " + stream, stream + " is awake"};
  if (verb == "scale") {
    const auto number = std::to_string(what.parallelism);
    return {{{"parallelism", number}},
            "scaling " + stream + " to " + number,
            stream + " is scaled to " + number};
  }
  if (verb == "savepoint")
    return {{{"name", what.savepoint}},
            "making savepoint " + what.savepoint + " of " + stream,
            "savepoint " + what.savepoint + " of " + stream + " is made"};
  wording out{{{"savepoint", what.savepoint}},
              "restoring " + stream + " to savepoint " + what.savepoint,
              stream + " is restored to savepoint " + what.savepoint};
  if (!what.sinks.empty())
    out.parameters.emplace_back("sinks", what.sinks);
  return out;
}

result<int> operate(const connection_options& to, const std::string& verb,
                    const operate_arguments& what) {
  EBB_ASSIGN(const auto timeout, option_duration("--timeout", what.timeout));
  EBB_ASSIGN(auto service, api::open(to));
  const auto words = words_for(verb, what);
  EBB_ASSIGN(const auto answer,
             service.post(path_of({"streams", what.stream}) + ':' + verb, words.parameters));
  EBB_ASSIGN(const auto begun, parse_json(answer.body));
  if (what.no_wait) {
    if (what.output == "json")
      print_json(answer.body);
    else
      print(words.doing + ": operation " + text_at(begun, "id") + '\n');
    return 0;
  }
  EBB_ASSIGN(const auto ended, wait_for_operation(service, begun, words.doing, timeout));
  if (what.output == "json") {
    print_json(ended.operation.dump(-1, ' ', false, json::error_handler_t::replace));
  } else if (ended.code == 0) {
    // Of these the message is the same once more.
    const bool all_said = verb == "sleep" || verb == "wake";
    const auto message = all_said ? std::string{} : text_at(ended.operation, "message");
    print(words.done + (message.empty() ? "" : ": " + message) + '\n');
  }
  return ended.code;
}

} // namespace

int operate_command(const connection_options& to, const std::string& verb,
                    const operate_arguments& what) {
  return finish(operate(to, verb, what));
}

} // namespace ebb::client
