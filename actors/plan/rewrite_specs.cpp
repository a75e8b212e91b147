// What each operator reads, and how it changes when its input columns move.

#include "actors/plan/rewrite.hpp"
#include "schemas/overloaded.hpp"

#include <algorithm>

namespace ebb {

namespace {

using flags = std::vector<bool>;

void read_expr(const expr_ptr& x, flags& into) {
  if (!x)
    return;
  std::vector<std::uint32_t> columns;
  collect_columns(*x, columns);
  for (const auto column : columns)
    into[column] = true;
}

void read(std::int32_t column, flags& into) {
  if (column >= 0)
    into[static_cast<std::size_t>(column)] = true;
}

void read(std::uint32_t column, flags& into) {
  into[column] = true;
}

void read_all(const std::vector<std::uint32_t>& columns, flags& into) {
  for (const auto column : columns)
    into[column] = true;
}

void read_window(const window_spec& window, flags& into) {
  read(window.time_column, into);
  read(window.start_column, into);
  read(window.end_column, into);
}

void read_call(const aggregate_call& call, flags& into) {
  read_all(call.args, into);
  read(call.filter, into);
  for (const auto& key : call.order_by)
    read(key.column, into);
}

// Passes the wanted outputs of a pass-through operator to its input.
void read_through(const flags& outputs, flags& into) {
  for (std::size_t i = 0; i < into.size(); ++i)
    if (outputs[i])
      into[i] = true;
}

template <class Join>
void read_join(const Join& spec, const flags& outputs, std::vector<flags>& inputs) {
  auto& left = inputs[0];
  auto& right = inputs[1];
  read_all(spec.left_keys, left);
  read_all(spec.right_keys, right);
  flags both(left.size() + right.size());
  std::copy(outputs.begin(), outputs.end(), both.begin());
  read_expr(spec.residual, both);
  for (std::size_t i = 0; i < left.size(); ++i)
    if (both[i])
      left[i] = true;
  for (std::size_t i = 0; i < right.size(); ++i)
    if (both[left.size() + i])
      right[i] = true;
}

template <class Over>
void read_over(const Over& spec, const flags& outputs, flags& input) {
  read_through(outputs, input);
  read_all(spec.partition, input);
  for (const auto& key : spec.order_by)
    read(key.column, input);
  for (const auto& call : spec.calls)
    read_call(call.call, input);
}

std::uint32_t moved(std::uint32_t column, const column_mapping& mapping) {
  return mapping[column];
}

std::int32_t moved(std::int32_t column, const column_mapping& mapping) {
  return column < 0 ? column : static_cast<std::int32_t>(mapping[static_cast<std::size_t>(column)]);
}

void move_all(std::vector<std::uint32_t>& columns, const column_mapping& mapping) {
  for (auto& column : columns)
    column = mapping[column];
}

void move_window(window_spec& window, const column_mapping& mapping) {
  window.time_column = moved(window.time_column, mapping);
  window.start_column = moved(window.start_column, mapping);
  window.end_column = moved(window.end_column, mapping);
}

void move_call(aggregate_call& call, const column_mapping& mapping) {
  move_all(call.args, mapping);
  call.filter = moved(call.filter, mapping);
  for (auto& key : call.order_by)
    key.column = mapping[key.column];
}

// The calls whose results are read, over moved columns. `fixed` outputs come before the results.
std::vector<aggregate_call> move_calls(std::vector<aggregate_call> calls, std::size_t fixed,
                                       const column_mapping& mapping, const flags& outputs,
                                       column_mapping& output) {
  output.resize(fixed + calls.size());
  for (std::uint32_t i = 0; i < fixed; ++i)
    output[i] = i;
  std::vector<aggregate_call> kept;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!outputs[fixed + i]) {
      output[fixed + i] = no_column;
      continue;
    }
    output[fixed + i] = static_cast<std::uint32_t>(fixed + kept.size());
    move_call(calls[i], mapping);
    kept.push_back(std::move(calls[i]));
  }
  return kept;
}

expr_ptr move_expr(const expr_ptr& x, const column_mapping& mapping) {
  return x ? remap_columns(x, mapping) : x;
}

// Output mapping of an operator that passes its input on and appends `appended` columns.
column_mapping appended_mapping(const column_mapping& input, std::uint32_t new_width,
                                std::uint32_t appended) {
  auto result = input;
  for (std::uint32_t i = 0; i < appended; ++i)
    result.push_back(new_width + i);
  return result;
}

// Mapping of the concatenated row of a join.
column_mapping joined_mapping(const std::vector<column_mapping>& inputs,
                              const std::vector<std::uint32_t>& new_widths) {
  auto result = inputs[0];
  for (const auto column : inputs[1])
    result.push_back(column == no_column ? no_column : new_widths[0] + column);
  return result;
}

