#include "actors/gateway/media_type.hpp"

#include "actors/gateway/parameters.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto begin = std::min(text.find_first_not_of(" \t"), text.size());
  const auto end = text.find_last_not_of(" \t");
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// The text before the next `mark`, which goes from `text` with it.
std::string_view cut(std::string_view& text, char mark) {
  const auto end = std::min(text.find(mark), text.size());
  const auto out = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

// In thousandths; -1 for what is none.
int weight_of(std::string_view text) {
  constexpr std::size_t longest = 5;
  if (text.empty() || text.size() > longest || (text[0] != '0' && text[0] != '1'))
    return -1;
  int out = (text[0] - '0') * 1'000;
  if (text.size() == 1)
    return out;
  if (text[1] != '.')
    return -1;
  int place = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9')
      return -1;
    out += (c - '0') * place;
    place /= 10;
  }
  return out > 1'000 ? -1 : out;
}

// How closely a range of Accept names a type: 0 not at all, 1 `*/*`, 2 `text/*`, 3 itself.
int closeness(std::string_view range, std::string_view type) {
  if (range == "*/*")
    return 1;
  const auto slash = range.find('/');
  if (slash == std::string_view::npos)
    return 0;
  if (range.substr(slash) == "/*")
    return same_name(range.substr(0, slash), type.substr(0, type.find('/'))) ? 2 : 0;
  return same_name(range, type) ? 3 : 0;
}

} // namespace

int choose_media_type(std::string_view accept, const std::vector<std::string_view>& offered) {
  if (trimmed(accept).empty())
    return offered.empty() ? -1 : 0;

  struct opinion {
    int close = 0;
    int weight = 0;
  };

  std::vector<opinion> opinions(offered.size());
  while (!accept.empty()) {
    auto item = cut(accept, ',');
    const auto range = cut(item, ';');
    int weight = 1'000;
    while (!item.empty()) {
      auto value = cut(item, ';');
      if (const auto name = cut(value, '='); same_name(name, "q"))
        weight = weight_of(value);
    }
    if (weight < 0)
      return -1;
    for (std::size_t i = 0; i < offered.size(); ++i)
      if (const auto close = closeness(range, offered[i]); close > opinions[i].close)
        opinions[i] = {close, weight};
  }
  int best = -1;
  for (std::size_t i = 0; i < offered.size(); ++i)
    if (opinions[i].weight > (best < 0 ? 0 : opinions[static_cast<std::size_t>(best)].weight))
      best = static_cast<int>(i);
  return best;
}

std::string media_type_of(std::string_view content_type, bool& other_charset) {
  std::string out(cut(content_type, ';'));
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  while (!content_type.empty()) {
    auto value = cut(content_type, ';');
    if (!same_name(cut(value, '='), "charset"))
      continue;
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    other_charset = !same_name(value, "utf-8") && !same_name(value, "us-ascii");
  }
  const auto slash = out.find('/');
  return slash == std::string::npos || slash == 0 || slash + 1 == out.size() ? std::string() : out;
}

} // namespace ebb
