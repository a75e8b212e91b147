// Prints docs/functions.md from the catalogs, so that the reference cannot drift.

#include "actors/dataflow/aggregate.hpp"
#include "actors/dataflow/function.hpp"
#include "actors/dataflow/ordered_set.hpp"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <set>

namespace {

std::string signature(const std::string& name, const std::vector<ebb::sql_type>& params,
                      bool variadic, const std::string& result) {
  std::string text = name + '(';
  for (std::size_t i = 0; i < params.size(); ++i)
    text += (i == 0 ? "" : ", ") + ebb::to_string(params[i]);
  return text + (variadic ? ", …" : "") + ") → " + result;
}

/// Of an aggregate that takes several types, as PostgreSQL's manual names them.
std::string type_name(const ebb::sql_type& type) {
  using enum ebb::type_kind;
  if (type.kind == unknown)
    return "any";
  return type.kind == array && type.element == unknown ? "any[]" : to_string(type);
}

std::string signature(const ebb::aggregate_function& function) {
  const bool ordered_set = is_ordered_set(function);
  const auto direct = function.params.size() - (ordered_set ? 1 : 0);
  std::string text = function.name + '(';
  for (std::size_t i = 0; i < direct; ++i)
    text += (i == 0 ? "" : ", ") + type_name(function.params[i]);
  text += ')';
  if (ordered_set)
    text += " WITHIN GROUP (ORDER BY " + type_name(function.params.back()) + ')';
  return text + " → " + type_name(function.result_type(function.params));
}

// `|` would end a table's cell.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2)
    text.insert(at, "\\");
  return text;
}

bool is_word(const std::string& name) {
  return std::isalpha(static_cast<unsigned char>(name[0])) != 0;
}

void list(bool words) {
  for (const auto& name : ebb::builtin_functions().names()) {
    // "age" is there to be refused with a reason.
    if (name == "cast" || name == "age" || is_word(name) != words)
      continue;
    std::set<std::string> signatures;
    for (const auto& function : ebb::builtin_functions().overloads(name))
      signatures.insert(
        signature(name, function->params, function->variadic, to_string(function->returns)));
    std::cout << "| `" << cell(name) << "` | ";
    bool first = true;
    for (const auto& text : signatures) {
      std::cout << (first ? "" : "<br>") << cell(text);
      first = false;
    }
    std::cout << " |\n";
  }
}

const char* context(ebb::cast_context cast) {
  switch (cast) {
  case ebb::cast_context::implicit:
    return "always";
  case ebb::cast_context::assignment:
    return "assignment";
  default:
    return "only with CAST or ::";
  }
}

} // namespace

int main() {
  std::cout << "# Functions, operators, casts and aggregates\n\n"
               "Made from the program's catalogs (`tools/lib/docs.py --update`); a test compares. "
               "All mean what they mean in PostgreSQL 15.\n\n"
               "## Functions\n\n| name | takes and gives |\n|---|---|\n";
  list(true);
  std::cout << "\n## Operators\n\n`~~` is LIKE, `~~*` ILIKE, with `!` in front NOT.\n\n"
               "| name | takes and gives |\n|---|---|\n";
  list(false);
  std::cout << "\n## Aggregates\n\nEach also with FILTER (WHERE …) and, but for those with WITHIN "
               "GROUP, DISTINCT.\n\n| name | takes and gives |\n|---|---|\n";
  for (const auto& name : ebb::aggregate_names()) {
    std::cout << "| `" << name << "` | ";
    bool first = true;
    for (const auto& function : ebb::find_aggregates(name)) {
      std::cout << (first ? "" : "<br>") << signature(function);
      first = false;
    }
    std::cout << " |\n";
  }
  std::cout << "\n## Casts\n\n| from | to | happens |\n|---|---|---|\n";
  for (const auto& function : ebb::builtin_functions().overloads("cast"))
    std::cout << "| " << to_string(function->params[0]) << " | " << to_string(function->returns)
              << " | " << context(function->cast) << " |\n";
}
