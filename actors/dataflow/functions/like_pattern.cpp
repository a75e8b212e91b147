#include "actors/dataflow/functions/like_pattern.hpp"

#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/utf8.hpp"

namespace ebb {

like_pattern::like_pattern(std::string_view pattern, bool bytes) : bytes_(bytes) {
  std::vector<std::string> parts(1);
  bool general = false;
  for (std::size_t i = 0; i < pattern.size() && !general; ++i) {
    const char c = pattern[i];
    if (c == '%')
      parts.emplace_back();
    else if (c == '_' || (c == '\\' && i + 1 == pattern.size()))
      general = true;
    else
      parts.back() += c == '\\' ? pattern[++i] : c;
  }
  if (general) {
    pattern_ = pattern;
    return;
  }
  head_ = parts.front();
  if (parts.size() == 1) {
    shape_ = shape::exact;
    return;
  }
  tail_ = parts.back();
  for (std::size_t k = 1; k + 1 < parts.size(); ++k)
    if (!parts[k].empty())
      middle_.push_back(std::move(parts[k]));
  if (middle_.empty() && tail_.empty())
    shape_ = shape::prefix;
  else if (middle_.empty() && head_.empty())
    shape_ = shape::suffix;
  else if (middle_.size() == 1 && head_.empty() && tail_.empty())
    shape_ = shape::contains;
  else
    shape_ = shape::segments;
}

bool like_pattern::finds(std::string_view text, std::string_view part) noexcept {
  return find_bytes(text, part) != std::string_view::npos;
}

bool like_pattern::match_segments(std::string_view text) const noexcept {
  if (text.size() < head_.size() + tail_.size() || !text.starts_with(head_)
      || !text.ends_with(tail_))
    return false;
  text.remove_prefix(head_.size());
  text.remove_suffix(tail_.size());
  for (const auto& part : middle_) {
    const auto at = find_bytes(text, part);
    if (at == std::string_view::npos)
      return false;
    text.remove_prefix(at + part.size());
  }
  return true;
}

// Only the last `%` needs to be tried again: an earlier one could only leave less text. A dangling
// escape is an error only where the text is not at its end, as in PostgreSQL.
like_answer like_pattern::match_general(std::string_view text) const noexcept {
  const std::string_view pattern = pattern_;
  const auto step = [&](std::size_t at) { return bytes_ ? at + 1 : at + utf8::width(text[at]); };
  constexpr auto none = std::string_view::npos;
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t retry_pattern = none;
  std::size_t retry_text = 0;
  while (true) {
    if (t >= text.size()) {
      while (p < pattern.size() && pattern[p] == '%')
        ++p;
      return answer(p == pattern.size());
    }
    if (p < pattern.size() && pattern[p] == '%') {
      // `_` behind `%` only takes a character; the search starts behind all of them.
      for (; p < pattern.size() && (pattern[p] == '%' || pattern[p] == '_'); ++p) {
        if (pattern[p] == '%')
          continue;
        if (t >= text.size())
          return like_answer::no;
        t = step(t);
      }
      if (p == pattern.size())
        return like_answer::yes;
      if (pattern[p] == '\\' && p + 1 == pattern.size())
        return like_answer::ends_with_escape;
      retry_pattern = p;
      retry_text = t;
      continue;
    }
    if (p < pattern.size()) {
      const bool escaped = pattern[p] == '\\';
      if (escaped && p + 1 == pattern.size())
        return like_answer::ends_with_escape;
      if (pattern[p] == '_') {
        t = step(t);
        ++p;
        continue;
      }
      if (text[t] == pattern[p + (escaped ? 1 : 0)]) {
        ++t;
        p += escaped ? 2 : 1;
        continue;
      }
    }
    if (retry_pattern == none)
      return like_answer::no;
    p = retry_pattern;
    t = retry_text = step(retry_text);
  }
}

} // namespace ebb
