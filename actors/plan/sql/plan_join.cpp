// Joins: windowed where both sides carry equal windows, by interval where their times are bounded,
// kept for ever where neither is so.

#include "actors/plan/sql/join_side.hpp"
#include "actors/plan/sql/join_terms.hpp"
#include "actors/plan/sql/plan_from.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr const char* ways_out =
    "join on window_start and window_end of equal windows, or bound the time: a.ts BETWEEN b.ts - "
    "INTERVAL '…' AND b.ts + INTERVAL '…'";
constexpr const char* by_equality =
    "join on an equality of columns, which spreads the rows over subtasks and compares those of one "
    "key only; or, where rows only come, on equal windows or within bounds of time";

class join_planner {
public:
  join_planner(query_planner& planner, const from_item& item, node_id left, node_id right,
               std::vector<expr_ptr> conditions, std::vector<timed_expr>& times)
      : planner_(planner), build_(planner.build), item_(item), left_(build_, left),
        right_(build_, right), left_columns_(build_.columns(left)),
        right_columns_(build_.columns(right)), times_(times) {
    terms_ = sort_terms(conditions, left_columns_, right_columns_);
  }

  result<node_id> run() {
    if (take_window())
      return window_join();
    if (const auto pair = bounded_pair()) {
      if (pair->second.lower > pair->second.upper)
        return planner_.query.fail(ec::invalid_argument, item_.at,
                                   "the time bounds of the join exclude every row");
      return interval_join(pair->first, pair->second);
    }
    return unbounded_join();
  }

private:
  using column_pair = std::pair<std::uint32_t, std::uint32_t>;

  [[nodiscard]] bool equal_columns(const column_pair& pair, column_role role) const {
    const auto& a = left_columns_[pair.first];
    const auto& b = right_columns_[pair.second];
    const auto& bound = terms_.bounds.at(pair);
    return a.role == role && b.role == role && a.window == b.window && bound.lower == micros{0}
           && bound.upper == micros{0};
  }

  // Sessions' starts lag without bound and so are keys, not bounds.
  [[nodiscard]] bool equal_starts(const join_key& key) const {
    if (key.left->kind != expr_kind::column || key.right->kind != expr_kind::column)
      return false;
    const auto& a = left_columns_[key.left->index];
    const auto& b = right_columns_[key.right->index];
    return a.role == column_role::window_start && b.role == column_role::window_start
           && a.window == b.window;
  }

  // Finds equal windows among the conditions and takes them out.
  bool take_window() {
    for (const auto& [pair, bound] : terms_.bounds) {
      if (!end_ && equal_columns(pair, column_role::window_end))
        end_ = pair;
      if (!start_ && equal_columns(pair, column_role::window_start))
        start_ = pair;
    }
    if (end_)
      terms_.bounds.erase(*end_);
    if (end_ && !start_) {
      const auto key = std::find_if(terms_.keys.begin(), terms_.keys.end(),
                                    [&](const auto& k) { return equal_starts(k); });
      if (key != terms_.keys.end()) {
        start_ = column_pair{key->left->index, key->right->index};
        terms_.keys.erase(key);
        return true;
      }
    }
    if (!end_ && start_) {
      // Windows of one length that begin together end together.
      const auto kind = left_columns_[start_->first].window.kind;
      if (kind != window_kind::tumble && kind != window_kind::hop)
        start_.reset();
    }
    if (start_)
      terms_.bounds.erase(*start_);
    return end_.has_value() || start_.has_value();
  }

  // Conditions on times that the join does not use itself.
  void keep_bounds() {
    for (auto& [pair, bound] : terms_.bounds) {
      const auto& a = left_columns_[pair.first];
      const auto& b = right_columns_[pair.second];
      for (auto& condition : bound.conditions) {
        const bool key = condition->function->name == "=" && bound.lower == micros{0}
                         && bound.upper == micros{0} && bound.conditions.size() == 1
                         && a.type == b.type;
        if (key)
          terms_.keys.push_back({make_column_ref(pair.first, a.type),
                                 make_column_ref(pair.second, b.type), condition});
        else
          terms_.residual.push_back(condition);
      }
    }
    terms_.bounds.clear();
  }

  [[nodiscard]] std::optional<std::pair<column_pair, time_bound>> bounded_pair() const {
    for (const auto& [pair, bound] : terms_.bounds)
      if (bound.lower && bound.upper)
        return std::pair{pair, bound};
    return std::nullopt;
  }

