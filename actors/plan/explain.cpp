// `ebb explain`: the stages of a stream for people, programs and Graphviz.

#include "actors/plan/changelog.hpp"
#include "actors/plan/delivery.hpp"
#include "actors/plan/retention.hpp"
#include "actors/plan/stage_plan.hpp"

#include <nlohmann/json.hpp>

#include <optional>

namespace ebb {

namespace {

using json = nlohmann::ordered_json;

const char* kind_text(exchange_kind kind) {
  switch (kind) {
  case exchange_kind::forward:
    return "forward";
  case exchange_kind::hash:
    return "hash";
  case exchange_kind::broadcast:
    return "broadcast";
  case exchange_kind::gather:
    return "gather";
  }
  return "";
}

std::string connector_text(const source_definition& source) {
  if (const auto* file = std::get_if<file_source>(&source.connector))
    return "file " + file->path;
  if (const auto* nexmark = std::get_if<nexmark_source>(&source.connector))
    return std::string("nexmark ")
           + (nexmark->table == nexmark_table::person    ? "person"
              : nexmark->table == nexmark_table::auction ? "auction"
                                                         : "bid");
  if (std::holds_alternative<generator_source>(source.connector))
    return "generator";
  return "topic " + std::get<topic_source>(source.connector).name;
}

std::string connector_text(const sink_definition& sink) {
  if (const auto* file = std::get_if<file_sink>(&sink.connector))
    return "file " + file->path;
  if (std::holds_alternative<stdout_sink>(sink.connector))
    return "stdout";
  if (std::holds_alternative<discard_sink>(sink.connector))
    return "discard";
  return "topic " + std::get<topic_sink>(sink.connector).name;
}

std::string state_text(const operator_spec& spec) {
  if (const auto* x = std::get_if<window_aggregate_spec>(&spec))
    return x->phase == aggregate_phase::partial ? "" : "accumulators per window and key";
  if (std::holds_alternative<window_join_spec>(spec))
    return "rows of both sides until their window ends";
  if (std::holds_alternative<interval_join_spec>(spec))
    return "rows of both sides until no match can come";
  if (const auto* x = std::get_if<stream_join_spec>(&spec))
    return "all rows of both sides, " + kept_text(x->retention);
  if (const auto* x = std::get_if<group_aggregate_spec>(&spec);
      x != nullptr && x->phase == group_phase::partial)
    return "";
  if (const auto* x = std::get_if<group_aggregate_spec>(&spec))
    return (x->calls.empty() ? "each distinct row, " : "accumulators per key, ")
           + kept_text(x->retention);
  if (const auto* x = std::get_if<changelog_join_spec>(&spec); x != nullptr && x->lookup >= 0)
    return "all rows of the side that is loaded first";
  if (const auto* x = std::get_if<changelog_join_spec>(&spec))
    return "all rows of both sides, " + kept_text(x->retention);
  if (const auto* x = std::get_if<live_rows_spec>(&spec))
    return x->until.empty() ? "rows until they show" : "rows until they no longer show";
  if (const auto* x = std::get_if<changelog_top_n_spec>(&spec))
    return (x->updating || x->limit == INT64_MAX ? "all rows per partition, "
                                                 : "best rows per partition, ")
           + kept_text(x->retention);
  if (const auto* x = std::get_if<changelog_over_spec>(&spec))
    return "all rows per partition, " + kept_text(x->retention);
  if (std::holds_alternative<upsert_spec>(spec))
    return "the last row of each key";
  if (const auto* x = std::get_if<settle_spec>(&spec))
    return "the rows of each key, " + kept_text(x->retention);
  if (std::holds_alternative<window_top_n_spec>(spec))
    return "best rows per window and partition";
  if (std::holds_alternative<over_spec>(spec))
    return "rows until the watermark passes them, and frames per partition";
  return "";
}

std::string columns_text(const std::vector<plan_column>& columns) {
  std::string text;
  for (const auto& column : columns)
    text += (text.empty() ? "" : ", ") + column.name + ' ' + to_string(column.type);
  return text;
}

std::string keys_text(const stage_plan& plan, const stage_input& input) {
  const auto& columns = plan.stages[input.from_stage].steps[input.from_step].columns;
  std::string text;
  for (const auto key : input.keys)
    text += (text.empty() ? "" : ", ") + columns[key].name;
  return text;
}

// `project orders, stage 0: aggregate totals`
std::string inputs_text(const stage_plan& plan, const stage& at, const stage_step& step) {
  std::string text;
  for (const auto& input : step.inputs) {
    const auto& from = step_before(plan, at, input);
    text += text.empty() ? "" : ", ";
    if (input.from_outside)
      text += "stage " + std::to_string(at.inputs[input.index].from_stage) + ": ";
    text += from.label + ' ' + from.name;
  }
  return text;
}

json inputs_json(const stage_step& step, std::size_t stage, const std::vector<stage_input>& inputs) {
  auto all = json::array();
  for (const auto& input : step.inputs) {
    if (input.from_outside)
      all.push_back({{"stage", inputs[input.index].from_stage},
                     {"step", inputs[input.index].from_step}});
    else
      all.push_back({{"stage", stage}, {"step", input.index}});
  }
  return all;
}

std::string step_title(const stage_step& step, const stream_definition& stream) {
  std::string text = step.label + ' ' + step.name;
  if (const auto* source = std::get_if<source_node>(&step.what))
    text += " (" + connector_text(stream.sources[source->source]) + ')';
  else if (const auto* sink = std::get_if<sink_node>(&step.what))
    text += " (" + connector_text(stream.sinks[sink->sink]) + ')';
  return text;
}

// Of sources: whether their rows can be read again.
std::optional<delivery> step_delivery(const stage_step& step, const stream_definition& stream) {
  if (const auto* source = std::get_if<source_node>(&step.what))
    return replay_of(stream.sources[source->source], stream.folder);
  if (const auto* sink = std::get_if<sink_node>(&step.what))
    return delivery_of(stream.sinks[sink->sink], stream.exactly_once, stream.folder);
  return std::nullopt;
}

std::string step_state(const stage_step& step) {
  const auto* spec = std::get_if<operator_spec>(&step.what);
  return spec == nullptr ? std::string{} : state_text(*spec);
}

// The last node of an operator of the manifest; null where there is none.
const plan_node* result_of(const plan_graph& graph, const std::string& name) {
  const plan_node* last = nullptr;
  for (const auto& node : graph.nodes)
    if (node.name == name && std::holds_alternative<operator_spec>(node.what))
      last = &node;
  return last;
}

json key_names(const plan_node& node, const std::vector<std::uint32_t>& key) {
  auto names = json::array();
  for (const auto column : key)
    names.push_back(node.columns[column].name);
  return names;
}

bool is_settled(const plan_node& node) {
  const auto* spec = std::get_if<operator_spec>(&node.what);
  return spec != nullptr && std::holds_alternative<settle_spec>(*spec);
}

// A key that holds once all changes have come is no unique key to a reader.
void add_key(json& to, const plan_node& node) {
  if (const auto key = ordered_key(node.keys))
    to["uniqueKey"] = key_names(node, *key);
  if (const auto* key = key_of_reader(node.keys); key != nullptr && !key->in_order)
    to["uniqueOnceSettled"] = key_names(node, key->columns);
}

// Reason of an operator: of a result that updates that of the node that makes it so; else that of
// its last stateful node, else of its last node.
std::string why_of(const plan_graph& graph, const std::string& name) {
  const auto* rows = result_of(graph, name);
  if (rows != nullptr && is_settled(*rows))
    rows = &graph.nodes[rows->inputs[0]];
  if (rows != nullptr && rows->updating)
    return rows->why.starts_with("updating")
               ? rows->why
               : graph
                     .nodes[updating_origin(graph, static_cast<node_id>(rows - graph.nodes.data()))]
                     .why;
  std::string last, stateful;
  for (const auto& node : graph.nodes) {
    if (node.name != name || node.why.empty())
      continue;
    last = node.why;
    const auto* spec = std::get_if<operator_spec>(&node.what);
    if (spec != nullptr && !state_text(*spec).empty())
      stateful = node.why;
  }
  return stateful.empty() ? last : stateful;
}

// What becomes of the rows of every step, as it was derived for the nodes that the steps come from.
class step_changes {
public:
  step_changes(const stage_plan& plan, const stream_definition& stream) {
    for (const auto& stage : plan.stages) {
      stages_.emplace_back();
      for (const auto& step : stage.steps)
        stages_.back().push_back(of(stage, step, stream));
    }
  }

