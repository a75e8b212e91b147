// CASE, COALESCE, NULLIF, GREATEST and LEAST: expressions of a common type.

#include "actors/plan/sql/bind_expr.hpp"

namespace ebb::sql {

namespace {

constexpr sql_type boolean_type{type_kind::boolean};

} // namespace

result<std::vector<expr_ptr>> expr_binder::to_common_type(std::vector<expr_ptr> items,
                                                          const std::vector<std::int32_t>& places,
                                                          std::string_view what) {
  EBB_ASSIGN(const auto type, common_type(text_, items, places, what));
  for (std::size_t i = 0; i < items.size(); ++i) {
    // An untyped literal takes the bare type: its own length or scale is not cut.
    EBB_ASSIGN(items[i], coerce(text_, items[i], items[i]->type == type ? type : bare(type),
                                cast_context::implicit, places[i]));
  }
  return items;
}

result<expr_ptr> expr_binder::bind_case(const ast& body) {
  const auto& arms = list(body, "args");
  std::vector<expr_ptr> conditions;
  std::vector<expr_ptr> results;
  std::vector<std::int32_t> places;
  expr_ptr subject;
  if (has(body, "arg")) {
    EBB_ASSIGN(subject, bind_value(child(body, "arg")));
    EBB_TRY(check_copies(*subject, arms.size(), place_of(body)));
  }
  // PostgreSQL takes ELSE first when it looks for the common type.
  const bool has_else = has(body, "defresult");
  if (has_else) {
    EBB_ASSIGN(auto otherwise, bind(child(body, "defresult")));
    results.push_back(std::move(otherwise));
    places.push_back(start_of(child(body, "defresult")));
  }
  for (const auto& arm : arms) {
    const auto when = open(arm);
    if (!when.is("CaseWhen"))
      return text_.fail(ec::invalid_argument, place_of(body), "CASE without WHEN");
    const auto& condition = child(*when.body, "expr");
    if (subject) {
      EBB_ASSIGN(auto value, bind(condition));
      EBB_ASSIGN(auto equal, operation("=", {subject, std::move(value)}, start_of(condition)));
      conditions.push_back(std::move(equal));
    } else {
      EBB_ASSIGN(auto bound, bind_condition(condition, "CASE/WHEN"));
      conditions.push_back(std::move(bound));
    }
    EBB_ASSIGN(auto value, bind(child(*when.body, "result")));
    results.push_back(std::move(value));
    places.push_back(start_of(child(*when.body, "result")));
  }
  EBB_ASSIGN(results, to_common_type(std::move(results), places, "CASE"));
  std::vector<expr_ptr> args;
  const std::size_t first = has_else ? 1 : 0;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    args.push_back(std::move(conditions[i]));
    args.push_back(results[first + i]);
  }
  const auto type = results.front()->type;
  if (has_else)
    args.push_back(results.front());
  return folded(make_logic(expr_kind::case_, type, std::move(args), "CASE"));
}

result<expr_ptr> expr_binder::bind_coalesce(const ast& body) {
  const auto& nodes = list(body, "args");
  EBB_ASSIGN(auto items, bind_all(nodes));
  std::vector<std::int32_t> places;
  for (const auto& node : nodes)
    places.push_back(start_of(node));
  EBB_ASSIGN(items, to_common_type(std::move(items), places, "COALESCE"));
  if (items.size() == 1)
    return items.front();
  const auto type = items.front()->type;
  return folded(make_logic(expr_kind::coalesce, type, std::move(items), "COALESCE"));
}

result<expr_ptr> expr_binder::bind_min_max(const ast& body) {
  const bool greatest = ebb::sql::text(body, "op") == "IS_GREATEST";
  const auto& nodes = list(body, "args");
  EBB_ASSIGN(auto items, bind_all(nodes));
  std::vector<std::int32_t> places;
  for (const auto& node : nodes)
    places.push_back(start_of(node));
  EBB_ASSIGN(items, to_common_type(std::move(items), places, greatest ? "GREATEST" : "LEAST"));
  if (items.size() == 1)
    return items.front();
  EBB_ASSIGN(auto bound, function(greatest ? "greatest" : "least", items, place_of(body)));
  if (bound->type == items.front()->type || bound->kind != expr_kind::call)
    return bound;
  // The values keep the modifier that all arguments share.
  auto typed = std::make_shared<expr>(*bound);
  typed->type = items.front()->type;
  return expr_ptr{std::move(typed)};
}

result<expr_ptr> expr_binder::bind_nullif(const ast& body) {
  const auto at = place_of(body);
  EBB_ASSIGN(auto left, bind(child(body, "lexpr")));
  EBB_ASSIGN(auto right, bind(child(body, "rexpr")));
  EBB_TRY(check_copies(*left, 2, at));
  // The result is the first operand as `=` takes it, perhaps promoted to the second one's type.
  // Stand-ins show how, since the comparison of two constants is folded away.
  const auto stand_in = [](const expr_ptr& x) {
    return x->type.kind == type_kind::unknown ? x : make_column_ref(0, x->type);
  };
  EBB_ASSIGN(const auto probe, operation("=", {stand_in(left), stand_in(right)}, at));
  const auto promoted = probe->args.empty() ? sql_type{type_kind::text} : probe->args[0]->type;
  EBB_ASSIGN(auto value, coerce(text_, left, promoted, cast_context::implicit, at));
  value = folded(std::move(value));
  EBB_ASSIGN(auto equal, operation("=", {left, std::move(right)}, at));
  const auto type = value->type;
  return folded(make_logic(expr_kind::case_, type,
                           {std::move(equal), make_null_literal(type), std::move(value)},
                           "NULLIF"));
}

} // namespace ebb::sql
