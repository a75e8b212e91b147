#include "actors/plan/sql/place.hpp"

#include "actors/plan/printable.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

// Characters of UTF-8 text: bytes that do not continue another one.
std::uint32_t characters(std::string_view text) {
  return static_cast<std::uint32_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// The line with a caret under byte `at`; long lines are cut to the neighbourhood of the place.
std::string excerpt_of(std::string_view line, std::size_t at) {
  constexpr std::size_t reach = 100;
  std::string shown;
  if (at > reach) {
    std::size_t cut = at - reach;
    while (cut < at && (static_cast<unsigned char>(line[cut]) & 0xC0U) == 0x80U)
      ++cut;
    line.remove_prefix(cut);
    at -= cut;
    shown = "...";
  }
  auto end = std::min(line.size(), at + reach);
  while (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U)
    ++end;
  std::string under(shown.size(), ' ');
  for (std::size_t i = 0; i < at; ++i)
    if ((static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80U)
      under += line[i] == '\t' ? '\t' : ' ';
  shown += line.substr(0, end);
  if (end < line.size())
    shown += "...";
  return printable(shown) + '\n' + under + '^';
}

} // namespace

sql_text::sql_text(std::string_view written, const operator_definition* where,
                   std::string_view before, std::string_view after)
    : before_(before.size()), written_(written.size()) {
  parsed_.reserve(before.size() + written.size() + after.size());
  parsed_.append(before).append(written).append(after);
  if (where != nullptr) {
    start_ = where->sql_place;
    mapped_ = where->sql_place.line != 0;
    is_block_ = where->sql_is_block;
    indent_ = where->sql_indent;
  }
}

std::int32_t sql_text::offset_of_character(std::int32_t position) const noexcept {
  std::int32_t count = 0;
  for (std::size_t i = 0; i < parsed_.size(); ++i)
    if ((static_cast<unsigned char>(parsed_[i]) & 0xC0U) != 0x80U && ++count == position)
      return static_cast<std::int32_t>(i);
  return static_cast<std::int32_t>(parsed_.size());
}

std::int32_t sql_text::keyword_before(std::string_view word, std::int32_t end) const noexcept {
  const auto capital = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  const auto in_word = [&](std::size_t i) {
    const char c = i < parsed_.size() ? capital(parsed_[i]) : ' ';
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto limit =
      end < 0 ? parsed_.size() : std::min(parsed_.size(), static_cast<std::size_t>(end));
  for (auto i = limit; i-- > 0;) {
    if (i + word.size() > limit || (i > 0 && in_word(i - 1)) || in_word(i + word.size()))
      continue;
    if (std::equal(word.begin(), word.end(), parsed_.begin() + static_cast<std::ptrdiff_t>(i),
                   [&](char a, char b) { return a == capital(b); }))
      return static_cast<std::int32_t>(i);
  }
  return -1;
}

error sql_text::fail(ec code, std::int32_t offset, std::string message, std::string hint) const {
  return locate(make_error(code, std::move(message), std::move(hint)), offset);
}

error sql_text::locate(error problem, std::int32_t offset) const {
  // Nothing has run yet: what is wrong is the query.
  if (problem.code == ec::evaluation)
    problem.code = ec::invalid_argument;
  if (problem.place.line != 0)
    return problem;
  auto field = std::move(problem.place.field);
  problem.place = start_;
  if (!field.empty())
    problem.place.field = std::move(field);
  if (offset < 0)
    return problem;
  const auto whole = written();
  const auto unframed = static_cast<std::size_t>(offset) < before_
                            ? std::size_t{0}
                            : static_cast<std::size_t>(offset) - before_;
  const auto at = std::min(unframed, whole.size());
  const auto newline = at == 0 ? std::string_view::npos : whole.rfind('\n', at - 1);
  const auto line_start = newline == std::string_view::npos ? 0 : newline + 1;
  auto line_text = whole.substr(line_start);
  line_text = line_text.substr(0, line_text.find('\n'));
  if (line_text.ends_with('\r'))
    line_text.remove_suffix(1);
  const auto line = static_cast<std::uint32_t>(
      std::count(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(line_start), '\n'));
  const auto within = std::min(at - line_start, line_text.size());
  const auto column = characters(line_text.substr(0, within));
  problem.excerpt = excerpt_of(line_text, within);
  if (!mapped_) {
    problem.place.line = line + 1;
    problem.place.column = column + 1;
  } else if (is_block_) {
    problem.place.line = start_.line + line;
    problem.place.column = indent_ + column + 1;
  } else if (line == 0) {
    problem.place.column = start_.column + column;
  }
  return problem;
}

} // namespace ebb::sql
