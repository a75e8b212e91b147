// Functions OVER a window: what goes in the order of event time and looks at no later row is
// emitted once; ranks within time windows become a windowed top-N; all else is revised, ranks as a
// top-N.

#include "actors/plan/sql/row_limit.hpp"
#include "actors/plan/sql/staged_rows.hpp"

#include <algorithm>
#include <limits>

namespace ebb::sql {

namespace {

bool is_rank(over_call::kind what) {
  return what == over_call::kind::row_number || what == over_call::kind::rank
         || what == over_call::kind::dense_rank;
}

rank_kind rank_of(over_call::kind what) {
  switch (what) {
  case over_call::kind::rank:
    return rank_kind::rank;
  case over_call::kind::dense_rank:
    return rank_kind::dense_rank;
  default:
    return rank_kind::row_number;
  }
}

bool same_list(const std::vector<expr_ptr>& a, const std::vector<expr_ptr>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return same_expr(*x, *y); });
}

bool same_window(const over_use& a, const over_use& b) {
  return same_list(a.partition, b.partition)
         && std::equal(a.order.begin(), a.order.end(), b.order.begin(), b.order.end(),
                       [](const auto& x, const auto& y) {
                         return x.descending == y.descending && x.nulls_first == y.nulls_first
                                && same_expr(*x.x, *y.x);
                       });
}

// What comes later changes nothing, where rows come in the order of their time.
bool knows_its_rows(const over_use& use) {
  using kind = over_call::kind;
  switch (use.what) {
  case kind::lead:
  case kind::nth_value:
  case kind::ntile:
  case kind::percent_rank:
  case kind::cume_dist:
    return false;
  case kind::row_number:
  case kind::rank:
  case kind::dense_rank:
  case kind::lag:
    return true;
  default:
    break;
  }
  const auto& x = use.frame;
  const bool ends_before = !x.range && !x.unbounded && x.following < 0;
  return !x.to_last && x.preceding >= 0 && (x.following == 0 || ends_before);
}

// The column that a RANGE of values goes by is of a type that they are added to.
sql_type ranged(const sql_type& type) {
  if (type.kind == type_kind::smallint || type.kind == type_kind::integer)
    return sql_type{type_kind::bigint};
  return type.kind == type_kind::date ? sql_type{type_kind::timestamp} : type;
}

bool goes_by_values(const frame_spec& x) {
  return x.range && (x.preceding != 0 || x.following != 0);
}

// The node's columns and those that an operator needs besides.
class extended_row {
public:
  extended_row(node_builder& build, node_id node)
      : build_(build), node_(node), outputs_(build.pass(node)), width_(outputs_.size()) {}

  std::uint32_t take(const expr_ptr& x) {
    if (x->kind == expr_kind::column)
      return x->index;
    for (auto i = width_; i < outputs_.size(); ++i)
      if (same_expr(*outputs_[i].x, *x))
        return static_cast<std::uint32_t>(i);
    outputs_.push_back({"over" + std::to_string(outputs_.size() - width_ + 1), x, {}});
    return static_cast<std::uint32_t>(outputs_.size() - 1);
  }

  [[nodiscard]] node_id finish() {
    return outputs_.size() == width_ ? node_ : build_.project(node_, nullptr, outputs_);
  }

private:
  node_builder& build_;
  node_id node_;
  std::vector<output_column> outputs_;
  std::size_t width_;
};

class over_planner {
public:
  over_planner(query_planner& planner, staged_rows rows, const std::vector<over_use>& overs)
      : planner_(planner), build_(planner.build), rows_(std::move(rows)), overs_(overs),
        results_(overs.size(), 0) {}

  result<staged_rows> run(std::vector<std::uint32_t>& results) {
    // What needs the order of time goes first: a windowed top-N gives that order up, and what is
    // revised makes the rows update.
    std::vector<bool> done(overs_.size(), false);
    for (const auto now : {turn::by_time, turn::windowed, turn::revised})
      for (std::size_t i = 0; i < overs_.size(); ++i) {
        if (done[i])
          continue;
        EBB_ASSIGN(const auto window, rank_window(overs_[i]));
        if (now != turn::revised && window.has_value() != (now == turn::windowed))
          continue;
        if (now == turn::windowed) {
          EBB_TRY(top_n(i, *window));
          done[i] = true;
          continue;
        }
        EBB_ASSIGN(const auto together, same_window_as(i, done));
        const bool timely = now == turn::by_time
                            && std::all_of(together.begin(), together.end(),
                                           [&](auto k) { return goes_by_time(overs_[k]); });
        if (now == turn::by_time && !timely)
          continue;
        const bool ranks = std::all_of(together.begin(), together.end(),
                                       [&](auto k) { return is_rank(overs_[k].what); });
        if (!timely && ranks) { // maybe of a top-N
          revised_ranks(i);
          done[i] = true;
          continue;
        }
        EBB_TRY(timely ? by_time(together) : revised(together));
        for (const auto k : together)
          done[k] = true;
      }
    results = std::move(results_);
    return std::move(rows_);
  }

private:
  enum class turn : std::uint8_t { by_time, windowed, revised };

