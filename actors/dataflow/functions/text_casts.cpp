// Casts between text and every other type, through the types' text forms.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/text_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace ebb {

namespace {

/// The first context.type.length characters, as an explicit cast to VARCHAR(n) gives them.
std::string_view cut(const call_context& context, std::string_view text) {
  const auto most = context.type.length;
  return most == 0 ? text : text.substr(0, utf8::prefix(text, static_cast<std::size_t>(most)));
}

result<column> any_to_text(const call_context& context, std::span<const column> args) {
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    scratch.clear();
    append_value_text(args[0], i, scratch);
    out.append(i, cut(context, scratch));
  }
  return out.take();
}

template <class T>
result<column> integer_to_text(const call_context& context, std::span<const column> args) {
  const value_arg<T> number(args[0]);
  text_output out(context);
  constexpr std::size_t most_digits = 20;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    char* const to = out.reserve(most_digits);
    const auto end = std::to_chars(to, to + most_digits, number[i]);
    out.commit(i, cut(context, {to, static_cast<std::size_t>(end.ptr - to)}).size());
  }
  return out.take();
}

/// PostgreSQL's output text, where it differs from a cast: `t` and `f`.
result<column> boolean_output(const call_context& context, std::span<const column> args) {
  const value_arg<std::uint8_t> flag(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i)
    out.share(i, flag[i] != 0 ? "t" : "f");
  return out.take();
}

result<column> text_to_any(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  column out = context.type.kind == type_kind::numeric
                   ? make_numeric_column(context.type, context.rows)
                   : make_column(context.type, context.rows);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    if (auto parsed = parse_value_text(text[i], out, i); !parsed) {
      parsed.error().row = i;
      return std::move(parsed).error();
    }
  }
  if (context.type.kind == type_kind::numeric)
    pack_scales(out);
  return out;
}

result<column> text_to_bytea(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    if (auto parsed = parse_bytea(text[i], scratch); !parsed) {
      parsed.error().row = i;
      return std::move(parsed).error();
    }
    out.append(i, scratch);
  }
  return out.take();
}

result<column> text_to_jsonb(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  std::string canonical;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    canonical.clear();
    if (auto parsed = jsonb::append_canonical(text[i], canonical); !parsed) {
      parsed.error().row = i;
      return std::move(parsed).error();
    }
    out.append(i, canonical);
  }
  return out.take();
}

result<column> text_to_array(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  array_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (!skipped(context, i)) {
      auto parsed = parse_literal(text[i], context.type);
      if (!parsed) {
        parsed.error().row = i;
        return std::move(parsed).error();
      }
      out.append(parsed->child);
    }
    out.end_row(i);
  }
  return out.take();
}

/// TEXT to VARCHAR(n), explicitly: longer text is cut.
result<column> text_to_text(const call_context& context, std::span<const column> args) {
  if (context.type.length == 0) {
    column same = args[0];
    same.type = context.type;
    return same;
  }
  const text_arg text(args[0]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i)
    out.share(i, cut(context, text[i]));
  return out.take();
}

/// TEXT to VARCHAR(n) by assignment: only spaces may be cut.
result<column> fit_length(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto kept = cut(context, text[i]);
    if (text[i].find_first_not_of(' ', kept.size()) != std::string_view::npos
        && !skipped(context, i))
      return row_error(i, "value too long for type " + to_string(context.type));
    out.share(i, kept);
  }
  return out.take();
}

void add_cast(function_catalog& catalog, const sql_type& from, const sql_type& to, kernel run,
              cast_context when, bool may_fail) {
  scalar_function function;
  function.name = "cast";
  function.params = {from};
  function.returns = to;
  function.run = run;
  function.cast = when;
  function.may_fail = may_fail;
  catalog.add(std::move(function));
}

kernel to_text_kernel(type_kind kind) {
  switch (kind) {
  case type_kind::smallint:
    return integer_to_text<std::int16_t>;
  case type_kind::integer:
    return integer_to_text<std::int32_t>;
  case type_kind::bigint:
    return integer_to_text<std::int64_t>;
  default:
    return any_to_text;
  }
}

} // namespace

void register_text_casts(function_catalog& catalog) {
  const sql_type text{type_kind::text};
  for (const auto kind : element_kinds) {
    const sql_type type{kind};
    if (kind == type_kind::text) {
      add_cast(catalog, text, text, text_to_text, cast_context::implicit, false);
    } else {
      add_cast(catalog, type, text, to_text_kernel(kind), cast_context::assignment, false);
      add_cast(catalog, text, type,
               kind == type_kind::bytea   ? text_to_bytea
               : kind == type_kind::jsonb ? text_to_jsonb
                                          : text_to_any,
               cast_context::explicit_only, true);
    }
    add_cast(catalog, type.array_of(), text, any_to_text, cast_context::assignment, false);
    add_cast(catalog, text, type.array_of(), text_to_array, cast_context::explicit_only, true);
  }
  add_overload(catalog, {"boolout", {type_kind::boolean}, type_kind::text, boolean_output});
  add_overload(catalog, {"fit_length", {type_kind::text}, type_kind::text, fit_length, true});
}

} // namespace ebb