  template <class Spec>
  void take_keys(Spec& spec) {
    for (const auto& key : terms_.keys) {
      spec.left_keys.push_back(left_.column(key.left));
      spec.right_keys.push_back(right_.column(key.right));
    }
  }

  // Over the joined row of both sides with their extra columns.
  [[nodiscard]] expr_ptr residual(std::uint32_t left_width) const {
    std::vector<expr_ptr> parts;
    for (const auto& part : terms_.residual)
      parts.push_back(rewrite(part, [&](const expr_ptr& x) -> expr_ptr {
        if (x->kind != expr_kind::column || x->index < left_.width())
          return nullptr;
        return make_column_ref(x->index - left_.width() + left_width, x->type, x->text);
      }));
    return combine(expr_kind::and_, std::move(parts));
  }

  // Columns of the joined row; a side whose rows may be missing tells no time.
  [[nodiscard]] std::vector<plan_column> joined(std::vector<plan_column> left,
                                                std::vector<plan_column> right) const {
    const auto weaken = [](std::vector<plan_column>& side) {
      side = without_times(std::move(side));
      for (auto& column : side)
        column.not_null = false;
    };
    if (item_.type == join_type::left || item_.type == join_type::full)
      weaken(right);
    if (item_.type == join_type::right || item_.type == join_type::full)
      weaken(left);
    left.insert(left.end(), right.begin(), right.end());
    return left;
  }

  // Adds the join and drops the extra columns.
  template <class Spec>
  node_id add(const char* label, Spec spec, std::vector<plan_column> left_columns,
              std::vector<plan_column> right_columns, const char* why) {
    const auto left = left_.finish();
    const auto right = right_.finish();
    spec.residual = residual(build_.width(left));
    const auto extend = [&](std::vector<plan_column>& columns, node_id side) {
      for (auto i = columns.size(); i < build_.columns(side).size(); ++i)
        columns.push_back(build_.columns(side)[i]);
    };
    extend(left_columns, left);
    extend(right_columns, right);
    const auto left_width = static_cast<std::uint32_t>(left_columns.size());
    auto node = build_.add(label, operator_spec{std::move(spec)}, {left, right},
                           joined(std::move(left_columns), std::move(right_columns)), why);
    if (!left_.extended() && !right_.extended())
      return node;
    const auto all = build_.pass(node);
    std::vector<output_column> outputs;
    for (std::uint32_t i = 0; i < left_.width(); ++i)
      outputs.push_back(all[i]);
    for (std::uint32_t i = 0; i < right_.width(); ++i)
      outputs.push_back(all[left_width + i]);
    return build_.project(node, nullptr, std::move(outputs));
  }

  result<node_id> window_join() {
    keep_bounds();
    window_join_spec spec;
    spec.type = item_.type;
    // What fires is the window's end, moved so far that every row of it has come by then.
    const auto& leading = end_ ? *end_ : *start_;
    const auto window = left_columns_[leading.first].window;
    const auto span = end_ ? micros{0} : window.size;
    const auto lag = std::max(left_columns_[leading.first].lag, right_columns_[leading.second].lag);
    const auto shift = std::max<micros>(0, lag - span + 1);
    spec.left_end = left_.column(leading.first, span + shift);
    spec.right_end = right_.column(leading.second, span + shift);
    spec.left_start = start_ ? start_->first : spec.left_end;
    spec.right_start = start_ ? start_->second : spec.right_end;
    take_keys(spec);
    auto left = left_columns_;
    auto right = right_columns_;
    follow(left, leading.first, span + shift - 1);
    follow(right, leading.second, span + shift - 1);
    if (item_.type == join_type::full)
      note_merged(left, right);
    return add("window join", std::move(spec), std::move(left), std::move(right),
               "append-only: the rows of a window are joined when the watermark passes its end");
  }

  // In a full join of equal windows one of both bounds is always there.
  void note_merged(const std::vector<plan_column>& left, const std::vector<plan_column>& right) {
    const auto note = [&](const std::optional<column_pair>& pair) {
      if (!pair)
        return;
      const auto& a = left[pair->first];
      const auto& b = right[pair->second];
      const auto first = item_.left->first + pair->first;
      const auto second = item_.right->first + pair->second;
      for (const bool swapped : {false, true}) {
        auto one = make_column_ref(first, a.type);
        auto other = make_column_ref(second, b.type);
        if (swapped)
          std::swap(one, other);
        times_.push_back({make_logic(expr_kind::coalesce, a.type, {one, other}), role_of(a)});
      }
    };
    note(end_);
    note(start_);
  }

