/// The control database's values as bytes (control.capnp).
#pragma once

#include "schemas/control_records.hpp"
#include "schemas/error.hpp"
#include "schemas/service_records.hpp"

#include <string>
#include <string_view>

namespace ebb {

[[nodiscard]] std::string encode(const stream_entry& x);
[[nodiscard]] std::string encode(const checkpoint_record& x);
[[nodiscard]] std::string encode(const savepoint_entry& x);
[[nodiscard]] std::string encode(const sink_token& x);
[[nodiscard]] std::string encode(const topic_entry& x);
[[nodiscard]] std::string encode(const life_record& x);
[[nodiscard]] std::string encode(const life_traits& x);

/// ec::corrupt where the bytes are no such message.
[[nodiscard]] result<stream_entry> decode_stream(std::string_view bytes);
[[nodiscard]] result<checkpoint_record> decode_checkpoint(std::string_view bytes);
[[nodiscard]] result<savepoint_entry> decode_savepoint(std::string_view bytes);
[[nodiscard]] result<sink_token> decode_token(std::string_view bytes);
[[nodiscard]] result<topic_entry> decode_topic(std::string_view bytes);
[[nodiscard]] result<life_record> decode_life(std::string_view bytes);
[[nodiscard]] result<life_traits> decode_traits(std::string_view bytes);

} // namespace ebb