  [[nodiscard]] const plan_node& at(std::size_t stage, std::size_t step) const {
    return stages_[stage][step];
  }

private:
  plan_node of(const stage& at, const stage_step& step, const stream_definition& stream) const {
    plan_node node;
    node.columns = step.columns;
    if (const auto* source = std::get_if<source_node>(&step.what)) {
      const auto& definition = stream.sources[source->source];
      node.updating = reads_changes(definition);
      if (!node.updating && !definition.replaces && !definition.primary_key.empty()) {
        auto& key = node.keys.emplace_back();
        for (const auto& name : definition.primary_key)
          for (std::uint32_t i = 0; i < step.columns.size(); ++i)
            if (step.columns[i].name == name)
              key.columns.push_back(i);
      }
      return node;
    }
    const auto* spec = std::get_if<operator_spec>(&step.what);
    if (spec == nullptr)
      return node;
    std::vector<const plan_node*> inputs;
    for (const auto& input : step.inputs) {
      if (!input.from_outside) {
        inputs.push_back(&stages_.back()[input.index]);
        continue;
      }
      const auto& from = at.inputs[input.index];
      inputs.push_back(&stages_[from.from_stage][from.from_step]);
    }
    auto changes = changes_of(*spec, inputs, static_cast<std::uint32_t>(step.columns.size()));
    node.updating = changes.updating;
    node.keys = std::move(changes.keys);
    return node;
  }

