#include "actors/dataflow/functions/regex_classes.hpp"

#include "actors/dataflow/functions/unicode.hpp"

#include <algorithm>
#include <array>

namespace ebb {

namespace {

error invalid(const char* why) {
  return make_error(ec::invalid_argument, std::string("invalid regular expression: ") + why);
}

void add_ranges(code_set& set, std::span<const unicode::code_range> ranges) {
  for (const auto& range : ranges) {
    if (range.stride == 1)
      set.add(range.first, range.last);
    else
      for (char32_t c = range.first; c <= range.last; c += range.stride)
        set.add(c, c);
  }
}

void add_blanks(code_set& set) {
  set.add(' ', ' ');
  set.add(0x1680, 0x1680);
  set.add(0x2000, 0x2006);
  set.add(0x2008, 0x200a);
  set.add(0x205f, 0x205f);
  set.add(0x3000, 0x3000);
}

/// `[:name:]`. Where case is ignored, upper and lower stand for all letters.
std::optional<code_set> named_class(std::string_view name, bool ignore_case) {
  code_set set;
  if (ignore_case && (name == "upper" || name == "lower"))
    name = "alpha";
  if (name == "alpha" || name == "alnum" || name == "word" || name == "graph" || name == "print")
    add_ranges(set, unicode::alpha);
  if (name == "alnum" || name == "word" || name == "digit" || name == "xdigit" || name == "graph"
      || name == "print")
    set.add('0', '9');
  if (name == "punct" || name == "graph" || name == "print")
    add_ranges(set, unicode::punct);
  if (name == "print" || name == "space")
    add_blanks(set);
  if (name == "blank") {
    set.add('\t', '\t');
    set.add(' ', ' ');
  }
  if (name == "space") {
    set.add('\t', '\r');
    set.add(0x2028, 0x2029);
  }
  if (name == "word")
    set.add('_', '_');
  if (name == "upper")
    add_ranges(set, unicode::upper);
  if (name == "lower")
    add_ranges(set, unicode::lower);
  if (name == "ascii")
    set.add(0, 0x7f);
  if (name == "cntrl") {
    set.add(0, 0x1f);
    set.add(0x7f, 0x9f);
  }
  if (name == "xdigit") {
    set.add('a', 'f');
    set.add('A', 'F');
  }
  if (set.ranges().empty())
    return std::nullopt;
  set.normalize();
  return set;
}

struct named_character {
  std::string_view name;
  char32_t code;
};

/// Collating elements that have names (POSIX).
constexpr auto character_names = std::to_array<named_character>({
    {"NUL", 0},
    {"SOH", 1},
    {"STX", 2},
    {"ETX", 3},
    {"EOT", 4},
    {"ENQ", 5},
    {"ACK", 6},
    {"BEL", 7},
    {"alert", 7},
    {"BS", 8},
    {"backspace", 8},
    {"HT", 9},
    {"tab", 9},
    {"LF", 10},
    {"newline", 10},
    {"VT", 11},
    {"vertical-tab", 11},
    {"FF", 12},
    {"form-feed", 12},
    {"CR", 13},
    {"carriage-return", 13},
    {"SO", 14},
    {"SI", 15},
    {"DLE", 16},
    {"DC1", 17},
    {"DC2", 18},
    {"DC3", 19},
    {"DC4", 20},
    {"NAK", 21},
    {"SYN", 22},
    {"ETB", 23},
    {"CAN", 24},
    {"EM", 25},
    {"SUB", 26},
    {"ESC", 27},
    {"IS4", 28},
    {"FS", 28},
    {"IS3", 29},
    {"GS", 29},
    {"IS2", 30},
    {"RS", 30},
    {"IS1", 31},
    {"US", 31},
    {"space", ' '},
    {"exclamation-mark", '!'},
    {"quotation-mark", '"'},
    {"number-sign", '#'},
    {"dollar-sign", '$'},
    {"percent-sign", '%'},
    {"ampersand", '&'},
    {"apostrophe", '\''},
    {"left-parenthesis", '('},
    {"right-parenthesis", ')'},
    {"asterisk", '*'},
    {"plus-sign", '+'},
    {"comma", ','},
    {"hyphen", '-'},
    {"hyphen-minus", '-'},
    {"period", '.'},
    {"full-stop", '.'},
    {"slash", '/'},
    {"solidus", '/'},
    {"zero", '0'},
    {"one", '1'},
    {"two", '2'},
    {"three", '3'},
    {"four", '4'},
    {"five", '5'},
    {"six", '6'},
    {"seven", '7'},
    {"eight", '8'},
    {"nine", '9'},
    {"colon", ':'},
    {"semicolon", ';'},
    {"less-than-sign", '<'},
    {"equals-sign", '='},
    {"greater-than-sign", '>'},
    {"question-mark", '?'},
    {"commercial-at", '@'},
    {"left-square-bracket", '['},
    {"backslash", '\\'},
    {"reverse-solidus", '\\'},
    {"right-square-bracket", ']'},
    {"circumflex", '^'},
    {"circumflex-accent", '^'},
    {"underscore", '_'},
    {"low-line", '_'},
    {"grave-accent", '`'},
    {"left-brace", '{'},
    {"left-curly-bracket", '{'},
    {"vertical-line", '|'},
    {"right-brace", '}'},
    {"right-curly-bracket", '}'},
    {"tilde", '~'},
    {"DEL", 127},
});

// PostgreSQL lets an escape name characters that no text has; they match nothing.
constexpr char32_t named_code_max = 0x7ffffffe;

/// Reads `count` to `most` digits of a base as a number.
result<char32_t> read_digits(std::u32string_view text, std::size_t& at, char32_t base,
                             std::size_t least, std::size_t most) {
  char32_t value = 0;
  std::size_t count = 0;
  for (; count < most && at < text.size(); ++count, ++at) {
    const auto c = text[at];
    char32_t digit = base;
    if (c >= '0' && c <= '9')
      digit = c - '0';
    else if (c >= 'a' && c <= 'f')
      digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
      digit = c - 'A' + 10;
    if (digit >= base)
      break;
    if (value > (named_code_max - digit) / base)
      return invalid("invalid escape \\ sequence");
    value = value * base + digit;
  }
  if (count < least)
    return invalid("invalid escape \\ sequence");
  return value;
}

/// Reads `[.x.]` or `[=x=]` behind its first two characters.
result<char32_t> read_collating_element(std::u32string_view text, std::size_t& at, char32_t mark) {
  const std::u32string end{mark, U']'};
  const auto stop = text.find(end, at);
  if (stop == std::u32string_view::npos)
    return invalid("brackets [] not balanced");
  const auto inner = text.substr(at, stop - at);
  at = stop + 2;
  if (inner.size() == 1)
    return inner[0];
  for (const auto& known : character_names)
    if (std::equal(inner.begin(), inner.end(), known.name.begin(), known.name.end(),
                   [](char32_t a, char b) { return a == static_cast<unsigned char>(b); }))
      return known.code;
  return invalid("invalid collating element");
}

/// Reads the inside of brackets.
class bracket_reader {
public:
  bracket_reader(std::u32string_view text, std::size_t& at, bool ignore_case)
      : text_(text), at_(at), ignore_case_(ignore_case) {}

