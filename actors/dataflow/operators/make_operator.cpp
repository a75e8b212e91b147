#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/dataflow/operators/changelog_join.hpp"
#include "actors/dataflow/operators/changelog_over.hpp"
#include "actors/dataflow/operators/changelog_top_n.hpp"
#include "actors/dataflow/operators/expand_rows.hpp"
#include "actors/dataflow/operators/filter_project.hpp"
#include "actors/dataflow/operators/group_aggregate.hpp"
#include "actors/dataflow/operators/interval_join.hpp"
#include "actors/dataflow/operators/live_rows.hpp"
#include "actors/dataflow/operators/over.hpp"
#include "actors/dataflow/operators/stamp_time.hpp"
#include "actors/dataflow/operators/stream_join.hpp"
#include "actors/dataflow/operators/union_all.hpp"
#include "actors/dataflow/operators/settle.hpp"
#include "actors/dataflow/operators/upsert.hpp"
#include "actors/dataflow/operators/weigh_rows.hpp"
#include "actors/dataflow/operators/window_aggregate.hpp"
#include "actors/dataflow/operators/window_assign.hpp"
#include "actors/dataflow/operators/window_join.hpp"
#include "actors/dataflow/operators/window_top_n.hpp"

namespace ebb {

namespace {

struct maker {
  operator_context context;

  std::unique_ptr<stream_operator> operator()(const filter_project_spec& x) {
    return make_filter_project(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const assign_watermarks_spec& x) {
    return make_assign_watermarks(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const window_assign_spec& x) {
    return make_window_assign(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const window_aggregate_spec& x) {
    return make_window_aggregate(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const window_join_spec& x) {
    return make_window_join(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const interval_join_spec& x) {
    return make_interval_join(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const stream_join_spec& x) {
    return make_stream_join(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const window_top_n_spec& x) {
    return make_window_top_n(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const over_spec& x) {
    return make_over(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const union_all_spec& x) {
    return make_union_all(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const stamp_time_spec& x) {
    return make_stamp_time(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const group_aggregate_spec& x) {
    return make_group_aggregate(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const changelog_join_spec& x) {
    return make_changelog_join(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const changelog_top_n_spec& x) {
    return make_changelog_top_n(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const changelog_over_spec& x) {
    return make_changelog_over(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const weigh_rows_spec& x) {
    return make_weigh_rows(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const upsert_spec& x) {
    return make_upsert(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const settle_spec& x) {
    return make_settle(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const expand_rows_spec& x) {
    return make_expand_rows(x, std::move(context));
  }

  std::unique_ptr<stream_operator> operator()(const live_rows_spec& x) {
    return make_live_rows(x, std::move(context));
  }
};

} // namespace

std::unique_ptr<stream_operator> make_operator(const operator_spec& spec,
                                               operator_context context) {
  return std::visit(maker{std::move(context)}, spec);
}

std::vector<sql_type> output_types(const operator_spec& spec,
                                   const std::vector<std::vector<sql_type>>& inputs) {
  return std::visit([&](const auto& x) { return output_types_of(x, inputs); }, spec);
}

} // namespace ebb
