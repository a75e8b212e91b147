// FROM and WHERE: filters go down to the relations they speak of, window functions become
// operators, joins are planned bottom-up.

#include "actors/plan/sql/plan_from.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

bool reads_window(const from_item& leaf, const expr& x) {
  for (const auto column : columns_of(x))
    if (column >= leaf.window_start() && column < leaf.first + leaf.width)
      return true;
  return false;
}

// The literal of `rank <op> literal`, as the largest rank that can pass.
std::optional<std::int64_t> largest_rank(const expr& x, std::uint32_t rank) {
  if (x.kind != expr_kind::call || x.args.size() != 2)
    return std::nullopt;
  auto op = x.function->name;
  const auto* column = x.args[0].get();
  const auto* literal = x.args[1].get();
  if (column->kind == expr_kind::literal) {
    std::swap(column, literal);
    op = op == ">=" ? "<=" : op == ">" ? "<" : op == "=" ? "=" : "";
  }
  if (column->kind != expr_kind::column || column->index != rank
      || literal->kind != expr_kind::literal || literal->value.is_null(0))
    return std::nullopt;
  std::int64_t value = 0;
  switch (literal->type.kind) {
  case type_kind::bigint:
    value = literal->value.data<std::int64_t>()[0];
    break;
  case type_kind::integer:
    value = literal->value.data<std::int32_t>()[0];
    break;
  case type_kind::smallint:
    value = literal->value.data<std::int16_t>()[0];
    break;
  default:
    return std::nullopt;
  }
  if (op == "<=" || op == "=")
    return value;
  if (op == "<" && value > INT64_MIN)
    return value - 1;
  return std::nullopt;
}

// True where every rank up to `limit` passes the filter.
bool passes_all(const expr& filter, std::uint32_t rank, std::int64_t limit) {
  const auto largest = largest_rank(filter, rank);
  return largest && *largest >= limit && (filter.function->name != "=" || limit == 1);
}

} // namespace

expr_ptr localized(const expr_ptr& x, std::uint32_t first) {
  if (first == 0)
    return x;
  return rewrite(x, [&](const expr_ptr& leaf) -> expr_ptr {
    if (leaf->kind != expr_kind::column)
      return nullptr;
    return make_column_ref(leaf->index - first, leaf->type, leaf->text);
  });
}

// Ranks with `rank <= n` above them, maybe through a projection: the operator need keep only n; and
// where nothing else reads the ranks it need not tell them, so that a row that comes before others
// does not change them all. Takes out the filters that are then true.
node_id from_planner::limit_ranks(const from_item& leaf, std::vector<expr_ptr>& filters) {
  auto& build = planner_.build;
  const auto node = leaf.node;
  const auto spec_of = [&](node_id id) {
    return build.own(id) ? std::get_if<operator_spec>(&build.node(id).what) : nullptr;
  };
  const auto* spec = spec_of(node);
  const auto* above = spec == nullptr ? nullptr : std::get_if<filter_project_spec>(spec);
  if (above != nullptr && above->predicate)
    return node;
  const auto ranked = above == nullptr ? node : build.node(node).inputs.front();
  const auto* below = spec_of(ranked);
  if (below == nullptr)
    return node;
  auto limited = *below;
  auto* revised = std::get_if<changelog_top_n_spec>(&limited);
  auto* windowed = std::get_if<window_top_n_spec>(&limited);
  auto* limit = revised != nullptr && revised->with_rank     ? &revised->limit
                : windowed != nullptr && windowed->with_rank ? &windowed->limit
                                                             : nullptr;
  if (limit == nullptr)
    return node;
  const auto rank_column = build.width(ranked) - 1;
  auto outputs = build.pass(node);
  if (above != nullptr)
    for (std::size_t i = 0; i < outputs.size(); ++i)
      outputs[i].x = above->outputs[i];
  std::vector<std::uint32_t> ranks; // columns of the node
  for (std::uint32_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].x->kind == expr_kind::column && outputs[i].x->index == rank_column)
      ranks.push_back(i);
  for (const auto rank : ranks)
    for (const auto& filter : filters)
      if (const auto largest = largest_rank(*filter, rank))
        *limit = std::min(*limit, std::max<std::int64_t>(*largest, 1));
  auto columns = build.node(ranked).columns;
  if (revised != nullptr && drop_ranks(leaf, ranks, *limit, filters)) {
    revised->with_rank = false;
    columns.pop_back();
    const sql_type bigint{type_kind::bigint};
    for (const auto rank : ranks)
      outputs[rank].x = make_literal(make_null_column(bigint, 1));
  }
  const auto below_node = build.node(ranked);
  const auto top = build.add(below_node.label, std::move(limited), below_node.inputs,
                             std::move(columns), below_node.why);
  return build.project(top, nullptr, std::move(outputs));
}

