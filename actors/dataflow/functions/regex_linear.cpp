#include "actors/dataflow/functions/regex_linear.hpp"

#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace ebb {

namespace {

constexpr std::uint32_t no_limit = 0xffffffff;

bool single(const code_set& set) noexcept {
  return set.ranges().size() == 1 && set.ranges().front().first == set.ranges().front().second;
}

const code_set& beyond_ascii() {
  static const code_set set = [] {
    code_set x;
    x.add(0x80, code_set::last_code);
    return x;
  }();
  return set;
}

} // namespace

/// Makes the programs of a tree.
class regex_linear::builder {
public:
  explicit builder(regex_linear& target) : target_(target) {}

  bool build(const regex_tree& tree) {
    if (2 * (static_cast<std::size_t>(tree.captures) + 1) > most_slots)
      return false;
    if (!expand({}, {&tree.root}))
      return false;
    find_required();
    find_first();
    return true;
  }

private:
  /// A part of a sequence: a node, or the mark of a group's start or end.
  struct part {
    part(const regex_node* x) : node(x) {}

    explicit part(std::uint32_t s) : slot(s) {}

    const regex_node* node = nullptr;
    std::uint32_t slot = 0;
  };

  /// Opens groups and multiplies out choices, as long as only fixed parts stand before them.
  bool expand(std::vector<part> done, std::vector<part> rest) {
    while (!rest.empty()) {
      const auto now = rest.front();
      rest.erase(rest.begin());
      if (now.node == nullptr) {
        done.push_back(now);
        continue;
      }
      const auto& x = *now.node;
      if (x.kind == regex_kind::empty)
        continue;
      if (x.kind == regex_kind::concat) {
        rest.insert(rest.begin(), x.children.size(), part(0U));
        for (std::size_t k = 0; k < x.children.size(); ++k)
          rest[k] = part(&x.children[k]);
        continue;
      }
      if (x.kind == regex_kind::group) {
        std::vector<part> opened;
        const auto slot = static_cast<std::uint32_t>(2 * x.capture);
        if (x.capture != 0)
          opened.push_back(part(slot));
        opened.push_back(part(&x.children.front()));
        if (x.capture != 0)
          opened.push_back(part(slot + 1));
        rest.insert(rest.begin(), opened.begin(), opened.end());
        continue;
      }
      if (x.kind == regex_kind::alternate) {
        if (!fixed_so_far(done) || x.children.size() > most_programs)
          return false;
        for (const auto& child : x.children) {
          auto branch = rest;
          branch.insert(branch.begin(), part(&child));
          if (!expand(done, std::move(branch)))
            return false;
        }
        return true;
      }
      done.push_back(now);
    }
    return target_.programs_.size() < most_programs && compile(done);
  }

  static bool fixed_so_far(const std::vector<part>& parts) {
    return std::all_of(parts.begin(), parts.end(), [](const part& x) {
      return x.node == nullptr || x.node->kind != regex_kind::repeat;
    });
  }

