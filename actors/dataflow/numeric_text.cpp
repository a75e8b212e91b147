#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/numeric_digits.hpp"
#include "actors/dataflow/numeric_value.hpp"

#include <algorithm>

namespace ebb {

namespace {

// What PostgreSQL's input takes as white space: that of the C locale.
bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

void append_digits(std::string_view digits, int scale, bool negative, std::string& out) {
  if (negative)
    out.push_back('-');
  const auto places = static_cast<std::size_t>(scale);
  if (digits.size() > places) {
    out.append(digits.substr(0, digits.size() - places));
    digits.remove_prefix(digits.size() - places);
  } else {
    out.push_back('0');
  }
  if (places == 0)
    return;
  out.push_back('.');
  out.append(places - digits.size(), '0');
  out.append(digits);
}

error bad_syntax(std::string_view text) {
  return make_error(ec::evaluation,
                    "invalid input syntax for type numeric: \"" + std::string(text) + '"');
}

error overflow() {
  return make_error(ec::evaluation, "value overflows numeric format");
}

bool starts_with_word(std::string_view text, std::string_view word) noexcept {
  return text.size() >= word.size()
         && std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) {
              return a == ((b >= 'A' && b <= 'Z') ? b - 'A' + 'a' : b);
            });
}

// NaN and the infinities; removes the word from the front of `text`.
bool take_special(std::string_view& text, std::int16_t& tag) noexcept {
  struct spelling {
    std::string_view word;
    std::int16_t tag;
  };

  static constexpr spelling spellings[] = {
      {"nan", numeric_tag::nan},
      {"infinity", numeric_tag::plus_infinity},
      {"+infinity", numeric_tag::plus_infinity},
      {"-infinity", numeric_tag::minus_infinity},
      {"inf", numeric_tag::plus_infinity},
      {"+inf", numeric_tag::plus_infinity},
      {"-inf", numeric_tag::minus_infinity},
  };
  for (const auto& entry : spellings)
    if (starts_with_word(text, entry.word)) {
      text.remove_prefix(entry.word.size());
      tag = entry.tag;
      return true;
    }
  return false;
}

// A number cut into parts; `digits` are those around the point, without leading zeros.
struct literal {
  bool negative = false;
  std::string_view digits; // the mantissa, with at most one point
  int significant = 0;     // digits from the first that is not 0
  int places = 0;          // digits after the point
  std::int64_t exponent = 0;
};

enum class parse_outcome : std::uint8_t { done, syntax, overflow };

parse_outcome take_exponent(std::string_view& text, std::int64_t& exponent) noexcept {
  constexpr std::int64_t exponent_max = INT32_MAX / 2;
  text.remove_prefix(1);
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || !is_digit(text.front()))
    return parse_outcome::syntax;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1))
    exponent = std::min<std::int64_t>(exponent_max, exponent * 10 + (text.front() - '0'));
  if (exponent >= exponent_max)
    return parse_outcome::overflow;
  if (negative)
    exponent = -exponent;
  return parse_outcome::done;
}

// Removes the number from the front of `text`.
parse_outcome take_number(std::string_view& text, literal& x) noexcept {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    x.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::size_t size = 0;
  bool point = false;
  int digits = 0;
  for (; size < text.size(); ++size) {
    const char c = text[size];
    if (is_digit(c)) {
      ++digits;
      x.places += point ? 1 : 0;
      x.significant += x.significant != 0 || c != '0' ? 1 : 0;
    } else if (c == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (digits == 0)
    return parse_outcome::syntax;
  x.digits = text.substr(0, size);
  text.remove_prefix(size);
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E'))
    return take_exponent(text, x.exponent);
  return parse_outcome::done;
}

result<void> put_small(int128 unscaled, int scale, column& x, std::uint32_t i) {
  if (x.type.precision == 0) {
    set_numeric(x, i, unscaled, static_cast<std::int16_t>(scale));
    return {};
  }
  int128 kept = 0;
  if (coerce_small(unscaled, scale, x.type, kept)) {
    set_numeric(x, i, kept, x.type.scale);
    return {};
  }
  EBB_ASSIGN(const auto value, coerce(numeric(big_from_int128(unscaled), scale), x.type));
  return value.store(x, i);
}

result<void> put_number(const literal& x, column& to, std::uint32_t i) {
  const std::int64_t scale = x.places - x.exponent;
  if (scale > numeric_scale_max)
    return overflow();
  if (x.significant <= power_of_ten_max) {
    // Up to 18 digits need 64 bits only.
    std::uint64_t head = 0;
    uint128 size = 0;
    if (x.significant <= 18) {
      for (const char c : x.digits)
        if (c != '.')
          head = head * 10 + static_cast<unsigned>(c - '0');
      size = head;
    } else {
      for (const char c : x.digits)
        if (c != '.')
          size = size * 10 + static_cast<unsigned>(c - '0');
    }
    int128 unscaled = static_cast<int128>(size);
    if (x.negative)
      unscaled = -unscaled;
    if (scale >= 0 || unscaled == 0)
      return put_small(unscaled, static_cast<int>(std::max<std::int64_t>(0, scale)), to, i);
    int128 wide = 0;
    if (-scale <= power_of_ten_max && scale_up(unscaled, static_cast<int>(-scale), wide))
      return put_small(wide, 0, to, i);
  }
  if (scale < 0 && x.significant - scale > 200'000)
    return overflow();
  std::string digits(x.digits);
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (scale < 0)
    digits.append(static_cast<std::size_t>(-scale), '0');
  big_integer unscaled(digits);
  if (x.negative)
    unscaled = -unscaled;
  numeric value(std::move(unscaled), static_cast<int>(std::max<std::int64_t>(0, scale)));
  EBB_ASSIGN(value, coerce(value, to.type));
  return value.store(to, i);
}

} // namespace

void append_numeric(const column& x, std::uint32_t i, std::string& out) {
  const auto scale = x.scale_of(i);
  switch (scale) {
  case numeric_tag::nan:
    out += "NaN";
    return;
  case numeric_tag::plus_infinity:
    out += "Infinity";
    return;
  case numeric_tag::minus_infinity:
    out += "-Infinity";
    return;
  case numeric_tag::big: {
    const auto value = numeric::load(x, i);
    const std::string digits = magnitude_digits(value.unscaled());
    append_digits(digits, value.scale(), value.sign() < 0, out);
    return;
  }
  default:
    break;
  }
  const int128 value = x.data<int128>()[x.at(i)];
  char digits[digits_max];
  const auto size = write_digits(magnitude(value), digits);
  append_digits({digits, size}, scale, value < 0, out);
}

result<void> parse_numeric(std::string_view text, column& x, std::uint32_t i) {
  const auto whole = text;
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  std::int16_t tag = 0;
  literal number;
  auto outcome = parse_outcome::done;
  if ((!text.empty() && is_digit(text.front())) || !take_special(text, tag))
    outcome = take_number(text, number);
  if (outcome == parse_outcome::overflow)
    return overflow();
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  if (outcome == parse_outcome::syntax || !text.empty())
    return bad_syntax(whole);
  if (tag == 0)
    return put_number(number, x, i);
  if (tag != numeric_tag::nan && x.type.precision != 0) {
    EBB_ASSIGN(const auto refused, coerce(numeric(numeric_form::plus_infinity), x.type));
    return refused.store(x, i);
  }
  set_numeric_special(x, i, tag);
  return {};
}

} // namespace ebb