  // Calls that one operator answers.
  result<std::vector<std::size_t>> same_window_as(std::size_t i,
                                                  const std::vector<bool>& done) const {
    std::vector<std::size_t> together;
    for (auto k = i; k < overs_.size(); ++k) {
      if (done[k] || !same_window(overs_[i], overs_[k]))
        continue;
      EBB_ASSIGN(const auto window, rank_window(overs_[k]));
      if (!window)
        together.push_back(k);
    }
    return together;
  }

  // The window whose rows a rank function numbers, if it does so within one.
  result<std::optional<attached_window>> rank_window(const over_use& use) const {
    if (!is_rank(use.what) || use.order.empty())
      return std::optional<attached_window>{};
    return find_window(planner_, rows_, use.partition, use.at, "PARTITION BY");
  }

  result<void> top_n(std::size_t i, const attached_window& window) {
    const auto& use = overs_[i];
    extended_row row{build_, rows_.node};
    window_top_n_spec spec;
    spec.window_end = row.take(window.end_value);
    if (window.start != SIZE_MAX)
      spec.window_start = static_cast<std::int32_t>(row.take(use.partition[window.start]));
    for (std::size_t k = 0; k < use.partition.size(); ++k)
      if (k != window.start && k != window.end)
        spec.partition.push_back(row.take(use.partition[k]));
    for (const auto& item : use.order)
      spec.order_by.push_back({row.take(item.x), item.descending, item.nulls_first});
    spec.rank = rank_of(use.what);
    spec.limit = std::numeric_limits<std::int64_t>::max();
    spec.with_rank = true;
    const auto input = row.finish();
    auto columns = build_.columns(input);
    // The rows of a window leave together when the watermark passes its end.
    const bool by_end = window.end != SIZE_MAX;
    const auto& leader = use.partition[by_end ? window.end : window.start];
    const auto lag = by_end ? window.shift - 1 : window.shift - 1 + window.window.size;
    lead(columns, *leader, lag);
    columns.push_back({use.name, sql_type{type_kind::bigint}, true, column_role::plain, {}, 0});
    results_[i] = static_cast<std::uint32_t>(columns.size() - 1);
    rows_.node =
        build_.add("top-N", operator_spec{std::move(spec)}, {input}, std::move(columns),
                   "append-only: the rows of a window are ranked when the watermark passes "
                   "its end");
    return {};
  }

  // Rows come in the order of the window, and no later one changes a result.
  bool goes_by_time(const over_use& use) const {
    if (use.order.empty() || build_.node(rows_.node).updating || !knows_its_rows(use))
      return false;
    const auto& first = use.order.front();
    const auto role = role_of(build_, rows_, *first.x);
    return role.usable() && !role.window.processing_time && !first.descending;
  }

  // A later row may change the ranks of those before it.
  void revised_ranks(std::size_t i) {
    const auto& use = overs_[i];
    extended_row row{build_, rows_.node};
    changelog_top_n_spec spec;
    for (const auto& x : use.partition)
      spec.partition.push_back(row.take(x));
    for (const auto& item : use.order)
      spec.order_by.push_back({row.take(item.x), item.descending, item.nulls_first});
    spec.rank = rank_of(use.what);
    spec.with_rank = true;
    const auto input = row.finish();
    spec.updating = build_.node(input).updating;
    auto columns = build_.columns(input);
    warn_top_n(planner_, use.at, "a rank", names_of(columns, spec.partition), spec.updating);
    columns.push_back({use.name, sql_type{type_kind::bigint}, true, column_role::plain, {}, 0});
    results_[i] = static_cast<std::uint32_t>(columns.size() - 1);
    rows_.times.clear();
    rows_.node = build_.add("top-N", operator_spec{std::move(spec)}, {input}, std::move(columns),
                            "updating: a later row changes the ranks of those behind it");
  }

  // Roles after an operator that holds rows back until the watermark passes `leader`.
  void lead(std::vector<plan_column>& columns, const expr& leader, micros lag) {
    if (leader.kind == expr_kind::column && columns[leader.index].role != column_role::plain) {
      follow(columns, leader.index, lag);
      rows_.times.clear();
      return;
    }
    for (auto& timed : rows_.times)
      if (same_expr(*timed.x, leader)) {
        const auto kept = timed_expr{timed.x, {timed.role.role, timed.role.window, lag}};
        rows_.times = {kept};
        break;
      }
    for (auto& column : columns) {
      column.role = column_role::plain;
      column.window = {};
      column.lag = 0;
    }
  }

