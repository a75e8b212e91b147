#include "actors/plan/sql/bind_expr.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr sql_type boolean_type{type_kind::boolean};

error refused(const sql_text& text, std::int32_t at, std::string what, std::string hint = {}) {
  return text.fail(ec::unsupported, at, std::move(what) + " is not supported", std::move(hint));
}

// Nodes of the tree, counted up to `limit`.
std::size_t size_up_to(const expr& x, std::size_t limit) {
  std::size_t count = 1;
  for (const auto& arg : x.args) {
    if (count >= limit)
      break;
    count += size_up_to(*arg, limit - count);
  }
  return count;
}

error refused_sublink(const sql_text& text, const ast& body) {
  return refused(text, place_of(body), "a subquery here",
                 "subqueries may stand in WHERE, HAVING and the SELECT list, outside aggregates; "
                 "elsewhere join with the subquery in FROM");
}

// PostgreSQL's functions without parentheses; their values would change from run to run.
error refused_value_function(const sql_text& text, const ast& body) {
  const auto at = place_of(body);
  auto name = std::string(ebb::sql::text(body, "op"));
  name = name.starts_with("SVFOP_") ? name.substr(6) : name;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.ends_with("_n"))
    name.resize(name.size() - 2);
  if (name.find("time") != std::string::npos || name == "current_date")
    return refused(text, at, name,
                   "results must not depend on when a row is read: use the event-time column, "
                   "proctime() in a window function, or a condition ts > now() - INTERVAL '1 hour' "
                   "in WHERE");
  return text.fail(ec::invalid_argument, at, '"' + name + "\" is a reserved word",
                   "write it in double quotes to mean a column");
}

} // namespace

expr_ptr folded(expr_ptr x) {
  const bool constant =
      !x->args.empty() && std::all_of(x->args.begin(), x->args.end(), [](const auto& arg) {
        return arg->kind == expr_kind::literal;
      });
  return constant ? fold_constants(x) : x;
}

expr_ptr combine(expr_kind kind, std::vector<expr_ptr> parts) {
  if (parts.empty())
    return nullptr;
  if (parts.size() == 1)
    return std::move(parts.front());
  return folded(make_logic(kind, boolean_type, std::move(parts)));
}

std::string shown(const expr& x) {
  constexpr std::size_t longest = 60;
  if (x.text.size() <= longest)
    return x.text;
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(x.text[end]) & 0xC0U) == 0x80U)
    --end;
  return x.text.substr(0, end) + "...";
}

expr_ptr outer_row::take(const expr_ptr& x) {
  std::size_t i = 0;
  while (i < used.size() && !same_expr(*used[i], *x))
    ++i;
  if (i == used.size())
    used.push_back(x);
  return make_column_ref(outer_base + static_cast<std::uint32_t>(i), x->type, x->text);
}

result<expr_ptr> expr_binder::bind(const ast& node) {
  if (depth_ >= max_expr_depth)
    return text_.fail(ec::invalid_argument, start_of(node),
                      "stack depth limit exceeded: the expression is nested too deeply",
                      "compute a part of it in a subquery or an operator of its own");
  ++depth_;
  auto bound = bind_node(node);
  --depth_;
  return bound;
}

result<expr_ptr> expr_binder::bind_value(const ast& node) {
  EBB_ASSIGN(const auto bound, bind(node));
  return settle(text_, bound, start_of(node));
}

result<expr_ptr> expr_binder::bind_condition(const ast& node, std::string_view clause) {
  EBB_ASSIGN(const auto bound, bind(node));
  if (!can_coerce(bound->type, boolean_type, cast_context::assignment))
    return text_.fail(ec::invalid_argument, start_of(node),
                      "argument of " + std::string(clause) + " must be type boolean, not type "
                          + to_string(bare(bound->type)));
  return coerce(text_, bound, boolean_type, cast_context::assignment, start_of(node));
}

