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

/// A SELECT or a UNION whose names are resolved.
class bound_query {
public:
  virtual ~bound_query() = default;

  [[nodiscard]] virtual const std::vector<query_output>& outputs() const = 0;

  /// Plans the rows. Columns have the types `wanted` (one an output); untyped literals take them.
  [[nodiscard]] virtual result<node_id> emit(const std::vector<sql_type>& wanted) = 0;
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

  /// A SelectStmt's body: SELECT or UNION with its WITH clause.
  [[nodiscard]] result<std::unique_ptr<bound_query>> bind(const ast& select);

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

/// Refuses ORDER BY, LIMIT, OFFSET and locks of a SELECT or UNION.
[[nodiscard]] result<void> refuse_order(const sql_text& text, const ast& select);

/// Name of an output column as PostgreSQL gives it.
[[nodiscard]] std::string output_name(const ast& expression);

} // namespace ebb::sql
