#include "actors/plan/state_shape.hpp"

#include <utility>
#include <vector>

namespace ebb {

namespace {

using columns = std::vector<plan_column>;

std::string name_of(const columns& from, std::size_t number) {
  std::string result;
  for (const char c : number < from.size() ? from[number].name : std::string("?"))
    result += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  return result;
}

std::string list(const columns& from, const std::vector<std::uint32_t>& numbers) {
  std::string result;
  for (const auto x : numbers)
    result += (result.empty() ? "" : ", ") + name_of(from, x);
  return result;
}

std::string all_of(const columns& from) {
  std::string result;
  for (std::size_t i = 0; i < from.size(); ++i)
    result += (i == 0 ? "" : ", ") + name_of(from, i);
  return result;
}

std::string with(const char* what, const std::string& names) {
  return names.empty() ? std::string{} : std::string(what) + ' ' + names + "; ";
}

std::string text_of(const columns& from, const std::vector<sort_key>& order) {
  std::string result;
  for (const auto& x : order)
    result += (result.empty() ? "" : ", ") + name_of(from, x.column) + (x.descending ? " DESC" : "")
              + (x.nulls_first ? " NULLS FIRST" : "");
  return result;
}

std::string text_of(const columns& from, const aggregate_call& x) {
  auto result = x.function->name + (x.distinct ? "(DISTINCT " : "(") + list(from, x.args);
  if (!x.order_by.empty())
    result += " ORDER BY " + text_of(from, x.order_by);
  result += ')';
  return x.filter < 0 ? result
                      : result + " FILTER " + name_of(from, static_cast<std::size_t>(x.filter));
}

std::string call_name(const columns& from, const aggregate_call& x) {
  auto text = text_of(from, x);
  return text.ends_with("()") ? text.substr(0, text.size() - 2) : text;
}

std::string text_of(const columns& from, const std::vector<aggregate_call>& calls) {
  std::string result;
  for (const auto& x : calls)
    result += (result.empty() ? "" : ", ") + text_of(from, x);
  return result;
}

std::string text_of(const columns& from, const over_call& x) {
  std::string result =
      x.what == over_call::kind::aggregate
          ? text_of(from, x.call)
          : std::to_string(static_cast<int>(x.what)) + '(' + list(from, x.call.args) + ')';
  const auto& frame = x.frame;
  for (const auto part : {std::int64_t{frame.range}, std::int64_t{frame.unbounded}, frame.preceding,
                          std::int64_t{frame.to_last}, frame.following, x.distance})
    result += ' ' + std::to_string(part);
  return result;
}

std::string text_of(const columns& from, const std::vector<over_call>& calls) {
  std::string result;
  for (const auto& x : calls)
    result += (result.empty() ? "" : ", ") + text_of(from, x);
  return result;
}

struct shape {
  const stage_plan& plan;
  const stage& at;
  const stage_step& step;
  column_words* words = nullptr; ///< null: columns by their names, as people write them

  [[nodiscard]] columns coming_into(const stage& where, const stage_step& user,
                                    const step_input& from) const {
    auto found = step_before(plan, where, from).columns;
    if (words == nullptr)
      return found;
    auto put = words->into(where, user, from);
    for (std::size_t i = 0; i < found.size(); ++i)
      found[i].name = std::move(put[i]);
    return found;
  }

  [[nodiscard]] columns input(std::size_t i = 0) const {
    return coming_into(at, step, step.inputs[i]);
  }

  /// The spec of the phase that reads rows, and the columns of these: a final phase's own input
  /// has states.
  template <class Spec>
  [[nodiscard]] std::pair<const Spec*, columns> rows_of(const Spec& own) const {
    const auto& first = step.inputs[0];
    const auto& before = step_before(plan, at, first);
    const auto* spec = std::get_if<operator_spec>(&before.what);
    const auto* partial = spec == nullptr ? nullptr : std::get_if<Spec>(spec);
    if (partial == nullptr || partial->phase != decltype(own.phase)::partial
        || own.phase != decltype(own.phase)::final)
      return {&own, input()};
    const auto& where = first.from_outside ? plan.stages[at.inputs[first.index].from_stage] : at;
    return {partial, coming_into(where, before, before.inputs[0])};
  }

