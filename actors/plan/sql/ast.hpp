/// Access to libpg_query's parse trees, which come as JSON: every node is an object with one key,
/// its tag; fields that have their default value are absent.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::sql {

using ast = nlohmann::json;

/// A node opened: its tag and its fields. Refers to the tree.
struct ast_node {
  std::string_view tag; ///< empty for an absent node
  const ast* body = nullptr;

  explicit operator bool() const noexcept {
    return body != nullptr;
  }

  [[nodiscard]] bool is(std::string_view name) const noexcept {
    return tag == name;
  }
};

[[nodiscard]] ast_node open(const ast& wrapped);

/// Field of a node's body; a JSON null when it is absent.
[[nodiscard]] const ast& child(const ast& body, const char* key);
/// Elements of a list field, empty when it is absent.
[[nodiscard]] const ast::array_t& list(const ast& body, const char* key);
[[nodiscard]] bool has(const ast& body, const char* key);
[[nodiscard]] bool flag(const ast& body, const char* key);
[[nodiscard]] std::string_view text(const ast& body, const char* key);
[[nodiscard]] std::int64_t number(const ast& body, const char* key);

/// The strings of a list of String nodes; other nodes give empty strings.
[[nodiscard]] std::vector<std::string> names(const ast::array_t& list);

/// Byte offset of a node's own place in the text; -1 = none.
[[nodiscard]] std::int32_t place_of(const ast& body);
/// Offset where the text of an expression (a tagged node) begins; -1 = unknown.
[[nodiscard]] std::int32_t start_of(const ast& wrapped);

/// The value of an A_Const that is a string, else null.
[[nodiscard]] const std::string* string_constant(const ast& wrapped);

} // namespace ebb::sql
