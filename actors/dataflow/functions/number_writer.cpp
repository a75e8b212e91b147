#include "actors/dataflow/functions/number_writer.hpp"

#include "actors/dataflow/functions/time_pattern.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>
#include <cstdio>

namespace ebb::number_pattern {

namespace {

bool is_special(std::string_view decimal) noexcept {
  return decimal.find_first_of("Nn") != std::string_view::npos;
}

/// A decimal as digits without point, and how many of them are behind it.
struct parts {
  bool negative = false;
  std::string digits;
  int scale = 0;
};

parts split(std::string_view decimal) {
  parts out;
  if (decimal.starts_with('-')) {
    out.negative = true;
    decimal.remove_prefix(1);
  }
  const auto point = decimal.find('.');
  if (point == std::string_view::npos) {
    out.digits = decimal;
    return out;
  }
  out.digits = decimal.substr(0, point);
  out.digits += decimal.substr(point + 1);
  out.scale = static_cast<int>(decimal.size() - point - 1);
  return out;
}

/// Drops `count` digits at the end, rounding half away from zero.
void drop_digits(std::string& digits, std::size_t count) {
  if (count == 0)
    return;
  const auto up = digits.size() >= count && digits[digits.size() - count] >= '5';
  digits.resize(digits.size() > count ? digits.size() - count : 0);
  if (!up)
    return;
  auto i = digits.size();
  while (i > 0 && digits[i - 1] == '9')
    digits[--i] = '0';
  if (i > 0)
    ++digits[i - 1];
  else
    digits.insert(0, 1, '1');
}

std::string join(const parts& x) {
  auto digits = x.digits;
  const auto scale = static_cast<std::size_t>(x.scale);
  if (digits.size() <= scale)
    digits.insert(0, scale + 1 - digits.size(), '0');
  const auto first = std::min(digits.find_first_not_of('0'), digits.size() - scale - 1);
  digits.erase(0, first);
  if (scale > 0)
    digits.insert(digits.size() - scale, 1, '.');
  const auto is_zero = digits.find_first_not_of("0.") == std::string::npos;
  return (x.negative && !is_zero ? "-" : "") + digits;
}

/// The state of laying out one number; positions count digits of the pattern.
class writer {
public:
  writer(const layout& shape, const digits& number, std::string& out)
      : shape_(shape), number_(number.text), leading_(number.leading), sign_(number.sign),
        out_(out) {}

  result<void> run(const std::vector<node>& nodes) {
    prepare();
    for (const auto& item : nodes)
      EBB_TRY(put(item));
    out_.resize(std::min(end_, out_.size()));
    return {};
  }

private:
  void prepare() {
    if (shape_.zero_start > 0)
      --shape_.zero_start;
    if (shape_.has_roman) {
      const auto fill = shape_.has_fill;
      shape_ = {};
      shape_.has_fill = fill;
      shape_.has_roman = true;
      leading_ = 0;
      sign_ = '\0';
    }
    if (shape_.has_plus || shape_.has_minus) {
      sign_written_ = !shape_.has_plus || shape_.has_minus;
    } else {
      if (sign_ != '-' && shape_.has_fill)
        shape_.has_bracket = false;
      sign_written_ = sign_ == '+' && shape_.has_fill && !shape_.has_anchored_sign;
      if (shape_.sign == anchor::before && shape_.before == shape_.sign_before)
        shape_.sign = anchor::behind;
    }
    count_ = shape_.behind + shape_.before - 1;
    if (shape_.has_fill && shape_.has_decimal)
      find_last_relevant();
    if (!sign_written_ && leading_ == 0)
      ++count_;
  }

  /// With FM, zeros at the end of the fraction are not shown, unless a 0 of the pattern asks.
  void find_last_relevant() {
    const auto point = number_.find('.');
    if (point == std::string::npos)
      return;
    has_last_ = true;
    last_ = point;
    for (auto i = point + 1; i < number_.size(); ++i)
      if (number_[i] != '0')
        last_ = i;
    if (shape_.zero_end > leading_) {
      const auto asked =
          std::min(number_.size() - 1, static_cast<std::size_t>(shape_.zero_end - leading_));
      last_ = std::max(last_, asked);
    }
  }

