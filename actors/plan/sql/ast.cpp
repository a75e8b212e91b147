#include "actors/plan/sql/ast.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

const ast& nothing() {
  static const ast none;
  return none;
}

std::int32_t leftmost(std::int32_t a, std::int32_t b) {
  if (a < 0)
    return b;
  return b < 0 ? a : std::min(a, b);
}

} // namespace

ast_node open(const ast& wrapped) {
  if (!wrapped.is_object() || wrapped.empty())
    return {};
  const auto first = wrapped.begin();
  if (!first.value().is_object())
    return {};
  return {first.key(), &first.value()};
}

const ast& child(const ast& body, const char* key) {
  if (!body.is_object())
    return nothing();
  const auto found = body.find(key);
  return found == body.end() ? nothing() : *found;
}

const ast::array_t& list(const ast& body, const char* key) {
  static const ast::array_t empty;
  const auto& field = child(body, key);
  return field.is_array() ? field.get_ref<const ast::array_t&>() : empty;
}

bool has(const ast& body, const char* key) {
  return !child(body, key).is_null();
}

bool flag(const ast& body, const char* key) {
  const auto& field = child(body, key);
  return field.is_boolean() && field.get<bool>();
}

std::string_view text(const ast& body, const char* key) {
  const auto& field = child(body, key);
  return field.is_string() ? std::string_view{field.get_ref<const std::string&>()}
                           : std::string_view{};
}

std::int64_t number(const ast& body, const char* key) {
  const auto& field = child(body, key);
  return field.is_number_integer() ? field.get<std::int64_t>() : 0;
}

std::vector<std::string> names(const ast::array_t& list) {
  std::vector<std::string> result;
  result.reserve(list.size());
  for (const auto& item : list) {
    const auto node = open(item);
    result.emplace_back(node.is("String") ? text(*node.body, "sval") : std::string_view{});
  }
  return result;
}

std::int32_t place_of(const ast& body) {
  return static_cast<std::int32_t>(number(body, "location"));
}

std::int32_t start_of(const ast& wrapped) {
  // Operators and casts stand after their first operand; walk down the left spine.
  std::int32_t best = -1;
  const ast* at = &wrapped;
  while (true) {
    const auto node = open(*at);
    if (!node)
      return best;
    const bool has_place =
        node.is("A_Const") || node.is("ColumnRef") || node.is("A_Expr") || node.is("FuncCall")
        || node.is("TypeCast") || node.is("BoolExpr") || node.is("CaseExpr") || node.is("NullTest")
        || node.is("BooleanTest") || node.is("CoalesceExpr") || node.is("MinMaxExpr")
        || node.is("SubLink") || node.is("A_ArrayExpr") || node.is("RowExpr")
        || node.is("SQLValueFunction") || node.is("ResTarget") || node.is("CollateClause")
        || node.is("ParamRef") || node.is("XmlExpr") || node.is("XmlSerialize")
        || node.is("NamedArgExpr") || node.is("GroupingSet") || node.is("GroupingFunc");
    if (has_place)
      best = leftmost(best, place_of(*node.body));
    if (node.is("A_Expr")) {
      if (!has(*node.body, "lexpr"))
        return best;
      at = &child(*node.body, "lexpr");
    } else if (node.is("TypeCast")) {
      best = leftmost(best, place_of(child(*node.body, "typeName")));
      at = &child(*node.body, "arg");
    } else if (node.is("A_Indirection") || node.is("NullTest") || node.is("BooleanTest")
               || node.is("CollateClause")) {
      at = &child(*node.body, "arg");
    } else if (node.is("FuncCall") || node.is("BoolExpr")) {
      const auto& args = list(*node.body, "args");
      if (args.empty())
        return best;
      at = &args.front();
    } else {
      return best;
    }
  }
}

const std::string* string_constant(const ast& wrapped) {
  const auto node = open(wrapped);
  if (!node.is("A_Const"))
    return nullptr;
  const auto& value = child(child(*node.body, "sval"), "sval");
  if (!value.is_string()) {
    static const std::string empty;
    return has(*node.body, "sval") ? &empty : nullptr;
  }
  return &value.get_ref<const std::string&>();
}

} // namespace ebb::sql
