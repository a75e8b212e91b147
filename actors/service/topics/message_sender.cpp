#include "actors/service/topics/message_sender.hpp"

#include "actors/connectors/topic_partitions.hpp"
#include "actors/gateway/reply_channel.hpp"
#include "actors/service/topics/receipt_token.hpp"
#include "actors/service/topics/sender_headers.hpp"
#include "actors/service/topics/topic_host.hpp"

#include <utility>

namespace ebb {

namespace {

constexpr std::size_t small_body = std::size_t{4} << 10;
constexpr std::uint32_t busy_seconds = 1;
constexpr std::uint32_t full_seconds = 30; // retention or people have to make room
constexpr std::chrono::milliseconds standard_wait = std::chrono::seconds(30);

message_form form_of(const http_request& x) {
  return x.content_type == "application/json"       ? message_form::object
         : x.content_type == "application/x-ndjson" ? message_form::lines
                                                    : message_form::batch;
}

http_problem no_topic(const std::string& name) {
  return make_problem(404, "topic-unknown", "topic \"" + name + "\" does not exist", "path.topic",
                      "apply a manifest of kind Topic with this name first");
}

ack_question question_of(const http_request& from, const topic_host& to) {
  ack_question x;
  x.uid = to.uid();
  x.stream = from.query_text("stream");
  x.level = ack_level_of(std::string(from.query_text("ack", "logged")));
  return x;
}

void add_ranges(const std::vector<topic_range>& from, ack_question& what) {
  for (const auto& x : from)
    if (x.rows != 0)
      what.ranges.push_back({x.partition, x.first, x.first + x.rows - 1});
}

// The problem of a body, at the place where it is.
http_problem body_problem(const error& x) {
  auto out = problem_of(x);
  out.status = 400;
  out.type = x.code == ec::bad_record ? "record-invalid" : "body-invalid";
  if (out.field.empty())
    out.field = "body";
  return out;
}

} // namespace

http_problem problem_of(const append_answer& answer) {
  const auto& x = answer.problem;
  auto out = problem_of(x);
  switch (answer.status) {
  case append_status::appended:
  case append_status::duplicate:
    break;
  case append_status::conflict:
    out.status = 409;
    out.type = "sequence-conflict";
    break;
  case append_status::over_quota:
    out.status = 429;
    out.type = "quota-exceeded";
    out.field = "path.topic";
    out.retry_after_seconds = full_seconds;
    break;
  case append_status::invalid:
    out.status = 400;
    out.type = "request-invalid";
    break;
  case append_status::failed:
    if (x.code == ec::resource || x.code == ec::cancelled) {
      out.status = 503;
      out.type = x.code == ec::cancelled ? "stopping" : "busy";
      out.retry_after_seconds = busy_seconds;
    } else if (x.code == ec::not_found) {
      out.type = "topic-unknown";
    }
    break;
  }
  return out;
}

message_sender::message_sender(topic_registry& topics, io_executor& io,
                               std::shared_ptr<ack_waits> acks, const message_metrics& metrics)
    : topics_(topics), acks_(std::move(acks)), metrics_(metrics), small_(io, 1), large_(io, 2) {}

void message_sender::fail(const http_reply& reply, const http_problem& problem) {
  (problem.status < 500 && problem.status != 429 ? metrics_.rejected : metrics_.failed).add();
  reply.fail(problem);
}

void message_sender::handle(std::shared_ptr<const http_request> request, http_reply reply) {
  metrics_.body_bytes.add(request->body.size());
  metrics_.body_size.observe(static_cast<double>(request->body.size()));
  const auto& name = request->part("topic");
  auto to = topics_.host(request->name_space(), name);
  if (!to)
    return fail(reply, no_topic(name));
  auto& lanes = request->body.size() <= small_body ? small_ : large_;
  lanes.submit_anywhere([self = shared_from_this(), to = std::move(to),
                         request = std::move(request),
                         reply = std::move(reply)] { self->parse(to, request, reply); });
}

void message_sender::parse(const std::shared_ptr<topic_host>& to,
                           const std::shared_ptr<const http_request>& request,
                           const http_reply& reply) {
  if (reply.closed())
    return; // the client has given up: nothing need be appended
  topic_append append;
  if (const auto wrong = read_sender(*request, append))
    return fail(reply, *wrong);
  auto what = question_of(*request, *to);
  if (const auto known = acks_->check(what); !known)
    return fail(reply, problem_of(known.error()));
  auto parts = to->parsers()->parse(form_of(*request), request->body);
  if (!parts)
    return fail(reply, body_problem(parts.error()));
  append.parts = *std::move(parts);
  const auto settings = to->settings();
  const auto* producer = request->header_value("Ebb-Producer");
  if (producer != nullptr && !append.producer && settings->key.empty())
    for (auto& part : append.parts)
      part.partitions = {partition_of_sender(producer->text, settings->partitions)};
  auto answered = [self = shared_from_this(), request, reply, settings,
                   what = std::move(what)](append_answer answer) mutable {
    self->answer(*request, reply, *settings, std::move(what), answer);
  };
  to->append(std::move(append), std::move(answered), request->traceparent);
}

void message_sender::answer(const http_request& request, const http_reply& reply,
                            const topic_settings& topic, ack_question what,
                            const append_answer& answer) {
  metrics_.seconds.observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - request.received).count());
  const bool duplicate = answer.status == append_status::duplicate;
  if (answer.status != append_status::appended && !duplicate) {
    const auto problem = problem_of(answer);
    (problem.status < 500 && problem.status != 429 ? metrics_.rejected : metrics_.failed).add();
    auto response = response_of(problem);
    if (answer.expected_sequence)
      response.headers.emplace_back("Ebb-Expected-Sequence",
                                    std::to_string(*answer.expected_sequence));
    return reply.send(std::move(response));
  }
  (duplicate ? metrics_.duplicate : metrics_.appended).add();
  add_ranges(answer.ranges, what);
  message_receipt receipt;
  receipt.topic = topic.name;
  receipt.ranges = what.ranges;
  receipt.duplicate = duplicate;
  receipt.token = encode_token(what);
  const std::chrono::milliseconds wait{request.query_number("timeout", standard_wait.count())};
  acks_->wait(std::move(what), std::move(receipt), wait, reply);
}

} // namespace ebb
