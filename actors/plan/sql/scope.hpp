/// The columns that names in an expression can mean.
#pragma once

#include "actors/dataflow/expr.hpp"
#include "actors/plan/sql/ast.hpp"
#include "actors/plan/sql/place.hpp"

#include <string>
#include <vector>

namespace ebb::sql {

/// `did you mean "x"?`, or nothing where no name is near.
[[nodiscard]] std::string nearest_hint(const std::string& name,
                                       const std::vector<std::string>& known);
/// The hint of an error about a name that there is not: the nearest one, else some of those that
/// there are, behind `these`.
[[nodiscard]] std::string suggestion(const std::string& name, const std::vector<std::string>& known,
                                     const char* these);

struct scope_column {
  std::string relation; ///< alias of its relation; empty for merged columns of USING
  std::string name;
  expr_ptr x;
  bool unqualified = true; ///< found by its name alone and by `*`; false for what USING merged
};

/// Columns in the order of `SELECT *`.
struct scope {
  std::vector<scope_column> columns;
  std::vector<std::string> relations; ///< aliases, in order

  [[nodiscard]] bool has_relation(std::string_view name) const;

  /// The column of `name` or `relation.name`; errors have PostgreSQL's text and the nearest name.
  [[nodiscard]] result<expr_ptr> find(const sql_text& text, const std::vector<std::string>& path,
                                      std::int32_t at) const;

  /// The error for a relation that is not in FROM.
  [[nodiscard]] error missing_relation(const sql_text& text, const std::string& name,
                                       std::int32_t at) const;
};

} // namespace ebb::sql
