// Column definitions in a manifest, and the names of columns.

#include "actors/plan/manifest_parts.hpp"

namespace ebb::manifest {

namespace {

std::string folded(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return text;
}

} // namespace

const ebb::field* find_column(const schema& columns, const std::string& name) {
  for (const auto& wanted : {name, folded(name)})
    for (const auto& x : columns)
      if (x.name == wanted)
        return &x;
  return nullptr;
}

std::string nearest_column(const schema& columns, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& x : columns)
    names.push_back(x.name);
  if (const auto nearest = nearest_name(folded(name), names); !nearest.empty())
    return "did you mean " + nearest + "?";
  std::string all;
  for (const auto& x : names)
    all += (all.empty() ? "" : ", ") + x;
  return "the columns are " + all;
}

result<parsed_schema> read_schema(const reader& in, const located& at) {
  const std::string what = "column definitions such as id BIGINT, name TEXT";
  if (at.node->kind == yaml_kind::map || at.node->kind == yaml_kind::list)
    return in.mismatch(at, what, "write them as one text: schema: id BIGINT NOT NULL, name TEXT");
  EBB_ASSIGN(auto sql, in.text(at, what));
  const auto place = in.place_of_sql(at, sql);
  auto parsed = parse_schema(sql);
  if (!parsed) {
    auto problem = std::move(parsed).error();
    if (problem.hint.empty())
      problem.hint = "write column definitions, separated by commas: id BIGINT NOT NULL, name TEXT";
    return in.place_sql_error(std::move(problem), place);
  }
  if (parsed->columns.empty())
    return in.fail(at, "the schema has no columns", "write schema: id BIGINT, name TEXT");
  return parsed;
}

} // namespace ebb::manifest
