#include "actors/plan/sql/union_query.hpp"

#include "actors/plan/sql/coerce.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

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
      std::vector<sql_type> types;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto& output = arm->outputs()[i];
        types.push_back(output.type.kind == type_kind::unknown ? wanted[i] : output.type);
      }
      EBB_ASSIGN(const auto rows, arm->emit(types));
      EBB_ASSIGN(const auto cast, as_types(rows, wanted, *arm));
      inputs.push_back(cast);
    }
    auto columns = planner_.build.columns(inputs.front());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].name = outputs_[i].name;
      for (const auto input : inputs)
        merge(columns[i], planner_.build.columns(input)[i]);
    }
    union_all_spec spec;
    spec.inputs = static_cast<std::uint32_t>(inputs.size());
    return planner_.build.add("union all", operator_spec{spec}, std::move(inputs),
                              std::move(columns),
                              "append-only: the rows of all inputs as they come");
  }

private:
  result<node_id> as_types(node_id rows, const std::vector<sql_type>& wanted,
                           const bound_query& arm) {
    auto outputs = planner_.build.pass(rows);
    bool changed = false;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].x->type == wanted[i])
        continue;
      changed = true;
      if (!same_kind(outputs[i].x->type, wanted[i]))
        outputs[i].role = time_role{};
      EBB_ASSIGN(outputs[i].x, coerce(planner_.query, outputs[i].x, wanted[i],
                                      cast_context::implicit, arm.outputs()[i].at));
    }
    return changed ? planner_.build.project(rows, nullptr, std::move(outputs)) : rows;
  }

  // What holds for the rows of both: one window, or a time that the common watermark follows.
  static void merge(plan_column& into, const plan_column& other) {
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

  query_planner& planner_;
  std::vector<std::unique_ptr<bound_query>> arms_;
  std::vector<query_output> outputs_;
};

// The set operation's own word, which stands before the right side's columns.
std::int32_t place_of_operator(const query_planner& planner, std::string_view name,
                               const ast& select) {
  const auto& right = list(child(select, "rarg"), "targetList");
  if (right.empty())
    return -1;
  const auto first = open(right.front());
  return planner.query.keyword_before(name, first ? place_of(*first.body) : -1);
}

// The arms of a chain of UNION ALL, from left to right; the tree leans to the left.
result<void> collect_arms(query_planner& planner, const ast& select,
                          std::vector<std::unique_ptr<bound_query>>& arms) {
  constexpr std::size_t max_arms = 256;
  std::vector<const ast*> right_sides;
  const ast* at = &select;
  while (true) {
    const auto op = text(*at, "op");
    if (op.empty() || op == "SETOP_NONE" || (at != &select && has(*at, "withClause")))
      break;
    const auto name = op == "SETOP_UNION"       ? "UNION"
                      : op == "SETOP_INTERSECT" ? "INTERSECT"
                                                : "EXCEPT";
    if (op != "SETOP_UNION" || !flag(*at, "all"))
      return planner.query.fail(
          ec::unsupported, place_of_operator(planner, name, *at),
          std::string(name) + " is not supported",
          op == "SETOP_UNION" ? "its result updates: use UNION ALL, then SELECT DISTINCT with "
                                "window_start and window_end"
                              : "its result updates: join the two on window columns instead");
    EBB_TRY(refuse_order(planner.query, *at));
    right_sides.push_back(&child(*at, "rarg"));
    at = &child(*at, "larg");
    if (right_sides.size() > max_arms)
      return planner.query.fail(ec::invalid_argument, -1, "UNION ALL of more than 256 queries");
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
  std::vector<std::unique_ptr<bound_query>> arms;
  EBB_TRY(collect_arms(planner, select, arms));
  auto outputs = arms.front()->outputs();
  for (std::size_t k = 1; k < arms.size(); ++k) {
    const auto& more = arms[k]->outputs();
    if (more.size() != outputs.size())
      return planner.query.fail(ec::invalid_argument, more.empty() ? -1 : more.front().at,
                                "each UNION query must have the same number of columns");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const auto type = common_type(outputs[i].type, more[i].type);
      if (!type)
        return planner.query.fail(ec::invalid_argument, more[i].at,
                                  "UNION types " + to_string(bare(outputs[i].type)) + " and "
                                      + to_string(bare(more[i].type)) + " cannot be matched",
                                  "cast one of them");
      outputs[i].type = *type;
    }
  }
  return std::unique_ptr<bound_query>{
      std::make_unique<union_query>(planner, std::move(arms), std::move(outputs))};
}

} // namespace ebb::sql
