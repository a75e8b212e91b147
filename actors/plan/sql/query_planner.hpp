/// Plans one query of a manifest: what its parts share.
#pragma once

#include "actors/plan/sql/ast.hpp"
#include "actors/plan/sql/from_item.hpp"
#include "actors/plan/sql/node_builder.hpp"
#include "actors/plan/sql/place.hpp"

namespace ebb::sql {

/// Output of a bound query, before its rows are planned.
struct query_output {
  std::string name; ///< `?column?` where PostgreSQL would call it that
  sql_type type;    ///< may be unknown
  std::int32_t at = -1;
};

struct outer_row;

/// The rows of a subquery in an expression. Columns: its outputs, then those that are equal to
/// `outer_keys`, then what `residual` reads.
struct subquery_rows {
  node_id node = 0;
  std::uint32_t outputs = 0;
  std::vector<expr_ptr> outer_keys; ///< over the outer row, in outer_base columns
  expr_ptr residual;                ///< over the node's columns and outer_base columns; null = none
  /// The outputs for a key that has no row; empty = there is none then. Constants.
  std::vector<expr_ptr> if_none;
};

/// A SELECT or a UNION whose names are resolved.
class bound_query {
public:
  virtual ~bound_query() = default;

  [[nodiscard]] virtual const std::vector<query_output>& outputs() const = 0;

  /// Plans the rows. Columns have the types `wanted` (one an output); untyped literals take them.
  [[nodiscard]] virtual result<node_id> emit(const std::vector<sql_type>& wanted) = 0;

  /// The same for a subquery in an expression, which may name columns of the query around it.
  [[nodiscard]] virtual result<subquery_rows> emit_rows(const std::vector<sql_type>& wanted) {
    subquery_rows rows;
    EBB_ASSIGN(rows.node, emit(wanted));
    rows.outputs = static_cast<std::uint32_t>(wanted.size());
    return rows;
  }
};

/// A relation that FROM can name.
struct named_relation {
  node_id node = 0;
  std::vector<std::string> columns;
};

class query_planner {
public:
  query_planner(const sql_text& written, const plan_scope& sources, plan_graph& graph,
                std::string name)
      : query(written), build(graph, std::move(name)), sources_(sources) {}

  /// A whole statement: the node whose rows are the operator's.
  [[nodiscard]] result<node_id> plan(const ast& statement);

  /// A SelectStmt's body: SELECT or UNION with its WITH clause. `outer`: the row of the query
  /// around it, whose columns a SELECT may name in WHERE; null = none.
  [[nodiscard]] result<std::unique_ptr<bound_query>> bind(const ast& select,
                                                          outer_row* outer = nullptr);

  /// Binds and plans a subquery; unknown outputs become TEXT.
  [[nodiscard]] result<named_relation> plan_subquery(const ast& select);

  /// CTE, else operator or source.
  [[nodiscard]] result<named_relation> relation(const std::string& name, std::int32_t at) const;

  const sql_text& query;
  node_builder build;

private:
  struct common_table {
    std::string name;
    named_relation rows;
  };

  result<void> bind_with(const ast& with);

  const plan_scope& sources_;
  std::vector<common_table> tables_; ///< the innermost last
  std::uint32_t depth_ = 0;
};

/// FROM of a SELECT. The list is not empty.
[[nodiscard]] result<from_clause> bind_from(query_planner& planner, const ast::array_t& items);

/// Name of an output column as PostgreSQL gives it.
[[nodiscard]] std::string output_name(const ast& expression);

} // namespace ebb::sql
