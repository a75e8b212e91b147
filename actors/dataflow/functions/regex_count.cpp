// regexp_count, regexp_instr, regexp_substr: the n-th match from a position.

#include "actors/dataflow/functions/regex_kernel.hpp"
#include "actors/dataflow/functions/utf8.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace ebb {

namespace {

constexpr char count_name[] = "regexp_count";
constexpr char instr_name[] = "regexp_instr";
constexpr char substr_name[] = "regexp_substr";

constexpr regex_use plain_use{};
constexpr regex_use count_flags_use{.flags = 3};
constexpr regex_use instr_flags_use{.flags = 5};
constexpr regex_use instr_group_use{.flags = 5, .subexpression = 6};
constexpr regex_use substr_flags_use{.flags = 4};
constexpr regex_use substr_group_use{.flags = 4, .subexpression = 5};

std::int32_t integer_at(std::span<const column> args, std::size_t k, std::uint32_t i,
                        std::int32_t otherwise) {
  return k < args.size() ? value_arg<std::int32_t>(args[k])[i] : otherwise;
}

error bad_parameter(std::uint32_t i, const char* name, std::int32_t value) {
  return row_error(i, std::string("invalid value for parameter \"") + name
                          + "\": " + std::to_string(value));
}

/// The matches of a text one after the other.
class match_walk {
public:
  match_walk(const regex& pattern, std::string_view text, std::optional<std::size_t> start)
      : pattern_(pattern), text_(text), start_(start.value_or(text.size() + 1)) {}

  bool next(std::span<std::string_view> found) {
    if (start_ > text_.size() || !pattern_.match(text_, start_, found))
      return false;
    const auto from =
        text_.data() == nullptr ? 0 : static_cast<std::size_t>(found[0].data() - text_.data());
    start_ = behind_match(text_, found[0], from + found[0].size());
    return true;
  }

private:
  const regex& pattern_;
  std::string_view text_;
  std::size_t start_;
};

template <const regex_use& Use>
result<column> regexp_count(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  regex_source patterns(Use, count_name, context, args);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    values[i] = 0;
    if (skipped(context, i))
      continue;
    const auto start = integer_at(args, 2, i, 1);
    if (start <= 0)
      return bad_parameter(i, "start", start);
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    match_walk walk(*pattern->pattern, text[i], byte_of_character(text[i], start));
    std::string_view found[1];
    while (walk.next(found))
      ++values[i];
  }
  return out;
}

/// Match number `number`, or one of its groups; data() is null where there is none.
std::string_view nth_match(const regex& pattern, std::string_view text, std::int32_t start,
                           std::int32_t number, std::int32_t group) {
  if (group > std::max(pattern.groups(), 1))
    return {};
  if (pattern.groups() == 0)
    group = 0; // without groups the match counts as the first one
  std::vector<std::string_view> found(static_cast<std::size_t>(group) + 1);
  match_walk walk(pattern, text, byte_of_character(text, start));
  while (walk.next(found))
    if (--number == 0)
      return found[static_cast<std::size_t>(group)];
  return {};
}

struct position_arguments {
  std::int32_t start;
  std::int32_t number;
  std::int32_t group;
};

/// Reads and checks start, n and subexpr.
result<position_arguments> read_positions(std::span<const column> args, std::size_t group_place,
                                          std::uint32_t i) {
  const position_arguments x{integer_at(args, 2, i, 1), integer_at(args, 3, i, 1),
                             integer_at(args, group_place, i, 0)};
  if (x.start <= 0)
    return bad_parameter(i, "start", x.start);
  if (x.number <= 0)
    return bad_parameter(i, "n", x.number);
  return x;
}

template <const regex_use& Use>
result<column> regexp_instr(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  regex_source patterns(Use, instr_name, context, args);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    values[i] = 0;
    if (skipped(context, i))
      continue;
    EBB_ASSIGN(const auto at, read_positions(args, 6, i));
    const auto end_option = integer_at(args, 4, i, 0);
    if (end_option != 0 && end_option != 1)
      return bad_parameter(i, "endoption", end_option);
    if (at.group < 0)
      return bad_parameter(i, "subexpr", at.group);
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    const auto found = nth_match(*pattern->pattern, text[i], at.start, at.number, at.group);
    if (found.data() == nullptr)
      continue;
    const auto from =
        text[i].data() == nullptr ? 0 : static_cast<std::size_t>(found.data() - text[i].data());
    const auto bytes = from + (end_option == 1 ? found.size() : 0);
    values[i] = static_cast<std::int32_t>(utf8::length(text[i].substr(0, bytes)) + 1);
  }
  return out;
}

template <const regex_use& Use>
result<column> regexp_substr(const call_context& context, std::span<const column> args) {
  const text_arg text(args[0]);
  regex_source patterns(Use, substr_name, context, args);
  text_output out(context);
  out.share_heap(args[0]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i))
      continue;
    EBB_ASSIGN(const auto at, read_positions(args, 5, i));
    if (at.group < 0)
      return bad_parameter(i, "subexpr", at.group);
    EBB_ASSIGN(const auto* pattern, patterns.at(i));
    const auto found = nth_match(*pattern->pattern, text[i], at.start, at.number, at.group);
    if (found.data() == nullptr)
      out.null(i);
    else
      out.share(i, found);
  }
  return out.take();
}

} // namespace

void register_regex_count(function_catalog& catalog) {
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
  const auto count = regex_function<plain_use, count_name>::bind;
  add(count_name, {text, text}, integer, regexp_count<plain_use>, count);
  add(count_name, {text, text, integer}, integer, regexp_count<plain_use>, count);
  add(count_name, {text, text, integer, text}, integer, regexp_count<count_flags_use>,
      regex_function<count_flags_use, count_name>::bind);
  std::vector<sql_type> params{text, text};
  for (int more = 0; more <= 3; ++more) {
    add(instr_name, params, integer, regexp_instr<plain_use>,
        regex_function<plain_use, instr_name>::bind);
    if (more < 3)
      add(substr_name, params, text, regexp_substr<plain_use>,
          regex_function<plain_use, substr_name>::bind);
    params.push_back(integer);
  }
  add(instr_name, {text, text, integer, integer, integer, text}, integer,
      regexp_instr<instr_flags_use>, regex_function<instr_flags_use, instr_name>::bind);
  add(instr_name, {text, text, integer, integer, integer, text, integer}, integer,
      regexp_instr<instr_group_use>, regex_function<instr_group_use, instr_name>::bind);
  add(substr_name, {text, text, integer, integer, text}, text, regexp_substr<substr_flags_use>,
      regex_function<substr_flags_use, substr_name>::bind);
  add(substr_name, {text, text, integer, integer, text, integer}, text,
      regexp_substr<substr_group_use>, regex_function<substr_group_use, substr_name>::bind);
}

} // namespace ebb
