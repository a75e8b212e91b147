#include "tools/client/api.hpp"

#include "actors/plan/manifest.hpp"
#include "tools/client/problem_error.hpp"

#include <algorithm>

namespace ebb::client {

namespace {

constexpr std::chrono::seconds patience{30};
constexpr std::chrono::milliseconds first_pause{100};
constexpr std::chrono::milliseconds longest_pause{2'000};
// Items of a page: the most that the service gives.
constexpr const char* page_size = "1000";

http_limits limits_of(const settings& x) {
  http_limits out;
  out.connect = std::min(out.connect, x.request_timeout);
  out.answer = x.request_timeout;
  return out;
}

/// The service was asked to wait so long itself.
std::chrono::milliseconds wait_in(const query& parameters) {
  for (const auto& [name, value] : parameters)
    if (name == "timeout")
      if (const auto time = parse_duration(value))
        return std::chrono::milliseconds{*time / 1'000};
  return {};
}

} // namespace

std::string path_of(const std::vector<std::string>& parts) {
  std::string out = "/v1";
  for (const auto& x : parts)
    out += '/' + percent_encoded(x);
  return out;
}

std::string with_query(std::string path, const query& parameters) {
  char separator = '?';
  for (const auto& [name, value] : parameters) {
    path += separator + percent_encoded(name) + '=' + percent_encoded(value);
    separator = '&';
  }
  return path;
}

std::string_view take_line(std::string_view& lines) {
  const auto end = lines.find('\n');
  const auto line = lines.substr(0, end);
  lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
  return line;
}

result<api> api::open(const connection_options& options) {
  notice_interrupts();
  EBB_ASSIGN(const auto contexts, load_contexts(context_path()));
  EBB_ASSIGN(auto from, settle(options, contexts, process_environment));
  return api(std::move(from));
}

api::api(settings from)
    : settings_(std::move(from)),
      client_(settings_.server, settings_.tls, settings_.token, limits_of(settings_)) {}

std::string api::target(const std::string& path, query parameters) const {
  if (settings_.name_space != "default" && path.rfind("/v1/operations", 0) != 0
      && path.rfind("/v1/acks", 0) != 0 && path != "/v1/verify")
    parameters.insert(parameters.begin(), {"namespace", settings_.name_space});
  return with_query(path, parameters);
}

result<http_response> api::ask(const http_request& request) {
  EBB_ASSIGN(auto answer, client_.send(request));
  if (!answer.good())
    return problem_error(answer);
  return answer;
}

result<http_response> api::get(const std::string& path, query parameters) {
  http_request request;
  request.waits = wait_in(parameters);
  request.target = target(path, std::move(parameters));
  return ask(request);
}

result<http_response> api::get_patiently(const std::string& path, const query& parameters) {
  const auto end = after(patience);
  auto pause = first_pause;
  for (;;) {
    auto answer = get(path, parameters);
    const bool may_pass = !answer
                          && (answer.error().code == ec::io || answer.error().code == ec::resource)
                          && client_.has_answered();
    if (!may_pass || std::chrono::steady_clock::now() + pause > end)
      return answer;
    EBB_TRY(pause_for(pause));
    pause = std::min(pause * 2, longest_pause);
  }
}

result<api::whole_list> api::list(const std::string& path, bool patiently) {
  whole_list out;
  query parameters{{"limit", page_size}};
  for (;;) {
    EBB_ASSIGN(auto answer, patiently ? get_patiently(path, parameters) : get(path, parameters));
    EBB_ASSIGN(auto page, parse_json(answer.body));
    const auto next = text_at(page, "next");
    if (out.all.is_null()) {
      out.all = {{"items", json::array()}};
      if (next.empty())
        out.body = std::move(answer.body);
    }
    for (const auto& x : at(page, "items"))
      out.all["items"].push_back(x);
    if (!next.empty()) {
      parameters = {{"limit", page_size}, {"after", next}};
      continue;
    }
    if (out.body.empty())
      out.body = out.all.dump(-1, ' ', false, json::error_handler_t::replace);
    return out;
  }
}

result<http_response> api::post(const std::string& path, query parameters, std::string_view body,
                                const std::string& content_type) {
  http_request request;
  request.method = "POST";
  request.waits = wait_in(parameters);
  request.target = target(path, std::move(parameters));
  request.body = body;
  request.content_type = content_type;
  return ask(request);
}

result<http_response> api::remove(const std::string& path) {
  http_request request;
  request.method = "DELETE";
  request.target = target(path, {});
  return ask(request);
}

result<void> api::lines(const std::string& path, query parameters, const http_headers& headers,
                        bool follow, const http_client::head_seen& see, const whole_lines& take) {
  http_request request;
  request.target = target(path, std::move(parameters));
  request.headers = headers;
  request.accept = "application/x-ndjson";
  request.follows = follow;
  std::string rest;
  bool more = true;
  const auto split = [&](std::string_view part) -> result<bool> {
    rest += part;
    const auto end = rest.rfind('\n') + 1;
    if (end == 0)
      return true;
    EBB_ASSIGN(more, take(std::string_view(rest).substr(0, end)));
    rest.erase(0, end);
    return more;
  };
  EBB_ASSIGN(const auto answer, client_.stream(request, see, split));
  if (!answer.good())
    return problem_error(answer);
  if (more && !rest.empty())
    EBB_TRY(take(rest));
  return {};
}

} // namespace ebb::client
