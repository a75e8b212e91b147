#include "actors/plan/state_layout.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "actors/dataflow/value_text.hpp"

#include <cstdlib>
#include <optional>

namespace ebb {

namespace {

constexpr char part_mark = '\x1f'; ///< between the fields of a part

sql_type timestamp_type() {
  return sql_type{type_kind::timestamp};
}

void add_aggregate(const stage_plan& plan, const stage& at, const stage_step& step,
                   const window_aggregate_spec& spec, const std::string& identity,
                   std::vector<state_layout>& out) {
  std::vector<state_part> keys;
  const auto& columns = step_before(plan, at, step.inputs.front()).columns;
  for (const auto k : spec.keys)
    keys.push_back({columns[k].name, state_part::form::key, columns[k].type});
  std::vector<state_part> values;
  for (const auto& call : spec.calls)
    for (const auto& type : call.function->state_types(call.arg_types))
      values.push_back({call.function->name, state_part::form::value, type});
  out.push_back({identity,
                 0,
                 "progress",
                 {},
                 {{"fired", state_part::form::time, timestamp_type()},
                  {"target", state_part::form::time, timestamp_type()},
                  {"promised", state_part::form::time, timestamp_type()}}});
  const state_part start{"window_start", state_part::form::time, timestamp_type()};
  const state_part end{"window_end", state_part::form::time, timestamp_type()};
  if (spec.window.kind == window_kind::session) {
    std::vector<state_part> session{{"first", state_part::form::time, timestamp_type()},
                                    {"last", state_part::form::time, timestamp_type()}};
    session.insert(session.end(), values.begin(), values.end());
    out.push_back({identity, 1, "open sessions", std::move(keys), std::move(session)});
    return;
  }
  std::vector<state_part> pane{end, start};
  pane.insert(pane.end(), keys.begin(), keys.end());
  out.push_back({identity, 1, "panes", pane, values});
  out.push_back({identity, 2, "windows being emitted", std::move(pane), std::move(values)});
}

/// As a BYTEA is shown, cut where it gets long.
std::string shown_bytes(std::string_view bytes) {
  constexpr std::size_t most = 64;
  std::string result;
  append_bytea(bytes.substr(0, most), result);
  return bytes.size() > most ? result + "…" : result;
}

/// Takes one part from the front of `bytes`; nothing where they do not hold one.
std::optional<std::string> take_part(const state_part& part, std::string_view& bytes) {
  std::string text;
  if (part.as == state_part::form::time) {
    const auto time = take_time_key(bytes);
    if (!time)
      return std::nullopt;
    // A number is kept in the same bytes as a time.
    auto one = make_column(part.type, 1);
    one.mutable_data<micros>()[0] = *time;
    append_value_text(one, 0, text);
    return text;
  }
  if (part.as == state_part::form::key) {
    const auto value = decode_key_value(bytes, part.type);
    if (!value)
      return std::nullopt;
    if (value->is_null(0))
      return std::string("NULL");
    append_value_text(*value, 0, text);
    return text;
  }
  value_builder one(part.type, 1);
  if (const auto taken = one.append_encoded(bytes); !taken)
    return std::nullopt;
  const auto value = one.take();
  if (value.is_null(0))
    return std::string("NULL");
  append_value_text(value, 0, text);
  return text;
}

/// `form` mark type mark name.
std::string part_text(const state_part& x) {
  std::string text(1, "tkv"[static_cast<int>(x.as)]);
  return text + part_mark + to_string(x.type) + part_mark + x.name;
}

std::optional<state_part> part_from(std::string_view text) {
  const auto first = text.find(part_mark);
  const auto second = text.find(part_mark, first + 1);
  if (first != 1 || second == std::string_view::npos)
    return std::nullopt;
  const auto form = std::string_view("tkv").find(text[0]);
  const auto type = parse_schema("x " + std::string(text.substr(2, second - 2)));
  if (form == std::string_view::npos || !type)
    return std::nullopt;
  return state_part{std::string(text.substr(second + 1)), static_cast<state_part::form>(form),
                    type->columns[0].type};
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> result;
  for (;;) {
    const auto end = text.find(at);
    result.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return result;
    text.remove_prefix(end + 1);
  }
}

} // namespace

std::vector<state_layout> state_layouts(const stage_plan& plan) {
  std::vector<state_layout> result;
  for (const auto& x : stateful_steps(plan)) {
    const auto& at = plan.stages[x.stage];
    const auto& step = at.steps[x.step];
    const auto& spec = std::get<operator_spec>(step.what);
    if (const auto* aggregate = std::get_if<window_aggregate_spec>(&spec))
      add_aggregate(plan, at, step, *aggregate, x.identity, result);
    if (std::holds_alternative<assign_watermarks_spec>(spec))
      result.push_back({x.identity,
                        0,
                        "partitions",
                        {{"partition", state_part::form::time, sql_type{type_kind::bigint}}},
                        {{"watermark", state_part::form::time, timestamp_type()},
                         {"sent", state_part::form::time, timestamp_type()}}});
  }
  return result;
}

std::string to_text(const std::vector<state_layout>& layouts) {
  std::string text;
  for (const auto& x : layouts) {
    text += x.identity + '\t' + std::to_string(x.state) + '\t' + x.name;
    for (const auto& part : x.key)
      text += '\t' + part_text(part);
    text += "\t=";
    for (const auto& part : x.value)
      text += '\t' + part_text(part);
    text += '\n';
  }
  return text;
}

std::vector<state_layout> state_layouts_from(std::string_view text) {
  std::vector<state_layout> result;
  for (const auto line : split(text, '\n')) {
    const auto fields = split(line, '\t');
    if (fields.size() < 4)
      continue;
    state_layout x;
    x.identity = fields[0];
    x.state = static_cast<std::uint16_t>(std::atoi(std::string(fields[1]).c_str()));
    x.name = fields[2];
    bool good = true;
    auto* to = &x.key;
    for (std::size_t i = 3; i < fields.size(); ++i) {
      if (fields[i] == "=") {
        to = &x.value;
        continue;
      }
      auto part = part_from(fields[i]);
      good = good && part;
      if (part)
        to->push_back(std::move(*part));
    }
    if (good)
      result.push_back(std::move(x));
  }
  return result;
}

std::string show_parts(const std::vector<state_part>& parts, std::string_view bytes,
                       bool repeated) {
  if (parts.empty())
    return bytes.empty() ? "" : shown_bytes(bytes);
  std::string text;
  auto rest = bytes;
  do {
    for (const auto& part : parts) {
      const auto value = take_part(part, rest);
      if (!value)
        return shown_bytes(bytes);
      text += (text.empty() ? "" : ", ") + part.name + '=' + *value;
    }
  } while (repeated && !rest.empty());
  return rest.empty() ? text : shown_bytes(bytes);
}

} // namespace ebb
