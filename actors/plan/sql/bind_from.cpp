// FROM: relations, subqueries and joins, and what their columns are called.

#include "actors/plan/sql/bind_from.hpp"

#include "actors/plan/sql/expansion.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr std::uint32_t max_join_depth = 200;

struct alias_names {
  std::string name;
  std::vector<std::string> columns;
};

alias_names alias_of(const ast& body) {
  const auto& alias = child(body, "alias");
  return {std::string(text(alias, "aliasname")), names(list(alias, "colnames"))};
}

// Subqueries have no place in the tree; their first column has.
std::int32_t first_target(const ast& select) {
  const auto& targets = list(select, "targetList");
  const auto node = targets.empty() ? ast_node{} : open(targets.front());
  return node ? place_of(*node.body) : -1;
}

// The call of a RangeFunction with one function; else absent.
ast_node function_of(const ast& range) {
  const auto& calls = list(range, "functions");
  const auto first = calls.empty() ? ast_node{} : open(calls.front());
  if (!first.is("List") || list(*first.body, "items").empty())
    return {};
  return open(list(*first.body, "items").front());
}

bool is_expansion(const ast& wrapped) {
  const auto node = open(wrapped);
  if (!node.is("RangeFunction"))
    return false;
  const auto& calls = list(*node.body, "functions");
  const auto first = calls.empty() ? ast_node{} : open(calls.front());
  return first.is("List") && !list(*first.body, "items").empty()
         && !expanding_function(list(*first.body, "items").front()).empty();
}

// A JOIN b AS …: the alias hides the names inside.
void rename_all(scope& inner, const alias_names& alias) {
  std::erase_if(inner.columns, [](const auto& column) { return !column.unqualified; });
  std::size_t i = 0;
  for (auto& column : inner.columns) {
    column.relation = alias.name;
    if (i < alias.columns.size())
      column.name = alias.columns[i];
    ++i;
  }
  inner.relations = {alias.name};
}

} // namespace

result<from_clause> from_binder::leaf(node_id node, std::string name,
                                      const std::vector<std::string>& columns,
                                      const std::vector<std::string>& renamed,
                                      std::optional<window_request> window, std::int32_t at) {
  from_clause made;
  made.root = std::make_unique<from_item>();
  auto& item = *made.root;
  item.first = next_column_;
  item.at = at;
  item.node = node;
  item.window = std::move(window);
  const auto& known = planner_.build.columns(node);
  std::size_t shown = 0;
  const auto add = [&](std::uint32_t index, const std::string& column, sql_type type) {
    const auto& visible = shown < renamed.size() ? renamed[shown] : column;
    ++shown;
    made.names.columns.push_back({name, visible, make_column_ref(index, type)});
  };
  for (std::uint32_t i = 0; i < known.size(); ++i) {
    const bool hidden = item.window && (columns[i] == "window_start" || columns[i] == "window_end");
    if (!hidden)
      add(item.first + i, columns[i], known[i].type);
  }
  item.width = static_cast<std::uint32_t>(known.size());
  if (item.window) {
    item.width += 2;
    add(item.window_start(), "window_start", sql_type{type_kind::timestamp});
    add(item.window_start() + 1, "window_end", sql_type{type_kind::timestamp});
  }
  if (renamed.size() > shown)
    return planner_.query.fail(ec::invalid_argument, at,
                               "table \"" + name + "\" has " + std::to_string(shown)
                                   + " columns available but " + std::to_string(renamed.size())
                                   + " columns specified");
  made.names.relations.push_back(std::move(name));
  next_column_ += item.width;
  return made;
}

result<from_clause> from_binder::bind_relation(const ast& body) {
  const auto at = place_of(body);
  if (has(body, "schemaname") || has(body, "catalogname"))
    return planner_.query.fail(ec::unsupported, at, "relations with a schema are not supported",
                               "name a source, an earlier operator or a WITH query");
  const std::string name{text(body, "relname")};
  EBB_ASSIGN(const auto found, planner_.relation(name, at));
  auto alias = alias_of(body);
  return leaf(found.node, alias.name.empty() ? name : alias.name, found.columns, alias.columns,
              std::nullopt, at);
}

