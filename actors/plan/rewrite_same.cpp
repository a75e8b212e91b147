// Whether two operators do the same.

#include "actors/plan/rewrite.hpp"
#include "schemas/overloaded.hpp"

#include <algorithm>

namespace ebb {

namespace {

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
          [&](const settle_spec& x) {
            const auto& y = std::get<settle_spec>(b);
            return x.keys == y.keys && x.retention == y.retention;
          },
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
