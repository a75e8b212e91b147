/// The control process's memory of calls: each is carried out once, however often it arrives; one
/// that only reads may be carried out again.
#pragma once

#include "actors/links/link_connection.hpp"
#include "schemas/link_records.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace ebb {

/// Thread-safe. A worker sends calls again over a new connection; the first ones may still wait to
/// be carried out, or still be in the old socket. Calls of one stream are to be carried out in the
/// order in which `arrived` says true, and only while their placement is the stream's.
class call_desk {
public:
  /// True: carry it out and say `done`. False: it was carried out or is under way; its answer goes
  /// out over `from`, the connection that it has last come from.
  [[nodiscard]] bool arrived(std::uint64_t session, const link_pointer& from,
                             const link_call& call);

  /// Sends the answer, and keeps it until the worker has it; bytes of files and rows of topics are
  /// not kept, since they can be read again.
  void done(std::uint64_t session, std::uint64_t id, call_outcome outcome);

  /// The worker is gone for good. What is under way is not answered.
  void forget(std::uint64_t session);

  /// Calls under way and answers that are kept.
  [[nodiscard]] std::size_t size() const;

private:
  struct remembered {
    link_pointer from;
    std::optional<call_outcome> outcome; ///< none: under way
  };

  struct session_calls {
    std::uint64_t settled = 0;
    std::map<std::uint64_t, remembered> calls;
  };

  mutable std::mutex mutex_;
  std::map<std::uint64_t, session_calls> sessions_;
};

} // namespace ebb