  bool compile(const std::vector<part>& parts) {
    program made;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const auto& x = parts[k];
      if (x.node == nullptr) {
        made.elements.push_back({op::save, x.slot, 0, 0});
        continue;
      }
      switch (x.node->kind) {
      case regex_kind::text_start:
        made.elements.push_back({op::text_start, 0, 0, 0});
        break;
      case regex_kind::text_end:
        made.elements.push_back({op::text_end, 0, 0, 0});
        break;
      case regex_kind::set:
        add_set(made, x.node->set);
        break;
      case regex_kind::repeat:
        if (!add_repeat(made, parts, k))
          return false;
        break;
      default:
        return false;
      }
    }
    target_.programs_.push_back(std::move(made));
    return true;
  }

  void add_set(program& made, const code_set& set) {
    if (!single(set)) {
      made.elements.push_back({op::one, add_class(set), 1, 1});
      return;
    }
    if (made.elements.empty() || made.elements.back().code != op::literal) {
      made.elements.push_back(
          {op::literal, static_cast<std::uint32_t>(target_.literals_.size()), 0, 0});
      target_.literals_.emplace_back();
    }
    utf8::append(set.ranges().front().first, target_.literals_[made.elements.back().index]);
  }

  bool add_repeat(program& made, const std::vector<part>& parts, std::size_t place) {
    const auto& x = *parts[place].node;
    const auto* body = &x.children.front();
    while (body->kind == regex_kind::group && body->capture == 0)
      body = &body->children.front();
    if (body->kind != regex_kind::set)
      return false;
    // What follows must not be able to take a character of the repeat.
    bool open = true;
    for (auto k = place + 1; k < parts.size() && open; ++k) {
      if (parts[k].node == nullptr)
        continue;
      // `a*^` matches nothing at the start of a text of which the repeat would take a part.
      if (parts[k].node->kind == regex_kind::text_start)
        return false;
      const auto edge = first_of(*parts[k].node);
      if (edge.set.intersects(body->set))
        return false;
      open = edge.nullable;
    }
    made.elements.push_back({op::repeat, add_class(body->set), static_cast<std::uint32_t>(x.min),
                             x.max == unbounded ? no_limit : static_cast<std::uint32_t>(x.max)});
    return true;
  }

  std::uint32_t add_class(const code_set& set) {
    byte_class made;
    made.beyond_ascii = set.intersects(beyond_ascii());
    if (made.beyond_ascii && !beyond_ascii().subset_of(set)) {
      made.beyond_ascii = false;
      target_.ascii_only_ = true;
    }
    for (char32_t c = 0; c < 0x80; ++c)
      made.has[c] = set.contains(c);
    for (std::size_t lead = 0xc0; lead < 0x100; ++lead)
      made.has[lead] = made.beyond_ascii;
    target_.classes_.push_back(made);
    return static_cast<std::uint32_t>(target_.classes_.size() - 1);
  }

  /// Bytes before the first literal, when all before it has a fixed size in bytes.
  struct literal_place {
    std::string_view literal;
    std::size_t offset;
  };

  std::optional<literal_place> first_literal(const program& x) const {
    std::size_t offset = 0;
    std::optional<literal_place> best;
    for (const auto& element : x.elements) {
      if (element.code == op::literal) {
        const std::string_view literal = target_.literals_[element.index];
        if (!best || literal.size() > best->literal.size())
          best = literal_place{literal, offset};
        offset += literal.size();
      } else if (element.code == op::one && !target_.classes_[element.index].beyond_ascii) {
        ++offset;
      } else if (element.code == op::one || element.code == op::repeat) {
        break;
      }
    }
    return best;
  }

  /// With several programs, occurrences of the literal must give their places in order.
  void find_required() {
    auto& programs = target_.programs_;
    std::size_t least = std::string_view::npos;
    std::size_t most = 0;
    std::string required;
    for (auto& x : programs) {
      const auto place = first_literal(x);
      if (!place || place->literal.size() < 2 || (!required.empty() && place->literal != required))
        return;
      required = place->literal;
      x.offset = place->offset;
      least = std::min(least, x.offset);
      most = std::max(most, x.offset);
    }
    if (programs.size() > 1 && (most - least > 1 || required[0] == required[1]))
      return;
    std::stable_sort(programs.begin(), programs.end(),
                     [](const program& a, const program& b) { return a.offset > b.offset; });
    target_.required_ = std::move(required);
  }

  void find_first() {
    target_.anchored_ = true;
    for (const auto& x : target_.programs_) {
      bool anchored = false;
      bool open = true;
      for (const auto& element : x.elements) {
        switch (element.code) {
        case op::text_start:
          anchored = true;
          break;
        case op::literal:
          target_.first_[static_cast<unsigned char>(target_.literals_[element.index][0])] = true;
          open = false;
          break;
        case op::one:
        case op::repeat: {
          const auto& set = target_.classes_[element.index];
          for (std::size_t b = 0; b < 256; ++b)
            target_.first_[b] |= set.has[b];
          open = element.code == op::repeat && element.min == 0;
          break;
        }
        case op::text_end:
        case op::save:
          break;
        }
        if (!open)
          break;
      }
      target_.anchored_ &= anchored;
      target_.everywhere_ |= open;
    }
  }

  regex_linear& target_;
};

