/// Who may call what.
#pragma once

#include "actors/gateway/admission.hpp"

namespace ebb {

/// The matrix of routes and roles.
[[nodiscard]] bool grants(route_access needed, access_role role) noexcept;

/// The caller, or 401, or 403: also where the token is limited to other topics than `topic`, the
/// part of the path with this name (null: there is none).
[[nodiscard]] std::optional<http_problem> authorize(const request_head& head,
                                                    const admission_rules& rules, const route& to,
                                                    const std::string* topic, caller& from);

} // namespace ebb