  result<node_id> interval_join(column_pair pair, const time_bound& bound) {
    terms_.bounds.erase(pair);
    keep_bounds();
    interval_join_spec spec;
    spec.type = item_.type;
    const auto left_lag = std::max<micros>(0, left_columns_[pair.first].lag);
    const auto right_lag = std::max<micros>(0, right_columns_[pair.second].lag);
    spec.left_time = left_.column(pair.first, left_lag);
    spec.right_time = right_.column(pair.second, right_lag);
    spec.lower = *bound.lower + left_lag - right_lag;
    spec.upper = *bound.upper + left_lag - right_lag;
    if (bound.lower == bound.upper) {
      // One time only: it is a key as well, so that rows spread over subtasks.
      spec.left_keys.push_back(spec.left_time);
      spec.right_keys.push_back(right_.column(pair.second, right_lag + spec.lower));
    }
    take_keys(spec);
    if (spec.left_keys.empty())
      planner_.build.warn(planner_.query.fail(
          ec::resource, item_.at,
          "this join has no equality between its sides: every row is compared with every row of "
          "the other within the bounds of time, in one subtask",
          "join on an equality of columns as well, which spreads the rows over subtasks"));
    auto left = left_columns_;
    auto right = right_columns_;
    // A new row may meet an old one of the other side.
    follow(left, pair.first, std::max(left_lag, add_lag(right_lag, -*bound.lower)));
    follow(right, pair.second, std::max(right_lag, add_lag(left_lag, *bound.upper)));
    forget_shared_windows(left, right);
    return add("interval join", std::move(spec), std::move(left), std::move(right),
               "append-only: a row is kept until the watermark passes its last possible match");
  }

  // Rows of equal but different windows meet: only the left side's columns speak of one window.
  static void forget_shared_windows(const std::vector<plan_column>& left,
                                    std::vector<plan_column>& right) {
    for (auto& column : right)
      for (const auto& other : left)
        if (column.role != column_role::plain && column.window.size != 0
            && other.role != column_role::plain && other.window == column.window) {
          if (column.role == column_role::window_start) {
            column.role = column_role::plain;
            column.lag = 0;
          } else {
            column.role = column_role::event_time;
          }
          column.window = {};
        }
  }

  // Both sides are kept for ever. An inner join of append-only inputs only adds rows.
  result<node_id> unbounded_join() {
    keep_bounds();
    if (const auto table = table_side(); table >= 0)
      return lookup_join(table);
    const bool left_updates = left_.updating();
    const bool right_updates = right_.updating();
    auto left = without_times(left_columns_);
    auto right = without_times(right_columns_);
    const bool one_row = left_.one_row() || right_.one_row();
    if (terms_.keys.empty() && !one_row)
      planner_.build.warn(planner_.query.fail(
          ec::resource, item_.at,
          "this join has no equality between its sides: every row of both is kept for ever and "
          "compared with every row of the other, in one subtask",
          by_equality));
    else if (!one_row)
      planner_.build.warn_of_growth(planner_.query.fail(
          ec::resource, item_.at, "this join keeps every row of both sides for ever", ways_out));
    else if (!(left_.one_row() && right_.one_row()))
      planner_.build.warn(planner_.query.fail(
          ec::resource, item_.at,
          "this join with one row keeps every row of the other side for ever, in one subtask",
          "its state grows with them; group by a window to let go of what is past"));
    if (item_.type == join_type::inner && !left_updates && !right_updates && !terms_.keys.empty()) {
      stream_join_spec spec;
      take_keys(spec);
      return add("join", std::move(spec), std::move(left), std::move(right),
                 "append-only: an inner join of append-only inputs; both sides are kept for ever");
    }
    changelog_join_spec spec;
    spec.kind = kind_of(item_.type);
    spec.left_updating = left_updates;
    spec.right_updating = right_updates;
    take_keys(spec);
    return add(
        item_.type == join_type::inner ? "join" : "outer join", std::move(spec), std::move(left),
        std::move(right),
        item_.type == join_type::inner
            ? "append-only: an inner join of append-only inputs; both sides are kept for ever"
            : "updating: a row without a match may get one later");
  }

