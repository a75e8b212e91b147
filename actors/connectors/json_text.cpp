#include "actors/connectors/json_text.hpp"

#include "actors/connectors/file_rows.hpp"
#include "actors/dataflow/json_escapes.hpp"
#include "schemas/hex_digit.hpp"

#include <cstdint>
#include <cstring>

namespace ebb::json {

namespace {

bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') < 10;
}

// The value of four hexadecimal digits, or -1.
std::int32_t hex4(const char* p) noexcept {
  std::int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const auto digit = hex_digit(p[i]);
    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

const char* skip_members(const char* p, bool& high, complaint& problem, int depth) {
  p = skip_space(p + 1);
  if (*p == '}')
    return p + 1;
  for (;;) {
    if (*p != '"')
      return complain(problem, p, "the name of a field");
    raw_string name;
    p = read_string(p, name, high, problem);
    if (p == nullptr)
      return nullptr;
    p = skip_space(p);
    if (*p != ':')
      return complain(problem, p, "a colon");
    p = skip_value(skip_space(p + 1), high, problem, depth + 1);
    if (p == nullptr)
      return nullptr;
    p = skip_space(p);
    if (*p == '}')
      return p + 1;
    if (*p != ',')
      return complain(problem, p, "a comma or a closing brace");
    p = skip_space(p + 1);
  }
}

const char* skip_elements(const char* p, bool& high, complaint& problem, int depth) {
  p = skip_space(p + 1);
  if (*p == ']')
    return p + 1;
  for (;;) {
    p = skip_value(p, high, problem, depth + 1);
    if (p == nullptr)
      return nullptr;
    p = skip_space(p);
    if (*p == ']')
      return p + 1;
    if (*p != ',')
      return complain(problem, p, "a comma or a closing bracket");
    p = skip_space(p + 1);
  }
}

} // namespace

const char* complain(complaint& problem, const char* at, const char* expected) {
  problem.at = at;
  problem.message = std::string("invalid JSON: expected ") + expected + ", found ";
  std::size_t size = 0;
  while (size < 20 && at[size] != '\n')
    ++size;
  while (size > 0 && at[size - 1] == '\r')
    --size;
  problem.message += size == 0 ? "the end of the line" : shown({at, size});
  return nullptr;
}

const char* number_end(const char* p) noexcept {
  p += *p == '-';
  if (*p == '0') {
    ++p;
  } else {
    if (!is_digit(*p))
      return nullptr;
    while (is_digit(*p))
      ++p;
  }
  if (*p == '.') {
    if (!is_digit(*++p))
      return nullptr;
    while (is_digit(*p))
      ++p;
  }
  if (*p == 'e' || *p == 'E') {
    ++p;
    p += *p == '+' || *p == '-';
    if (!is_digit(*p))
      return nullptr;
    while (is_digit(*p))
      ++p;
  }
  return p;
}

const char* read_string(const char* p, raw_string& out, bool& high, complaint& problem) {
  out.begin = ++p;
  out.escaped = false;
  for (;;) {
    p = scan::find_string_end(p, high);
    if (*p == '"') {
      out.end = p;
      return p + 1;
    }
    if (*p != '\\')
      return complain(problem, p, "a closing quote (control characters must be escaped)");
    out.escaped = true;
    if (p[1] == 'u') {
      if (hex4(p + 2) < 0)
        return complain(problem, p, "four hexadecimal digits after \\u");
      p += 6;
    } else if (simple_escape(p[1]) != '\0') {
      p += 2;
    } else {
      return complain(problem, p, "one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
    }
  }
}

const char* unescape(const raw_string& x, char* to, std::size_t& size,
                     complaint& problem) noexcept {
  char* out = to;
  for (const char* p = x.begin; p != x.end;) {
    if (*p != '\\') {
      const auto* next =
          static_cast<const char*>(std::memchr(p, '\\', static_cast<std::size_t>(x.end - p)));
      const auto plain = static_cast<std::size_t>((next == nullptr ? x.end : next) - p);
      std::memcpy(out, p, plain);
      out += plain;
      p += plain;
      continue;
    }
    if (p[1] != 'u') {
      *out++ = simple_escape(p[1]);
      p += 2;
      continue;
    }
    auto code = static_cast<std::uint32_t>(hex4(p + 2));
    const char* start = p;
    p += 6;
    if (code >= 0xD800 && code < 0xDC00 && p[0] == '\\' && p[1] == 'u') {
      const auto low = static_cast<std::uint32_t>(hex4(p + 2));
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
      }
    }
    if (code >= 0xD800 && code < 0xE000) {
      problem = {start, "half a surrogate pair in a string: " + shown({start, 6})};
      return nullptr;
    }
    if (code == 0) {
      problem = {start, "\\u0000 cannot be converted to text"};
      return nullptr;
    }
    out = put_utf8(out, code);
  }
  size = static_cast<std::size_t>(out - to);
  return x.end;
}

const char* skip_value(const char* p, bool& high, complaint& problem, int depth) {
  if (depth == depth_max)
    return complain(problem, p, "at most 512 levels of nesting");
  switch (*p) {
  case '"': {
    raw_string text;
    return read_string(p, text, high, problem);
  }
  case '{':
    return skip_members(p, high, problem, depth);
  case '[':
    return skip_elements(p, high, problem, depth);
  case 't':
    if (std::memcmp(p, "true", 4) == 0)
      return p + 4;
    break;
  case 'f':
    if (std::memcmp(p, "false", 5) == 0)
      return p + 5;
    break;
  case 'n':
    if (std::memcmp(p, "null", 4) == 0)
      return p + 4;
    break;
  default:
    if (const char* end = number_end(p); end != nullptr)
      return end;
  }
  return complain(problem, p, "a value");
}

} // namespace ebb::json
