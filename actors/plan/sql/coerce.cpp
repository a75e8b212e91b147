#include "actors/plan/sql/coerce.hpp"

#include "actors/dataflow/value_text.hpp"

#include <cstring>

namespace ebb::sql {

namespace {

bool has_modifier(const sql_type& type) {
  return type.precision != 0 || type.length != 0;
}

bool allows(cast_context cast, cast_context context) {
  switch (cast) {
  case cast_context::none:
    return false;
  case cast_context::implicit:
    return true;
  case cast_context::assignment:
    return context != cast_context::implicit;
  case cast_context::explicit_only:
    return context == cast_context::explicit_only;
  }
  return false;
}

/// What to write for a value of the type.
std::string value_hint(const sql_type& to) {
  switch (to.kind) {
  case type_kind::boolean:
    return "write true or false";
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
    return "write a whole number, as in '42'";
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::numeric:
    return "write a number, as in '1.5'";
  case type_kind::timestamp:
    return "write a time, as in '2026-01-31 12:30:00'";
  case type_kind::timestamptz:
    return "write a time, as in '2026-01-31 12:30:00+00'";
  case type_kind::date:
    return "write a date, as in '2026-01-31'";
  case type_kind::interval:
    return "write a duration, as in '1 hour 30 minutes'";
  default:
    return "write a value of type " + to_string(to);
  }
}

result<expr_ptr> literal_as(const sql_text& text, const expr& x, const sql_type& to,
                            std::int32_t at) {
  if (x.value.is_null(0))
    return make_null_literal(to);
  auto value = parse_literal(x.value.text_of(0), to);
  if (!value) {
    auto problem = std::move(value).error();
    if (problem.hint.empty())
      problem.hint = problem.message.find("out of range for type") == std::string::npos
                         ? value_hint(to)
                         : "cast to a wider type";
    return text.locate(std::move(problem), at);
  }
  value->type = to;
  return make_literal(*std::move(value), x.text);
}

result<expr_ptr> cast_call(const sql_text& text, const scalar_function& cast, const sql_type& to,
                           const expr_ptr& x, std::int32_t at) {
  auto call = make_call(cast, to, {x}, x->text.empty() ? "" : x->text + "::" + to_string(to));
  if (!call)
    return text.locate(std::move(call).error(), at);
  return call;
}

} // namespace

type_category category_of(const sql_type& type) noexcept {
  switch (type.kind) {
  case type_kind::unknown:
    return type_category::unknown;
  case type_kind::boolean:
    return type_category::boolean;
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::numeric:
    return type_category::number;
  case type_kind::text:
    return type_category::string;
  case type_kind::bytea:
  case type_kind::jsonb:
    return type_category::user;
  case type_kind::date:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return type_category::date_time;
  case type_kind::interval:
    return type_category::timespan;
  case type_kind::array:
    return type_category::array;
  }
  return type_category::unknown;
}

bool is_preferred(const sql_type& type) noexcept {
  switch (type.kind) {
  case type_kind::boolean:
  case type_kind::double_precision:
  case type_kind::text:
  case type_kind::timestamptz:
  case type_kind::interval:
    return true;
  default:
    return false;
  }
}

bool can_coerce(const sql_type& from, const sql_type& to, cast_context context) {
  if (from.kind == type_kind::unknown || same_kind(from, to))
    return true;
  const auto* cast = builtin_functions().find_cast(from, to);
  return cast != nullptr && allows(cast->cast, context);
}

result<expr_ptr> coerce(const sql_text& text, const expr_ptr& x, const sql_type& to,
                        cast_context context, std::int32_t at) {
  if (x->type.kind == type_kind::unknown && x->kind == expr_kind::literal) {
    // A length cuts in an explicit cast and is an error in an input text, so it comes after.
    if (to.kind != type_kind::text || to.length == 0)
      return literal_as(text, *x, to, at);
    EBB_ASSIGN(const auto plain, literal_as(text, *x, bare(to), at));
    return coerce(text, plain, to, context, at);
  }
  const auto& catalog = builtin_functions();
  expr_ptr value = x;
  if (!same_kind(x->type, to)) {
    const auto* cast = catalog.find_cast(x->type, to);
    if (cast == nullptr || !allows(cast->cast, context))
      return text.fail(ec::invalid_argument, at,
                       "cannot cast type " + to_string(bare(x->type)) + " to "
                           + to_string(bare(to)));
    EBB_ASSIGN(value, cast_call(text, *cast, bare(to), x, at));
  }
  if (!has_modifier(to) || value->type == to)
    return value;
  const auto* sizing = catalog.find_cast(to, to);
  if (sizing == nullptr)
    return text.fail(ec::unsupported, at, "cannot cast to type " + to_string(to));
  return cast_call(text, *sizing, to, value, at);
}

result<expr_ptr> settle(const sql_text& text, const expr_ptr& x, std::int32_t at) {
  if (x->type.kind != type_kind::unknown)
    return x;
  return coerce(text, x, sql_type{type_kind::text}, cast_context::implicit, at);
}

expr_ptr make_unknown_literal(const std::string* value) {
  if (value == nullptr)
    return make_null_literal(sql_type{type_kind::unknown});
  text_builder builder{sql_type{type_kind::text}, 1};
  builder.append(*value);
  auto stored = builder.take();
  stored.type = sql_type{type_kind::unknown};
  return make_literal(std::move(stored), '\'' + *value + '\'');
}

std::optional<sql_type> common_type(const sql_type& a, const sql_type& b) {
  if (a == b)
    return a;
  if (a.kind == type_kind::unknown)
    return b;
  if (b.kind == type_kind::unknown || same_kind(a, b))
    return b.kind == type_kind::unknown ? a : bare(a);
  if (category_of(a) != category_of(b))
    return std::nullopt;
  if (!is_preferred(a) && can_coerce(a, b, cast_context::implicit)
      && !can_coerce(b, a, cast_context::implicit))
    return bare(b);
  if (can_coerce(b, a, cast_context::implicit))
    return bare(a);
  return std::nullopt;
}

result<sql_type> common_type(const sql_text& text, std::span<const expr_ptr> items,
                             std::span<const std::int32_t> places, std::string_view what) {
  sql_type best;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& next = items[i]->type;
    if (next.kind == type_kind::unknown)
      continue;
    if (best.kind == type_kind::unknown || same_kind(best, next)) {
      best = next;
      continue;
    }
    const auto mismatch = [&] {
      return text.fail(ec::invalid_argument, places[i],
                       std::string(what) + " types " + to_string(bare(best)) + " and "
                           + to_string(bare(next)) + " cannot be matched",
                       "cast one of them");
    };
    if (category_of(best) != category_of(next))
      return mismatch();
    if (!is_preferred(best) && can_coerce(best, next, cast_context::implicit)
        && !can_coerce(next, best, cast_context::implicit))
      best = next;
  }
  if (best.kind == type_kind::unknown)
    return sql_type{type_kind::text};
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!can_coerce(items[i]->type, best, cast_context::implicit))
      return text.fail(ec::invalid_argument, places[i],
                       std::string(what) + " could not convert type "
                           + to_string(bare(items[i]->type)) + " to " + to_string(bare(best)));
  for (const auto& item : items)
    if (!(item->type == best))
      return bare(best);
  return best;
}

} // namespace ebb::sql