// Nothing reads the ranks but filters that all of them pass; takes these out.
bool from_planner::drop_ranks(const from_item& leaf, const std::vector<std::uint32_t>& ranks,
                              std::int64_t limit, std::vector<expr_ptr>& filters) const {
  if (read_ == nullptr)
    return false;
  const auto reads_rank = [&](const expr& x) {
    const auto columns = columns_of(x);
    return std::any_of(ranks.begin(), ranks.end(), [&](auto rank) {
      return std::find(columns.begin(), columns.end(), rank) != columns.end();
    });
  };
  const auto needless = [&](const expr_ptr& filter) {
    return std::any_of(ranks.begin(), ranks.end(),
                       [&](auto rank) { return passes_all(*filter, rank, limit); });
  };
  for (const auto rank : ranks)
    if (std::find(read_->begin(), read_->end(), leaf.first + rank) != read_->end())
      return false;
  for (const auto& filter : filters)
    if (reads_rank(*filter) && !needless(filter))
      return false;
  std::erase_if(filters, needless);
  return true;
}

result<node_id> from_planner::base(const from_item& leaf, std::vector<expr_ptr> filters) {
  for (auto& filter : filters)
    filter = localized(filter, leaf.first);
  const auto node = limit_ranks(leaf, filters);
  return planner_.build.filter(node, std::move(filters));
}

result<node_id> from_planner::assigned(const from_item& leaf, std::vector<expr_ptr> filters) {
  auto& build = planner_.build;
  std::vector<expr_ptr> below;
  std::vector<expr_ptr> above;
  for (auto& filter : filters)
    (reads_window(leaf, *filter) ? above : below).push_back(std::move(filter));
  if (leaf.window->spec.kind == window_kind::session)
    return planner_.query.fail(ec::invalid_argument, leaf.at,
                               "session without GROUP BY: its windows are known per group only",
                               "group by window_start, window_end and the keys of the session; "
                               "filter on its windows with HAVING");
  EBB_ASSIGN(auto node, base(leaf, std::move(below)));
  const auto request = *leaf.window;
  auto spec = moved(request.spec, request.shift);
  const auto width = build.width(node);
  if (request.shift != 0) {
    const auto time = static_cast<std::uint32_t>(spec.time_column);
    auto outputs = build.pass(node);
    outputs.push_back(
        {"window_time",
         shifted(make_column_ref(time, build.columns(node)[time].type), request.shift),
         {}});
    spec.time_column = static_cast<std::int32_t>(width);
    node = build.project(node, nullptr, std::move(outputs));
  }
  auto columns = build.columns(node);
  const auto window = identity_of(request.spec);
  const auto bounds = window_roles(request);
  if (!window.processing_time && request.shift == 0
      && columns[static_cast<std::size_t>(spec.time_column)].role == column_role::event_time)
    columns[static_cast<std::size_t>(spec.time_column)].window = window;
  columns.push_back({"window_start", sql_type{type_kind::timestamp}, true, bounds.start.role,
                     window, bounds.start.lag});
  columns.push_back({"window_end", sql_type{type_kind::timestamp}, true, bounds.end.role, window,
                     bounds.end.lag});
  node = build.add("window", operator_spec{window_assign_spec{spec}}, {node}, std::move(columns),
                   "append-only: every row once for each window it lies in");
  if (request.shift != 0) {
    auto outputs = build.pass(node);
    outputs.erase(outputs.begin() + width);
    for (std::size_t i = width; i < outputs.size(); ++i)
      outputs[i].x = shifted(outputs[i].x, -request.shift);
    node = build.project(node, nullptr, std::move(outputs));
  }
  for (auto& filter : above)
    filter = localized(filter, leaf.first);
  return build.filter(node, std::move(above));
}

