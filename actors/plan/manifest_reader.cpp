#include "actors/plan/manifest_reader.hpp"

#include "schemas/label.hpp"

#include <algorithm>
#include <charconv>

namespace ebb::manifest {

namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Plain words that YAML 1.1 (and so kubectl) reads as booleans.
bool is_old_boolean(std::string_view text) noexcept {
  constexpr std::string_view words[] = {
      "y",  "Y",  "yes", "Yes", "YES", "n",    "N",    "no",   "No",    "NO",    "on",
      "On", "ON", "off", "Off", "OFF", "true", "True", "TRUE", "false", "False", "FALSE"};
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

/// Plain text that YAML reads as a number.
bool is_number(std::string_view text) noexcept {
  if (!text.empty() && (text[0] == '-' || text[0] == '+'))
    text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".nan" || text == ".NaN")
    return true;
  if (text.empty() || (!is_digit(text[0]) && text[0] != '.'))
    return false;
  if (text.starts_with("0x") || text.starts_with("0o"))
    return text.size() > 2 && std::all_of(text.begin() + 2, text.end(), [](char c) {
             return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
  bool digits = false;
  std::size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || text[i] == '.' || text[i] == '_'); ++i)
    digits |= is_digit(text[i]);
  if (digits && i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+'))
      ++i;
    if (i == text.size())
      return false;
    while (i < text.size() && is_digit(text[i]))
      ++i;
  }
  return digits && i == text.size();
}

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 60;
  auto size = std::min(longest, text.size());
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size;
  std::string out(text.substr(0, size));
  if (const auto newline = out.find('\n'); newline != std::string::npos)
    out.resize(newline);
  if (out.size() < text.size())
    out += "…";
  return out;
}

std::string description(const yaml_node& node) {
  switch (node.kind) {
  case yaml_kind::null:
    return "nothing";
  case yaml_kind::list:
    return "a list";
  case yaml_kind::map:
    return "an object";
  case yaml_kind::text:
    break;
  }
  if (node.plain && is_old_boolean(node.text))
    return "the boolean " + node.text;
  if (node.plain && is_number(node.text))
    return "the number " + shown(node.text);
  return '"' + shown(node.text) + '"';
}

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0)
      out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

} // namespace

std::string nearest_hint(std::string_view word, std::span<const std::string_view> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  if (const auto nearest = nearest_name(word, names); !nearest.empty())
    return "did you mean " + nearest + "?";
  if (known.empty())
    return {};
  return "it takes " + joined(known);
}

error_place reader::place(const located& at) const {
  return {source_.file(), at.node == nullptr ? 0 : at.node->line,
          at.node == nullptr ? 0 : at.node->column, at.path};
}

error reader::fail(const located& at, std::string message, std::string hint, ec code) const {
  return source_.fail(at.node == nullptr ? 0 : at.node->line,
                      at.node == nullptr ? 0 : at.node->column, at.path, std::move(message),
                      std::move(hint), code);
}

void reader::warn(const located& at, std::string message, std::string hint) const {
  warnings_.push_back(fail(at, std::move(message), std::move(hint)));
}

error reader::mismatch(const located& at, std::string_view expected, std::string hint) const {
  return fail(at, "expected " + std::string(expected) + ", found " + description(*at.node),
              std::move(hint));
}

located reader::field(const located& at, std::string_view key) {
  auto path = at.path;
  if (!path.empty())
    path += '.';
  path += key;
  return {at.node == nullptr ? nullptr : at.node->find(key), std::move(path)};
}

void reader::note(const located& at, field_kind kind, std::span<const std::string_view> words,
                  std::uint64_t low, std::uint64_t high) const {
  if (rules_ != nullptr)
    rules_->push_back({at.path, kind, {words.begin(), words.end()}, low, high});
}

void reader::note_choice(const located& at, std::span<const std::string_view> keys) const {
  note(at, field_kind::choice, keys);
}

result<void> reader::keys(const located& at, std::span<const std::string_view> known,
                          bool or_nothing) const {
  note(at, field_kind::object, known, or_nothing ? 1 : 0);
  if (at.node->kind == yaml_kind::null && or_nothing)
    return {};
  if (at.node->kind != yaml_kind::map)
    return mismatch(at, "an object",
                    known.empty() ? std::string("write {}") : "its keys are " + joined(known));
  for (const auto& key : at.node->keys) {
    if (std::find(known.begin(), known.end(), key.text) != known.end())
      continue;
    auto path = at.path;
    if (!path.empty())
      path += '.';
    return fail({&key, path + shown(key.text)}, "unknown key " + shown(key.text),
                nearest_hint(key.text, known));
  }
  return {};
}

result<located> reader::required(const located& at, std::string_view key,
                                 std::string_view example) const {
  auto out = field(at, key);
  note(out, field_kind::required);
  if (out)
    return out;
  auto problem = fail(at, std::string(key) + " is missing",
                      example.empty() ? std::string() : "add " + std::string(example));
  problem.place.field = out.path;
  return problem;
}

result<std::vector<located>> reader::items(const located& at, std::string_view what,
                                           std::size_t limit) const {
  std::vector<located> out;
  if (!at)
    return out;
  note(at, field_kind::list, {}, 0, limit);
  if (at.node->kind != yaml_kind::list)
    return mismatch(at, "a list of " + std::string(what), "begin each with `- `");
  if (at.node->values.size() > limit)
    return fail(at, "too many " + std::string(what) + ": " + std::to_string(at.node->values.size()),
                "at most " + std::to_string(limit) + " are allowed");
  for (std::size_t i = 0; i < at.node->values.size(); ++i)
    out.push_back({&at.node->values[i], at.path + '[' + std::to_string(i) + ']'});
  return out;
}

