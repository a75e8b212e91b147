#include "actors/plan/sql/union_query.hpp"

#include "actors/plan/sql/coerce.hpp"
#include "actors/plan/sql/row_limit.hpp"
#include "actors/plan/sql/staged_rows.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

// The rows of one side, as the types that the operation gives.
result<node_id> emit_as(query_planner& planner, bound_query& arm,
                        const std::vector<sql_type>& wanted) {
  std::vector<sql_type> types;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& output = arm.outputs()[i];
    types.push_back(output.type.kind == type_kind::unknown ? wanted[i] : output.type);
  }
  EBB_ASSIGN(const auto rows, arm.emit(types));
  auto outputs = planner.build.pass(rows);
  bool changed = false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].x->type == wanted[i])
      continue;
    changed = true;
    if (!same_kind(outputs[i].x->type, wanted[i]))
      outputs[i].role = time_role{};
    EBB_ASSIGN(outputs[i].x, coerce(planner.query, outputs[i].x, wanted[i], cast_context::implicit,
                                    arm.outputs()[i].at));
  }
  return changed ? planner.build.project(rows, nullptr, std::move(outputs)) : rows;
}

// What holds for the rows of both: one window, or a time that the common watermark follows.
void merge(plan_column& into, const plan_column& other) {
  into.type = into.type == other.type ? into.type : bare(into.type);
  into.not_null = into.not_null && other.not_null;
  const auto a = role_of(into);
  const auto b = role_of(other);
  const bool usable =
      a.usable() && b.usable() && !a.window.processing_time && !b.window.processing_time;
  const bool same = a.role == b.role && a.window == b.window;
  into.lag = usable ? std::max(a.lag, b.lag) : 0;
  if (!usable)
    into.role = column_role::plain;
  else if (!same)
    into.role = column_role::event_time;
  if (!usable || !same)
    into.window = {};
}

// All rows of the inputs, as columns of these names.
node_id union_all(query_planner& planner, std::vector<node_id> inputs,
                  const std::vector<query_output>& names) {
  auto columns = planner.build.columns(inputs.front());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i < names.size())
      columns[i].name = names[i].name;
    for (const auto input : inputs)
      merge(columns[i], planner.build.columns(input)[i]);
  }
  union_all_spec spec;
  spec.inputs = static_cast<std::uint32_t>(inputs.size());
  return planner.build.add("union all", operator_spec{spec}, std::move(inputs), std::move(columns),
                           "append-only: the rows of all inputs as they come");
}

class union_query final : public bound_query {
public:
  union_query(query_planner& planner, std::vector<std::unique_ptr<bound_query>> arms,
              std::vector<query_output> outputs)
      : planner_(planner), arms_(std::move(arms)), outputs_(std::move(outputs)) {}

  [[nodiscard]] const std::vector<query_output>& outputs() const override {
    return outputs_;
  }

  [[nodiscard]] result<node_id> emit(const std::vector<sql_type>& wanted) override {
    std::vector<node_id> inputs;
    for (auto& arm : arms_) {
      EBB_ASSIGN(const auto rows, emit_as(planner_, *arm, wanted));
      inputs.push_back(rows);
    }
    return union_all(planner_, std::move(inputs), outputs_);
  }

private:
  query_planner& planner_;
  std::vector<std::unique_ptr<bound_query>> arms_;
  std::vector<query_output> outputs_;
};

enum class set_kind : std::uint8_t { union_distinct, intersect, except };

// The common types of the sides' outputs, under the names of the first.
result<std::vector<query_output>>
common_outputs(const query_planner& planner, const std::string& name,
               const std::vector<std::unique_ptr<bound_query>>& arms) {
  auto outputs = arms.front()->outputs();
  for (std::size_t k = 1; k < arms.size(); ++k) {
    const auto& more = arms[k]->outputs();
    if (more.size() != outputs.size())
      return planner.query.fail(ec::invalid_argument, more.empty() ? -1 : more.front().at,
                                "each " + name + " query must have the same number of columns");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto type = common_type(outputs[i].type, more[i].type);
      if (!type)
        return planner.query.fail(ec::invalid_argument, more[i].at,
                                  name + " types " + to_string(bare(outputs[i].type)) + " and "
                                      + to_string(bare(more[i].type)) + " cannot be matched",
                                  "cast one of them");
      outputs[i].type = *type;
    }
  }
  return outputs;
}