// Filters that the function's rows do not matter to come first.
result<node_id> from_planner::expanded(from_item& item, std::vector<expr_ptr> filters) {
  auto& build = planner_.build;
  const auto end = item.left->first + item.left->width;
  std::vector<expr_ptr> below;
  std::vector<expr_ptr> above;
  std::move(item.on.begin(), item.on.end(), std::back_inserter(filters));
  for (auto& filter : filters) {
    const auto reads = columns_of(*filter);
    (!reads.empty() && reads.back() < end ? below : above).push_back(std::move(filter));
  }
  EBB_ASSIGN(const auto node, plan(*item.left, std::move(below)));
  auto spec = item.expansion->spec;
  for (auto& arg : spec.args)
    arg = localized(arg, item.first);
  auto columns = build.columns(node);
  for (std::size_t i = 0; i < item.expansion->types.size(); ++i)
    columns.push_back(
        {item.expansion->columns[i], item.expansion->types[i], false, column_role::plain, {}, 0});
  if (spec.ordinality)
    columns.push_back({"ordinality",
                       sql_type{type_kind::bigint},
                       !spec.keeps_empty,
                       column_role::plain,
                       {},
                       0});
  auto made = build.add(item.expansion->function, operator_spec{std::move(spec)}, {node},
                        std::move(columns),
                        "append-only: each row once for each row of " + item.expansion->function);
  for (auto& filter : above)
    filter = localized(filter, item.first);
  return build.filter(made, std::move(above));
}

result<node_id> from_planner::plan(from_item& item, std::vector<expr_ptr> filters) {
  if (item.expansion)
    return expanded(item, std::move(filters));
  if (!item.is_leaf())
    return plan_join(item, std::move(filters));
  return item.window ? assigned(item, std::move(filters)) : base(item, std::move(filters));
}

window_bounds window_roles(const window_request& request) {
  const auto window = identity_of(request.spec);
  window_bounds bounds;
  bounds.start = {column_role::window_start, window, 0};
  bounds.end = {column_role::window_end, window, 0};
  if (window.processing_time)
    return bounds;
  // A window fires when the watermark reaches its end, a session when it passes it.
  const bool session = window.kind == window_kind::session;
  bounds.end.lag = request.shift - (session ? 0 : 1);
  bounds.start.lag = add_lag(bounds.end.lag, longest(window));
  return bounds;
}

bool is_rank_limit(const expr& x) {
  const auto columns = columns_of(x);
  return columns.size() == 1 && largest_rank(x, columns.front()).has_value();
}

result<staged_rows> plan_from(query_planner& planner, from_item& root,
                              std::vector<expr_ptr> filters,
                              const std::vector<std::uint32_t>* read) {
  from_planner from{planner, read};
  staged_rows rows;
  EBB_ASSIGN(rows.node, from.plan(root, std::move(filters)));
  rows.times = from.take_times();
  rows.place = [](const expr_ptr& x) -> expr_ptr {
    return x->kind == expr_kind::column && x->index < proctime_index ? x : nullptr;
  };
  return rows;
}

} // namespace ebb::sql