  result<code_set> read() {
    bool first = true;
    while (true) {
      if (at_ >= text_.size())
        return invalid("brackets [] not balanced");
      if (text_[at_] == ']' && !first) {
        ++at_;
        return std::move(set_);
      }
      EBB_TRY(read_part(first));
      first = false;
    }
  }

private:
  result<void> read_part(bool first) {
    EBB_ASSIGN(const auto whole, read_class());
    if (whole) {
      set_.add(*whole);
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']')
        return invalid("invalid character range");
      return {};
    }
    // A `-` that is neither first nor last nor behind a range is a range without a start.
    if (text_[at_] == '-' && !first && at_ + 1 < text_.size() && text_[at_ + 1] != ']')
      return invalid("invalid character range");
    EBB_ASSIGN(const auto start, read_character());
    if (at_ + 1 >= text_.size() || text_[at_] != '-' || text_[at_ + 1] == ']') {
      add_character(set_, start, ignore_case_);
      return {};
    }
    ++at_;
    EBB_ASSIGN(const auto not_an_end, read_class());
    if (not_an_end)
      return invalid("invalid character range");
    EBB_ASSIGN(const auto end, read_character());
    if (end < start)
      return invalid("invalid character range");
    set_.add(start, end);
    if (ignore_case_) {
      constexpr char32_t most = 100'000;
      for (char32_t c = start; c <= std::min<char32_t>(end, start + most); ++c) {
        const auto lower = unicode::to_lower(c);
        const auto upper = unicode::to_upper(c);
        set_.add(lower, lower);
        set_.add(upper, upper);
      }
    }
    return {};
  }

