#include "actors/plan/state_change.hpp"

#include "actors/plan/change_paths.hpp"
#include "actors/plan/state_shape.hpp"
#include "actors/plan/state_words.hpp"
#include "actors/plan/stateful_steps.hpp"

#include <algorithm>
#include <iterator>

namespace ebb {

namespace {

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
    if (x.offset > 0 && x.rank != rank_kind::row_number)
      out += " skips rows";
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

  void operator()(const settle_spec& x) const {
    append_numbers(x.keys, out);
    append_retention(x.retention);
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

} // namespace

std::vector<kept_state> kept_states(const stage_plan& plan) {
  std::vector<kept_state> result;
  column_words words(plan);
  for (const auto& x : stateful_steps(plan)) {
    const auto& at = plan.stages[x.stage];
    const auto& step = at.steps[x.step];
    const auto& spec = std::get<operator_spec>(step.what);
    std::string signature;
    if (keeps_its_columns(spec))
      for (const auto& input : step.inputs)
        append_types(step_before(plan, at, input).columns, signature);
    append_types(step.columns, signature);
    std::visit(describe{signature}, spec);
    result.push_back({x.identity, std::move(signature), state_shape(plan, at, step, words)});
  }
  return result;
}

state_change compare_state(std::span<const kept_state> before, std::span<const kept_state> now) {
  const auto find = [](std::span<const kept_state> in, const std::string& identity) {
    return std::find_if(in.begin(), in.end(),
                        [&](const auto& x) { return x.identity == identity; });
  };
  state_change result;
  for (const auto& x : now) {
    const auto found = find(before, x.identity);
    if (found == before.end()) {
      result.added.push_back(x.identity);
    } else if (fits(*found, x)) {
      result.kept.push_back(x.identity);
    } else {
      result.changed.push_back(x.identity);
      result.differences.push_back(" (" + difference_in_words(*found, x) + ")");
    }
  }
  for (const auto& x : before)
    if (find(now, x.identity) == now.end())
      result.removed.push_back(x.identity);
  return result;
}

planned_state planned_state_of(const stage_plan& plan, const stream_definition& stream) {
  return {kept_states(plan), change_paths(plan, stream)};
}

state_change compare_plan(const pinned_plan& before, const planned_state& now, bool same_manifest) {
  auto result = compare_state(before.used(), now.states);
  if (same_manifest && result.added.empty())
    return result;
  const auto paths = before.used_paths();
  const auto is_kept = [&](const std::string& identity) {
    return std::ranges::find(result.kept, identity) != result.kept.end();
  };
  // A path into state is named by it, and by the side of a join.
  const auto is_added = [&](const std::string& taker) {
    return std::ranges::any_of(result.added, [&](const auto& identity) {
      return taker == identity || taker.starts_with(identity + " (");
    });
  };
  for (const auto& x : now.paths) {
    const auto found = std::find_if(paths.begin(), paths.end(),
                                    [&](const auto& y) { return y.taker == x.taker; });
    // The same manifest says the same of rows, but another ebb may keep more of them.
    if (same_manifest && found != paths.end())
      continue;
    const bool goes_on = std::ranges::any_of(x.origins, is_kept);
    if (found == paths.end()) {
      // The rows that it would take back went out before it was there.
      if (!goes_on || !is_added(x.taker))
        continue;
      result.other_rows.push_back(x.taker + " is new, and takes changes of rows that it has not got ("
                                  + x.what + ')');
    } else {
      // Who begins with empty state takes nothing back that was made before.
      if (found->what == x.what || (!x.origins.empty() && !goes_on))
        continue;
      result.other_rows.push_back(x.taker + " takes changes of other rows than it has got (" + x.what
                                  + ", before " + found->what + ')');
    }
    std::ranges::copy_if(x.upstream, std::back_inserter(result.to_empty), is_kept);
  }
  std::ranges::sort(result.to_empty);
  result.to_empty.erase(std::unique(result.to_empty.begin(), result.to_empty.end()), result.to_empty.end());
  return result;
}

std::string state_change::text() const {
  std::string result;
  for (const auto& x : removed)
    result += (result.empty() ? "" : ", ") + x + " is gone";
  for (std::size_t i = 0; i < changed.size(); ++i)
    result += (result.empty() ? "" : ", ") + changed[i] + " keeps other state" + differences[i];
  for (const auto& x : other_rows)
    result += (result.empty() ? "" : ", ") + x;
  return result;
}

error misfit(const state_change& change, const pinned_plan& pinned, const std::string& manifest) {
  const auto what = change.text();
  const std::string reset =
      (change.other_rows.empty() ? "" : "apply it as a stream of another name, with sinks of its own, or ")
      + std::string("set spec.onChange: reset to let these operators begin with empty state")
      + (change.other_rows.empty() ? "" : " (what sinks have stays there)")
      + ", or begin anew with --from fresh --yes";
  if (pinned.manifest.empty())
    return make_error(ec::conflict,
                      "the manifest has changed, or ebb has since an earlier version of it left "
                      "the state, which does not fit: "
                          + what,
                      "undo the change, or " + reset);
  if (pinned.manifest != manifest)
    return make_error(ec::conflict, "the manifest has changed, and the state does not fit: " + what,
                      "undo the change, or " + reset);
  const std::string version = engine_version();
  return make_error(ec::conflict,
                    (version == pinned.version
                         ? "this build of ebb keeps other state than the one that has left this"
                         : "ebb " + version + " keeps other state than ebb " + pinned.version
                               + ", which has left this")
                        + ", and it does not fit: " + what,
                    "run it with the ebb that has left the state, or " + reset);
}

} // namespace ebb
