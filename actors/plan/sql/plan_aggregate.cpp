// GROUP BY windows and keys. Where the window function stands in FROM, the aggregate slices time
// itself; else the rows carry their windows.

#include "actors/plan/sql/plan_from.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr const char* why_append =
    "append-only: a window is emitted once, when the watermark passes its end";

// The calls of the operator; arguments become columns of its input.
std::vector<aggregate_call> make_calls(const node_builder& build, node_id input,
                                       const std::vector<aggregate_use>& uses, column_slots& slots) {
  std::vector<aggregate_call> calls;
  for (const auto& written : uses) {
    const auto use = behind_filter(build, input, written);
    aggregate_call call;
    call.function = use.function;
    call.type = use.type;
    call.distinct = use.distinct;
    for (const auto& arg : use.args) {
      call.args.push_back(slots.take(arg));
      call.arg_types.push_back(arg->type);
    }
    if (use.filter)
      call.filter = static_cast<std::int32_t>(slots.take(use.filter));
    for (const auto& item : use.order)
      call.order_by.push_back({slots.take(item.x), item.descending, item.nulls_first});
    calls.push_back(std::move(call));
  }
  return calls;
}

std::string name_of(const expr& x, std::size_t i) {
  return x.text.empty() ? "key" + std::to_string(i + 1) : x.text;
}

// Output columns of the operator: keys, window_start, window_end, results.
std::vector<plan_column> output_columns(const std::vector<expr_ptr>& keys,
                                        const window_bounds& bounds,
                                        const std::vector<aggregate_use>& uses) {
  std::vector<plan_column> columns;
  for (std::size_t i = 0; i < keys.size(); ++i)
    columns.push_back({name_of(*keys[i], i), keys[i]->type, false, column_role::plain, {}, 0});
  const sql_type timestamp{type_kind::timestamp};
  columns.push_back(
      {"window_start", timestamp, true, bounds.start.role, bounds.start.window, bounds.start.lag});
  columns.push_back(
      {"window_end", timestamp, true, bounds.end.role, bounds.end.window, bounds.end.lag});
  for (const auto& use : uses)
    columns.push_back(
        {use.function->name, use.type, is_count(use.function->name), column_role::plain, {}, 0});
  return columns;
}

// What is known after grouping: keys and results, as columns of the operator's rows.
std::function<expr_ptr(const expr_ptr&)>
place_groups(std::vector<std::pair<expr_ptr, expr_ptr>> values, std::uint32_t first_result,
             std::size_t results) {
  return [values = std::move(values), first_result, results](const expr_ptr& x) -> expr_ptr {
    for (const auto& [key, value] : values)
      if (same_expr(*key, *x))
        return value;
    if (x->kind == expr_kind::column && x->index >= aggregate_base
        && x->index < aggregate_base + results)
      return make_column_ref(first_result + x->index - aggregate_base, x->type, x->text);
    return nullptr;
  };
}

bool reads_any(const expr& x, const std::vector<std::uint32_t>& wanted) {
  const auto columns = columns_of(x);
  return std::any_of(columns.begin(), columns.end(), [&](auto column) {
    return std::find(wanted.begin(), wanted.end(), column) != wanted.end();
  });
}

bool reads_only(const expr& x, const std::vector<std::uint32_t>& wanted) {
  const auto columns = columns_of(x);
  return std::all_of(columns.begin(), columns.end(), [&](auto column) {
    return std::find(wanted.begin(), wanted.end(), column) != wanted.end();
  });
}

bool uses_any(const aggregate_use& use, const std::vector<std::uint32_t>& wanted) {
  const auto reads = [&](const expr_ptr& x) { return reads_any(*x, wanted); };
  return std::any_of(use.args.begin(), use.args.end(), reads) || (use.filter && reads(use.filter))
         || std::any_of(use.order.begin(), use.order.end(),
                        [&](const auto& item) { return reads(item.x); });
}

// Aggregates where the window function stands in FROM.
class direct_aggregate {
public:
  direct_aggregate(query_planner& planner, const from_item& leaf, const grouping& groups)
      : planner_(planner), leaf_(leaf),
        groups_(groups), window_columns_{leaf.window_start(), leaf.window_start() + 1} {}