// INTERSECT and EXCEPT: how often a row is on each side says how often it is in the result.
class side_counts final : public bound_query {
public:
  side_counts(query_planner& planner, set_kind kind, bool all,
              std::vector<std::unique_ptr<bound_query>> arms, std::vector<query_output> outputs)
      : planner_(planner), kind_(kind), all_(all), arms_(std::move(arms)),
        outputs_(std::move(outputs)) {}

  [[nodiscard]] const std::vector<query_output>& outputs() const override {
    return outputs_;
  }

  [[nodiscard]] result<node_id> emit(const std::vector<sql_type>& wanted) override {
    EBB_ASSIGN(const auto rows, both_sides(wanted));
    const auto width = static_cast<std::uint32_t>(wanted.size());
    const auto side = make_column_ref(width, sql_type{type_kind::boolean});
    grouping groups;
    groups.at = outputs_.front().at;
    groups.clause = kind_ == set_kind::except ? "EXCEPT" : "INTERSECT";
    const auto columns = planner_.build.columns(rows);
    for (std::uint32_t i = 0; i < width; ++i)
      groups.keys.push_back(make_column_ref(i, columns[i].type, columns[i].name));
    groups.aggregates.push_back(count_rows(side));
    groups.aggregates.push_back(
        count_rows(make_logic(expr_kind::not_, sql_type{type_kind::boolean}, {side})));
    staged_rows staged;
    staged.node = rows;
    EBB_ASSIGN(const auto counted, plan_attached_aggregate(planner_, staged, groups));
    return kept(counted, groups, columns);
  }

private:
  // Both sides' rows, with true behind those of the first.
  result<node_id> both_sides(const std::vector<sql_type>& wanted) {
    std::vector<node_id> inputs;
    for (auto& arm : arms_) {
      EBB_ASSIGN(const auto rows, emit_as(planner_, *arm, wanted));
      auto outputs = planner_.build.pass(rows);
      outputs.push_back({"side", make_bool_literal(inputs.empty()), {}});
      inputs.push_back(planner_.build.project(rows, nullptr, std::move(outputs)));
    }
    return union_all(planner_, std::move(inputs), outputs_);
  }

  result<node_id> kept(const staged_rows& counted, const grouping& groups,
                       const std::vector<plan_column>& columns) {
    constexpr sql_type bigint{type_kind::bigint};
    const auto left = counted.place(make_column_ref(aggregate_base, bigint));
    const auto right = counted.place(make_column_ref(aggregate_base + 1, bigint));
    auto zero_value = make_column(bigint, 1);
    zero_value.mutable_data<std::int64_t>()[0] = 0;
    const auto zero = make_literal(std::move(zero_value));
    const auto op = [&](const char* name, expr_ptr a, expr_ptr b) {
      return expr_binder{planner_.query, {}}.operation(name, {std::move(a), std::move(b)}, -1);
    };
    std::vector<output_column> outputs;
    for (std::size_t i = 0; i < groups.keys.size(); ++i) {
      auto value = counted.place(groups.keys[i]);
      std::optional<time_role> role;
      if (const auto known = role_of(planner_.build, counted, *value);
          known.role != column_role::plain)
        role = known;
      outputs.push_back({columns[i].name, std::move(value), role});
    }
    EBB_ASSIGN(auto on_left, op(">", left, zero));
    EBB_ASSIGN(auto on_right, op(kind_ == set_kind::except && !all_ ? "=" : ">", right, zero));
    if (!all_)
      return planner_.build.project(counted.node,
                                    combine(expr_kind::and_, {std::move(on_left), on_right}),
                                    std::move(outputs));
    EBB_ASSIGN(auto less, op("<", left, right));
    EBB_ASSIGN(auto rest, op("-", left, right));
    const auto copies = kind_ == set_kind::except
                            ? rest
                            : make_logic(expr_kind::case_, bigint, {less, left, right});
    outputs.push_back({"copies", copies, {}});
    const auto width = static_cast<std::uint32_t>(outputs.size()) - 1;
    const auto rows = planner_.build.project(counted.node, nullptr, std::move(outputs));
    auto described = planner_.build.columns(rows);
    described.pop_back();
    return planner_.build.add("copies", operator_spec{weigh_rows_spec{width}}, {rows},
                              std::move(described), "append-only: each row as often as counted");
  }

