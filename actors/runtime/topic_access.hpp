/// Topics as the connectors of a stream see them. Implemented by the control process, and by the
/// worker processes over their link to it.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"
#include "storage/topic_reader.hpp"
#include "storage/topic_request.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// A topic that a stream may read and write.
struct topic_info {
  std::string uid;
  std::string name;
  std::string folder; ///< of its log; `topic_reader::open` reads it, also in another process
  std::uint32_t partitions = 1;
  schema columns;
  std::string key;      ///< column whose value chooses the partition; empty = the log chooses
  bool changes = false; ///< its messages are changes of rows (actors/connectors/topic_changes.hpp)
  std::vector<std::string> primary_key = {}; ///< of these rows; empty = none
};

/// Thread-safe. Names are those of the stream's namespace.
class topic_access {
public:
  virtual ~topic_access() = default;

  /// ec::not_found where there is none. Blocks.
  [[nodiscard]] virtual result<topic_info> find(const std::string& name) = 0;

  /// A reader of the topic's log. A process that writes the log itself gives out one of
  /// `topic_log::make_reader`. Blocks.
  [[nodiscard]] virtual result<topic_reader> open_reader(const topic_info& topic) {
    return topic_reader::open(topic.folder);
  }

  /// `moved` is called, from any thread and more often than needed, after rows were appended (they
  /// can be read then), until the handle goes. Rows that came before are not told: look at the log
  /// after this call.
  [[nodiscard]] virtual std::shared_ptr<void> watch(const std::string& uid,
                                                    std::function<void()> moved) = 0;

  /// Appends; `answer` is called once, from any thread. The caller bounds what it has in flight.
  virtual void append(const std::string& uid, topic_append request,
                      std::function<void(append_answer)> answer) = 0;

  /// Appends what a file of an epoch's rows holds (actors/connectors/topic_output.hpp,
  /// `append_topic_output`); doing it again changes nothing. Where the topic has this epoch of the
  /// mark already, that is success, and the file, which may be gone, is not looked at. The caller
  /// removes the file afterwards. Blocks.
  [[nodiscard]] virtual result<void> append_file(const std::string& uid, const std::string& path,
                                                 const sink_mark& mark) = 0;
};

} // namespace ebb
