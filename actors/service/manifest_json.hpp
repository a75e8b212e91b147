/// A manifest as JSON, for people and programs that ask what was applied.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace ebb {

/// The first document of the text; an empty object where it is none. Plain scalars that are
/// numbers, booleans or null in YAML are so in JSON.
[[nodiscard]] nlohmann::ordered_json manifest_json(const std::string& text);

} // namespace ebb
