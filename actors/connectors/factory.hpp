/// Every connector that ebb has, behind the one interface of the runtime.
#pragma once

#include "actors/runtime/connector.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<connector_factory> make_connectors();

} // namespace ebb