result<from_clause> from_binder::bind_subselect(const ast& body) {
  const auto select = open(child(body, "subquery"));
  auto alias = alias_of(body);
  if (select && flag(body, "lateral"))
    return planner_.query.fail(ec::unsupported,
                               planner_.query.keyword_before("LATERAL", first_target(*select.body)),
                               "LATERAL is not supported", "join with the subquery on an equality");
  if (!select.is("SelectStmt"))
    return planner_.query.fail(ec::unsupported, -1, "this subquery is not supported");
  EBB_ASSIGN(const auto rows, planner_.plan_subquery(*select.body));
  return leaf(rows.node, alias.name, rows.columns, alias.columns, std::nullopt,
              first_target(*select.body));
}

result<from_clause> from_binder::bind_item(const ast& wrapped) {
  if (depth_ >= max_join_depth)
    return planner_.query.fail(ec::invalid_argument, -1, "FROM is nested too deeply");
  const auto node = open(wrapped);
  if (node.is("RangeVar"))
    return bind_relation(*node.body);
  if (node.is("RangeSubselect"))
    return bind_subselect(*node.body);
  if (is_expansion(wrapped))
    return planner_.query.fail(ec::unsupported, place_of(*function_of(*node.body).body),
                               "a function that returns rows is not supported here",
                               "let it follow the relation that it goes with: FROM orders, "
                               "unnest(orders.tags) AS tag");
  if (node.is("RangeFunction"))
    return bind_window_function(*node.body);
  if (node.is("JoinExpr")) {
    ++depth_;
    auto joined = bind_join(*node.body);
    --depth_;
    return joined;
  }
  if (node.is("RangeTableSample"))
    return planner_.query.fail(ec::unsupported, place_of(*node.body),
                               "TABLESAMPLE is not supported", "filter with WHERE");
  return planner_.query.fail(ec::unsupported, -1,
                             "this FROM item (" + std::string(node.tag) + ") is not supported");
}

from_clause from_binder::joined(from_clause left, from_clause right, join_type type,
                                std::int32_t at) const {
  from_clause made;
  made.root = std::make_unique<from_item>();
  auto& item = *made.root;
  item.first = left.root->first;
  item.width = left.root->width + right.root->width;
  item.at = at;
  item.type = type;
  item.left = std::move(left.root);
  item.right = std::move(right.root);
  made.names = std::move(left.names);
  for (auto& column : right.names.columns)
    made.names.columns.push_back(std::move(column));
  for (auto& relation : right.names.relations)
    made.names.relations.push_back(std::move(relation));
  return made;
}

result<void> from_binder::check_names(const scope& left, const scope& right,
                                      std::int32_t at) const {
  for (const auto& relation : right.relations)
    if (left.has_relation(relation))
      return planner_.query.fail(ec::invalid_argument, at,
                                 "table name \"" + relation + "\" specified more than once",
                                 "give one of them an alias");
  return {};
}

result<void> from_binder::merge_columns(from_clause& join, std::size_t left_columns,
                                        const std::vector<std::string>& shared) {
  auto& columns = join.names.columns;
  std::vector<scope_column> merged;
  for (const auto& name : shared) {
    const auto find = [&](std::size_t from, std::size_t to,
                          const char* side) -> result<scope_column*> {
      scope_column* found = nullptr;
      for (auto i = from; i < to; ++i) {
        if (!columns[i].unqualified || columns[i].name != name)
          continue;
        if (found != nullptr)
          return planner_.query.fail(ec::invalid_argument, join.root->at,
                                     "common column name \"" + name
                                         + "\" appears more than once in " + side + " table");
        found = &columns[i];
      }
      if (found == nullptr)
        return planner_.query.fail(ec::invalid_argument, join.root->at,
                                   "column \"" + name
                                       + "\" specified in USING clause does not exist " + "in "
                                       + side + " table");
      return found;
    };
    EBB_ASSIGN(auto* left, find(0, left_columns, "left"));
    EBB_ASSIGN(auto* right, find(left_columns, columns.size(), "right"));
    left->unqualified = false;
    right->unqualified = false;
    expr_binder binder{planner_.query, {}};
    EBB_ASSIGN(auto equal, binder.operation("=", {left->x, right->x}, join.root->at));
    join.root->on.push_back(std::move(equal));
    const std::vector<expr_ptr> sides{left->x, right->x};
    const std::vector<std::int32_t> places{join.root->at, join.root->at};
    EBB_ASSIGN(const auto type, common_type(planner_.query, sides, places, "JOIN/USING"));
    const auto as_common = [&](const expr_ptr& x) {
      return coerce(planner_.query, x, type, cast_context::implicit, join.root->at);
    };
    expr_ptr value;
    if (join.root->type == join_type::full) {
      EBB_ASSIGN(auto first, as_common(left->x));
      EBB_ASSIGN(auto second, as_common(right->x));
      value = make_logic(expr_kind::coalesce, type, {std::move(first), std::move(second)}, name);
    } else {
      EBB_ASSIGN(value, as_common(join.root->type == join_type::right ? right->x : left->x));
    }
    merged.push_back({"", name, std::move(value)});
  }
  columns.insert(columns.begin(), std::make_move_iterator(merged.begin()),
                 std::make_move_iterator(merged.end()));
  return {};
}

