#include "actors/dataflow/array_input.hpp"
#include "actors/dataflow/functions/utf8.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/value_text.hpp"
#include "schemas/assert.hpp"
#include "schemas/hex_digit.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

namespace ebb {

namespace {

bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

error invalid_syntax(const char* type, std::string_view text) {
  return make_error(ec::evaluation, std::string("invalid input syntax for type ") + type + ": \""
                                        + std::string(text) + '"');
}

error out_of_range(const char* type, std::string_view text) {
  return make_error(ec::evaluation,
                    "value \"" + std::string(text) + "\" is out of range for type " + type);
}

/// Digits that cannot overflow 64 bits are read without a check; the rest goes through from_chars.
template <class T>
result<void> parse_integer(std::string_view text, T& out, const char* type) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end && is_space(*p))
    ++p;
  bool negative = false;
  if (p != end && (*p == '-' || *p == '+'))
    negative = *p++ == '-';
  const char* const digits = p;
  std::uint64_t value = 0;
  while (p != end && static_cast<unsigned char>(*p - '0') <= 9) {
    const auto digit = static_cast<std::uint64_t>(*p - '0');
    if (p - digits >= 18
        && (value > std::numeric_limits<std::uint64_t>::max() / 10
            || value * 10 > std::numeric_limits<std::uint64_t>::max() - digit))
      return out_of_range(type, text);
    value = value * 10 + digit;
    ++p;
  }
  if (p == digits)
    return invalid_syntax(type, text);
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  if (value > limit + (negative ? 1U : 0U))
    return out_of_range(type, text);
  while (p != end && is_space(*p))
    ++p;
  if (p != end)
    return invalid_syntax(type, text);
  out = static_cast<T>(negative ? std::uint64_t{0} - value : value);
  return {};
}

/// Everything strtod takes and from_chars does not: hexadecimal floats, and telling underflow from
/// overflow.
template <class T>
result<void> parse_floating_slow(std::string_view text, T& out, const char* type) {
  const std::string copy(trimmed(text));
  char* end = nullptr;
  errno = 0;
  T value = 0;
  if constexpr (std::is_same_v<T, float>)
    value = std::strtof(copy.c_str(), &end);
  else
    value = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str())
    return invalid_syntax(type, text);
  if (errno == ERANGE && (value == 0 || std::isinf(value)))
    return make_error(
        ec::evaluation,
        '"'
            + (std::is_same_v<T, float>
                   ? std::string(text)
                   : std::string(copy.c_str(), static_cast<std::size_t>(end - copy.c_str())))
            + "\" is out of range for type " + type);
  if (end != copy.c_str() + copy.size())
    return invalid_syntax(type, text);
  out = value;
  return {};
}

template <class T>
result<void> parse_floating(std::string_view text, T& out, const char* type) {
  auto body = trimmed(text);
  if (body.size() > 1 && body[0] == '+' && body[1] != '-' && body[1] != '+')
    body.remove_prefix(1);
  T value = 0;
  const auto parsed = std::from_chars(body.data(), body.data() + body.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != body.data() + body.size())
    return parse_floating_slow(text, out, type);
  out = value;
  return {};
}

result<void> parse_hex(std::string_view text, std::string& out) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
      ++i;
      continue;
    }
    const auto digit = [&](std::size_t at) -> result<int> {
      const int value = hex_digit(text[at]);
      if (value < 0)
        return make_error(ec::evaluation, "invalid hexadecimal digit: \""
                                              + std::string(text.substr(at, utf8::width(text[at])))
                                              + '"');
      return value;
    };
    EBB_ASSIGN(const int high, digit(i));
    if (i + 1 >= text.size())
      return make_error(ec::evaluation, "invalid hexadecimal data: odd number of digits");
    EBB_ASSIGN(const int low, digit(i + 1));
    out += static_cast<char>(static_cast<unsigned char>(high * 16 + low));
    i += 2;
  }
  return {};
}

} // namespace

result<void> parse_bigint(std::string_view text, std::int64_t& out) {
  return parse_integer(text, out, "bigint");
}

result<void> parse_double(std::string_view text, double& out) {
  return parse_floating(text, out, "double precision");
}

