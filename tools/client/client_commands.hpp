/// The commands with a service, on the command line.
#pragma once

#include "tools/cli/commands.hpp"
#include "tools/client/commands.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace ebb::client {

/// What commands do with `--data DIR`, without a service.
struct folder_actions {
  std::function<int(const std::string& folder, const std::string& verb, const operate_arguments&)>
      operate;
  std::function<int(const std::string& folder, const view_arguments&)> why;
  std::function<int(const std::string& folder, const view_arguments&)> logs;
};

/// Must live as long as the app parses.
class client_commands {
public:
  /// Adds apply, delete, get, describe, send, tail, sleep, wake, scale, restore, why, logs, context
  /// and what completion scripts call.
  client_commands(CLI::App& app, folder_actions folders);
  client_commands(const client_commands&) = delete;
  client_commands& operator=(const client_commands&) = delete;

  /// Options for commands that work with a folder or, without one, with a service.
  void add_to(CLI::App& checkpoints, CLI::App& savepoint, CLI::App& inspect, CLI::App& verify);

  /// These, asking the service.
  [[nodiscard]] int checkpoints(const cli::state_arguments& what) const;
  /// With a folder or without.
  [[nodiscard]] int savepoint(const cli::state_arguments& what) const;
  [[nodiscard]] int inspect(const cli::state_arguments& what) const;
  [[nodiscard]] int verify(const cli::state_arguments& what) const;

  /// Whether one of the commands was called.
  [[nodiscard]] bool chosen() const;
  [[nodiscard]] int run() const;

private:
  using action = std::function<int()>;

  CLI::App* add(CLI::App& app, const std::string& name, const std::string& summary, action run);
  void add_connection(CLI::App& command);
  void add_waiting(CLI::App& command);
  void add_folder(CLI::App& command);
  void add_manifests(CLI::App& app);
  void add_looking(CLI::App& app);
  void add_messages(CLI::App& app);
  void add_operations(CLI::App& app);
  void add_contexts(CLI::App& app);

  folder_actions folders_;
  std::string folder_; ///< empty = a service is asked
  connection_options connection_;
  apply_arguments apply_;
  delete_arguments delete_;
  get_arguments get_;
  send_arguments send_;
  tail_arguments tail_;
  operate_arguments operate_;
  view_arguments view_;
  context_arguments context_;
  std::vector<std::pair<CLI::App*, action>> commands_;
};

} // namespace ebb::client
