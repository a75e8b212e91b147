#include "actors/gateway/admission.hpp"

#include "actors/gateway/authorize.hpp"
#include "actors/gateway/media_type.hpp"
#include "actors/gateway/parameters.hpp"
#include "actors/gateway/request_target.hpp"

#include <algorithm>
#include <variant>

namespace ebb {

namespace {

std::optional<http_method> method_of(std::string_view text) {
  if (text == "HEAD")
    return http_method::get;
  for (const auto x : {http_method::get, http_method::post, http_method::put, http_method::delete_})
    if (text == to_string(x))
      return x;
  return std::nullopt;
}

std::string allow_text(const std::vector<http_method>& allowed) {
  std::string out = "OPTIONS";
  for (const auto x : allowed) {
    out += std::string(", ") + to_string(x);
    if (x == http_method::get)
      out += ", HEAD";
  }
  return out;
}

std::string list_of(const std::vector<body_kind>& bodies) {
  std::string out;
  for (const auto& x : bodies)
    out += (out.empty() ? "" : ", ") + x.media_type;
  return out;
}

std::optional<http_problem> check_body(const request_head& head, const route& to, admission& out) {
  if (to.bodies.empty()) {
    if (!head.has_body())
      return std::nullopt;
    return make_problem(400, "body-unexpected", "this route takes no body", "body",
                        "send what it needs as query parameters");
  }
  if (!head.has_body())
    return make_problem(400, "body-missing", "the request has no body", "body",
                        "send a body of type " + list_of(to.bodies));
  if (!head.content_encoding.empty() && !same_name(head.content_encoding, "identity"))
    return make_problem(415, "media-type-unsupported", "Content-Encoding is not supported",
                        "header.Content-Encoding", "send the body as it is");
  bool other_charset = false;
  const auto type = media_type_of(head.content_type, other_charset);
  const auto kind = std::find_if(to.bodies.begin(), to.bodies.end(),
                                 [&](const auto& x) { return x.media_type == type; });
  if (kind == to.bodies.end() || other_charset)
    return make_problem(415, "media-type-unsupported",
                        other_charset  ? std::string("the body's charset is not UTF-8")
                        : type.empty() ? std::string("the request does not say its body's type")
                                       : "the route takes no body of type " + type,
                        "header.Content-Type",
                        "set Content-Type to what the body is: " + list_of(to.bodies));
  out.body_max = kind->bytes_max;
  out.request->content_type = kind->media_type;
  if (!head.chunked && head.content_length > kind->bytes_max)
    return make_problem(413, "body-too-large",
                        "the body has more than " + std::to_string(kind->bytes_max) + " bytes",
                        "body", "split it into several requests");
  return std::nullopt;
}

std::optional<http_problem> check_accept(const request_head& head, const route& to,
                                         http_request& request) {
  std::vector<std::string_view> offered;
  for (const auto& x : to.responses)
    if (!x.media_type.empty()
        && std::find(offered.begin(), offered.end(), x.media_type) == offered.end())
      offered.emplace_back(x.media_type);
  if (offered.empty())
    return std::nullopt;
  const auto best = choose_media_type(head.accept, offered);
  if (best >= 0) {
    request.accept = offered[static_cast<std::size_t>(best)];
    return std::nullopt;
  }
  std::string list;
  for (const auto x : offered)
    list += (list.empty() ? "" : ", ") + std::string(x);
  return make_problem(406, "not-acceptable", "the answer has none of the types in Accept",
                      "header.Accept", "accept " + list);
}

std::optional<http_problem> check_parameters(const request_head& head, const route& to,
                                             const std::vector<std::string>& parts,
                                             const request_target& target, http_request& request) {
  given_values path;
  for (std::size_t i = 0; i < parts.size(); ++i)
    path.emplace_back(to.path[i].name, parts[i]);
  if (auto wrong = check_values(to.path, path, "path", request.path))
    return wrong;
  if (auto wrong = check_values(to.query, target.query, "query", request.query))
    return wrong;
  given_values headers;
  for (const auto& [name, value] : head.parameters) {
    const auto declared =
        std::any_of(to.headers.begin(), to.headers.end(),
                    [&, text = name](const auto& x) { return same_name(x.name, text); });
    // Common headers, which many clients send with everything; `Ebb-…` is meant for us.
    const auto common = same_name(name, "idempotency-key") || same_name(name, "last-event-id");
    if (declared || !common)
      headers.emplace_back(name, value);
  }
  return check_values(to.headers, headers, "header", request.headers);
}

std::string text_of(const path_segments& path) {
  std::string out;
  for (const auto& x : path)
    out += '/' + x;
  return out.empty() ? "/" : out;
}

} // namespace

admission admit(const request_head& head, const admission_rules& rules) {
  admission out;
  auto parsed = parse_target(head.target);
  if (auto* wrong = std::get_if<http_problem>(&parsed)) {
    out.problem = std::move(*wrong);
    return out;
  }
  const auto& target = std::get<request_target>(parsed);
  const bool options = head.method == "OPTIONS";
  if (target.server && options) {
    out.allow = "OPTIONS, GET, HEAD, POST, PUT, DELETE";
    return out;
  }
  const auto method = method_of(head.method);
  const auto found = rules.routes->match(method.value_or(http_method::get), target.path);
  if (found.allowed.empty()) {
    constexpr std::size_t shown_max = 200;
    out.problem =
        make_problem(404, "not-found", "there is no " + text_of(target.path).substr(0, shown_max),
                     "path", "GET /v1/openapi.json lists what there is");
    return out;
  }
  if (options) {
    out.allow = allow_text(found.allowed);
    return out;
  }
  if (!method || found.match == nullptr) {
    out.problem = make_problem(405, "method-not-allowed",
                               "this path has no method " + std::string(head.method.substr(0, 20)),
                               "method", "use " + allow_text(found.allowed));
    out.problem->allow = allow_text(found.allowed);
    return out;
  }
  const auto& to = *found.match;
  out.route = static_cast<int>(found.index);
  auto request = std::make_shared<http_request>();
  request->to = &to;
  request->head = head.method == "HEAD";
  const std::string* topic = nullptr;
  for (std::size_t i = 0; i < to.path.size(); ++i)
    if (to.path[i].name == "topic")
      topic = &found.values[i];
  out.request = std::move(request);
  out.problem = authorize(head, rules, to, topic, out.request->from);
  if (!out.problem)
    out.problem = check_body(head, to, out);
  if (!out.problem)
    out.problem = check_accept(head, to, *out.request);
  if (!out.problem)
    out.problem = check_parameters(head, to, found.values, target, *out.request);
  if (out.problem)
    out.request = nullptr;
  return out;
}

} // namespace ebb
