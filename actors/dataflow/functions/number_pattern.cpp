#include "actors/dataflow/functions/number_pattern.hpp"

#include "actors/dataflow/functions/time_pattern.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>

namespace ebb::number_pattern {

namespace {

struct keyword {
  std::string_view name;
  mark what;
  mark lower;
};

// Longer words come before their beginnings.
constexpr keyword keywords[] = {
    {",", mark::comma, mark::comma},
    {".", mark::point, mark::point},
    {"0", mark::zero, mark::zero},
    {"9", mark::nine, mark::nine},
    {"B", mark::blank, mark::blank},
    {"C", mark::ignored, mark::ignored},
    {"D", mark::decimal, mark::decimal},
    {"EEEE", mark::exponent, mark::exponent},
    {"FM", mark::fill, mark::fill},
    {"G", mark::group, mark::group},
    {"L", mark::currency, mark::currency},
    {"MI", mark::minus, mark::minus},
    {"PL", mark::plus, mark::plus},
    {"PR", mark::bracket, mark::bracket},
    {"RN", mark::roman, mark::lower_roman},
    {"SG", mark::sign, mark::sign},
    {"SP", mark::ignored, mark::ignored},
    {"S", mark::anchored_sign, mark::anchored_sign},
    {"TH", mark::ordinal, mark::lower_ordinal},
    {"V", mark::shift, mark::shift},
};

bool is_lower_case_of(std::string_view text, std::string_view name) {
  return text.size() >= name.size()
         && std::equal(name.begin(), name.end(), text.begin(),
                       [](char a, char b) { return time_input::lower(a) == b; });
}

bool take_keyword(std::string_view& rest, node& out) {
  for (const auto& key : keywords) {
    if (rest.starts_with(key.name))
      out.what = key.what;
    else if (is_lower_case_of(rest, key.name))
      out.what = key.lower;
    else
      continue;
    rest.remove_prefix(key.name.size());
    return true;
  }
  return false;
}

error bad(std::string message, std::string hint = {}) {
  return make_error(ec::evaluation, std::move(message), std::move(hint));
}

result<void> add_digit(layout& x, bool is_zero) {
  if (x.has_bracket)
    return bad(std::string("\"") + (is_zero ? "0" : "9") + "\" must be ahead of \"PR\"");
  if (!is_zero && x.has_shift) {
    ++x.shifted;
    return {};
  }
  if (is_zero && !x.has_zero && !x.has_decimal) {
    x.has_zero = true;
    x.zero_start = x.before + 1;
  }
  ++(x.has_decimal ? x.behind : x.before);
  if (is_zero)
    x.zero_end = x.before + x.behind;
  return {};
}

result<void> add_anchored_sign(layout& x) {
  if (x.has_anchored_sign)
    return bad("cannot use \"S\" twice");
  if (x.has_plus || x.has_minus || x.has_bracket)
    return bad("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
  x.has_anchored_sign = true;
  if (x.has_decimal) {
    x.sign = anchor::behind;
  } else {
    x.sign = anchor::before;
    x.sign_before = x.before;
  }
  return {};
}

result<void> add_exponent(layout& x) {
  if (x.has_exponent)
    return bad("cannot use \"EEEE\" twice");
  if (x.has_blank || x.has_fill || x.has_anchored_sign || x.has_bracket || x.has_minus || x.has_plus
      || x.has_roman || x.has_shift)
    return bad("\"EEEE\" is incompatible with other formats",
               "\"EEEE\" may only be used together with digit and decimal point patterns");
  x.has_exponent = true;
  return {};
}

result<void> add(layout& x, mark what) {
  if (x.has_exponent && what != mark::exponent)
    return bad("\"EEEE\" must be the last pattern used");
  const auto no_sign_with = [&](const char* name) -> result<void> {
    if (x.has_anchored_sign)
      return bad(std::string("cannot use \"S\" and \"") + name + "\" together");
    return {};
  };
  switch (what) {
  case mark::nine:
  case mark::zero:
    return add_digit(x, what == mark::zero);
  case mark::blank:
    x.has_blank = x.has_blank || (x.before == 0 && x.behind == 0 && !x.has_zero);
    return {};
  case mark::decimal:
  case mark::point:
    if (x.has_decimal)
      return bad("multiple decimal points");
    if (x.has_shift)
      return bad("cannot use \"V\" and decimal point together");
    x.has_decimal = true;
    return {};
  case mark::fill:
    x.has_fill = true;
    return {};
  case mark::anchored_sign:
    return add_anchored_sign(x);
  case mark::minus:
    x.has_minus = true;
    return no_sign_with("MI");
  case mark::plus:
    x.has_plus = true;
    return no_sign_with("PL");
  case mark::sign:
    x.has_minus = true;
    x.has_plus = true;
    return no_sign_with("SG");
  case mark::bracket:
    if (x.has_anchored_sign || x.has_plus || x.has_minus)
      return bad("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
    x.has_bracket = true;
    return {};
  case mark::roman:
  case mark::lower_roman:
    x.has_roman = true;
    return {};
  case mark::shift:
    if (x.has_decimal)
      return bad("cannot use \"V\" and decimal point together");
    x.has_shift = true;
    return {};
  case mark::exponent:
    return add_exponent(x);
  default:
    return {};
  }
}

node text_node(std::string_view& rest) {
  node out;
  const auto size = time_pattern::character_size(rest);
  out.text = rest.substr(0, size);
  rest.remove_prefix(size);
  return out;
}

} // namespace

result<pattern> parse(std::string_view text) {
  pattern out;
  out.is_empty = text.empty();
  auto rest = text;
  while (!rest.empty()) {
    node item;
    if (take_keyword(rest, item)) {
      EBB_TRY(add(out.shape, item.what));
      out.nodes.push_back(std::move(item));
      continue;
    }
    if (rest[0] == '"') {
      rest.remove_prefix(1);
      while (!rest.empty() && rest[0] != '"') {
        if (rest[0] == '\\' && rest.size() > 1)
          rest.remove_prefix(1);
        out.nodes.push_back(text_node(rest));
      }
      if (!rest.empty())
        rest.remove_prefix(1);
      continue;
    }
    if (rest.starts_with("\\\""))
      rest.remove_prefix(1);
    out.nodes.push_back(text_node(rest));
  }
  return out;
}

} // namespace ebb::number_pattern
