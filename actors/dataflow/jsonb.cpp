// What reads outside text: it checks everything, and bounds how deep it goes.

#include "actors/dataflow/jsonb.hpp"

#include "actors/dataflow/json_escapes.hpp"
#include "actors/dataflow/numeric.hpp"
#include "schemas/hex_digit.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace ebb::jsonb {

namespace {

constexpr const char* hex_digits = "0123456789abcdef";

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_word(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
         || (static_cast<unsigned char>(c) & 0x80) != 0;
}

void append_utf8(std::uint32_t point, std::string& out) {
  std::array<char, 4> bytes{};
  out.append(bytes.data(), put_utf8(bytes.data(), point));
}

class json_parser {
public:
  json_parser(std::string_view text, std::string& out) : text_(text), out_(out) {}

  result<void> run() {
    EBB_TRY(value(0));
    skip_space();
    return at_ == text_.size() ? result<void>{} : result<void>{bad_token()};
  }

private:
  /// A member of an object that is being read: its key, and what was written of it.
  struct member_place {
    std::size_t key = 0;
    std::size_t key_size = 0;
    std::size_t from = 0;
    std::size_t to = 0;
  };

  void skip_space() noexcept {
    while (at_ < text_.size() && is_space(text_[at_]))
      ++at_;
  }

  [[nodiscard]] error problem(const std::string& detail) const {
    return make_error(ec::invalid_argument, "invalid input syntax for type json",
                      detail + " (character " + std::to_string(at_ + 1) + ')');
  }

  [[nodiscard]] error bad_token() const {
    if (at_ >= text_.size())
      return problem("the input string ended unexpectedly");
    auto end = at_ + 1;
    if (is_word(text_[at_]))
      while (end < text_.size() && is_word(text_[end]) && end - at_ < 40)
        ++end;
    return problem("token \"" + std::string(text_.substr(at_, end - at_)) + "\" is invalid");
  }

  result<void> value(std::uint32_t depth) {
    skip_space();
    if (at_ == text_.size())
      return bad_token();
    if (depth > depth_max)
      return make_error(ec::unsupported,
                        "JSON nests deeper than " + std::to_string(depth_max) + " levels");
    switch (text_[at_]) {
    case '{':
      return object(depth);
    case '[':
      return array(depth);
    case '"': {
      string_.clear();
      EBB_TRY(string());
      append_string(string_, out_);
      return {};
    }
    default:
      break;
    }
    if (text_[at_] == '-' || is_digit(text_[at_]))
      return number();
    for (const std::string_view word : {"null", "true", "false"})
      if (text_.substr(at_, word.size()) == word
          && (at_ + word.size() == text_.size() || !is_word(text_[at_ + word.size()]))) {
        at_ += word.size();
        out_ += word;
        return {};
      }
    return bad_token();
  }

  result<void> number() {
    const auto from = at_;
    auto at = at_;
    const auto digits = [&] {
      const auto first = at;
      while (at < text_.size() && is_digit(text_[at]))
        ++at;
      return at != first;
    };
    if (text_[at] == '-')
      ++at;
    const bool zero = at < text_.size() && text_[at] == '0';
    const auto first = at;
    bool good = digits() && !(zero && at - first > 1);
    const bool fraction = at < text_.size() && text_[at] == '.';
    if (good && fraction) {
      ++at;
      good = digits();
    }
    const bool exponent = at < text_.size() && (text_[at] == 'e' || text_[at] == 'E');
    if (good && exponent) {
      ++at;
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-'))
        ++at;
      good = digits();
    }
    if (!good || (at < text_.size() && is_word(text_[at])))
      return bad_token();
    at_ = at;
    const auto token = text_.substr(from, at - from);
    if (!exponent && token.size() <= 30 && !(zero && token.front() == '-')) {
      out_ += token;
      return {};
    }
    auto one = make_numeric_column(sql_type{type_kind::numeric}, 1);
    EBB_TRY(parse_numeric(token, one, 0));
    append_numeric(one, 0, out_);
    return {};
  }

  result<std::uint32_t> hex() {
    std::uint32_t unit = 0;
    for (int k = 0; k < 4; ++k, ++at_) {
      const auto digit = at_ < text_.size() ? hex_digit(text_[at_]) : -1;
      if (digit < 0)
        return problem("\"\\u\" must be followed by four hexadecimal digits");
      unit = unit << 4 | static_cast<std::uint32_t>(digit);
    }
    return unit;
  }

