/// The routes of ebb's own service.
#pragma once

#include "actors/gateway/route_table.hpp"

namespace ebb {

/// Every call of api_call.hpp once. What clients rely on: names here do not change.
[[nodiscard]] route_table service_routes();

} // namespace ebb
