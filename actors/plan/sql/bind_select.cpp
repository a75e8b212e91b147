// The clauses of a SELECT, bound.

#include "actors/dataflow/ordered_set.hpp"
#include "actors/plan/sql/expansion.hpp"
#include "actors/plan/sql/select_query.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr std::size_t max_columns = 1664; // as PostgreSQL

} // namespace

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
  for (const auto& item : list(body_, "groupClause"))
    if (open(item).is("GroupingSet"))
      return refuse(place_of(*open(item).body), "GROUPING SETS, ROLLUP and CUBE are not supported",
                    "write one operator for each grouping and join them with UNION ALL");
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
  const auto& on = list(body_, "distinctClause");
  const bool distinct_on = !on.empty() && open(on.front());
  distinct_ = !on.empty() && !distinct_on;
  EBB_ASSIGN(limit_, bind_limit(planner_.query, body_, distinct_on));
  EBB_ASSIGN(from_, bind_from(planner_, list(body_, "fromClause")));
  EBB_TRY(bind_where());
  EBB_TRY(bind_targets());
  EBB_TRY(bind_groups());
  EBB_TRY(bind_having());
  EBB_TRY(bind_order());
  if (distinct_on)
    EBB_TRY(bind_distinct_on(on));
  EBB_TRY(check_outer());
  if (expanded_at_ >= 0 && (grouped() || !overs_.empty()))
    return planner_.query.fail(ec::unsupported, expanded_at_,
                               "functions that return rows beside GROUP BY, aggregates or window "
                               "functions are not supported",
                               "let the function stand in FROM, or in a query around this one");
  return check_direct_arguments();
}