  // True if the operator can slice time itself: window columns are keys and nothing else reads them
  // before the windows are complete.
  [[nodiscard]] bool possible(const std::vector<expr_ptr>& filters) const {
    bool start = false;
    bool end = false;
    for (const auto& key : groups_.keys) {
      start = start || is_column(*key, window_columns_[0]);
      end = end || is_column(*key, window_columns_[1]);
    }
    // Windows of cumulate that begin together end apart.
    if (leaf_.window->spec.kind == window_kind::cumulate ? !end : !start && !end)
      return false;
    for (const auto& key : groups_.keys)
      if (reads_any(*key, window_columns_) && !reads_only(*key, window_columns_))
        return false;
    return std::none_of(filters.begin(), filters.end(),
                        [&](const auto& x) { return reads_any(*x, window_columns_); })
           && std::none_of(groups_.aggregates.begin(), groups_.aggregates.end(),
                           [&](const auto& use) { return uses_any(use, window_columns_); });
  }

  result<staged_rows> run(std::vector<expr_ptr> filters) {
    from_planner from{planner_};
    EBB_ASSIGN(const auto input, from.base(leaf_, std::move(filters)));
    const auto& request = *leaf_.window;
    column_slots slots;
    std::vector<expr_ptr> keys;
    window_aggregate_spec spec;
    for (const auto& key : groups_.keys) {
      if (reads_any(*key, window_columns_))
        continue; // a window column, or made of them
      keys.push_back(localized(key, leaf_.first));
      spec.keys.push_back(slots.take(keys.back()));
    }
    auto uses = groups_.aggregates;
    for (auto& use : uses)
      localize(use);
    spec.calls = make_calls(planner_.build, input, uses, slots);
    spec.window = moved(request.spec, request.shift);
    if (!request.spec.processing_time) {
      const auto time = static_cast<std::uint32_t>(request.spec.time_column);
      const auto type = planner_.build.columns(input)[time].type;
      spec.window.time_column = static_cast<std::int32_t>(
          slots.take(shifted(make_column_ref(time, type), request.shift)));
    }
    const auto rows = slots.build(planner_.build, input, {});
    const auto window_at = static_cast<std::uint32_t>(keys.size());
    const auto bounds = window_roles(request);
    const auto results = static_cast<std::uint32_t>(groups_.aggregates.size());
    const auto node = planner_.build.add(
        groups_.aggregates.empty() ? "window distinct" : "window aggregate",
        operator_spec{std::move(spec)}, {rows}, output_columns(keys, bounds, groups_.aggregates),
        request.spec.processing_time
            ? "append-only: a window is emitted once, when processing time passes its end"
            : why_append);
    return staged(node, window_at, results, bounds);
  }

private:
  static bool is_column(const expr& x, std::uint32_t column) {
    return x.kind == expr_kind::column && x.index == column;
  }

  void localize(aggregate_use& use) const {
    for (auto& arg : use.args)
      arg = localized(arg, leaf_.first);
    if (use.filter)
      use.filter = localized(use.filter, leaf_.first);
    for (auto& item : use.order)
      item.x = localized(item.x, leaf_.first);
  }

  staged_rows staged(node_id node, std::uint32_t window_at, std::uint32_t results,
                     const window_bounds& bounds) const {
    const sql_type timestamp{type_kind::timestamp};
    const auto shift = leaf_.window->shift;
    const auto start = shifted(make_column_ref(window_at, timestamp, "window_start"), -shift);
    const auto end = shifted(make_column_ref(window_at + 1, timestamp, "window_end"), -shift);
    staged_rows rows;
    rows.node = node;
    if (shift != 0)
      rows.times = {{start, bounds.start}, {end, bounds.end}};
    const auto window_columns = window_columns_;
    const auto window_value = [=](const expr_ptr& x) -> expr_ptr {
      if (x->kind != expr_kind::column)
        return nullptr;
      return x->index == window_columns[0] ? start : x->index == window_columns[1] ? end : nullptr;
    };
    std::vector<std::pair<expr_ptr, expr_ptr>> values;
    std::uint32_t next = 0;
    for (const auto& key : groups_.keys)
      values.emplace_back(key, reads_any(*key, window_columns_)
                                   ? rewrite(key, window_value)
                                   : make_column_ref(next++, key->type, key->text));
    rows.place = place_groups(std::move(values), window_at + 2, results);
    return rows;
  }

  query_planner& planner_;
  const from_item& leaf_;
  const grouping& groups_;
  std::vector<std::uint32_t> window_columns_;
};

