/// YAML (and JSON, which is a part of it) as a tree whose nodes know where they stand.
///
/// Duplicate keys, deep nesting, unknown tags, many aliases and bytes that are no text are refused
/// here, so that the readers above meet plain trees only.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::manifest {

enum class yaml_kind : std::uint8_t { null, text, list, map };

/// One node. Lines and columns count from 1, columns in characters.
struct yaml_node {
  yaml_kind kind = yaml_kind::null;
  bool plain = false; ///< text without quotes and not a block
  std::string text;   ///< of a text; for null as it was written
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::vector<yaml_node> keys;   ///< of a map; texts
  std::vector<yaml_node> values; ///< of a map (one a key) or a list

  /// The value of a key, or null.
  [[nodiscard]] const yaml_node* find(std::string_view key) const noexcept;
};

/// The text of a file, for places and excerpts. The file's bytes must outlive it.
class yaml_source {
public:
  yaml_source(std::string_view text, std::string file);

  [[nodiscard]] std::string_view text() const noexcept {
    return text_;
  }

  [[nodiscard]] const std::string& file() const noexcept {
    return file_;
  }

  /// Without its end; empty behind the last one. From 1.
  [[nodiscard]] std::string_view line(std::uint32_t number) const noexcept;

  /// Character column (from 1) of byte `byte` (from 0) of a line.
  [[nodiscard]] std::uint32_t column_of(std::uint32_t line_number, std::size_t byte) const noexcept;

  /// An error at a place, with the line and a caret below.
  [[nodiscard]] error fail(std::uint32_t line_number, std::uint32_t column, std::string field,
                           std::string message, std::string hint = {},
                           ec code = ec::invalid_argument) const;

private:
  std::string_view text_;
  std::string file_;
  std::vector<std::size_t> starts_; ///< of lines
};

/// All documents of the text; empty ones are left out.
[[nodiscard]] result<std::vector<yaml_node>> parse_yaml(const yaml_source& source);

/// Largest manifest file.
inline constexpr std::size_t max_manifest_bytes = std::size_t{4} << 20;

} // namespace ebb::manifest