  query_planner& planner_;
  set_kind kind_;
  bool all_;
  std::vector<std::unique_ptr<bound_query>> arms_;
  std::vector<query_output> outputs_;
};

// Rows of another query without repetition, or the first of them.
class kept_rows final : public bound_query {
public:
  kept_rows(query_planner& planner, std::unique_ptr<bound_query> rows, bool distinct,
            row_limit limit)
      : planner_(planner), rows_(std::move(rows)), distinct_(distinct), limit_(std::move(limit)) {}

  [[nodiscard]] const std::vector<query_output>& outputs() const override {
    return rows_->outputs();
  }

  [[nodiscard]] result<node_id> emit(const std::vector<sql_type>& wanted) override {
    EBB_ASSIGN(auto rows, rows_->emit(wanted));
    if (distinct_) {
      EBB_ASSIGN(rows, plan_distinct(planner_, rows, outputs().front().at));
    }
    return limit_.given ? keep_first(planner_, rows, {}, limit_) : rows;
  }

private:
  query_planner& planner_;
  std::unique_ptr<bound_query> rows_;
  bool distinct_;
  row_limit limit_;
};

bool is_set_operation(const ast& select) {
  const auto op = text(select, "op");
  return !op.empty() && op != "SETOP_NONE";
}

// Clauses that belong to the operation as a whole.
bool has_clauses(const ast& select) {
  return has(select, "withClause") || has(select, "sortClause") || has(select, "limitCount")
         || has(select, "limitOffset") || has(select, "lockingClause");
}

// The arms of a chain of UNION, from left to right; the tree leans to the left. A chain that ends
// in UNION DISTINCT may have either kind below.
result<void> collect_arms(query_planner& planner, const ast& select,
                          std::vector<std::unique_ptr<bound_query>>& arms) {
  constexpr std::size_t max_arms = 256;
  const bool all = flag(select, "all");
  std::vector<const ast*> right_sides;
  const ast* at = &select;
  while (text(*at, "op") == "SETOP_UNION" && (at == &select || !has_clauses(*at))
         && (!all || flag(*at, "all"))) {
    right_sides.push_back(&child(*at, "rarg"));
    at = &child(*at, "larg");
    if (right_sides.size() > max_arms)
      return planner.query.fail(ec::invalid_argument, -1,
                                std::string(all ? "UNION ALL" : "UNION")
                                    + " of more than 256 queries");
  }
  EBB_ASSIGN(auto first, planner.bind(*at));
  arms.push_back(std::move(first));
  for (auto i = right_sides.size(); i-- > 0;) {
    EBB_ASSIGN(auto next, planner.bind(*right_sides[i]));
    arms.push_back(std::move(next));
  }
  return {};
}

} // namespace

result<std::unique_ptr<bound_query>> bind_union(query_planner& planner, const ast& select) {
  EBB_ASSERT(is_set_operation(select));
  const auto op = text(select, "op");
  const bool all = flag(select, "all");
  std::vector<std::unique_ptr<bound_query>> arms;
  std::unique_ptr<bound_query> made;
  if (op == "SETOP_UNION") {
    EBB_TRY(collect_arms(planner, select, arms));
    EBB_ASSIGN(auto outputs, common_outputs(planner, "UNION", arms));
    made = std::make_unique<union_query>(planner, std::move(arms), std::move(outputs));
  } else {
    const bool intersect = op == "SETOP_INTERSECT";
    for (const char* side : {"larg", "rarg"}) {
      EBB_ASSIGN(auto arm, planner.bind(child(select, side)));
      arms.push_back(std::move(arm));
    }
    EBB_ASSIGN(auto outputs, common_outputs(planner, intersect ? "INTERSECT" : "EXCEPT", arms));
    made =
        std::make_unique<side_counts>(planner, intersect ? set_kind::intersect : set_kind::except,
                                      all, std::move(arms), std::move(outputs));
  }
  EBB_ASSIGN(auto limit, bind_limit(planner.query, select, false));
  EBB_ASSIGN(limit.order, bind_output_order(planner.query, select, made->outputs()));
  const bool distinct = op == "SETOP_UNION" && !all;
  if (!distinct && !limit.given)
    return made;
  return std::unique_ptr<bound_query>{
      std::make_unique<kept_rows>(planner, std::move(made), distinct, std::move(limit))};
}

} // namespace ebb::sql
