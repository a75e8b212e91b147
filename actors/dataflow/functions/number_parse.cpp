// to_number(): reading numbers by a pattern.

#include "actors/dataflow/functions/number_binding.hpp"
#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/functions/time_pattern.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>

namespace ebb::time_kernel {

namespace {

namespace np = number_pattern;
using np::anchor;
using np::mark;
using time_input::is_digit;

/// Collects the digits of one text by the marks of a pattern.
class number_reader {
public:
  number_reader(const np::pattern& how, std::string_view text) : shape_(how.shape), text_(text) {
    for (const auto& item : how.nodes) {
      if (at_ >= text_.size())
        break;
      step(item);
    }
    if (digits_.ends_with('.'))
      digits_.pop_back();
  }

  /// What numeric input reads: sign or space, digits, point.
  [[nodiscard]] std::string number() const {
    return sign_ + digits_;
  }

  /// More digits before the point than the pattern has places.
  [[nodiscard]] bool overflows() const {
    const auto point = std::min(digits_.find('.'), digits_.size());
    const auto first = std::min(digits_.find_first_not_of('0'), point);
    return point - first > static_cast<std::size_t>(shape_.before + shape_.shifted);
  }

private:
  [[nodiscard]] bool at_end() const {
    return at_ >= text_.size();
  }

  [[nodiscard]] char current() const {
    return at_end() ? '\0' : text_[at_];
  }

  void skip_character() {
    at_ += std::max<std::size_t>(1, time_pattern::character_size(text_.substr(at_)));
  }

  /// Skips up to `count` characters that cannot belong to a number.
  void skip_other(int count) {
    while (count-- > 0 && !at_end()) {
      if (std::string_view("0123456789.,+-").find(current()) != std::string_view::npos)
        return;
      skip_character();
    }
  }

  void read_sign_before() {
    const auto c = current();
    if (shape_.has_anchored_sign && shape_.sign == anchor::before) {
      if (c == '-' || c == '+') {
        sign_ = c;
        ++at_;
      }
      return;
    }
    if (c == '-' || (shape_.has_bracket && c == '<')) {
      sign_ = '-';
      ++at_;
    } else if (c == '+') {
      sign_ = '+';
      ++at_;
    }
  }

  void read_sign_behind(bool was_read) {
    if (shape_.has_anchored_sign && was_read && at_ + 1 < text_.size()
        && !is_digit(text_[at_ + 1])) {
      if (text_[at_ + 1] == '-' || text_[at_ + 1] == '+')
        sign_ = text_[++at_];
    } else if (!was_read && !shape_.has_anchored_sign && (shape_.has_plus || shape_.has_minus)) {
      if (current() == '-' || current() == '+')
        sign_ = current();
    }
  }

  void read_place(mark what) {
    if (current() == ' ')
      ++at_;
    if (at_end())
      return;
    if (sign_ == ' ' && (what == mark::zero || what == mark::nine) && before_ + behind_ == 0)
      read_sign_before();
    if (at_end())
      return;
    bool was_read = false;
    if (is_digit(current())) {
      if (has_point_ && behind_ == shape_.behind)
        return;
      digits_ += current();
      ++(has_point_ ? behind_ : before_);
      was_read = true;
    } else if (shape_.has_decimal && !has_point_ && current() == '.') {
      digits_ += '.';
      has_point_ = true;
      was_read = true;
    }
    if (sign_ == ' ' && before_ + behind_ > 0)
      read_sign_behind(was_read);
  }

  /// Each mark but some passes the character that it stands for.
  void step(const np::node& item) {
    switch (item.what) {
    case mark::text:
      skip_character();
      return;
    case mark::nine:
    case mark::zero:
    case mark::point:
    case mark::decimal:
      read_place(item.what);
      break;
    case mark::comma:
    case mark::group:
      if (shape_.has_fill || current() != ',')
        return;
      break;
    case mark::currency:
      skip_other(1);
      return;
    case mark::ordinal:
    case mark::lower_ordinal:
      if (!shape_.has_roman && sign_ != '-' && !shape_.has_decimal)
        skip_other(2);
      return;
    case mark::minus:
      if (current() != '-') {
        skip_other(1);
        return;
      }
      sign_ = '-';
      break;
    case mark::plus:
      if (current() != '+') {
        skip_other(1);
        return;
      }
      sign_ = '+';
      break;
    case mark::sign:
      if (current() != '-' && current() != '+') {
        skip_other(1);
        return;
      }
      sign_ = current();
      break;
    default:
      return;
    }
    ++at_;
  }

  np::layout shape_;
  std::string_view text_;
  std::size_t at_ = 0;
  char sign_ = ' ';
  std::string digits_;
  int before_ = 0;
  int behind_ = 0;
  bool has_point_ = false;
};

result<void> read_number(const np::pattern& how, std::string_view text, column& out,
                         std::uint32_t i) {
  if (how.shape.has_exponent)
    return make_error(ec::evaluation, "\"EEEE\" not supported for input");
  if (how.shape.has_roman)
    return make_error(ec::evaluation, "\"RN\" not supported for input");
  const number_reader reader(how, text);
  EBB_TRY(parse_numeric(reader.number(), out, i));
  if (reader.overflows())
    return make_error(ec::evaluation, "numeric field overflow",
                      "the number has more digits than the pattern has places");
  if (!how.shape.has_shift)
    return {};
  // The power of ten by which PostgreSQL multiplies has 16 decimals.
  constexpr int decimals = 16;
  const auto scale = out.scale_of(i);
  auto value = out.data<int128>()[i];
  if (scale < 0 || how.shape.shifted > decimals)
    return make_error(ec::unsupported, "the number is too large for a pattern with V");
  for (int k = 0; k < decimals - how.shape.shifted; ++k)
    if (__builtin_mul_overflow(value, int128{10}, &value))
      return make_error(ec::unsupported, "the number is too large for a pattern with V");
  set_numeric(out, i, value, static_cast<std::int16_t>(scale + decimals));
  return {};
}

result<column> to_number(const call_context& context, std::span<const column> args) {
  const texts x(args[0]);
  const texts pattern(args[1]);
  auto out = make_numeric_column(sql_type{type_kind::numeric}, context.rows);
  row_patterns patterns(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    const auto how = patterns.of(pattern[i]);
    auto done = how ? result<void>{} : result<void>(how.error());
    if (done && (*how)->is_empty) {
      set_null(out, i);
      continue;
    }
    if (done)
      done = read_number(**how, x[i], out, i);
    if (!done) {
      done.error().row = i;
      return std::move(done).error();
    }
  }
  return out;
}

} // namespace

void register_number_parse(function_catalog& catalog) {
  using enum type_kind;
  add(catalog, {"to_number", {text, text}, numeric, to_number, true, bind_numbers});
}

} // namespace ebb::time_kernel
