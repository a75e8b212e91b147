/// Runs streams of a service in this process, on order.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/stream_store.hpp"
#include "actors/runtime/topic_access.hpp"
#include "actors/service/hosting/peer_desk.hpp"
#include "schemas/link_records.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// What the host tells. Called from its threads; must not block for long.
class host_listener {
public:
  virtual ~host_listener() = default;
  virtual void tell(stream_started x) = 0;
  /// The placement is over. Its actors have ended, or (killed, then neither cut nor finished nor
  /// with a problem) are ending, and write nothing that would be taken for the next placement's.
  /// Told once for each start, also where it has failed.
  virtual void tell(stream_ended x) = 0;
  /// Once for each order.
  virtual void tell(savepoint_made x) = 0;
};

/// Where a stream keeps its records and finds its topics.
class host_services {
public:
  virtual ~host_services() = default;
  [[nodiscard]] virtual std::shared_ptr<shared_ledger> ledger(const stream_placement& of) = 0;
  [[nodiscard]] virtual std::unique_ptr<topic_access> topics(const stream_placement& of,
                                                             const std::string& name_space) = 0;

  /// Where the stream's files are kept; null: in the folder that the order names.
  [[nodiscard]] virtual result<std::shared_ptr<snapshot_store>> files(const stream_placement& of) {
    static_cast<void>(of);
    return std::shared_ptr<snapshot_store>{};
  }

  /// What a sink of a part that does not speak for its stream says of itself.
  virtual void note(const stream_placement& of, const std::string& text) {
    static_cast<void>(of);
    static_cast<void>(text);
  }

  /// Where it meets the other workers that a stream is spread over.
  [[nodiscard]] virtual peer_desk& peers() = 0;
};

struct host_options {
  std::uint32_t threads = 0; ///< of the actor system; 0 = one a processor
};

/// Thread-safe. An order for a placement that is not there does nothing.
class stream_host {
public:
  /// Both outlive it.
  stream_host(const host_options& options, host_services& services, host_listener& listener);
  /// Kills what runs; nothing is told any more. Waits for calls of services that are under way: let
  /// them fail before.
  ~stream_host();
  stream_host(const stream_host&) = delete;
  stream_host& operator=(const stream_host&) = delete;

  /// Nothing where this placement, or a later one of the stream, is there; an earlier one is
  /// killed.
  void start(start_stream order);
  /// Ends it with a final checkpoint, or kills it (all parts that are here). While it starts it is
  /// ended right after.
  void stop(const stop_stream& order);
  void savepoint(const savepoint_stream& order);

  /// What runs or is being started.
  [[nodiscard]] std::vector<hosted_stream> hosted() const;

  /// Of the streams that run, all or those in which something has changed since the last call. A
  /// stream is busy in which rows have moved since then, so that the call after the last row gives
  /// it, too.
  [[nodiscard]] std::vector<stream_status> changes(bool all = false);

  /// Streams that run or are being started.
  [[nodiscard]] std::size_t count() const;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace ebb
