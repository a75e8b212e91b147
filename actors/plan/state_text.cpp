/// Layouts as text, and entries as people read them.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "actors/dataflow/value_text.hpp"
#include "actors/plan/split_text.hpp"
#include "actors/plan/state_layout.hpp"
#include "schemas/sized_text.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace ebb {

namespace {

constexpr char part_mark = '\x1f'; ///< between the fields of a part

/// As a BYTEA is shown, cut where it gets long.
std::string shown_bytes(std::string_view bytes) {
  constexpr std::size_t most = 64;
  std::string result;
  append_bytea(bytes.substr(0, most), result);
  return bytes.size() > most ? result + "…" : result;
}

/// A number of so many bytes from the front, high ones first.
std::optional<std::uint64_t> take_number(std::string_view& bytes, std::size_t count) {
  if (bytes.size() < count)
    return std::nullopt;
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(count);
  return number;
}

/// The flags of a windowed join's row (window_join_state.cpp).
std::optional<std::string> take_met(std::string_view& bytes) {
  const auto flags = take_number(bytes, 1);
  if (!flags)
    return std::nullopt;
  constexpr std::uint64_t partial = 8;
  std::string text;
  const auto say = [&](const std::string& what) { text += (text.empty() ? "" : " ") + what; };
  if (*flags == 0)
    say("waits");
  if ((*flags & 1) != 0)
    say("matched");
  if ((*flags & 2) != 0)
    say((*flags & 4) != 0 ? "begun by right" : "begun by left");
  if ((*flags & 16) != 0)
    say("passed");
  if ((*flags & partial) != 0) {
    const auto met = take_number(bytes, 8);
    if (!met)
      return std::nullopt;
    say("met " + std::to_string(*met));
  }
  return text;
}

/// Those that are no SQL value.
std::optional<std::string> take_plain(state_part::form as, std::string_view& bytes) {
  using form = state_part::form;
  if (as == form::met)
    return take_met(bytes);
  const auto number = take_number(bytes, as == form::number ? 8 : as == form::group ? 2 : 1);
  if (!number || ((as == form::flag || as == form::side) && *number > 1))
    return std::nullopt;
  if (as == form::flag)
    return *number == 1 ? "true" : "false";
  if (as == form::side)
    return *number == 1 ? "right" : "left";
  return std::to_string(*number);
}

/// Most values of a list that are shown.
constexpr std::size_t list_most = 20;

/// `[1, 2, 3]`, in order of the first.
std::string list_text(std::vector<std::pair<std::string, std::string>> values) {
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text = "[";
  for (std::size_t i = 0; i < values.size() && i < list_most; ++i)
    text += (i == 0 ? "" : ", ") + values[i].second;
  if (values.size() > list_most)
    text += ", … " + std::to_string(values.size()) + " values";
  return text + ']';
}

std::optional<std::string> take_exact(const sql_type& type, std::string_view& bytes) {
  value_builder one(type, 1);
  if (!one.append_encoded(bytes))
    return std::nullopt;
  const auto value = one.take();
  if (value.is_null(0))
    return std::string("NULL");
  std::string text;
  append_value_text(value, 0, text);
  return text;
}

/// The bytes of a stored BYTEA.
std::optional<std::string> take_bytes(std::string_view& bytes) {
  value_builder one(sql_type{type_kind::bytea}, 1);
  if (!one.append_encoded(bytes))
    return std::nullopt;
  const auto value = one.take();
  return value.is_null(0) ? std::string() : std::string(value.text_of(0));
}

std::optional<std::string> take_list(const state_part& part, std::string_view& bytes) {
  const auto stored = take_bytes(bytes);
  if (!stored)
    return std::nullopt;
  std::string_view rest = *stored;
  std::vector<std::pair<std::string, std::string>> values;
  while (!rest.empty()) {
    std::string_view order;
    auto from = rest;
    if (part.as == state_part::form::ordered) {
      const auto key = take_sized(rest);
      const auto value = key ? take_sized(rest) : std::nullopt;
      if (!value)
        return std::nullopt;
      order = *key;
      from = *value;
    }
    auto text = take_exact(part.type, from);
    if (!text)
      return std::nullopt;
    if (part.as == state_part::form::set)
      rest = from;
    values.emplace_back(order, *std::move(text));
  }
  return list_text(std::move(values));
}

/// `open until …`: a window aggregate's flags say only how to go on.
std::optional<std::string> take_ends(std::string_view& bytes) {
  if (!take_number(bytes, 1))
    return std::nullopt;
  std::vector<std::pair<std::string, std::string>> values;
  while (!bytes.empty()) {
    const auto time = take_time_key(bytes);
    if (!time)
      return std::nullopt;
    std::string text;
    auto one = make_column(sql_type{type_kind::timestamp}, 1);
    one.mutable_data<micros>()[0] = *time;
    append_value_text(one, 0, text);
    values.emplace_back(std::string(), std::move(text));
  }
  return list_text(std::move(values));
}

/// Takes one part from the front of `bytes`; nothing where they do not hold one.
std::optional<std::string> take_part(const state_part& part, std::string_view& bytes) {
  if (part.as == state_part::form::ends)
    return take_ends(bytes);
  if (part.as == state_part::form::set || part.as == state_part::form::ordered)
    return take_list(part, bytes);
  if (part.as >= state_part::form::number)
    return take_plain(part.as, bytes);
  std::string text;
  if (part.as == state_part::form::time) {
    const auto time = take_time_key(bytes);
    if (!time)
      return std::nullopt;
    // A number is kept in the same bytes as a time.
    auto one = make_column(part.type, 1);
    one.mutable_data<micros>()[0] = *time;
    append_value_text(one, 0, text);
    return text;
  }
  if (part.as == state_part::form::key) {
    const auto value = decode_key_value(bytes, part.type);
    if (!value)
      return std::nullopt;
    if (value->is_null(0))
      return std::string("NULL");
    append_value_text(*value, 0, text);
    return text;
  }
  return take_exact(part.type, bytes);
}

/// What stands for the forms in text.
constexpr std::string_view form_letters = "tkvngbshmedo";

/// `form` mark type mark name.
std::string part_text(const state_part& x) {
  std::string text(1, form_letters[static_cast<std::size_t>(x.as)]);
  return text + part_mark + to_string(x.type) + part_mark + x.name;
}

std::optional<state_part> part_from(std::string_view text) {
  const auto first = text.find(part_mark);
  const auto second = text.find(part_mark, first + 1);
  if (first != 1 || second == std::string_view::npos)
    return std::nullopt;
  const auto form = form_letters.find(text[0]);
  const auto type = parse_schema("x " + std::string(text.substr(2, second - 2)));
  if (form == std::string_view::npos || !type)
    return std::nullopt;
  return state_part{std::string(text.substr(second + 1)), static_cast<state_part::form>(form),
                    type->columns[0].type};
}

} // namespace

