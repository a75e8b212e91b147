#include "actors/service/topics/message_api.hpp"

#include "actors/service/topics/ack_waits.hpp"
#include "actors/service/topics/message_metrics.hpp"
#include "actors/service/topics/message_reading.hpp"
#include "actors/service/topics/message_sender.hpp"
#include "actors/service/topics/receipt_token.hpp"
#include "actors/service/topics/topic_host.hpp"

#include <mutex>
#include <unordered_map>

namespace ebb {

struct message_api::parts : std::enable_shared_from_this<message_api::parts> {
  parts(topic_registry& of, io_executor& pool, ack_tracker* tracker, metrics_registry& registry)
      : topics(of), io(pool), metrics(registry), acks(std::make_shared<ack_waits>(tracker, pool)),
        sender(std::make_shared<message_sender>(of, pool, acks, metrics)) {}

  void read(std::shared_ptr<const http_request> request, const http_reply& reply);
  void answer_ack(const http_request& request, const http_reply& reply) const;

  topic_registry& topics;
  io_executor& io;
  message_metrics metrics;
  const std::shared_ptr<ack_waits> acks;
  const std::shared_ptr<message_sender> sender;
  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::shared_ptr<message_reading>> readings;
  std::uint64_t next = 1;
};

void message_api::parts::read(std::shared_ptr<const http_request> request,
                              const http_reply& reply) {
  const auto& name = request->part("topic");
  auto of = topics.host(request->name_space(), name);
  if (!of)
    return reply.fail(
        make_problem(404, "topic-unknown", "topic \"" + name + "\" does not exist", "path.topic"));
  std::shared_ptr<message_reading> made;
  {
    std::lock_guard guard(mutex);
    const auto number = next++;
    made = std::make_shared<message_reading>(io, std::move(of), std::move(request), reply, metrics,
                                             [weak = weak_from_this(), number] {
                                               const auto self = weak.lock();
                                               if (!self)
                                                 return;
                                               std::lock_guard lock(self->mutex);
                                               self->readings.erase(number);
                                             });
    readings.emplace(number, made);
  }
  made->start();
}

// A receipt of a topic that the caller may not use looks as if there were none.
void message_api::parts::answer_ack(const http_request& request, const http_reply& reply) const {
  auto what = decode_receipt_token(request.part("token"));
  if (!what)
    return reply.fail(what.error());
  const auto topic = topics.find_uid(what->uid);
  if (!topic || !request.from.may_use_topic(topic->name))
    return reply.fail(make_error(ec::not_found, "there is no receipt with this token",
                                 "its topic may have been deleted"));
  message_receipt receipt;
  receipt.topic = topic->name;
  receipt.ranges = what->ranges;
  receipt.token = request.part("token");
  const std::chrono::milliseconds wait{request.query_number("timeout", 0)};
  acks->wait(*std::move(what), std::move(receipt), wait, reply);
}

message_api::message_api(topic_registry& topics, io_executor& io, ack_tracker* acks,
                         metrics_registry& metrics)
    : parts_(std::make_shared<parts>(topics, io, acks, metrics)) {}

message_api::~message_api() {
  parts_->acks->close();
  std::unordered_map<std::uint64_t, std::shared_ptr<message_reading>> left;
  {
    std::lock_guard guard(parts_->mutex);
    left.swap(parts_->readings);
  }
  for (const auto& x : left)
    x.second->stop();
}

void message_api::handle(std::shared_ptr<const http_request> request, http_reply reply) {
  switch (request->to->call) {
  case api_call::append_messages:
    return parts_->sender->handle(std::move(request), std::move(reply));
  case api_call::read_messages:
    return parts_->read(std::move(request), reply);
  case api_call::get_ack:
    return parts_->answer_ack(*request, reply);
  default:
    return reply.fail(make_error(ec::internal, "this is no call about messages"));
  }
}

} // namespace ebb
