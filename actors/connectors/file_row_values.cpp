/// How row_builder takes one value: from the text of a CSV field, or from a JSON string or number.
#include "actors/connectors/file_base64.hpp"
#include "actors/connectors/file_rows.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/value_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace ebb {

namespace {

// PostgreSQL's range of TIMESTAMP: 4713-11-24 BC up to, but not including, 294277-01-01.
constexpr micros time_first = -210866803200000000;
constexpr micros time_last = 9223371331199999999;

bool is_integer_text(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-')
    text.remove_prefix(1);
  return !text.empty()
         && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// NaN and the infinities, as ebb writes them into JSON strings.
bool is_special_number(std::string_view text) noexcept {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

bool is_float(type_kind kind) noexcept {
  return kind == type_kind::real || kind == type_kind::double_precision;
}

} // namespace

bool row_builder::to_time(std::int64_t value, micros& out) const noexcept {
  switch (unit_) {
  case timestamp_unit::s:
    if (__builtin_mul_overflow(value, micros_per_second, &out))
      return false;
    break;
  case timestamp_unit::ms:
    if (__builtin_mul_overflow(value, std::int64_t{1000}, &out))
      return false;
    break;
  case timestamp_unit::us:
    out = value;
    break;
  case timestamp_unit::ns:
    out = value / 1000 - (value % 1000 < 0 ? 1 : 0);
    break;
  }
  return out >= time_first && out <= time_last;
}

bool row_builder::store_integer(row_slot& x, std::int64_t value) {
  switch (x.kind) {
  case type_kind::bigint:
    x.store(rows_, value);
    return true;
  case type_kind::integer:
    if (value < INT32_MIN || value > INT32_MAX)
      return fail(x, "value \"" + std::to_string(value) + "\" is out of range for type integer");
    x.store(rows_, static_cast<std::int32_t>(value));
    return true;
  case type_kind::smallint:
    if (value < INT16_MIN || value > INT16_MAX)
      return fail(x, "value \"" + std::to_string(value) + "\" is out of range for type smallint");
    x.store(rows_, static_cast<std::int16_t>(value));
    return true;
  default:
    micros time = 0;
    if (!to_time(value, time))
      return fail(x, "timestamp out of range: \"" + std::to_string(value) + "\"");
    x.store(rows_, time);
    return true;
  }
}

bool row_builder::store_parsed(row_slot& x, std::string_view text) {
  auto done = parse_value_text(text, x.target, rows_);
  return done || fail(x, shown(done.error().message));
}

bool row_builder::store_time(row_slot& x, std::string_view text) {
  if (is_integer_text(text)) {
    std::int64_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc{})
      return fail(x, "timestamp out of range: \"" + shown(text) + "\"");
    return store_integer(x, value);
  }
  auto parsed = parse_timestamp(text, true);
  if (!parsed) {
    // The text was read as one with a zone; the message names the column's own type.
    if (auto plain = parse_timestamp(text, x.kind == type_kind::timestamptz); !plain)
      return fail(x, shown(plain.error().message));
    return fail(x, shown(parsed.error().message));
  }
  x.store(rows_, *parsed);
  return true;
}

bool row_builder::store_bytes(row_slot& x, std::string_view text) {
  if (text.substr(0, 2) == "\\x") {
    auto parsed = parse_literal(text, x.definition.type);
    if (!parsed)
      return fail(x, shown(parsed.error().message));
    const auto bytes = parsed->text_of(0);
    char* copy = scratch(bytes.size());
    std::memcpy(copy, bytes.data(), bytes.size());
    x.store(rows_, text_ref{copy, static_cast<std::uint32_t>(bytes.size())});
    return true;
  }
  char* bytes = scratch(base64_decoded_max(text.size()));
  const auto size = base64_decode(text, bytes);
  if (!size)
    return fail(x, "expected bytes in base64, found \"" + shown(text) + "\"");
  x.store(rows_, text_ref{bytes, static_cast<std::uint32_t>(*size)});
  return true;
}

bool row_builder::store_json(row_slot& x, std::string_view json) {
  std::string canonical;
  if (auto read = jsonb::append_canonical(json, canonical); !read) {
    const auto& problem = read.error();
    return fail(
        x, shown(problem.hint.empty() ? problem.message : problem.message + ": " + problem.hint));
  }
  char* copy = scratch(canonical.size());
  std::memcpy(copy, canonical.data(), canonical.size());
  x.store(rows_, text_ref{copy, static_cast<std::uint32_t>(canonical.size())});
  return true;
}

bool row_builder::store_varchar(row_slot& x, std::string_view text) {
  const auto limit = static_cast<std::size_t>(x.definition.type.length);
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80 || ++characters <= limit)
      continue;
    // Spaces beyond the limit are cut off, as PostgreSQL's input does.
    if (text.find_first_not_of(' ', i) != std::string_view::npos)
      return fail(x, "value too long for type " + to_string(x.definition.type));
    text = text.substr(0, i);
    break;
  }
  x.store(rows_, text_ref{text});
  return true;
}

