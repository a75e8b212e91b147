#include "actors/dataflow/functions/regex_classes.hpp"
#include "actors/dataflow/functions/regex_syntax.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <string>

namespace ebb {

namespace {

constexpr int most_repeats = 255;
/// Nesting that the parser and the tree's recursive functions are sure to have stack for.
constexpr int most_depth = 200;

error invalid(const char* why) {
  return make_error(ec::invalid_argument, std::string("invalid regular expression: ") + why);
}

error refused(const char* what, const char* hint) {
  return make_error(ec::unsupported,
                    std::string("regular expression with ") + what + " is not supported", hint);
}

regex_node leaf(regex_kind kind) {
  regex_node node;
  node.kind = kind;
  return node;
}

regex_node set_node(code_set set) {
  regex_node node;
  node.kind = regex_kind::set;
  set.normalize();
  node.set = std::move(set);
  return node;
}

/// A list of parts as one node.
regex_node join(regex_kind kind, std::vector<regex_node> parts) {
  if (parts.empty())
    return leaf(regex_kind::empty);
  if (parts.size() == 1)
    return std::move(parts.front());
  regex_node node;
  node.kind = kind;
  node.captures =
      std::any_of(parts.begin(), parts.end(), [](const auto& part) { return part.captures; });
  node.children = std::move(parts);
  return node;
}

class parser {
public:
  parser(std::string_view pattern, regex_options options) : options_(options) {
    for (std::size_t at = 0; at < pattern.size();)
      text_.push_back(utf8::next(pattern, at));
  }

  result<regex_tree> parse() {
    EBB_TRY(read_prefix());
    regex_tree tree;
    if (options_.literal) {
      std::vector<regex_node> parts;
      for (; !at_end(); ++at_)
        parts.push_back(character(text_[at_]));
      tree.root = join(regex_kind::concat, std::move(parts));
      return tree;
    }
    skip_comments();
    EBB_ASSIGN(tree.root, read_alternatives(0));
    if (!at_end())
      return invalid("parentheses () not balanced");
    tree.captures = captures_;
    return tree;
  }

private:
  [[nodiscard]] bool at_end() const noexcept {
    return at_ >= text_.size();
  }

  [[nodiscard]] bool sees(std::string_view what) const noexcept {
    if (text_.size() - at_ < what.size())
      return false;
    for (std::size_t i = 0; i < what.size(); ++i)
      if (text_[at_ + i] != static_cast<unsigned char>(what[i]))
        return false;
    return true;
  }

  bool take(std::string_view what) noexcept {
    if (!sees(what))
      return false;
    at_ += what.size();
    return true;
  }

  /// `***=`, `***:` and `(?flags)`.
  result<void> read_prefix() {
    if (options_.literal)
      return {};
    if (take("***=")) {
      options_.literal = true;
      return {};
    }
    if (sees("***") && !take("***:"))
      return invalid("quantifier operand invalid");
    if (!sees("(?") || at_ + 2 >= text_.size() || !is_letter(text_[at_ + 2]))
      return {};
    for (at_ += 2; !at_end() && is_letter(text_[at_]); ++at_)
      EBB_TRY(read_option(text_[at_]));
    if (!take(")"))
      return invalid("invalid embedded option");
    return {};
  }

  result<void> read_option(char32_t c) {
    switch (c) {
    case 'c':
      options_.ignore_case = false;
      return {};
    case 'i':
      options_.ignore_case = true;
      return {};
    case 'm':
    case 'n':
      options_.newline_stops = options_.newline_anchors = true;
      return {};
    case 'p':
      options_.newline_stops = true;
      options_.newline_anchors = false;
      return {};
    case 'q':
      options_.literal = true;
      return {};
    case 's':
      options_.newline_stops = options_.newline_anchors = false;
      return {};
    case 't':
      options_.expanded = false;
      return {};
    case 'w':
      options_.newline_stops = false;
      options_.newline_anchors = true;
      return {};
    case 'x':
      options_.expanded = true;
      return {};
    case 'b':
    case 'e':
      return refused("embedded option b or e", "write the pattern in the usual (ARE) syntax");
    default:
      return invalid("invalid embedded option");
    }
  }

