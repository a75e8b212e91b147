/// Whether messages have got as far as their sender wants to know.
#pragma once

#include "actors/gateway/message_receipt.hpp"
#include "schemas/error.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Messages of one request, and what is asked about them.
struct ack_question {
  std::string uid; ///< of the topic
  std::vector<message_receipt::range> ranges;
  /// Its name in the topic's namespace; empty = the only stream that reads the topic.
  std::string stream;
  ack_level level = ack_level::checkpointed; ///< not `logged`
};

/// Implemented by who knows the streams. Thread-safe; nothing here blocks.
class ack_tracker {
public:
  virtual ~ack_tracker() = default;

  /// Whether all of the messages are covered: by a durable checkpoint record, or by one whose
  /// output has been applied. ec::conflict where several streams read the topic and none is named,
  /// or none reads it; ec::not_found where the named one does not read it.
  [[nodiscard]] virtual result<bool> reached(const ack_question& what) = 0;

  /// `changed` is called, from any thread and more often than needed, when an answer about the
  /// topic may have become another, until the handle goes. It must not block. Ask again after this
  /// call.
  [[nodiscard]] virtual std::shared_ptr<void> watch(const std::string& uid,
                                                    std::function<void()> changed) = 0;
};

} // namespace ebb