result<void> from_binder::add_expansion(from_clause& from, const ast& body) {
  const auto& text = planner_.query;
  const auto call = function_of(body);
  const auto at = place_of(*call.body);
  if (flag(body, "is_rowsfrom") || has(body, "coldeflist"))
    return text.fail(ec::unsupported, at, "ROWS FROM and column definitions are not supported",
                     "several arrays side by side: unnest(a, b)");
  bind_context context;
  context.columns = &from.names;
  context.no_aggregates = "aggregate functions are not allowed in functions in FROM";
  context.no_overs = "window functions are not allowed in functions in FROM";
  EBB_ASSIGN(auto made, bind_expansion(text, *call.body, std::move(context)));
  made.spec.ordinality = flag(body, "ordinality");
  const auto alias = alias_of(body);
  const auto relation = alias.name.empty() ? made.function : alias.name;
  auto columns = made.columns;
  if (columns.size() == 1 && !alias.name.empty() && !made.own_name)
    columns.front() = alias.name;
  if (made.spec.ordinality)
    columns.emplace_back("ordinality");
  if (alias.columns.size() > columns.size())
    return text.fail(ec::invalid_argument, at,
                     "table \"" + relation + "\" has " + std::to_string(columns.size())
                         + " columns available but " + std::to_string(alias.columns.size())
                         + " columns specified");
  std::copy(alias.columns.begin(), alias.columns.end(), columns.begin());
  if (from.names.has_relation(relation))
    return text.fail(ec::invalid_argument, at,
                     "table name \"" + relation + "\" specified more than once",
                     "give one of them an alias");
  next_column_ +=
      static_cast<std::uint32_t>(made.types.size() + (made.spec.ordinality ? 1 : 0));
  expand(from, std::move(made), relation, std::move(columns), at);
  return {};
}

// A function to the right of JOIN sees what is left of it; its condition filters its rows.
result<from_clause> from_binder::bind_expanding_join(const ast& body) {
  const auto& text = planner_.query;
  EBB_ASSIGN(auto made, bind_item(child(body, "larg")));
  const auto function = open(child(body, "rarg"));
  const auto at = place_of(*function_of(*function.body).body);
  const auto kind = ebb::sql::text(body, "jointype");
  if (kind == "JOIN_RIGHT" || kind == "JOIN_FULL" || flag(body, "isNatural")
      || has(body, "usingClause") || has(body, "alias"))
    return text.fail(ec::unsupported, at,
                     "this join with a function that returns rows is not supported",
                     "write CROSS JOIN, JOIN … ON or LEFT JOIN … ON true");
  EBB_TRY(add_expansion(made, *function.body));
  made.root->expansion->spec.keeps_empty = kind == "JOIN_LEFT";
  if (has(body, "quals")) {
    bind_context context;
    context.columns = &made.names;
    context.no_aggregates = "aggregate functions are not allowed in JOIN conditions";
    context.no_overs = "window functions are not allowed in JOIN conditions";
    expr_binder binder{text, std::move(context)};
    EBB_ASSIGN(const auto condition, binder.bind_condition(child(body, "quals"), "JOIN/ON"));
    std::vector<expr_ptr> conditions;
    split_conjuncts(condition, conditions);
    std::erase_if(conditions, [](const auto& x) {
      return x->kind == expr_kind::literal && !x->value.is_null(0)
             && x->value.template data<std::uint8_t>()[0] != 0;
    });
    if (made.root->expansion->spec.keeps_empty && !conditions.empty())
      return text.fail(ec::unsupported, start_of(child(body, "quals")),
                       "LEFT JOIN with a function that returns rows takes ON true alone",
                       "filter what the function reads, or its rows in WHERE");
    made.root->on = std::move(conditions);
  }
  return made;
}