result<void> select_query::bind_where() {
  if (!has(body_, "whereClause"))
    return {};
  bind_context context;
  context.columns = &from_.names;
  context.no_aggregates = "aggregate functions are not allowed in WHERE";
  context.no_overs = "window functions are not allowed in WHERE";
  context.subqueries = this;
  context.outer = outer_;
  context.now = true;
  context.places = &places_;
  expr_binder binder{planner_.query, std::move(context)};
  EBB_ASSIGN(const auto condition, binder.bind_condition(child(body_, "whereClause"), "WHERE"));
  std::vector<expr_ptr> parts;
  split_conjuncts(condition, parts);
  for (auto& part : parts)
    if (reads_between(*part, now_index, proctime_index)) {
      EBB_ASSIGN(auto of_now, time_condition_of(planner_.query, part, places_));
      now_.push_back(std::move(of_now));
    } else if (reads_between(*part, outer_base, subquery_base)) {
      EBB_TRY(correlate(part));
    } else {
      where_.push_back(std::move(part));
    }
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

bind_context select_query::output_context() {
  bind_context context;
  context.columns = &from_.names;
  context.aggregates = &aggregates_;
  context.overs = &overs_;
  context.windows = &list(body_, "windowClause");
  context.places = &places_;
  context.proctime = true;
  context.subqueries = this;
  context.outer = outer_;
  return context;
}

// unnest(tags) as an output column: as if it stood in FROM, behind all else.
result<void> select_query::expand_target(const ast& call, std::string name) {
  const auto at = place_of(call);
  if (from_.root->expansion && from_.root->expansion->of_target)
    return planner_.query.fail(ec::unsupported, at,
                               "a second function that returns rows among the output columns is not "
                               "supported",
                               "let both stand in FROM, or unnest(a, b) there");
  bind_context context;
  context.columns = &from_.names;
  context.no_aggregates = "aggregates in functions that return rows are not supported; compute them "
                          "in a subquery in FROM";
  context.no_overs = "window functions in functions that return rows are not supported; compute "
                     "them in a subquery in FROM";
  EBB_ASSIGN(auto made, bind_expansion(planner_.query, call, std::move(context)));
  if (made.types.size() > 1)
    return planner_.query.fail(ec::unsupported, at,
                               made.function + " of several arrays as an output column is not "
                                               "supported",
                               "let it stand in FROM");
  made.of_target = true;
  const auto type = made.types.front();
  const auto column = from_.root->first + from_.root->width;
  const auto function = made.function;
  const auto visible = from_.names;
  expand(from_, std::move(made), "", {function}, at);
  from_.names = visible;
  auto x = make_column_ref(column, type, function);
  places_.insert_or_assign(x.get(), at);
  outputs_.push_back({name.empty() ? function : std::move(name), type, at});
  targets_.push_back(std::move(x));
  expanded_at_ = at;
  return {};
}

result<void> select_query::bind_targets() {
  expr_binder binder{planner_.query, output_context()};
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
    if (!expanding_function(value).empty()) {
      EBB_TRY(expand_target(*node.body, std::string(text(*target.body, "name"))));
      continue;
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
    if (!reads.empty() && reads.back() >= outer_base && reads.back() < over_base)
      return text.fail(ec::unsupported, at, "a subquery in GROUP BY is not supported",
                       "compute it in a subquery in FROM");
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

// PostgreSQL's rules of ORDER BY and DISTINCT ON: a position; an output's name before a column of
// FROM; else an expression, which becomes a column that is not put out.
result<std::size_t> select_query::bind_sort_target(const ast& node, const char* clause) {
  const auto& text = planner_.query;
  const auto at = start_of(node);
  const auto opened = open(node);
  if (opened.is("A_Const")) {
    if (!has(*opened.body, "ival"))
      return text.fail(ec::invalid_argument, at, std::string("non-integer constant in ") + clause);
    const auto position = number(child(*opened.body, "ival"), "ival");
    if (position < 1 || position > static_cast<std::int64_t>(outputs_.size()))
      return text.fail(ec::invalid_argument, at,
                       std::string(clause) + " position " + std::to_string(position)
                           + " is not in select list");
    return static_cast<std::size_t>(position - 1);
  }
  if (opened.is("ColumnRef")) {
    const auto path = names(list(*opened.body, "fields"));
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < outputs_.size() && path.size() == 1; ++i) {
      if (outputs_[i].name != path.front() || outputs_[i].name == "?column?")
        continue;
      if (found && !same_expr(*targets_[*found], *targets_[i]))
        return text.fail(ec::invalid_argument, at,
                         std::string(clause) + " \"" + path.front() + "\" is ambiguous");
      found = found.value_or(i);
    }
    if (found)
      return *found;
  }
  expr_binder binder{text, output_context()};
  EBB_ASSIGN(auto x, binder.bind_value(node));
  for (std::size_t i = 0; i < targets_.size(); ++i)
    if (same_expr(*targets_[i], *x))
      return i;
  if (distinct_)
    return text.fail(ec::invalid_argument, at,
                     "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
  targets_.push_back(std::move(x));
  return targets_.size() - 1;
}

result<void> select_query::bind_order() {
  for (const auto& item : list(body_, "sortClause")) {
    const auto node = open(item);
    EBB_ASSIGN(const auto target, bind_sort_target(child(*node.body, "node"), "ORDER BY"));
    const auto direction = text(*node.body, "sortby_dir");
    const auto nulls = text(*node.body, "sortby_nulls");
    if (direction == "SORTBY_USING")
      return planner_.query.fail(ec::unsupported, start_of(child(*node.body, "node")),
                                 "ORDER BY … USING is not supported");
    const bool descending = direction == "SORTBY_DESC";
    limit_.order.push_back(
        {static_cast<std::uint32_t>(target), descending,
         nulls == "SORTBY_NULLS_FIRST" || (nulls != "SORTBY_NULLS_LAST" && descending)});
  }
  return {};
}

result<void> select_query::bind_distinct_on(const ast::array_t& on) {
  for (const auto& node : on) {
    EBB_ASSIGN(const auto target, bind_sort_target(node, "DISTINCT ON"));
    if (std::find(distinct_on_.begin(), distinct_on_.end(), target) == distinct_on_.end())
      distinct_on_.push_back(static_cast<std::uint32_t>(target));
  }
  for (std::size_t i = 0; i < std::min(distinct_on_.size(), limit_.order.size()); ++i)
    if (std::find(distinct_on_.begin(), distinct_on_.end(), limit_.order[i].column)
        == distinct_on_.end())
      return planner_.query.fail(
          ec::invalid_argument, start_of(on.front()),
          "SELECT DISTINCT ON expressions must match initial ORDER BY expressions");
  if (limit_.at < 0)
    limit_.at = start_of(on.front());
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
  context.subqueries = this;
  context.outer = outer_;
  expr_binder binder{planner_.query, std::move(context)};
  EBB_ASSIGN(having_, binder.bind_condition(child(body_, "havingClause"), "HAVING"));
  return {};
}

result<void> select_query::check_direct_arguments() const {
  for (const auto& use : aggregates_) {
    if (!is_ordered_set(*use.function))
      continue;
    const expr* lost = nullptr;
    const auto look = [&](const expr_ptr& part) -> expr_ptr {
      const bool grouped_by = std::any_of(groups_.begin(), groups_.end(), [&](const auto& group) {
        return same_expr(*group, *part);
      });
      if (grouped_by)
        return part;
      if (part->kind == expr_kind::column && lost == nullptr)
        lost = part.get();
      return nullptr;
    };
    for (std::size_t i = 0; i + 1 < use.args.size(); ++i)
      static_cast<void>(rewrite(use.args[i], look));
    if (lost != nullptr)
      return planner_.query.fail(ec::invalid_argument, use.at,
                                 "column \"" + lost->text
                                     + "\" must appear in the GROUP BY clause or be used in an "
                                       "aggregate function",
                                 "direct arguments of an ordered-set aggregate must use only "
                                 "grouped columns");
  }
  return {};
}

} // namespace ebb::sql