result<void> expr_binder::check_copies(const expr& x, std::size_t copies, std::int32_t at) const {
  // Copies of a bare column are as many as the text names, so the text's limit bounds them.
  const auto size = size_up_to(x, max_repeated_nodes);
  if (copies > 1 && size > 1 && size * copies >= max_repeated_nodes)
    return text_.fail(ec::invalid_argument, at, "the expression is too large",
                      "compute its first operand in a subquery");
  return {};
}

result<std::vector<expr_ptr>> expr_binder::bind_all(const ast::array_t& nodes) {
  std::vector<expr_ptr> bound;
  bound.reserve(nodes.size());
  for (const auto& node : nodes) {
    EBB_ASSIGN(auto x, bind(node));
    bound.push_back(std::move(x));
  }
  return bound;
}

result<sort_item> expr_binder::bind_sort(const ast& sort_by) {
  const auto node = open(sort_by);
  if (!node.is("SortBy"))
    return refused(text_, -1, "this ORDER BY");
  const auto direction = ebb::sql::text(*node.body, "sortby_dir");
  const auto nulls = ebb::sql::text(*node.body, "sortby_nulls");
  const auto& key = child(*node.body, "node");
  if (direction == "SORTBY_USING")
    return refused(text_, start_of(key), "ORDER BY … USING");
  EBB_ASSIGN(auto x, bind_value(key));
  const bool descending = direction == "SORTBY_DESC";
  const bool first = nulls == "SORTBY_NULLS_FIRST" || (nulls != "SORTBY_NULLS_LAST" && descending);
  return sort_item{std::move(x), descending, first};
}

result<expr_ptr> expr_binder::bind_node(const ast& wrapped) {
  const auto node = open(wrapped);
  if (!node)
    return text_.fail(ec::invalid_argument, -1, "an expression is missing");
  const auto& body = *node.body;
  if (node.is("ColumnRef"))
    return bind_column(body);
  if (node.is("A_Const"))
    return bind_constant(body);
  if (node.is("A_Expr"))
    return bind_operation(body);
  if (node.is("FuncCall"))
    return bind_function(body);
  if (node.is("TypeCast"))
    return bind_cast(body);
  if (node.is("BoolExpr"))
    return bind_boolean(body);
  if (node.is("NullTest"))
    return bind_null_test(body);
  if (node.is("BooleanTest"))
    return bind_boolean_test(body);
  if (node.is("CaseExpr"))
    return bind_case(body);
  if (node.is("CoalesceExpr"))
    return bind_coalesce(body);
  if (node.is("MinMaxExpr"))
    return bind_min_max(body);
  if (node.is("A_Indirection"))
    return bind_subscript(body);
  if (node.is("A_ArrayExpr"))
    return bind_array(body);
  if (node.is("SubLink"))
    return context_.subqueries == nullptr ? refused_sublink(text_, body)
                                          : context_.subqueries->bind_subquery(body, *this);
  if (node.is("SQLValueFunction")) {
    const auto op = ebb::sql::text(body, "op");
    if (context_.now && op == "SVFOP_CURRENT_TIMESTAMP")
      return present(type_kind::timestamptz, "current_timestamp", place_of(body));
    if (context_.now && op == "SVFOP_LOCALTIMESTAMP")
      return present(type_kind::timestamp, "localtimestamp", place_of(body));
    return refused_value_function(text_, body);
  }
  if (node.is("RowExpr"))
    return refused(text_, place_of(body), "a row value", "compare the columns one by one");
  if (node.is("ParamRef"))
    return text_.fail(ec::invalid_argument, place_of(body),
                      "there is no parameter $" + std::to_string(number(body, "number")));
  if (node.is("CollateClause"))
    return refused(text_, place_of(body), "COLLATE", "text is compared by its bytes (collation C)");
  if (node.is("GroupingFunc"))
    return refused(text_, place_of(body), "GROUPING");
  if (node.is("SetToDefault"))
    return text_.fail(ec::invalid_argument, place_of(body),
                      "DEFAULT is not allowed in this context");
  if (node.is("XmlExpr") || node.is("XmlSerialize"))
    return refused(text_, place_of(body), "XML", "make text of it with concat or format");
  if (node.is("NamedArgExpr"))
    return refused(text_, place_of(body), "an argument by its name",
                   "give the arguments in their order, without names");
  return refused(text_, start_of(wrapped), "this expression");
}

