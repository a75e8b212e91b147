#include "actors/dataflow/functions/regex_kernel.hpp"

#include "actors/dataflow/functions/utf8.hpp"

namespace ebb {

namespace {

/// Distinct patterns that are kept at a time where the pattern is a column.
constexpr std::size_t most_patterns = 256;

bool names_group(std::string_view replacement) noexcept {
  for (std::size_t i = 0; i + 1 < replacement.size(); ++i) {
    if (replacement[i] != '\\')
      continue;
    ++i;
    if (replacement[i] >= '1' && replacement[i] <= '9')
      return true;
  }
  return false;
}

result<bound_regex> compile(const regex_use& use, const char* function, std::string_view pattern,
                            std::string_view letters, bool needs_groups) {
  bound_regex made;
  regex_flags flags;
  std::string posix;
  if (use.similar) {
    EBB_ASSIGN(posix, similar_to_posix(pattern, use.flags < 0 ? "\\" : letters));
    pattern = posix;
  } else {
    EBB_ASSIGN(flags, parse_regex_flags(letters));
  }
  if (flags.global && !use.takes_global)
    return make_error(ec::invalid_argument,
                      std::string(function) + "() does not support the \"global\" option");
  flags.options.ignore_case |= use.ignore_case;
  EBB_ASSIGN(made.pattern, regex::compile(pattern, flags.options, needs_groups));
  made.global = flags.global;
  return made;
}

} // namespace

result<regex_flags> parse_regex_flags(std::string_view letters) {
  regex_flags flags;
  auto& options = flags.options;
  for (std::size_t at = 0; at < letters.size(); ++at) {
    switch (letters[at]) {
    case 'g':
      flags.global = true;
      break;
    case 'i':
      options.ignore_case = true;
      break;
    case 'c':
      options.ignore_case = false;
      break;
    case 'm':
    case 'n':
      options.newline_stops = options.newline_anchors = true;
      break;
    case 'p':
      options.newline_stops = true;
      options.newline_anchors = false;
      break;
    case 'q':
      options.literal = true;
      break;
    case 's':
      options.newline_stops = options.newline_anchors = false;
      break;
    case 't':
      options.expanded = false;
      break;
    case 'w':
      options.newline_stops = false;
      options.newline_anchors = true;
      break;
    case 'x':
      options.expanded = true;
      break;
    case 'b':
    case 'e':
      return make_error(ec::unsupported,
                        std::string("regular expression option \"") + letters[at]
                            + "\" is not supported",
                        "write the pattern in the usual (ARE) syntax");
    default:
      return make_error(ec::invalid_argument,
                        "invalid regular expression option: \""
                            + std::string(letters.substr(at, utf8::width(letters[at]))) + '"');
    }
  }
  return flags;
}

result<std::shared_ptr<const bound_call>> bind_regex(const regex_use& use, const char* function,
                                                     std::span<const expr_ptr> args) {
  using nothing = std::shared_ptr<const bound_call>;
  const auto arg = [&](int k) -> const expr& { return *args[static_cast<std::size_t>(k)]; };
  const auto pattern = constant_text(arg(use.pattern));
  if (!pattern)
    return nothing{};
  std::string letters;
  if (use.flags >= 0) {
    auto constant = constant_text(arg(use.flags));
    if (!constant)
      return nothing{};
    letters = *std::move(constant);
  }
  bool groups = use.groups;
  if (use.replacement >= 0) {
    const auto replacement = constant_text(arg(use.replacement));
    groups = !replacement || names_group(*replacement);
  }
  if (use.subexpression >= 0) {
    const auto& which = arg(use.subexpression);
    groups = which.kind != expr_kind::literal || which.value.is_null(0)
             || which.value.data<std::int32_t>()[0] != 0;
  }
  EBB_ASSIGN(auto made, compile(use, function, *pattern, letters, groups));
  return nothing{std::make_shared<bound_regex>(std::move(made))};
}

result<const bound_regex*> regex_source::at(std::uint32_t i) {
  if (bound_ != nullptr)
    return bound_;
  const auto text = [&](int k) { return args_[static_cast<std::size_t>(k)].text_of(i); };
  const auto letters = use_.flags >= 0 ? text(use_.flags) : std::string_view{};
  bool groups = use_.groups;
  if (use_.replacement >= 0)
    groups = names_group(text(use_.replacement));
  if (use_.subexpression >= 0)
    groups = value_arg<std::int32_t>(args_[static_cast<std::size_t>(use_.subexpression)])[i] != 0;
  std::string key(groups ? "1" : "0");
  key.append(letters).append(1, '\0').append(text(use_.pattern));
  auto found = seen_.find(key);
  if (found == seen_.end()) {
    auto made = compile(use_, function_, text(use_.pattern), letters, groups);
    if (!made) {
      auto problem = std::move(made).error();
      problem.row = i;
      return problem;
    }
    if (seen_.size() >= most_patterns)
      seen_.clear();
    found = seen_.emplace(std::move(key), *std::move(made)).first;
  }
  return &found->second;
}

std::optional<std::size_t> byte_of_character(std::string_view text, std::int32_t start) noexcept {
  const auto skipped_characters = static_cast<std::size_t>(start - 1);
  const auto at = utf8::prefix(text, skipped_characters);
  if (at == text.size() && utf8::length(text) < skipped_characters)
    return std::nullopt;
  return at;
}

std::size_t behind_match(std::string_view text, std::string_view match, std::size_t end) noexcept {
  if (!match.empty())
    return end;
  return end < text.size() ? end + utf8::width(text[end]) : end + 1;
}

} // namespace ebb
