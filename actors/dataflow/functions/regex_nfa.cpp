#include "actors/dataflow/functions/regex_nfa.hpp"

#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <optional>

namespace ebb {

namespace {

constexpr std::size_t most_instructions = 20'000;

} // namespace

std::uint32_t regex_nfa::add(op code) {
  program_.push_back({code});
  return static_cast<std::uint32_t>(program_.size() - 1);
}

/// Appends the code of `x`, which falls through to whatever comes next; false = too large.
bool regex_nfa::emit(const regex_node& x) {
  if (program_.size() > most_instructions)
    return false;
  const auto here = [&] { return static_cast<std::uint32_t>(program_.size()); };
  switch (x.kind) {
  case regex_kind::empty:
    return true;
  case regex_kind::set: {
    const auto at = add(op::character);
    program_[at].first = here();
    program_[at].second = static_cast<std::uint32_t>(sets_.size());
    sets_.push_back(x.set);
    return true;
  }
  case regex_kind::concat:
    for (const auto& child : x.children)
      if (!emit(child))
        return false;
    return true;
  case regex_kind::alternate: {
    std::vector<std::uint32_t> exits;
    for (std::size_t k = 0; k < x.children.size(); ++k) {
      const bool last = k + 1 == x.children.size();
      const auto split = last ? 0 : add(op::split);
      if (!last)
        program_[split].first = here();
      if (!emit(x.children[k]))
        return false;
      if (last)
        break;
      exits.push_back(add(op::jump));
      program_[split].second = here();
    }
    for (const auto exit : exits)
      program_[exit].first = here();
    return true;
  }
  case regex_kind::group: {
    const auto slot = static_cast<std::uint32_t>(2 * x.capture);
    if (x.capture != 0) {
      const auto at = add(op::save);
      program_[at].first = here();
      program_[at].second = slot;
    }
    if (!emit(x.children.front()))
      return false;
    if (x.capture != 0) {
      const auto at = add(op::save);
      program_[at].first = here();
      program_[at].second = slot + 1;
    }
    return true;
  }
  case regex_kind::repeat: {
    const auto& body = x.children.front();
    for (int k = 0; k < x.min; ++k)
      if (!emit(body))
        return false;
    if (x.max == unbounded) {
      const auto loop = add(op::split);
      program_[loop].first = here();
      if (!emit(body))
        return false;
      program_[add(op::jump)].first = loop;
      program_[loop].second = here();
      return true;
    }
    std::vector<std::uint32_t> skips;
    for (int k = x.min; k < x.max; ++k) {
      skips.push_back(add(op::split));
      program_[skips.back()].first = here();
      if (!emit(body))
        return false;
    }
    for (const auto skip : skips)
      program_[skip].second = here();
    return true;
  }
  default: {
    const auto at = add(op::assertion);
    program_[at].assertion = x.kind;
    program_[at].first = here();
    return true;
  }
  }
}

result<regex_nfa> regex_nfa::compile(const regex_tree& tree) {
  regex_nfa made;
  made.slots_ = 2 * (static_cast<std::size_t>(tree.captures) + 1);
  if (!made.emit(tree.root) || made.program_.size() > most_instructions)
    return make_error(ec::unsupported, "regular expression is too complex",
                      "use smaller repetition counts");
  made.add(op::accept);
  return made;
}

/// One search: the threads of the current and the next character, in order of preference.
class regex_nfa::run {
public:
  run(const regex_nfa& nfa, std::string_view text)
      : nfa_(nfa), text_(text), current_(nfa.program_.size()), next_(nfa.program_.size()) {}

  bool search(std::size_t start, std::span<std::string_view> groups) {
    std::size_t at = start;
    std::optional<char32_t> before = character_before(start);
    while (true) {
      if (!matched_) {
        std::vector<std::size_t> slots(nfa_.slots_, unset);
        slots[0] = at;
        follow(current_, 0, at, before, std::move(slots));
      }
      if (current_.order.empty() && matched_)
        break;
      if (at >= text_.size())
        break;
      auto end = at;
      const char32_t c = utf8::next(text_, end);
      step(c, end);
      std::swap(current_, next_);
      next_.clear();
      before = c;
      at = end;
    }
    if (!matched_)
      return false;
    for (std::size_t k = 0; k < groups.size(); ++k) {
      const bool set =
          2 * k + 1 < best_.size() && best_[2 * k] != unset && best_[2 * k + 1] != unset;
      groups[k] =
          set ? text_.substr(best_[2 * k], best_[2 * k + 1] - best_[2 * k]) : std::string_view{};
    }
    return true;
  }

private:
  static constexpr std::size_t unset = std::string_view::npos;

