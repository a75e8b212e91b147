// Which columns of its inputs each operator reads.

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
                 [&](const settle_spec& x) {
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

} // namespace ebb
