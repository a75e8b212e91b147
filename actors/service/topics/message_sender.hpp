/// POST /v1/topics/{topic}/messages.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/http_request.hpp"
#include "actors/service/topics/ack_waits.hpp"
#include "actors/service/topics/job_lanes.hpp"
#include "actors/service/topics/message_metrics.hpp"
#include "actors/service/topics/topic_registry.hpp"

#include <memory>
#include <optional>

namespace ebb {

/// Thread-safe; what is under way holds it.
class message_sender : public std::enable_shared_from_this<message_sender> {
public:
  message_sender(topic_registry& topics, io_executor& io, std::shared_ptr<ack_waits> acks,
                 const message_metrics& metrics);

  /// On the server's thread: hands the body to the I/O pool.
  void handle(std::shared_ptr<const http_request> request, http_reply reply);

private:
  void parse(const std::shared_ptr<topic_host>& to,
             const std::shared_ptr<const http_request>& request, const http_reply& reply);
  void answer(const http_request& request, const http_reply& reply, const topic_settings& topic,
              ack_question what, const append_answer& answer);
  void fail(const http_reply& reply, const http_problem& problem);

  topic_registry& topics_;
  const std::shared_ptr<ack_waits> acks_;
  const message_metrics metrics_;
  job_lanes small_; ///< bodies that take no time
  job_lanes large_;
};

/// What a client is told of an append that failed.
[[nodiscard]] http_problem problem_of(const append_answer& answer);

} // namespace ebb
