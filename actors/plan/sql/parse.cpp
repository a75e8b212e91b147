#include "actors/plan/sql/parse.hpp"

#include "actors/plan/printable.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <pg_query.h>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb::sql {

namespace {

struct free_parse_result {
  void operator()(PgQueryParseResult* x) const {
    pg_query_free_parse_result(*x);
  }
};

// Offset of the first byte that is not UTF-8, or npos.
std::size_t invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = byte(i);
    if (lead < 0x80U) {
      ++i;
    } else if (lead >= 0xC2U && lead <= 0xDFU && tail(i + 1)) {
      i += 2;
    } else if ((lead & 0xF0U) == 0xE0U && tail(i + 1) && tail(i + 2)
               && !(lead == 0xE0U && byte(i + 1) < 0xA0U)
               && !(lead == 0xEDU && byte(i + 1) > 0x9FU)) {
      i += 3;
    } else if (lead >= 0xF0U && lead <= 0xF4U && tail(i + 1) && tail(i + 2) && tail(i + 3)
               && !(lead == 0xF0U && byte(i + 1) < 0x90U)
               && !(lead == 0xF4U && byte(i + 1) > 0x8FU)) {
      i += 4;
    } else {
      return i;
    }
  }
  return std::string_view::npos;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
         || static_cast<unsigned char>(c) >= 0x80;
}

// Index after the quoted text, comment or dollar quote that begins at `i`, or `i` if none does.
// `escapes`: the text is an E'' string.
std::size_t skip_opaque(std::string_view text, std::size_t i, bool escapes) {
  const auto rest = text.substr(i);
  if (rest.starts_with("--")) {
    const auto end = text.find('\n', i);
    return end == std::string_view::npos ? text.size() : end;
  }
  if (rest.starts_with("/*")) {
    std::size_t open = 1;
    i += 2;
    while (i < text.size() && open > 0) {
      const auto here = text.substr(i, 2);
      if (here == "/*" || here == "*/") {
        open += here == "/*" ? 1 : std::size_t(-1);
        i += 2;
      } else {
        ++i;
      }
    }
    return i;
  }
  if (rest.front() == '\'' || rest.front() == '"') {
    const char quote = rest.front();
    for (++i; i < text.size() && text[i] != quote; ++i)
      if (escapes && text[i] == '\\')
        ++i;
    return std::min(i + 1, text.size());
  }
  if (rest.front() == '$') {
    std::size_t end = 1;
    while (end < rest.size() && is_word(rest[end]))
      ++end;
    const bool digit_first = end > 1 && rest[1] >= '0' && rest[1] <= '9';
    if (end < rest.size() && rest[end] == '$' && !digit_first) {
      const auto tag = rest.substr(0, end + 1);
      const auto close = text.find(tag, i + tag.size());
      return close == std::string_view::npos ? text.size() : close + tag.size();
    }
  }
  return i;
}

// In any case.
bool is_keyword(std::string_view word, std::string_view lower) {
  return word.size() == lower.size()
         && std::equal(word.begin(), word.end(), lower.begin(),
                       [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// An upper bound of the parse tree's depth: tokens of one item, summed over the open brackets.
// Chains of binary operators are as deep as they are long; lists and chains of AND and OR are not.
class depth_counter {
public:
  void word(std::string_view word) {
    const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
      return std::any_of(words.begin(), words.end(),
                         [&](auto lower) { return is_keyword(word, lower); });
    };
    if (is_one_of({"and", "or", "when", "then", "else"}))
      next_item();
    else if (is_one_of({"case"}))
      open();
    else if (is_one_of({"end"}))
      close();
    else if (is_one_of({"union", "intersect", "except", "join", "between"}))
      ++level_.chained; // as deep as there are of them, whatever is between
    token();
  }

  void token() {
    ++level_.item;
    deepest_ = std::max(deepest_, below_ + level_.chained + level_.item);
  }

  void next_item() {
    level_.item = 0;
  }

  void open() {
    token();
    outer_.push_back(level_);
    below_ += level_.chained + level_.item;
    level_ = {};
  }

  void close() {
    if (!outer_.empty()) {
      level_ = outer_.back();
      outer_.pop_back();
      below_ -= level_.chained + level_.item;
    }
    token();
  }

  [[nodiscard]] std::size_t deepest() const noexcept {
    return deepest_;
  }

private:
  struct level {
    std::size_t chained = 0;
    std::size_t item = 0;
  };

  std::vector<level> outer_;
  level level_;
  std::size_t below_ = 0; // of the outer levels
  std::size_t deepest_ = 0;
};

std::size_t depth_bound(std::string_view text) {
  depth_counter depth;
  bool after_e = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool escapes = after_e;
    after_e = false;
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++i;
    } else if (const auto after = skip_opaque(text, i, escapes); after != i) {
      depth.token();
      i = after;
    } else if (is_word(c)) {
      const auto begin = i;
      while (i < text.size() && (is_word(text[i]) || text[i] == '$'))
        ++i;
      after_e = i == begin + 1 && (c == 'e' || c == 'E');
      depth.word(text.substr(begin, i - begin));
    } else {
      ++i;
      if (c == '(' || c == '[')
        depth.open();
      else if (c == ')' || c == ']')
        depth.close();
      else if (c == ',')
        depth.next_item();
      else
        depth.token();
      if (text.substr(i - 1, 2) == "||")
        ++i;
    }
  }
  return depth.deepest();
}

