#include "actors/plan/sql/scope.hpp"

#include <algorithm>

namespace ebb::sql {

std::string nearest_hint(const std::string& name, const std::vector<std::string>& known) {
  const auto nearest = name.empty() ? std::string{} : nearest_name(name, known);
  return nearest.empty() ? std::string{} : "did you mean \"" + nearest + "\"?";
}

std::string suggestion(const std::string& name, const std::vector<std::string>& known,
                       const char* these) {
  constexpr std::size_t most = 10;
  if (auto nearest = nearest_hint(name, known); !nearest.empty())
    return nearest;
  std::string hint;
  for (std::size_t i = 0; i < std::min(known.size(), most); ++i)
    hint += (i == 0 ? these : ", ") + known[i];
  return hint + (known.size() > most ? ", …" : "");
}

bool scope::has_relation(std::string_view name) const {
  return std::find(relations.begin(), relations.end(), name) != relations.end();
}

error scope::missing_relation(const sql_text& text, const std::string& name,
                              std::int32_t at) const {
  return text.fail(ec::invalid_argument, at, "missing FROM-clause entry for table \"" + name + '"',
                   suggestion(name, relations, "FROM has "));
}

result<expr_ptr> scope::find(const sql_text& text, const std::vector<std::string>& path,
                             std::int32_t at) const {
  if (path.size() > 2)
    return text.fail(ec::unsupported, at, "names with a schema are not supported",
                     "write relation.column");
  const auto& name = path.back();
  const bool qualified = path.size() == 2;
  if (qualified && !has_relation(path.front()))
    return missing_relation(text, path.front(), at);
  const scope_column* found = nullptr;
  std::vector<std::string> candidates;
  for (const auto& column : columns) {
    if (qualified ? column.relation != path.front() : !column.unqualified)
      continue;
    if (column.name != name) {
      candidates.push_back(column.name);
      continue;
    }
    if (found != nullptr)
      return text.fail(ec::invalid_argument, at, "column reference \"" + name + "\" is ambiguous",
                       "write " + found->relation + '.' + name + " or " + column.relation + '.'
                           + name);
    found = &column;
  }
  if (found == nullptr) {
    const auto shown = qualified ? path.front() + '.' + name : '"' + name + '"';
    // PostgreSQL makes one value of the whole row; it has no type here.
    const auto hint = !qualified && has_relation(name)
                          ? name + " is a relation; for all its columns write " + name + ".*"
                          : suggestion(name, candidates, "the columns here are ");
    return text.fail(ec::invalid_argument, at, "column " + shown + " does not exist", hint);
  }
  auto reference = std::make_shared<expr>(*found->x);
  if (reference->text.empty())
    reference->text = qualified ? path.front() + '.' + name : name;
  return expr_ptr{std::move(reference)};
}

} // namespace ebb::sql
