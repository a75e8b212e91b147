#include "tools/client/batch_sender.hpp"

#include "tools/client/problem_error.hpp"

#include <algorithm>
#include <charconv>
#include <random>

namespace ebb::client {

namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 100ms;
constexpr auto longest_pause = 5'000ms;
constexpr auto longest_wait = 3'000ms; // then it may be that the stream has failed
// Then the oldest are waited for before more is sent.
constexpr std::size_t tokens_max = 4'096;

/// A little more or less, so that many senders do not come back at once.
std::chrono::milliseconds shaken(std::chrono::milliseconds pause) {
  static std::minstd_rand dice{std::random_device{}()};
  return pause * std::uniform_int_distribution<int>(75, 125)(dice) / 100;
}

std::chrono::milliseconds left_until(deadline end) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(end
                                                               - std::chrono::steady_clock::now());
}

} // namespace

batch_sender::batch_sender(api& service, sender_settings settings,
                           std::function<void(const std::string&)> tell)
    : service_(&service), settings_(std::move(settings)), tell_(std::move(tell)) {}

result<http_response> batch_sender::append(const line_batch& batch) {
  http_request request;
  request.method = "POST";
  query parameters;
  if (settings_.ack != "logged") {
    // Acknowledgements are waited for later, while the next batches are on their way.
    parameters = {{"ack", settings_.ack}, {"timeout", "0ms"}};
    if (!settings_.stream.empty())
      parameters.emplace_back("stream", settings_.stream);
  }
  request.target = service_->target(path_of({"topics", settings_.topic, "messages"}), parameters);
  request.headers = {{"Ebb-Producer", settings_.producer},
                     {"Ebb-Sequence", std::to_string(next_sequence())}};
  request.body = batch.body;
  request.content_type = "application/x-ndjson";
  return service_->client().send(request);
}

bool batch_sender::pass_over(const http_response& answer, line_batch& batch) {
  const auto field = answer.headers.find("ebb-expected-sequence");
  if (answer.status != 409 || !settings_.goes_on || field == answer.headers.end())
    return false;
  const auto& text = field->second;
  std::uint64_t expected = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), expected).ec != std::errc{}
      || expected <= next_sequence())
    return false;
  const auto count = std::min<std::uint64_t>(expected - next_sequence(), batch.lines.size());
  std::size_t begin = 0;
  for (std::uint64_t i = 0; i < count; ++i)
    begin = batch.body.find('\n', begin) + 1;
  batch.body.erase(0, begin);
  batch.lines.erase(batch.lines.begin(), batch.lines.begin() + static_cast<std::ptrdiff_t>(count));
  sent_ += count;
  duplicates_ += count;
  return true;
}

result<void> batch_sender::send(line_batch batch, const std::string& file) {
  const auto end = after(settings_.timeout);
  auto pause = std::chrono::milliseconds{first_pause};
  while (!batch.lines.empty()) {
    auto answer = append(batch);
    if (answer && answer->good())
      return note(*answer, batch.lines.size());
    if (answer && pass_over(*answer, batch))
      continue;
    auto problem = answer ? problem_error(*answer) : std::move(answer).error();
    // Whether the service has it is known after the next try, by its number.
    const bool passing =
        answer ? is_passing(*answer) : problem.code == ec::io && service_->client().has_answered();
    const auto asked = answer ? retry_after(*answer) : std::nullopt;
    const auto wait = std::max<std::chrono::milliseconds>(shaken(pause), asked.value_or(0s));
    if (!passing || left_until(end) < wait) {
      if (problem.place.line != 0 && problem.place.line <= batch.lines.size()) {
        problem.place.line = static_cast<std::uint32_t>(batch.lines[problem.place.line - 1]);
        problem.place.file = file;
        problem.hint = "correct the line; of the lines from " + std::to_string(batch.lines.front())
                       + " to " + std::to_string(batch.lines.back()) + " none was kept";
      }
      return problem;
    }
    tell_("trying again: " + problem.message);
    EBB_TRY(pause_for(wait));
    pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
  }
  return {};
}

