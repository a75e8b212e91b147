#include "actors/plan/expr_words.hpp"

#include "actors/dataflow/function.hpp"
#include "actors/dataflow/value_text.hpp"
#include "actors/plan/pinned_plan.hpp"
#include "actors/plan/printable.hpp"

#include <algorithm>
#include <cctype>

namespace ebb {

namespace {

/// Words of one expression. Expressions over expressions would double with each step.
constexpr std::size_t words_max = 240;

bool is_plain(const sql_type& type) {
  return type.kind == type_kind::bigint || type.kind == type_kind::integer
         || type.kind == type_kind::numeric || type.kind == type_kind::text
         || type.kind == type_kind::boolean;
}

std::string literal_words(const expr& x) {
  std::string text = "NULL";
  if (!x.value.is_null(0)) {
    text.clear();
    append_value_text(x.value, 0, text);
    text = one_line(text);
    const bool is_number = !text.empty()
                           && text.find_first_not_of("0123456789.+-") == std::string::npos
                           && x.type.kind != type_kind::text;
    if (!is_number && x.type.kind != type_kind::boolean)
      text = '\'' + text + '\'';
  }
  return is_plain(x.type) ? text : text + "::" + to_string(x.type);
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += (i == 0 ? "" : std::string(between)) + parts[i];
  return text;
}

bool is_operator(const std::string& name) {
  return std::none_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

std::string call_words(const expr& x, const std::vector<std::string>& args) {
  const auto& name = x.function->name;
  if (name == "cast" && args.size() == 1)
    return args[0] + "::" + to_string(x.type);
  if (is_operator(name) && args.size() == 2)
    return '(' + args[0] + ' ' + name + ' ' + args[1] + ')';
  return name + '(' + joined(args, ", ") + ')';
}

/// Of a conjunction or a disjunction, whose parts may come in any order, and more than once.
void add_parts(const expr& x, expr_kind kind, const std::vector<std::string>& columns,
               std::vector<std::string>& to) {
  for (const auto& arg : x.args)
    if (arg->kind == kind)
      add_parts(*arg, kind, columns, to);
    else
      to.push_back(words_of(*arg, columns));
}

std::string set_words(const expr& x, std::string_view between,
                      const std::vector<std::string>& columns) {
  std::vector<std::string> parts;
  add_parts(x, x.kind, columns, parts);
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return parts.size() == 1 ? parts.front() : '(' + joined(parts, between) + ')';
}

std::string full_words(const expr& x, const std::vector<std::string>& columns) {
  if (x.kind == expr_kind::column)
    return x.index < columns.size() ? columns[x.index] : "?";
  if (x.kind == expr_kind::literal)
    return literal_words(x);
  if (x.kind == expr_kind::and_)
    return set_words(x, " AND ", columns);
  if (x.kind == expr_kind::or_)
    return set_words(x, " OR ", columns);
  std::vector<std::string> args;
  for (const auto& arg : x.args)
    args.push_back(words_of(*arg, columns));
  switch (x.kind) {
  case expr_kind::call:
    return call_words(x, args);
  case expr_kind::not_:
    return "NOT " + joined(args, ", ");
  case expr_kind::case_:
    return "CASE(" + joined(args, ", ") + ')';
  case expr_kind::coalesce:
    return "coalesce(" + joined(args, ", ") + ')';
  case expr_kind::is_null:
    return joined(args, ", ") + " IS NULL";
  case expr_kind::is_not_null:
    return joined(args, ", ") + " IS NOT NULL";
  case expr_kind::column:
  case expr_kind::literal:
  case expr_kind::and_:
  case expr_kind::or_:
    break;
  }
  return {};
}

} // namespace

std::string one_line(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    const bool is_control = static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    if (is_control)
      result += '\\' + std::to_string(static_cast<int>(static_cast<unsigned char>(c)));
    else
      result += c;
  }
  return result;
}

std::string cut_words(std::string text, std::size_t most) {
  if (text.size() <= most)
    return text;
  const auto digest = digest_of_text(text);
  auto end = most * 3 / 4;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  text.resize(end);
  return text + "… #" + digest;
}

std::string words_of(const expr& x, const std::vector<std::string>& columns) {
  return cut_words(full_words(x, columns), words_max);
}

} // namespace ebb
