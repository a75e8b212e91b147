#include "actors/plan/sql/time_condition.hpp"

#include "actors/plan/sql/select_query.hpp"

#include <algorithm>
#include <optional>

namespace ebb::sql {

namespace {

bool reads_now(const expr& x) {
  const auto columns = columns_of(x);
  return std::find(columns.begin(), columns.end(), now_index) != columns.end();
}

bool is_call(const expr& x, std::string_view name, std::size_t args) {
  return x.kind == expr_kind::call && x.function->name == name && x.args.size() == args;
}

// What now() is moved by; nullopt = it is something else than now() and constants.
std::optional<micros> moved_by(const expr& x) {
  if (x.kind == expr_kind::column)
    return x.index == now_index ? std::optional<micros>{0} : std::nullopt;
  // The zone is UTC: a cast between the two kinds of timestamp changes nothing.
  if (is_call(x, "cast", 1) && x.type.kind != type_kind::date)
    return x.type.kind == type_kind::timestamp || x.type.kind == type_kind::timestamptz
               ? moved_by(*x.args[0])
               : std::nullopt;
  const bool plus = is_call(x, "+", 2);
  if (!plus && !is_call(x, "-", 2))
    return std::nullopt;
  const auto& by = *x.args[1];
  if (by.kind != expr_kind::literal || by.type.kind != type_kind::interval || by.value.is_null(0))
    return std::nullopt;
  const auto& span = by.value.data<interval_value>()[0];
  if (span.months != 0)
    return std::nullopt; // of no fixed length
  const auto before = moved_by(*x.args[0]);
  micros days = 0;
  micros total = 0;
  if (!before || __builtin_mul_overflow(micros{span.days}, micros_per_day, &days)
      || __builtin_add_overflow(days, span.micros, &total)
      || __builtin_mul_overflow(total, micros{plus ? 1 : -1}, &total)
      || __builtin_add_overflow(total, *before, &total))
    return std::nullopt;
  return total;
}

std::int32_t place_of_now(const expr& x,
                          const std::unordered_map<const expr*, std::int32_t>& places) {
  if (x.kind == expr_kind::column && x.index == now_index) {
    const auto found = places.find(&x);
    return found == places.end() ? -1 : found->second;
  }
  for (const auto& arg : x.args)
    if (const auto at = place_of_now(*arg, places); at >= 0)
      return at;
  return -1;
}

} // namespace

result<time_condition>
time_condition_of(const sql_text& text, const expr_ptr& condition,
                  const std::unordered_map<const expr*, std::int32_t>& places) {
  const auto refuse = [&] {
    return text.fail(
        ec::unsupported, place_of_now(*condition, places), "this use of now() is not supported",
        "compare a time with now() and a constant of days or less, as a condition of its own: ts > "
        "now() - INTERVAL '1 hour', ts <= now()");
  };
  if (condition->kind != expr_kind::call || condition->args.size() != 2)
    return refuse();
  auto op = condition->function->name;
  auto time = condition->args[0];
  auto now = condition->args[1];
  if (reads_now(*time)) {
    std::swap(time, now);
    op = op == "<" ? ">" : op == "<=" ? ">=" : op == ">" ? "<" : op == ">=" ? "<=" : "";
  }
  const auto by = reads_now(*time) ? std::nullopt : moved_by(*now);
  const auto kind = time->type.kind;
  if (!by || (kind != type_kind::timestamp && kind != type_kind::timestamptz)
      || reads_between(*time, outer_base, over_base) || *by == INT64_MIN)
    return refuse();
  // time > now + by: now < time - by. Of times in microseconds, now <= t is now < t + 1.
  time_condition made{time, -*by, op == ">" || op == ">="};
  if (op == ">=" || op == "<")
    ++made.shift;
  else if (op != ">" && op != "<=")
    return refuse();
  return made;
}

} // namespace ebb::sql
