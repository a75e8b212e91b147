/// What clients read about the interface.
#pragma once

#include "actors/gateway/route_table.hpp"

#include <string>
#include <string_view>

namespace ebb {

/// The OpenAPI 3.1 document of a table, as JSON. Schemas that routes name are in it.
[[nodiscard]] std::string openapi_document(const route_table& routes, std::string_view version);

/// The reference part of docs/http.md: every route with its parameters, as Markdown.
[[nodiscard]] std::string route_reference(const route_table& routes);

/// JSON Schema by name (`Receipt`), as JSON; empty where there is none.
[[nodiscard]] std::string_view named_schema(std::string_view name) noexcept;

} // namespace ebb
