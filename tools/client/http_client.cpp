#include "tools/client/http_client.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace ebb::client {

namespace {

namespace http = boost::beast::http;
using parser = http::response_parser<http::string_body>;

constexpr std::uint32_t header_bytes_max = 64 * 1024;

std::string in_lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

http_response response_of(const parser& from) {
  http_response out;
  out.status = static_cast<int>(from.get().result_int());
  for (const auto& x : from.get()) {
    const auto name = x.name_string();
    const auto value = x.value();
    out.headers.emplace(in_lower_case({name.data(), name.size()}),
                        std::string(value.data(), value.size()));
  }
  return out;
}

/// Reads one answer. `began` tells whether any of it came.
class answer_reader {
public:
  answer_reader(connection& from, bool& began) : from_(from), began_(began) {
    renew();
  }

  /// The head of the final answer: those of status 1xx are passed over.
  result<void> read_head(deadline until) {
    for (;;) {
      while (!parser_->is_header_done())
        EBB_TRY(advance(until));
      if (parser_->get().result_int() >= 200)
        return {};
      renew();
    }
  }

  [[nodiscard]] bool done() const {
    return parser_->is_done();
  }

  /// What has come of the body since the last call.
  [[nodiscard]] std::string take_body() {
    return std::exchange(parser_->get().body(), {});
  }

  [[nodiscard]] const parser& parsed() const {
    return *parser_;
  }

  /// Whether the connection serves another request.
  [[nodiscard]] bool keeps() const {
    return parser_->is_done() && parser_->keep_alive() && buffer_.empty();
  }

  /// Parses what is there; reads once where that is not enough.
  result<void> advance(deadline until) {
    boost::beast::error_code code;
    if (!buffer_.empty()) {
      const auto used = parser_->put(boost::asio::buffer(buffer_), code);
      buffer_.erase(0, used);
      if (code && code != http::error::need_more)
        return malformed(code.message());
      if (used != 0)
        return {};
    }
    std::array<char, 64 * 1024> chunk;
    EBB_ASSIGN(const auto got, from_.read(chunk.data(), chunk.size(), until));
    began_ = began_ || got != 0;
    buffer_.append(chunk.data(), got);
    if (got != 0)
      return {};
    code = {};
    if (parser_->got_some())
      parser_->put_eof(code);
    if (code || !parser_->is_done())
      return make_error(ec::io, "the connection was cut before the answer was complete");
    return {};
  }

private:
  void renew() {
    parser_.emplace();
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
    parser_->header_limit(header_bytes_max);
    parser_->eager(true);
  }

  static error malformed(const std::string& why) {
    return make_error(ec::io, "the answer is no HTTP: " + why,
                      "is another program listening at this address, or one that wants https?");
  }

  connection& from_;
  bool& began_;
  std::optional<parser> parser_;
  std::string buffer_;
};

} // namespace

http_client::http_client(endpoint to, tls_choice tls, std::string token, http_limits limits)
    : to_(std::move(to)), tls_(std::move(tls)), token_(std::move(token)), limits_(limits) {}

std::string http_client::head_of(const http_request& request) const {
  std::string out = request.method + ' ' + to_.base + request.target
                    + " HTTP/1.1\r\nHost: " + authority_of(to_)
                    + "\r\nUser-Agent: ebb\r\nAccept: " + request.accept + "\r\n";
  if (!token_.empty())
    out += "Authorization: Bearer " + token_ + "\r\n";
  for (const auto& [name, value] : request.headers)
    out += name + ": " + value + "\r\n";
  if (!request.content_type.empty())
    out += "Content-Type: " + request.content_type + "\r\n";
  if (request.method != "GET" && request.method != "DELETE")
    out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return out + "\r\n";
}

result<http_response> http_client::send(const http_request& request) {
  std::string body;
  auto answer = stream(
      request, [](const http_response& /*head*/) {},
      [&](std::string_view part) {
        body += part;
        return result<bool>(true);
      });
  if (answer && answer->good())
    answer->body = std::move(body);
  return answer;
}

result<http_response> http_client::stream(const http_request& request, const head_seen& see,
                                          const body_part& take) {
  if (connection_ && connection_->stale())
    connection_.reset();
  const bool kept = connection_.has_value();
  bool began = false;
  auto answer = exchange(request, see, take, began);
  if (!answer && kept && !began && request.method == "GET" && answer.error().code == ec::io)
    answer = exchange(request, see, take, began);
  return answer;
}

result<http_response> http_client::exchange(const http_request& request, const head_seen& see,
                                            const body_part& take, bool& began) {
  if (!connection_) {
    EBB_ASSIGN(connection_, connection::open(to_, tls_, after(limits_.connect)));
  }
  auto live = std::move(*connection_);
  connection_.reset();
  auto wrote = live.write(head_of(request), after(limits_.answer));
  if (wrote)
    wrote = live.write(request.body, after(limits_.answer));
  if (!wrote && wrote.error().code != ec::io)
    return std::move(wrote).error();
  // A service that refuses a body may answer and close before it has all of it.
  answer_reader reader(live, began);
  const auto head = reader.read_head(after(limits_.answer + request.waits));
  if (!head) {
    auto problem = wrote || began ? head.error() : std::move(wrote).error();
    if (problem.hint.empty() && problem.code == ec::io && !to_.tls && !answered_)
      problem.hint = "if the service speaks TLS there, name it by https://";
    return problem;
  }
  answered_ = true;
  auto response = response_of(reader.parsed());
  if (response.good())
    see(response);
  bool more = true;
  const auto give = [&](std::string_view part) -> result<void> {
    if (response.good()) {
      EBB_ASSIGN(more, take(part));
      return {};
    }
    response.body += part;
    if (response.body.size() > limits_.body_bytes)
      return make_error(ec::resource, "the answer is too large");
    return {};
  };
  for (;;) {
    const auto part = reader.take_body();
    if (!part.empty())
      EBB_TRY(give(part));
    if (!more || reader.done())
      break;
    EBB_TRY(reader.advance(request.follows ? never : after(limits_.answer)));
  }
  if (more && reader.keeps())
    connection_ = std::move(live);
  return response;
}

} // namespace ebb::client
