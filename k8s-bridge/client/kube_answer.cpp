#include "k8s-bridge/client/kube_answer.hpp"

#include <utility>

namespace ebb {

namespace {

constexpr int deepest = 64;
constexpr std::size_t message_shown = 600;

ec kind_of(int code) {
  switch (code) {
  case 400:
  case 422:
    return ec::invalid_argument;
  case 404:
    return ec::not_found;
  case 409:
  case 410:
    return ec::conflict;
  case 401:
  case 403:
    return ec::unsupported;
  case 413:
  case 429:
    return ec::resource;
  default:
    return ec::io;
  }
}

const char* hint_of(int code) {
  switch (code) {
  case 401:
    return "the API server does not know us: check the token or certificate of the kubeconfig, or "
           "the pod's service account";
  case 403:
    return "give ebb's service account the rights of deployments/ebb.yaml";
  case 404:
    return "apply deployments/ebb.yaml: it brings the kinds Stream and Topic";
  default:
    return "";
  }
}

error answer_error(const std::string& what, int code, std::string message) {
  if (message.size() > message_shown)
    message.resize(message_shown);
  auto text = "cannot " + what + ": ";
  text += message.empty() ? "the API server answers " + std::to_string(code) : message;
  return make_error(kind_of(code), std::move(text), hint_of(code));
}

} // namespace

result<kube_json> parse_kube_json(std::string_view text) {
  bool too_deep = false;
  auto parsed = kube_json::parse(
      text,
      [&](int depth, kube_json::parse_event_t, kube_json&) {
        too_deep |= depth > deepest;
        return depth <= deepest;
      },
      false);
  if (parsed.is_discarded() || too_deep)
    return make_error(ec::corrupt, too_deep ? "the API server's JSON is nested too deeply"
                                            : "the API server's answer is no JSON");
  return parsed;
}

const kube_json* member(const kube_json& of, std::initializer_list<const char*> names) {
  const auto* at = &of;
  for (const auto* name : names) {
    if (!at->is_object())
      return nullptr;
    const auto found = at->find(name);
    if (found == at->end())
      return nullptr;
    at = &*found;
  }
  return at;
}

std::string text_at(const kube_json& of, std::initializer_list<const char*> names) {
  const auto* found = member(of, names);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_at(const kube_json& of, std::initializer_list<const char*> names) {
  const auto* found = member(of, names);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

error status_error(const std::string& what, const kube_json& status) {
  return answer_error(what, static_cast<int>(number_at(status, {"code"})),
                      text_at(status, {"message"}));
}

kube_answer read_answer(const std::string& what, result<kube_response> from) {
  kube_answer x;
  if (!from) {
    x.problem = std::move(from).error();
    x.problem->message = "cannot " + what + ": " + x.problem->message;
    return x;
  }
  x.status = from->status;
  x.retry_after = from->retry_after;
  const bool good = x.status >= 200 && x.status < 300;
  auto parsed = parse_kube_json(from->body);
  if (parsed)
    x.body = *std::move(parsed);
  if (!good) {
    // Not everything between us and it speaks JSON.
    x.reason = text_at(x.body, {"reason"});
    x.problem = answer_error(what, x.status, text_at(x.body, {"message"}));
  } else if (!parsed) {
    x.status = 0;
    x.problem = std::move(parsed).error();
    x.problem->message = "cannot " + what + ": " + x.problem->message;
  }
  return x;
}

} // namespace ebb
