// ~ and its kin, regexp_like, regexp_match, substring(… from …), SIMILAR TO.

#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/regex_kernel.hpp"

#include <vector>

namespace ebb {

namespace {

constexpr char tilde_name[] = "~";
constexpr char like_name[] = "regexp_like";
constexpr char match_name[] = "regexp_match";
constexpr char substring_name[] = "substring";

constexpr regex_use plain_use{};
constexpr regex_use fold_use{.ignore_case = true};
constexpr regex_use like_use{.flags = 2};
constexpr regex_use match_use{.groups = true};
constexpr regex_use match_flags_use{.flags = 2, .groups = true};
constexpr regex_use similar_part_use{.flags = 2, .groups = true, .similar = true};

template <const regex_use& Use, const char* Name, bool Negate>
result<column> matches(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  regex_source patterns(Use, Name, context, args);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    values[i] = 0;
    if (skipped(context, i))
      continue;
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    values[i] = pattern->pattern->match(text[i], 0, {}) != Negate ? 1 : 0;
  }
  return out;
}

/// The groups of the first match, or the match where there are none; NULL without a match.
template <const regex_use& Use>
result<column> regexp_match(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  regex_source patterns(Use, match_name, context, args);
  text_array_output out(context);
  out.share_heap(args[0]);
  std::vector<std::string_view> found;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i)) {
      out.end_row(i);
      continue;
    }
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    found.assign(static_cast<std::size_t>(pattern->pattern->groups()) + 1, {});
    if (!pattern->pattern->match(text[i], 0, found)) {
      out.null_row(i);
      continue;
    }
    for (std::size_t k = found.size() == 1 ? 0 : 1; k < found.size(); ++k) {
      if (found[k].data() == nullptr)
        out.append_null();
      else
        out.append(found[k]);
    }
    out.end_row(i);
  }
  return out.take();
}

/// The first group of the first match, or the match where there is none.
template <const regex_use& Use>
result<column> substring_match(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  regex_source patterns(Use, substring_name, context, args);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    std::string_view found[2];
    const std::size_t which = pattern->pattern->groups() == 0 ? 0 : 1;
    if (!pattern->pattern->match(text[i], 0, std::span(found, which + 1))
        || found[which].data() == nullptr)
      out.null(i);
    else
      out.share(i, found[which]);
  }
  return out.take();
}

/// Refuses functions whose result is a set of rows; they exist so that the message names them.
template <const char* Name, const char* Hint>
result<std::shared_ptr<const bound_call>> refuse_set(std::span<const expr_ptr>) {
  return make_error(ec::unsupported,
                    std::string("set-returning function ") + Name + " is not supported here", Hint);
}

result<column> never(const call_context& context, std::span<const column>) {
  return make_null_column(context.type, context.rows);
}

constexpr char matches_name[] = "regexp_matches";
constexpr char matches_hint[] = "use regexp_match for the first match";
constexpr char split_name[] = "regexp_split_to_table";
constexpr char split_hint[] = "use regexp_split_to_array";
constexpr char string_table_name[] = "string_to_table";
constexpr char string_table_hint[] = "use string_to_array";

struct regex_overload {
  const char* name;
  std::vector<sql_type> params;
  sql_type returns;
  kernel run;
  result<std::shared_ptr<const bound_call>> (*bind)(std::span<const expr_ptr>);
};

void add(function_catalog& catalog, regex_overload x) {
  scalar_function function;
  function.name = x.name;
  function.params = std::move(x.params);
  function.returns = x.returns;
  function.run = x.run;
  function.bind = x.bind;
  function.may_fail = true;
  catalog.add(std::move(function));
}

} // namespace

void register_regex(function_catalog& catalog) {
  const sql_type text{type_kind::text};
  const sql_type boolean{type_kind::boolean};
  const auto texts = text.array_of();
  add(catalog, {"~",
                {text, text},
                boolean,
                matches<plain_use, tilde_name, false>,
                regex_function<plain_use, tilde_name>::bind});
  add(catalog, {"!~",
                {text, text},
                boolean,
                matches<plain_use, tilde_name, true>,
                regex_function<plain_use, tilde_name>::bind});
  add(catalog, {"~*",
                {text, text},
                boolean,
                matches<fold_use, tilde_name, false>,
                regex_function<fold_use, tilde_name>::bind});
  add(catalog, {"!~*",
                {text, text},
                boolean,
                matches<fold_use, tilde_name, true>,
                regex_function<fold_use, tilde_name>::bind});
  add(catalog, {"regexp_like",
                {text, text},
                boolean,
                matches<plain_use, like_name, false>,
                regex_function<plain_use, like_name>::bind});
  add(catalog, {"regexp_like",
                {text, text, text},
                boolean,
                matches<like_use, like_name, false>,
                regex_function<like_use, like_name>::bind});
  add(catalog, {"regexp_match",
                {text, text},
                texts,
                regexp_match<match_use>,
                regex_function<match_use, match_name>::bind});
  add(catalog, {"regexp_match",
                {text, text, text},
                texts,
                regexp_match<match_flags_use>,
                regex_function<match_flags_use, match_name>::bind});
  add(catalog, {"substring",
                {text, text},
                text,
                substring_match<match_use>,
                regex_function<match_use, substring_name>::bind});
  add(catalog, {"substring",
                {text, text, text},
                text,
                substring_match<similar_part_use>,
                regex_function<similar_part_use, substring_name>::bind});
  for (auto params : {std::vector{text, text}, std::vector{text, text, text}}) {
    add(catalog, {matches_name, params, texts, never, refuse_set<matches_name, matches_hint>});
    add(catalog, {split_name, params, text, never, refuse_set<split_name, split_hint>});
    add(catalog,
        {string_table_name, params, text, never, refuse_set<string_table_name, string_table_hint>});
  }
  register_regex_replace(catalog);
  register_regex_count(catalog);
  register_similar(catalog);
}

} // namespace ebb