result<expr_ptr> expr_binder::bind_column(const ast& body) {
  const auto at = place_of(body);
  const auto& fields = list(body, "fields");
  for (const auto& field : fields)
    if (open(field).is("A_Star"))
      return text_.fail(ec::invalid_argument, at,
                        "* is only allowed as an output column or in count(*)");
  const auto path = names(fields);
  if (path.empty() || context_.columns == nullptr)
    return text_.fail(ec::invalid_argument, at, "columns are not allowed here");
  auto local = context_.columns->find(text_, path, at);
  if (!local && context_.outer != nullptr) {
    if (const auto around = context_.outer->columns->find(text_, path, at))
      return context_.outer->take(*around);
    for (const auto* row = context_.outer->around; row != nullptr; row = row->around)
      if (const auto beyond = row->columns->find(text_, path, at))
        return text_.fail(ec::unsupported, at,
                          (path.size() > 1 ? path.front() + '.' : std::string()) + path.back()
                              + " is a column of a query that is not directly around this one",
                          "a subquery may name columns of the query directly around it only: join "
                          "with that table here, or write the condition one query further out");
  }
  if (!local)
    return std::move(local).error();
  auto found = *std::move(local);
  if (context_.places != nullptr)
    context_.places->insert_or_assign(found.get(), at);
  return found;
}

result<expr_ptr> expr_binder::bind_boolean(const ast& body) {
  const auto op = ebb::sql::text(body, "boolop");
  const auto name = op == "AND_EXPR" ? "AND" : op == "OR_EXPR" ? "OR" : "NOT";
  std::vector<expr_ptr> parts;
  for (const auto& arg : list(body, "args")) {
    EBB_ASSIGN(auto part, bind_condition(arg, name));
    parts.push_back(std::move(part));
  }
  if (op == "NOT_EXPR") {
    auto written = "NOT " + shown(*parts.front());
    return folded(make_logic(expr_kind::not_, boolean_type, std::move(parts), std::move(written)));
  }
  return combine(op == "AND_EXPR" ? expr_kind::and_ : expr_kind::or_, std::move(parts));
}

result<expr_ptr> expr_binder::bind_null_test(const ast& body) {
  const auto& arg = child(body, "arg");
  EBB_ASSIGN(auto x, bind_value(arg));
  const bool is_null = ebb::sql::text(body, "nulltesttype") == "IS_NULL";
  auto written = shown(*x) + (is_null ? " IS NULL" : " IS NOT NULL");
  return folded(make_logic(is_null ? expr_kind::is_null : expr_kind::is_not_null, boolean_type,
                           {std::move(x)}, std::move(written)));
}

result<expr_ptr> expr_binder::bind_boolean_test(const ast& body) {
  const auto test = ebb::sql::text(body, "booltesttype");
  std::string name{test};
  std::replace(name.begin(), name.end(), '_', ' ');
  EBB_ASSIGN(auto x, bind_condition(child(body, "arg"), name));
  if (test == "IS_UNKNOWN" || test == "IS_NOT_UNKNOWN")
    return folded(make_logic(test == "IS_UNKNOWN" ? expr_kind::is_null : expr_kind::is_not_null,
                             boolean_type, {std::move(x)}));
  // x IS TRUE = coalesce(x, false); x IS NOT FALSE = coalesce(x, true); the others negate these.
  const bool assumed = test == "IS_NOT_FALSE" || test == "IS_FALSE";
  auto known = folded(
      make_logic(expr_kind::coalesce, boolean_type, {std::move(x), make_bool_literal(assumed)}));
  if (test == "IS_TRUE" || test == "IS_NOT_FALSE")
    return known;
  return folded(make_logic(expr_kind::not_, boolean_type, {std::move(known)}));
}

} // namespace ebb::sql
