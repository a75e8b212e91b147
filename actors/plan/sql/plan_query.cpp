#include "actors/plan/sql/coerce.hpp"
#include "actors/plan/sql/parse.hpp"
#include "actors/plan/sql/query_planner.hpp"
#include "actors/plan/sql/select_query.hpp"
#include "actors/plan/sql/union_query.hpp"

#include <algorithm>

namespace ebb {

node_id plan_graph::add(plan_node node) {
  nodes.push_back(std::move(node));
  return static_cast<node_id>(nodes.size() - 1);
}

std::vector<sql_type> plan_graph::types(node_id id) const {
  std::vector<sql_type> result;
  for (const auto& column : nodes[id].columns)
    result.push_back(column.type);
  return result;
}

result<node_id> plan_query(const operator_definition& where, const plan_scope& scope,
                           plan_graph& graph) {
  const sql::sql_text text{where.sql, &where};
  EBB_ASSIGN(const auto statement, sql::parse_statement(text));
  const auto nodes_before = graph.nodes.size();
  const auto warnings_before = graph.warnings.size();
  auto planned = sql::query_planner{text, scope, graph, where.name}.plan(statement);
  if (!planned) {
    graph.nodes.resize(nodes_before);
    graph.warnings.resize(warnings_before);
    graph.growth.clear();
    // An error without a place of its own belongs to the query as a whole.
    return text.locate(std::move(planned).error(), -1);
  }
  return planned;
}

} // namespace ebb

namespace ebb::sql {

namespace {

constexpr std::uint32_t max_query_depth = 64;

// `SelectStmt` as a person says it; others by the words of their tag: `CreateTableAsStmt`.
std::string statement_name(std::string_view tag) {
  if (tag.ends_with("Stmt"))
    tag.remove_suffix(4);
  std::string name;
  for (const char c : tag) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !name.empty())
      name += ' ';
    name += upper || c < 'a' || c > 'z' ? c : static_cast<char>(c - 32);
  }
  return name;
}

} // namespace

result<named_relation> query_planner::relation(const std::string& name, std::int32_t at) const {
  for (auto i = tables_.size(); i-- > 0;)
    if (tables_[i].name == name)
      return tables_[i].rows;
  if (const auto found = sources_.find(name); found != sources_.end()) {
    named_relation rows{found->second, {}};
    for (const auto& column : build.columns(found->second))
      rows.columns.push_back(column.name);
    return rows;
  }
  std::vector<std::string> known;
  for (const auto& table : tables_)
    known.push_back(table.name);
  for (const auto& [source, node] : sources_)
    known.push_back(source);
  return query.fail(
      ec::invalid_argument, at, "relation \"" + name + "\" does not exist",
      suggestion(name, known, "a query reads sources, earlier operators and WITH queries: "));
}

result<void> query_planner::bind_with(const ast& with) {
  if (flag(with, "recursive"))
    return query.fail(ec::unsupported, place_of(with), "WITH RECURSIVE is not supported",
                      "remove RECURSIVE where the query does not read itself");
  const auto outer = tables_.size();
  for (const auto& item : list(with, "ctes")) {
    const auto node = open(item);
    if (!node.is("CommonTableExpr"))
      return query.fail(ec::unsupported, -1, "this WITH query is not supported");
    const std::string name{text(*node.body, "ctename")};
    const auto at = place_of(*node.body);
    for (auto i = outer; i < tables_.size(); ++i)
      if (tables_[i].name == name)
        return query.fail(ec::invalid_argument, at,
                          "WITH query name \"" + name + "\" specified more than once");
    const auto select = open(child(*node.body, "ctequery"));
    if (!select.is("SelectStmt"))
      return query.fail(ec::unsupported, at, "WITH query \"" + name + "\" must be a SELECT",
                        "a stream only reads");
    EBB_ASSIGN(auto rows, plan_subquery(*select.body));
    const auto renamed = names(list(*node.body, "aliascolnames"));
    if (renamed.size() > rows.columns.size())
      return query.fail(ec::invalid_argument, at,
                        "WITH query \"" + name + "\" has " + std::to_string(rows.columns.size())
                            + " columns available but " + std::to_string(renamed.size())
                            + " columns specified");
    std::copy(renamed.begin(), renamed.end(), rows.columns.begin());
    tables_.push_back({name, std::move(rows)});
  }
  return {};
}

result<std::unique_ptr<bound_query>> query_planner::bind(const ast& select,
                                                         outer_row* outer_columns) {
  if (depth_ >= max_query_depth)
    return query.fail(ec::invalid_argument, -1,
                      "stack depth limit exceeded: the query is nested too deeply",
                      "split the query into several operators");
  ++depth_;
  const auto outer = tables_.size();
  const auto bound = [&]() -> result<std::unique_ptr<bound_query>> {
    if (has(select, "withClause"))
      EBB_TRY(bind_with(child(select, "withClause")));
    const auto op = text(select, "op");
    if (!op.empty() && op != "SETOP_NONE")
      return bind_union(*this, select);
    auto bound_select = std::make_unique<select_query>(*this, select, outer_columns);
    EBB_TRY(bound_select->bind());
    return std::unique_ptr<bound_query>{std::move(bound_select)};
  };
  auto made = bound();
  tables_.resize(outer);
  --depth_;
  return made;
}

result<named_relation> query_planner::plan_subquery(const ast& select) {
  EBB_ASSIGN(const auto bound, bind(select));
  std::vector<sql_type> wanted;
  named_relation rows;
  for (const auto& output : bound->outputs()) {
    wanted.push_back(output.type.kind == type_kind::unknown ? sql_type{type_kind::text}
                                                            : output.type);
    rows.columns.push_back(output.name);
  }
  EBB_ASSIGN(rows.node, bound->emit(wanted));
  return rows;
}

result<node_id> query_planner::plan(const ast& statement) {
  const auto node = open(statement);
  if (!node.is("SelectStmt"))
    return query.fail(ec::unsupported, 0,
                      (node ? statement_name(node.tag) : std::string("this statement"))
                          + " is not supported",
                      "an operator is exactly one SELECT");
  EBB_ASSIGN(const auto bound, bind(*node.body));
  std::vector<sql_type> wanted;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < bound->outputs().size(); ++i) {
    const auto& output = bound->outputs()[i];
    wanted.push_back(output.type.kind == type_kind::unknown ? sql_type{type_kind::text}
                                                            : output.type);
    names.push_back(output.name == "?column?" ? "column" + std::to_string(i + 1) : output.name);
    if (std::find(names.begin(), names.end() - 1, names.back()) != names.end() - 1)
      return query.fail(ec::invalid_argument, output.at,
                        "column name \"" + names.back() + "\" is used twice in the result",
                        "give one of them another name with AS");
  }
  EBB_ASSIGN(auto rows, bound->emit(wanted));
  auto outputs = build.pass(rows);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    outputs[i].name = names[i];
  return build.finish(build.project(rows, nullptr, std::move(outputs)));
}

} // namespace ebb::sql