  [[nodiscard]] char current() const {
    return at_ < number_.size() ? number_[at_] : '\0';
  }

  /// The last digit that shows is the point itself.
  [[nodiscard]] bool ends_at_point() const {
    return has_last_ && number_[last_] == '.';
  }

  /// A 0 before the point that the pattern does not show: `9.9` writes 0.1 as ` .1`.
  [[nodiscard]] bool hides_zero() const {
    return !shape_.has_zero && at_ == 0 && !number_.empty() && number_[0] == '0'
           && shape_.behind != 0;
  }

  void put_sign() {
    if (shape_.has_anchored_sign) {
      if (shape_.sign == anchor::before) {
        out_ += sign_ == '-' ? '-' : '+';
        sign_written_ = true;
      }
    } else if (shape_.has_bracket) {
      out_ += sign_ == '+' ? ' ' : '<';
      sign_written_ = true;
    } else if (sign_ == '+') {
      if (!shape_.has_fill)
        out_ += ' ';
      sign_written_ = true;
    } else if (sign_ == '-') {
      out_ += '-';
      sign_written_ = true;
    }
  }

  void put_digit_or_point(mark what) {
    if (current() == '.') {
      if (!ends_at_point() || shape_.has_fill)
        out_ += '.';
    } else if (has_last_ && at_ > last_ && what != mark::zero) {
      // a zero at the end that FM leaves out
    } else if (hides_zero()) {
      if (!shape_.has_fill)
        out_ += ' ';
      else if (ends_at_point())
        out_ += '0';
    } else {
      // Where the number has no more digits, PostgreSQL's text ends, whatever else the pattern has.
      if (current() == '\0')
        end_ = std::min(end_, out_.size());
      else
        out_ += current();
      in_number_ = true;
    }
    if (current() != '\0')
      ++at_;
  }

  void put_place(mark what) {
    if (shape_.has_roman)
      return;
    in_number_ = false;
    const auto starts =
        position_ >= leading_ || (shape_.has_zero && shape_.zero_start == position_);
    if (!sign_written_ && starts && (!hides_zero() || ends_at_point()))
      put_sign();
    if (position_ < leading_ && (shape_.zero_start > position_ || !shape_.has_zero)) {
      if (!shape_.has_fill)
        out_ += ' ';
    } else if (shape_.has_zero && position_ < leading_ && shape_.zero_start <= position_) {
      out_ += '0';
      in_number_ = true;
    } else {
      put_digit_or_point(what);
    }
    auto end = count_ + (leading_ != 0 ? 1 : 0) + (shape_.has_decimal ? 1 : 0);
    if (has_last_ && last_ == at_)
      end = position_;
    if (position_ + 1 == end) {
      if (sign_written_ && shape_.has_bracket)
        out_ += sign_ == '+' ? ' ' : '>';
      else if (shape_.has_anchored_sign && shape_.sign == anchor::behind)
        out_ += sign_ == '-' ? '-' : '+';
    }
    ++position_;
  }

  void put_roman(bool lower_case) {
    auto text = number_;
    if (lower_case)
      std::transform(text.begin(), text.end(), text.begin(), time_input::lower);
    if (!shape_.has_fill && text.size() < 15)
      out_.append(15 - text.size(), ' ');
    out_ += text;
  }

