/// Manifests on their way to a service: files put together, and places found again.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::client {

/// Several files as one YAML stream.
struct manifest_bundle {
  struct part {
    std::string file;
    std::uint32_t first_line = 1; ///< of the body
    std::string text;
  };

  std::string body;
  std::vector<part> parts;
};

/// Of files, folders (their *.yaml, *.yml and *.json, by name, without folders in them) and `-`.
[[nodiscard]] result<manifest_bundle> load_bundle(const std::vector<std::string>& paths);

/// An error with a line of the body gets its file, the line there, and the text of it.
[[nodiscard]] error placed_in(const manifest_bundle& bundle, const error& problem);

struct manifest_name {
  std::string kind;
  std::string name;
  std::string name_space; ///< empty = none is said

  bool operator==(const manifest_name&) const = default;
};

/// What the documents are about; only kind and metadata are looked at.
[[nodiscard]] result<std::vector<manifest_name>> names_in(const manifest_bundle& bundle);

} // namespace ebb::client
