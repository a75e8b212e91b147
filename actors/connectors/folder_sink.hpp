/// A file sink that writes parts into a folder, one a lane and epoch.
#pragma once

#include "actors/connectors/sink_parts.hpp"

namespace ebb {

/// Of a part's name.
[[nodiscard]] inline const char* part_ending(record_format format) noexcept {
  return format == record_format::csv ? ".csv" : ".ndjson";
}

/// Parts are `UID-LANE-EPOCH.ndjson` (or `.csv`, each with a header); the lane is the subtask that
/// wrote it, and an epoch without rows has none. While it is written, and until its epoch is
/// committed, a part is a hidden file `.….part` of the folder. The folder is created.
///
/// Without checkpoints there is a part a lane at the end, `STREAM-LANE-N.ndjson` with the lowest N
/// from 1 that is free.
[[nodiscard]] result<void> open_folder_parts(const file_sink& options,
                                             const connector_context& context,
                                             text_sink_parts& parts);

} // namespace ebb