  struct thread {
    std::uint32_t at;
    std::vector<std::size_t> slots;
  };

  struct thread_list {
    explicit thread_list(std::size_t size) : seen(size, false) {}

    void clear() {
      order.clear();
      std::fill(seen.begin(), seen.end(), false);
    }

    std::vector<thread> order;
    std::vector<bool> seen;
  };

  std::optional<char32_t> character_before(std::size_t at) const {
    if (at == 0)
      return std::nullopt;
    auto start = utf8::before_suffix(text_.substr(0, at), 1);
    return utf8::next(text_, start);
  }

  [[nodiscard]] bool holds(regex_kind kind, std::size_t at,
                           const std::optional<char32_t>& before) const {
    static const auto words = code_set::words();
    std::optional<char32_t> after;
    if (at < text_.size()) {
      auto end = at;
      after = utf8::next(text_, end);
    }
    const bool word_before = before && words.contains(*before);
    const bool word_after = after && words.contains(*after);
    switch (kind) {
    case regex_kind::text_start:
      return !before;
    case regex_kind::text_end:
      return !after;
    case regex_kind::line_start:
      return !before || *before == '\n';
    case regex_kind::line_end:
      return !after || *after == '\n';
    case regex_kind::word_start:
      return !word_before && word_after;
    case regex_kind::word_end:
      return word_before && !word_after;
    case regex_kind::word_edge:
      return word_before != word_after;
    default:
      return word_before == word_after;
    }
  }

  /// Adds the thread and all it reaches without a character, the preferred ones first.
  void follow(thread_list& list, std::uint32_t pc, std::size_t at,
              const std::optional<char32_t>& before, std::vector<std::size_t> slots) {
    std::vector<thread> open;
    open.push_back({pc, std::move(slots)});
    while (!open.empty()) {
      auto now = std::move(open.back());
      open.pop_back();
      if (list.seen[now.at])
        continue;
      list.seen[now.at] = true;
      const auto& x = nfa_.program_[now.at];
      switch (x.code) {
      case op::jump:
        open.push_back({x.first, std::move(now.slots)});
        break;
      case op::split:
        open.push_back({x.second, now.slots});
        open.push_back({x.first, std::move(now.slots)});
        break;
      case op::save:
        now.slots[x.second] = at;
        open.push_back({x.first, std::move(now.slots)});
        break;
      case op::assertion:
        if (holds(x.assertion, at, before))
          open.push_back({x.first, std::move(now.slots)});
        break;
      case op::character:
        list.order.push_back(std::move(now));
        break;
      case op::accept:
        accept(std::move(now.slots), at);
        break;
      }
    }
  }

  void accept(std::vector<std::size_t> slots, std::size_t at) {
    slots[1] = at;
    if (!matched_ || slots[0] < best_[0] || (slots[0] == best_[0] && at > best_[1])) {
      matched_ = true;
      best_ = std::move(slots);
    }
  }

  void step(char32_t c, std::size_t end) {
    for (auto& candidate : current_.order) {
      if (matched_ && candidate.slots[0] > best_[0])
        continue;
      const auto& x = nfa_.program_[candidate.at];
      if (nfa_.sets_[x.second].contains(c))
        follow(next_, x.first, end, c, std::move(candidate.slots));
    }
  }

  const regex_nfa& nfa_;
  std::string_view text_;
  thread_list current_;
  thread_list next_;
  bool matched_ = false;
  std::vector<std::size_t> best_;
};

bool regex_nfa::match(std::string_view text, std::size_t start,
                      std::span<std::string_view> groups) const {
  return run(*this, text).search(start, groups);
}

} // namespace ebb
