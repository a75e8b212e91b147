// Arrays from and to text: string_to_array, array_to_string.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/utf8.hpp"
#include "actors/dataflow/value_text.hpp"

#include <string>

namespace ebb {

namespace {

/// `separator` NULL splits into characters; parts equal to `null_text` become NULL.
result<column> string_to_array(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg separator(args[1]);
  text_array_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i)) {
      out.null_row(i);
      continue;
    }
    const bool marks_null = args.size() == 3 && !args[2].is_null(i);
    const auto null_text = marks_null ? text_arg(args[2])[i] : std::string_view{};
    const auto put = [&](std::string_view part) {
      if (marks_null && part == null_text)
        out.append_null();
      else
        out.append(part);
    };
    auto rest = text[i];
    if (rest.empty()) {
      out.end_row(i);
      continue;
    }
    if (args[1].is_null(i)) {
      while (!rest.empty()) {
        const auto size = utf8::width(rest[0]);
        put(rest.substr(0, size));
        rest.remove_prefix(std::min(size, rest.size()));
      }
    } else if (separator[i].empty()) {
      put(rest);
    } else {
      for (auto at = find_bytes(rest, separator[i]); at != std::string_view::npos;
           at = find_bytes(rest, separator[i])) {
        put(rest.substr(0, at));
        rest.remove_prefix(at + separator[i].size());
      }
      put(rest);
    }
    out.end_row(i);
  }
  return out.take();
}

result<column> array_to_string(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  const text_arg separator(args[1]);
  const auto& elements = array.elements();
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i) || args[1].is_null(i)) {
      out.null(i);
      continue;
    }
    const bool shows_null = args.size() == 3 && !args[2].is_null(i);
    scratch.clear();
    bool first = true;
    for (auto k = array.first(i); k < array.last(i); ++k) {
      if (elements.is_null(k) && !shows_null)
        continue;
      if (!first)
        scratch += separator[i];
      first = false;
      if (elements.is_null(k))
        scratch += text_arg(args[2])[i];
      else if (elements.type.kind == type_kind::boolean)
        scratch += elements.data<std::uint8_t>()[k] != 0 ? 't' : 'f';
      else
        append_value_text(elements, k, scratch);
    }
    if (scratch.size() > max_made_text)
      return too_large(i);
    out.append(i, scratch);
  }
  return out.take();
}

} // namespace

void register_array_text(function_catalog& catalog) {
  const sql_type text{type_kind::text};
  const auto add = [&](const char* name, std::vector<sql_type> params, sql_type returns, kernel run,
                       bool strict = false) {
    scalar_function function;
    function.name = name;
    function.params = std::move(params);
    function.returns = returns;
    function.run = run;
    function.strict = strict;
    catalog.add(std::move(function));
  };
  add("string_to_array", {text, text}, text.array_of(), string_to_array);
  add("string_to_array", {text, text, text}, text.array_of(), string_to_array);
  for (const auto kind : element_kinds) {
    const auto array = sql_type{kind}.array_of();
    add("array_to_string", {array, text}, text, array_to_string, true);
    add("array_to_string", {array, text, text}, text, array_to_string);
  }
}

} // namespace ebb
