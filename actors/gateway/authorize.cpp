#include "actors/gateway/authorize.hpp"

#include "actors/gateway/parameters.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr const char* token_hint =
    "send the header Authorization: Bearer TOKEN; ebb auth token create makes a token";

// Of `host:port`, `[address]:port`; empty where it is malformed.
std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool names_this_machine(std::string_view host) {
  const auto name = host_name(host);
  const auto number = name.starts_with("127.") && std::all_of(name.begin(), name.end(), [](char c) {
                        return c == '.' || (c >= '0' && c <= '9');
                      });
  return same_name(name, "localhost") || name == "::1" || number;
}

// A page from elsewhere must not reach a service that asks for no token, neither by a form nor by
// a name of its own that leads here.
std::optional<http_problem> check_page(const request_head& head) {
  if (!head.host.empty() && !names_this_machine(head.host))
    return make_problem(403, "host-refused", "Host does not name this machine", "header.Host",
                        "without tokens only localhost is served; use its name, or ebb auth init");
  if (head.origin.empty())
    return std::nullopt;
  const auto scheme = head.origin.find("://");
  if (scheme == std::string_view::npos || !names_this_machine(head.origin.substr(scheme + 3)))
    return make_problem(403, "origin-refused", "the request was made by a page from elsewhere",
                        "header.Origin", "make tokens, with ebb auth init, to serve such pages");
  return std::nullopt;
}

http_problem unauthenticated(const char* detail) {
  return make_problem(401, "unauthenticated", detail, "header.Authorization", token_hint);
}

} // namespace

bool grants(route_access needed, access_role role) noexcept {
  if (role == access_role::operator_)
    return true;
  switch (needed) {
  case route_access::open:
  case route_access::any_token:
    return true;
  case route_access::viewer:
    return role == access_role::viewer;
  case route_access::submitter:
    return role == access_role::submitter;
  case route_access::operator_:
    return false;
  }
  return false;
}

std::optional<http_problem> authorize(const request_head& head, const admission_rules& rules,
                                      const route& to, const std::string* topic, caller& from) {
  if (rules.tokens == nullptr) {
    from = {};
    return check_page(head);
  }
  if (to.access == route_access::open)
    return std::nullopt;
  if (head.authorization.empty())
    return unauthenticated("the request has no token");
  constexpr std::string_view scheme = "Bearer ";
  if (!same_name(head.authorization.substr(0, scheme.size()), scheme))
    return unauthenticated("Authorization is not of the kind Bearer");
  const auto checked = rules.tokens->check(head.authorization.substr(scheme.size()), rules.now);
  if (checked.what == token_store::verdict::expired)
    return unauthenticated("the token has expired");
  if (checked.what == token_store::verdict::unknown)
    return unauthenticated("the token is not known");
  const auto& token = *checked.record;
  from = {token.id, token.role, token.topics};
  if (!grants(to.access, token.role))
    return make_problem(
        403, "forbidden", std::string("the role ") + to_string(token.role) + " may not do this",
        "header.Authorization", std::string("use a token with the role ") + to_string(to.access));
  const bool scoped = !token.topics.empty() && to.access != route_access::any_token;
  if (scoped && (topic == nullptr || !from.may_use_topic(*topic)))
    return make_problem(403, "forbidden", "the token is for other topics than this",
                        topic == nullptr ? "header.Authorization" : "path.topic",
                        "use a token for this topic, or one that is not limited to topics");
  return std::nullopt;
}

} // namespace ebb