// `a, b and 2 more`
std::string key_list(const std::vector<expr_ptr>& keys) {
  constexpr std::size_t most = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(keys.size(), most); ++i)
    text += (i == 0 ? "" : ", ") + name_of(*keys[i], i);
  if (keys.size() > most)
    text += " and " + std::to_string(keys.size() - most) + " more";
  return text;
}

std::string why_groups_update(const grouping& groups) {
  if (groups.aggregates.empty())
    return "append-only: a distinct row is emitted when it first comes";
  return groups.keys.empty()
             ? "updating: an aggregate without a window changes with every row"
             : "updating: GROUP BY without a window revises a group's row as its rows come and go";
}

// What an aggregate of all rows holds; empty = a value or two.
std::string held_by(const aggregate_use& use, bool updating) {
  const std::string_view name = use.function->name;
  if (use.distinct && name != "min" && name != "max")
    return "every distinct value for ever";
  if (name == "string_agg" || name == "array_agg" || name == "percentile_cont"
      || name == "percentile_disc" || name == "mode")
    return "every value for ever";
  if (updating && (name == "min" || name == "max"))
    return "every distinct value of rows that update, as the one that it gives may go";
  return {};
}

void warn_of_held(query_planner& planner, const grouping& groups, bool updating) {
  for (const auto& use : groups.aggregates)
    if (const auto held = held_by(use, updating); !held.empty())
      planner.build.warn(planner.query.fail(
          ec::resource, use.at < 0 ? groups.at : use.at,
          std::string(use.function->name) + (use.distinct ? "(DISTINCT …)" : "")
              + " without GROUP BY or a window keeps " + held,
          "its state grows with them; group by a window to let go of what is past"));
}

// No window says when a group is complete: its row is revised instead.
result<staged_rows> plan_group_aggregate(query_planner& planner, const staged_rows& rows,
                                         const grouping& groups) {
  auto& build = planner.build;
  column_slots slots;
  group_aggregate_spec spec;
  spec.updating = build.node(rows.node).updating;
  std::vector<plan_column> columns;
  std::vector<std::pair<expr_ptr, expr_ptr>> values;
  for (std::size_t i = 0; i < groups.keys.size(); ++i) {
    const auto& key = groups.keys[i];
    spec.keys.push_back(slots.take(key));
    columns.push_back({name_of(*key, i), key->type, false, column_role::plain, {}, 0});
    values.emplace_back(key, make_column_ref(static_cast<std::uint32_t>(i), key->type, key->text));
  }
  spec.calls = make_calls(build, rows.node, groups.aggregates, slots);
  for (const auto& use : groups.aggregates)
    columns.push_back(
        {use.function->name, use.type, is_count(use.function->name), column_role::plain, {}, 0});
  const auto input = slots.build(build, rows.node, {});
  if (!groups.keys.empty())
    build.warn_of_growth(planner.query.fail(
        ec::resource, groups.at,
        std::string(groups.clause) + " without a window keeps one entry for ever for each distinct ("
            + key_list(groups.keys) + ')',
        "its state grows with them; group by a window to let go of what is past"));
  else
    warn_of_held(planner, groups, build.node(rows.node).updating);
  staged_rows made;
  made.node = build.add(groups.aggregates.empty() ? "distinct" : "aggregate",
                        operator_spec{std::move(spec)}, {input}, std::move(columns),
                        why_groups_update(groups));
  made.place = place_groups(std::move(values), static_cast<std::uint32_t>(groups.keys.size()),
                            groups.aggregates.size());
  return made;
}

// Why rows of a session cannot be grouped, though its window is a key or not.
error session_refused(const query_planner& planner, const from_item& leaf, const grouping& groups) {
  const bool keyed = std::any_of(groups.keys.begin(), groups.keys.end(), [&](const auto& key) {
    return key->kind == expr_kind::column && key->index >= leaf.window_start();
  });
  if (!keyed)
    return planner.query.fail(ec::invalid_argument, groups.at < 0 ? leaf.at : groups.at,
                              "session without GROUP BY window_start or window_end",
                              "add window_start, window_end to GROUP BY");
  return planner.query.fail(ec::unsupported, leaf.at,
                            "window_start and window_end of a session inside WHERE, aggregates or "
                            "other keys are not supported: they are known after grouping only",
                            "use them in HAVING or in the SELECT list");
}

} // namespace