// The first E'' string whose escapes make a byte beyond ASCII, -1 if none does: PostgreSQL gives no
// place for bytes that are no UTF-8.
std::int32_t escaped_bytes_at(std::string_view text) {
  const auto is_high = [](std::string_view token) {
    for (std::size_t i = 0; i + 2 < token.size(); ++i) {
      if (token[i] != '\\')
        continue;
      const char kind = token[++i];
      const char digit = token[i + 1];
      if ((kind == 'x' && ((digit >= '8' && digit <= '9') || (digit >= 'A' && digit <= 'F')
                           || (digit >= 'a' && digit <= 'f')))
          || (kind >= '2' && kind <= '3'))
        return true;
    }
    return false;
  };
  for (std::size_t i = 0; i < text.size();) {
    if (is_word(text[i])) {
      const auto begin = i;
      while (i < text.size() && is_word(text[i]))
        ++i;
      const bool escapes = i == begin + 1 && (text[begin] == 'e' || text[begin] == 'E')
                           && i < text.size() && text[i] == '\'';
      if (!escapes)
        continue;
      const auto after = skip_opaque(text, i, true);
      if (is_high(text.substr(i, after - i)))
        return static_cast<std::int32_t>(begin);
      i = after;
    } else {
      const auto after = skip_opaque(text, i, false);
      i = after == i ? i + 1 : after;
    }
  }
  return -1;
}

// The number behind a minus sign at `at`, negated; 0 if there is none.
std::int32_t negative_at(std::string_view sql, std::size_t at) {
  if (at >= sql.size() || sql[at] != '-')
    return 0;
  for (++at; at < sql.size();) {
    const char c = sql[at];
    if (const auto after = skip_opaque(sql, at, false); after != at)
      at = after;
    else if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v')
      ++at;
    else
      break;
  }
  std::int32_t value = 0;
  const auto [end, problem] = std::from_chars(sql.data() + at, sql.data() + sql.size(), value);
  return problem == std::errc{} ? -value : 0;
}

// libpg_query folds the sign into an integer constant and then leaves every value that is not
// positive out of its JSON, so that -7 looks like 0: such values are read again from the text.
// Without recursion: a chain of operators is as deep as it is long.
void restore_negative_constants(ast& statement, std::string_view sql) {
  std::vector<ast*> rest{&statement};
  while (!rest.empty()) {
    auto& node = *rest.back();
    rest.pop_back();
    const auto constant = node.is_object() ? node.find("A_Const") : node.end();
    if (constant == node.end()) {
      for (auto& below : node)
        if (below.is_structured())
          rest.push_back(&below);
      continue;
    }
    const auto value = constant->find("ival");
    if (value != constant->end() && !value->contains("ival"))
      if (const auto restored =
              negative_at(sql, static_cast<std::size_t>(std::max(0, place_of(*constant))));
          restored != 0)
        (*value)["ival"] = restored;
  }
}

