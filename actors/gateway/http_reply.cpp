#include "actors/gateway/http_reply.hpp"

#include "actors/gateway/reply_channel.hpp"

namespace ebb {

http_response response_of(const http_problem& problem) {
  http_response out{problem.status, "application/problem+json", to_json(problem), {}};
  if (!problem.allow.empty())
    out.headers.emplace_back("Allow", problem.allow);
  if (problem.retry_after_seconds)
    out.headers.emplace_back("Retry-After", std::to_string(*problem.retry_after_seconds));
  constexpr int unauthorized = 401;
  if (problem.status == unauthorized)
    out.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"ebb\"");
  return out;
}

http_stream::taken http_stream::write(std::string bytes) {
  return state_->channel->write(std::move(bytes));
}

void http_stream::on_ready(std::function<void()> call) {
  state_->channel->on_ready(std::move(call));
}

void http_stream::end() {
  state_->channel->end();
}

void http_reply::send(http_response answer) const {
  state_->channel->answer(std::move(answer), false);
}

void http_reply::fail(const http_problem& problem) const {
  constexpr int client_errors = 400;
  constexpr int server_errors = 500;
  if (!problem.field.empty() || problem.status < client_errors || problem.status >= server_errors
      || state_->about.empty())
    return send(response_of(problem));
  auto about = problem;
  about.field = state_->about;
  send(response_of(about));
}

void http_reply::about(std::string field) const {
  state_->about = std::move(field);
}

void http_reply::fail(const error& problem) const {
  fail(problem_of(problem));
}

void http_reply::json(int status, std::string body) const {
  send({status, "application/json", std::move(body), {}});
}

http_stream http_reply::stream(int status, std::string content_type, http_headers headers) const {
  state_->channel->answer({status, std::move(content_type), {}, std::move(headers)}, true);
  return http_stream(state_);
}

void http_reply::on_closed(std::function<void()> call) const {
  state_->channel->on_closed(std::move(call));
}

bool http_reply::closed() const noexcept {
  return state_->channel->closed();
}

} // namespace ebb