result<void> batch_sender::note(const http_response& answer, std::size_t rows) {
  EBB_ASSIGN(const auto receipt, parse_json(answer.body));
  sent_ += rows;
  if (text_at(receipt, "duplicate") == "true")
    duplicates_ += rows;
  for (const auto& x : at(receipt, "partitions")) {
    const auto number = [&](const char* key) {
      const auto& value = at(x, key);
      return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
    };
    const auto first = number("first");
    const auto last = number("last");
    const auto [seen, fresh] = offsets_.try_emplace(number("partition"), first, last);
    if (!fresh)
      seen->second = {std::min(seen->second.first, first), std::max(seen->second.second, last)};
  }
  if (settings_.ack == "logged" || answer.status != 202)
    return {};
  tokens_.push_back(text_at(receipt, "token"));
  return tokens_.size() > tokens_max ? wait_for_oldest() : result<void>();
}

result<void> batch_sender::wait_for_oldest() {
  const auto end = after(settings_.timeout);
  for (;;) {
    const auto left = left_until(end);
    if (left <= 0ms)
      return make_error(ec::resource,
                        "the messages are logged, but not " + settings_.ack + " in time",
                        "ebb why STREAM tells what the stream does; --timeout gives it longer");
    const auto wait = std::min<std::chrono::milliseconds>(left, longest_wait);
    EBB_ASSIGN(const auto answer,
               service_->get_patiently(path_of({"acks", tokens_.front()}),
                                       {{"timeout", std::to_string(wait.count()) + "ms"}}));
    if (answer.status != 202)
      break;
    EBB_TRY(check_readers());
    EBB_TRY(pause_for(50ms));
  }
  tokens_.pop_front();
  return {};
}

result<void> batch_sender::check_readers() {
  std::vector<std::string> names;
  if (!settings_.stream.empty()) {
    names.push_back(settings_.stream);
  } else {
    // Who may only send is not told, and waits until the time is over.
    const auto topic = service_->get(path_of({"topics", settings_.topic}));
    if (!topic || !topic->good())
      return {};
    EBB_ASSIGN(const auto said, parse_json(topic->body));
    for (const auto& x : at(at(said, "status"), "users"))
      if (x.is_string())
        names.push_back(x.get<std::string>());
  }
  for (const auto& name : names) {
    const auto answer = service_->get(path_of({"streams", name}));
    if (!answer || !answer->good())
      continue;
    EBB_ASSIGN(const auto stream, parse_json(answer->body));
    // Those that write the topic have no part in this.
    bool reads = false;
    for (const auto& source : at(at(stream, "spec"), "sources"))
      reads = reads || text_at(at(source, "topic"), "name") == settings_.topic;
    const auto& status = at(stream, "status");
    if (reads && text_at(status, "phase") == "Failed")
      return make_error(ec::evaluation,
                        "the messages are logged, but stream " + name
                            + " has failed: " + text_at(status, "message"),
                        "they are not lost: correct the stream (ebb apply), or ebb wake " + name);
  }
  return {};
}

result<void> batch_sender::wait_for_acks() {
  while (!tokens_.empty()) {
    tell_("waiting until all is " + settings_.ack);
    EBB_TRY(wait_for_oldest());
  }
  return {};
}

std::string batch_sender::offsets() const {
  std::string out;
  for (const auto& [partition, range] : offsets_) {
    const bool alone = offsets_.size() == 1 && partition == 0;
    out += (out.empty() ? "" : " ") + (alone ? std::string{} : std::to_string(partition) + ':')
           + std::to_string(range.first)
           + (range.second == range.first ? std::string{} : '-' + std::to_string(range.second));
  }
  return out;
}

} // namespace ebb::client
