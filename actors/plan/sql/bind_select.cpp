// The clauses of a SELECT, bound.

#include "actors/plan/sql/select_query.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr std::size_t max_columns = 1664; // as PostgreSQL

} // namespace

result<void> refuse_order(const sql_text& text, const ast& select) {
  const auto refuse = [&](std::int32_t at, const char* what, const char* hint) {
    return text.fail(ec::unsupported, at, what, hint);
  };
  if (has(select, "lockingClause"))
    return refuse(text.keyword_before("FOR", -1), "FOR UPDATE and FOR SHARE are not supported",
                  "remove the clause");
  if (const auto& keys = list(select, "sortClause"); !keys.empty())
    return refuse(start_of(child(*open(keys.front()).body, "node")), "ORDER BY is not supported",
                  "a stream has no last row to sort up to; order the rows of a window with "
                  "ROW_NUMBER() OVER (PARTITION BY window_end ORDER BY …)");
  for (const char* clause : {"limitCount", "limitOffset"})
    if (has(select, clause))
      return refuse(start_of(child(select, clause)),
                    std::string_view{clause} == "limitCount" ? "LIMIT is not supported"
                                                             : "OFFSET is not supported",
                    "number the rows of a window with ROW_NUMBER() OVER (PARTITION BY window_end "
                    "ORDER BY …) and keep those up to n");
  return {};
}

result<void> select_query::check_clauses() const {
  const auto& text = planner_.query;
  const auto refuse = [&](std::int32_t at, const char* what, const char* hint) {
    return text.fail(ec::unsupported, at, what, hint);
  };
  if (has(body_, "valuesLists"))
    return refuse(text.keyword_before("VALUES", -1), "VALUES is not supported",
                  "read the rows from a source");
  if (has(body_, "intoClause"))
    return refuse(text.keyword_before("INTO", -1), "SELECT INTO is not supported",
                  "name the operator, and give it a sink");
  EBB_TRY(refuse_order(text, body_));
  for (const auto& item : list(body_, "groupClause"))
    if (open(item).is("GroupingSet"))
      return refuse(place_of(*open(item).body), "GROUPING SETS, ROLLUP and CUBE are not supported",
                    "write one operator for each grouping and join them with UNION ALL");
  if (const auto& on = list(body_, "distinctClause"); !on.empty() && open(on.front()))
    return refuse(start_of(on.front()), "SELECT DISTINCT ON is not supported",
                  "number the rows with ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) and keep the "
                  "first");
  if (list(body_, "fromClause").empty())
    return refuse(list(body_, "targetList").empty()
                      ? -1
                      : text.keyword_before(
                          "SELECT", place_of(*open(list(body_, "targetList").front()).body)),
                  "SELECT without FROM is not supported", "read a source or an earlier operator");
  if (list(body_, "targetList").empty())
    return text.fail(ec::invalid_argument, text.keyword_before("SELECT", -1),
                     "SELECT without columns", "name the columns");
  return {};
}

result<void> select_query::bind() {
  EBB_TRY(check_clauses());
  distinct_ = has(body_, "distinctClause");
  EBB_ASSIGN(from_, bind_from(planner_, list(body_, "fromClause")));
  EBB_TRY(bind_where());
  EBB_TRY(bind_targets());
  EBB_TRY(bind_groups());
  return bind_having();
}

result<void> select_query::bind_where() {
  if (!has(body_, "whereClause"))
    return {};
  bind_context context;
  context.columns = &from_.names;
  context.no_aggregates = "aggregate functions are not allowed in WHERE";
  context.no_overs = "window functions are not allowed in WHERE";
  expr_binder binder{planner_.query, std::move(context)};
  EBB_ASSIGN(const auto condition, binder.bind_condition(child(body_, "whereClause"), "WHERE"));
  split_conjuncts(condition, where_);
  return {};
}

result<void> select_query::expand_star(const std::vector<std::string>& path, std::int32_t at) {
  const auto& names = from_.names;
  if (path.size() > 2)
    return planner_.query.fail(ec::unsupported, at, "names with a schema are not supported");
  const bool qualified = path.size() == 2;
  if (qualified && !names.has_relation(path.front()))
    return names.missing_relation(planner_.query, path.front(), at);
  for (const auto& column : names.columns) {
    if (qualified ? column.relation != path.front() : !column.unqualified)
      continue;
    auto x = std::make_shared<expr>(*column.x);
    x->text = column.name;
    outputs_.push_back({column.name, x->type, at});
    places_.insert_or_assign(x.get(), at);
    targets_.push_back(std::move(x));
  }
  return {};
}

