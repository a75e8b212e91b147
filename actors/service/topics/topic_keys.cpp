#include "actors/service/topics/topic_keys.hpp"

#include "actors/connectors/topic_changes.hpp"
#include "actors/connectors/topic_partitions.hpp"

namespace ebb {

void choose_partitions(const topic_settings& topic, topic_append& request) {
  if (topic.key.empty())
    return;
  const auto column = column_named(topic.columns, topic.key);
  if (column < 0)
    return;
  for (auto& part : request.parts) {
    if (topic.changes) {
      if (part.partitions.empty())
        part.partitions = partitions_by_key(
            newest_values(*part.rows, topic.columns.size(), static_cast<std::uint32_t>(column)),
            topic.partitions);
      continue;
    }
    // What has other columns than the topic is refused elsewhere.
    if (part.partitions.empty() && static_cast<std::size_t>(column) < part.rows->columns.size())
      part.partitions =
          topic.partitions == 1
              ? std::vector<std::uint32_t>{0}
              : partitions_by_key(part.rows->columns[static_cast<std::size_t>(column)],
                                  topic.partitions);
  }
}

} // namespace ebb
