/// The `stdout` sink: an aligned table, JSON lines or CSV.
#pragma once

#include "actors/runtime/connector.hpp"

#include <memory>

namespace ebb {

/// Rows are shown as they come; a table's first ones wait up to 50 ms for their column widths. A
/// reader that has gone (`| head`) is an error of `write` or `finish`, not a signal.
[[nodiscard]] result<std::unique_ptr<sink_writer>> open_stdout_sink(const sink_definition& sink,
                                                                    const stdout_sink& options,
                                                                    const schema& columns,
                                                                    connector_context context);

} // namespace ebb