  // The side that is a table in the end, where the other one is not and its rows are those that
  // must all appear; -1 = none.
  [[nodiscard]] std::int32_t table_side() const {
    if (left_.is_static() == right_.is_static())
      return -1;
    const std::int32_t side = right_.is_static() ? 1 : 0;
    const bool fits = item_.type == join_type::inner
                      || item_.type == (side == 1 ? join_type::left : join_type::right);
    return fits ? side : -1;
  }

  // The other side's rows wait until the table is there, and so are joined once and for all.
  result<node_id> lookup_join(std::int32_t table) {
    const auto& side = table == 1 ? right_ : left_;
    if (terms_.keys.empty() && !side.one_row())
      planner_.build.warn(planner_.query.fail(
          ec::resource, item_.at,
          "this join has no equality between its sides: every row is compared with every row of "
              + side.source_name() + ", in one subtask",
          "join on an equality"));
    changelog_join_spec spec;
    spec.kind = kind_of(item_.type);
    spec.left_updating = left_.updating();
    spec.right_updating = right_.updating();
    spec.lookup = table;
    take_keys(spec);
    auto left = table == 0 ? without_times(left_columns_) : left_columns_;
    auto right = table == 1 ? without_times(right_columns_) : right_columns_;
    const auto why = "append-only: " + side.source_name()
                     + " ends and has no event time, so it is loaded first; rows of the other side "
                       "wait for it and are not kept";
    return add("lookup join", std::move(spec), std::move(left), std::move(right), why.c_str());
  }

  static changelog_join_kind kind_of(join_type type) {
    switch (type) {
    case join_type::inner:
      return changelog_join_kind::inner;
    case join_type::left:
      return changelog_join_kind::left;
    case join_type::right:
      return changelog_join_kind::right;
    case join_type::full:
      break;
    }
    return changelog_join_kind::full;
  }

  static std::vector<plan_column> without_times(std::vector<plan_column> columns) {
    for (auto& column : columns) {
      column.role = column_role::plain;
      column.window = {};
      column.lag = 0;
    }
    return columns;
  }

  query_planner& planner_;
  node_builder& build_;
  const from_item& item_;
  join_side left_, right_;
  std::vector<plan_column> left_columns_, right_columns_;
  std::vector<timed_expr>& times_;
  join_terms terms_;
  std::optional<column_pair> end_, start_;
};

enum class side : std::uint8_t { neither, left, right, both };

side side_of(const expr& x, const from_item& join) {
  const auto columns = columns_of(x);
  if (columns.empty())
    return side::neither;
  const auto middle = join.right->first;
  if (columns.back() < middle)
    return side::left;
  return columns.front() >= middle ? side::right : side::both;
}

} // namespace

result<node_id> from_planner::plan_join(from_item& join, std::vector<expr_ptr> filters) {
  const bool keeps_left = join.type == join_type::left || join.type == join_type::full;
  const bool keeps_right = join.type == join_type::right || join.type == join_type::full;
  std::vector<expr_ptr> left_filters;
  std::vector<expr_ptr> right_filters;
  std::vector<expr_ptr> conditions;
  std::vector<expr_ptr> above;
  // A side whose rows must all appear is not filtered by ON; the other one not by WHERE.
  for (const auto& on : join.on) {
    const auto reads = side_of(*on, join);
    if (reads == side::left && !keeps_left)
      left_filters.push_back(on);
    else if (reads == side::right && !keeps_right)
      right_filters.push_back(on);
    else
      conditions.push_back(on);
  }
  for (const auto& filter : filters) {
    const auto reads = side_of(*filter, join);
    if (reads == side::left && !keeps_right)
      left_filters.push_back(filter);
    else if (reads == side::right && !keeps_left)
      right_filters.push_back(filter);
    else if (join.type == join_type::inner)
      conditions.push_back(filter);
    else
      above.push_back(filter);
  }
  EBB_ASSIGN(const auto left, plan(*join.left, std::move(left_filters)));
  EBB_ASSIGN(const auto right, plan(*join.right, std::move(right_filters)));
  for (auto& condition : conditions)
    condition = localized(condition, join.first);
  times_.clear(); // those of joins below no longer hold above this one
  EBB_ASSIGN(auto node,
             (join_planner{planner_, join, left, right, std::move(conditions), times_}.run()));
  for (auto& filter : above)
    filter = localized(filter, join.first);
  return planner_.build.filter(node, std::move(above));
}

} // namespace ebb::sql
