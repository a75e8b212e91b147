/// The `file` sink: JSON lines or CSV, compressed by the path's ending.
#pragma once

#include "actors/runtime/connector.hpp"

#include <memory>

namespace ebb {

/// Writes `PATH.part` in the same folder and renames it when the stream has finished, so that a
/// file of the path's name is always whole; what was there before stays until then. A path that is
/// no regular file (a pipe, /dev/null) is written directly. Blocks on the file system while
/// opening; an error when the folder does not exist or may not be written.
[[nodiscard]] result<std::unique_ptr<sink_writer>> open_file_sink(const sink_definition& sink,
                                                                  const file_sink& options,
                                                                  const schema& columns,
                                                                  connector_context context);

} // namespace ebb
