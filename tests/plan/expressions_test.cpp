// Expressions as written in SQL against PostgreSQL 15's answers: what the differential tests found.

#include "actors/dataflow/value_text.hpp"
#include "actors/plan/plan_graph.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using ebb::result;

/// Values of the one row of `t(i, n, x)`: 7, NULL, 'abc'.
const ebb::schema& columns() {
  static const auto parsed = ebb::parse_schema("i INTEGER, n INTEGER, x TEXT");
  return parsed->columns;
}

result<std::string> evaluated(std::string_view sql) {
  EBB_ASSIGN(const auto bound, ebb::bind_expression(sql, columns()));
  ebb::batch input;
  input.rows = 1;
  const std::vector<std::pair<ebb::type_kind, const char*>> values{
      {ebb::type_kind::integer, "7"},
      {ebb::type_kind::integer, nullptr},
      {ebb::type_kind::text, "abc"}};
  for (const auto& [kind, text] : values) {
    if (text == nullptr) {
      input.columns.push_back(ebb::make_null_literal(ebb::sql_type{kind})->value);
    } else {
      EBB_ASSIGN(auto value, ebb::parse_literal(text, ebb::sql_type{kind}));
      input.columns.push_back(std::move(value));
    }
    input.columns.back().constant = false;
  }
  EBB_ASSIGN(const auto value,
             ebb::evaluate(*ebb::fold_constants(bound), input, ebb::selection::all(input)));
  if (value.is_null(0))
    return std::string("NULL");
  std::string out;
  ebb::append_value_text(value, 0, out);
  return out;
}

struct sql_case {
  const char* sql;
  const char* expected; ///< PostgreSQL's answer, or `error: ` and its message
};

void check(const std::vector<sql_case>& cases) {
  for (const auto& [sql, expected] : cases) {
    BOOST_TEST_CONTEXT(sql) {
      const auto got = evaluated(sql);
      BOOST_TEST((got ? *got : "error: " + got.error().message) == expected);
    }
  }
}

} // namespace

BOOST_AUTO_TEST_SUITE(expressions)

BOOST_AUTO_TEST_CASE(integer_constants_keep_their_sign) {
  check({{"-10", "-10"},
         {"(-10) + i", "-3"},
         {"- /* sign */ 10", "-10"},
         {"-2147483647", "-2147483647"},
         {"-2147483648", "-2147483648"},
         {"trunc(2345, -2)", "2300"},
         {"0", "0"},
         {"-0", "0"},
         {"- - 3", "3"}});
}

BOOST_AUTO_TEST_CASE(what_constants_decide_is_not_evaluated) {
  check({{"1 / (i - 7)", "error: division by zero"},
         {"1 / (i - 7) + NULL", "NULL"},
         {"NULL::integer > 1 / (i - 7)", "NULL"},
         {"1 / (i - 7) > 0 AND false", "false"},
         {"1 / (i - 7) > 0 OR true", "true"},
         {"CASE WHEN true THEN i ELSE 1 / (i - 7) END", "7"},
         {"CASE WHEN NULL THEN 1 / (i - 7) END", "NULL"},
         {"CASE WHEN false THEN 1 WHEN i = 7 THEN 2 WHEN true THEN 3 ELSE 4 END", "2"},
         {"coalesce(NULL, 1, 1 / (i - 7))", "1"},
         {"coalesce(n, NULL, i)", "7"},
         {"(ARRAY[1 / (i - 7)])[NULL::integer]", "error: division by zero"}});
}

BOOST_AUTO_TEST_SUITE_END()
