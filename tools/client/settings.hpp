/// Which service, as whom, in which namespace: from options, environment and contexts.
#pragma once

#include "tools/client/contexts.hpp"
#include "tools/client/endpoint.hpp"
#include "tools/client/tls_choice.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace ebb::client {

/// Options that every command with a service has. Empty = not given.
struct connection_options {
  std::string server;
  std::string context;
  std::string name_space;
  std::string ca;
  std::string pin;
  std::string request_timeout;
};

void add_connection_options(CLI::App& command, connection_options& to);

struct settings {
  endpoint server;
  std::string token;
  std::string name_space = "default";
  tls_choice tls;
  std::chrono::milliseconds request_timeout{30'000};
};

/// Value of an environment variable; empty without one.
using environment = std::function<std::string(const char* name)>;

[[nodiscard]] std::string process_environment(const char* name);

/// Options come first, then EBB_SERVER, EBB_TOKEN, EBB_CONTEXT, then the context, then defaults.
/// A server named by option or variable is not the context's: token, CA and pin of the context are
/// not used for it. A token is never sent in clear to another machine: ec::invalid_argument.
[[nodiscard]] result<settings> settle(const connection_options& options,
                                      const context_file& contexts, const environment& variables);

/// `30s` and the like, for options; at least a millisecond.
[[nodiscard]] result<std::chrono::milliseconds> option_duration(const std::string& option,
                                                                const std::string& text);

} // namespace ebb::client
