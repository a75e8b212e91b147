/// Keeps a stream's sinks away from what its sources read.
#pragma once

#include "actors/plan/manifest.hpp"

#include <string>

namespace ebb {

/// An error (ec::invalid_argument, with the sink's place) where a file sink would replace, append
/// to or add to what a file source of the stream reads: the same file under any name, a file in a
/// source's folder, or one that its glob matches; and where it would replace the stream's manifest or
/// write to the file of a source's bad records in the manifest's folder. Looks at the file system; what is not there yet
/// is judged by its name. Pipes and devices are left alone. Blocks.
[[nodiscard]] result<void> check_file_overlap(const stream_definition& stream);

/// Whether a source of a stream in `folder` reads `file`, which need not be there yet. Looks at the
/// file system as check_file_overlap does.
[[nodiscard]] bool reads_file(const file_source& source, const std::string& folder,
                              const std::string& file);

} // namespace ebb
