#include "actors/plan/sql/query_planner.hpp"
#include "actors/plan/sql/type_name.hpp"

namespace ebb::sql {

namespace {

// A name and how good it is: 0 none, 1 a type or construct, 2 a column or function.
struct candidate {
  std::string name;
  int strength = 0;
};

candidate name_of(const ast& expression, std::uint32_t depth);

// A scalar subquery is named as its column.
candidate name_of_subquery(const ast& body, std::uint32_t depth) {
  const auto kind = text(body, "subLinkType");
  if (kind == "EXISTS_SUBLINK")
    return {"exists", 2};
  if (kind == "ARRAY_SUBLINK")
    return {"array", 2};
  if (kind != "EXPR_SUBLINK")
    return {};
  const auto select = open(child(body, "subselect"));
  if (!select)
    return {};
  const auto& targets = list(*select.body, "targetList");
  if (targets.empty())
    return {};
  const auto column = open(targets.front());
  if (!column)
    return {};
  const auto name = text(*column.body, "name");
  return name.empty() ? name_of(child(*column.body, "val"), depth + 1)
                      : candidate{std::string(name), 2};
}

candidate name_of(const ast& expression, std::uint32_t depth) {
  constexpr std::uint32_t deepest = 1000;
  const auto node = open(expression);
  if (!node || depth > deepest)
    return {};
  const auto& body = *node.body;
  if (node.is("ColumnRef")) {
    const auto path = names(list(body, "fields"));
    return path.empty() || path.back().empty() ? candidate{} : candidate{path.back(), 2};
  }
  if (node.is("A_Indirection"))
    return name_of(child(body, "arg"), depth + 1);
  if (node.is("FuncCall")) {
    const auto path = names(list(body, "funcname"));
    return path.empty() ? candidate{} : candidate{path.back(), 2};
  }
  if (node.is("A_Expr"))
    return text(body, "kind") == "AEXPR_NULLIF" ? candidate{"nullif", 2} : candidate{};
  if (node.is("TypeCast")) {
    auto inner = name_of(child(body, "arg"), depth + 1);
    if (inner.strength > 1)
      return inner;
    return {std::string(last_name(child(body, "typeName"))), 1};
  }
  if (node.is("CollateClause"))
    return name_of(child(body, "arg"), depth + 1);
  if (node.is("CaseExpr")) {
    auto inner = name_of(child(body, "defresult"), depth + 1);
    return inner.strength > 1 ? inner : candidate{"case", 1};
  }
  if (node.is("SubLink"))
    return name_of_subquery(body, depth);
  if (node.is("A_ArrayExpr"))
    return {"array", 2};
  if (node.is("CoalesceExpr"))
    return {"coalesce", 2};
  if (node.is("MinMaxExpr"))
    return {text(body, "op") == "IS_GREATEST" ? "greatest" : "least", 2};
  return {};
}

} // namespace

std::string output_name(const ast& expression) {
  auto found = name_of(expression, 0);
  return found.strength == 0 ? "?column?" : std::move(found.name);
}

} // namespace ebb::sql
