#include "actors/plan/state_change.hpp"

#include "actors/plan/stateful_steps.hpp"

#include <map>

namespace ebb {

namespace {

std::map<std::string, std::string> lines_of(std::string_view text) {
  std::map<std::string, std::string> result;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto tab = line.find('\t');
    if (tab != std::string_view::npos)
      result.emplace(line.substr(0, tab), line.substr(tab + 1));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

void append_numbers(const std::vector<std::uint32_t>& numbers, std::string& out) {
  out += '[';
  for (const auto x : numbers)
    out += std::to_string(x) + ' ';
  out += ']';
}

void append_types(const std::vector<plan_column>& columns, std::string& out) {
  out += '(';
  for (const auto& x : columns)
    out += to_string(x.type) + ' ';
  out += ')';
}

void append_window(const window_spec& x, std::string& out) {
  out += " window " + std::to_string(static_cast<int>(x.kind)) + ' ' + std::to_string(x.size) + ' '
         + std::to_string(x.slide) + ' ' + std::to_string(x.offset);
}

void append_call(const aggregate_call& x, std::string& out) {
  out += ' ' + x.function->name + (x.distinct ? " distinct" : "") + '(';
  for (const auto& type : x.arg_types)
    out += to_string(type) + ' ';
  out += ')';
}

/// What the state of an operator is made of, beside its columns.
struct describe {
  std::string& out;

  // How rows are written (row_pack.hpp).
  void append_packs() const {
    out += " in packs";
  }

  // For how long is no matter.
  void append_retention(const retention_spec& x) const {
    out += x.span == 0 ? "" : x.processing_time ? " dropped by ticks" : " dropped by watermarks";
  }

  void append_order(const std::vector<sort_key>& order) const {
    for (const auto& key : order)
      out += ' ' + std::to_string(key.column) + (key.descending ? " down" : " up")
             + (key.nulls_first ? " nulls first" : "");
  }

  void operator()(const assign_watermarks_spec&) const {}

  void operator()(const window_aggregate_spec& x) const {
    append_window(x.window, out);
    out += " keys " + std::to_string(x.keys.size());
    for (const auto& call : x.calls)
      append_call(call, out);
  }

  void operator()(const window_join_spec& x) const {
    append_numbers(x.left_keys, out);
    append_numbers(x.right_keys, out);
    out += std::to_string(static_cast<int>(x.type));
  }

  void operator()(const interval_join_spec& x) const {
    append_numbers(x.left_keys, out);
    append_numbers(x.right_keys, out);
    out += std::to_string(static_cast<int>(x.type)) + ' ' + std::to_string(x.lower) + ' '
           + std::to_string(x.upper);
  }

  void operator()(const stream_join_spec& x) const {
    append_numbers(x.left_keys, out);
    append_numbers(x.right_keys, out);
    append_retention(x.retention);
    append_packs();
  }

  void operator()(const window_top_n_spec& x) const {
    append_numbers(x.partition, out);
    for (const auto& key : x.order_by)
      out += ' ' + std::to_string(key.column);
    out += " limit " + std::to_string(x.limit);
  }

  void operator()(const over_spec& x) const {
    append_numbers(x.partition, out);
    out += " calls " + std::to_string(x.calls.size());
  }

  void operator()(const filter_project_spec&) const {}

  void operator()(const window_assign_spec&) const {}

  void operator()(const union_all_spec&) const {}

  void operator()(const stamp_time_spec&) const {}

  void operator()(const group_aggregate_spec& x) const {
    out += " keys " + std::to_string(x.keys.size());
    for (const auto& call : x.calls)
      append_call(call, out);
    out += x.updating ? " updating" : "";
    append_retention(x.retention);
  }

  void operator()(const changelog_join_spec& x) const {
    append_numbers(x.left_keys, out);
    append_numbers(x.right_keys, out);
    out += std::to_string(static_cast<int>(x.kind)) + (x.left_updating ? " updating" : " append")
           + (x.right_updating ? " updating" : " append")
           + (x.lookup >= 0 ? " lookup " + std::to_string(x.lookup) : "");
    append_retention(x.retention);
    append_packs();
  }

  void operator()(const changelog_top_n_spec& x) const {
    append_numbers(x.partition, out);
    append_order(x.order_by);
    out += " limit " + std::to_string(x.limit) + " offset " + std::to_string(x.offset) + " rank "
           + std::to_string(static_cast<int>(x.rank)) + (x.updating ? " updating" : "");
    append_retention(x.retention);
    append_packs();
  }

  void operator()(const changelog_over_spec& x) const {
    append_numbers(x.partition, out);
    append_order(x.order_by);
    out += " calls " + std::to_string(x.calls.size()) + (x.updating ? " updating" : "");
    append_retention(x.retention);
    append_packs();
  }

  void operator()(const weigh_rows_spec&) const {}

  void operator()(const upsert_spec& x) const {
    append_numbers(x.keys, out);
  }

  void operator()(const expand_rows_spec&) const {}

  void operator()(const live_rows_spec& x) const {
    append_numbers(x.keys, out);
    for (const auto* bounds : {&x.from, &x.until}) {
      out += bounds == &x.from ? " from" : " until";
      for (const auto& bound : *bounds)
        out += ' ' + std::to_string(bound.column) + ' ' + std::to_string(bound.shift);
    }
  }
};

/// A final phase keeps what a complete one does, though its input looks different: its keys and
/// calls tell.
bool keeps_its_columns(const operator_spec& spec) {
  return !std::holds_alternative<window_aggregate_spec>(spec)
         && !std::holds_alternative<group_aggregate_spec>(spec);
}

void append_list(const char* what, const std::vector<std::string>& names, std::string& out) {
  for (const auto& x : names)
    out += (out.empty() ? "" : ", ") + x + ' ' + what;
}

} // namespace

std::string state_signature(const stage_plan& plan) {
  std::string result;
  for (const auto& x : stateful_steps(plan)) {
    const auto& at = plan.stages[x.stage];
    const auto& step = at.steps[x.step];
    const auto& spec = std::get<operator_spec>(step.what);
    result += x.identity + '\t';
    if (keeps_its_columns(spec))
      for (const auto& input : step.inputs)
        append_types(step_before(plan, at, input).columns, result);
    append_types(step.columns, result);
    std::visit(describe{result}, spec);
    result += '\n';
  }
  return result;
}

state_change compare_state(std::string_view before, std::string_view now) {
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(now);
  state_change result;
  for (const auto& [identity, signature] : new_lines) {
    const auto found = old_lines.find(identity);
    auto& to = found == old_lines.end()     ? result.added
               : found->second == signature ? result.kept
                                            : result.changed;
    to.push_back(identity);
  }
  for (const auto& [identity, signature] : old_lines)
    if (new_lines.count(identity) == 0)
      result.removed.push_back(identity);
  return result;
}

std::string state_change::text() const {
  std::string result;
  append_list("is gone", removed, result);
  append_list("keeps other state", changed, result);
  return result;
}

} // namespace ebb
