// Column definitions of sources, and single expressions of the generator.

#include "actors/plan/plan_graph.hpp"
#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/parse.hpp"
#include "actors/plan/sql/type_name.hpp"

#include <algorithm>
#include <array>

namespace ebb {

namespace {

using sql::ast;
using sql::sql_text;

error duplicate(const sql_text& text, const std::string& name, std::int32_t at) {
  return text.fail(ec::invalid_argument, at, "column \"" + name + "\" specified more than once");
}

// PostgreSQL's parser cuts longer names.
constexpr std::size_t name_bytes_max = 63;

// Bytes of the identifier as written at `at`.
std::size_t written_length(std::string_view text, std::size_t at) {
  std::size_t length = 0;
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size(); ++at, ++length)
      if (text[at] == '"' && (at + 1 == text.size() || text[++at] != '"'))
        break;
    return length;
  }
  for (; at < text.size(); ++at, ++length) {
    const char c = text[at];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
          || c == '$' || static_cast<unsigned char>(c) >= 0x80))
      break;
  }
  return length;
}

// PRIMARY KEY (…) of the table, or of a column where `column` is not null.
result<void> add_primary_key(const sql_text& text, const ast& constraint, const std::string* column,
                             parsed_schema& parsed) {
  const auto at = sql::place_of(constraint);
  if (!parsed.primary_key.empty())
    return text.fail(ec::invalid_argument, at, "multiple primary keys are not allowed");
  parsed.primary_key = column != nullptr ? std::vector<std::string>{*column}
                                         : sql::names(sql::list(constraint, "keys"));
  return {};
}

result<void> add_column(const sql_text& text, const ast& definition, parsed_schema& parsed) {
  const auto at = sql::place_of(definition);
  field column;
  column.name = sql::text(definition, "colname");
  if (const auto length = at < 0 ? 0 : written_length(text.parsed(), static_cast<std::size_t>(at));
      length > name_bytes_max)
    return text.fail(ec::invalid_argument, at,
                     "the name of this column has " + std::to_string(length) + " bytes",
                     "a name has at most 63 bytes; give the column a shorter one");
  if (std::any_of(parsed.columns.begin(), parsed.columns.end(),
                  [&](const auto& other) { return other.name == column.name; }))
    return duplicate(text, column.name, at);
  EBB_ASSIGN(column.type, sql::type_of_name(text, sql::child(definition, "typeName")));
  if (column.type.kind == type_kind::array)
    return text.fail(ec::unsupported, at, "columns of an array type are not supported",
                     "read arrays as JSONB, or the text of one as TEXT");
  if (sql::has(definition, "collClause"))
    return text.fail(ec::unsupported, at, "COLLATE is not supported",
                     "text is compared by its bytes (collation C)");
  for (const auto& item : sql::list(definition, "constraints")) {
    const auto node = sql::open(item);
    const auto kind = node ? sql::text(*node.body, "contype") : std::string_view{};
    if (kind == "CONSTR_NOTNULL")
      column.not_null = true;
    else if (kind == "CONSTR_PRIMARY")
      EBB_TRY(add_primary_key(text, *node.body, &column.name, parsed));
    else if (kind != "CONSTR_NULL")
      return text.fail(ec::unsupported, node ? sql::place_of(*node.body) : at,
                       "this column constraint is not supported",
                       "the constraints are NOT NULL and PRIMARY KEY");
  }
  parsed.columns.push_back(std::move(column));
  return {};
}

result<void> check_primary_key(const sql_text& text, parsed_schema& parsed) {
  for (std::size_t i = 0; i < parsed.primary_key.size(); ++i) {
    const auto& key = parsed.primary_key[i];
    const auto column = std::find_if(parsed.columns.begin(), parsed.columns.end(),
                                     [&](const auto& other) { return other.name == key; });
    if (column == parsed.columns.end())
      return text.fail(ec::invalid_argument, -1,
                       "column \"" + key + "\" named in key does not exist");
    if (std::find(parsed.primary_key.begin(),
                  parsed.primary_key.begin() + static_cast<std::ptrdiff_t>(i), key)
        != parsed.primary_key.begin() + static_cast<std::ptrdiff_t>(i))
      return text.fail(ec::invalid_argument, -1,
                       "column \"" + key + "\" appears twice in primary key constraint");
    column->not_null = true;
  }
  return {};
}

} // namespace

result<parsed_schema> parse_schema(std::string_view written) {
  const sql_text text{written, nullptr, "CREATE TABLE schema_of (", "\n)"};
  EBB_ASSIGN(const auto statement, sql::parse_statement(text));
  const auto node = sql::open(statement);
  const auto not_columns = [&] {
    return text.fail(ec::invalid_argument, -1, "a schema is a list of column definitions",
                     "write name TYPE, name TYPE, …");
  };
  if (!node.is("CreateStmt"))
    return not_columns();
  static constexpr std::array<std::string_view, 3> expected{"relation", "tableElts", "oncommit"};
  for (const auto& item : node.body->items())
    if (std::find(expected.begin(), expected.end(), item.key()) == expected.end())
      return not_columns();
  parsed_schema parsed;
  for (const auto& item : sql::list(*node.body, "tableElts")) {
    const auto element = sql::open(item);
    if (element.is("ColumnDef")) {
      EBB_TRY(add_column(text, *element.body, parsed));
    } else if (element.is("Constraint")
               && sql::text(*element.body, "contype") == "CONSTR_PRIMARY") {
      EBB_TRY(add_primary_key(text, *element.body, nullptr, parsed));
    } else {
      return text.fail(
          ec::unsupported, element.is("Constraint") ? sql::place_of(*element.body) : -1,
          "this table constraint is not supported", "the constraint is PRIMARY KEY (column, …)");
    }
  }
  if (parsed.columns.empty())
    return text.fail(ec::invalid_argument, -1, "the schema has no columns",
                     "write name TYPE, name TYPE, …");
  EBB_TRY(check_primary_key(text, parsed));
  return parsed;
}

result<expr_ptr> bind_expression(std::string_view written, const schema& columns) {
  const sql_text text{written, nullptr, "SELECT (", "\n)"};
  EBB_ASSIGN(const auto statement, sql::parse_statement(text));
  const auto node = sql::open(statement);
  const auto not_one = [&] {
    return text.fail(ec::invalid_argument, -1, "this is not one expression");
  };
  if (!node.is("SelectStmt"))
    return not_one();
  static constexpr std::array<std::string_view, 3> expected{"targetList", "limitOption", "op"};
  for (const auto& item : node.body->items())
    if (std::find(expected.begin(), expected.end(), item.key()) == expected.end())
      return not_one();
  const auto& targets = sql::list(*node.body, "targetList");
  const auto target = targets.size() == 1 ? sql::open(targets.front()) : sql::ast_node{};
  if (!target.is("ResTarget") || sql::has(*target.body, "name"))
    return not_one();
  sql::scope names;
  for (std::uint32_t i = 0; i < columns.size(); ++i)
    names.columns.push_back({"", columns[i].name, make_column_ref(i, columns[i].type)});
  sql::bind_context context;
  context.columns = &names;
  context.no_aggregates = "aggregate functions are not allowed in this expression";
  context.no_overs = "window functions are not allowed in this expression";
  sql::expr_binder binder{text, std::move(context)};
  EBB_ASSIGN(const auto bound, binder.bind_value(sql::child(*target.body, "val")));
  return fold_constants(bound);
}

} // namespace ebb