std::string to_text(const std::vector<state_layout>& layouts) {
  std::string text;
  for (const auto& x : layouts) {
    text += x.identity + '\t' + std::to_string(x.state) + '\t' + x.name;
    for (const auto& part : x.key)
      text += '\t' + part_text(part);
    text += "\t=";
    for (const auto& part : x.value)
      text += '\t' + part_text(part);
    text += '\n';
  }
  return text;
}

std::vector<state_layout> state_layouts_from(std::string_view text) {
  std::vector<state_layout> result;
  for (const auto line : split(text, '\n')) {
    const auto fields = split(line, '\t');
    if (fields.size() < 4)
      continue;
    state_layout x;
    x.identity = fields[0];
    x.state = static_cast<std::uint16_t>(std::atoi(std::string(fields[1]).c_str()));
    x.name = fields[2];
    bool good = true;
    auto* to = &x.key;
    for (std::size_t i = 3; i < fields.size(); ++i) {
      if (fields[i] == "=") {
        to = &x.value;
        continue;
      }
      auto part = part_from(fields[i]);
      good = good && part;
      if (part)
        to->push_back(std::move(*part));
    }
    if (good)
      result.push_back(std::move(x));
  }
  return result;
}

std::string show_parts(const std::vector<state_part>& parts, std::string_view bytes,
                       bool repeated) {
  if (parts.empty())
    return bytes.empty() ? "" : shown_bytes(bytes);
  std::string text;
  auto rest = bytes;
  do {
    for (const auto& part : parts) {
      const auto value = take_part(part, rest);
      if (!value)
        return shown_bytes(bytes);
      if (part.as == state_part::form::hidden)
        continue;
      text += (text.empty() ? "" : ", ") + part.name + '=' + *value;
    }
  } while (repeated && !rest.empty());
  return rest.empty() ? text : shown_bytes(bytes);
}

} // namespace ebb
