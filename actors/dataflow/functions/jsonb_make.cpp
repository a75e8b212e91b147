// Making JSONB of other values, and other values of JSONB.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/jsonb_functions.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/value_text.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr auto json = type_kind::jsonb;

// JSON text of a value: numbers as such where JSON has them, times in ISO 8601, else its text.
void append_json(const column& x, std::uint32_t i, std::string& out) {
  if (x.is_null(i)) {
    out += "null";
    return;
  }
  std::string written;
  switch (x.type.kind) {
  case type_kind::jsonb:
    out += x.text_of(i);
    return;
  case type_kind::array: {
    const auto* offsets = x.data<std::uint32_t>() + x.at(i);
    out.push_back('[');
    for (auto k = offsets[0]; k < offsets[1]; ++k) {
      if (k != offsets[0])
        out.push_back(',');
      append_json(*x.child, k, out);
    }
    out.push_back(']');
    return;
  }
  default:
    append_value_text(x, i, written);
  }
  switch (x.type.kind) {
  case type_kind::boolean:
    out += written == "t" || written == "true" ? "true" : "false";
    return;
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
    out += written;
    return;
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::numeric:
    if (written.find_first_of("nN") == std::string::npos) {
      out += written;
      return;
    }
    break; // NaN, infinities
  case type_kind::timestamp:
  case type_kind::timestamptz:
    if (const auto space = written.find(' '); space != std::string::npos)
      written[space] = 'T';
    if (x.type.kind == type_kind::timestamptz && written.ends_with("+00"))
      written += ":00";
    break;
  default:
    break;
  }
  jsonb::append_string(written, out);
}

result<column> to_jsonb(const call_context& context, std::span<const column> args) {
  text_output out(context);
  std::string text;
  std::string canonical;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    text.clear();
    canonical.clear();
    append_json(args[0], i, text);
    if (auto read = jsonb::append_canonical(text, canonical); !read)
      return row_error(i, std::move(read).error().message);
    out.append(i, canonical);
  }
  return out.take();
}

// The text of a key: what its type writes.
result<void> append_key(std::uint32_t i, const column& x, std::size_t number, std::string& out) {
  if (x.is_null(i))
    return row_error(i, "argument " + std::to_string(number + 1) + ": key must not be null");
  if (x.type.kind == json
      && (jsonb::type_of(x.text_of(i)) == jsonb::value_type::array
          || jsonb::type_of(x.text_of(i)) == jsonb::value_type::object))
    return row_error(i, "key value must be scalar, not array, composite, or json");
  std::string key;
  if (x.type.kind == json)
    static_cast<void>(jsonb::append_text(x.text_of(i), key));
  else if (x.type.kind == type_kind::boolean)
    key = x.data<std::uint8_t>()[x.at(i)] != 0 ? "true" : "false";
  else
    append_value_text(x, i, key);
  jsonb::append_string(key, out);
  return {};
}

template <bool Object>
result<column> build(const call_context& context, std::span<const column> args) {
  text_output out(context);
  std::string text;
  std::string canonical;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (Object && args.size() % 2 != 0)
      return row_error(i, "argument list must have even number of elements",
                       "the arguments of jsonb_build_object() must consist of alternating keys and "
                       "values");
    text = Object ? "{" : "[";
    for (std::size_t k = 0; k < args.size(); ++k) {
      if (Object && k % 2 == 0) {
        text += k == 0 ? "" : ",";
        EBB_TRY(append_key(i, args[k], k, text));
        text.push_back(':');
        continue;
      }
      text += Object || k == 0 ? "" : ",";
      append_json(args[k], i, text);
    }
    text += Object ? "}" : "]";
    canonical.clear();
    if (auto read = jsonb::append_canonical(text, canonical); !read)
      return row_error(i, std::move(read).error().message);
    out.append(i, canonical);
  }
  return out.take();
}

std::string wrong_type(std::string_view value, const sql_type& to) {
  static constexpr const char* names[] = {"null",    "string", "numeric",
                                          "boolean", "array",  "object"};
  return std::string("cannot cast jsonb ") + names[static_cast<int>(jsonb::type_of(value))]
         + " to type " + to_string(to);
}

result<column> to_boolean(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  column out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    if (jsonb::type_of(value[i]) != jsonb::value_type::boolean)
      return row_error(i, wrong_type(value[i], context.type));
    to[i] = value[i] == "true" ? 1 : 0;
  }
  return out;
}

// Numbers are NUMERICs; the cast from there is applied to them.
result<column> to_number(const call_context& context, std::span<const column> args) {
  const text_arg value(args[0]);
  const bool exact = context.type.kind == type_kind::numeric;
  const sql_type numeric = exact ? context.type : sql_type{type_kind::numeric};
  column numbers = make_numeric_column(numeric, context.rows);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const bool skip = skipped(context, i);
    if (!skip && jsonb::type_of(value[i]) != jsonb::value_type::number)
      return row_error(i, wrong_type(value[i], sql_type{context.type.kind}));
    if (auto read = parse_numeric(skip ? "0" : value[i], numbers, i); !read) {
      read.error().row = i;
      return std::move(read).error();
    }
  }
  pack_scales(numbers);
  if (exact)
    return numbers;
  const auto* cast = builtin_functions().find_cast(numeric, context.type);
  return cast->run(context, std::span<const column>(&numbers, 1));
}

void add_any(function_catalog& catalog, const char* name, kernel run, bool variadic, bool strict,
             bool without_arguments) {
  scalar_function f;
  f.name = name;
  if (!without_arguments)
    f.params = {sql_type{type_kind::unknown}};
  f.returns = sql_type{json};
  f.run = run;
  f.variadic = variadic;
  f.strict = strict;
  f.may_fail = true;
  catalog.add(std::move(f));
}

} // namespace

void register_jsonb_make(function_catalog& catalog) {
  add_any(catalog, "to_jsonb", to_jsonb, false, true, false);
  add_any(catalog, "jsonb_build_object", build<true>, true, false, false);
  add_any(catalog, "jsonb_build_object", build<true>, false, false, true);
  add_any(catalog, "jsonb_build_array", build<false>, true, false, false);
  add_any(catalog, "jsonb_build_array", build<false>, false, false, true);
}

void register_jsonb_casts(function_catalog& catalog) {
  for (const auto kind :
       {type_kind::boolean, type_kind::smallint, type_kind::integer, type_kind::bigint,
        type_kind::real, type_kind::double_precision, type_kind::numeric}) {
    scalar_function f;
    f.name = "cast";
    f.params = {sql_type{json}};
    f.returns = sql_type{kind};
    f.run = kind == type_kind::boolean ? to_boolean : to_number;
    f.cast = cast_context::explicit_only;
    f.may_fail = true;
    catalog.add(std::move(f));
  }
}

} // namespace ebb
