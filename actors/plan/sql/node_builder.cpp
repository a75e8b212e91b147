#include "actors/plan/sql/node_builder.hpp"

#include "actors/dataflow/function.hpp"
#include "actors/plan/changelog.hpp"
#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/share_work.hpp"

#include <algorithm>
#include <array>

namespace ebb::sql {

namespace {

constexpr const char* row_by_row = "append-only: every row is computed from one row";

bool is_true(const expr& x) {
  return x.kind == expr_kind::literal && x.type.kind == type_kind::boolean && !x.value.is_null(0)
         && x.value.data<std::uint8_t>()[0] != 0;
}

bool never_null(const expr& x, const std::vector<plan_column>& columns) {
  switch (x.kind) {
  case expr_kind::column:
    return columns[x.index].not_null;
  case expr_kind::literal:
    return !x.value.is_null(0);
  case expr_kind::is_null:
  case expr_kind::is_not_null:
    return true;
  case expr_kind::coalesce:
    return std::any_of(x.args.begin(), x.args.end(),
                       [&](const auto& arg) { return never_null(*arg, columns); });
  default:
    return false;
  }
}

plan_column describe(const output_column& output, const std::vector<plan_column>& inputs) {
  plan_column column;
  const auto& x = *output.x;
  column.name = output.name;
  column.type = x.type;
  column.not_null = never_null(x, inputs);
  time_role role;
  if (output.role)
    role = *output.role;
  else if (x.kind == expr_kind::column)
    role = role_of(inputs[x.index]);
  column.role = role.role;
  column.window = role.window;
  column.lag = role.lag;
  return column;
}

void count_uses(const expr& x, std::vector<std::uint32_t>& uses) {
  if (x.kind == expr_kind::column)
    ++uses[x.index];
  for (const auto& arg : x.args)
    count_uses(*arg, uses);
}

std::uint32_t depth_of(const expr& x) {
  std::uint32_t deepest = 0;
  for (const auto& arg : x.args)
    deepest = std::max(deepest, depth_of(*arg));
  return deepest + 1;
}

// Evaluation is recursive: projections are not merged into one that is deeper.
constexpr std::uint32_t max_merged_depth = max_expr_depth + 200;

bool stays_shallow(const filter_project_spec& inner, const expr_ptr& predicate,
                   const std::vector<output_column>& outputs) {
  std::uint32_t below = inner.predicate ? depth_of(*inner.predicate) : 0;
  for (const auto& x : inner.outputs)
    below = std::max(below, depth_of(*x));
  std::uint32_t above = predicate ? depth_of(*predicate) : 0;
  for (const auto& output : outputs)
    above = std::max(above, depth_of(*output.x));
  return below + above <= max_merged_depth;
}

// Putting `inner` into expressions that use its outputs as often as `uses` says repeats no work.
bool merges(const filter_project_spec& inner, const std::vector<std::uint32_t>& uses) {
  for (std::size_t i = 0; i < inner.outputs.size(); ++i) {
    const bool free =
        inner.outputs[i]->kind == expr_kind::column || inner.outputs[i]->kind == expr_kind::literal;
    if (!free && uses[i] > 1)
      return false;
  }
  return true;
}

} // namespace

window_spec identity_of(const window_spec& window) {
  auto result = window;
  result.time_column = -1;
  result.start_column = -1;
  result.end_column = -1;
  return result;
}

micros longest(const window_spec& window) {
  return window.kind == window_kind::session ? unbounded_lag : window.size;
}

micros shortest(const window_spec& window) {
  return window.kind == window_kind::cumulate ? window.slide : window.size;
}

micros add_lag(micros a, micros b) {
  if (a == unbounded_lag || b == unbounded_lag)
    return unbounded_lag;
  const auto sum = static_cast<int128>(a) + b;
  return sum >= unbounded_lag ? unbounded_lag : static_cast<micros>(sum);
}

void split_conjuncts(const expr_ptr& x, std::vector<expr_ptr>& out) {
  if (x->kind != expr_kind::and_) {
    if (!is_true(*x))
      out.push_back(x);
    return;
  }
  for (const auto& arg : x->args)
    split_conjuncts(arg, out);
}

expr_ptr rewrite(const expr_ptr& x, const std::function<expr_ptr(const expr_ptr&)>& replace) {
  if (auto other = replace(x))
    return other;
  if (x->args.empty())
    return x;
  auto copy = std::make_shared<expr>(*x);
  bool changed = false;
  copy->may_fail = x->kind == expr_kind::call && x->function != nullptr && x->function->may_fail;
  for (auto& arg : copy->args) {
    auto other = rewrite(arg, replace);
    changed = changed || other != arg;
    arg = std::move(other);
    copy->may_fail = copy->may_fail || arg->may_fail;
  }
  return changed ? expr_ptr{std::move(copy)} : x;
}

std::vector<std::uint32_t> columns_of(const expr& x) {
  std::vector<std::uint32_t> columns;
  collect_columns(x, columns);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

expr_ptr shifted(const expr_ptr& x, micros delta) {
  if (delta == 0)
    return x;
  if (x->kind == expr_kind::call && x->function->name == "+" && x->args.size() == 2
      && x->args[0]->type == x->type && x->args[1]->kind == expr_kind::literal
      && x->args[1]->type.kind == type_kind::interval && !x->args[1]->value.is_null(0)) {
    // A shift of a shifted time is one shift.
    const auto before = x->args[1]->value.data<interval_value>()[0];
    micros sum = 0;
    if (before.days == 0 && before.months == 0
        && !__builtin_add_overflow(before.micros, delta, &sum))
      return shifted(x->args[0], sum);
  }
  constexpr sql_type interval{type_kind::interval};
  const std::array<sql_type, 2> params{bare(x->type), interval};
  const auto* plus = builtin_functions().find("+", params);
  EBB_ASSERT(plus != nullptr);
  auto span = make_column(interval, 1);
  span.mutable_data<interval_value>()[0] = {delta, 0, 0};
  auto sum = make_call(*plus, bare(x->type), {x, make_literal(std::move(span))}, x->text);
  EBB_ASSERT(sum);
  return *std::move(sum);
}

// Rows that may be deleted later tell no time: a window that has fired would be wrong.
plan_node node_builder::with_changes(plan_node node) const {
  std::vector<const plan_node*> inputs;
  for (const auto input : node.inputs)
    inputs.push_back(&graph_.nodes[input]);
  auto changes = changes_of(std::get<operator_spec>(node.what), inputs,
                            static_cast<std::uint32_t>(node.columns.size()));
  node.updating = changes.updating;
  node.keys = std::move(changes.keys);
  node.is_static = std::all_of(inputs.begin(), inputs.end(),
                               [](const plan_node* input) { return input->is_static; });
  if (!node.updating)
    return node;
  for (auto& column : node.columns) {
    column.role = column_role::plain;
    column.window = {};
    column.lag = 0;
  }
  if (node.why.starts_with("append-only")) {
    const auto below = std::find_if(node.inputs.begin(), node.inputs.end(),
                                    [&](auto input) { return graph_.nodes[input].updating; });
    const auto& from = graph_.nodes[*below];
    node.why =
        from.name == name_ ? from.why : "updating: it reads " + from.name + ", which updates";
  }
  return node;
}

node_id node_builder::add(std::string label, operator_spec what, std::vector<node_id> inputs,
                          std::vector<plan_column> columns, std::string why) {
  plan_node node;
  node.name = name_;
  node.label = std::move(label);
  node.what = std::move(what);
  node.inputs = std::move(inputs);
  node.columns = std::move(columns);
  node.why = std::move(why);
  return graph_.add(with_changes(std::move(node)));
}

std::vector<output_column> node_builder::pass(node_id id) const {
  std::vector<output_column> outputs;
  const auto& from = columns(id);
  for (std::uint32_t i = 0; i < from.size(); ++i)
    outputs.push_back(
        {from[i].name, make_column_ref(i, from[i].type, from[i].name), role_of(from[i])});
  return outputs;
}

node_id node_builder::project(node_id input, expr_ptr predicate,
                              std::vector<output_column> outputs) {
  if (predicate && is_true(*predicate))
    predicate = nullptr;
  std::vector<plan_column> described;
  for (auto& output : outputs) {
    output.x = fold_constants(output.x);
    described.push_back(describe(output, columns(input)));
  }
  if (predicate)
    predicate = fold_constants(predicate);
  const auto* spec = std::get_if<operator_spec>(&node(input).what);
  const auto* inner = spec == nullptr ? nullptr : std::get_if<filter_project_spec>(spec);
  if (inner != nullptr && own(input)) {
    std::vector<std::uint32_t> uses(inner->outputs.size(), 0);
    for (const auto& output : outputs)
      count_uses(*output.x, uses);
    if (predicate)
      count_uses(*predicate, uses);
    if (merges(*inner, uses) && stays_shallow(*inner, predicate, outputs)) {
      // The copies outlive `inner`: adding the node may move it.
      const auto replacements = inner->outputs;
      std::vector<expr_ptr> parts;
      if (inner->predicate)
        split_conjuncts(inner->predicate, parts);
      if (predicate)
        split_conjuncts(substitute(predicate, replacements), parts);
      predicate = combine(expr_kind::and_, std::move(parts));
      for (auto& output : outputs)
        output.x = fold_constants(substitute(output.x, replacements));
      input = node(input).inputs.front();
    }
  }
  filter_project_spec made;
  made.predicate = predicate;
  bool identity = outputs.size() == columns(input).size();
  for (std::uint32_t i = 0; i < outputs.size(); ++i) {
    identity = identity && outputs[i].x->kind == expr_kind::column && outputs[i].x->index == i;
    made.outputs.push_back(outputs[i].x);
  }
  const bool renamed =
      !identity
      || !std::equal(described.begin(), described.end(), columns(input).begin(),
                     [](const auto& a, const auto& b) {
                       return a.name == b.name && a.role == b.role && a.lag == b.lag;
                     });
  if (identity && !renamed && !predicate && own(input))
    return input;
  const char* label = !predicate ? "project" : identity ? "filter" : "filter, project";
  return add(label, operator_spec{std::move(made)}, {input}, std::move(described), row_by_row);
}

node_id node_builder::filter(node_id input, std::vector<expr_ptr> conjuncts) {
  if (conjuncts.empty())
    return input;
  return project(input, combine(expr_kind::and_, std::move(conjuncts)), pass(input));
}

// Adds a finished node, its work shared out over several where that saves some.
node_id node_builder::place(plan_node node) {
  const auto* spec = std::get_if<filter_project_spec>(&std::get<operator_spec>(node.what));
  if (spec == nullptr)
    return graph_.add(std::move(node));
  auto chain = share_work(*spec);
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    std::vector<plan_column> made;
    const auto& below = columns(node.inputs.front());
    for (const auto& x : chain[i].outputs)
      made.push_back(
          describe({x->kind == expr_kind::column ? below[x->index].name : x->text, x, {}}, below));
    const char* label = chain[i].predicate ? "filter, project" : "project";
    const auto step =
        add(label, operator_spec{std::move(chain[i])}, node.inputs, std::move(made), row_by_row);
    node.inputs = {step};
  }
  if (chain.size() > 1)
    node.label = chain.back().predicate ? "filter, project" : "project";
  node.what = operator_spec{std::move(chain.back())};
  return graph_.add(std::move(node));
}

node_id node_builder::finish(node_id result) {
  if (!own(result)) {
    filter_project_spec same;
    for (auto& output : pass(result))
      same.outputs.push_back(std::move(output.x));
    result = add("project", operator_spec{std::move(same)}, {result}, columns(result), row_by_row);
  }
  std::vector<bool> needed(graph_.nodes.size(), false);
  needed[result] = true;
  for (node_id id = result + 1; id-- > first_;)
    if (needed[id])
      for (const auto input : graph_.nodes[id].inputs)
        needed[input] = true;
  std::vector<plan_node> old(std::make_move_iterator(graph_.nodes.begin() + first_),
                             std::make_move_iterator(graph_.nodes.end()));
  graph_.nodes.resize(first_);
  std::vector<node_id> moved(first_ + old.size(), 0);
  for (node_id id = first_; id < first_ + old.size(); ++id) {
    if (!needed[id])
      continue;
    auto& node = old[id - first_];
    for (auto& input : node.inputs)
      if (own(input))
        input = moved[input];
    moved[id] = place(std::move(node));
  }
  return moved[result];
}

} // namespace ebb::sql
