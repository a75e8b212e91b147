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

BOOST_AUTO_TEST_CASE(broken_utf8_is_shown) {
  check({{"convert_from('\\xc3a9', 'UTF8')", "é"},
         {"convert_from('\\x6100', 'UTF8')",
          "error: invalid byte sequence for encoding \"UTF8\": 0x00"},
         {"convert_from('\\xe28220', 'UTF8')",
          "error: invalid byte sequence for encoding \"UTF8\": 0xe2 0x82 0x20"},
         {"convert_from('\\xcd', 'UTF8')",
          "error: invalid byte sequence for encoding \"UTF8\": 0xcd"},
         {"convert_from('\\xff41', 'UTF8')",
          "error: invalid byte sequence for encoding \"UTF8\": 0xff"},
         {"convert_from('\\xeda080', 'UTF8')",
          "error: invalid byte sequence for encoding \"UTF8\": 0xed 0xa0 0x80"}});
}

BOOST_AUTO_TEST_CASE(make_date_shows_years_before_christ_as_postgresql) {
  check({{"make_date(-44, 3, 15)::text", "0044-03-15 BC"},
         {"make_date(-44, 13, 1)", "error: date field value out of range: -43-13-01"},
         {"make_date(0, 2, 1)", "error: date field value out of range: 0-02-01"}});
}

BOOST_AUTO_TEST_CASE(in_compares_constants_first_and_columns_by_themselves) {
  check({{"i IN (1 / (i - 7), 1, 7)", "true"},
         {"i IN (1 / (i - 7), 7)", "error: division by zero"},
         {"16777217 IN (16777216::real, i, NULL)", "NULL"},
         {"i NOT IN (1, 2, n)", "NULL"},
         {"'7' IN (1, 2, i)", "true"},
         {"i IN (7.0, 2.5)", "true"}});
}

BOOST_AUTO_TEST_CASE(any_and_all_take_array_values) {
  check({{"i = ANY (ARRAY[1, 2] || i)", "true"},
         {"i = ANY (ARRAY[1, 2] || n)", "NULL"},
         {"i <> ALL (ARRAY[1, 2] || 3)", "true"},
         {"i = ANY ('{}')", "false"},
         {"x = ANY ('{a,abc}')", "true"},
         {"i = ANY (string_to_array(x, 'b'))", "error: operator does not exist: integer = text"},
         {"2.5 = ANY (ARRAY[1, 2] || i)", "false"}});
}

BOOST_AUTO_TEST_CASE(bytes_and_bits_of_bytea) {
  check({{"get_byte('\\x0102ff', 2)", "255"},
         {"get_byte('\\x01', 1)", "error: index 1 out of valid range, 0..0"},
         {"get_byte('\\x', 0)", "error: index 0 out of valid range, 0..-1"},
         {"get_bit('\\x0180', 15)", "1"},
         {"get_bit('\\x0180', 16)", "error: index 16 out of valid range, 0..15"},
         {"set_byte('\\x0102', 1, 65)", "\\x0141"},
         {"set_byte('\\x0102', 0, 257)", "\\x0102"},
         {"set_bit('\\x00', 7, 1)", "\\x80"},
         {"set_bit('\\xff', 0, 0)", "\\xfe"},
         {"set_bit('\\xff', 0, 2)", "error: new bit must be 0 or 1"},
         {"bit_count('\\xff01')", "9"}});
}

BOOST_AUTO_TEST_CASE(casts_round_fractions_of_seconds) {
  check({{"TIMESTAMP '2013-07-15 12:34:56.789'::timestamp(0)", "2013-07-15 12:34:57"},
         {"'2013-07-15 12:34:56.2499999'::timestamp(1)", "2013-07-15 12:34:56.3"},
         {"'1999-12-31 23:59:59.5'::timestamp(0)", "1999-12-31 23:59:59"},
         {"'2000-01-01 00:00:00.5'::timestamp(0)", "2000-01-01 00:00:01"},
         {"'1969-12-31 23:59:59.0015'::timestamptz(3)", "1969-12-31 23:59:59.001+00"},
         {"'infinity'::timestamp(2)", "infinity"},
         {"INTERVAL '1 day 2.345 seconds'::interval(2)", "1 day 00:00:02.35"},
         {"'-2.345 seconds'::interval(2)", "-00:00:02.35"},
         {"INTERVAL(0) '0.5 seconds'", "00:00:01"},
         {"'1'::\"timestamp\"(-1)", "error: TIMESTAMP(-1) precision must not be negative"}});
}