/// `tumble(TABLE orders, DESCRIPTOR(at), …)` or `TABLE(tumble(TABLE …))`, with the word TABLE at
/// `start`.
bool is_flink_window(std::string_view sql, std::size_t start) {
  constexpr std::string_view word = "table";
  const auto found = sql.substr(std::min(start, sql.size()), word.size());
  const bool same = std::equal(found.begin(), found.end(), word.begin(), word.end(),
                               [](char a, char b) { return (a | 0x20) == b; });
  if (!same)
    return false;
  const auto before = sql.substr(0, start).find_last_not_of(" \t\r\n");
  const auto behind = sql.find_first_not_of(" \t\r\n", start + word.size());
  return (before != std::string_view::npos && sql[before] == '(')
         || (behind != std::string_view::npos && sql[behind] == '(');
}

} // namespace

result<ast> parse_statement(const sql_text& text) {
  const auto& sql = text.parsed();
  if (text.written().size() > max_sql_bytes)
    return text.fail(ec::invalid_argument, -1, "SQL text is longer than 1 MiB",
                     "split the query into several operators");
  if (const auto nul = sql.find('\0'); nul != std::string::npos)
    return text.fail(ec::invalid_argument, static_cast<std::int32_t>(nul),
                     "SQL text contains a NUL byte", "remove the byte");
  if (const auto bad = invalid_utf8(sql); bad != std::string::npos)
    return text.fail(ec::invalid_argument, static_cast<std::int32_t>(bad),
                     "invalid byte sequence for encoding \"UTF8\"", "write the query in UTF-8");
  const auto too_deep = [&] {
    return text.fail(ec::invalid_argument, -1,
                     "stack depth limit exceeded: the query is nested too deeply",
                     "at most 64 subqueries and 400 calls may lie within each other and 4,000 "
                     "operators follow each other (AND and OR do not count); split the query into "
                     "several operators");
  };
  if (depth_bound(sql) > max_parse_depth)
    return too_deep();
  auto parsed = pg_query_parse(sql.c_str());
  const std::unique_ptr<PgQueryParseResult, free_parse_result> guard{&parsed};
  if (parsed.error != nullptr) {
    // It may quote a part of a character.
    const auto message =
        printable(parsed.error->message == nullptr ? "syntax error" : parsed.error->message);
    // The parser's own limit, of symbols whose rule is not complete.
    if (message.starts_with("memory exhausted"))
      return too_deep();
    const bool bytes = message.starts_with("invalid byte sequence");
    const auto at = parsed.error->cursorpos > 0
                        ? text.offset_of_character(parsed.error->cursorpos)
                        : bytes ? escaped_bytes_at(sql) : -1;
    std::string hint;
    if (bytes)
      hint = "the escapes of one character are its bytes in UTF-8: E'\\xc3\\xa9', or its number: "
             "E'\\u00e9'";
    if (message.starts_with("subquery in FROM must have an alias"))
      hint = "for example, FROM (SELECT ...) AS foo";
    // PostgreSQL takes a backtick for an operator, so it stumbles later.
    if (sql.find('`') != std::string::npos)
      hint = "quote names with double quotes: \"name\"";
    else if (is_flink_window(sql, at < 0 ? sql.size() : static_cast<std::size_t>(at)))
      hint = "name the relation and the column alone: FROM tumble(orders, at, INTERVAL '1 minute')";
    return text.fail(ec::invalid_argument, at, message, hint);
  }
  auto tree = ast::parse(parsed.parse_tree, nullptr, false);
  if (tree.is_discarded())
    return text.fail(ec::invalid_argument, -1, "the query cannot be read");
  const auto& statements = list(tree, "stmts");
  if (statements.empty())
    return text.fail(ec::invalid_argument, -1, "the query is empty", "write one SELECT");
  if (statements.size() > 1)
    return text.fail(ec::invalid_argument,
                     static_cast<std::int32_t>(number(statements[1], "stmt_location")),
                     "more than one statement", "write exactly one SELECT; remove the semicolon");
  // Moved, since copying one recurses as deep as the query.
  ast statement = std::move(tree["stmts"][0]["stmt"]);
  restore_negative_constants(statement, sql);
  return statement;
}

} // namespace ebb::sql