bool row_builder::store_string(row_slot& x, std::string_view text) {
  if (x.definition.type.length > 0
      && text.size() > static_cast<std::size_t>(x.definition.type.length))
    return store_varchar(x, text);
  x.store(rows_, text_ref{text});
  return true;
}

bool row_builder::store_text(row_slot& x, const char* text, std::size_t size) {
  switch (x.kind) {
  case type_kind::text:
    return store_string(x, {text, size});
  case type_kind::bigint:
  case type_kind::integer:
  case type_kind::smallint: {
    std::int64_t value = 0;
    if (fast::read_int(text, value) == text + size)
      return store_integer(x, value);
    return store_parsed(x, {text, size});
  }
  case type_kind::timestamp:
  case type_kind::timestamptz: {
    micros time = 0;
    if (size >= 19 && fast::read_timestamp(text, x.dates, time) == text + size) {
      x.store(rows_, time);
      return true;
    }
    return store_time(x, {text, size});
  }
  case type_kind::double_precision: {
    double value = 0;
    if (fast::read_double(text, value) == text + size) {
      x.store(rows_, value);
      return true;
    }
    return store_parsed(x, {text, size});
  }
  case type_kind::numeric: {
    auto done = parse_numeric({text, size}, x.target, rows_);
    return done || fail(x, shown(done.error().message));
  }
  case type_kind::bytea:
    return store_bytes(x, {text, size});
  case type_kind::jsonb:
    return store_json(x, {text, size});
  case type_kind::array: {
    auto parsed = parse_literal({text, size}, x.definition.type);
    if (!parsed)
      return fail(x, shown(parsed.error().message));
    x.arrays.push_back(materialize(*std::move(parsed)));
    return true;
  }
  default:
    return store_parsed(x, {text, size});
  }
}

bool row_builder::store_json_string(row_slot& x, std::string_view text) {
  switch (x.kind) {
  case type_kind::text:
    return store_string(x, text);
  case type_kind::timestamp:
  case type_kind::timestamptz:
    // Integers in quotes are no times: only a JSON number has the stream's unit.
    if (!is_integer_text(text))
      return store_text(x, text.data(), text.size());
    break;
  case type_kind::date:
  case type_kind::interval:
    return store_parsed(x, text);
  case type_kind::bytea:
    return store_bytes(x, text);
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::numeric:
    if (is_special_number(text))
      return store_text(x, text.data(), text.size());
    break;
  default:
    break;
  }
  return fail(x, "expected " + to_string(x.definition.type) + ", found the string \"" + shown(text)
                     + "\"");
}

bool row_builder::store_json_number(row_slot& x, std::string_view token) {
  const bool integer = is_integer_text(token);
  switch (x.kind) {
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
    if (integer)
      return store_text(x, token.data(), token.size());
    break;
  case type_kind::timestamp:
  case type_kind::timestamptz:
    if (integer)
      return store_time(x, token);
    break;
  case type_kind::numeric:
    return store_text(x, token.data(), token.size());
  default:
    if (is_float(x.kind))
      return store_text(x, token.data(), token.size());
    break;
  }
  return fail(x, "expected " + to_string(x.definition.type) + ", found the number " + shown(token));
}

} // namespace ebb
