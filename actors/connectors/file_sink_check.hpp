/// Whether a file sink could be opened, looked at without a change.
#pragma once

#include "actors/runtime/connector.hpp"

namespace ebb {

/// The errors that opening the sink would have: no folder, one that may not be written, a file that
/// another stream writes, or that does not hold what the record counts on (ec::conflict). Blocks.
[[nodiscard]] result<void> check_file_sink(const sink_definition& sink, const file_sink& options,
                                           const std::string& folder, const sink_prospect& start);

} // namespace ebb