result<void> select_query::bind_targets() {
  bind_context context;
  context.columns = &from_.names;
  context.aggregates = &aggregates_;
  context.overs = &overs_;
  context.windows = &list(body_, "windowClause");
  context.places = &places_;
  context.proctime = true;
  expr_binder binder{planner_.query, std::move(context)};
  for (const auto& item : list(body_, "targetList")) {
    const auto target = open(item);
    if (!target.is("ResTarget"))
      return planner_.query.fail(ec::unsupported, -1, "this output column is not supported");
    const auto& value = child(*target.body, "val");
    const auto node = open(value);
    const auto at = start_of(value);
    if (node.is("ColumnRef")) {
      const auto& fields = list(*node.body, "fields");
      if (!fields.empty() && open(fields.back()).is("A_Star")) {
        EBB_TRY(expand_star(names(fields), at));
        continue;
      }
    }
    EBB_ASSIGN(auto x, binder.bind(value));
    auto name = std::string(text(*target.body, "name"));
    outputs_.push_back({name.empty() ? output_name(value) : std::move(name), x->type, at});
    targets_.push_back(std::move(x));
  }
  if (targets_.size() > max_columns)
    return planner_.query.fail(ec::invalid_argument, -1,
                               "target lists can have at most 1664 entries");
  return {};
}

// PostgreSQL's rules: a position; a column of FROM before an output's name; else an expression.
result<expr_ptr> select_query::bind_group(const ast& node) {
  const auto& text = planner_.query;
  const auto at = start_of(node);
  const auto target_at = [&](std::size_t i) -> result<expr_ptr> {
    const auto reads = columns_of(*targets_[i]);
    if (!reads.empty() && reads.back() >= aggregate_base)
      return text.fail(ec::invalid_argument, at,
                       reads.back() >= over_base
                           ? "window functions are not allowed in GROUP BY"
                           : "aggregate functions are not allowed in GROUP BY");
    return targets_[i];
  };
  const auto opened = open(node);
  if (opened.is("A_Const")) {
    if (!has(*opened.body, "ival"))
      return text.fail(ec::invalid_argument, at, "non-integer constant in GROUP BY");
    const auto position = number(child(*opened.body, "ival"), "ival");
    if (position < 1 || position > static_cast<std::int64_t>(targets_.size()))
      return text.fail(ec::invalid_argument, at,
                       "GROUP BY position " + std::to_string(position) + " is not in select list");
    return target_at(static_cast<std::size_t>(position - 1));
  }
  if (opened.is("ColumnRef")) {
    const auto path = names(list(*opened.body, "fields"));
    const auto& columns = from_.names.columns;
    const bool in_from = std::any_of(columns.begin(), columns.end(), [&](const auto& column) {
      return column.unqualified && column.name == path.back();
    });
    if (path.size() == 1 && !in_from) {
      std::optional<std::size_t> found;
      for (std::size_t i = 0; i < targets_.size(); ++i) {
        if (outputs_[i].name != path.front() || outputs_[i].name == "?column?")
          continue;
        if (found && !same_expr(*targets_[*found], *targets_[i]))
          return text.fail(ec::invalid_argument, at,
                           "GROUP BY \"" + path.front() + "\" is ambiguous");
        found = found.value_or(i);
      }
      if (found)
        return target_at(*found);
    }
  }
  bind_context context;
  context.columns = &from_.names;
  context.places = &places_;
  context.no_aggregates = "aggregate functions are not allowed in GROUP BY";
  context.no_overs = "window functions are not allowed in GROUP BY";
  expr_binder binder{text, std::move(context)};
  return binder.bind_value(node);
}

result<void> select_query::bind_groups() {
  const auto& items = list(body_, "groupClause");
  by_group_clause_ = !items.empty();
  for (const auto& item : items) {
    EBB_ASSIGN(auto x, bind_group(item));
    EBB_ASSIGN(x, settle(planner_.query, x, start_of(item)));
    const bool known = std::any_of(groups_.begin(), groups_.end(),
                                   [&](const auto& other) { return same_expr(*other, *x); });
    if (!known)
      groups_.push_back(std::move(x));
  }
  return {};
}

result<void> select_query::bind_having() {
  if (!has(body_, "havingClause"))
    return {};
  bind_context context;
  context.columns = &from_.names;
  context.aggregates = &aggregates_;
  context.places = &places_;
  context.no_overs = "window functions are not allowed in HAVING";
  expr_binder binder{planner_.query, std::move(context)};
  EBB_ASSIGN(having_, binder.bind_condition(child(body_, "havingClause"), "HAVING"));
  return {};
}

} // namespace ebb::sql
