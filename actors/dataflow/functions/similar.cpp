// SIMILAR TO: its patterns written as POSIX regular expressions.

#include "actors/dataflow/functions/regex_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"

namespace ebb {

namespace {

result<column> similar_to_escape(const call_context& context, std::span<const column> args) {
  const text_arg pattern(args[0]);
  text_output out(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    auto posix = similar_to_posix(pattern[i], args.size() == 1 ? "\\" : text_arg(args[1])[i]);
    if (!posix) {
      posix.error().row = i;
      return std::move(posix).error();
    }
    out.append(i, *posix);
  }
  return out.take();
}

} // namespace

result<std::string> similar_to_posix(std::string_view pattern, std::string_view escape) {
  if (!escape.empty() && escape.size() != utf8::width(escape[0]))
    return make_error(ec::evaluation, "invalid escape string",
                      "escape string must be empty or one character");
  std::string out = "^(?:";
  bool after_escape = false;
  int depth = 0; // of brackets
  // 1 right behind `[`, 2 behind `[^`: a `]` there is plain. 3 = further on.
  int bracket_place = 0;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto c = pattern.substr(at, utf8::width(pattern[at]));
    at += c.size();
    if (after_escape) {
      if (c == "\"" && depth == 0)
        return make_error(ec::unsupported,
                          "SIMILAR pattern with an escape and a double quote is not supported",
                          "use substring(… from '…(…)…') with a regular expression");
      out.append("\\").append(c);
      after_escape = false;
    } else if (!escape.empty() && c == escape) {
      after_escape = true;
    } else if (depth > 0) {
      if (c == "\\")
        out += '\\';
      out += c;
      if (c == "]" && bracket_place > 2)
        --depth;
      else if (c == "[")
        ++depth;
      bracket_place = c == "^" ? bracket_place + 1 : 3;
    } else if (c == "%") {
      out += ".*";
    } else if (c == "_") {
      out += '.';
    } else if (c == "(") {
      out += "(?:";
    } else {
      if (c == "[")
        depth = bracket_place = 1;
      if (c == "\\" || c == "." || c == "^" || c == "$")
        out += '\\';
      out += c;
    }
  }
  return out + ")$";
}

void register_similar(function_catalog& catalog) {
  constexpr auto text = type_kind::text;
  add_overload(catalog, {"similar_to_escape", {text}, text, similar_to_escape, true});
  add_overload(catalog, {"similar_to_escape", {text, text}, text, similar_to_escape, true});
}

} // namespace ebb
