// GROUP BY windows and keys. Where the window function stands in FROM, the aggregate slices time
// itself; else the rows carry their windows.

#include "actors/plan/sql/plan_from.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr const char* why_append =
    "append-only: a window is emitted once, when the watermark passes its end";

error no_window(const query_planner& planner, const grouping& groups) {
  const char* what = groups.from_distinct  ? "SELECT DISTINCT without a window"
                     : groups.keys.empty() ? "an aggregate without GROUP BY a window"
                                           : "GROUP BY without a window";
  return planner.query.fail(
      ec::unsupported, groups.at,
      std::string(what) + " is not supported: its result changes with every row",
      groups.from_distinct ? "read FROM tumble(relation, event_time, INTERVAL '…') and select "
                             "window_start or window_end too"
                           : "read FROM tumble(relation, event_time, INTERVAL '…') and group by "
                             "window_start, window_end");
}

// The calls of the operator; arguments become columns of its input.
std::vector<aggregate_call> make_calls(const std::vector<aggregate_use>& uses,
                                       column_slots& slots) {
  std::vector<aggregate_call> calls;
  for (const auto& use : uses) {
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
        {use.function->name, use.type, use.function->name == "count", column_role::plain, {}, 0});
  return columns;
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
    spec.calls = make_calls(uses, slots);
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
    const auto first_result = window_at + 2;
    rows.place = [values = std::move(values), first_result,
                  results](const expr_ptr& x) -> expr_ptr {
      for (const auto& [key, value] : values)
        if (same_expr(*key, *x))
          return value;
      if (x->kind == expr_kind::column && x->index >= aggregate_base
          && x->index < aggregate_base + results)
        return make_column_ref(first_result + x->index - aggregate_base, x->type, x->text);
      return nullptr;
    };
    return rows;
  }

  query_planner& planner_;
  const from_item& leaf_;
  const grouping& groups_;
  std::vector<std::uint32_t> window_columns_;
};

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
    return no_window(planner, groups);
  column_slots slots;
  window_aggregate_spec spec;
  std::vector<expr_ptr> keys;
  for (std::size_t i = 0; i < groups.keys.size(); ++i) {
    if (i == window->start || i == window->end)
      continue;
    keys.push_back(groups.keys[i]);
    spec.keys.push_back(slots.take(groups.keys[i]));
  }
  spec.calls = make_calls(groups.aggregates, slots);
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
  const auto first_result = window_at + 2;
  const auto results = static_cast<std::uint32_t>(groups.aggregates.size());
  made.place = [values = std::move(values), first_result, results](const expr_ptr& x) -> expr_ptr {
    for (const auto& [key, value] : values)
      if (same_expr(*key, *x))
        return value;
    if (x->kind == expr_kind::column && x->index >= aggregate_base
        && x->index < aggregate_base + results)
      return make_column_ref(first_result + x->index - aggregate_base, x->type, x->text);
    return nullptr;
  };
  return made;
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
