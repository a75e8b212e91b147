/// The control process's side of its workers: their links, their calls, which of them are there.
#pragma once

#include "actors/links/call_desk.hpp"
#include "actors/links/link_loop.hpp"
#include "actors/links/link_server.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/service/control_records.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "actors/service/worker_address.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace ebb {

/// Name of a worker's process, and its number.
[[nodiscard]] std::string worker_name(std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> worker_number(const std::string& name);

/// Told on the loop's thread; must not block.
struct worker_desk_events {
  /// A worker has said who it is; `answer` is to be called with what it is told.
  std::function<void(std::uint64_t worker, worker_hello hello,
                     std::function<void(control_welcome)> answer)>
      here;
  /// Its link is gone. It may come back.
  std::function<void(std::uint64_t worker)> away;
  /// Everything but hello, calls and watches.
  std::function<void(std::uint64_t worker, link_message&& what)> says;
  /// A record or a token of the stream was written.
  std::function<void(const std::string& uid)> recorded;
  /// A connection was closed whose certificate does not allow what it says; for people.
  std::function<void(const std::string& why)> refused;
  /// A phase of a checkpoint is over: `align`, `snapshot`, `write`, `commit`, `apply`.
  std::function<void(const char* phase, micros took)> phase;
};

/// Thread-safe. Where workers have certificates of their own (`worker_address::authority`), a
/// worker is who its certificate says, and speaks for the stream that this names, of its start or
/// an earlier one, and for no other. With the order to start a stream it gets the certificate for
/// that.
class worker_desk {
public:
  /// Listens there. All outlive it.
  [[nodiscard]] static result<std::unique_ptr<worker_desk>>
  listen(link_loop& loop, const worker_address& at, control_records& records,
         topic_registry& topics, io_executor& io,
         std::function<std::optional<std::string>(const std::string& uid)> name_space_of,
         worker_desk_events events);
  ~worker_desk();
  worker_desk(const worker_desk&) = delete;
  worker_desk& operator=(const worker_desk&) = delete;

  /// False where it is not connected, or too much waits to be sent to it.
  bool send(std::uint64_t worker, const link_message& what);
  [[nodiscard]] bool connected(std::uint64_t worker) const;
  /// Gives certificates to workers whose own will end, and closes links of those whose have.
  /// `now`: wall clock. False: there is no worker that has one.
  bool renew(micros now);

  /// Its process is gone for good.
  void forget(std::uint64_t worker);

private:
  struct connection;
  struct parts;
  explicit worker_desk(std::shared_ptr<parts> made);

  std::shared_ptr<parts> parts_;
  std::unique_ptr<link_server> server_;
};

} // namespace ebb
