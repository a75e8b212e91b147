#include "actors/dataflow/functions/regex.hpp"

#include "actors/dataflow/functions/find_bytes.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace ebb {

namespace {

constexpr std::int64_t re2_memory = std::int64_t{32} << 20;

/// The text that is all the pattern can match, if it is one text.
std::optional<std::string> literal_of(const regex_node& root) {
  const auto single = [](const regex_node& x) {
    return x.kind == regex_kind::set && x.set.ranges().size() == 1
           && x.set.ranges().front().first == x.set.ranges().front().second;
  };
  const bool sequence = root.kind == regex_kind::concat;
  if (sequence ? !std::all_of(root.children.begin(), root.children.end(), single) : !single(root))
    return std::nullopt;
  std::string text;
  if (!sequence)
    utf8::append(root.set.ranges().front().first, text);
  else
    for (const auto& child : root.children)
      utf8::append(child.set.ranges().front().first, text);
  return text;
}

} // namespace

regex::regex() = default;
regex::~regex() = default;

result<std::shared_ptr<const regex>> regex::compile(std::string_view pattern, regex_options options,
                                                    bool needs_groups) {
  EBB_ASSIGN(const auto tree, parse_regex(pattern, options));
  if (needs_groups && !captures_agree(tree.root))
    return make_error(ec::unsupported,
                      "regular expression whose groups can match in more than one way is not "
                      "supported",
                      "let a group end where a different character follows, as in ([^/]*)/(.*), "
                      "and write (?:…) for groups that are not needed");
  std::shared_ptr<regex> made(new regex);
  made->captures_ = tree.captures;
  made->literal_ = literal_of(tree.root);
  if (made->literal_)
    return std::shared_ptr<const regex>(std::move(made));
  made->linear_ = regex_linear::compile(tree);
  if (made->linear_ && !made->linear_->ascii_only())
    return std::shared_ptr<const regex>(std::move(made));
  auto translation = to_re2(tree.root);
  if (translation.word_edges) {
    EBB_ASSIGN(made->nfa_, regex_nfa::compile(tree));
    made->always_nfa_ = !translation.exact;
  }
  re2::RE2::Options settings;
  settings.set_longest_match(true);
  settings.set_log_errors(false);
  settings.set_max_mem(re2_memory);
  made->re2_ = std::make_unique<re2::RE2>(translation.pattern, settings);
  made->group_of_ = std::move(translation.groups);
  if (!made->re2_->ok())
    return make_error(ec::unsupported, "regular expression is too complex",
                      "use smaller repetition counts");
  return std::shared_ptr<const regex>(std::move(made));
}

bool regex::match(std::string_view text, std::size_t start,
                  std::span<std::string_view> found) const {
  if (text.data() == nullptr)
    text = std::string_view("", 0); // an empty match must not look like a group that is not set
  if (literal_) {
    const auto at = find_bytes(text, *literal_, start);
    if (at == std::string_view::npos)
      return false;
    if (!found.empty())
      found[0] = text.substr(at, literal_->size());
    return true;
  }
  if (linear_ && (!linear_->ascii_only() || utf8::is_ascii(text)))
    return linear_->match(text, start, found);
  if (nfa_ && (always_nfa_ || !utf8::is_ascii(text)))
    return nfa_->match(text, start, found);
  constexpr std::size_t few = 16;
  const std::size_t wanted = found.size() <= 1 ? found.size() : std::size_t{1} + group_of_.size();
  std::array<re2::StringPiece, few> on_stack;
  std::vector<re2::StringPiece> on_heap;
  if (wanted > few)
    on_heap.resize(wanted);
  auto* pieces = wanted > few ? on_heap.data() : on_stack.data();
  if (!re2_->Match({text.data(), text.size()}, start, text.size(), re2::RE2::UNANCHORED, pieces,
                   static_cast<int>(wanted)))
    return false;
  const auto view = [](const re2::StringPiece& piece) {
    return std::string_view(piece.data(), piece.size());
  };
  std::fill(found.begin(), found.end(), std::string_view{});
  if (!found.empty())
    found[0] = view(pieces[0]);
  for (std::size_t k = 1; k < wanted; ++k) {
    const auto group = static_cast<std::size_t>(group_of_[k - 1]);
    if (group < found.size())
      found[group] = view(pieces[k]);
  }
  return true;
}

} // namespace ebb