  static std::vector<std::string> names_of(const std::vector<plan_column>& columns,
                                           const std::vector<std::uint32_t>& which) {
    std::vector<std::string> names;
    for (const auto column : which)
      names.push_back(columns[column].name);
    return names;
  }

  // A later row may change the results of rows around it.
  result<void> revised(const std::vector<std::size_t>& together) {
    const auto& use = overs_[together.front()];
    extended_row row{build_, rows_.node};
    changelog_over_spec spec;
    for (const auto& x : use.partition)
      spec.partition.push_back(row.take(x));
    const bool by_values = std::any_of(together.begin(), together.end(),
                                       [&](auto i) { return goes_by_values(overs_[i].frame); });
    for (const auto& item : use.order) {
      auto x = item.x;
      if (by_values) {
        EBB_ASSIGN(x, coerce(planner_.query, x, ranged(x->type), cast_context::implicit, use.at));
      }
      spec.order_by.push_back({row.take(x), item.descending, item.nulls_first});
    }
    for (const auto i : together) {
      EBB_ASSIGN(auto call, make_call(overs_[i], row));
      spec.calls.push_back(std::move(call));
    }
    const auto input = row.finish();
    spec.updating = build_.node(input).updating;
    auto columns = build_.columns(input);
    if (!spec.partition.empty())
      warn_top_n(planner_, use.at, "OVER", names_of(columns, spec.partition), spec.updating);
    else
      build_.warn(planner_.query.fail(ec::resource, use.at,
                                      "OVER without PARTITION BY keeps every row for ever, in one "
                                      "subtask",
                                      "its state grows with them; partition the rows"));
    add_results(together, columns);
    rows_.times.clear();
    rows_.node = build_.add("over", operator_spec{std::move(spec)}, {input}, std::move(columns),
                            "updating: a later row changes the results of rows around it");
    return {};
  }

  void add_results(const std::vector<std::size_t>& together, std::vector<plan_column>& columns) {
    for (const auto i : together) {
      const auto& one = overs_[i];
      const bool counted = one.call.args.empty() || is_count(one.name);
      results_[i] = static_cast<std::uint32_t>(columns.size());
      columns.push_back({one.name, one.call.type, counted, column_role::plain, {}, 0});
    }
  }

  result<void> by_time(const std::vector<std::size_t>& together) {
    const auto& use = overs_[together.front()];
    const auto& first = use.order.front();
    const auto role = role_of(build_, rows_, *first.x);
    const auto shift = std::max<micros>(0, role.lag);
    extended_row row{build_, rows_.node};
    over_spec spec;
    for (const auto& x : use.partition)
      spec.partition.push_back(row.take(x));
    spec.time_column = row.take(shifted(first.x, shift));
    for (std::size_t k = 0; k < use.order.size(); ++k) {
      const auto& item = use.order[k];
      spec.order_by.push_back(
          {k == 0 ? spec.time_column : row.take(item.x), item.descending, item.nulls_first});
    }
    for (const auto i : together) {
      EBB_ASSIGN(auto call, make_call(overs_[i], row));
      spec.calls.push_back(std::move(call));
    }
    const auto input = row.finish();
    auto columns = build_.columns(input);
    lead(columns, *first.x, shift);
    add_results(together, columns);
    rows_.node = build_.add("over", operator_spec{std::move(spec)}, {input}, std::move(columns),
                            "append-only: a row is emitted in the order of event time, when the "
                            "watermark passes it");
    return {};
  }

  result<over_call> make_call(const over_use& use, extended_row& row) const {
    over_call call;
    call.what = use.what;
    call.frame = use.frame;
    if (use.order.empty() && use.frame.range) { // all rows are peers
      call.frame.unbounded = call.frame.unbounded || use.frame.preceding == 0;
      call.frame.to_last = call.frame.to_last || use.frame.following == 0;
    }
    call.distance = use.distance;
    const auto of = behind_filter(build_, rows_.node, use.call);
    call.call.function = of.function;
    call.call.type = of.type;
    for (const auto& arg : of.args) {
      call.call.args.push_back(row.take(arg));
      call.call.arg_types.push_back(arg->type);
    }
    if (of.filter)
      call.call.filter = static_cast<std::int32_t>(row.take(of.filter));
    return call;
  }

  query_planner& planner_;
  node_builder& build_;
  staged_rows rows_;
  const std::vector<over_use>& overs_;
  std::vector<std::uint32_t> results_;
};

} // namespace

result<staged_rows> plan_overs(query_planner& planner, staged_rows rows,
                               const std::vector<over_use>& overs,
                               std::vector<std::uint32_t>& results) {
  return over_planner{planner, std::move(rows), overs}.run(results);
}

} // namespace ebb::sql
