// Where SQL inside of YAML begins, and back: places within SQL become places within the file.

#include "actors/plan/manifest_reader.hpp"

#include <algorithm>

namespace ebb::manifest {

namespace {

std::size_t leading_spaces(std::string_view line) noexcept {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool is_blank(std::string_view line) noexcept {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

/// The rest of the node's line from the value on, behind tags and anchors; `column` moves along.
std::string_view value_on_line(const yaml_source& source, const yaml_node& node,
                               std::uint32_t& column) {
  auto rest = source.line(node.line);
  column = node.column;
  std::uint32_t at = 1;
  std::size_t i = 0;
  while (i < rest.size() && at < node.column) {
    ++i;
    while (i < rest.size() && (static_cast<unsigned char>(rest[i]) & 0xC0U) == 0x80U)
      ++i;
    ++at;
  }
  rest.remove_prefix(i);
  while (!rest.empty() && (rest[0] == '!' || rest[0] == '&')) {
    const auto end =
        rest.find_first_not_of(" \t", std::min(rest.find_first_of(" \t"), rest.size()));
    if (end == std::string_view::npos)
      return {};
    column += static_cast<std::uint32_t>(end);
    rest.remove_prefix(end);
  }
  return rest;
}

/// The lines of a block scalar as they are in the file, without their indentation.
std::string block_lines(const yaml_source& source, std::uint32_t first, std::size_t indent) {
  std::string out;
  for (auto number = first;; ++number) {
    const auto line = source.line(number);
    const auto behind = line.data() == nullptr
                        || line.data() + line.size() >= source.text().data() + source.text().size();
    if (!is_blank(line) && leading_spaces(line) < indent)
      break;
    out += line.substr(std::min(indent, line.size()));
    out += '\n';
    if (behind)
      break;
  }
  while (out.ends_with("\n\n"))
    out.pop_back();
  return out;
}

std::string without_whitespace(std::string_view text) {
  std::string out;
  std::copy_if(text.begin(), text.end(), std::back_inserter(out),
               [](char c) { return c != ' ' && c != '\n' && c != '\t' && c != '\r'; });
  return out;
}

/// Whether a line break in SQL means what a space means: no comment to the end of a line, and no
/// quote that spans lines.
bool breaks_are_spaces(std::string_view sql) {
  if (sql.find("--") != std::string_view::npos || sql.find('$') != std::string_view::npos)
    return false;
  std::ptrdiff_t single = 0;
  std::ptrdiff_t twice = 0;
  for (const auto c : sql) {
    single += c == '\'' ? 1 : 0;
    twice += c == '"' ? 1 : 0;
    if (c == '\n' && (single % 2 != 0 || twice % 2 != 0))
      return false;
  }
  return true;
}

/// A plain or quoted scalar of several lines as it is in the file, the first behind as many spaces as
/// it has columns before it. Empty where there is one line, or the lines do not mean what `sql` does
/// (a `''` within quotes).
std::string flow_lines(const yaml_source& source, std::uint32_t first_line, std::string_view value,
                       std::uint32_t column, std::string_view sql) {
  const auto wanted = without_whitespace(sql);
  std::string out(column - 1, ' ');
  std::size_t seen = 0;
  for (auto number = first_line;; ++number) {
    const auto line = number == first_line ? value : source.line(number);
    if (line.data() == nullptr)
      return {};
    for (const auto c : line) {
      if (seen == wanted.size())
        break;
      out += c;
      if (is_blank({&c, 1}))
        continue;
      if (c != wanted[seen])
        return {};
      ++seen;
    }
    if (seen == wanted.size())
      return number != first_line && breaks_are_spaces(out) ? out : std::string{};
    out += '\n';
  }
}

} // namespace

sql_place reader::place_of_sql(const located& at, std::string& sql) const {
  const auto& node = *at.node;
  sql_place out{place(at), false, 0};
  std::uint32_t column = 0;
  auto value = value_on_line(source_, node, column);
  if (value.empty())
    return out;
  const bool quoted = value[0] == '"' || value[0] == '\'';
  if (quoted) {
    value.remove_prefix(1);
    out.start.column = ++column;
  }
  if (quoted || node.plain) {
    if (auto lines = flow_lines(source_, node.line, value, column, sql); !lines.empty()) {
      sql = std::move(lines);
      out.is_block = true;
      out.start.column = 1;
    }
    return out;
  }
  if (value[0] != '|' && value[0] != '>')
    return out;
  // The first line with text tells the indentation: what it has more in the file than in the value.
  auto first = node.line + 1;
  while (first < node.line + 10'000 && is_blank(source_.line(first)))
    ++first;
  auto start = std::string_view(sql);
  while (!start.empty() && is_blank(start.substr(0, start.find('\n'))))
    start.remove_prefix(std::min(start.find('\n') + 1, start.size()));
  const auto in_file = leading_spaces(source_.line(first));
  const auto in_text = leading_spaces(start.substr(0, start.find('\n')));
  if (start.empty() || in_file < in_text)
    return out;
  const auto indent = in_file - in_text;
  if (value[0] == '>') {
    auto lines = block_lines(source_, node.line + 1, indent);
    if (!breaks_are_spaces(lines) || without_whitespace(lines) != without_whitespace(sql)) {
      out.start.line = first;
      out.start.column = static_cast<std::uint32_t>(indent + 1);
      return out;
    }
    sql = std::move(lines);
  }
  out.is_block = true;
  out.indent = static_cast<std::uint32_t>(indent);
  out.start.line = node.line + 1;
  out.start.column = out.indent + 1;
  return out;
}

error reader::place_sql_error(error problem, const sql_place& place) const {
  auto line = place.start.line;
  auto column = place.start.column;
  const auto inner = problem.place;
  if (inner.line != 0 && place.is_block) {
    line += inner.line - 1;
    column = place.indent + std::max(inner.column, 1U);
  } else if (inner.line == 1) {
    column += std::max(inner.column, 1U) - 1;
  }
  return source_.fail(line, column, place.start.field, std::move(problem.message),
                      std::move(problem.hint), problem.code);
}

} // namespace ebb::manifest