  static bool is_letter(char32_t c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  /// `(?#…)` anywhere; white space and `#…` in expanded syntax.
  void skip_comments() {
    while (!at_end()) {
      if (options_.expanded && is_space(text_[at_])) {
        ++at_;
      } else if (options_.expanded && text_[at_] == '#') {
        while (!at_end() && text_[at_] != '\n')
          ++at_;
      } else if (sees("(?#")) {
        while (!at_end() && text_[at_] != ')')
          ++at_;
        if (!at_end())
          ++at_;
      } else {
        return;
      }
    }
  }

  static bool is_space(char32_t c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }

  result<regex_node> read_alternatives(int depth) {
    if (depth > most_depth)
      return make_error(ec::unsupported, "regular expression is nested too deeply");
    std::vector<regex_node> branches;
    while (true) {
      EBB_ASSIGN(auto branch, read_branch(depth));
      branches.push_back(std::move(branch));
      if (!take("|"))
        break;
      skip_comments();
    }
    return join(regex_kind::alternate, std::move(branches));
  }

  result<regex_node> read_branch(int depth) {
    std::vector<regex_node> parts;
    while (!at_end() && text_[at_] != '|' && text_[at_] != ')') {
      EBB_ASSIGN(auto atom, read_atom(depth));
      skip_comments();
      EBB_ASSIGN(auto part, read_quantifier(std::move(atom)));
      parts.push_back(std::move(part));
      skip_comments();
    }
    return join(regex_kind::concat, std::move(parts));
  }

  [[nodiscard]] bool at_quantifier() const noexcept {
    if (at_end())
      return false;
    const auto c = text_[at_];
    return c == '*' || c == '+' || c == '?' || (c == '{' && digit_follows());
  }

  [[nodiscard]] bool digit_follows() const noexcept {
    return at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9';
  }

  result<regex_node> read_quantifier(regex_node atom) {
    if (!at_quantifier())
      return atom;
    if (atom.kind >= regex_kind::text_start && atom.kind <= regex_kind::word_inside)
      return invalid("quantifier operand invalid");
    regex_node node;
    node.kind = regex_kind::repeat;
    node.captures = atom.captures;
    const auto c = text_[at_++];
    node.min = c == '+' ? 1 : 0;
    node.max = c == '?' ? 1 : unbounded;
    if (c == '{')
      EBB_TRY(read_bounds(node));
    if (!at_end() && text_[at_] == '?')
      return refused("a non-greedy quantifier",
                     "use a greedy quantifier and a class that cannot match too much: [^,]*");
    skip_comments();
    if (at_quantifier())
      return invalid("quantifier operand invalid");
    if (node.max == 0)
      // The atom is gone, but its groups still count.
      return leaf(regex_kind::empty);
    node.children.push_back(std::move(atom));
    return node;
  }

  result<void> read_bounds(regex_node& node) {
    EBB_ASSIGN(node.min, read_count());
    node.max = node.min;
    if (take(",")) {
      node.max = unbounded;
      if (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') {
        EBB_ASSIGN(node.max, read_count());
      }
    }
    if (at_end())
      return invalid("braces {} not balanced");
    if (!take("}"))
      return invalid("invalid repetition count(s)");
    if (node.max != unbounded && node.min > node.max)
      return invalid("invalid repetition count(s)");
    return {};
  }

  result<int> read_count() {
    int value = 0;
    for (; !at_end() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      value = value * 10 + static_cast<int>(text_[at_] - '0');
      if (value > most_repeats)
        return invalid("invalid repetition count(s)");
    }
    return value;
  }

  result<regex_node> read_atom(int depth) {
    const auto c = text_[at_];
    switch (c) {
    case '(':
      return read_group(depth);
    case '[':
      return read_brackets();
    case '\\':
      return read_escape();
    case '^':
      ++at_;
      return leaf(options_.newline_anchors ? regex_kind::line_start : regex_kind::text_start);
    case '$':
      ++at_;
      return leaf(options_.newline_anchors ? regex_kind::line_end : regex_kind::text_end);
    case '.': {
      ++at_;
      auto set = code_set::all();
      if (options_.newline_stops) {
        set = code_set{};
        set.add('\n', '\n');
        set.complement();
      }
      return set_node(std::move(set));
    }
    case '*':
    case '+':
    case '?':
      return invalid("quantifier operand invalid");
    case '{':
      if (digit_follows())
        return invalid("quantifier operand invalid");
      break;
    default:
      break;
    }
    ++at_;
    return character(c);
  }

  result<regex_node> read_group(int depth) {
    ++at_;
    regex_node node;
    node.kind = regex_kind::group;
    if (take("?:")) {
    } else if (sees("?=") || sees("?!") || sees("?<=") || sees("?<!")) {
      return refused("look-around", "match the surrounding text too and take a group of it");
    } else if (sees("?")) {
      return invalid("quantifier operand invalid");
    } else {
      node.capture = ++captures_;
    }
    skip_comments();
    EBB_ASSIGN(auto inner, read_alternatives(depth + 1));
    if (!take(")"))
      return invalid("parentheses () not balanced");
    node.captures = node.capture != 0 || inner.captures;
    node.children.push_back(std::move(inner));
    return node;
  }

  /// A character as pattern text; both cases where case is ignored.
  [[nodiscard]] regex_node character(char32_t c) const {
    code_set set;
    add_character(set, c, options_.ignore_case);
    return set_node(std::move(set));
  }

  result<regex_node> read_escape() {
    ++at_;
    if (at_end())
      return invalid("invalid escape \\ sequence");
    const auto c = text_[at_];
    switch (c) {
    case 'A':
      ++at_;
      return leaf(regex_kind::text_start);
    case 'Z':
      ++at_;
      return leaf(regex_kind::text_end);
    case 'm':
      ++at_;
      return leaf(regex_kind::word_start);
    case 'M':
      ++at_;
      return leaf(regex_kind::word_end);
    case 'y':
      ++at_;
      return leaf(regex_kind::word_edge);
    case 'Y':
      ++at_;
      return leaf(regex_kind::word_inside);
    default:
      break;
    }
    if (const auto set = class_escape(c)) {
      ++at_;
      return set_node(*set);
    }
    if (c >= '1' && c <= '9') {
      // One digit, or a number of a group, is a back reference; other numbers are octal codes.
      auto end = at_;
      int number = 0;
      while (end < text_.size() && text_[end] >= '0' && text_[end] <= '9' && number < 1000)
        number = number * 10 + static_cast<int>(text_[end++] - '0');
      if (end - at_ == 1 || number <= captures_) {
        if (number > captures_)
          return invalid("invalid backreference number");
        return refused("a back reference", "compare the parts with = after regexp_match");
      }
    }
    EBB_ASSIGN(const auto code, read_character_escape(text_, at_));
    return character(code);
  }

  result<regex_node> read_brackets() {
    if (take("[[:<:]]"))
      return leaf(regex_kind::word_start);
    if (take("[[:>:]]"))
      return leaf(regex_kind::word_end);
    ++at_;
    const bool negated = take("^");
    EBB_ASSIGN(auto set, read_bracket_set(text_, at_, options_.ignore_case));
    set.normalize();
    if (negated) {
      if (options_.newline_stops) {
        set.add('\n', '\n');
        set.normalize();
      }
      set.complement();
    }
    return set_node(std::move(set));
  }

  std::u32string text_;
  std::size_t at_ = 0;
  regex_options options_;
  int captures_ = 0;
};

} // namespace

result<regex_tree> parse_regex(std::string_view pattern, regex_options options) {
  return parser(pattern, options).parse();
}

} // namespace ebb
