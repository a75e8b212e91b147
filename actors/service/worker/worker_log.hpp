/// What a worker says to people: on standard error, and to the control process, which keeps it.
#pragma once

#include "schemas/link_records.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace ebb {

/// Thread-safe.
class worker_log {
public:
  /// `send` gives false where there is no control process; then the newest lines wait for it.
  explicit worker_log(std::function<bool(const log_line&)> send);

  /// `uid`: the stream that it is about; empty = the worker. Standard error gets it from `info` on.
  void write(log_level level, const std::string& text, const std::string& uid = {});

  /// What keeps a stream's checkpoints from being made; empty = nothing. Said where it has changed.
  void alarm(const std::string& uid, const std::string& text);

  /// A start of a stream: its lines on standard error have the name, those for the control process
  /// the field `traceId` where `traceparent` is one.
  void know(const std::string& uid, const std::string& name, const std::string& traceparent);

  /// That start has ended: nothing is said of its alarm any more.
  void forget(const std::string& uid);

  /// There is a control process again.
  void flush();

private:
  struct known_stream {
    std::string name;
    std::string trace; ///< id; empty = none
    std::uint32_t starts = 0;
  };

  void pass(log_line x);

  const std::function<bool(const log_line&)> send_;
  std::mutex mutex_; ///< guards what follows
  std::deque<log_line> waiting_;
  std::uint64_t dropped_ = 0;
  std::map<std::string, std::string> alarms_; ///< by uid
  std::map<std::string, known_stream> known_; ///< by uid
};

} // namespace ebb
