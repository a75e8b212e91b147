/// Waiting output after its folders were moved: where it lies and belongs now.
#pragma once

#include "actors/dataflow/endpoint.hpp"
#include "actors/plan/manifest.hpp"

#include <optional>
#include <string>

namespace ebb {

/// `recorded` with the paths of today; the same where nothing was moved. Relative paths start at
/// `folder`. Blocks.
///
/// - A part waits in the folder that it belongs to, wherever that is now. What waits at the place
///   that was recorded is taken only where neither it nor the part is in that folder: of a folder
///   that was copied, the copy must not take what the original waits for.
/// - Where the target is gone and the sink writes another path now, which is there, it was moved
///   there: a folder of parts as a whole; a file where it is long enough.
[[nodiscard]] sealed_output at_present(const sink_definition& sink, const std::string& folder,
                                       const sealed_output& recorded);

/// Whether the file that an append sink writes now, `path`, is the one that it wrote before, under
/// another path: that one is gone, and this one has at least `end` bytes.
[[nodiscard]] bool was_moved(const std::string& recorded_target, const std::string& path,
                             const std::string& folder, std::uint64_t end);

} // namespace ebb
