/// What stands behind the HTTP server: it knows streams and topics, the server does not.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/http_request.hpp"
#include "schemas/error.hpp"

#include <functional>
#include <memory>

namespace ebb {

/// Called on the server's thread; must not block. Work goes to an actor or to the I/O pool, which
/// answer through the reply.
class gateway_service {
public:
  virtual ~gateway_service() = default;

  /// Every call of the table but metrics, healthz, readyz and openapi. The caller has been
  /// authorised; a caller limited to topics reaches only routes with a part `topic`, and get_ack,
  /// where the service must ask caller::may_use_topic itself (and answer as if there were no such
  /// receipt).
  virtual void handle(std::shared_ptr<const http_request> request, http_reply reply) = 0;

  /// Whether messages would be taken now, for /readyz. `answer` comes once, from any thread; an
  /// error says why not and what to do.
  virtual void look_ready(std::function<void(const result<void>&)> answer) = 0;
};

} // namespace ebb
