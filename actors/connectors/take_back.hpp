/// Takes output back that a stream has written after the checkpoint that it goes back to.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/runtime/connector.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// Blocks; doing it again changes nothing. How many files were removed or cut.
///
/// - A folder loses the parts that the stream's lanes have written after the record's epoch, but
///   those that are to stay. They are looked for where the sink writes now, and where the record's
///   outputs went.
/// - A file is cut to where the record's output ends, when a person wants that: else the next
/// output
///   does it.
/// - What was passed on (standard output, a pipe) or written into a topic stays.
[[nodiscard]] result<std::uint64_t> take_back(const sink_definition& sink,
                                              const std::string& folder, const sink_rewind& to);

} // namespace ebb