  std::vector<std::vector<plan_node>> stages_;
};

std::string names_of(const plan_node& node, const std::vector<std::uint32_t>& key) {
  std::string text;
  for (const auto column : key)
    text += (text.empty() ? "" : ", ") + node.columns[column].name;
  return text;
}

// `updating, unique key a, b`
std::string changes_text(const plan_node& node) {
  std::string text = node.updating ? "updating" : "append";
  const auto* key = key_of_reader(node.keys);
  if (key == nullptr)
    return text;
  if (key->columns.empty())
    return text + ", one row";
  text += ", unique key " + names_of(node, key->columns);
  if (!key->in_order)
    text += " once settled";
  return text;
}

// Of a result that sinks read settled.
std::string settled_why(const plan_graph& graph, const std::string& name) {
  const auto* rows = result_of(graph, name);
  return rows != nullptr && is_settled(*rows) ? rows->why : std::string{};
}

std::string dot_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result + '"';
}

} // namespace

std::string explain_text(const plan_graph& graph, const stage_plan& plan,
                         const stream_definition& stream) {
  std::string text = "stream " + stream.name + '\n';
  const step_changes changes(plan, stream);
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& stage = plan.stages[i];
    text += "\nstage " + std::to_string(i) + ", parallelism " + std::to_string(stage.parallelism)
            + '\n';
    for (const auto& input : stage.inputs) {
      text += "  from stage " + std::to_string(input.from_stage) + ": " + kind_text(input.kind);
      if (!input.keys.empty())
        text += " by " + keys_text(plan, input);
      text += '\n';
    }
    for (std::size_t k = 0; k < stage.steps.size(); ++k) {
      const auto& step = stage.steps[k];
      text += "  " + step_title(step, stream) + '\n';
      if (!std::holds_alternative<sink_node>(step.what))
        text += "    changes: " + changes_text(changes.at(i, k)) + '\n';
      if (const auto state = step_state(step); !state.empty())
        text += "    state: " + state + '\n';
      if (const auto delivered = step_delivery(step, stream))
        text += "    delivery: " + to_string(*delivered) + '\n';
      if (const auto inputs = inputs_text(plan, stage, step); !inputs.empty())
        text += "    from: " + inputs + '\n';
      if (!step.columns.empty())
        text += "    columns: " + columns_text(step.columns) + '\n';
    }
  }
  text += '\n';
  for (const auto& definition : stream.operators)
    for (const auto& why : {why_of(graph, definition.name), settled_why(graph, definition.name)})
      if (!why.empty())
        text += definition.name + ": " + why + '\n';
  return text;
}