  result<void> unicode() {
    EBB_ASSIGN(const auto unit, hex());
    if (unit == 0)
      return make_error(ec::invalid_argument, "unsupported Unicode escape sequence",
                        "\\u0000 cannot be converted to text");
    if (unit >= 0xDC00 && unit < 0xE000)
      return problem("Unicode low surrogate must follow a high surrogate");
    if (unit < 0xD800 || unit >= 0xE000) {
      append_utf8(unit, string_);
      return {};
    }
    if (text_.substr(at_, 2) != "\\u")
      return problem("Unicode low surrogate must follow a high surrogate");
    at_ += 2;
    EBB_ASSIGN(const auto low, hex());
    if (low < 0xDC00 || low >= 0xE000)
      return problem("Unicode low surrogate must follow a high surrogate");
    append_utf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), string_);
    return {};
  }

  // Appends what the string at the opening quote says to `string_`.
  result<void> string() {
    ++at_;
    while (true) {
      auto end = at_;
      while (end < text_.size() && text_[end] != '"' && text_[end] != '\\'
             && static_cast<unsigned char>(text_[end]) >= 0x20)
        ++end;
      string_.append(text_, at_, end - at_);
      at_ = end;
      if (at_ == text_.size())
        return bad_token();
      const char c = text_[at_++];
      if (c == '"')
        return {};
      if (c != '\\') {
        --at_;
        const auto code = static_cast<unsigned char>(c);
        return problem(std::string("character with value 0x") + hex_digits[code >> 4]
                       + hex_digits[code & 15] + " must be escaped");
      }
      if (at_ == text_.size())
        return bad_token();
      const char escape = text_[at_++];
      if (const char meant = simple_escape(escape); meant != '\0') {
        string_.push_back(meant);
      } else if (escape == 'u') {
        EBB_TRY(unicode());
      } else {
        --at_;
        return problem(std::string("escape sequence \"\\") + escape + "\" is invalid");
      }
    }
  }

  result<void> array(std::uint32_t depth) {
    ++at_;
    out_.push_back('[');
    skip_space();
    if (at_ < text_.size() && text_[at_] == ']') {
      ++at_;
      out_.push_back(']');
      return {};
    }
    while (true) {
      EBB_TRY(value(depth + 1));
      skip_space();
      if (at_ == text_.size() || (text_[at_] != ',' && text_[at_] != ']'))
        return bad_token();
      if (text_[at_++] == ']')
        break;
      out_ += ", ";
    }
    out_.push_back(']');
    return {};
  }

  result<void> object(std::uint32_t depth) {
    const auto first = members_.size();
    const auto first_key = keys_.size();
    const auto start = out_.size();
    ++at_;
    out_.push_back('{');
    skip_space();
    if (at_ < text_.size() && text_[at_] == '}') {
      ++at_;
      out_.push_back('}');
      return {};
    }
    while (true) {
      skip_space();
      if (at_ == text_.size() || text_[at_] != '"')
        return bad_token();
      string_.clear();
      EBB_TRY(string());
      member_place place{keys_.size(), string_.size(), out_.size(), 0};
      keys_ += string_;
      append_string(string_, out_);
      skip_space();
      if (at_ == text_.size() || text_[at_] != ':')
        return bad_token();
      ++at_;
      out_ += ": ";
      EBB_TRY(value(depth + 1));
      place.to = out_.size();
      members_.push_back(place);
      skip_space();
      if (at_ == text_.size() || (text_[at_] != ',' && text_[at_] != '}'))
        return bad_token();
      if (text_[at_++] == '}')
        break;
      out_ += ", ";
    }
    out_.push_back('}');
    sort_members(first, start);
    members_.resize(first);
    keys_.resize(first_key);
    return {};
  }

  [[nodiscard]] std::string_view key_of(const member_place& x) const noexcept {
    return std::string_view(keys_).substr(x.key, x.key_size);
  }

  [[nodiscard]] bool before(const member_place& a, const member_place& b) const noexcept {
    return a.key_size != b.key_size ? a.key_size < b.key_size : key_of(a) < key_of(b);
  }

  // Most objects of one source have their keys in one order; what is in order stays as it is.
  void sort_members(std::size_t first, std::size_t start) {
    const auto begin = members_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto less = [this](const auto& a, const auto& b) { return before(a, b); };
    if (std::adjacent_find(begin, members_.end(),
                           [&](const auto& a, const auto& b) { return !less(a, b); })
        == members_.end())
      return;
    std::stable_sort(begin, members_.end(), less);
    std::string sorted = "{";
    for (auto x = begin; x != members_.end(); ++x) {
      if (x + 1 != members_.end() && !less(*x, *(x + 1)))
        continue; // the last of equal keys wins
      if (sorted.size() > 1)
        sorted += ", ";
      sorted.append(out_, x->from, x->to - x->from);
    }
    sorted.push_back('}');
    out_.replace(start, out_.size() - start, sorted);
  }

  std::string_view text_;
  std::string& out_;
  std::size_t at_ = 0;
  std::string string_;
  std::string keys_; ///< of the members below, one behind the other
  std::vector<member_place> members_;
};

} // namespace

result<void> append_canonical(std::string_view json, std::string& out) {
  return json_parser(json, out).run();
}

void append_string(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x20 && c != '"' && c != '\\') {
      out.push_back(c);
      continue;
    }
    constexpr std::string_view meant = "\"\\\b\f\n\r\t";
    constexpr std::string_view names = "\"\\bfnrt";
    out.push_back('\\');
    if (const auto which = meant.find(c); which != std::string_view::npos) {
      out.push_back(names[which]);
    } else {
      out += "u00";
      out.push_back(hex_digits[code >> 4]);
      out.push_back(hex_digits[code & 15]);
    }
  }
  out.push_back('"');
}

void append_unescaped(std::string_view raw, std::string& out) {
  for (std::size_t at = 0; at < raw.size(); ++at) {
    if (raw[at] != '\\' || at + 1 == raw.size()) {
      out.push_back(raw[at]);
      continue;
    }
    const char escape = raw[++at];
    if (escape == 'u' && at + 4 < raw.size()) {
      // Canonical text escapes control characters only: two digits that are not 0.
      out.push_back(static_cast<char>(hex_digit(raw[at + 3]) * 16 + hex_digit(raw[at + 4])));
      at += 4;
    } else {
      const char meant = simple_escape(escape);
      out.push_back(meant != '\0' ? meant : escape);
    }
  }
}

} // namespace ebb::jsonb
