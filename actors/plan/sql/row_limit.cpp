#include "actors/plan/sql/row_limit.hpp"

#include "actors/plan/sql/bind_expr.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

// The number of a LIMIT or OFFSET; nothing where it is NULL.
result<std::optional<std::int64_t>> constant_count(const sql_text& text, const ast& node,
                                                   const std::string& clause) {
  bind_context context;
  context.no_aggregates = "aggregate functions are not allowed in " + clause;
  context.no_overs = "window functions are not allowed in " + clause;
  expr_binder binder{text, std::move(context)};
  const auto at = start_of(node);
  EBB_ASSIGN(auto x, binder.bind(node));
  EBB_ASSIGN(x, coerce(text, x, sql_type{type_kind::bigint}, cast_context::implicit, at));
  x = folded(x);
  if (x->kind != expr_kind::literal)
    return text.fail(ec::unsupported, at, clause + " must be a constant");
  if (x->value.is_null(0))
    return std::optional<std::int64_t>{};
  const auto value = x->value.data<std::int64_t>()[0];
  if (value < 0)
    return text.fail(ec::invalid_argument, at, clause + " must not be negative");
  return std::optional{value};
}

} // namespace

result<row_limit> bind_limit(const sql_text& text, const ast& select, bool order_is_used) {
  row_limit limit;
  if (has(select, "lockingClause"))
    return text.fail(ec::unsupported, text.keyword_before("FOR", -1),
                     "FOR UPDATE and FOR SHARE are not supported", "remove the clause");
  for (const char* clause : {"limitOffset", "limitCount"}) {
    if (!has(select, clause))
      continue;
    const auto& node = child(select, clause);
    const bool is_count = std::string_view{clause} == "limitCount";
    EBB_ASSIGN(const auto count, constant_count(text, node, is_count ? "LIMIT" : "OFFSET"));
    if (!count)
      continue;
    limit.given = true;
    limit.at = start_of(node);
    if (!is_count)
      limit.offset = *count;
    else if (__builtin_add_overflow(limit.offset, *count, &limit.last))
      limit.last = std::numeric_limits<std::int64_t>::max();
  }
  limit.ties = ebb::sql::text(select, "limitOption") == "LIMIT_OPTION_WITH_TIES";
  const auto& keys = list(select, "sortClause");
  if (!keys.empty() && !limit.given && !order_is_used)
    return text.fail(ec::unsupported, start_of(child(*open(keys.front()).body, "node")),
                     "ORDER BY without LIMIT is not supported",
                     "a stream has no last row to sort up to; keep the first rows with LIMIT, or "
                     "number them with ROW_NUMBER() OVER (PARTITION BY … ORDER BY …)");
  return limit;
}

result<std::vector<sort_key>> bind_output_order(const sql_text& text, const ast& select,
                                                const std::vector<query_output>& outputs) {
  std::vector<sort_key> order;
  for (const auto& item : list(select, "sortClause")) {
    const auto& body = *open(item).body;
    const auto& key = child(body, "node");
    const auto at = start_of(key);
    const auto node = open(key);
    auto found = outputs.size();
    if (node.is("A_Const") && has(*node.body, "ival")) {
      const auto position = number(child(*node.body, "ival"), "ival");
      if (position < 1 || position > static_cast<std::int64_t>(outputs.size()))
        return text.fail(ec::invalid_argument, at,
                         "ORDER BY position " + std::to_string(position)
                             + " is not in select list");
      found = static_cast<std::size_t>(position - 1);
    } else if (node.is("ColumnRef")) {
      const auto path = names(list(*node.body, "fields"));
      for (std::size_t i = 0; i < outputs.size() && path.size() == 1; ++i)
        if (outputs[i].name == path.front())
          found = std::min(found, i);
      if (found == outputs.size())
        return text.fail(ec::invalid_argument, at,
                         "column \"" + (path.empty() ? std::string{} : path.back())
                             + "\" does not exist in the result of the set operation");
    } else {
      return text.fail(ec::invalid_argument, at, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                       "only result column names can be used, not expressions or functions");
    }
    const auto direction = ebb::sql::text(body, "sortby_dir");
    const auto nulls = ebb::sql::text(body, "sortby_nulls");
    if (direction == "SORTBY_USING")
      return text.fail(ec::unsupported, at, "ORDER BY … USING is not supported");
    const bool descending = direction == "SORTBY_DESC";
    order.push_back(
        {static_cast<std::uint32_t>(found), descending,
         nulls == "SORTBY_NULLS_FIRST" || (nulls != "SORTBY_NULLS_LAST" && descending)});
  }
  return order;
}

void warn_top_n(query_planner& planner, std::int32_t at, const char* what,
                const std::vector<std::string>& partition, bool updating) {
  if (partition.empty()) {
    // Where rows only come, those behind the last that ranks are let go of.
    if (updating)
      planner.build.warn(planner.query.fail(
          ec::resource, at,
          std::string(what)
              + " over rows that update keeps all of them, in one subtask: any may be among the "
                "first when others go",
          "its state grows with the rows that are there; take the first of rows that only come, or "
          "of fewer rows"));
    return;
  }
  std::string columns;
  for (const auto& name : partition)
    columns += (columns.empty() ? "" : ", ") + name;
  planner.build.warn_of_growth(planner.query.fail(
      ec::resource, at,
      std::string(what) + " without a window keeps rows for ever for each distinct (" + columns
          + ')',
      "its state grows with them; partition by a window's end to let go of what is past"));
}

node_id keep_first(query_planner& planner, node_id rows, std::vector<std::uint32_t> partition,
                   const row_limit& limit) {
  auto& build = planner.build;
  std::vector<std::string> names_of_partition;
  for (const auto column : partition)
    names_of_partition.push_back(build.columns(rows)[column].name);
  const bool updating = build.node(rows).updating;
  warn_top_n(planner, limit.at, names_of_partition.empty() ? "LIMIT" : "DISTINCT ON",
             names_of_partition, updating);
  changelog_top_n_spec spec;
  spec.partition = std::move(partition);
  spec.order_by = limit.order;
  spec.rank = limit.ties ? rank_kind::rank : rank_kind::row_number;
  spec.offset = limit.offset;
  spec.limit = limit.last;
  spec.updating = updating;
  return build.add("top-N", operator_spec{std::move(spec)}, {rows}, build.columns(rows),
                   "updating: a later row may come before those that are among the first now");
}

} // namespace ebb::sql
