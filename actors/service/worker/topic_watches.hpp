/// Who in a worker wants to know when topics grow.
#pragma once

#include "schemas/link_records.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ebb {

/// Thread-safe. One subscription at the control process a topic, however many watch it here.
class topic_watches {
public:
  /// `send` passes a message on where there is a control process, else drops it; it does not block
  /// and calls nothing here.
  explicit topic_watches(std::function<void(const topic_watch&)> send);

  /// `moved` is called by the threads that call the functions below, until the handle goes; it may
  /// drop the handle itself. Handles may outlive this object.
  [[nodiscard]] std::shared_ptr<void> add(const std::string& uid, std::function<void()> moved);

  void moved(const std::string& uid);

  /// There is a control process again: it is told of all watches, and everybody is called, since
  /// something may have been missed.
  void reconnected();

  /// Topics that are watched.
  [[nodiscard]] std::size_t size() const;

private:
  struct watcher;
  struct parts;

  std::shared_ptr<parts> parts_;
};

} // namespace ebb
