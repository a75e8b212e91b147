/// The values of json_reader: which JSON a column takes.
#include "actors/connectors/json_reader.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

bool is_digit(char c) noexcept {
  return static_cast<unsigned char>(c - '0') < 10;
}

// JSON allows no zero before another digit.
bool has_leading_zero(const char* p) noexcept {
  p += *p == '-';
  return *p == '0' && is_digit(p[1]);
}

// Whether a number goes on with what an integer has not.
bool is_number_part(char c) noexcept {
  return c == '.' || c == 'e' || c == 'E' || is_digit(c);
}

} // namespace

const char* json_reader::misfit(row_builder& rows, row_slot& x, const char* p, const char* found) {
  // A value of broken grammar is broken JSON rather than a value of the wrong type.
  if (json::skip_value(p, high_, complaint_) != nullptr)
    rows.fail(x, "expected " + to_string(x.definition.type) + ", found " + found);
  return nullptr;
}

const char* json_reader::store_string(row_builder& rows, row_slot& x, const char* p) {
  json::raw_string raw;
  const char* end = json::read_string(p, raw, high_, complaint_);
  if (end == nullptr)
    return nullptr;
  std::string_view text(raw.begin, raw.size());
  if (raw.escaped) {
    char* copy = rows.scratch(raw.size());
    std::size_t size = 0;
    json::complaint no_text;
    if (json::unescape(raw, copy, size, no_text) == nullptr) {
      rows.fail(x, std::move(no_text.message));
      return nullptr;
    }
    text = {copy, size};
  }
  return rows.store_json_string(x, text) ? end : nullptr;
}

const char* json_reader::read_array(row_builder& rows, row_slot& x, const char* p) {
  if (x.kind != type_kind::array)
    return misfit(rows, x, p, "an array");
  const char* end = json::skip_value(p, high_, complaint_);
  if (end == nullptr)
    return nullptr;
  const auto element = x.definition.type.element_type();
  // There are at most as many elements as commas and one.
  const auto capacity = static_cast<std::uint32_t>(1 + std::count(p, end, ','));
  row_builder elements({field{x.definition.name, element, false}}, options_.unit, capacity);
  p = json::skip_space(p + 1);
  while (*p != ']') {
    p = read_value(elements, elements.slot(0), p);
    if (p == nullptr) {
      auto problem = elements.take_problem();
      if (!problem.message.empty())
        rows.fail(x, std::move(problem.message));
      return nullptr;
    }
    elements.commit(elements.rows() + 1);
    p = json::skip_space(p);
    if (*p == ',')
      p = json::skip_space(p + 1);
  }
  if (elements.rows() == 0) {
    rows.store_array(x, make_column(element, 0));
  } else {
    auto made = elements.take(nullptr);
    rows.store_array(x, std::move(made->columns[0]));
  }
  return p + 1;
}

const char* json_reader::read_other(row_builder& rows, row_slot& x, const char* p) {
  if (x.kind == type_kind::jsonb && *p != 'n') {
    const char* end = json::skip_value(p, high_, complaint_);
    return end != nullptr && rows.store_json(x, {p, static_cast<std::size_t>(end - p)}) ? end
                                                                                         : nullptr;
  }
  switch (*p) {
  case '"':
    return store_string(rows, x, p);
  case '{':
    return misfit(rows, x, p, "an object");
  case '[':
    return read_array(rows, x, p);
  case 't':
    if (std::memcmp(p, "true", 4) == 0)
      return rows.store_boolean(x, true) ? p + 4 : nullptr;
    break;
  case 'f':
    if (std::memcmp(p, "false", 5) == 0)
      return rows.store_boolean(x, false) ? p + 5 : nullptr;
    break;
  case 'n':
    if (std::memcmp(p, "null", 4) == 0)
      return rows.store_null(x) ? p + 4 : nullptr;
    break;
  default:
    if (const char* end = json::number_end(p); end != nullptr)
      return rows.store_json_number(x, {p, static_cast<std::size_t>(end - p)}) ? end : nullptr;
  }
  return json::complain(complaint_, p, "a value");
}

// The common forms at once; all else goes to read_other.
const char* json_reader::read_value(row_builder& rows, row_slot& x, const char* p) {
  switch (x.kind) {
  case type_kind::text:
    if (*p == '"' && x.definition.type.length == 0) {
      const char* end = scan::find_string_end(p + 1, high_);
      if (*end == '"') {
        x.store(rows.rows(), text_ref{p + 1, static_cast<std::uint32_t>(end - p - 1)});
        return end + 1;
      }
    }
    break;
  case type_kind::bigint: {
    std::int64_t value = 0;
    const char* end = fast::read_int(p, value);
    if (end != nullptr && !is_number_part(*end) && !has_leading_zero(p)) {
      x.store(rows.rows(), value);
      return end;
    }
    break;
  }
  case type_kind::double_precision: {
    double value = 0;
    const char* end = fast::read_double(p, value);
    if (end != nullptr && !is_number_part(*end) && !has_leading_zero(p)) {
      x.store(rows.rows(), value);
      return end;
    }
    break;
  }
  case type_kind::timestamp:
  case type_kind::timestamptz: {
    micros time = 0;
    if (*p == '"') {
      const char* end = fast::read_timestamp(p + 1, x.dates, time);
      if (end != nullptr && *end == '"') {
        x.store(rows.rows(), time);
        return end + 1;
      }
    } else {
      std::int64_t value = 0;
      const char* end = fast::read_int(p, value);
      if (end != nullptr && !is_number_part(*end) && !has_leading_zero(p)
          && rows.to_time(value, time)) {
        x.store(rows.rows(), time);
        return end;
      }
    }
    break;
  }
  default:
    break;
  }
  return read_other(rows, x, p);
}

} // namespace ebb
