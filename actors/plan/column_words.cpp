#include "actors/plan/column_words.hpp"

#include "actors/plan/expr_words.hpp"

#include <iterator>
#include <utility>

namespace ebb {

namespace {

using words = std::vector<std::string>;

words told_apart(words all) {
  std::map<std::string, int> seen;
  for (auto& x : all)
    if (const auto times = ++seen[x]; times != 1)
      x += '#' + std::to_string(times);
  return all;
}

/// Of an operator that adds columns to those of its inputs, or has no others; by name where that is
/// not so.
words passed(words in, const std::vector<plan_column>& columns) {
  auto names = names_of(columns);
  if (in.size() > names.size())
    return names;
  std::move(in.begin(), in.end(), names.begin());
  return told_apart(std::move(names));
}

words keyed(const words& in, const std::vector<std::uint32_t>& keys,
            const std::vector<plan_column>& columns) {
  auto names = names_of(columns);
  for (std::size_t i = 0; i < keys.size() && i < names.size(); ++i)
    names[i] = in[keys[i]];
  return told_apart(std::move(names));
}

} // namespace

std::vector<std::string> names_of(const std::vector<plan_column>& columns) {
  words names;
  for (const auto& x : columns)
    names.push_back(one_line(x.name));
  return told_apart(std::move(names));
}

const std::vector<std::string>& column_words::of(const stage& at, const stage_step& step) {
  const auto found = known_.find(&step);
  if (found != known_.end())
    return found->second;
  return known_[&step] = made_by(at, step);
}

std::vector<std::string> column_words::into(const stage& at, const stage_step& step,
                                            const step_input& input) {
  const auto& before = step_before(plan_, at, input);
  if (before.name != step.name)
    return names_of(before.columns);
  return of(input.from_outside ? plan_.stages[at.inputs[input.index].from_stage] : at, before);
}

std::vector<std::string> column_words::into(const stage& at, const stage_step& step) {
  words all;
  for (const auto& x : step.inputs) {
    auto some = into(at, step, x);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return told_apart(std::move(all));
}

std::vector<std::string> column_words::made_by(const stage& at, const stage_step& step) {
  const auto* spec = std::get_if<operator_spec>(&step.what);
  if (spec == nullptr || std::holds_alternative<union_all_spec>(*spec))
    return names_of(step.columns);
  auto in = into(at, step);
  if (const auto* x = std::get_if<filter_project_spec>(spec)) {
    words made;
    for (const auto& output : x->outputs)
      made.push_back(words_of(*output, in));
    return told_apart(std::move(made));
  }
  if (const auto* x = std::get_if<window_aggregate_spec>(spec))
    return keyed(in, x->keys, step.columns);
  if (const auto* x = std::get_if<group_aggregate_spec>(spec))
    return keyed(in, x->keys, step.columns);
  if (const auto* x = std::get_if<weigh_rows_spec>(spec))
    in.erase(in.begin() + x->count_column);
  return passed(std::move(in), step.columns);
}

} // namespace ebb
