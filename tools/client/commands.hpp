/// Commands that ask a running service. Each prints, and returns the exit code of
/// tools/cli/commands.hpp, or exit_timed_out.
#pragma once

#include "tools/client/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::client {

struct apply_arguments {
  std::vector<std::string> files;
  bool dry_run = false;
  std::string wait; ///< condition or phase; empty = do not
  std::string timeout = "60s";
};

struct delete_arguments {
  std::vector<std::string> files;
  std::string kind; ///< or KIND/NAME
  std::vector<std::string> names;
  bool ignore_missing = false;
};

struct get_arguments {
  std::string kind; ///< or KIND/NAME, or a view
  std::string name;
  std::string output = "table"; ///< json, yaml, name
  bool watch = false;
  std::uint32_t limit = 0; ///< of a view; 0 = as the service does
};

struct send_arguments {
  std::string topic;
  std::string file = "-";
  std::string ack = "logged";
  std::string stream; ///< whose acknowledgement
  std::string producer;
  std::uint64_t sequence = 0; ///< number of the first line
  std::uint64_t batch = 1'000;
  std::string timeout = "5m"; ///< for one request with its retries, and for acknowledgements
  bool quiet = false;
};

struct tail_arguments {
  std::string what; ///< TOPIC or STREAM/SINK
  std::string from = "latest";
  std::uint64_t limit = 0; ///< 0 = all
  std::int64_t partition = -1;
  bool no_follow = false;
  bool meta = false;
};

/// sleep, wake, scale, savepoint, restore.
struct operate_arguments {
  std::string stream;
  std::uint32_t parallelism = 0;
  std::string savepoint;
  std::string sinks;
  bool no_wait = false;
  std::string timeout = "5m";
  std::string output = "table";
};

/// why, logs, checkpoints, inspect.
struct view_arguments {
  std::string stream;
  std::string operator_name;
  std::string key;
  std::string level;
  std::uint64_t limit = 0;
  bool follow = false;
  std::string output = "table";
};

struct context_arguments {
  std::string name;
  service_context values; ///< empty ones stay as they are
  std::string token_file; ///< - reads standard input
  std::string output = "table";
};

[[nodiscard]] int apply_command(const connection_options& to, const apply_arguments& what);
[[nodiscard]] int delete_command(const connection_options& to, const delete_arguments& what);
[[nodiscard]] int get_command(const connection_options& to, const get_arguments& what);
[[nodiscard]] int describe_command(const connection_options& to, const get_arguments& what);
[[nodiscard]] int send_command(const connection_options& to, const send_arguments& what);
[[nodiscard]] int tail_command(const connection_options& to, const tail_arguments& what);
/// `verb` is one of the operations.
[[nodiscard]] int operate_command(const connection_options& to, const std::string& verb,
                                  const operate_arguments& what);
[[nodiscard]] int why_command(const connection_options& to, const view_arguments& what);
[[nodiscard]] int logs_command(const connection_options& to, const view_arguments& what);
[[nodiscard]] int checkpoints_command(const connection_options& to, const view_arguments& what);
[[nodiscard]] int inspect_command(const connection_options& to, const view_arguments& what);
[[nodiscard]] int verify_command(const connection_options& to, const view_arguments& what);
[[nodiscard]] int context_list(const context_arguments& what);
[[nodiscard]] int context_use(const context_arguments& what);
[[nodiscard]] int context_set(const context_arguments& what);
[[nodiscard]] int context_delete(const context_arguments& what);
/// Names for completion, one a line: silent and quick whatever happens.
[[nodiscard]] int names_command(const connection_options& to, const std::string& kind);

} // namespace ebb::client