result<void> parse_boolean(std::string_view text, bool& out) {
  const auto body = trimmed(text);
  char lower[5] = {};
  if (!body.empty() && body.size() <= sizeof lower) {
    for (std::size_t i = 0; i < body.size(); ++i)
      lower[i] = body[i] >= 'A' && body[i] <= 'Z' ? static_cast<char>(body[i] | 0x20) : body[i];
    const std::string_view word(lower, body.size());
    const auto starts = [&](std::string_view full) { return full.starts_with(word); };
    if (word == "1" || starts("true") || starts("yes") || word == "on") {
      out = true;
      return {};
    }
    if (word == "0" || starts("false") || starts("no") || (word.size() > 1 && starts("off"))) {
      out = false;
      return {};
    }
  }
  return invalid_syntax("boolean", text);
}

result<void> parse_bytea(std::string_view text, std::string& out) {
  out.clear();
  if (text.starts_with("\\x"))
    return parse_hex(text.substr(2), out);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const auto rest = text.substr(i + 1);
    const auto octal = [&](std::size_t k, char most) { return rest[k] >= '0' && rest[k] <= most; };
    if (rest.size() >= 3 && octal(0, '3') && octal(1, '7') && octal(2, '7')) {
      const int value = (rest[0] - '0') * 64 + (rest[1] - '0') * 8 + (rest[2] - '0');
      out += static_cast<char>(static_cast<unsigned char>(value));
      i += 3;
    } else if (!rest.empty() && rest[0] == '\\') {
      out += '\\';
      i += 1;
    } else {
      return make_error(ec::evaluation, "invalid input syntax for type bytea");
    }
  }
  return {};
}

result<void> parse_value_text(std::string_view text, column& x, std::uint32_t i) {
  switch (x.type.kind) {
  case type_kind::boolean: {
    bool value = false;
    EBB_TRY(parse_boolean(text, value));
    x.mutable_data<std::uint8_t>()[i] = value ? 1 : 0;
    return {};
  }
  case type_kind::smallint:
    return parse_integer(text, x.mutable_data<std::int16_t>()[i], "smallint");
  case type_kind::integer:
    return parse_integer(text, x.mutable_data<std::int32_t>()[i], "integer");
  case type_kind::bigint:
    return parse_integer(text, x.mutable_data<std::int64_t>()[i], "bigint");
  case type_kind::real:
    return parse_floating(text, x.mutable_data<float>()[i], "real");
  case type_kind::double_precision:
    return parse_floating(text, x.mutable_data<double>()[i], "double precision");
  case type_kind::numeric:
    return parse_numeric(text, x, i);
  case type_kind::date: {
    EBB_ASSIGN(x.mutable_data<std::int32_t>()[i], parse_date(text));
    return {};
  }
  case type_kind::timestamp: {
    EBB_ASSIGN(x.mutable_data<micros>()[i], parse_timestamp(text, false));
    return {};
  }
  case type_kind::timestamptz: {
    EBB_ASSIGN(x.mutable_data<micros>()[i], parse_timestamp(text, true));
    return {};
  }
  case type_kind::interval: {
    EBB_ASSIGN(x.mutable_data<interval_value>()[i], parse_interval(text));
    return {};
  }
  case type_kind::unknown:
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::array:
  case type_kind::jsonb:
    break;
  }
  EBB_UNREACHABLE("a value that needs a builder");
}

result<column> parse_literal(std::string_view text, const sql_type& type) {
  std::optional<column> value;
  switch (type.kind) {
  case type_kind::unknown:
  case type_kind::text: {
    text_builder builder(type, 1);
    builder.append(type.length == 0
                       ? text
                       : text.substr(0, utf8::prefix(text, static_cast<std::size_t>(type.length))));
    value = builder.take();
    break;
  }
  case type_kind::bytea: {
    std::string bytes;
    EBB_TRY(parse_bytea(text, bytes));
    text_builder builder(type, 1);
    builder.append(bytes);
    value = builder.take();
    break;
  }
  case type_kind::jsonb: {
    std::string canonical;
    EBB_TRY(jsonb::append_canonical(text, canonical));
    text_builder builder(type, 1);
    builder.append(canonical);
    value = builder.take();
    break;
  }
  case type_kind::array: {
    EBB_ASSIGN(value, parse_array(text, type));
    break;
  }
  default: {
    value = type.kind == type_kind::numeric ? make_numeric_column(type, 1) : make_column(type, 1);
    EBB_TRY(parse_value_text(text, *value, 0));
    break;
  }
  }
  value->constant = true;
  return std::move(*value);
}

} // namespace ebb
