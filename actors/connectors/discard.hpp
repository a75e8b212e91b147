/// The `discard` sink: takes every row and column and forgets them.
#pragma once

#include "actors/runtime/connector.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<sink_writer> open_discard(const discard_sink& options);

} // namespace ebb
