#include "actors/plan/sql/staged_rows.hpp"

#include "actors/dataflow/ordered_set.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

// Its columns may be what the node below computes: the two become one step.
bool can_fail(const node_builder& build, node_id input, const expr& x) {
  if (x.may_fail)
    return true;
  const auto* spec = std::get_if<operator_spec>(&build.node(input).what);
  const auto* below = spec == nullptr ? nullptr : std::get_if<filter_project_spec>(spec);
  const auto read = below == nullptr ? std::vector<std::uint32_t>{} : columns_of(x);
  return std::any_of(read.begin(), read.end(), [&](const auto column) {
    return column < below->outputs.size() && below->outputs[column]->may_fail;
  });
}

} // namespace

aggregate_use behind_filter(const node_builder& build, node_id input, aggregate_use use) {
  if (!use.filter)
    return use;
  const auto guard = [&](expr_ptr& x) {
    if (can_fail(build, input, *x))
      x = make_logic(expr_kind::case_, x->type, {use.filter, x}, x->text);
  };
  // The direct arguments of an ordered set are of the group, not of its rows.
  const auto direct = is_ordered_set(*use.function) ? use.args.size() - 1 : 0;
  std::for_each(use.args.begin() + static_cast<std::ptrdiff_t>(direct), use.args.end(), guard);
  for (auto& item : use.order)
    guard(item.x);
  return use;
}

time_role role_of(const node_builder& build, const staged_rows& rows, const expr& x) {
  if (x.kind == expr_kind::column && x.index < build.width(rows.node))
    if (auto role = role_of(build.columns(rows.node)[x.index]); role.role != column_role::plain)
      return role;
  for (const auto& timed : rows.times)
    if (same_expr(*timed.x, x))
      return timed.role;
  return {};
}

std::uint32_t column_slots::take(const expr_ptr& x) {
  for (std::uint32_t i = 0; i < columns_.size(); ++i)
    if (same_expr(*columns_[i], *x))
      return i;
  columns_.push_back(x);
  return static_cast<std::uint32_t>(columns_.size() - 1);
}

node_id column_slots::build(node_builder& builder, node_id input,
                            std::vector<expr_ptr> filters) const {
  std::vector<output_column> outputs;
  for (std::uint32_t i = 0; i < columns_.size(); ++i) {
    const auto& x = columns_[i];
    auto name = x->kind == expr_kind::column ? builder.columns(input)[x->index].name : x->text;
    outputs.push_back({name.empty() ? "column" + std::to_string(i + 1) : std::move(name), x, {}});
  }
  return builder.project(input, combine(expr_kind::and_, std::move(filters)), std::move(outputs));
}

window_spec moved(window_spec window, micros shift) {
  if (window.kind == window_kind::session || shift == 0)
    return window;
  const auto period = window.kind == window_kind::hop ? window.slide : window.size;
  window.offset = static_cast<micros>((static_cast<int128>(window.offset) + shift) % period);
  return window;
}

void follow(std::vector<plan_column>& columns, std::size_t time, micros lag) {
  const auto leader = role_of(columns[time]);
  // How far behind the leader the other times of its window may lie.
  const auto behind = [&](column_role role) -> micros {
    const auto span = longest(leader.window);
    switch (leader.role) {
    case column_role::window_start:
      return role == column_role::window_end ? -shortest(leader.window) : 0;
    case column_role::window_end:
      return role == column_role::window_end ? 0 : span;
    case column_role::event_time:
      return role == column_role::window_start ? add_lag(span, -1) : -1;
    case column_role::plain:
      break;
    }
    return unbounded_lag;
  };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    auto& column = columns[i];
    if (column.role == column_role::plain)
      continue;
    const bool same_window = leader.window.size != 0 && column.window == leader.window;
    if (i == time)
      column.lag = lag;
    else if (same_window && column.role != leader.role)
      column.lag = add_lag(lag, behind(column.role));
    else if (same_window && column.role == column_role::window_end)
      column.lag = lag;
    else
      column.role = column_role::plain;
    if (column.role == column_role::plain || column.lag == unbounded_lag) {
      // window_start of a session stays one, for joins and GROUP BY beside its end.
      if (column.role != column_role::window_start)
        column.role = column_role::plain;
      if (column.role == column_role::plain) {
        column.window = {};
        column.lag = 0;
      }
    }
  }
}

result<std::optional<attached_window>> find_window(const query_planner& planner,
                                                   const staged_rows& rows,
                                                   const std::vector<expr_ptr>& keys,
                                                   std::int32_t at, std::string_view what) {
  attached_window found;
  time_role end_role;
  time_role start_role;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto role = role_of(planner.build, rows, *keys[i]);
    if (role.role == column_role::window_end && found.end == SIZE_MAX) {
      found.end = i;
      end_role = role;
    }
    if (role.role == column_role::window_start && found.start == SIZE_MAX) {
      found.start = i;
      start_role = role;
    }
  }
  if (found.end == SIZE_MAX && found.start == SIZE_MAX)
    return std::optional<attached_window>{};
  const auto& role = found.end != SIZE_MAX ? end_role : start_role;
  found.window = role.window;
  if (role.window.processing_time)
    return planner.query.fail(
        ec::unsupported, at,
        std::string(what)
            + " windows of processing time that an earlier step made is not "
              "supported",
        "group where the window function stands: FROM tumble(…, proctime(), …) "
        "GROUP BY window_start, window_end");
  if (found.end != SIZE_MAX) {
    if (end_role.lag == unbounded_lag)
      return planner.query.fail(ec::unsupported, at,
                                std::string(what)
                                    + " this window_end is not supported: it lags behind the "
                                      "watermark without bound");
    found.shift = std::max<micros>(0, add_lag(end_role.lag, 1));
    found.end_value = shifted(keys[found.end], found.shift);
    return std::optional{std::move(found)};
  }
  if (start_role.lag == unbounded_lag)
    return planner.query.fail(
        ec::unsupported, at,
        std::string(what)
            + " the window_start of a session alone is not supported: it does "
              "not tell when the session ends",
        "add window_end");
  // All windows that begin there have ended by start + longest.
  const auto span = longest(start_role.window);
  found.shift = std::max<micros>(0, start_role.lag - span + 1);
  found.end_value = shifted(keys[found.start], span + found.shift);
  return std::optional{std::move(found)};
}

} // namespace ebb::sql