  /// `[:name:]`, `[=x=]` or a class escape; nothing when something else follows.
  result<std::optional<code_set>> read_class() {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      auto set = class_escape(text_[at_ + 1]);
      if (set)
        at_ += 2;
      return set;
    }
    if (text_.substr(at_, 2) == U"[:") {
      const auto stop = text_.find(U":]", at_ + 2);
      if (stop == std::u32string_view::npos)
        return invalid("brackets [] not balanced");
      std::string name;
      for (const auto c : text_.substr(at_ + 2, stop - at_ - 2))
        name += c < 0x80 ? static_cast<char>(c) : '?';
      auto set = named_class(name, ignore_case_);
      if (!set)
        return invalid("invalid character class");
      at_ = stop + 2;
      return set;
    }
    if (text_.substr(at_, 2) == U"[=") {
      at_ += 2;
      EBB_ASSIGN(const auto c, read_collating_element(text_, at_, '='));
      code_set set;
      add_character(set, c, ignore_case_);
      return std::optional<code_set>{std::move(set)};
    }
    return std::optional<code_set>{};
  }

  result<char32_t> read_character() {
    if (text_.substr(at_, 2) == U"[.") {
      at_ += 2;
      return read_collating_element(text_, at_, '.');
    }
    if (text_[at_] == '\\') {
      ++at_;
      return read_character_escape(text_, at_);
    }
    return text_[at_++];
  }

  std::u32string_view text_;
  std::size_t& at_;
  bool ignore_case_;
  code_set set_;
};

} // namespace

void add_character(code_set& set, char32_t c, bool ignore_case) {
  if (!ignore_case || c > code_set::last_code) {
    set.add(c, c);
    return;
  }
  const auto lower = unicode::to_lower(c);
  const auto upper = unicode::to_upper(c);
  set.add(lower, lower);
  set.add(upper, upper);
}

std::optional<code_set> class_escape(char32_t letter) {
  std::optional<code_set> set;
  switch (letter) {
  case 'd':
  case 'D':
    set = named_class("digit", false);
    break;
  case 's':
  case 'S':
    set = named_class("space", false);
    break;
  case 'w':
  case 'W':
    set = code_set::words();
    break;
  default:
    return std::nullopt;
  }
  if (letter < 'a')
    set->complement();
  return set;
}

result<char32_t> read_character_escape(std::u32string_view text, std::size_t& at) {
  if (at >= text.size())
    return invalid("invalid escape \\ sequence");
  const auto c = text[at++];
  switch (c) {
  case 'a':
    return U'\a';
  case 'b':
    return U'\b';
  case 'B':
    return U'\\';
  case 'c':
    if (at >= text.size())
      return invalid("invalid escape \\ sequence");
    return text[at++] & 0x1f;
  case 'e':
    return char32_t{27};
  case 'f':
    return U'\f';
  case 'n':
    return U'\n';
  case 'r':
    return U'\r';
  case 't':
    return U'\t';
  case 'v':
    return U'\v';
  case 'u':
    return read_digits(text, at, 16, 4, 4);
  case 'U':
    return read_digits(text, at, 16, 8, 8);
  case 'x':
    return read_digits(text, at, 16, 1, 255);
  default:
    break;
  }
  if (c >= '0' && c <= '9') {
    --at;
    const auto start = at;
    EBB_ASSIGN(auto code, read_digits(text, at, 8, 1, 3));
    if (code > 0xff) {
      at = start;
      EBB_ASSIGN(code, read_digits(text, at, 8, 1, 2));
    }
    return code;
  }
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
    return invalid("invalid escape \\ sequence");
  return c;
}

result<code_set> read_bracket_set(std::u32string_view text, std::size_t& at, bool ignore_case) {
  return bracket_reader(text, at, ignore_case).read();
}

} // namespace ebb