template <class Over>
column_mapping move_over(Over& spec, const column_mapping& input, std::uint32_t new_width) {
  move_all(spec.partition, input);
  for (auto& key : spec.order_by)
    key.column = input[key.column];
  for (auto& call : spec.calls)
    move_call(call.call, input);
  return appended_mapping(input, new_width, static_cast<std::uint32_t>(spec.calls.size()));
}

template <class Join>
void move_join(Join& spec, const std::vector<column_mapping>& inputs,
               const std::vector<std::uint32_t>& new_widths, column_mapping& output) {
  move_all(spec.left_keys, inputs[0]);
  move_all(spec.right_keys, inputs[1]);
  output = joined_mapping(inputs, new_widths);
  spec.residual = move_expr(spec.residual, output);
}

bool same(const expr_ptr& a, const expr_ptr& b) {
  return a == b || (a && b && same_expr(*a, *b));
}

bool same(const aggregate_call& a, const aggregate_call& b) {
  return a.function == b.function && a.args == b.args && a.distinct == b.distinct
         && a.filter == b.filter && a.order_by == b.order_by && a.type == b.type;
}

bool same(const over_call& a, const over_call& b) {
  return a.what == b.what && same(a.call, b.call) && a.frame == b.frame && a.distance == b.distance;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}

} // namespace

std::vector<std::vector<bool>> columns_read(const operator_spec& spec, const flags& outputs,
                                            const std::vector<std::uint32_t>& widths) {
  std::vector<flags> inputs;
  for (const auto width : widths)
    inputs.emplace_back(width, false);
  auto& first = inputs[0];
  std::visit(overloaded{
                 [&](const filter_project_spec& x) {
                   read_expr(x.predicate, first);
                   for (std::size_t i = 0; i < x.outputs.size(); ++i)
                     if (outputs[i])
                       read_expr(x.outputs[i], first);
                 },
                 [&](const assign_watermarks_spec& x) {
                   read_through(outputs, first);
                   read(x.time_column, first);
                 },
                 [&](const window_assign_spec& x) {
                   read_through(outputs, first);
                   read_window(x.window, first);
                 },
                 [&](const window_aggregate_spec& x) {
                   read_window(x.window, first);
                   read_all(x.keys, first);
                   for (std::size_t i = 0; i < x.calls.size(); ++i)
                     if (outputs[x.keys.size() + 2 + i])
                       read_call(x.calls[i], first);
                 },
                 [&](const window_join_spec& x) {
                   read_join(x, outputs, inputs);
                   read(x.left_start, inputs[0]);
                   read(x.left_end, inputs[0]);
                   read(x.right_start, inputs[1]);
                   read(x.right_end, inputs[1]);
                 },
                 [&](const interval_join_spec& x) {
                   read_join(x, outputs, inputs);
                   read(x.left_time, inputs[0]);
                   read(x.right_time, inputs[1]);
                 },
                 [&](const stream_join_spec& x) { read_join(x, outputs, inputs); },
                 [&](const window_top_n_spec& x) {
                   read_through(outputs, first);
                   read(x.window_start, first);
                   read(x.window_end, first);
                   read_all(x.partition, first);
                   for (const auto& key : x.order_by)
                     read(key.column, first);
                 },
                 [&](const over_spec& x) {
                   read_over(x, outputs, first);
                   read(x.time_column, first);
                 },
                 [&](const union_all_spec&) {
                   for (auto& input : inputs)
                     read_through(outputs, input);
                 },
                 [&](const stamp_time_spec&) { read_through(outputs, first); },
                 [&](const group_aggregate_spec& x) {
                   read_all(x.keys, first);
                   for (std::size_t i = 0; i < x.calls.size(); ++i)
                     if (outputs[x.keys.size() + i])
                       read_call(x.calls[i], first);
                 },
                 [&](const changelog_join_spec& x) { read_join(x, outputs, inputs); },
                 [&](const changelog_top_n_spec& x) {
                   read_through(outputs, first);
                   read_all(x.partition, first);
                   for (const auto& key : x.order_by)
                     read(key.column, first);
                 },
                 [&](const changelog_over_spec& x) { read_over(x, outputs, first); },
                 [&](const weigh_rows_spec& x) {
                   for (std::uint32_t i = 0; i < outputs.size(); ++i)
                     first[i < x.count_column ? i : i + 1] = outputs[i];
                   read(x.count_column, first);
                 },
                 [&](const upsert_spec& x) {
                   read_through(outputs, first);
                   read_all(x.keys, first);
                 },
                 [&](const expand_rows_spec& x) {
                   read_through(outputs, first);
                   for (const auto& arg : x.args)
                     read_expr(arg, first);
                 },
                 [&](const live_rows_spec& x) {
                   read_through(outputs, first);
                   read_all(x.keys, first);
                   for (const auto& bound : x.from)
                     read(bound.column, first);
                   for (const auto& bound : x.until)
                     read(bound.column, first);
                 },
             },
             spec);
  return inputs;
}

