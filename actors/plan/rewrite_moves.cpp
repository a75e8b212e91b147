// How each operator changes when its input columns move.

#include "actors/plan/rewrite.hpp"
#include "schemas/overloaded.hpp"

namespace ebb {

namespace {

using flags = std::vector<bool>;

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

} // namespace

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
          [&](settle_spec x) -> operator_spec {
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

} // namespace ebb
