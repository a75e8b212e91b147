/// JSON as the API sends it: the order of keys is kept.
#pragma once

#include "schemas/error.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace ebb::client {

using json = nlohmann::ordered_json;

/// What the API sent, or ec::io: it is not the service that was expected there.
[[nodiscard]] result<json> parse_json(std::string_view text);

/// The value at a path of keys such as `status.phase`; null where there is none.
[[nodiscard]] const json& at(const json& from, std::string_view path) noexcept;

/// The same as text: a string's characters, numbers and booleans as JSON writes them, empty for
/// null; lists and objects as JSON on one line.
[[nodiscard]] std::string text_of(const json& value);
[[nodiscard]] std::string text_at(const json& from, std::string_view path);

} // namespace ebb::client