operator_spec remap_inputs(const operator_spec& spec, const std::vector<column_mapping>& inputs,
                           const flags& outputs, const std::vector<std::uint32_t>& new_widths,
                           column_mapping& output) {
  const auto& first = inputs[0];
  return std::visit(
      overloaded{
          [&](filter_project_spec x) -> operator_spec {
            x.predicate = move_expr(x.predicate, first);
            std::vector<expr_ptr> kept;
            output.assign(x.outputs.size(), no_column);
            for (std::size_t i = 0; i < x.outputs.size(); ++i) {
              if (!outputs[i])
                continue;
              output[i] = static_cast<std::uint32_t>(kept.size());
              kept.push_back(move_expr(x.outputs[i], first));
            }
            x.outputs = std::move(kept);
            return x;
          },
          [&](assign_watermarks_spec x) -> operator_spec {
            x.time_column = moved(x.time_column, first);
            output = first;
            return x;
          },
          [&](window_assign_spec x) -> operator_spec {
            move_window(x.window, first);
            output = appended_mapping(first, new_widths[0], 2);
            return x;
          },
          [&](window_aggregate_spec x) -> operator_spec {
            move_window(x.window, first);
            move_all(x.keys, first);
            x.calls = move_calls(std::move(x.calls), x.keys.size() + 2, first, outputs, output);
            return x;
          },
          [&](window_join_spec x) -> operator_spec {
            move_join(x, inputs, new_widths, output);
            x.left_start = moved(x.left_start, inputs[0]);
            x.left_end = moved(x.left_end, inputs[0]);
            x.right_start = moved(x.right_start, inputs[1]);
            x.right_end = moved(x.right_end, inputs[1]);
            return x;
          },
          [&](interval_join_spec x) -> operator_spec {
            move_join(x, inputs, new_widths, output);
            x.left_time = moved(x.left_time, inputs[0]);
            x.right_time = moved(x.right_time, inputs[1]);
            return x;
          },
          [&](stream_join_spec x) -> operator_spec {
            move_join(x, inputs, new_widths, output);
            return x;
          },
          [&](window_top_n_spec x) -> operator_spec {
            x.window_start = moved(x.window_start, first);
            x.window_end = moved(x.window_end, first);
            move_all(x.partition, first);
            for (auto& key : x.order_by)
              key.column = first[key.column];
            output = appended_mapping(first, new_widths[0], x.with_rank ? 1 : 0);
            return x;
          },
          [&](over_spec x) -> operator_spec {
            x.time_column = moved(x.time_column, first);
            output = move_over(x, first, new_widths[0]);
            return x;
          },
          [&](changelog_over_spec x) -> operator_spec {
            output = move_over(x, first, new_widths[0]);
            return x;
          },
          [&](union_all_spec x) -> operator_spec {
            output = first;
            return x;
          },
          [&](stamp_time_spec x) -> operator_spec {
            output = appended_mapping(first, new_widths[0], 1);
            return x;
          },
          [&](group_aggregate_spec x) -> operator_spec {
            move_all(x.keys, first);
            x.calls = move_calls(std::move(x.calls), x.keys.size(), first, outputs, output);
            return x;
          },
          [&](changelog_join_spec x) -> operator_spec {
            move_join(x, inputs, new_widths, output);
            if (!x.both_sides())
              output.resize(inputs[0].size());
            return x;
          },
          [&](changelog_top_n_spec x) -> operator_spec {
            move_all(x.partition, first);
            for (auto& key : x.order_by)
              key.column = first[key.column];
            output = appended_mapping(first, new_widths[0], x.with_rank ? 1 : 0);
            return x;
          },
          [&](weigh_rows_spec x) -> operator_spec {
            const auto count = first[x.count_column];
            output.clear();
            for (std::uint32_t i = 0; i < first.size(); ++i)
              if (i != x.count_column)
                output.push_back(first[i] == no_column || first[i] < count ? first[i]
                                                                           : first[i] - 1);
            x.count_column = count;
            return x;
          },
          [&](upsert_spec x) -> operator_spec {
            move_all(x.keys, first);
            output = first;
            return x;
          },
          [&](expand_rows_spec x) -> operator_spec {
            for (auto& arg : x.args)
              arg = move_expr(arg, first);
            const auto made = (x.series ? 1 : x.args.size()) + (x.ordinality ? 1 : 0);
            output = appended_mapping(first, new_widths[0], static_cast<std::uint32_t>(made));
            return x;
          },
          [&](live_rows_spec x) -> operator_spec {
            move_all(x.keys, first);
            for (auto& bound : x.from)
              bound.column = first[bound.column];
            for (auto& bound : x.until)
              bound.column = first[bound.column];
            output = first;
            return x;
          },
      },
      spec);
}

