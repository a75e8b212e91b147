// A regular expression tree as a pattern for RE2.

#include "actors/dataflow/functions/regex_syntax.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <charconv>

namespace ebb {

namespace {

void append_code(char32_t c, std::string& out) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<std::uint32_t>(c), 16);
  out += "\\x{";
  out.append(digits, end.ptr);
  out += '}';
}

void append_literal(char32_t c, std::string& out) {
  const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (alnum || c == ' ' || c == '_')
    out += static_cast<char>(c);
  else if (c >= 0x80)
    utf8::append(c, out);
  else
    append_code(c, out);
}

void append_set(code_set set, std::string& out) {
  if (set.ranges().empty()) {
    out += "[^\\x{0}-\\x{10ffff}]";
    return;
  }
  const auto& only = set.ranges().front();
  if (set.ranges().size() == 1 && only.first == only.second) {
    append_literal(only.first, out);
    return;
  }
  if (set.ranges().size() == 1 && only.first == 0 && only.second == code_set::last_code) {
    out += "(?s:.)";
    return;
  }
  out += '[';
  for (const auto& [first, last] : set.ranges()) {
    append_code(first, out);
    if (last != first) {
      out += '-';
      append_code(last, out);
    }
  }
  out += ']';
}

class emitter {
public:
  /// `before` and `after` are what `x` stands between.
  void emit(const regex_node& x, const regex_edge& before, const regex_edge& after) {
    auto& out = result_.pattern;
    switch (x.kind) {
    case regex_kind::empty:
      out += "(?:)";
      return;
    case regex_kind::set:
      append_set(x.set, out);
      return;
    case regex_kind::text_start:
      out += "\\A";
      return;
    case regex_kind::text_end:
      out += "\\z";
      return;
    case regex_kind::line_start:
      out += "(?m:^)";
      return;
    case regex_kind::line_end:
      out += "(?m:$)";
      return;
    case regex_kind::word_edge:
      result_.word_edges = true;
      out += "\\b";
      return;
    case regex_kind::word_inside:
      result_.word_edges = true;
      out += "\\B";
      return;
    case regex_kind::word_start:
      emit_word_edge(after);
      return;
    case regex_kind::word_end:
      emit_word_edge(before);
      return;
    case regex_kind::group:
      out += x.capture != 0 ? "(" : "(?:";
      if (x.capture != 0)
        result_.groups.push_back(x.capture);
      emit(x.children.front(), before, after);
      out += ')';
      return;
    case regex_kind::concat:
      emit_sequence(x, before, after);
      return;
    case regex_kind::alternate:
      out += "(?:";
      for (std::size_t k = 0; k < x.children.size(); ++k) {
        if (k != 0)
          out += '|';
        emit(x.children[k], before, after);
      }
      out += ')';
      return;
    case regex_kind::repeat:
      emit_repeat(x);
      return;
    }
  }

  [[nodiscard]] regex_translation take() {
    return std::move(result_);
  }

private:
  /// `\b` is `\m` where a word character must follow, and `\M` where one must stand before.
  void emit_word_edge(const regex_edge& neighbour) {
    static const auto words = code_set::words();
    result_.word_edges = true;
    if (neighbour.nullable || !neighbour.set.subset_of(words))
      result_.exact = false;
    result_.pattern += "\\b";
  }

  static bool has_word_limits(const regex_node& x) {
    return x.kind == regex_kind::word_start || x.kind == regex_kind::word_end
           || std::any_of(x.children.begin(), x.children.end(), has_word_limits);
  }

  void emit_sequence(const regex_node& x, const regex_edge& before, const regex_edge& after) {
    const auto& parts = x.children;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      if (!has_word_limits(parts[k])) {
        emit(parts[k], {}, {});
        continue;
      }
      regex_edge left{{}, true};
      for (auto j = k; j-- > 0 && left.nullable;)
        left = join(std::move(left), last_of(parts[j]));
      regex_edge right{{}, true};
      for (auto j = k + 1; j < parts.size() && right.nullable; ++j)
        right = join(std::move(right), first_of(parts[j]));
      emit(parts[k], join(std::move(left), before), join(std::move(right), after));
    }
  }

  static regex_edge join(regex_edge near, const regex_edge& far) {
    if (near.nullable) {
      near.set.add(far.set);
      near.set.normalize();
      near.nullable = far.nullable;
    }
    return near;
  }

  void emit_repeat(const regex_node& x) {
    auto& out = result_.pattern;
    const auto& body = x.children.front();
    const bool grouped = body.kind != regex_kind::set;
    if (grouped)
      out += "(?:";
    // Inside a loop the neighbours are the loop's own ends; that is not looked into.
    emit(body, {{}, true}, {{}, true});
    if (grouped)
      out += ')';
    if (x.min == 0 && x.max == unbounded)
      out += '*';
    else if (x.min == 1 && x.max == unbounded)
      out += '+';
    else if (x.min == 0 && x.max == 1)
      out += '?';
    else if (x.max == unbounded)
      out += '{' + std::to_string(x.min) + ",}";
    else
      out += '{' + std::to_string(x.min) + ',' + std::to_string(x.max) + '}';
  }

  regex_translation result_;
};

} // namespace

regex_translation to_re2(const regex_node& root) {
  emitter out;
  out.emit(root, {{}, true}, {{}, true});
  return out.take();
}

} // namespace ebb