std::optional<regex_linear> regex_linear::compile(const regex_tree& tree) {
  regex_linear made;
  if (!builder(made).build(tree))
    return std::nullopt;
  return made;
}

std::size_t regex_linear::repeat(const piece& x, std::string_view text,
                                 std::size_t at) const noexcept {
  const auto& set = classes_[x.index];
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  if (x.min <= 1 && x.max == no_limit) {
    const auto begin = at;
    if (set.beyond_ascii)
      while (at < text.size() && (set.has[byte(at)] || utf8::is_continuation(text[at])))
        ++at;
    else
      while (at < text.size() && set.has[byte(at)])
        ++at;
    return at - begin < x.min ? std::string_view::npos : at;
  }
  std::uint32_t count = 0;
  for (; count < x.max && at < text.size() && set.has[byte(at)]; ++count)
    at = std::min(text.size(), at + utf8::width(text[at]));
  return count < x.min ? std::string_view::npos : at;
}

std::size_t regex_linear::run(const program& x, std::string_view text, std::size_t at,
                              slots& groups) const noexcept {
  constexpr auto none = std::string_view::npos;
  for (const auto& element : x.elements) {
    switch (element.code) {
    case op::literal: {
      const auto& literal = literals_[element.index];
      if (text.size() - at < literal.size()
          || std::memcmp(text.data() + at, literal.data(), literal.size()) != 0)
        return none;
      at += literal.size();
      break;
    }
    case op::one:
      if (at >= text.size() || !classes_[element.index].has[static_cast<unsigned char>(text[at])])
        return none;
      at = std::min(text.size(), at + utf8::width(text[at]));
      break;
    case op::repeat:
      at = repeat(element, text, at);
      if (at == none)
        return none;
      break;
    case op::text_start:
      if (at != 0)
        return none;
      break;
    case op::text_end:
      if (at != text.size())
        return none;
      break;
    case op::save:
      groups[element.index] = at;
      break;
    }
  }
  return at;
}

bool regex_linear::try_at(std::string_view text, std::size_t at,
                          std::span<std::string_view> found) const noexcept {
  constexpr auto none = std::string_view::npos;
  std::size_t end = none;
  slots best;
  slots groups;
  for (const auto& x : programs_) {
    groups.fill(none);
    const auto reached = run(x, text, at, groups);
    if (reached == none || (end != none && reached <= end))
      continue;
    end = reached;
    best = groups;
  }
  if (end == none)
    return false;
  for (std::size_t k = 0; k < found.size(); ++k) {
    const bool known = k == 0 || (2 * k + 1 < most_slots && best[2 * k + 1] != none);
    const auto from = k == 0 ? at : known ? best[2 * k] : 0;
    const auto to = k == 0 ? end : known ? best[2 * k + 1] : 0;
    found[k] = known ? text.substr(from, to - from) : std::string_view{};
  }
  return true;
}

bool regex_linear::match(std::string_view text, std::size_t start,
                         std::span<std::string_view> found) const noexcept {
  if (anchored_)
    return start == 0 && try_at(text, 0, found);
  if (!required_.empty()) {
    for (auto at = find_bytes(text, required_, start); at != std::string_view::npos;
         at = find_bytes(text, required_, at + 1)) {
      auto tried = std::string_view::npos;
      for (const auto& x : programs_) {
        if (at - start < x.offset || at - x.offset == tried)
          continue;
        tried = at - x.offset;
        if (try_at(text, tried, found))
          return true;
      }
    }
    return false;
  }
  for (auto at = start; at < text.size(); ++at)
    if ((everywhere_ || first_[static_cast<unsigned char>(text[at])])
        && !utf8::is_continuation(text[at]) && try_at(text, at, found))
      return true;
  return everywhere_ && start <= text.size() && try_at(text, text.size(), found);
}

} // namespace ebb
