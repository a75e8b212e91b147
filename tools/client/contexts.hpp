/// The services that a person works with, by name: `~/.config/ebb/config.yaml`.
#pragma once

#include "schemas/error.hpp"

#include <map>
#include <string>

namespace ebb::client {

struct service_context {
  std::string server;
  std::string token;
  std::string name_space;
  std::string ca;  ///< PEM file
  std::string pin; ///< fingerprint of the service's certificate

  bool operator==(const service_context&) const = default;
};

/// What the file holds. A value type.
struct context_file {
  std::string current; ///< name of the context in use; empty = none
  std::map<std::string, service_context> contexts;

  bool operator==(const context_file&) const = default;
};

/// ec::invalid_argument with the place of what is wrong. A context that `current` names must be
/// there.
[[nodiscard]] result<context_file> parse_contexts(const std::string& text, const std::string& file);

/// YAML that parse_contexts reads back equal.
[[nodiscard]] std::string to_yaml(const context_file& x);

/// An empty one where there is no file. ec::invalid_argument where it has tokens and others may
/// read it.
[[nodiscard]] result<context_file> load_contexts(const std::string& path);

/// Replaces the file whole, readable by its owner alone; makes its folder.
[[nodiscard]] result<void> save_contexts(const context_file& x, const std::string& path);

/// EBB_CONFIG, else config.yaml in XDG_CONFIG_HOME/ebb or ~/.config/ebb. Empty without a home.
[[nodiscard]] std::string context_path();

} // namespace ebb::client
