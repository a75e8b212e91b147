#include "tests/dataflow/text_support.hpp"

#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/value_text.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <stdexcept>
#include <vector>

namespace ebb::test {

namespace {

const std::map<char, type_kind> kinds = {
    {'t', type_kind::text},
    {'s', type_kind::smallint},
    {'i', type_kind::integer},
    {'I', type_kind::bigint},
    {'b', type_kind::boolean},
    {'f', type_kind::real},
    {'d', type_kind::double_precision},
    {'n', type_kind::numeric},
    {'y', type_kind::bytea},
    {'D', type_kind::date},
    {'T', type_kind::timestamp},
    {'Z', type_kind::timestamptz},
    {'V', type_kind::interval},
};

column null_of(const sql_type& type) {
  if (type.kind != type_kind::numeric)
    return make_null_column(type, 1);
  auto one = make_numeric_column(type, 1);
  set_null(one, 0);
  return one;
}

/// Three rows: the value, NULL (the value again for functions that are not strict), the value.
column spread(const column& value, bool strict) {
  column one = value;
  one.constant = false;
  one.rows = 1;
  const column null = null_of(value.type);
  return concatenate({&one, strict ? &null : &one, &one});
}

std::string show(const column& x, std::uint32_t i) {
  if (x.is_null(i))
    return "NULL";
  std::string text;
  append_value_text(x, i, text);
  return text;
}

/// `constants`: which arguments stay constants.
std::string call_once(const scalar_function& function, const sql_type& returns,
                      const std::vector<column>& values, bool first_constant, bool rest_constant) {
  batch input;
  input.rows = 3;
  std::vector<expr_ptr> args;
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (k == 0 ? first_constant : rest_constant) {
      args.push_back(make_literal(values[k]));
      continue;
    }
    args.push_back(
        make_column_ref(static_cast<std::uint32_t>(input.columns.size()), values[k].type));
    input.columns.push_back(spread(values[k], function.strict));
  }
  auto bound = make_call(function, returns, args);
  if (!bound)
    return "error: " + bound.error().message;
  auto answer = evaluate(**bound, input, selection::all(input));
  if (!answer) {
    if (answer.error().row != 0U)
      return "error of another row: " + answer.error().message;
    return "error: " + answer.error().message;
  }
  const auto text = show(*answer, 0);
  if (show(*answer, 2) != text)
    return "rows differ: " + text + " and " + show(*answer, 2);
  if (function.strict && !input.columns.empty()) {
    if (!answer->is_null(1))
      return "a row with NULL is not NULL: " + show(*answer, 1);
    if (answer->type.kind == type_kind::text && answer->text_of(1).size() != 0)
      return "bytes under NULL";
  }
  return text;
}

} // namespace

sql_type type_of(std::string_view kind) {
  sql_type type{kinds.at(kind.at(0))};
  if (kind.ends_with("[]"))
    return type.array_of();
  if (kind.size() > 3 && kind[1] == '(')
    type.length = std::stoi(std::string(kind.substr(2)));
  return type;
}

column value_of(std::string_view written) {
  const auto colon = written.find(':');
  const auto type = type_of(written.substr(0, colon));
  const auto text = written.substr(colon + 1);
  if (text == "\\N") {
    auto null = null_of(type);
    null.constant = true;
    return null;
  }
  auto value = parse_literal(text, type);
  if (!value)
    throw std::invalid_argument(value.error().message);
  return *std::move(value);
}

std::string call(std::string_view name, std::span<const std::string_view> args) {
  std::vector<column> values;
  std::vector<sql_type> types;
  for (const auto arg : args) {
    try {
      values.push_back(value_of(arg));
    } catch (const std::invalid_argument& problem) {
      return std::string("error: ") + problem.what();
    }
    types.push_back(values.back().type);
  }
  // `cast->kind` and `fit->t(3)` name the type of the result.
  const auto arrow = name.find("->");
  const bool typed = arrow != std::string_view::npos && arrow != 0;
  const auto target = typed ? type_of(name.substr(arrow + 2)) : sql_type{};
  const scalar_function* function = nullptr;
  if (name.starts_with("cast->"))
    function = builtin_functions().find_cast(types.at(0), target);
  else
    function = builtin_functions().find(typed ? "fit_length" : name, types);
  if (function == nullptr)
    return "no such function";
  const auto returns = typed ? target : function->returns;
  const auto constant = call_once(*function, returns, values, true, true);
  const auto columns = call_once(*function, returns, values, false, false);
  const auto mixed = call_once(*function, returns, values, false, true);
  if (columns != constant || mixed != constant)
    return "answers differ: " + constant + " | " + columns + " | " + mixed;
  return constant;
}

void check(const std::vector<call_case>& cases) {
  for (const auto& x : cases) {
    std::string written = x.name;
    for (const auto arg : x.args)
      written.append(", ").append(arg);
    BOOST_TEST_CONTEXT(written)
    BOOST_TEST(call(x.name, x.args) == x.expected);
  }
}

} // namespace ebb::test