BOOST_AUTO_TEST_CASE(a_repeat_before_the_start_of_the_text_matches_nothing_there) {
  check({{"substring('aab' from 'a*^')", ""},
         {"substring('aab' from 'a?^a')", "a"},
         {"substring('aab' from 'a+^')", "NULL"},
         {"regexp_count('aab', 'a{0,2}^')", "1"},
         {"substring('aab' from 'a*\\A')", ""}});
}

BOOST_AUTO_TEST_CASE(an_array_constructor_is_cast_element_by_element) {
  check({{"ARRAY[1, '2.5']::numeric[]", "{1,2.5}"},
         {"ARRAY['7', i]::text[]", "{7,7}"},
         {"ARRAY['abc', 'de']::varchar(2)[]", "{ab,de}"},
         {"ARRAY[]::integer[]", "{}"},
         {"ARRAY['1e20'::numeric, 'NaN']::integer[]",
          "error: invalid input syntax for type integer: \"NaN\""},
         {"ARRAY[true, false]::integer[]", "{1,0}"},
         {"ARRAY[NULL, 1.5]::integer[]", "{NULL,2}"},
         {"ARRAY[i]::date[]", "error: cannot cast type integer to date"}});
}

BOOST_AUTO_TEST_CASE(jsonb_is_joined_and_edited_as_postgresql_does) {
  check({{R"('{"a": 1, "b": 2}'::jsonb || '{"b": 3, "c": null}')",
          R"({"a": 1, "b": 3, "c": null})"},
         {R"('{"z": 1}' || '{"y": [1]}'::jsonb)",
          R"({"y": [1], "z": 1})"},
         {R"('[1, 2]'::jsonb || '[2, "x"]'::jsonb)",
          R"([1, 2, 2, "x"])"},
         {R"('[1]'::jsonb || '{"a": 1}'::jsonb)",
          R"([1, {"a": 1}])"},
         {R"('{"a": 1}'::jsonb || '[1, null]'::jsonb)",
          R"([{"a": 1}, 1, null])"},
         {R"('1'::jsonb || '"x"'::jsonb)",
          R"([1, "x"])"},
         {R"('[]'::jsonb || '1'::jsonb)",
          R"([1])"},
         {R"('1'::jsonb || '[]'::jsonb)",
          R"([1])"},
         {R"('{}'::jsonb || '{}'::jsonb)",
          R"({})"},
         {R"('{}'::jsonb || '[]'::jsonb)",
          R"([{}])"},
         {R"('{"a": 1}'::jsonb || '2'::jsonb)",
          R"([{"a": 1}, 2])"},
         {R"('2'::jsonb || '{"a": 1}'::jsonb)",
          R"([2, {"a": 1}])"},
         {R"('[1]'::jsonb || NULL)",
          R"(NULL)"},
         {R"('{"a": 1}'::jsonb || 'x'::text)",
          R"({"a": 1}x)"},
         {R"('{"a": 1}'::jsonb || 7)",
          R"(error: operator does not exist: jsonb || integer)"},
         {R"('{"a": 1, "b": 2}'::jsonb - 'a')",
          R"({"b": 2})"},
         {R"('{"a": 1, "b": 2}'::jsonb - 'c')",
          R"({"a": 1, "b": 2})"},
         {R"('["a", "b", "a", 1]'::jsonb - 'a')",
          R"(["b", 1])"},
         {R"('{"ä\"": 1, "b": 2}'::jsonb - 'ä"')",
          R"({"b": 2})"},
         {R"('1'::jsonb - 'a')",
          R"(error: cannot delete from scalar)"},
         {R"('{"a": 1, "b": 2, "c": 3}'::jsonb - ARRAY['a', 'c'])",
          R"({"b": 2})"},
         {R"('["a", "b", "c"]'::jsonb - ARRAY['a', NULL, 'c'])",
          R"(["b"])"},
         {R"('{"a": 1}'::jsonb - '{}'::text[])",
          R"({"a": 1})"},
         {R"('["a", "b", "c"]'::jsonb - 1)",
          R"(["a", "c"])"},
         {R"('["a", "b", "c"]'::jsonb - (-1))",
          R"(["a", "b"])"},
         {R"('["a", "b", "c"]'::jsonb - 3)",
          R"(["a", "b", "c"])"},
         {R"('["a", "b", "c"]'::jsonb - (-4))",
          R"(["a", "b", "c"])"},
         {R"('{"a": 1}'::jsonb - 1)",
          R"(error: cannot delete from object using integer index)"},
         {R"('"a"'::jsonb - 1)",
          R"(error: cannot delete from scalar)"},
         {R"('[]'::jsonb - 0)",
          R"([])"},
         {R"('{"a": [{"b": 1, "c": 2}, 3]}'::jsonb #- '{a,0,b}')",
          R"({"a": [{"c": 2}, 3]})"},
         {R"('{"a": [1, 2, 3]}'::jsonb #- '{a,-1}')",
          R"({"a": [1, 2]})"},
         {R"('{"a": [1, 2, 3]}'::jsonb #- '{a,9}')",
          R"({"a": [1, 2, 3]})"},
         {R"('{"a": [1, 2, 3]}'::jsonb #- '{a,x}')",
          R"(error: path element at position 2 is not an integer: "x")"},
         {R"('{"a": 1}'::jsonb #- '{}')",
          R"({"a": 1})"},
         {R"('1'::jsonb #- '{a}')",
          R"(error: cannot delete path in scalar)"},
         {R"('{"a": 1}'::jsonb #- '{a,b}')",
          R"({"a": 1})"},
         {R"(jsonb_set('{"a": 1}', '{a}', '[2]'))",
          R"({"a": [2]})"},
         {R"(jsonb_set('{"a": 1}', '{bb}', '{"x": 1}'))",
          R"({"a": 1, "bb": {"x": 1}})"},
         {R"(jsonb_set('{"a": 1}', '{bb}', '2', false))",
          R"({"a": 1})"},
         {R"(jsonb_set('{"a": {"b": [1, 2]}}', '{a,b,1}', '"x"'))",
          R"({"a": {"b": [1, "x"]}})"},
         {R"(jsonb_set('{"a": [1, 2]}', '{a,9}', '3'))",
          R"({"a": [1, 2, 3]})"},
         {R"(jsonb_set('{"a": [1, 2]}', '{a,-9}', '3'))",
          R"({"a": [3, 1, 2]})"},
         {R"(jsonb_set('{"a": [1, 2]}', '{a,-2}', '3'))",
          R"({"a": [3, 2]})"},
         {R"(jsonb_set('{"a": [1, 2]}', '{a,-9}', '3', false))",
          R"({"a": [1, 2]})"},
         {R"(jsonb_set('{"a": [1, 2]}', '{a,9}', '3', false))",
          R"({"a": [1, 2]})"},
         {R"(jsonb_set('{"a": []}', '{a,5}', '3'))",
          R"({"a": [3]})"},
         {R"(jsonb_set('{"a": []}', '{a,x}', '3'))",
          R"(error: path element at position 2 is not an integer: "x")"},
         {R"(jsonb_set('{"a": {}}', '{a,b,c}', '3'))",
          R"({"a": {}})"},
         {R"(jsonb_set('{"a": 1}', '{a,b}', '3'))",
          R"({"a": 1})"},
         {R"(jsonb_set('{"a": 1}', '{}', '3'))",
          R"({"a": 1})"},
         {R"(jsonb_set('{}', '{a}', '3'))",
          R"({"a": 3})"},
         {R"(jsonb_set('{}', '{a}', '3', false))",
          R"({})"},
         {R"(jsonb_set('[]', '{0}', '3'))",
          R"([3])"},
         {R"(jsonb_set('[]', '{0}', '3', false))",
          R"([])"},
         {R"(jsonb_set('1', '{a}', '3'))",
          R"(error: cannot set path in scalar)"},
         {R"(jsonb_set('{"a": 1}', ARRAY['a', NULL], '3'))",
          R"(error: path element at position 2 is null)"},
         {R"(jsonb_set('{"a": 1}', ARRAY[NULL, 'a'], '3'))",
          R"(error: path element at position 1 is null)"},
         {R"(jsonb_set('{"a": 1}', ARRAY['a'], NULL))",
          R"(NULL)"},
         {R"(jsonb_set('[0, 1]', '{+1}', '9'))",
          R"([0, 9])"},
         {R"(jsonb_set('[0, 1]', '{99999999999}', '9'))",
          R"(error: path element at position 1 is not an integer: "99999999999")"},
         {R"(jsonb_build_object('a', 1, 'b', ARRAY[1, 2], 'c', NULL))",
          R"({"a": 1, "b": [1, 2], "c": null})"}});
}

BOOST_AUTO_TEST_SUITE_END()