  [[nodiscard]] std::string sides(const std::vector<std::uint32_t>& left,
                                  const std::vector<std::uint32_t>& right) const {
    return with("keys", list(input(0), left)) + with("keys", list(input(1), right))
           + with("left", all_of(input(0))) + with("right", all_of(input(1)));
  }

  template <class Spec>
  [[nodiscard]] std::vector<std::string> names_of(const Spec& own) const {
    const auto [x, from] = rows_of(own);
    std::vector<std::string> result;
    for (const auto& call : x->calls)
      result.push_back(call_name(from, call));
    return result;
  }

  [[nodiscard]] std::vector<std::string> names_of(const over_spec& x) const {
    std::vector<std::string> result;
    for (const auto& y : x.calls)
      if (y.what == over_call::kind::aggregate)
        result.push_back(call_name(input(), y.call));
    return result;
  }

  std::string operator()(const assign_watermarks_spec& x) const {
    return "time " + name_of(input(), x.time_column);
  }

  std::string operator()(const window_aggregate_spec& own) const {
    const auto [x, from] = rows_of(own);
    std::string time;
    if (x->window.time_column >= 0)
      time = name_of(from, static_cast<std::size_t>(x->window.time_column));
    return with("keys", list(from, x->keys)) + with("time", time) + text_of(from, x->calls);
  }

  std::string operator()(const group_aggregate_spec& own) const {
    const auto [x, from] = rows_of(own);
    return with("keys", list(from, x->keys)) + text_of(from, x->calls);
  }

  std::string operator()(const window_join_spec& x) const {
    return sides(x.left_keys, x.right_keys);
  }

  std::string operator()(const interval_join_spec& x) const {
    return sides(x.left_keys, x.right_keys)
           + with("times", name_of(input(0), x.left_time) + ", " + name_of(input(1), x.right_time));
  }

  std::string operator()(const stream_join_spec& x) const {
    return sides(x.left_keys, x.right_keys);
  }

  std::string operator()(const changelog_join_spec& x) const {
    return sides(x.left_keys, x.right_keys);
  }

  template <class Spec>
  [[nodiscard]] std::string ordered(const Spec& x) const {
    return with("partition", list(input(), x.partition))
           + with("order", text_of(input(), x.order_by)) + with("rows", all_of(input()));
  }

  std::string operator()(const window_top_n_spec& x) const {
    return ordered(x);
  }

  std::string operator()(const changelog_top_n_spec& x) const {
    return ordered(x);
  }

  std::string operator()(const over_spec& x) const {
    return ordered(x) + text_of(input(), x.calls);
  }

  std::string operator()(const changelog_over_spec& x) const {
    return ordered(x) + text_of(input(), x.calls);
  }

  std::string operator()(const upsert_spec& x) const {
    return with("keys", list(input(), x.keys)) + with("rows", all_of(input()));
  }

  std::string operator()(const settle_spec& x) const {
    return with("keys", list(input(), x.keys)) + with("rows", all_of(input()));
  }

  std::string operator()(const live_rows_spec& x) const {
    return with("keys", list(input(), x.keys)) + with("rows", all_of(input()));
  }

  // A clock, or nothing.
  template <class Spec>
  std::string operator()(const Spec&) const {
    return {};
  }
};

} // namespace

std::vector<std::string> call_names(const stage_plan& plan, const stage& at,
                                    const stage_step& step) {
  const shape of{plan, at, step};
  const auto& spec = std::get<operator_spec>(step.what);
  if (const auto* x = std::get_if<window_aggregate_spec>(&spec))
    return of.names_of(*x);
  if (const auto* x = std::get_if<group_aggregate_spec>(&spec))
    return of.names_of(*x);
  if (const auto* x = std::get_if<over_spec>(&spec))
    return of.names_of(*x);
  return {};
}

std::string state_shape(const stage_plan& plan, const stage& at, const stage_step& step,
                        column_words& words) {
  return std::visit(shape{plan, at, step, &words}, std::get<operator_spec>(step.what));
}

} // namespace ebb
