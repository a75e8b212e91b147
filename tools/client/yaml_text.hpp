/// JSON as YAML for people.
#pragma once

#include "tools/client/json.hpp"

#include <string>

namespace ebb::client {

/// Block style, two spaces a level; texts with line ends as blocks, others quoted where YAML 1.1
/// or 1.2 would read them as something else. Ends in a line end.
[[nodiscard]] std::string yaml_text(const json& value);

/// As `-o json` and `-o yaml` show it. Ends in a line end.
[[nodiscard]] std::string listing_text(const json& value, const std::string& output);

/// One text as a scalar of one line.
[[nodiscard]] std::string yaml_scalar(const std::string& text);

} // namespace ebb::client
