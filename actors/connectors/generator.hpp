/// The `generator` source: columns as SQL expressions over the row number `n`.
#pragma once

#include "actors/runtime/connector.hpp"

namespace ebb {

/// Binds the column expressions; errors name the column. Stride p of n makes every n-th row; who
/// makes which stride is as in `open_nexmark`.
[[nodiscard]] result<std::unique_ptr<source_reader>>
open_generator(const source_definition& source, const generator_source& options,
               const connector_context& context);

} // namespace ebb
