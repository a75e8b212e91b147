#include "actors/gateway/parameters.hpp"

#include "actors/plan/manifest.hpp"
#include "actors/plan/printable.hpp"
#include "schemas/label.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace ebb {

namespace {

constexpr std::int64_t text_characters_max = 1'024;

// Nothing where it is no UTF-8, or has control characters.
std::optional<std::int64_t> characters_of(std::string_view text) {
  std::int64_t out = 0;
  for (std::size_t i = 0; i < text.size(); ++out) {
    const auto length = utf8_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    if (length == 0 || c < 0x20 || c == 0x7f)
      return std::nullopt;
    i += length;
  }
  return out;
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_identifier(std::string_view text) {
  constexpr std::int64_t longest = 63;
  if (text.empty() || characters_of(text).value_or(longest + 1) > longest || is_digit(text[0]))
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower(lower(c)) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
  });
}

// Decimal digits without sign, space or needless zeros; nothing beyond int64.
std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (failed != std::errc{} || end != text.data() + text.size() || text.empty() || text[0] == '-'
      || (text[0] == '0' && text.size() > 1))
    return std::nullopt;
  return out;
}

// In milliseconds.
std::optional<std::int64_t> duration_of(std::string_view text) {
  const auto digits = std::find_if_not(text.begin(), text.end(), is_digit) - text.begin();
  const auto number = whole_number(text.substr(0, static_cast<std::size_t>(digits)));
  const auto unit = text.substr(static_cast<std::size_t>(digits));
  constexpr std::int64_t second = 1'000;
  const std::int64_t factor = unit == "ms"  ? 1
                              : unit == "s" ? second
                              : unit == "m" ? 60 * second
                              : unit == "h" ? 3'600 * second
                              : unit == "d" ? 86'400 * second
                                            : 0;
  if (!number || factor == 0 || *number > std::numeric_limits<std::int64_t>::max() / factor)
    return std::nullopt;
  return *number * factor;
}

std::string duration_text(std::int64_t millis) {
  for (const auto& [factor, unit] : {std::pair{86'400'000, "d"}, std::pair{3'600'000, "h"},
                                     std::pair{60'000, "m"}, std::pair{1'000, "s"}})
    if (millis != 0 && millis % factor == 0)
      return std::to_string(millis / factor) + unit;
  return std::to_string(millis) + "ms";
}

bool in_range(const parameter& x, std::int64_t number) {
  return number >= x.least && number <= x.most;
}

// Whether `to.text` is of the kind; sets `to.number`.
bool read_value(const parameter& x, http_request::value& to) {
  const std::string_view text = to.text;
  const auto number = [&](std::optional<std::int64_t> read) {
    to.number = read.value_or(0);
    return read && in_range(x, *read);
  };
  switch (x.kind) {
  case parameter_kind::text: {
    const auto characters = characters_of(text);
    return characters && *characters <= text_characters_max && in_range(x, *characters);
  }
  case parameter_kind::label:
    return is_label(text);
  case parameter_kind::identifier:
    return is_identifier(text);
  case parameter_kind::integer:
    return number(whole_number(text));
  case parameter_kind::boolean:
    to.number = text == "true" ? 1 : 0;
    return text == "true" || text == "false";
  case parameter_kind::choice:
    return std::find(x.choices.begin(), x.choices.end(), text) != x.choices.end();
  case parameter_kind::duration:
    return number(duration_of(text));
  case parameter_kind::position:
    if (text == "earliest" || text == "latest") {
      to.number = text == "latest" ? -1 : 0;
      return true;
    }
    return number(whole_number(text));
  }
  return false;
}

const parameter* find_parameter(const std::vector<parameter>& declared, std::string_view name,
                                bool header) {
  for (const auto& x : declared)
    if (header ? same_name(x.name, name) : x.name == name)
      return &x;
  return nullptr;
}

http_problem unknown_name(const std::vector<parameter>& declared, const std::string& name,
                          std::string_view where) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& x : declared) {
    names.push_back(x.name);
    list += (list.empty() ? "" : ", ") + x.name;
  }
  const auto nearest = nearest_name(name, names);
  const auto what = where == "query" ? "query parameter" : "header";
  return make_problem(400, "parameter-unknown",
                      std::string("there is no ") + what + ' ' + name + " here",
                      std::string(where) + '.' + name,
                      !nearest.empty() ? "did you mean " + nearest + '?'
                      : list.empty()   ? std::string("this route takes no ") + what
                                       : "it takes " + list);
}

} // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return lower(x) == lower(y);
         });
}

std::string expectation_of(const parameter& x) {
  const auto bounded = x.most != std::numeric_limits<std::int64_t>::max();
  switch (x.kind) {
  case parameter_kind::text:
    return "text of " + std::to_string(x.least) + " to "
           + std::to_string(std::min(x.most, text_characters_max)) + " characters";
  case parameter_kind::label:
    return "a name: 1 to 63 lower-case letters, digits and hyphens, no hyphen at the ends";
  case parameter_kind::identifier:
    return "an SQL identifier of 1 to 63 letters, digits and underscores";
  case parameter_kind::integer:
    return "a whole number from " + std::to_string(x.least)
           + (bounded ? " to " + std::to_string(x.most) : "");
  case parameter_kind::boolean:
    return "true or false";
  case parameter_kind::choice: {
    std::string out;
    for (const auto& choice : x.choices)
      out += (out.empty() ? "" : &choice == &x.choices.back() ? " or " : ", ") + choice;
    return out;
  }
  case parameter_kind::duration:
    return "a duration such as 250ms, 10s, 5m, 1h or 7d"
           + (bounded ? ", from " + duration_text(x.least) + " to " + duration_text(x.most)
                      : std::string());
  case parameter_kind::position:
    return "earliest, latest or an offset";
  }
  return {};
}

std::optional<http_problem> check_values(const std::vector<parameter>& declared,
                                         const given_values& given, std::string_view where,
                                         std::vector<http_request::value>& to) {
  const bool header = where == "header";
  for (const auto& [name, text] : given) {
    const auto* known = find_parameter(declared, name, header);
    if (known == nullptr)
      return unknown_name(declared, name, where);
    const auto field = std::string(where) + '.' + known->name;
    for (const auto& x : to)
      if (x.of == known)
        return make_problem(400, "parameter-twice", known->name + " is given twice", field,
                            "give it once");
    http_request::value value{known, text, 0};
    if (!read_value(*known, value)) {
      constexpr std::size_t shown_max = 80;
      // A name that no thing can have names nothing that there is.
      const bool part = where == "path";
      return make_problem(part ? 404 : 400, part ? "not-found" : "parameter-invalid",
                          known->name + " is not " + expectation_of(*known) + ": "
                              + text.substr(0, shown_max),
                          field, "give " + expectation_of(*known));
    }
    to.push_back(std::move(value));
  }
  for (const auto& x : declared)
    if (x.required
        && std::none_of(to.begin(), to.end(), [&](const auto& value) { return value.of == &x; }))
      return make_problem(400, "parameter-missing", x.name + " is missing",
                          std::string(where) + '.' + x.name, "give " + expectation_of(x));
  return std::nullopt;
}

} // namespace ebb
