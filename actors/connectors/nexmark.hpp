/// The `nexmark` source: one table of the Nexmark model, made on the fly.
#pragma once

#include "actors/runtime/connector.hpp"

namespace ebb {

/// Columns of a table, as INTERFACES names them; all NOT NULL.
[[nodiscard]] schema nexmark_schema(nexmark_table table);

/// The reader of one subtask: it makes every `parallelism`-th group of 50 event numbers, so the
/// rows do not depend on the parallelism.
[[nodiscard]] std::unique_ptr<source_reader> open_nexmark(const source_definition& source,
                                                          const nexmark_source& options,
                                                          const connector_context& context);

} // namespace ebb
