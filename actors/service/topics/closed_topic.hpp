/// What is known of a topic's log without opening it: a small file beside a log that was closed.
#pragma once

#include "schemas/error.hpp"
#include "storage/topic_log.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct closed_topic {
  std::vector<topic_bounds> bounds;
  topic_size size;
  micros last_time = 0; ///< append time of the newest row, or a little later; 0 = none
};

/// Writes FOLDER/ends, with the number of the log's last commit. The log must be closed already,
/// and not be opened before it returns. Not synced: what is lost is found out by opening the log.
[[nodiscard]] result<void> write_closed(const std::string& folder, const closed_topic& what);

/// The file's contents, if it is sound and the log has had no commit since. A folder that does not
/// exist is an empty log.
[[nodiscard]] std::optional<closed_topic> read_closed(const std::string& folder,
                                                      std::uint32_t partitions);

/// To be called before the log is opened to be written.
[[nodiscard]] result<void> forget_closed(const std::string& folder);

} // namespace ebb