result<std::string> reader::text(const located& at, std::string_view what) const {
  note(at, field_kind::text);
  return plain_text(at, what);
}

result<std::string> reader::plain_text(const located& at, std::string_view what) const {
  const auto& node = *at.node;
  if (node.kind == yaml_kind::null && !node.text.empty())
    return mismatch(at, what, "in YAML " + node.text + " is no text; quote it: \"" + node.text + '"');
  if (node.kind != yaml_kind::text)
    return mismatch(at, what);
  if (node.plain && is_old_boolean(node.text))
    return fail(
        at, "expected " + std::string(what) + ", but YAML 1.1 reads " + node.text + " as a boolean",
        "quote it: \"" + node.text + '"');
  if (node.plain && is_number(node.text))
    return mismatch(at, what, "quote it: \"" + shown(node.text) + '"');
  return node.text;
}

result<bool> reader::boolean(const located& at) const {
  note(at, field_kind::boolean);
  const auto& node = *at.node;
  if (node.kind == yaml_kind::text && node.plain && (node.text == "true" || node.text == "false"))
    return node.text == "true";
  return mismatch(at, "true or false");
}

result<std::uint64_t> reader::integer(const located& at, std::uint64_t low,
                                      std::uint64_t high) const {
  note(at, field_kind::integer, {}, low, high);
  const auto& node = *at.node;
  const auto range = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  const auto is_plain = node.kind == yaml_kind::text && node.plain && !node.text.empty();
  const auto digits = is_plain && std::all_of(node.text.begin(), node.text.end(), is_digit);
  if (!digits)
    return mismatch(at, range, is_plain ? "" : "write it without quotes");
  if (node.text.size() > 1 && node.text[0] == '0')
    return mismatch(at, range, "leave out the leading zeros: YAML 1.1 reads them as octal");
  std::uint64_t value = 0;
  const auto* end = node.text.data() + node.text.size();
  const auto problem = std::from_chars(node.text.data(), end, value).ec;
  if (problem != std::errc{} || value < low || value > high)
    return mismatch(at, range);
  return value;
}

result<std::optional<micros>> reader::duration_or(const located& at, std::string_view word,
                                                  micros low) const {
  note(at, field_kind::duration, {&word, 1}, static_cast<std::uint64_t>(low));
  if (at.node->kind == yaml_kind::text && at.node->text == word)
    return std::optional<micros>{};
  const auto value = duration(at, low);
  if (value)
    return std::optional(*value);
  auto problem = value.error();
  problem.hint += (problem.hint.empty() ? "write a duration, or " : "; or ") + std::string(word);
  return problem;
}

result<micros> reader::duration(const located& at, micros low) const {
  note(at, field_kind::duration, {}, static_cast<std::uint64_t>(low));
  const auto& node = *at.node;
  constexpr std::string_view expected = "a duration such as 250ms, 10s, 5m, 1h or 7d";
  if (node.kind != yaml_kind::text || (node.plain && is_old_boolean(node.text)))
    return mismatch(at, expected);
  auto value = parse_duration(node.text);
  if (!value)
    return mismatch(at, expected, std::move(value).error().hint);
  if (*value < low)
    return mismatch(at, low == 1 ? "a duration above 0" : "a longer duration");
  return value;
}

result<std::uint64_t> reader::size(const located& at) const {
  note(at, field_kind::size);
  const auto& node = *at.node;
  constexpr std::string_view expected = "a size such as 512, 64Ki, 16Mi or 1Gi";
  if (node.kind != yaml_kind::text)
    return mismatch(at, expected);
  auto value = parse_size(node.text);
  if (!value)
    return mismatch(at, expected, std::move(value).error().hint);
  return value;
}

result<std::size_t> reader::word(const located& at,
                                 std::initializer_list<std::string_view> words) const {
  const std::span<const std::string_view> known(words.begin(), words.size());
  note(at, field_kind::word, known);
  EBB_ASSIGN(const auto value, plain_text(at, joined(known)));
  const auto found = std::find(known.begin(), known.end(), value);
  if (found == known.end())
    return mismatch(at, joined(known), nearest_hint(value, known));
  return static_cast<std::size_t>(found - known.begin());
}

result<std::string> reader::label(const located& at) const {
  note(at, field_kind::label);
  EBB_ASSIGN(auto name, plain_text(at, "a name"));
  if (!is_label(name))
    return mismatch(at, "a name of lower-case letters, digits and -",
                    "at most 63 characters, letter or digit first and last: delays-2");
  return name;
}

result<std::string> reader::identifier(const located& at) const {
  note(at, field_kind::identifier);
  EBB_ASSIGN(auto name, plain_text(at, "a name"));
  const auto inner = [](char c) { return is_digit(c) || is_letter(c) || c == '_'; };
  if (name.empty() || name.size() > 63 || is_digit(name[0])
      || !std::all_of(name.begin(), name.end(), inner))
    return mismatch(at, "a name that SQL can use",
                    "at most 63 letters, digits and _, not a digit first: flights_2013");
  if (std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    warn(at, "SQL reads unquoted names in lower case",
         "write \"" + name + "\" with its quotes in queries, or name it in lower case");
  return name;
}

} // namespace ebb::manifest
