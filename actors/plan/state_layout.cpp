#include "actors/plan/state_layout.hpp"

#include "actors/dataflow/aggregates/retractable.hpp"
#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operators/key_retention.hpp"
#include "actors/dataflow/operators/saved_sequences.hpp"
#include "actors/plan/state_shape.hpp"

#include <array>

namespace ebb {

namespace {

using form = state_part::form;
using parts = std::vector<state_part>;

sql_type timestamp_type() {
  return sql_type{type_kind::timestamp};
}

state_part time_part(const char* name) {
  return {name, form::time, timestamp_type()};
}

state_part part(const char* name, form as) {
  return {name, as, sql_type{type_kind::bigint}};
}

/// All columns of a row, or those with the given numbers, in one form.
parts columns_of(const std::vector<plan_column>& columns, form as) {
  parts result;
  for (const auto& x : columns)
    result.push_back({x.name, as, x.type});
  return result;
}

parts keys_of(const std::vector<plan_column>& columns, const std::vector<std::uint32_t>& keys) {
  parts result;
  for (const auto k : keys)
    result.push_back({columns[k].name, form::key, columns[k].type});
  return result;
}

parts joined(parts first, const parts& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// What all layouts of one operator have in common.
struct operator_layouts {
  const stage_plan& plan;
  const stage& at;
  const stage_step& step;
  const std::string& identity;
  std::vector<state_layout>& out;

  [[nodiscard]] const std::vector<plan_column>& input(std::size_t i = 0) const {
    return step_before(plan, at, step.inputs[i]).columns;
  }

  void add(std::uint16_t state, const char* name, parts key, parts value) const {
    out.push_back({identity, state, name, std::move(key), std::move(value)});
  }

  void add_retention(const retention_spec& x, parts key) const {
    if (x.span != 0)
      add(key_retention::state, "last written", std::move(key), {time_part("time")});
  }

  void add_sequences(parts next) const {
    next.insert(next.begin(), part("", form::hidden));
    add(saved_sequences::state, "next numbers", {part("writer", form::group)}, std::move(next));
  }

  void add_watermark(std::uint16_t state) const {
    add(state, "watermark", {}, {time_part("acted on")});
  }
};

/// Several of one call are told apart by numbers.
void add_values(const std::vector<sql_type>& types, const std::string& name, parts& to) {
  for (std::size_t i = 0; i < types.size(); ++i)
    to.push_back({i == 0 ? name : name + '#' + std::to_string(i + 1), form::value, types[i]});
}

/// What a call has accumulated. With DISTINCT or ORDER BY its values are kept, in one BYTEA.
void add_call(const aggregate_call& call, const std::string& name, parts& to) {
  const auto types = state_types(call);
  const bool kept =
      types.size() == 1 && types[0].kind == type_kind::bytea && call.arg_types.size() == 1
      && ((call.distinct && !ignores_repeats(call.function->name)) || !call.order_by.empty());
  if (kept) {
    to.push_back({name, call.order_by.empty() ? form::set : form::ordered, call.arg_types[0]});
    return;
  }
  add_values(types, name, to);
}

constexpr std::array<const char*, 2> side_names{"left rows", "right rows"};

void add_layouts(const operator_layouts& to, const window_aggregate_spec& spec) {
  const auto keys = keys_of(to.input(), spec.keys);
  parts values;
  const auto names = call_names(to.plan, to.at, to.step);
  for (std::size_t i = 0; i < spec.calls.size(); ++i)
    add_call(spec.calls[i], names[i], values);
  parts progress{time_part("fired"), time_part("target"), time_part("promised")};
  if (spec.window.kind != window_kind::session)
    progress.push_back(part("open windows until", form::ends));
  to.add(0, "progress", {}, std::move(progress));
  // Keys that lose how they were written stand before the values as well.
  std::vector<sql_type> types;
  parts exact;
  for (auto x : keys) {
    types.push_back(x.type);
    x.as = form::value;
    exact.push_back(std::move(x));
  }
  if (key_index(types, 1).exact())
    exact.clear();
  if (spec.window.kind == window_kind::session) {
    const auto session = joined(joined(exact, {time_part("first"), time_part("last")}), values);
    to.add(1, "open sessions", keys, session);
    to.add(2, "ended sessions", joined({time_part("end"), time_part("first")}, keys), session);
    return;
  }
  const auto pane = joined({time_part("window_end"), time_part("window_start")}, keys);
  const auto groups = joined(joined({part("", form::hidden)}, exact), values);
  to.add(1, "panes", pane, groups);
  to.add(2, "windows being emitted", pane, groups);
}

void add_layouts(const operator_layouts& to, const assign_watermarks_spec&) {
  to.add(0, "partitions", {part("partition", form::time)},
         {time_part("watermark"), time_part("sent"), part("partitions", form::time),
          part("ended", form::time), part("readers", form::time), time_part("last rows"),
          time_part("after them")});
}

void add_layouts(const operator_layouts& to, const window_join_spec& spec) {
  for (std::uint16_t side = 0; side < 2; ++side) {
    const auto& columns = to.input(side);
    parts key;
    if (spec.spread == side)
      key = {part("writer", form::group)};
    key = joined(key, {time_part("window_end"), time_part("window_start")});
    key = joined(key, keys_of(columns, side == 0 ? spec.left_keys : spec.right_keys));
    key.push_back(part("number", form::number));
    to.add(side, side_names[side], key,
           joined({part("join", form::met)}, columns_of(columns, form::value)));
  }
  to.add_watermark(2);
}

void add_layouts(const operator_layouts& to, const interval_join_spec& spec) {
  parts search;
  for (std::uint16_t side = 0; side < 2; ++side) {
    const auto& columns = to.input(side);
    const auto keys = keys_of(columns, side == 0 ? spec.left_keys : spec.right_keys);
    parts key;
    if (spec.spread == side)
      key = {part("writer", form::group)};
    key = joined(joined(key, {time_part("until")}), keys);
    key.push_back(part("number", form::number));
    to.add(side, side_names[side], key,
           joined({part("settled", form::flag)}, columns_of(columns, form::value)));
    if (side == 0)
      search = joined(keys, {part("side", form::side), part("number", form::number)});
  }
  to.add(2, "searches", search, {part("below", form::number)});
  to.add_watermark(3);
}

void add_layouts(const operator_layouts& to, const stream_join_spec& spec) {
  const parts number{part("number", form::number)};
  for (std::uint16_t side = 0; side < 2; ++side) {
    const auto& columns = to.input(side);
    to.add(side, side_names[side],
           joined(keys_of(columns, side == 0 ? spec.left_keys : spec.right_keys), number),
           columns_of(columns, form::value));
  }
  to.add(2, "rows being joined",
         joined(keys_of(to.input(), spec.left_keys),
                {part("side", form::side), part("number", form::number)}),
         {part("met", form::number)});
  to.add_sequences({part("left", form::number), part("right", form::number)});
  to.add_retention(spec.retention, keys_of(to.input(), spec.left_keys));
}

void add_layouts(const operator_layouts& to, const window_top_n_spec& spec) {
  const auto& columns = to.input();
  const auto key = joined({time_part("window_end"), time_part("window_start")},
                          keys_of(columns, spec.partition));
  to.add(0, "candidates", joined(key, {part("number", form::number)}),
         columns_of(columns, form::value));
  to.add(1, "partitions being emitted", key, {part("emitted", form::number)});
  to.add_watermark(2);
}

void add_layouts(const operator_layouts& to, const over_spec& spec) {
  const auto& columns = to.input();
  const auto key = keys_of(columns, spec.partition);
  to.add(0, "rows", joined(key, {part("number", form::number)}), columns_of(columns, form::value));
  parts value{part("first apart", form::flag), part("rows", form::number),
              part("peer groups", form::number), part("history", form::number)};
  const auto names = call_names(to.plan, to.at, to.step);
  std::size_t next = 0;
  for (const auto& x : spec.calls) {
    if (x.what != over_call::kind::aggregate)
      continue;
    const auto& name = names[next++];
    if (x.frame.unbounded)
      add_call(x.call, name, value);
  }
  to.add(1, "partitions", key, value);
  to.add_watermark(2);
}

void add_layouts(const operator_layouts& to, const window_assign_spec&) {
  to.add(0, "clock", {part("writer", form::group)}, {time_part("now")});
}

void add_layouts(const operator_layouts& to, const stamp_time_spec&) {
  to.add(0, "clock", {part("writer", form::group)}, {time_part("now")});
}

// The others keep no state.
void add_layouts(const operator_layouts&, const filter_project_spec&) {}

void add_layouts(const operator_layouts&, const union_all_spec&) {}

void add_layouts(const operator_layouts& to, const group_aggregate_spec& spec) {
  const auto keys = keys_of(to.input(), spec.keys);
  parts values{part("", form::hidden)};
  std::vector<sql_type> types;
  for (const auto& x : keys)
    types.push_back(x.type);
  if (!key_index(types, 1).exact())
    for (auto x : keys) {
      x.as = form::value;
      values.push_back(std::move(x));
    }
  const auto names = call_names(to.plan, to.at, to.step);
  for (std::size_t i = 0; i < spec.calls.size(); ++i) {
    const auto& call = spec.calls[i];
    auto states = state_types(call);
    if (const auto* takes_deletions = find_retractable(*call.function);
        takes_deletions == nullptr && spec.updating)
      continue; // its values are a state of their own
    else if (takes_deletions != nullptr)
      states = (spec.updating ? takes_deletions : call.function)->state_types(call.arg_types);
    add_values(states, names[i], values);
  }
  if (spec.updating)
    values.push_back({"rows", form::value, sql_type{type_kind::bigint}});
  to.add(0, "groups", keys, values);
  to.add_retention(spec.retention, keys);
}

void add_layouts(const operator_layouts& to, const changelog_join_spec& spec) {
  if (spec.lookup < 0) {
    add_layouts(to, stream_join_spec{spec.left_keys, spec.right_keys, nullptr, spec.retention});
    return;
  }
  const auto table = static_cast<std::uint16_t>(spec.lookup);
  const auto& columns = to.input(table);
  to.add(table, "table",
         joined(keys_of(columns, table == 0 ? spec.left_keys : spec.right_keys),
                {part("number", form::number)}),
         columns_of(columns, form::value));
  to.add(2, "rows that wait for the table", {part("number", form::number)},
         joined({time_part("watermark"), {"weight", form::value, sql_type{type_kind::integer}}},
                columns_of(to.input(1 - table), form::value)));
  to.add_sequences({part("left", form::number), part("right", form::number)});
}

void add_layouts(const operator_layouts& to, const changelog_top_n_spec& spec) {
  const auto& columns = to.input();
  to.add(0, "rows", joined(keys_of(columns, spec.partition), {part("number", form::number)}),
         columns_of(columns, form::value));
  to.add_sequences({part("number", form::number)});
  to.add_retention(spec.retention, keys_of(columns, spec.partition));
}

void add_layouts(const operator_layouts& to, const changelog_over_spec& spec) {
  changelog_top_n_spec rows;
  rows.partition = spec.partition;
  rows.retention = spec.retention;
  add_layouts(to, rows);
}

void add_layouts(const operator_layouts&, const weigh_rows_spec&) {}

void add_layouts(const operator_layouts&, const expand_rows_spec&) {}

void add_layouts(const operator_layouts& to, const live_rows_spec& spec) {
  const auto& columns = to.input();
  const auto key = joined(keys_of(columns, spec.keys), {part("number", form::number)});
  to.add(0, "clock", {part("writer", form::group)}, {time_part("now")});
  to.add(1, "rows to come", key, columns_of(columns, form::value));
  to.add(2, "rows that show", key, columns_of(columns, form::value));
}

void add_layouts(const operator_layouts& to, const upsert_spec& spec) {
  to.add(0, "rows", keys_of(to.input(), spec.keys), columns_of(to.input(), form::value));
}

void add_layouts(const operator_layouts& to, const settle_spec& spec) {
  const auto keys = keys_of(to.input(), spec.keys);
  to.add(0, "rows", keys,
         joined({part("times", form::value)}, columns_of(to.input(), form::value)));
  to.add_retention(spec.retention, keys);
}

} // namespace

std::vector<state_layout> state_layouts(const stage_plan& plan) {
  std::vector<state_layout> result;
  for (const auto& x : stateful_steps(plan)) {
    const auto& at = plan.stages[x.stage];
    const auto& step = at.steps[x.step];
    const auto& spec = std::get<operator_spec>(step.what);
    const operator_layouts to{plan, at, step, x.identity, result};
    std::visit([&](const auto& one) { add_layouts(to, one); }, spec);
  }
  return result;
}

} // namespace ebb
