// Operators of a manifest.

#include "actors/plan/manifest_parts.hpp"

#include <algorithm>

namespace ebb::manifest {

namespace {

bool is_name_part(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
         || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Behind the end of a quote that begins at `i`; a doubled quote stays inside.
std::size_t end_of_quote(std::string_view sql, std::size_t i) {
  const auto quote = sql[i++];
  while (i < sql.size()) {
    if (sql[i] == quote && (i + 1 == sql.size() || sql[i + 1] != quote))
      return i + 1;
    i += sql[i] == quote ? 2 : 1;
  }
  return sql.size();
}

} // namespace

bool mentions(std::string_view sql, std::string_view name) {
  for (std::size_t i = 0; i < sql.size();) {
    const auto c = sql[i];
    if (c == '\'') {
      i = end_of_quote(sql, i);
    } else if (c == '"') {
      const auto end = end_of_quote(sql, i);
      if (sql.substr(i + 1, end - i - 1).starts_with(name) && end - i == name.size() + 2)
        return true;
      i = end;
    } else if (sql.substr(i).starts_with("--")) {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (sql.substr(i).starts_with("/*")) {
      const auto end = sql.find("*/", i + 2);
      i = end == std::string_view::npos ? sql.size() : end + 2;
    } else if (is_name_part(c)) {
      const auto start = i;
      while (i < sql.size() && is_name_part(sql[i]))
        ++i;
      const auto word = sql.substr(start, i - start);
      if (word.size() == name.size()
          && std::equal(word.begin(), word.end(), name.begin(),
                        [](char a, char b) { return lower(a) == b; }))
        return true;
    } else {
      ++i;
    }
  }
  return false;
}

result<operator_definition> read_operator(const reader& in, const located& at,
                                          std::uint16_t max_parallelism) {
  EBB_TRY(in.keys(at, {"name", "sql", "function", "parallelism", "stateRetention"}));
  operator_definition out;
  out.place = in.place(at);
  EBB_ASSIGN(const auto name, in.required(at, "name", "name: hourly"));
  EBB_ASSIGN(out.name, in.identifier(name));
  const auto function = reader::field(at, "function");
  const auto sql = reader::field(at, "sql");
  if (function && sql)
    return in.fail(function, "an operator has either sql or function, and this one has both",
                   "keep one of them");
  if (function)
    return in.fail(function, "operators with a function are not available in this version",
                   "write the operator in SQL", ec::unsupported);
  EBB_ASSIGN(const auto text, in.required(at, "sql", "sql: SELECT … FROM …"));
  EBB_ASSIGN(out.sql, in.text(text, "a SELECT"));
  const auto place = in.place_of_sql(text, out.sql);
  if (out.sql.find_first_not_of(" \t\r\n") == std::string::npos)
    return in.fail(text, "the SQL is empty", "write one SELECT over sources and earlier operators");
  out.sql_place = place.start;
  out.sql_is_block = place.is_block;
  out.sql_indent = place.indent;
  if (const auto x = reader::field(at, "parallelism")) {
    EBB_ASSIGN(const auto value, in.integer(x, 1, max_parallelism));
    out.parallelism = static_cast<std::uint32_t>(value);
  }
  if (const auto x = reader::field(at, "stateRetention")) {
    EBB_ASSIGN(out.state_retention, in.duration(x, 1));
  }
  return out;
}

} // namespace ebb::manifest
