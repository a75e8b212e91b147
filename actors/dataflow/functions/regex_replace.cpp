// regexp_replace and regexp_split_to_array.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/regex_kernel.hpp"

#include <string>
#include <vector>

namespace ebb {

namespace {

constexpr char replace_name[] = "regexp_replace";
constexpr char split_name[] = "regexp_split_to_array";

constexpr regex_use replace_use{.replacement = 2};
constexpr regex_use replace_flags_use{.flags = 3, .replacement = 2, .takes_global = true};
constexpr regex_use replace_all_use{.flags = 5, .replacement = 2, .takes_global = true};
constexpr regex_use split_use{};
constexpr regex_use split_flags_use{.flags = 2};

/// Appends the replacement of one match: `\1` … `\9`, `\&` and `\\`.
void append_replacement(std::string_view replacement, std::span<const std::string_view> found,
                        std::string& out) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c != '\\' || i + 1 == replacement.size()) {
      out += c;
      continue;
    }
    const char next = replacement[i + 1];
    if (next == '&') {
      out += found[0];
      ++i;
    } else if (next >= '1' && next <= '9') {
      const auto group = static_cast<std::size_t>(next - '0');
      if (group < found.size())
        out += found[group];
      ++i;
    } else {
      out += '\\';
      i += next == '\\' ? 1 : 0;
    }
  }
}

/// Replaces match number `which`, or every one where it is 0, searching from byte `start`. False
/// when nothing was replaced; `out` is then not set.
bool replace_matches(const regex& pattern, std::string_view text, std::size_t start,
                     std::int32_t which, std::string_view replacement,
                     std::vector<std::string_view>& found, std::string& out) {
  out.clear();
  found.assign(std::min<std::size_t>(static_cast<std::size_t>(pattern.groups()), 9) + 1, {});
  std::size_t copied = 0;
  std::int32_t number = 0;
  bool replaced = false;
  const char* const base = text.data() == nullptr ? "" : text.data();
  while (start <= text.size() && pattern.match(text, start, found)) {
    const auto from = text.data() == nullptr ? 0 : static_cast<std::size_t>(found[0].data() - base);
    const auto end = from + found[0].size();
    ++number;
    if (which == 0 || number == which) {
      out.append(text.substr(copied, from - copied));
      append_replacement(replacement, found, out);
      copied = end;
      replaced = true;
      if (which != 0 || out.size() > max_made_text)
        break;
    }
    start = behind_match(text, found[0], end);
  }
  if (replaced)
    out.append(text.substr(copied));
  return replaced;
}

/// Arguments: text, pattern, replacement, then flags, or start [, number [, flags]].
template <const regex_use& Use, bool Positions>
result<column> regexp_replace(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  const text_arg replacement(args[2]);
  regex_source patterns(Use, replace_name, context, args);
  text_output out(context);
  out.share_heap(args[0]);
  std::vector<std::string_view> found;
  std::string made;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    std::optional<std::size_t> start = 0;
    std::int32_t which = 1;
    if constexpr (Positions) {
      const auto first = value_arg<std::int32_t>(args[3])[i];
      if (first <= 0)
        return row_error(i, "invalid value for parameter \"start\": " + std::to_string(first));
      start = byte_of_character(text[i], first);
      if (args.size() > 4)
        which = value_arg<std::int32_t>(args[4])[i];
      if (which < 0)
        return row_error(i, "invalid value for parameter \"n\": " + std::to_string(which));
    } else if constexpr (Use.flags >= 0) {
      // A call with a start but a text for it is a common mistake.
      const auto letters = text_arg(args[3])[i];
      if (!letters.empty() && letters[0] >= '0' && letters[0] <= '9')
        return row_error(
            i, "invalid regular expression option: \"" + std::string(letters.substr(0, 1)) + '"',
            "if you meant to use regexp_replace() with a start parameter, cast the "
            "fourth argument to integer explicitly");
    }
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    if (!Positions && pattern->global)
      which = 0;
    if (!start
        || !replace_matches(*pattern->pattern, text[i], *start, which, replacement[i], found,
                            made)) {
      out.share(i, text[i]);
      continue;
    }
    if (made.size() > max_made_text)
      return too_large(i);
    out.append(i, made);
  }
  return out.take();
}

/// Empty matches at the ends and right behind another match do not split.
template <const regex_use& Use>
result<column> regexp_split(const call_context& context, std::span<const column> args) {
  const text_arg texts(args[0]);
  regex_source patterns(Use, split_name, context, args);
  text_array_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i)) {
      out.end_row(i);
      continue;
    }
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    const auto text = texts[i];
    std::string_view found[1];
    std::size_t start = 0;
    std::size_t last_end = 0;
    std::size_t piece = 0;
    while (start <= text.size() && pattern->pattern->match(text, start, found)) {
      const auto from =
          text.data() == nullptr ? 0 : static_cast<std::size_t>(found[0].data() - text.data());
      const auto end = from + found[0].size();
      if (from < text.size() && end > last_end) {
        out.append(text.substr(piece, from - piece));
        piece = end;
      }
      last_end = end;
      start = behind_match(text, found[0], end);
    }
    out.append(text.substr(piece));
    out.end_row(i);
  }
  return out.take();
}

} // namespace

void register_regex_replace(function_catalog& catalog) {
  const sql_type text{type_kind::text};
  const sql_type integer{type_kind::integer};
  const auto add = [&](const char* name, std::vector<sql_type> params, sql_type returns, kernel run,
                       auto bind) {
    scalar_function function;
    function.name = name;
    function.params = std::move(params);
    function.returns = returns;
    function.run = run;
    function.bind = bind;
    function.may_fail = true;
    catalog.add(std::move(function));
  };
  add(replace_name, {text, text, text}, text, regexp_replace<replace_use, false>,
      regex_function<replace_use, replace_name>::bind);
  add(replace_name, {text, text, text, text}, text, regexp_replace<replace_flags_use, false>,
      regex_function<replace_flags_use, replace_name>::bind);
  add(replace_name, {text, text, text, integer}, text, regexp_replace<replace_use, true>,
      regex_function<replace_use, replace_name>::bind);
  add(replace_name, {text, text, text, integer, integer}, text, regexp_replace<replace_use, true>,
      regex_function<replace_use, replace_name>::bind);
  add(replace_name, {text, text, text, integer, integer, text}, text,
      regexp_replace<replace_all_use, true>, regex_function<replace_all_use, replace_name>::bind);
  add(split_name, {text, text}, text.array_of(), regexp_split<split_use>,
      regex_function<split_use, split_name>::bind);
  add(split_name, {text, text, text}, text.array_of(), regexp_split<split_flags_use>,
      regex_function<split_flags_use, split_name>::bind);
}

} // namespace ebb
