#include "actors/dataflow/operators/row_values.hpp"

#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t most_values = 8;
constexpr std::size_t most_bytes = 60; ///< of a name, or of a value

// Whole characters of the text, on one line.
std::string cut(std::string_view text) {
  std::string result(text.substr(0, most_bytes));
  if (text.size() > most_bytes) {
    while (!result.empty() && (static_cast<unsigned char>(text[result.size()]) & 0xC0U) == 0x80U)
      result.pop_back();
    result += "…";
  }
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return result;
}

std::string value_of(const column& x, std::uint32_t i) {
  if (x.is_null(i))
    return "NULL";
  // The text of one value may have megabytes.
  if (holds_text(x.type.kind))
    return cut(x.text_of(i));
  std::string text;
  append_value_text(x, i, text);
  return cut(text);
}

void add(const expr& x, std::vector<const expr*>& to) {
  const bool known = std::any_of(to.begin(), to.end(),
                                 [&](const auto* other) { return other->index == x.index; });
  if (!known && !x.text.empty())
    to.push_back(&x);
}

void add_inner(const expr& x, std::vector<const expr*>& to) {
  if (x.kind == expr_kind::column)
    add(x, to);
  for (const auto& arg : x.args)
    add_inner(*arg, to);
}

std::string key_text(std::span<const column> keys, std::uint32_t i) {
  std::string text;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    text += k == 0 ? "" : ", ";
    if (k == most_values)
      return "key (" + text + "…)";
    text += value_of(keys[k], i);
  }
  return "key (" + text + ')';
}

} // namespace

std::string row_values(const batch& rows, std::uint32_t i, std::span<const expr_ptr> reads) {
  std::vector<const expr*> named;
  for (const auto& x : reads)
    if (x && x->kind == expr_kind::column)
      add(*x, named);
  for (const auto& x : reads)
    if (x)
      add_inner(*x, named);
  std::string text;
  std::size_t shown = 0;
  for (const auto* x : named) {
    if (x->index >= rows.columns.size())
      continue;
    if (++shown > most_values)
      return text + ", …";
    text += (text.empty() ? "" : ", ") + cut(x->text) + " = " + value_of(rows.columns[x->index], i);
  }
  return text;
}

error name_values(error problem, const batch& rows, std::span<const expr_ptr> reads) {
  if (!problem.row || *problem.row >= rows.rows || rows.origin.source)
    return problem;
  if (const auto text = row_values(rows, *problem.row, reads); !text.empty())
    problem.message += " (row with " + text + ')';
  return problem;
}

void name_key(error& problem, std::span<const column> keys, std::uint32_t i) {
  if (!keys.empty())
    problem.message += " (" + key_text(keys, i) + ')';
}

void name_key(error& problem, std::span<const column> keys, std::uint32_t i, const column& start,
              const column& end) {
  problem.message += " (" + (keys.empty() ? std::string{} : key_text(keys, i) + ", ") + "window "
                     + (start.is_null(i) ? std::string{} : "from " + value_of(start, i) + ' ')
                     + "to " + value_of(end, i) + ')';
}

} // namespace ebb
