// Constants, casts, INTERVAL literals and array constructors.

#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/value_text.hpp"
#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/type_name.hpp"

#include <algorithm>
#include <array>

namespace ebb::sql {

namespace {

template <class T>
expr_ptr fixed_literal(type_kind kind, T value, std::string written) {
  auto stored = make_column(sql_type{kind}, 1);
  stored.mutable_data<T>()[0] = value;
  return make_literal(std::move(stored), std::move(written));
}

// Bits of PostgreSQL's interval typmod.
namespace interval_field {
constexpr std::int32_t month = 1 << 1;
constexpr std::int32_t year = 1 << 2;
constexpr std::int32_t day = 1 << 3;
constexpr std::int32_t hour = 1 << 10;
constexpr std::int32_t minute = 1 << 11;
constexpr std::int32_t second = 1 << 12;
} // namespace interval_field

// Finest field of the mask and its unit word.
struct interval_unit {
  std::int32_t field;
  const char* word;
};

constexpr std::array<interval_unit, 6> finest_first{{{interval_field::second, "second"},
                                                     {interval_field::minute, "minute"},
                                                     {interval_field::hour, "hour"},
                                                     {interval_field::day, "day"},
                                                     {interval_field::month, "month"},
                                                     {interval_field::year, "year"}}};

// The last word, which has no unit of its own: `5`, or the `3` of `5 3`.
bool ends_in_plain_number(std::string_view text) {
  const auto last = text.find_last_not_of(' ');
  if (last == std::string_view::npos)
    return false;
  text = text.substr(0, last + 1);
  text.remove_prefix(text.find_last_of(' ') + 1);
  if (text.front() == '+' || text.front() == '-')
    text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// What is finer than the last field is cut, as PostgreSQL does it.
void cut_to(std::int32_t finest, interval_value& x) {
  constexpr std::int64_t minute = 60 * micros_per_second;
  switch (finest) {
  case interval_field::year:
    x = {0, 0, x.months / 12 * 12};
    break;
  case interval_field::month:
    x = {0, 0, x.months};
    break;
  case interval_field::day:
    x.micros = 0;
    break;
  case interval_field::hour:
    x.micros -= x.micros % (60 * minute);
    break;
  case interval_field::minute:
    x.micros -= x.micros % minute;
    break;
  default:
    break;
  }
}

} // namespace

result<expr_ptr> expr_binder::bind_constant(const ast& body) {
  const auto at = place_of(body);
  if (flag(body, "isnull"))
    return make_unknown_literal(nullptr);
  if (has(body, "ival")) {
    const auto value = static_cast<std::int32_t>(number(child(body, "ival"), "ival"));
    return fixed_literal(type_kind::integer, value, std::to_string(value));
  }
  if (has(body, "fval")) {
    const std::string written{ebb::sql::text(child(body, "fval"), "fval")};
    const bool whole = written.find_first_not_of("0123456789-") == std::string::npos;
    if (whole) {
      if (auto small = parse_literal(written, sql_type{type_kind::integer}))
        return make_literal(*std::move(small), written);
      if (auto big = parse_literal(written, sql_type{type_kind::bigint}))
        return make_literal(*std::move(big), written);
    }
    auto value = parse_literal(written, sql_type{type_kind::numeric});
    if (!value)
      return text_.locate(std::move(value).error(), at);
    return make_literal(*std::move(value), written);
  }
  if (has(body, "boolval"))
    return make_bool_literal(flag(child(body, "boolval"), "boolval"));
  if (has(body, "sval")) {
    const std::string written{ebb::sql::text(child(body, "sval"), "sval")};
    return make_unknown_literal(&written);
  }
  return text_.fail(ec::unsupported, at, "bit strings are not supported", "use BYTEA: '\\x0f'");
}

result<expr_ptr> expr_binder::bind_interval(const std::string& written, std::int32_t fields,
                                            std::int32_t at) {
  const auto finest = std::find_if(finest_first.begin(), finest_first.end(),
                                   [&](const auto& unit) { return (fields & unit.field) != 0; });
  std::string full = written;
  if (finest != finest_first.end()) {
    constexpr auto minute_to_second = interval_field::minute | interval_field::second;
    if (ends_in_plain_number(written))
      full = written + ' ' + finest->word;
    else if (fields == minute_to_second && std::count(written.begin(), written.end(), ':') == 1)
      full.insert(written.find_first_not_of(" +-"), "00:");
  }
  auto value = parse_interval(full);
  if (!value) {
    auto problem = std::move(value).error();
    if (full != written)
      problem.message = "invalid input syntax for type interval: \"" + written + '"';
    if (problem.hint.empty())
      problem.hint = "write a duration, as in '1 hour 30 minutes'";
    return text_.locate(std::move(problem), at);
  }
  if (finest != finest_first.end())
    cut_to(finest->field, *value);
  return fixed_literal(type_kind::interval, *value, "INTERVAL '" + full + '\'');
}

result<expr_ptr> expr_binder::bind_cast(const ast& body) {
  const auto& type_name = child(body, "typeName");
  const auto& arg = child(body, "arg");
  cast_modifiers more;
  EBB_ASSIGN(const auto type, type_of_name(text_, type_name, &more));
  const auto at = start_of(arg);
  if (type.kind == type_kind::interval) {
    if (const auto* written = string_constant(arg)) {
      EBB_ASSIGN(auto bound, bind_interval(*written, more.fields, at));
      return rounded(std::move(bound), more.digits, at);
    }
    if (more.fields != 0)
      return text_.fail(ec::unsupported, place_of(type_name),
                        "INTERVAL with fields is supported for literals only", "use INTERVAL");
  }
  const auto cast_place = place_of(body) < 0 ? at : place_of(body);
  if (type.kind == type_kind::array) {
    // PostgreSQL casts what is between the brackets, not the array.
    if (const auto array = open(arg); array.is("A_ArrayExpr"))
      return bind_cast_array(*array.body, more, cast_place);
    if (more.digits >= 0 || !(more.element == bare(more.element)))
      return text_.fail(ec::unsupported, place_of(type_name),
                        "a length or precision of array elements is supported for ARRAY[...] only",
                        "cast without it");
  }
  EBB_ASSIGN(auto bound, bind(arg));
  EBB_ASSIGN(bound, cast_to(std::move(bound), type, at, cast_place));
  return rounded(std::move(bound), more.digits, at);
}

// The error stands where the cast is written, not where its operand begins.
result<expr_ptr> expr_binder::cast_to(expr_ptr x, const sql_type& type, std::int32_t at,
                                      std::int32_t cast_place) {
  const bool literal = x->type.kind == type_kind::unknown;
  if (!literal && !can_coerce(x->type, type, cast_context::explicit_only))
    return text_.fail(ec::invalid_argument, cast_place,
                      "cannot cast type " + to_string(bare(x->type)) + " to "
                          + to_string(bare(type)));
  EBB_ASSIGN(auto bound, coerce(text_, x, type, cast_context::explicit_only, at));
  return folded(std::move(bound));
}

// Fractions of seconds cut to `digits`; -1 = as they are.
result<expr_ptr> expr_binder::rounded(expr_ptr x, std::int32_t digits, std::int32_t at) {
  if (digits < 0)
    return x;
  auto count = fixed_literal(type_kind::integer, digits, std::to_string(digits));
  return function("fit_precision", {std::move(x), std::move(count)}, at);
}

result<expr_ptr> expr_binder::bind_cast_array(const ast& body, const cast_modifiers& to,
                                              std::int32_t cast_place) {
  const auto& nodes = list(body, "elements");
  if (nodes.empty()) {
    auto none = parse_literal("{}", to.element.array_of());
    if (!none)
      return text_.locate(std::move(none).error(), place_of(body));
    return make_literal(*std::move(none), "ARRAY[]");
  }
  EBB_TRY(check_dimensions(nodes));
  EBB_ASSIGN(auto items, bind_all(nodes));
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto at = start_of(nodes[i]);
    EBB_ASSIGN(items[i], cast_to(items[i], to.element, at, cast_place));
    EBB_ASSIGN(items[i], rounded(items[i], to.digits, at));
  }
  return function("array", std::move(items), place_of(body));
}

result<void> expr_binder::check_dimensions(const ast::array_t& elements) const {
  for (const auto& node : elements)
    if (open(node).is("A_ArrayExpr"))
      return several_dimensions(text_, start_of(node));
  return {};
}

result<expr_ptr> expr_binder::bind_array(const ast& body) {
  const auto& nodes = list(body, "elements");
  const auto at = place_of(body);
  if (nodes.empty())
    return text_.fail(ec::invalid_argument, at, "cannot determine type of empty array",
                      "explicitly cast to the desired type, for example ARRAY[]::integer[]");
  EBB_TRY(check_dimensions(nodes));
  EBB_ASSIGN(auto items, bind_all(nodes));
  std::vector<std::int32_t> places;
  for (const auto& node : nodes)
    places.push_back(start_of(node));
  EBB_ASSIGN(items, to_common_type(std::move(items), places, "ARRAY"));
  if (items.front()->type.kind == type_kind::array)
    return several_dimensions(text_, at);
  return function("array", std::move(items), at);
}

} // namespace ebb::sql
