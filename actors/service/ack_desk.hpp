/// Which messages streams have taken into their checkpoints.
#pragma once

#include "actors/service/control_records.hpp"
#include "actors/service/topics/ack_tracker.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ebb {

/// Looks into the control database, so any later process answers the same.
class ack_desk final : public ack_tracker {
public:
  /// `records` outlives it.
  explicit ack_desk(control_records& records) : records_(records) {}

  using topic_list = std::shared_ptr<const std::vector<std::string>>;

  /// The stream reads these topics (uids) now. Thread-safe.
  void set_reader(const std::string& uid, const std::string& name, topic_list topics);
  void forget_reader(const std::string& uid);

  /// Qualified; nothing where there is no such stream. Thread-safe.
  [[nodiscard]] std::optional<std::string> name_of(const std::string& uid) const;

  /// A record or a token of the stream was written. Thread-safe.
  void recorded(const std::string& uid);

  result<bool> reached(const ack_question& what) override;
  std::shared_ptr<void> watch(const std::string& uid, std::function<void()> changed) override;

private:
  struct reader {
    std::string name; ///< qualified
    topic_list topics;
  };

  using watchers = std::multimap<std::string, std::shared_ptr<std::function<void()>>>;

  result<std::string> reader_of(const ack_question& what) const;
  void remove(const std::string& topic, const std::shared_ptr<std::function<void()>>& x);

  control_records& records_;
  mutable std::mutex mutex_;                        ///< guards what follows
  std::unordered_map<std::string, reader> readers_; ///< by stream
  watchers watchers_;                               ///< by topic
};

} // namespace ebb
