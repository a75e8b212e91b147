#include "tools/client/kinds.hpp"

#include "actors/plan/manifest.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace ebb::client {

namespace {

constexpr std::array<kind_names, 3> kinds{{{"Stream", "stream", "streams"},
                                           {"Topic", "topic", "topics"},
                                           {"Function", "function", "functions"}}};
constexpr std::array<std::string_view, 4> views{"wakes", "decisions", "errors", "checkpoints"};

} // namespace

result<kind_names> kind_named(std::string_view word) {
  std::string low(word);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::vector<std::string> known;
  for (const auto& x : kinds) {
    if (low == x.singular || low == x.plural)
      return x;
    known.emplace_back(x.plural);
  }
  const auto nearest = nearest_name(low, known);
  return make_error(ec::invalid_argument, "there is no kind " + std::string(word),
                    nearest.empty() ? "kinds are streams, topics and functions; with a stream's "
                                      "name also wakes, decisions, errors and checkpoints"
                                    : "did you mean " + nearest + '?');
}

bool is_view(std::string_view word) noexcept {
  return std::find(views.begin(), views.end(), word) != views.end();
}

result<target> target_of(const std::string& word, const std::string& name) {
  const auto slash = word.find('/');
  EBB_ASSIGN(const auto kind, kind_named(std::string_view(word).substr(0, slash)));
  if (slash == std::string::npos)
    return target{kind, name};
  if (!name.empty() || slash + 1 == word.size())
    return make_error(ec::invalid_argument, "a kind and a name are expected, not " + word,
                      "write " + std::string(kind.singular) + "/NAME, or " + kind.singular
                          + " NAME");
  return target{kind, word.substr(slash + 1)};
}

} // namespace ebb::client
