// Operators: overloads, IN lists, BETWEEN, IS DISTINCT FROM, LIKE and its relatives.

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/overload.hpp"

#include <algorithm>
#include <array>

namespace ebb::sql {

namespace {

constexpr sql_type boolean_type{type_kind::boolean};
constexpr sql_type text_type{type_kind::text};

constexpr const char* add_casts =
    "no operator matches the given name and argument types; you might "
    "need to add explicit type casts";

std::string operator_text(std::string_view name, std::span<const expr_ptr> args) {
  if (args.size() == 1)
    return std::string(name) + ' ' + to_string(bare(args[0]->type));
  return to_string(bare(args[0]->type)) + ' ' + std::string(name) + ' '
         + to_string(bare(args[1]->type));
}

expr_ptr negate(expr_ptr x) {
  return folded(make_logic(expr_kind::not_, boolean_type, {std::move(x)}));
}

// The left operand when it is a plain operation of two operands, too; else null.
const ast* left_operation(const ast& body) {
  const auto left = open(child(body, "lexpr"));
  if (!left.is("A_Expr") || ebb::sql::text(*left.body, "kind") != "AEXPR_OP"
      || !has(*left.body, "lexpr") || list(*left.body, "name").size() != 1)
    return nullptr;
  return left.body;
}

// `||` of anything with text is a join of texts; with an array or BYTEA it is not. A literal beside
// JSONB is JSONB.
bool joins_text(std::span<const sql_type> types) {
  bool text = false;
  bool literal = false;
  bool json = false;
  for (const auto& type : types) {
    if (type.kind == type_kind::array || type.kind == type_kind::bytea)
      return false;
    text = text || type.kind == type_kind::text;
    literal = literal || type.kind == type_kind::unknown;
    json = json || type.kind == type_kind::jsonb;
  }
  return text || (literal && !json);
}

} // namespace

result<expr_ptr> expr_binder::operation(std::string_view name, std::vector<expr_ptr> args,
                                        std::int32_t at) {
  if (name == "!=")
    name = "<>";
  std::vector<signature> candidates;
  std::vector<const scalar_function*> functions;
  for (const auto& overload : builtin_functions().overloads(name))
    if (auto params = expand(overload->params, overload->variadic, args.size())) {
      candidates.push_back(std::move(*params));
      functions.push_back(overload.get());
    }
  std::vector<sql_type> types;
  for (const auto& arg : args)
    types.push_back(bare(arg->type));
  if (name == "+" && args.size() == 1 && category_of(types[0]) == type_category::number)
    return args.front();
  if (name == "||" && args.size() == 2 && joins_text(types)) {
    // text || anything: the other side is shown as its text.
    for (std::size_t i = 0; i < 2; ++i) {
      EBB_ASSIGN(args[i], coerce(text_, args[i], text_type, cast_context::explicit_only, at));
      types[i] = text_type;
    }
  }
  const auto choice = choose_overload(candidates, types, true);
  if (choice.outcome == overload_outcome::ambiguous)
    return text_.fail(ec::invalid_argument, at,
                      "operator is not unique: " + operator_text(name, args),
                      "could not choose a best candidate operator; you might need to add explicit "
                      "type casts");
  const auto is_array = [](const sql_type& x) { return x.kind == type_kind::array; };
  if (choice.outcome == overload_outcome::none && (name == "@>" || name == "<@" || name == "&&")
      && std::any_of(types.begin(), types.end(), is_array))
    return text_.fail(ec::unsupported, at, "operator " + std::string(name) + " is not supported over arrays",
                      "look for one element: x = ANY (list)");
  if (choice.outcome == overload_outcome::none)
    return text_.fail(ec::invalid_argument, at,
                      "operator does not exist: " + operator_text(name, args),
                      name == "||" && std::any_of(types.begin(), types.end(),
                                                  [](const sql_type& x) {
                                                    return x.kind == type_kind::jsonb;
                                                  })
                          ? "make JSONB of the other side: to_jsonb(x)"
                          : add_casts);
  auto written = args.size() == 1
                     ? std::string(name) + shown(*args[0])
                     : shown(*args[0]) + ' ' + std::string(name) + ' ' + shown(*args[1]);
  const auto* chosen = functions[choice.index];
  // PostgreSQL defines interval + time as time + interval: the right operand is evaluated first.
  if (name == "+" && args.size() == 2 && chosen->params[0].kind == type_kind::interval
      && chosen->params[1].kind != type_kind::interval) {
    const std::array swapped{chosen->params[1], chosen->params[0]};
    if (const auto* twin = builtin_functions().find(name, swapped)) {
      std::swap(args[0], args[1]);
      chosen = twin;
    }
  }
  return call(*chosen, std::move(args), std::move(written), at);
}

result<expr_ptr> expr_binder::bind_operation(const ast& body) {
  const auto kind = ebb::sql::text(body, "kind");
  const auto at = place_of(body);
  const auto path = names(list(body, "name"));
  if (path.empty() || path.size() > 2 || (path.size() == 2 && path.front() != "pg_catalog"))
    return text_.fail(ec::unsupported, at, "operators with a schema are not supported");
  const auto& name = path.back();
  if (kind == "AEXPR_IN")
    return bind_in(body, name);
  if (kind == "AEXPR_OP_ANY" || kind == "AEXPR_OP_ALL")
    return bind_any_all(body, name, kind == "AEXPR_OP_ANY");
  if (kind == "AEXPR_DISTINCT" || kind == "AEXPR_NOT_DISTINCT")
    return bind_distinct(body, kind == "AEXPR_NOT_DISTINCT");
  if (kind == "AEXPR_NULLIF")
    return bind_nullif(body);
  if (kind.starts_with("AEXPR_BETWEEN") || kind.starts_with("AEXPR_NOT_BETWEEN"))
    return bind_between(body);
  if (kind != "AEXPR_OP" && kind != "AEXPR_LIKE" && kind != "AEXPR_ILIKE"
      && kind != "AEXPR_SIMILAR")
    return text_.fail(ec::unsupported, at, "operator " + name + " is not supported here");
  if (!has(body, "lexpr")) {
    EBB_ASSIGN(auto operand, bind(child(body, "rexpr")));
    return operation(name, {std::move(operand)}, at);
  }
  // a + b + c is ((a + b) + c): such chains may be long, so they are bound without recursion.
  std::vector<const ast*> chain{&body};
  while (const auto* inner = left_operation(*chain.back()))
    chain.push_back(inner);
  EBB_ASSIGN(auto value, bind(child(*chain.back(), "lexpr")));
  for (auto i = chain.size(); i-- > 0;) {
    EBB_ASSIGN(auto right, bind(child(*chain[i], "rexpr")));
    EBB_ASSIGN(value, operation(names(list(*chain[i], "name")).back(),
                                {std::move(value), std::move(right)}, place_of(*chain[i])));
  }
  return value;
}

result<expr_ptr> expr_binder::bind_in(const ast& body, std::string_view name) {
  const auto at = place_of(body);
  const auto& nodes = list(child(child(body, "rexpr"), "List"), "items");
  EBB_ASSIGN(const auto left, bind(child(body, "lexpr")));
  EBB_TRY(check_copies(*left, nodes.size(), at));
  EBB_ASSIGN(auto items, bind_all(nodes));
  // As PostgreSQL: two or more that read no column are an array of a common type and come first;
  // every other one is compared by itself.
  const auto reads = [](const expr_ptr& x) {
    std::vector<std::uint32_t> columns;
    collect_columns(*x, columns);
    return !columns.empty();
  };
  std::vector<std::size_t> order;
  for (const bool pass : {false, true})
    for (std::size_t i = 0; i < items.size(); ++i)
      if (reads(items[i]) == pass)
        order.push_back(i);
  std::vector<expr_ptr> fixed{left};
  std::vector<std::int32_t> places{start_of(child(body, "lexpr"))};
  for (const auto i : order)
    if (!reads(items[i])) {
      fixed.push_back(items[i]);
      places.push_back(start_of(nodes[i]));
    }
  const auto array_size = fixed.size() - 1;
  if (array_size < 2) {
    std::sort(order.begin(), order.end());
  } else if (const auto type = common_type(text_, fixed, places, "IN")) {
    for (std::size_t k = 0; k < array_size; ++k) {
      auto& item = items[order[k]];
      EBB_ASSIGN(item, coerce(text_, item, bare(*type), cast_context::implicit, places[k + 1]));
    }
  } else {
    std::sort(order.begin(), order.end());
  }
  std::vector<expr_ptr> equalities;
  for (const auto i : order) {
    EBB_ASSIGN(auto equal, operation("=", {left, items[i]}, at));
    equalities.push_back(std::move(equal));
  }
  auto any = combine(expr_kind::or_, std::move(equalities));
  return name == "<>" ? negate(std::move(any)) : any;
}

result<expr_ptr> expr_binder::bind_any_all(const ast& body, std::string_view name, bool any) {
  const auto at = place_of(body);
  const auto array = open(child(body, "rexpr"));
  if (!array.is("A_ArrayExpr"))
    return bind_any_all_of(body, name, any);
  EBB_ASSIGN(const auto left, bind(child(body, "lexpr")));
  std::vector<expr_ptr> parts;
  EBB_TRY(check_copies(*left, list(*array.body, "elements").size(), at));
  for (const auto& node : list(*array.body, "elements")) {
    EBB_ASSIGN(auto right, bind(node));
    EBB_ASSIGN(auto part, operation(name, {left, std::move(right)}, at));
    EBB_ASSIGN(part, coerce(text_, part, boolean_type, cast_context::implicit, at));
    parts.push_back(std::move(part));
  }
  if (parts.empty())
    return make_bool_literal(!any);
  return combine(any ? expr_kind::or_ : expr_kind::and_, std::move(parts));
}

// ANY and ALL over an array that is a value.
result<expr_ptr> expr_binder::bind_any_all_of(const ast& body, std::string_view name, bool any) {
  const auto at = place_of(body);
  static constexpr std::array<std::string_view, 7> comparisons{"=",  "<>", "!=", "<",
                                                               "<=", ">",  ">="};
  if (std::find(comparisons.begin(), comparisons.end(), name) == comparisons.end())
    return text_.fail(ec::unsupported, at,
                      std::string(name) + (any ? " ANY" : " ALL")
                          + " over an array value is not supported",
                      "write the elements: x LIKE ANY (ARRAY['a%', 'b%'])");
  EBB_ASSIGN(auto left, bind(child(body, "lexpr")));
  EBB_ASSIGN(auto array, bind(child(body, "rexpr")));
  if (array->type.kind == type_kind::unknown) {
    EBB_ASSIGN(left, settle(text_, left, at));
    EBB_ASSIGN(array,
               coerce(text_, array, bare(left->type).array_of(), cast_context::implicit, at));
  }
  if (array->type.kind != type_kind::array)
    return text_.fail(ec::invalid_argument, at, "op ANY/ALL (array) requires array on right side");
  // The elements and the other operand are compared as `=` takes them.
  const auto element = make_column_ref(0, array->type.element_type());
  const auto operand =
      left->type.kind == type_kind::unknown ? left : make_column_ref(0, bare(left->type));
  EBB_ASSIGN(const auto probe, operation("=", {operand, element}, at));
  if (probe->args.size() != 2)
    return make_null_literal(boolean_type);
  const auto taken = bare(probe->args[1]->type);
  EBB_ASSIGN(left, coerce(text_, left, taken, cast_context::implicit, at));
  EBB_ASSIGN(array, coerce(text_, array, taken.array_of(), cast_context::implicit, at));
  const bool unequal = name == "<>" || name == "!=";
  if (any ? name != "=" : !unequal)
    return function((unequal ? "<>" : std::string(name)) + (any ? " any" : " all"),
                    {std::move(left), std::move(array)}, at);
  EBB_ASSIGN(auto found, function("is_element_of_array", {std::move(left), std::move(array)}, at));
  return any ? found : negate(std::move(found));
}

result<expr_ptr> expr_binder::bind_between(const ast& body) {
  const auto kind = ebb::sql::text(body, "kind");
  const auto at = place_of(body);
  const auto& bounds = list(child(child(body, "rexpr"), "List"), "items");
  if (bounds.size() != 2)
    return text_.fail(ec::invalid_argument, at, "BETWEEN needs two bounds");
  EBB_ASSIGN(const auto x, bind(child(body, "lexpr")));
  EBB_ASSIGN(const auto low, bind(bounds[0]));
  EBB_ASSIGN(const auto high, bind(bounds[1]));
  EBB_TRY(check_copies(*x, 4, at));
  EBB_TRY(check_copies(*low, 2, at));
  EBB_TRY(check_copies(*high, 2, at));
  const auto inside = [&](const expr_ptr& from, const expr_ptr& to) -> result<expr_ptr> {
    EBB_ASSIGN(auto above, operation(">=", {x, from}, at));
    EBB_ASSIGN(auto below, operation("<=", {x, to}, at));
    return combine(expr_kind::and_, {std::move(above), std::move(below)});
  };
  EBB_ASSIGN(auto bound, inside(low, high));
  if (kind.ends_with("_SYM")) {
    EBB_ASSIGN(auto swapped, inside(high, low));
    bound = combine(expr_kind::or_, {std::move(bound), std::move(swapped)});
  }
  return kind.starts_with("AEXPR_NOT") ? negate(std::move(bound)) : bound;
}

result<expr_ptr> expr_binder::bind_distinct(const ast& body, bool negated) {
  const auto at = place_of(body);
  EBB_ASSIGN(auto left, bind(child(body, "lexpr")));
  EBB_ASSIGN(auto right, bind(child(body, "rexpr")));
  const auto is_null_constant = [](const expr_ptr& x) {
    return x->kind == expr_kind::literal && x->value.is_null(0);
  };
  // x IS DISTINCT FROM NULL is x IS NOT NULL.
  if (is_null_constant(right) || is_null_constant(left)) {
    EBB_ASSIGN(auto other, settle(text_, is_null_constant(right) ? left : right, at));
    return folded(make_logic(negated ? expr_kind::is_null : expr_kind::is_not_null, boolean_type,
                             {std::move(other)}));
  }
  EBB_ASSIGN(auto distinct, operation("is distinct from", {std::move(left), std::move(right)}, at));
  return negated ? negate(std::move(distinct)) : distinct;
}

} // namespace ebb::sql