std::string explain_json(const plan_graph& graph, const stage_plan& plan,
                         const stream_definition& stream) {
  const step_changes changes(plan, stream);
  json root{{"stream", stream.name}, {"keyGroups", plan.key_groups}, {"stages", json::array()}};
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& stage = plan.stages[i];
    json one{{"stage", i}, {"parallelism", stage.parallelism}};
    one["inputs"] = json::array();
    for (const auto& input : stage.inputs) {
      json from{{"stage", input.from_stage}, {"exchange", kind_text(input.kind)}};
      from["keys"] = json::array();
      for (const auto key : input.keys)
        from["keys"].push_back(
            plan.stages[input.from_stage].steps[input.from_step].columns[key].name);
      one["inputs"].push_back(std::move(from));
    }
    one["steps"] = json::array();
    for (std::size_t k = 0; k < stage.steps.size(); ++k) {
      const auto& step = stage.steps[k];
      json entry{{"operator", step.name}, {"does", step.label}};
      entry["inputs"] = inputs_json(step, i, stage.inputs);
      if (const auto state = step_state(step); !state.empty())
        entry["state"] = state;
      if (const auto delivered = step_delivery(step, stream))
        entry["delivery"] = {{"class", to_string(delivered->what)}, {"how", delivered->how}};
      if (!std::holds_alternative<sink_node>(step.what)) {
        const auto& rows = changes.at(i, k);
        entry["changes"] = rows.updating ? "updating" : "append";
        add_key(entry, rows);
      }
      entry["columns"] = json::array();
      for (const auto& column : step.columns)
        entry["columns"].push_back({{"name", column.name}, {"type", to_string(column.type)}});
      one["steps"].push_back(std::move(entry));
    }
    root["stages"].push_back(std::move(one));
  }
  root["operators"] = json::array();
  for (const auto& definition : stream.operators) {
    const auto* rows = result_of(graph, definition.name);
    json one{{"name", definition.name},
             {"changes", rows != nullptr && rows->updating ? "updating" : "append"},
             {"why", why_of(graph, definition.name)}};
    if (const auto why = settled_why(graph, definition.name); !why.empty())
      one["settled"] = why;
    if (rows != nullptr)
      add_key(one, *rows);
    root["operators"].push_back(std::move(one));
  }
  return root.dump(2) + '\n';
}

std::string explain_dot(const plan_graph&, const stage_plan& plan,
                        const stream_definition& stream) {
  const auto id = [](std::size_t stage, std::size_t step) {
    return "s" + std::to_string(stage) + '_' + std::to_string(step);
  };
  std::string text =
      "digraph " + dot_string(stream.name) + " {\n  rankdir=LR;\n  node [shape=box];\n";
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const auto& stage = plan.stages[i];
    text += "  subgraph cluster_" + std::to_string(i) + " {\n    label=\"stage " + std::to_string(i)
            + " × " + std::to_string(stage.parallelism) + "\";\n";
    for (std::size_t k = 0; k < stage.steps.size(); ++k)
      text +=
          "    " + id(i, k) + " [label=" + dot_string(step_title(stage.steps[k], stream)) + "];\n";
    text += "  }\n";
    for (std::size_t k = 0; k < stage.steps.size(); ++k)
      for (const auto& input : stage.steps[k].inputs) {
        if (!input.from_outside) {
          text += "  " + id(i, input.index) + " -> " + id(i, k) + ";\n";
          continue;
        }
        const auto& from = stage.inputs[input.index];
        std::string label = kind_text(from.kind);
        if (!from.keys.empty())
          label += ' ' + keys_text(plan, from);
        text += "  " + id(from.from_stage, from.from_step) + " -> " + id(i, k)
                + " [label=" + dot_string(label) + "];\n";
      }
  }
  return text + "}\n";
}

} // namespace ebb
