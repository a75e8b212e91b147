/// Which partition of a topic a row belongs to, where the topic has a key.
#pragma once

#include "actors/service/topics/topic_settings.hpp"
#include "storage/topic_request.hpp"

namespace ebb {

/// Gives the rows of a topic with a key their partitions, where a part has none. Thread-safe.
void choose_partitions(const topic_settings& topic, topic_append& request);

} // namespace ebb
