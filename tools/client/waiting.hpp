/// Waiting for what a service does in its own time.
#pragma once

#include "tools/client/api.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace ebb::client {

struct waited_stream {
  std::string name;
  std::string name_space; ///< empty = the api's
};

/// Whether there is such a condition or phase to wait for.
[[nodiscard]] result<void> check_condition(const std::string& condition);

/// Whether a stream's status fulfils a condition (`Ready`, by its status True) or is in a phase
/// (`Asleep`), or has completed (`Completed`); in any case of letters.
[[nodiscard]] bool fulfils(const json& stream, const std::string& condition);

/// Until all fulfil it: 0. exit_timed_out, saying what they are, when the time is over; 1 when one
/// has failed and stays so.
[[nodiscard]] result<int> wait_for_streams(api& service, const std::vector<waited_stream>& streams,
                                           const std::string& condition,
                                           std::chrono::milliseconds timeout);

/// Until the operation ends: its last answer, exit_timed_out or 1 where it failed, both said.
/// `doing` is shown meanwhile: `putting delays to sleep`.
struct ended_operation {
  int code = 0;
  json operation;
};

[[nodiscard]] result<ended_operation> wait_for_operation(api& service, const json& begun,
                                                         const std::string& doing,
                                                         std::chrono::milliseconds timeout);

} // namespace ebb::client
