/// Values of parameters, checked against their kinds.
#pragma once

#include "actors/gateway/http_request.hpp"
#include "actors/gateway/problem.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// Names and texts as they were given.
using given_values = std::vector<std::pair<std::string, std::string>>;

/// Fills `to` with the values that were given. `where` (`query`, `header`, `path`) begins the
/// problem's field. Unknown names, names given twice and missing required ones are problems. Names
/// of headers are compared without case.
[[nodiscard]] std::optional<http_problem> check_values(const std::vector<parameter>& declared,
                                                       const given_values& given,
                                                       std::string_view where,
                                                       std::vector<http_request::value>& to);

/// What a kind wants, for people: `a whole number from 0 to 5`.
[[nodiscard]] std::string expectation_of(const parameter& x);

/// Two texts that differ at most in the case of ASCII letters.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b) noexcept;

} // namespace ebb
