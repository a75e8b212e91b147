#include "tools/client/settings.hpp"

#include "actors/plan/manifest.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace ebb::client {

namespace {

const std::string& first_of(const std::string& a, const std::string& b) {
  return a.empty() ? b : a;
}

result<service_context> chosen_context(const std::string& name, const context_file& contexts) {
  if (name.empty())
    return service_context{};
  const auto found = contexts.contexts.find(name);
  if (found != contexts.contexts.end())
    return found->second;
  return make_error(ec::not_found, "there is no context " + name,
                    "ebb context list shows those there are");
}

} // namespace

void add_connection_options(CLI::App& command, connection_options& to) {
  const auto* group = "Service";
  command.add_option("--server", to.server, "Its URL; else EBB_SERVER, the context, this machine")
      ->type_name("URL")
      ->group(group);
  command.add_option("--context", to.context, "A context of ebb context list; else EBB_CONTEXT")
      ->type_name("NAME")
      ->group(group);
  command.add_option("-n,--namespace", to.name_space, "Where names are looked up: default")
      ->type_name("NAME")
      ->group(group);
  command.add_option("--ca", to.ca, "PEM file of the authority to trust, for https")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--pin", to.pin, "SHA-256 of the only certificate to accept, for https")
      ->type_name("HEX")
      ->group(group);
  command.add_option("--request-timeout", to.request_timeout, "For each answer: 30s")
      ->type_name("TIME")
      ->group(group);
}

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

result<std::chrono::milliseconds> option_duration(const std::string& option,
                                                  const std::string& text) {
  auto parsed = parse_duration(text);
  constexpr micros micros_per_milli = 1'000;
  if (parsed && *parsed >= micros_per_milli)
    return std::chrono::milliseconds{*parsed / micros_per_milli};
  auto problem = parsed ? make_error(ec::invalid_argument, "a duration above zero is expected")
                        : std::move(parsed).error();
  problem.place.field = option;
  return problem;
}

result<settings> settle(const connection_options& options, const context_file& contexts,
                        const environment& variables) {
  settings out;
  const auto named = first_of(options.context, variables("EBB_CONTEXT"));
  EBB_ASSIGN(auto context, chosen_context(first_of(named, contexts.current), contexts));
  const auto elsewhere =
      first_of(options.server, options.context.empty() ? variables("EBB_SERVER") : std::string{});
  if (!elsewhere.empty()) {
    context.server = elsewhere;
    context.token.clear();
    context.ca.clear();
    context.pin.clear();
  }
  EBB_ASSIGN(out.server, parse_endpoint(first_of(context.server, std::string(default_server))));
  out.token = first_of(variables("EBB_TOKEN"), context.token);
  out.name_space = first_of(first_of(options.name_space, context.name_space), "default");
  out.tls.ca = first_of(options.ca, context.ca);
  if (const auto& pin = first_of(options.pin, context.pin); !pin.empty()) {
    EBB_ASSIGN(out.tls.pin, normal_pin(pin));
  }
  if (!options.request_timeout.empty()) {
    EBB_ASSIGN(out.request_timeout, option_duration("--request-timeout", options.request_timeout));
  }
  if (out.token.find_first_of(" \t\r\n") != std::string::npos)
    return make_error(ec::invalid_argument, "the token has spaces or line ends in it",
                      "give it as ebb auth token create printed it");
  if (!out.token.empty() && !out.server.tls && !is_loopback(out.server))
    return make_error(ec::invalid_argument,
                      "the token would go to " + out.server.host + " in clear text",
                      "name the service by https://");
  if (!out.server.tls && (!options.ca.empty() || !options.pin.empty()))
    return make_error(ec::invalid_argument, "--ca and --pin are for a service at https://",
                      "the service is " + url_of(out.server));
  return out;
}

} // namespace ebb::client
