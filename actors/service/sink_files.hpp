/// What the files of a stream's sinks hold, as against what a change takes for granted. Blocks.
#pragma once

#include "actors/plan/manifest.hpp"
#include "schemas/control_records.hpp"
#include "schemas/error.hpp"

namespace ebb {

/// Whether no sink that is new, renamed, or given another path begins a file that has bytes
/// already: ec::conflict, since it would be emptied. `newest`: of the stream as it was.
[[nodiscard]] result<void> empties_no_file(const stream_definition& before,
                                           const checkpoint_record& newest,
                                           const stream_definition& now);

} // namespace ebb
