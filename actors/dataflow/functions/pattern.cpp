// LIKE and its kin. Constant patterns are compiled when the query is bound; others once for each
// distinct value of a batch.

#include "actors/dataflow/functions/like_pattern.hpp"
#include "actors/dataflow/functions/pattern_kernel.hpp"
#include "actors/dataflow/functions/unicode.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace ebb {

namespace {

struct bound_like : bound_call {
  explicit bound_like(like_pattern x) : pattern(std::move(x)) {}

  like_pattern pattern;
};

/// lower() of one value, into `out`.
void lower_into(std::string_view text, std::string& out) {
  out.resize(text.size());
  if (utf8::is_ascii(text)) {
    for (std::size_t i = 0; i < text.size(); ++i)
      out[i] = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    return;
  }
  out.clear();
  for (std::size_t at = 0; at < text.size();)
    utf8::append(unicode::to_lower(utf8::next(text, at)), out);
}

like_pattern compile_like(std::string_view pattern, bool fold, bool bytes) {
  if (!fold)
    return {pattern, bytes};
  std::string lower;
  lower_into(pattern, lower);
  return {lower, bytes};
}

template <bool Fold, bool Bytes>
result<std::shared_ptr<const bound_call>> bind_like(std::span<const expr_ptr> args) {
  const auto pattern = constant_text(*args[1]);
  if (!pattern)
    return std::shared_ptr<const bound_call>{};
  return std::shared_ptr<const bound_call>{
      std::make_shared<bound_like>(compile_like(*pattern, Fold, Bytes))};
}

template <bool Negate, bool Fold, bool Bytes>
result<column> like(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg patterns(args[1]);
  const auto* bound = static_cast<const bound_like*>(context.bound);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::uint8_t>();
  std::unordered_map<std::string, like_pattern> seen;
  std::string lower;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const like_pattern* pattern = bound == nullptr ? nullptr : &bound->pattern;
    if (pattern == nullptr) {
      std::string key(patterns[i]);
      auto found = seen.find(key);
      if (found == seen.end()) {
        auto compiled = compile_like(key, Fold, Bytes);
        found = seen.emplace(std::move(key), std::move(compiled)).first;
      }
      pattern = &found->second;
    }
    auto subject = text[i];
    if constexpr (Fold) {
      lower_into(subject, lower);
      subject = lower;
    }
    const auto answer = pattern->match(subject);
    if (answer == like_answer::ends_with_escape && !skipped(context, i))
      return row_error(i, "LIKE pattern must not end with escape character");
    values[i] = (answer == like_answer::yes) != Negate ? 1 : 0;
  }
  return out;
}

/// Writes the pattern with `\` in the place of the given escape character.
result<column> like_escape(const call_context& context, std::span<const column> args) {
  const text_arg patterns(args[0]);
  const text_arg escapes(args[1]);
  text_output out(context);
  std::string scratch;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto escape = escapes[i];
    const auto pattern = patterns[i];
    if (!escape.empty() && escape.size() != utf8::width(escape[0]))
      return row_error(i, "invalid escape string", "Escape string must be empty or one character.");
    scratch.clear();
    bool after_escape = false;
    for (std::size_t at = 0; at < pattern.size();) {
      const auto c = pattern.substr(at, utf8::width(pattern[at]));
      at += c.size();
      if (escape == "\\") {
        scratch += c;
      } else if (!escape.empty() && c == escape && !after_escape) {
        scratch += '\\';
        after_escape = true;
      } else {
        scratch += c;
        if (c == "\\" && !after_escape)
          scratch += '\\';
        after_escape = false;
      }
    }
    out.append(i, scratch);
  }
  return out.take();
}

template <bool Negate, bool Fold, bool Bytes>
void add_like(function_catalog& catalog, const char* name) {
  scalar_function function;
  function.name = name;
  const sql_type type{Bytes ? type_kind::bytea : type_kind::text};
  function.params = {type, type};
  function.returns = sql_type{type_kind::boolean};
  function.run = like<Negate, Fold, Bytes>;
  function.bind = bind_like<Fold, Bytes>;
  catalog.add(std::move(function));
}

} // namespace

std::optional<std::string> constant_text(const expr& x) {
  if (x.kind == expr_kind::literal) {
    if (x.value.is_null(0))
      return std::nullopt;
    return std::string(x.value.text_of(0));
  }
  if (x.kind != expr_kind::call)
    return std::nullopt;
  // Patterns are often calls on literals: like_escape('…', '#').
  const auto folded = fold_constants(std::make_shared<expr>(x));
  return folded->kind == expr_kind::literal ? constant_text(*folded) : std::nullopt;
}

void register_pattern(function_catalog& catalog) {
  add_like<false, false, false>(catalog, "~~");
  add_like<true, false, false>(catalog, "!~~");
  add_like<false, true, false>(catalog, "~~*");
  add_like<true, true, false>(catalog, "!~~*");
  add_like<false, false, true>(catalog, "~~");
  add_like<true, false, true>(catalog, "!~~");
  constexpr auto text = type_kind::text;
  constexpr auto bytea = type_kind::bytea;
  add_overload(catalog, {"like_escape", {text, text}, text, like_escape, true});
  add_overload(catalog, {"like_escape", {bytea, bytea}, bytea, like_escape, true});
  register_regex(catalog);
}

} // namespace ebb
