#include "actors/dataflow/expr.hpp"

#include "actors/dataflow/function.hpp"

#include <algorithm>

namespace ebb {

namespace {

bool any_may_fail(const std::vector<expr_ptr>& args) {
  return std::any_of(args.begin(), args.end(), [](const auto& x) { return x->may_fail; });
}

bool same_literal(const column& a, const column& b) {
  if (!(a.type == b.type) || a.is_null(0) != b.is_null(0))
    return false;
  if (a.is_null(0))
    return true;
  switch (a.type.kind) {
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::jsonb:
  case type_kind::unknown:
    return a.text_of(0) == b.text_of(0);
  case type_kind::array:
    return false; // rare; telling two equal arrays apart only costs a shared subplan
  case type_kind::numeric:
    if (a.scale_of(0) == numeric_tag::big || a.scale_of(0) != b.scale_of(0))
      return false;
    break;
  default:
    break;
  }
  return std::memcmp(a.data<std::byte>(), b.data<std::byte>(), value_width(a.type.kind)) == 0;
}

// A copy of `x` with other arguments.
expr_ptr with_args(const expr& x, std::vector<expr_ptr> args) {
  auto copy = std::make_shared<expr>(x);
  copy->may_fail = any_may_fail(args)
                   || (x.kind == expr_kind::call && x.function != nullptr && x.function->may_fail);
  copy->args = std::move(args);
  return copy;
}

// Rebuilds the tree bottom-up; `leaf` answers for column references.
template <class Leaf>
expr_ptr rebuild(const expr_ptr& x, const Leaf& leaf) {
  if (x->kind == expr_kind::column)
    return leaf(x);
  if (x->args.empty())
    return x;
  std::vector<expr_ptr> args;
  args.reserve(x->args.size());
  for (const auto& arg : x->args)
    args.push_back(rebuild(arg, leaf));
  return with_args(*x, std::move(args));
}

bool is_null_literal(const expr& x) {
  return x.kind == expr_kind::literal && x.value.is_null(0);
}

bool is_bool_literal(const expr& x, bool wanted) {
  return x.kind == expr_kind::literal && !x.value.is_null(0)
         && (x.value.data<std::uint8_t>()[0] != 0) == wanted;
}

// A subscript's array is evaluated even where the index is NULL.
bool null_by_an_argument(const expr& x) {
  return x.function->strict && !x.function->name.starts_with("subscript")
         && std::any_of(x.args.begin(), x.args.end(),
                        [](const auto& arg) { return is_null_literal(*arg); });
}

// AND decides at a false one, OR at a true one; the opposite constants change nothing.
expr_ptr fold_connective(const expr_ptr& x) {
  const bool decides = x->kind == expr_kind::or_;
  std::vector<expr_ptr> kept;
  for (const auto& arg : x->args) {
    if (is_bool_literal(*arg, decides))
      return make_bool_literal(decides);
    if (!is_bool_literal(*arg, !decides))
      kept.push_back(arg);
  }
  if (kept.size() == x->args.size())
    return x;
  return kept.size() == 1 ? kept.front() : make_logic(x->kind, x->type, std::move(kept), x->text);
}

// Arms behind constant conditions are dropped or are the last ones.
expr_ptr fold_case(const expr_ptr& x) {
  std::vector<expr_ptr> kept;
  std::size_t i = 0;
  for (; i + 1 < x->args.size(); i += 2) {
    const auto& condition = *x->args[i];
    if (is_bool_literal(condition, false) || is_null_literal(condition))
      continue;
    if (is_bool_literal(condition, true)) {
      kept.push_back(x->args[i + 1]);
      break;
    }
    kept.push_back(x->args[i]);
    kept.push_back(x->args[i + 1]);
  }
  if (i + 1 == x->args.size())
    kept.push_back(x->args[i]);
  if (kept.size() == x->args.size())
    return x;
  if (kept.empty())
    return make_null_literal(x->type);
  if (kept.size() == 1)
    return kept.front()->type == x->type ? kept.front() : x;
  return make_logic(expr_kind::case_, x->type, std::move(kept), x->text);
}

// Nothing behind a constant is looked at, and NULLs decide nothing.
expr_ptr fold_coalesce(const expr_ptr& x) {
  std::vector<expr_ptr> kept;
  for (const auto& arg : x->args) {
    if (is_null_literal(*arg))
      continue;
    kept.push_back(arg);
    if (arg->kind == expr_kind::literal)
      break;
  }
  if (kept.size() == x->args.size())
    return x;
  if (kept.empty())
    return make_null_literal(x->type);
  if (kept.size() == 1)
    return kept.front()->type == x->type ? kept.front() : x;
  return make_logic(expr_kind::coalesce, x->type, std::move(kept), x->text);
}

// What PostgreSQL decides from some constant arguments before it evaluates the others, which then
// cannot fail.
expr_ptr fold_partly(const expr_ptr& x) {
  switch (x->kind) {
  case expr_kind::call:
    return null_by_an_argument(*x) ? make_null_literal(x->type) : x;
  case expr_kind::and_:
  case expr_kind::or_:
    return fold_connective(x);
  case expr_kind::case_:
    return fold_case(x);
  case expr_kind::coalesce:
    return fold_coalesce(x);
  default:
    return x;
  }
}

} // namespace

expr_ptr make_column_ref(std::uint32_t index, sql_type type, std::string text) {
  auto result = std::make_shared<expr>();
  result->kind = expr_kind::column;
  result->type = type;
  result->index = index;
  result->text = std::move(text);
  return result;
}

expr_ptr make_literal(column value, std::string text) {
  auto result = std::make_shared<expr>();
  result->kind = expr_kind::literal;
  result->type = value.type;
  value.constant = true;
  value.rows = 1;
  result->value = std::move(value);
  result->text = std::move(text);
  return result;
}

expr_ptr make_null_literal(sql_type type) {
  return make_literal(make_null_column(type, 1), "NULL");
}

expr_ptr make_bool_literal(bool value) {
  auto x = make_column(sql_type{type_kind::boolean}, 1);
  x.mutable_data<std::uint8_t>()[0] = value ? 1 : 0;
  return make_literal(std::move(x), value ? "true" : "false");
}

result<expr_ptr> make_call(const scalar_function& function, sql_type type,
                           std::vector<expr_ptr> args, std::string text) {
  auto call = std::make_shared<expr>();
  call->kind = expr_kind::call;
  call->type = type;
  call->function = &function;
  if (function.bind != nullptr) {
    EBB_ASSIGN(call->bound, function.bind(args));
  }
  call->may_fail = function.may_fail || any_may_fail(args);
  call->args = std::move(args);
  call->text = std::move(text);
  return expr_ptr{std::move(call)};
}

expr_ptr make_logic(expr_kind kind, sql_type type, std::vector<expr_ptr> args, std::string text) {
  auto result = std::make_shared<expr>();
  result->kind = kind;
  result->type = type;
  result->may_fail = any_may_fail(args);
  result->args = std::move(args);
  result->text = std::move(text);
  return result;
}

expr_ptr fold_constants(const expr_ptr& x) {
  if (x->args.empty() && x->kind != expr_kind::call)
    return x;
  std::vector<expr_ptr> args;
  args.reserve(x->args.size());
  bool constant = true;
  bool changed = false;
  for (const auto& arg : x->args) {
    args.push_back(fold_constants(arg));
    constant &= args.back()->kind == expr_kind::literal;
    changed |= args.back() != arg;
  }
  const auto folded = changed ? with_args(*x, std::move(args)) : x;
  if (!constant)
    return fold_partly(folded);
  batch one_row;
  one_row.rows = 1;
  auto value = evaluate(*folded, one_row, selection::all(one_row));
  if (!value)
    return folded;
  value->type = x->type;
  return make_literal(*std::move(value), x->text);
}

void collect_columns(const expr& x, std::vector<std::uint32_t>& out) {
  if (x.kind == expr_kind::column)
    out.push_back(x.index);
  for (const auto& arg : x.args)
    collect_columns(*arg, out);
}

expr_ptr remap_columns(const expr_ptr& x, const std::vector<std::uint32_t>& mapping) {
  return rebuild(x, [&](const expr_ptr& leaf) -> expr_ptr {
    if (mapping[leaf->index] == leaf->index)
      return leaf;
    return make_column_ref(mapping[leaf->index], leaf->type, leaf->text);
  });
}

expr_ptr substitute(const expr_ptr& x, const std::vector<expr_ptr>& replacements) {
  return rebuild(x, [&](const expr_ptr& leaf) { return replacements[leaf->index]; });
}

bool same_expr(const expr& a, const expr& b) {
  if (&a == &b) // whatever its literals are, some of which equal nothing
    return true;
  if (a.kind != b.kind || !(a.type == b.type) || a.index != b.index || a.function != b.function
      || a.args.size() != b.args.size())
    return false;
  if (a.kind == expr_kind::literal && !same_literal(a.value, b.value))
    return false;
  for (std::size_t i = 0; i < a.args.size(); ++i)
    if (!same_expr(*a.args[i], *b.args[i]))
      return false;
  return true;
}

} // namespace ebb
