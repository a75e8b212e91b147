/// The `file` sink: JSON lines or CSV, compressed by the path's ending (parts are not).
#pragma once

#include "actors/runtime/connector.hpp"

#include <memory>

namespace ebb {

/// Blocks on the file system while opening; an error when the folder does not exist or may not be
/// written.
///
/// - Without checkpoints: writes `PATH.part` in the same folder and renames it when the stream has
///   finished, so that a file of the path's name is always whole; what was there before stays until
///   then. `PATH.part` belongs to one process at a time.
/// - Exactly once: each epoch's text waits in the output folder until it is applied
///   (apply_output.hpp), a whole member or frame where it is compressed.
/// - At least once: appends to PATH, which a new stream empties first.
///
/// A path that is no regular file (a pipe, /dev/null) is written as it is; after a crash perhaps
/// twice. A path that is a folder or ends in `/`: folder_sink.hpp.
[[nodiscard]] result<std::unique_ptr<sink_writer>> open_file_sink(const sink_definition& sink,
                                                                  const file_sink& options,
                                                                  const schema& columns,
                                                                  connector_context context);

} // namespace ebb