  result<void> put_ordinal(bool lower_case) {
    if (shape_.has_roman || number_.starts_with('#') || sign_ == '-' || shape_.has_decimal)
      return {};
    if (number_.empty() || !time_input::is_digit(number_.back()))
      return make_error(ec::evaluation, '"' + number_ + "\" is not a number");
    std::string ending = time_pattern::ordinal_of(number_);
    if (!lower_case)
      std::transform(ending.begin(), ending.end(), ending.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    out_ += ending;
    return {};
  }

  void put_mark_of_sign(char mark_sign) {
    if (sign_ == mark_sign)
      out_ += mark_sign;
    else if (!shape_.has_fill)
      out_ += ' ';
  }

  result<void> put(const node& item) {
    switch (item.what) {
    case mark::text:
      out_ += item.text;
      break;
    case mark::nine:
    case mark::zero:
    case mark::point:
    case mark::decimal:
      put_place(item.what);
      break;
    case mark::comma:
    case mark::group:
      if (in_number_)
        out_ += ',';
      else if (!shape_.has_fill)
        out_ += ' ';
      break;
    case mark::currency:
      out_ += ' ';
      break;
    case mark::roman:
    case mark::lower_roman:
      put_roman(item.what == mark::lower_roman);
      break;
    case mark::ordinal:
    case mark::lower_ordinal:
      return put_ordinal(item.what == mark::lower_ordinal);
    case mark::minus:
      put_mark_of_sign('-');
      break;
    case mark::plus:
      put_mark_of_sign('+');
      break;
    case mark::sign:
      if (sign_ != '\0')
        out_ += sign_;
      break;
    default:
      break;
    }
    return {};
  }

  layout shape_;
  const std::string& number_;
  int leading_;
  char sign_;
  std::string& out_;
  std::size_t end_ = std::string::npos; ///< of the output, where it ends early
  std::size_t at_ = 0;                  ///< next character of the number
  std::size_t last_ = 0;                ///< last character that FM shows
  bool has_last_ = false;
  bool sign_written_ = false;
  bool in_number_ = false;
  int position_ = 0;
  int count_ = 0;
};

} // namespace

std::string rounded(std::string_view decimal, int places) {
  if (is_special(decimal))
    return std::string(decimal);
  auto x = split(decimal);
  if (x.scale > places)
    drop_digits(x.digits, static_cast<std::size_t>(x.scale - places));
  else
    x.digits.append(static_cast<std::size_t>(places - x.scale), '0');
  x.scale = places;
  return join(x);
}

std::string shifted(std::string_view decimal, int places) {
  if (is_special(decimal))
    return std::string(decimal);
  auto x = split(decimal);
  if (x.scale < places) {
    x.digits.append(static_cast<std::size_t>(places - x.scale), '0');
    x.scale = places;
  }
  x.scale -= places;
  return join(x);
}

std::string scientific(std::string_view decimal, int places) {
  auto x = split(decimal);
  const auto first = x.digits.find_first_not_of('0');
  int exponent = 0;
  if (first == std::string::npos) {
    x.digits = "0";
  } else {
    exponent = static_cast<int>(x.digits.size()) - x.scale - static_cast<int>(first) - 1;
    x.digits.erase(0, first);
  }
  x.scale = static_cast<int>(x.digits.size()) - 1;
  const auto negative = x.negative && first != std::string::npos;
  x.negative = false;
  auto mantissa = rounded(join(x), places);
  char tail[16];
  std::snprintf(tail, sizeof tail, "e%+03d", exponent);
  return (negative ? "-" : " ") + mantissa + tail;
}

std::string no_scientific(const layout& shape) {
  std::string out(static_cast<std::size_t>(shape.before + shape.behind + 6), '#');
  out[0] = ' ';
  out[static_cast<std::size_t>(shape.before + 1)] = '.';
  return out;
}

std::string roman(std::int64_t value) {
  if (value < 1 || value > 3'999)
    return std::string(15, '#');
  constexpr std::pair<int, const char*> numerals[] = {
      {1'000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"},
      {40, "XL"},   {10, "X"},   {9, "IX"},  {5, "V"},    {4, "IV"},  {1, "I"}};
  std::string out;
  for (const auto& [worth, letters] : numerals)
    for (; value >= worth; value -= worth)
      out += letters;
  return out;
}

digits fit(std::string_view decimal, const layout& shape) {
  digits out;
  if (decimal.starts_with('-')) {
    out.sign = '-';
    decimal.remove_prefix(1);
  }
  out.text = decimal;
  const auto point = std::min(decimal.find('.'), decimal.size());
  const auto before = static_cast<int>(point);
  const auto places = shape.before + shape.shifted;
  if (before < places) {
    out.leading = places - before;
  } else if (before > places) {
    out.text.assign(static_cast<std::size_t>(places + shape.behind + 1), '#');
    out.text[static_cast<std::size_t>(places)] = '.';
  }
  return out;
}

result<void> write(const std::vector<node>& nodes, const layout& shape, const digits& number,
                   std::string& out) {
  auto used = shape;
  // The digits behind V are places like those before it.
  used.before += used.shifted;
  used.shifted = 0;
  return writer(used, number, out).run(nodes);
}

} // namespace ebb::number_pattern
