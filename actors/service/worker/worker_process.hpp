/// What a worker process does: it joins the control process and runs streams on its orders.
///
/// It says hello on each connection with all that it hosts, placements included that have ended and
/// were not released yet. Streams go on without a connection; their calls wait. A placement that a
/// welcome refuses is killed. How ends are said and released: ended_streams.hpp.
#pragma once

#include "actors/links/link_server.hpp"
#include "actors/service/hosting/stream_host.hpp"
#include "actors/service/worker/control_session.hpp"
#include "storage/snapshot_cache.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

struct worker_options {
  std::string control; ///< path of the control process's socket
  /// With an identity of the worker side: TLS to this place instead.
  link_place place;
  std::shared_ptr<const link_identity> identity;
  std::string name;
  std::string version; ///< of ebb
  host_options host;
  /// With a folder: it shares none with the control process. Files of streams are kept over the
  /// link, with copies here, and topics are read over it.
  cache_options cache;
  /// With a folder: copies that the node's workers share, instead of those in `cache.folder`.
  node_cache_options node_cache;
  link_options link;
  /// Without a control process for so long, it kills its streams and ends: their checkpoints are
  /// durable, and another worker goes on from them.
  std::chrono::milliseconds orphan_timeout{60000};
  /// For the final checkpoints when it ends; then what still runs is killed.
  std::chrono::milliseconds stop_within{30000};
  /// By `run`: streams have rested for a while, so memory may be given back. May be null.
  std::function<void()> rested;
  /// By `run`, about every 100 ms while streams run. May be null.
  std::function<void()> looked;
  /// Instead of connecting to `control`; for tests.
  control_session::connector connect;
};

enum class worker_outcome : std::uint8_t {
  stopped,  ///< as ordered, or by `stop`
  orphaned, ///< there was no control process
};

class worker_process {
public:
  [[nodiscard]] static result<std::unique_ptr<worker_process>> make(worker_options options);
  /// Kills what runs.
  ~worker_process();
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  /// Blocks until the worker is to end. Once. Sleeps for ever while no stream runs and nothing is
  /// said.
  [[nodiscard]] worker_outcome run();

  /// Makes `run` end the streams with final checkpoints and return. From any thread, and from a
  /// signal handler.
  void stop() noexcept;

private:
  class parts;
  explicit worker_process(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

} // namespace ebb
