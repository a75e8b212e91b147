/// The values of a topic's log as bytes (topic.capnp).
#pragma once

#include "schemas/error.hpp"
#include "schemas/topic_records.hpp"

#include <string>
#include <string_view>

namespace ebb {

[[nodiscard]] std::string encode(const topic_file_header& x);
[[nodiscard]] std::string encode(const topic_catalog& x);
[[nodiscard]] std::string encode(const topic_summary& x);
[[nodiscard]] std::string encode(const logged_group& x);
[[nodiscard]] std::string encode(const topic_memory_chunk& x);

/// ec::corrupt where the bytes are no such message; they may be of any content.
[[nodiscard]] result<topic_file_header> decode_topic_header(std::string_view bytes);
[[nodiscard]] result<topic_catalog> decode_topic_catalog(std::string_view bytes);
[[nodiscard]] result<topic_summary> decode_topic_summary(std::string_view bytes);
[[nodiscard]] result<logged_group> decode_logged_group(std::string_view bytes);
[[nodiscard]] result<topic_memory_chunk> decode_topic_memory(std::string_view bytes);

} // namespace ebb
