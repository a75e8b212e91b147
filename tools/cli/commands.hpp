/// The commands of `ebb`. Each takes its parsed arguments, prints, and returns the exit code:
/// 0 done, 1 failed at run time, 2 usage or invalid manifest, 3 not found, 4 conflict, 130
/// interrupted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ebb::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_invalid = 2;
inline constexpr int exit_not_found = 3;
inline constexpr int exit_conflict = 4;
inline constexpr int exit_interrupted = 130;

struct run_arguments {
  std::vector<std::string> files;
  std::uint32_t parallelism = 0; ///< 0 = as the manifest says
  std::uint32_t threads = 0;
  std::string stats;
  bool quiet = false;
  std::string data;                       ///< folder of state; empty = nothing is kept
  std::string from = "latest-checkpoint"; ///< or fresh, or a savepoint's name
  bool yes = false;                       ///< state may be dropped
  std::string sinks;                      ///< rewind, keep; empty = refuse
};

struct explain_arguments {
  std::string file;
  std::string format = "text";
  std::uint32_t parallelism = 0;
};

/// Commands on a data folder.
struct state_arguments {
  std::string data;
  std::string stream;
  std::string target; ///< an operator, or the name of a savepoint
  std::string key;    ///< part of a key's text; empty = all
  std::uint64_t limit = 100;
  std::string output = "table";
  bool watch = false; ///< of a service: goes on and shows what changes
};

struct bench_arguments {
  std::vector<std::string> names;
  std::uint64_t events = 10'000'000;
  std::uint32_t parallelism = 2;
  std::uint32_t runs = 1;
  bool verify = false; ///< compare each result with a file's
  std::string output = "table";
};

struct worker_arguments {
  std::string control;  ///< socket of the control process; with an identity HOST:PORT
  std::string identity; ///< folder with the worker's certificate; empty = a socket
  std::string name;
  std::uint32_t threads = 0;
  double orphan_timeout = 60; ///< seconds
  std::string log;            ///< file that standard error goes to; empty = it is not bounded
  std::string cache;          ///< it shares no folder: copies lie in CACHE/NAME; empty = it does
  std::uint64_t cache_bytes = std::uint64_t{4} << 30;
  std::string node_cache; ///< folder of copies that the node's workers share; empty = none
};

struct up_arguments {
  std::string data = "ebb-data";
  std::string listen = "127.0.0.1:8181";
  std::string files; ///< folder that streams may read and write; empty = none
  std::string tls_certificate;
  std::string tls_key;
  std::string links = "socket";             ///< or tls
  std::string backend = "local";            ///< or kubernetes
  std::optional<std::uint32_t> warm;        ///< idle workers; 1, on Kubernetes none
  std::optional<std::uint32_t> max_workers; ///< then streams share them; 8, on Kubernetes 500
  std::uint32_t threads = 0;                ///< of each worker
  std::string store = "folder";             ///< or link: workers share no folder
  std::uint64_t cache_bytes = std::uint64_t{4} << 30; ///< of each worker, with link
  bool hints = true;
  std::string log_format = "auto"; ///< or text, json; auto: text on a terminal
  // On Kubernetes.
  std::string kubeconfig;    ///< empty = the pod's service account, else as kubectl finds it
  std::string own_namespace; ///< of control and workers; empty = POD_NAMESPACE, else the context's
  std::string watched;       ///< the one namespace whose streams count; empty = all
  std::string worker_image;  ///< empty = control's own
  std::string links_listen = "0.0.0.0:8182";
  std::string cache_limit = "16Gi"; ///< of a pod's copies of state
  std::string cache_volume;         ///< claim:NAME or node:/PATH, that pods share; empty = none
  std::string certificate_lifetime = "1d";
  std::vector<std::string> warm_for; ///< NAMESPACE=N: warm pods for streams of one namespace
  std::string links_address;         ///< where workers find control; empty = the Service's address
};

[[nodiscard]] int up_command(const up_arguments& arguments);
[[nodiscard]] int run_command(const run_arguments& arguments);
[[nodiscard]] int validate_command(const std::vector<std::string>& files);
[[nodiscard]] int explain_command_run(const explain_arguments& arguments);
[[nodiscard]] int bench_command_run(const bench_arguments& arguments);
[[nodiscard]] int checkpoints_command(const state_arguments& arguments);
[[nodiscard]] int inspect_command(const state_arguments& arguments);
[[nodiscard]] int verify_command(const state_arguments& arguments);
/// A worker of a service; started by the service itself. Ends with 0 when it was told to, with 1
/// when there was no control process for too long.
[[nodiscard]] int worker_command(const worker_arguments& arguments);
[[nodiscard]] int version_command(const std::string& output);
[[nodiscard]] int completion_command(const std::string& shell, const CLI::App& app);

[[nodiscard]] std::string version_text();

} // namespace ebb::cli
