/// The calls of the HTTP interface that send and read messages.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/http_request.hpp"
#include "actors/gateway/metrics.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/service/topics/ack_tracker.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <memory>

namespace ebb {

/// Part of a gateway_service: append_messages, read_messages and get_ack.
class message_api {
public:
  /// All of them must outlive it. `acks` may be null: then only `logged` is known.
  message_api(topic_registry& topics, io_executor& io, ack_tracker* acks,
              metrics_registry& metrics);

  /// Ends the streams of messages that are read, answers what waits with 503. Stop the server
  /// first.
  ~message_api();
  message_api(const message_api&) = delete;
  message_api& operator=(const message_api&) = delete;

  /// One of the three calls. On the server's thread; does not block: bodies are parsed, logs are
  /// read and rows are written as text on the I/O pool.
  void handle(std::shared_ptr<const http_request> request, http_reply reply);

private:
  struct parts;
  std::shared_ptr<parts> parts_;
};

} // namespace ebb