bool same_spec(const operator_spec& a, const operator_spec& b) {
  if (a.index() != b.index())
    return false;
  return std::visit(
      overloaded{
          [&](const filter_project_spec& x) {
            const auto& y = std::get<filter_project_spec>(b);
            return same(x.predicate, y.predicate) && same(x.outputs, y.outputs);
          },
          [&](const assign_watermarks_spec& x) {
            const auto& y = std::get<assign_watermarks_spec>(b);
            return x.time_column == y.time_column && x.max_delay == y.max_delay;
          },
          [&](const window_assign_spec& x) {
            return x.window == std::get<window_assign_spec>(b).window;
          },
          [&](const window_aggregate_spec& x) {
            const auto& y = std::get<window_aggregate_spec>(b);
            return x.window == y.window && x.keys == y.keys && x.phase == y.phase
                   && same(x.calls, y.calls);
          },
          [&](const window_join_spec& x) {
            const auto& y = std::get<window_join_spec>(b);
            return x.type == y.type && x.left_start == y.left_start && x.left_end == y.left_end
                   && x.right_start == y.right_start && x.right_end == y.right_end
                   && x.left_keys == y.left_keys && x.right_keys == y.right_keys
                   && same(x.residual, y.residual);
          },
          [&](const interval_join_spec& x) {
            const auto& y = std::get<interval_join_spec>(b);
            return x.type == y.type && x.left_time == y.left_time && x.right_time == y.right_time
                   && x.lower == y.lower && x.upper == y.upper && x.left_keys == y.left_keys
                   && x.right_keys == y.right_keys && same(x.residual, y.residual);
          },
          [&](const stream_join_spec& x) {
            const auto& y = std::get<stream_join_spec>(b);
            return x.left_keys == y.left_keys && x.right_keys == y.right_keys
                   && same(x.residual, y.residual) && x.retention == y.retention;
          },
          [&](const window_top_n_spec& x) {
            const auto& y = std::get<window_top_n_spec>(b);
            return x.window_start == y.window_start && x.window_end == y.window_end
                   && x.partition == y.partition && x.order_by == y.order_by && x.rank == y.rank
                   && x.limit == y.limit && x.with_rank == y.with_rank;
          },
          [&](const over_spec& x) {
            const auto& y = std::get<over_spec>(b);
            return x.partition == y.partition && x.time_column == y.time_column
                   && x.order_by == y.order_by && same(x.calls, y.calls);
          },
          [&](const union_all_spec& x) { return x.inputs == std::get<union_all_spec>(b).inputs; },
          [&](const stamp_time_spec&) { return true; },
          [&](const group_aggregate_spec& x) {
            const auto& y = std::get<group_aggregate_spec>(b);
            return x.keys == y.keys && same(x.calls, y.calls) && x.updating == y.updating
                   && x.retention == y.retention && x.phase == y.phase;
          },
          [&](const changelog_join_spec& x) {
            const auto& y = std::get<changelog_join_spec>(b);
            return x.kind == y.kind && x.left_keys == y.left_keys && x.right_keys == y.right_keys
                   && same(x.residual, y.residual) && x.left_updating == y.left_updating
                   && x.right_updating == y.right_updating && x.lookup == y.lookup
                   && x.retention == y.retention;
          },
          [&](const changelog_top_n_spec& x) {
            const auto& y = std::get<changelog_top_n_spec>(b);
            return x.partition == y.partition && x.order_by == y.order_by && x.rank == y.rank
                   && x.offset == y.offset && x.limit == y.limit && x.with_rank == y.with_rank
                   && x.updating == y.updating && x.retention == y.retention;
          },
          [&](const changelog_over_spec& x) {
            const auto& y = std::get<changelog_over_spec>(b);
            return x.partition == y.partition && x.order_by == y.order_by && same(x.calls, y.calls)
                   && x.updating == y.updating && x.retention == y.retention;
          },
          [&](const weigh_rows_spec& x) {
            return x.count_column == std::get<weigh_rows_spec>(b).count_column;
          },
          [&](const upsert_spec& x) { return x.keys == std::get<upsert_spec>(b).keys; },
          [&](const expand_rows_spec& x) {
            const auto& y = std::get<expand_rows_spec>(b);
            return same(x.args, y.args) && x.series == y.series && x.ordinality == y.ordinality
                   && x.keeps_empty == y.keeps_empty;
          },
          [&](const live_rows_spec& x) {
            const auto& y = std::get<live_rows_spec>(b);
            return x.from == y.from && x.until == y.until && x.keys == y.keys
                   && x.updating == y.updating;
          },
      },
      a);
}

} // namespace ebb
