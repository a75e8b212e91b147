// Walks over canonical text, which is well formed. Damaged text gives some answer within its bytes.

#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"

#include <algorithm>

namespace ebb::jsonb {

namespace {

// Place behind the string whose opening quote is at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"')
      return at + 1;
    if (text[at] == '\\')
      ++at;
  }
  return text.size();
}

std::size_t end_of_value(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size())
    return text.size();
  if (text[at] == '"')
    return end_of_string(text, at);
  if (text[at] != '{' && text[at] != '[') {
    const auto end = text.find_first_of(",]}", at);
    return end == std::string_view::npos ? text.size() : end;
  }
  std::uint32_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[')
      ++depth;
    else if ((c == '}' || c == ']') && --depth == 0)
      return at;
  }
  return text.size();
}

std::string_view inside(std::string_view text) noexcept {
  return text.size() < 2 ? std::string_view{} : text.substr(1, text.size() - 2);
}

template <class T>
int three_way(const T& a, const T& b) noexcept {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_strings(std::string_view raw_a, std::string_view raw_b) {
  if (raw_a == raw_b)
    return 0;
  std::string a;
  std::string b;
  append_unescaped(raw_a, a);
  append_unescaped(raw_b, b);
  return three_way(a.compare(b), 0);
}

int compare_numbers(std::string_view a, std::string_view b) {
  if (a == b)
    return 0;
  auto x = make_numeric_column(sql_type{type_kind::numeric}, 1);
  auto y = make_numeric_column(sql_type{type_kind::numeric}, 1);
  if (!parse_numeric(a, x, 0) || !parse_numeric(b, y, 0))
    return three_way(a.compare(b), 0);
  return three_way(compare_numeric(x, 0, y, 0), 0);
}

int compare_nested(std::string_view a, std::string_view b);

// First the number of items, then one after the other: keys and values in turn.
int compare_items(std::string_view a, std::string_view b) {
  if (const int sizes = three_way(count(a), count(b)); sizes != 0)
    return sizes;
  items x(a);
  items y(b);
  while (x.next() && y.next()) {
    if (const int keys = compare_strings(x.raw_key(), y.raw_key()); keys != 0)
      return keys;
    if (const int values = compare_nested(x.value(), y.value()); values != 0)
      return values;
  }
  return 0;
}

int compare_nested(std::string_view a, std::string_view b) {
  if (a == b)
    return 0;
  const auto type = type_of(a);
  if (const int types = three_way(type, type_of(b)); types != 0)
    return types;
  switch (type) {
  case value_type::string:
    return compare_strings(inside(a), inside(b));
  case value_type::number:
    return compare_numbers(a, b);
  case value_type::boolean:
    return three_way(a == "true", b == "true");
  case value_type::array:
  case value_type::object:
    return compare_items(a, b);
  case value_type::null:
    break;
  }
  return 0;
}

bool is_scalar(value_type type) noexcept {
  return type != value_type::array && type != value_type::object;
}

bool contains_nested(std::string_view whole, std::string_view part) {
  const auto type = type_of(part);
  if (type_of(whole) != type)
    return false;
  if (is_scalar(type))
    return compare_nested(whole, part) == 0;
  items wanted(part);
  while (wanted.next()) {
    if (type == value_type::object) {
      const auto found = member(whole, wanted.raw_key());
      if (!found || !contains_nested(*found, wanted.value()))
        return false;
      continue;
    }
    bool any = false;
    items there(whole);
    while (!any && there.next())
      any = contains_nested(there.value(), wanted.value());
    if (!any)
      return false;
  }
  return true;
}

} // namespace

items::items(std::string_view container) noexcept {
  const auto type = type_of(container);
  object_ = type == value_type::object;
  if (object_ || type == value_type::array)
    left_ = inside(container);
}

bool items::next() noexcept {
  if (left_.empty())
    return false;
  std::size_t at = 0;
  if (object_) {
    const auto end = end_of_string(left_, 0);
    key_ = inside(left_.substr(0, end));
    at = std::min(end + 2, left_.size()); // behind ": "
  }
  const auto end = end_of_value(left_, at);
  value_ = left_.substr(at, end - at);
  left_.remove_prefix(std::min(end + 2, left_.size())); // behind ", "
  return true;
}

value_type type_of(std::string_view value) noexcept {
  switch (value.empty() ? 'n' : value.front()) {
  case '{':
    return value_type::object;
  case '[':
    return value_type::array;
  case '"':
    return value_type::string;
  case 't':
  case 'f':
    return value_type::boolean;
  case 'n':
    return value_type::null;
  default:
    return value_type::number;
  }
}

bool append_text(std::string_view value, std::string& out) {
  const auto type = type_of(value);
  if (type == value_type::null)
    return false;
  if (type == value_type::string)
    append_unescaped(inside(value), out);
  else
    out += value;
  return true;
}

std::uint32_t count(std::string_view container) noexcept {
  std::uint32_t result = 0;
  for (items x(container); x.next();)
    ++result;
  return result;
}

std::optional<std::string_view> member(std::string_view object, std::string_view raw_key) noexcept {
  if (type_of(object) != value_type::object)
    return std::nullopt;
  for (items x(object); x.next();)
    if (x.raw_key() == raw_key)
      return x.value();
  return std::nullopt;
}

std::optional<std::string_view> element(std::string_view array, std::int64_t index) noexcept {
  if (type_of(array) != value_type::array)
    return std::nullopt;
  if (index < 0)
    index += count(array);
  if (index < 0)
    return std::nullopt;
  for (items x(array); x.next(); --index)
    if (index == 0)
      return x.value();
  return std::nullopt;
}

void append_normal(std::string_view canonical, std::string& out) {
  while (!canonical.empty()) {
    const auto stop = canonical.find_first_of("\".");
    if (stop == std::string_view::npos) {
      out += canonical;
      return;
    }
    if (canonical[stop] == '"') {
      const auto end = end_of_string(canonical, stop);
      out += canonical.substr(0, end);
      canonical.remove_prefix(end);
      continue;
    }
    auto end = stop + 1;
    auto last = stop; // behind what is kept
    for (; end < canonical.size() && canonical[end] >= '0' && canonical[end] <= '9'; ++end)
      if (canonical[end] != '0')
        last = end + 1;
    out += canonical.substr(0, last);
    canonical.remove_prefix(end);
  }
}

// A scalar counts as an array of one; an array comes behind a scalar.
int compare(std::string_view a, std::string_view b) {
  if (a == b)
    return 0;
  const auto a_type = type_of(a);
  const auto b_type = type_of(b);
  const bool a_object = a_type == value_type::object;
  if (a_object != (b_type == value_type::object))
    return a_object ? 1 : -1;
  if (a_object || (a_type == value_type::array && b_type == value_type::array))
    return compare_items(a, b);
  const auto a_count = is_scalar(a_type) ? 1 : count(a);
  const auto b_count = is_scalar(b_type) ? 1 : count(b);
  if (a_count != b_count)
    return a_count < b_count ? -1 : 1;
  if (is_scalar(a_type) != is_scalar(b_type))
    return is_scalar(a_type) ? -1 : 1;
  return compare_nested(a, b);
}

// A scalar is also contained in an array that has it.
bool contains(std::string_view whole, std::string_view part) {
  if (type_of(whole) != value_type::array || !is_scalar(type_of(part)))
    return contains_nested(whole, part);
  for (items x(whole); x.next();)
    if (is_scalar(type_of(x.value())) && compare_nested(x.value(), part) == 0)
      return true;
  return false;
}

} // namespace ebb::jsonb
