/// The `nexmark` source: one table of the Nexmark model, made on the fly.
#pragma once

#include "actors/runtime/connector.hpp"

namespace ebb {

/// Columns of a table, as INTERFACES names them; all NOT NULL.
[[nodiscard]] schema nexmark_schema(nexmark_table table);

/// The reader of one subtask. Stride p of n makes every n-th group of 50 event numbers, so the rows
/// do not depend on the parallelism; n is the parallelism, or what it was when the stream began. A
/// reader of several strides goes on with the one that is furthest behind.
[[nodiscard]] result<std::unique_ptr<source_reader>> open_nexmark(const source_definition& source,
                                                                  const nexmark_source& options,
                                                                  const connector_context& context);

} // namespace ebb
