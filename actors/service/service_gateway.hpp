/// Answers the requests of the HTTP interface.
#pragma once

#include "actors/gateway/gateway_service.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/service/ack_desk.hpp"
#include "actors/service/keeper/keeper_actor.hpp"
#include "actors/service/resource_changes.hpp"
#include "actors/service/topics/message_api.hpp"
#include "actors/service/write_watch.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

struct checked_file;
struct stream_view;

/// What the gateway works with; all of it outlives it.
struct gateway_parts {
  control_records* records = nullptr;
  topic_registry* topics = nullptr;
  message_api* messages = nullptr;
  ack_desk* acks = nullptr;
  io_executor* io = nullptr;
  std::uint64_t lane = 0;         ///< of the control database
  std::uint64_t reading_lane = 0; ///< for long reads
  std::function<micros()> clock;
  std::string files_folder;
  std::string owner; ///< of streams and topics, `Kubernetes`; empty = this interface
  /// More sentences of `why` about a stream; may be null.
  std::function<std::vector<std::string>(const std::string& name)> more_why;
  resource_changes* changes = nullptr;
  keeper_actor streams;
};

class service_gateway final : public gateway_service {
public:
  using request_pointer = std::shared_ptr<const http_request>;

  explicit service_gateway(gateway_parts parts);

  void handle(request_pointer request, http_reply reply) override;
  void look_ready(std::function<void(const result<void>&)> answer) override;

  /// From now on it is.
  void ready() noexcept {
    ready_ = true;
  }

private:
  void apply(const request_pointer& request, const http_reply& reply);
  void list_streams(const request_pointer& request, const http_reply& reply);
  void get_stream(const request_pointer& request, const http_reply& reply);
  void delete_stream(const request_pointer& request, const http_reply& reply);
  void list_topics(const request_pointer& request, const http_reply& reply);
  void get_topic(const request_pointer& request, const http_reply& reply);
  void delete_topic(const request_pointer& request, const http_reply& reply);
  void operate(const request_pointer& request, const http_reply& reply);
  void get_operation(const request_pointer& request, const http_reply& reply);
  void graph(const request_pointer& request, const http_reply& reply);
  void checkpoints(const request_pointer& request, const http_reply& reply);
  void events(const request_pointer& request, const http_reply& reply, const char* kind);
  void why(const request_pointer& request, const http_reply& reply);
  void logs(const request_pointer& request, const http_reply& reply);
  void state(const request_pointer& request, const http_reply& reply);
  void verify(const http_reply& reply);
  [[nodiscard]] bool verify_stream(const stream_entry& x,
                                   const std::function<bool(const checked_file&)>& tell) const;

  /// A stream as `get` shows it. Blocks.
  [[nodiscard]] result<std::string> describe(const stream_view& x) const;

  /// On the keeper's thread.
  void with_keeper(std::function<void(keeper&)> run) const;
  /// On an I/O thread, in order with all that changes the control database.
  void with_records(std::function<void()> run) const;
  /// The stream of the request's path, on an I/O thread; answers 404 where there is none.
  void with_stream(const request_pointer& request, const http_reply& reply,
                   std::function<void(const stream_entry&)> run) const;

  gateway_parts parts_;
  std::atomic<bool> ready_ = false;
  write_watch writes_;
};

} // namespace ebb