result<staged_rows> plan_attached_aggregate(query_planner& planner, const staged_rows& rows,
                                            const grouping& groups) {
  EBB_ASSIGN(auto window, find_window(planner, rows, groups.keys, groups.at, "GROUP BY"));
  if (!window)
    return plan_group_aggregate(planner, rows, groups);
  column_slots slots;
  window_aggregate_spec spec;
  std::vector<expr_ptr> keys;
  for (std::size_t i = 0; i < groups.keys.size(); ++i) {
    if (i == window->start || i == window->end)
      continue;
    keys.push_back(groups.keys[i]);
    spec.keys.push_back(slots.take(groups.keys[i]));
  }
  spec.calls = make_calls(planner.build, rows.node, groups.aggregates, slots);
  spec.window.kind = window_kind::attached;
  spec.window.end_column = static_cast<std::int32_t>(slots.take(window->end_value));
  if (window->start != SIZE_MAX)
    spec.window.start_column = static_cast<std::int32_t>(slots.take(groups.keys[window->start]));
  const auto input = slots.build(planner.build, rows.node, {});
  // The fired end lies behind the watermark; the other bound follows it.
  const auto span = longest(window->window);
  const bool by_end = window->end != SIZE_MAX;
  window_bounds bounds;
  bounds.end = {by_end ? column_role::window_end : column_role::plain, window->window,
                window->shift - 1};
  bounds.start = {window->start != SIZE_MAX ? column_role::window_start : column_role::plain,
                  window->window, add_lag(window->shift - 1, span)};
  const auto window_at = static_cast<std::uint32_t>(keys.size());
  staged_rows made;
  made.node = planner.build.add(groups.aggregates.empty() ? "window distinct" : "window aggregate",
                                operator_spec{std::move(spec)}, {input},
                                output_columns(keys, bounds, groups.aggregates), why_append);
  const sql_type timestamp{type_kind::timestamp};
  const auto end = shifted(make_column_ref(window_at + 1, timestamp, "window_end"), -window->shift);
  if (by_end && window->shift != 0)
    made.times.push_back({end, bounds.end});
  std::vector<std::pair<expr_ptr, expr_ptr>> values;
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < groups.keys.size(); ++i) {
    const auto& key = groups.keys[i];
    auto value = i == window->end     ? end
                 : i == window->start ? make_column_ref(window_at, timestamp, "window_start")
                                      : make_column_ref(next, key->type, key->text);
    if (i != window->end && i != window->start)
      ++next;
    values.emplace_back(key, std::move(value));
  }
  made.place = place_groups(std::move(values), window_at + 2, groups.aggregates.size());
  return made;
}

aggregate_use count_rows(expr_ptr filter) {
  aggregate_use use;
  for (const auto& overload : find_aggregates("count"))
    if (overload.params.empty())
      use.function = &overload;
  EBB_ASSERT(use.function != nullptr);
  use.type = sql_type{type_kind::bigint};
  use.filter = std::move(filter);
  return use;
}

result<node_id> plan_distinct(query_planner& planner, node_id node, std::int32_t at,
                              const char* clause) {
  staged_rows rows;
  rows.node = node;
  grouping groups;
  groups.clause = clause;
  groups.at = at;
  const auto columns = planner.build.columns(node);
  for (std::uint32_t i = 0; i < columns.size(); ++i)
    groups.keys.push_back(make_column_ref(i, columns[i].type, columns[i].name));
  EBB_ASSIGN(const auto made, plan_attached_aggregate(planner, rows, groups));
  std::vector<output_column> outputs;
  for (std::size_t i = 0; i < groups.keys.size(); ++i) {
    auto value = made.place(groups.keys[i]);
    std::optional<time_role> role;
    if (const auto known = role_of(planner.build, made, *value); known.role != column_role::plain)
      role = known;
    outputs.push_back({columns[i].name, std::move(value), role});
  }
  return planner.build.project(made.node, nullptr, std::move(outputs));
}

result<staged_rows> plan_aggregate(query_planner& planner, from_item& root,
                                   std::vector<expr_ptr> filters, const grouping& groups) {
  if (root.is_leaf() && root.window) {
    direct_aggregate direct{planner, root, groups};
    if (direct.possible(filters))
      return direct.run(std::move(filters));
    if (root.window->spec.kind == window_kind::session)
      return session_refused(planner, root, groups);
  }
  EBB_ASSIGN(const auto rows, plan_from(planner, root, std::move(filters)));
  return plan_attached_aggregate(planner, rows, groups);
}

} // namespace ebb::sql
