/// The `file` source: CSV or JSON lines in one or more files.
#pragma once

#include "actors/runtime/connector.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace ebb {

/// The number of files that the source reads or has read: those in `known`, which keep their
/// numbers, and new ones. Blocks on the file system; called before the stream runs. An error when a
/// file is missing or may not be read, when nothing matches, or when the options do not go
/// together; a file that was read to its end may be gone.
[[nodiscard]] result<std::uint32_t> file_partitions(const source_definition& source,
                                                    const file_source& options,
                                                    const std::string& folder,
                                                    const std::vector<source_position>& known = {});

/// A reader of files i, i + parallelism, … where i = context.subtask: one after the other, or all
/// at once under `follow`. `batch::partition` counts the files of this reader from 0. Files that
/// appear later are read by the next run. A file whose text before its position is not what it was
/// is an error of `read`; a finished one is not looked at again.
[[nodiscard]] result<std::unique_ptr<source_reader>>
open_file_source(const source_definition& source, const file_source& options,
                 connector_context context);

} // namespace ebb
