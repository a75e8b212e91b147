/// The control process of a service: everything but the workers and what starts them.
#pragma once

#include "actors/gateway/http_server.hpp"
#include "actors/service/lifecycle/placement_plan.hpp"
#include "actors/service/resource_desk.hpp"
#include "actors/service/worker_address.hpp"
#include "schemas/error.hpp"
#include "schemas/link_records.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

struct control_options {
  std::string data_folder;
  std::string files_folder; ///< that streams may read and write; empty = none
  http_options http;
  worker_address links;
  placement_limits placement;
  /// Who says what streams and topics there are, `Kubernetes`; empty = whoever calls the interface.
  std::string owner;
  /// The control process is at least this number's (Kubernetes: a lease's).
  std::uint64_t least_incarnation = 0;
  /// A stream, by qualified name, may look different now. Called in order; must not block.
  std::function<void(const std::string& name)> stream_changed;
  /// A stream, by qualified name, has said something. Called in order; must not block. May be null.
  std::function<void(const std::string& name, const log_line& what)> stream_said = {};
  /// More sentences about a stream (qualified name) for `ebb why`. From any thread; must not block.
  std::function<std::vector<std::string>(const std::string& name)> more_why = {};
  /// A worker has joined; other workers reach it there, `HOST:PORT` or a socket's path, or empty;
  /// its clock is before ours by so much. On the links' thread; must not block.
  std::function<void(const std::string& worker, const std::string& peers, micros ahead)> joined =
      {};
  /// Nothing has happened for a while, so memory may be given back. On an I/O thread; may be null.
  std::function<void()> rested;
};

/// The start of a stream that alone will run in a worker.
struct worker_claim {
  std::string stream; ///< qualified name
  std::string uid;
  std::uint64_t placement = 0;
};

/// Processes of workers, by name. Thread-safe; nothing blocks.
struct worker_starter {
  std::function<void(const std::string& name)> start;
  /// Told before `start`, and when a worker of none is given one. May be empty.
  std::function<void(const std::string& name, const worker_claim& whose)> is_for;
  /// One that an earlier control process has started.
  std::function<void(const std::string& name, std::int64_t pid)> adopt;
  std::function<void(const std::string& name)> kill;
  /// Those that live, whoever has started them. This one blocks, shortly. May be empty.
  std::function<std::vector<std::string>()> living;
  /// Whether the stream (qualified) can do with a worker that was started for none. May be empty.
  std::function<bool(const std::string& stream)> takes_warm = {};
};

class control_process {
public:
  /// Streams that were awake go on, those that sleep are watched, requests are answered. Blocks.
  /// ec::conflict: another process has the folder (named), or the port is taken.
  [[nodiscard]] static result<std::unique_ptr<control_process>> start(control_options options,
                                                                      worker_starter workers);
  ~control_process();
  control_process(const control_process&) = delete;
  control_process& operator=(const control_process&) = delete;

  /// The process of a worker is gone, or could not be started. Thread-safe.
  void worker_gone(const std::string& name, const std::string& how);

  /// Valid as long as the process.
  [[nodiscard]] resource_desk& resources();

  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::size_t streams() const;

  /// Takes no more requests, lets streams make their final checkpoints and workers end. Streams
  /// that were awake are so again when the service starts the next time. Blocks, at most about a
  /// minute.
  void stop();

  /// Takes no more requests. Workers and streams go on, for the next control process.
  void leave();

private:
  struct parts;
  explicit control_process(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

} // namespace ebb
