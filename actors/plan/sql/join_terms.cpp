#include "actors/plan/sql/join_terms.hpp"

#include "actors/dataflow/function.hpp"
#include "actors/plan/sql/coerce.hpp"
#include "actors/plan/sql/plan_from.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

// column + offset, where the column tells time.
struct time_point {
  std::uint32_t column = 0;
  micros offset = 0;
};

std::optional<micros> constant_span(const expr& x) {
  if (x.kind != expr_kind::literal || x.type.kind != type_kind::interval || x.value.is_null(0))
    return std::nullopt;
  const auto span = x.value.data<interval_value>()[0];
  const auto total = static_cast<int128>(span.days) * micros_per_day + span.micros;
  constexpr int128 limit = int128{1} << 61;
  if (span.months != 0 || total < -limit || total > limit)
    return std::nullopt;
  return static_cast<micros>(total);
}

bool is_time(const sql_type& type) {
  return type.kind == type_kind::timestamp || type.kind == type_kind::timestamptz;
}

std::optional<time_point> time_of(const expr& x) {
  if (!is_time(x.type))
    return std::nullopt;
  if (x.kind == expr_kind::column)
    return time_point{x.index, 0};
  if (x.kind != expr_kind::call)
    return std::nullopt;
  // In UTC the casts between the two timestamp types keep the value.
  if (x.function->name == "cast" && x.args.size() == 1)
    return time_of(*x.args[0]);
  if (x.args.size() != 2 || (x.function->name != "+" && x.function->name != "-"))
    return std::nullopt;
  const bool minus = x.function->name == "-";
  auto point = time_of(*x.args[0]);
  auto span = constant_span(*x.args[1]);
  if (!minus && !point) {
    point = time_of(*x.args[1]);
    span = constant_span(*x.args[0]);
  }
  if (!point || !span)
    return std::nullopt;
  constexpr micros limit = micros{1} << 61;
  point->offset += minus ? -*span : *span;
  if (point->offset > limit || point->offset < -limit)
    return std::nullopt;
  return point;
}

// Null where there is no such cast.
expr_ptr cast_to(const expr_ptr& x, const sql_type& type) {
  if (same_kind(x->type, type))
    return x;
  const auto* cast = builtin_functions().find_cast(x->type, type);
  if (cast == nullptr)
    return nullptr;
  auto made = make_call(*cast, type, {x}, x->text);
  return made ? *made : nullptr;
}

class sorter {
public:
  sorter(const std::vector<plan_column>& left, const std::vector<plan_column>& right)
      : left_(left), right_(right), width_(static_cast<std::uint32_t>(left.size())) {}

  join_terms run(const std::vector<expr_ptr>& conditions) {
    for (const auto& condition : conditions)
      if (!take_bound(condition) && !take_key(condition))
        terms_.residual.push_back(condition);
    complete_bounds();
    return std::move(terms_);
  }

private:
  [[nodiscard]] bool tells_time(std::uint32_t column) const {
    const auto& known = column < width_ ? left_[column] : right_[column - width_];
    const auto role = role_of(known);
    return role.usable() && !role.window.processing_time;
  }

  // left + a <op> right + b, as a bound of left - right.
  bool take_bound(const expr_ptr& x) {
    if (x->kind != expr_kind::call || x->args.size() != 2)
      return false;
    auto op = x->function->name;
    auto a = time_of(*x->args[0]);
    auto b = time_of(*x->args[1]);
    if (!a || !b || (a->column < width_) == (b->column < width_) || !tells_time(a->column)
        || !tells_time(b->column))
      return false;
    if (a->column >= width_) {
      std::swap(a, b);
      op = op == "<" ? ">" : op == ">" ? "<" : op == "<=" ? ">=" : op == ">=" ? "<=" : op;
    }
    const auto distance = b->offset - a->offset;
    std::optional<micros> lower;
    std::optional<micros> upper;
    if (op == "=")
      lower = upper = distance;
    else if (op == ">=")
      lower = distance;
    else if (op == ">")
      lower = distance + 1;
    else if (op == "<=")
      upper = distance;
    else if (op == "<")
      upper = distance - 1;
    else
      return false;
    auto& bound = terms_.bounds[{a->column, b->column - width_}];
    if (lower)
      bound.lower = std::max(bound.lower.value_or(*lower), *lower);
    if (upper)
      bound.upper = std::min(bound.upper.value_or(*upper), *upper);
    bound.conditions.push_back(x);
    return true;
  }

  // `ts >= window_start AND ts < window_end` bounds ts against either: what is said of a window's
  // start says something of its end. The conditions themselves are still checked.
  void complete_bounds() {
    for (auto& [pair, bound] : terms_.bounds) {
      if (bound.lower && bound.upper)
        continue;
      for (const auto& [other, hint] : terms_.bounds) {
        if (other == pair)
          continue;
        if (other.first == pair.first && ends_of_one_window(right_, other.second, pair.second)) {
          const auto& window = right_[pair.second].window;
          if (hint.lower && !bound.lower)
            bound.lower = *hint.lower - longest(window);
          if (hint.upper && !bound.upper)
            bound.upper = *hint.upper - shortest(window);
        }
        if (other.second == pair.second && ends_of_one_window(left_, other.first, pair.first)) {
          const auto& window = left_[pair.first].window;
          if (hint.lower && !bound.lower)
            bound.lower = *hint.lower + shortest(window);
          if (hint.upper && !bound.upper)
            bound.upper = *hint.upper + longest(window);
        }
      }
    }
  }

  static bool ends_of_one_window(const std::vector<plan_column>& side, std::uint32_t start,
                                 std::uint32_t end) {
    return side[start].role == column_role::window_start
           && side[end].role == column_role::window_end && side[start].window == side[end].window
           && longest(side[end].window) != unbounded_lag;
  }

  bool take_key(const expr_ptr& x) {
    if (x->kind != expr_kind::call || x->args.size() != 2 || x->function->name != "=")
      return false;
    const auto a = side_of(*x->args[0]);
    const auto b = side_of(*x->args[1]);
    if (a * b != -1)
      return false;
    const auto& left = x->args[a < 0 ? 0 : 1];
    const auto& right = x->args[a < 0 ? 1 : 0];
    // Keys are compared by their encoding, so both sides take the type that `=` compares in.
    const auto type = common_type(bare(left->type), bare(right->type));
    if (!type)
      return false;
    auto left_key = cast_to(left, *type);
    auto right_key = cast_to(localized(right, width_), *type);
    if (!left_key || !right_key)
      return false;
    terms_.keys.push_back({std::move(left_key), std::move(right_key), x});
    return true;
  }

  // -1 left only, 1 right only, 0 both or neither.
  [[nodiscard]] int side_of(const expr& x) const {
    const auto columns = columns_of(x);
    if (columns.empty())
      return 0;
    if (columns.back() < width_)
      return -1;
    return columns.front() >= width_ ? 1 : 0;
  }

  const std::vector<plan_column>& left_;
  const std::vector<plan_column>& right_;
  std::uint32_t width_;
  join_terms terms_;
};

} // namespace

join_terms sort_terms(const std::vector<expr_ptr>& conditions, const std::vector<plan_column>& left,
                      const std::vector<plan_column>& right) {
  return sorter{left, right}.run(conditions);
}

} // namespace ebb::sql
