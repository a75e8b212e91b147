#include "actors/gateway/route_table.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

constexpr const char* call_names[] = {
    "apply",          "listStreams",     "getStream",
    "deleteStream",   "listTopics",      "getTopic",
    "deleteTopic",    "listFunctions",   "getFunction",
    "deleteFunction", "appendMessages",  "readMessages",
    "getAck",         "sleepStream",     "wakeStream",
    "scaleStream",    "savepointStream", "restoreStream",
    "getOperation",   "streamGraph",     "streamCheckpoints",
    "streamWakes",    "streamDecisions", "streamErrors",
    "streamWhy",      "streamLogs",      "streamState",
    "verify",         "metrics",         "healthz",
    "readyz",         "openapi",
};
static_assert(std::size(call_names) == api_call_count);

error wrong_route(const route& x, const std::string& what) {
  return make_error(ec::internal, std::string(to_string(x.method)) + ' ' + x.pattern + ": " + what);
}

result<void> check_parameters(const route& x, const std::vector<parameter>& parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& p = parameters[i];
    if (p.name.empty() || p.summary.empty())
      return wrong_route(x, "a parameter without name or summary");
    if ((p.kind == parameter_kind::choice) == p.choices.empty())
      return wrong_route(x, "choices belong to the kind choice: " + p.name);
    for (std::size_t k = 0; k < i; ++k)
      if (parameters[k].name == p.name)
        return wrong_route(x, "two parameters " + p.name);
  }
  return {};
}

} // namespace

const char* to_string(api_call call) noexcept {
  return call_names[static_cast<int>(call)];
}

const char* to_string(http_method method) noexcept {
  switch (method) {
  case http_method::get:
    return "GET";
  case http_method::post:
    return "POST";
  case http_method::put:
    return "PUT";
  case http_method::delete_:
    return "DELETE";
  }
  return "";
}

const char* to_string(route_access access) noexcept {
  switch (access) {
  case route_access::open:
    return "anybody";
  case route_access::any_token:
    return "any token";
  case route_access::viewer:
    return "viewer";
  case route_access::submitter:
    return "submitter";
  case route_access::operator_:
    return "operator";
  }
  return "";
}

result<std::vector<route_table::segment>> route_table::parse(const route& x) {
  if (x.pattern.empty() || x.pattern[0] != '/')
    return wrong_route(x, "a pattern begins with a slash");
  std::vector<segment> out;
  std::size_t parameters = 0;
  for (std::size_t at = 1; at <= x.pattern.size();) {
    const auto end = std::min(x.pattern.find('/', at), x.pattern.size());
    const auto part = x.pattern.substr(at, end - at);
    at = end + 1;
    if (part.empty())
      return wrong_route(x, "an empty segment");
    if (part[0] != '{') {
      out.push_back({part, false});
      continue;
    }
    const auto brace = part.find('}');
    if (brace == std::string::npos || parameters == x.path.size()
        || x.path[parameters].name != part.substr(1, brace - 1))
      return wrong_route(x, "its path parameters are not declared in order");
    ++parameters;
    out.push_back({part.substr(brace + 1), true});
  }
  if (parameters != x.path.size())
    return wrong_route(x, "a path parameter that is not in the pattern");
  return out;
}

result<route_table> route_table::make(std::vector<route> routes) {
  route_table out;
  for (auto& x : routes) {
    EBB_ASSIGN(auto segments, parse(x));
    for (const auto* list : {&x.path, &x.query, &x.headers})
      EBB_TRY(check_parameters(x, *list));
    if (x.responses.empty() || x.summary.empty())
      return wrong_route(x, "no summary or no response");
    for (std::size_t i = 0; i < out.routes_.size(); ++i) {
      const auto same = std::equal(segments.begin(), segments.end(), out.segments_[i].begin(),
                                   out.segments_[i].end(), [](const auto& a, const auto& b) {
                                     return a.parameter == b.parameter && a.literal == b.literal;
                                   });
      if (same && out.routes_[i].method == x.method)
        return wrong_route(x, "there are two of it");
    }
    out.segments_.push_back(std::move(segments));
    out.routes_.push_back(std::move(x));
  }
  return out;
}

route_table::found route_table::match(http_method method, const path_segments& path) const {
  found out;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    const auto& segments = segments_[i];
    if (segments.size() != path.size())
      continue;
    std::vector<std::string> values;
    bool fits = true;
    for (std::size_t k = 0; k < path.size() && fits; ++k) {
      const auto& [literal, parameter] = segments[k];
      if (!parameter) {
        fits = path[k] == literal;
        continue;
      }
      // A part with a verb is another route than the part alone: names have no colons.
      const auto colon = literal.empty() ? path[k].find(':') : path[k].rfind(':');
      if (literal.empty()) {
        fits = colon == std::string::npos;
        values.push_back(path[k]);
      } else {
        fits = colon != std::string::npos && std::string_view(path[k]).substr(colon) == literal;
        values.push_back(path[k].substr(0, std::min(colon, path[k].size())));
      }
    }
    if (!fits)
      continue;
    out.allowed.push_back(routes_[i].method);
    if (routes_[i].method == method) {
      out.match = &routes_[i];
      out.index = i;
      out.values = std::move(values);
    }
  }
  return out;
}

} // namespace ebb