result<from_clause> from_binder::bind_join(const ast& body) {
  if (is_expansion(child(body, "rarg")))
    return bind_expanding_join(body);
  EBB_ASSIGN(auto left, bind_item(child(body, "larg")));
  EBB_ASSIGN(auto right, bind_item(child(body, "rarg")));
  EBB_TRY(check_names(left.names, right.names, right.root->at));
  const auto kind = text(body, "jointype");
  const auto type = kind == "JOIN_LEFT"    ? join_type::left
                    : kind == "JOIN_RIGHT" ? join_type::right
                    : kind == "JOIN_FULL"  ? join_type::full
                                           : join_type::inner;
  std::vector<std::string> shared = names(list(body, "usingClause"));
  if (flag(body, "isNatural"))
    for (const auto& a : left.names.columns)
      for (const auto& b : right.names.columns)
        if (a.unqualified && b.unqualified && a.name == b.name
            && std::find(shared.begin(), shared.end(), a.name) == shared.end())
          shared.push_back(a.name);
  const auto left_columns = left.names.columns.size();
  // PostgreSQL's tree has no place for a join; its condition, else its right side, stands for it.
  auto at = has(body, "quals") ? start_of(child(body, "quals")) : right.root->at;
  auto made = joined(std::move(left), std::move(right), type, at);
  EBB_TRY(merge_columns(made, left_columns, shared));
  if (has(body, "quals")) {
    bind_context context;
    context.columns = &made.names;
    context.no_aggregates = "aggregate functions are not allowed in JOIN conditions";
    context.no_overs = "window functions are not allowed in JOIN conditions";
    expr_binder binder{planner_.query, std::move(context)};
    EBB_ASSIGN(const auto condition, binder.bind_condition(child(body, "quals"), "JOIN/ON"));
    split_conjuncts(condition, made.root->on);
  }
  if (has(body, "alias"))
    rename_all(made.names, alias_of(body));
  return made;
}

result<from_clause> from_binder::bind_list(const ast::array_t& items) {
  // Functions before the first relation read nothing of it: they may as well come behind it.
  std::size_t first = 0;
  while (first + 1 < items.size() && first < max_join_depth && is_expansion(items[first]))
    ++first;
  EBB_ASSIGN(auto all, bind_item(items[first]));
  if (first > 0) {
    auto relation = std::exchange(all.names, scope{});
    for (std::size_t i = 0; i < first; ++i)
      EBB_TRY(add_expansion(all, *open(items[i]).body));
    EBB_TRY(check_names(all.names, relation, all.root->at));
    std::move(relation.columns.begin(), relation.columns.end(),
              std::back_inserter(all.names.columns));
    std::move(relation.relations.begin(), relation.relations.end(),
              std::back_inserter(all.names.relations));
  }
  for (auto i = first + 1; i < items.size(); ++i) {
    if (i >= max_join_depth)
      return planner_.query.fail(ec::invalid_argument, -1, "FROM lists too many relations");
    if (is_expansion(items[i])) {
      EBB_TRY(add_expansion(all, *open(items[i]).body));
      continue;
    }
    EBB_ASSIGN(auto next, bind_item(items[i]));
    EBB_TRY(check_names(all.names, next.names, next.root->at));
    const auto at = next.root->at;
    all = joined(std::move(all), std::move(next), join_type::inner, at);
  }
  return all;
}

result<from_clause> bind_from(query_planner& planner, const ast::array_t& items) {
  return from_binder{planner}.bind_list(items);
}

} // namespace ebb::sql
