/// Names of what clients may ask for.
#pragma once

#include <cstdint>

namespace ebb {

/// One for each route of the table. A service switches over it without a default, so that a new
/// call does not compile until it is handled.
enum class api_call : std::uint8_t {
  apply,
  list_streams,
  get_stream,
  delete_stream,
  list_topics,
  get_topic,
  delete_topic,
  list_functions,
  get_function,
  delete_function,
  append_messages,
  read_messages,
  get_ack,
  sleep_stream,
  wake_stream,
  scale_stream,
  savepoint_stream,
  restore_stream,
  get_operation,
  stream_graph,
  stream_checkpoints,
  stream_wakes,
  stream_decisions,
  stream_errors,
  stream_why,
  stream_logs,
  stream_state,
  verify,
  // The server answers these itself.
  metrics,
  healthz,
  readyz,
  openapi,
};

inline constexpr int api_call_count = static_cast<int>(api_call::openapi) + 1;

/// `appendMessages`: the operationId of the OpenAPI document.
[[nodiscard]] const char* to_string(api_call call) noexcept;

} // namespace ebb
