/// What the sinks of files have in common.
#pragma once

#include "actors/connectors/file_text_sink.hpp"
#include "actors/connectors/staged_target.hpp"
#include "actors/runtime/connector.hpp"

#include <functional>
#include <memory>
#include <string>

namespace ebb {

enum class write_mode : std::uint8_t {
  at_end,        ///< no checkpoints: what is written counts when the stream has ended
  at_least_once, ///< with checkpoints, written at once
  exactly_once,  ///< with checkpoints, written after the commit
};

[[nodiscard]] write_mode write_mode_of(const connector_context& context) noexcept;

[[nodiscard]] error in_sink(error problem, const sink_definition& sink, const char* key);

/// An error when the folder of `path` does not exist.
[[nodiscard]] result<void> check_folder_of(const std::string& path, const std::string& shown);

[[nodiscard]] std::shared_ptr<record_writer>
make_format(const file_sink& options, const schema& columns, const connector_context& context);

/// The context's note, which begins with the sink's name; empty where there is none.
[[nodiscard]] std::function<void(const std::string&)> note_of(const std::string& sink,
                                                              const connector_context& context);

/// Files of this sink's lane in the context's output folder, which is created. The caller adds
/// target, offset and what else differs.
[[nodiscard]] result<staging> stage_in_output_folder(const std::string& sink,
                                                     const connector_context& context,
                                                     std::uint32_t lane);

} // namespace ebb
