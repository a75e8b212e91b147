#include "tools/client/api.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/message_lines.hpp"
#include "tools/client/report.hpp"

#include <algorithm>
#include <cstdio>

namespace ebb::client {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 60s;
constexpr auto longest_pause = 2'000ms;

/// Name of a sink as manifests give it where none is said: sink, sink-2 …
std::string sink_name(const json& sink, std::size_t number) {
  const auto name = text_at(sink, "name");
  return !name.empty() ? name : number == 0 ? "sink" : "sink-" + std::to_string(number + 1);
}

/// The topic behind STREAM/SINK.
result<std::string> topic_of(api& service, const std::string& stream, const std::string& sink) {
  EBB_ASSIGN(const auto answer, service.get(path_of({"streams", stream})));
  EBB_ASSIGN(const auto x, parse_json(answer.body));
  const auto& sinks = at(x, "spec.sinks");
  std::string names;
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const auto name = sink_name(sinks[i], i);
    const auto topic = text_at(sinks[i], "topic.name");
    if (name == sink && !topic.empty())
      return topic;
    if (name == sink)
      return make_error(ec::invalid_argument,
                        "sink " + sink + " of stream " + stream + " does not write to a topic",
                        "its messages are where ebb describe stream " + stream
                            + " says; give it a topic to follow them here");
    names += (names.empty() ? "" : ", ") + name;
  }
  return make_error(ec::not_found, "stream " + stream + " has no sink " + sink,
                    names.empty() ? "it writes to standard output" : "its sinks are " + names);
}

/// What to say where there is no such topic, but perhaps a stream.
error no_topic(api& service, const std::string& name, error problem) {
  if (problem.hint.empty())
    problem.hint = "ebb get topics lists those of a namespace";
  const auto answer = service.get(path_of({"streams", name}));
  if (!answer)
    return problem;
  const auto x = json::parse(answer->body, nullptr, false);
  const auto& sinks = at(x, "spec.sinks");
  for (std::size_t i = 0; i < sinks.size(); ++i)
    if (!text_at(sinks[i], "topic.name").empty())
      problem.hint =
          "there is a stream " + name + ": ebb tail " + name + '/' + sink_name(sinks[i], i);
  return problem;
}

/// Follows over lost connections: it knows how far it has come in each partition.
class follower {
public:
  follower(api& service, std::string topic, const tail_arguments& what)
      : service_(&service), path_(path_of({"topics", std::move(topic), "messages"})), what_(what) {}

  result<void> run() {
    auto pause = 100ms;
    auto end = after(patience);
    for (;;) {
      const auto before = count_;
      const auto done = read();
      if (done && (what_.no_follow || full()))
        return {};
      const bool lost = !done && (done.error().code == ec::io || done.error().code == ec::resource)
                        && service_->client().has_answered();
      if (!done && !lost)
        return done;
      if (what_.no_follow)
        return done;
      if (count_ != before) {
        pause = 100ms;
        end = after(patience);
      }
      if (std::chrono::steady_clock::now() > end)
        return done ? make_error(ec::io, "the service ends the connection again and again") : done;
      EBB_TRY(pause_for(pause));
      pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
    }
  }

private:
  [[nodiscard]] bool full() const noexcept {
    return what_.limit != 0 && count_ >= what_.limit;
  }

  [[nodiscard]] query parameters() const {
    query out{{"meta", "true"}};
    if (next_.empty())
      out.emplace_back("from", what_.from);
    if (what_.partition >= 0)
      out.emplace_back("partition", std::to_string(what_.partition));
    if (what_.limit != 0)
      out.emplace_back("limit", std::to_string(what_.limit - count_));
    if (!what_.no_follow)
      out.emplace_back("follow", "true");
    return out;
  }

  result<void> read() {
    http_headers headers;
    if (!next_.empty())
      headers.emplace_back("Last-Event-ID", positions_text(next_));
    return service_->lines(
        path_, parameters(), headers, !what_.no_follow,
        [&](const http_response& head) {
          // Where it begins; `latest` would be later after a lost connection.
          const auto begins = head.headers.find("ebb-next");
          if (next_.empty() && !what_.no_follow && begins != head.headers.end())
            next_ = parse_positions(begins->second);
        },
        [&](std::string_view lines) { return take(lines); });
  }

  result<bool> take(std::string_view lines) {
    std::string out;
    while (!lines.empty() && !full()) {
      const auto line = take_line(lines);
      EBB_ASSIGN(const auto message, parse_message_line(line));
      if (!what_.no_follow)
        next_[message.partition] = message.offset + 1;
      ++count_;
      (out += what_.meta ? line : std::string_view(message.value)) += '\n';
    }
    print(out);
    return !full();
  }

  api* service_;
  std::string path_;
  const tail_arguments& what_;
  std::uint64_t count_ = 0;
  message_positions next_; ///< empty = not known yet
};

result<int> tail(const connection_options& to, const tail_arguments& what) {
  EBB_ASSIGN(auto service, api::open(to));
  const auto slash = what.what.find('/');
  auto topic = what.what;
  if (slash != std::string::npos) {
    EBB_ASSIGN(topic, topic_of(service, what.what.substr(0, slash), what.what.substr(slash + 1)));
  }
  auto done = follower(service, topic, what).run();
  if (!done && done.error().code == ec::not_found && slash == std::string::npos)
    return no_topic(service, topic, std::move(done).error());
  if (!done)
    return std::move(done).error();
  return 0;
}

} // namespace

int tail_command(const connection_options& to, const tail_arguments& what) {
  return finish(tail(to, what));
}

} // namespace ebb::client
