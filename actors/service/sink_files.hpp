/// What the files of a stream's sinks hold, as against what a change or a savepoint takes for
/// granted. Blocks.
#pragma once

#include "actors/plan/manifest.hpp"
#include "schemas/control_records.hpp"
#include "schemas/error.hpp"

#include <vector>

namespace ebb {

/// Whether the files still hold the output that the record counts on: ec::conflict where one is
/// shorter, or has other bytes where the last of it was put. `kept`: what was written later stays,
/// so that all of it must be there. Parts are not looked at: readers may have taken them away.
[[nodiscard]] result<void> holds_output(const stream_definition& stream,
                                        const checkpoint_record& record,
                                        const std::vector<sink_token>& tokens, bool kept);

/// Whether no sink that is new, renamed, or given another path begins a file that has bytes
/// already: ec::conflict, since it would be emptied. `newest`: of the stream as it was.
[[nodiscard]] result<void> empties_no_file(const stream_definition& before,
                                           const checkpoint_record& newest,
                                           const stream_definition& now);

} // namespace ebb
