// Queries planned over a small catalog: the plans, the errors and their places.

#include "tests/plan/sql_support.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using ebb::test::check_golden;

// `i + 1` as its type, or the error.
std::string type_of(std::string_view sql) {
  const auto columns = ebb::parse_schema(
      "i INTEGER, b BIGINT, s SMALLINT, d DOUBLE PRECISION, r REAL, n NUMERIC(10,2), x TEXT, "
      "v VARCHAR(5), f BOOLEAN, ts TIMESTAMP, tz TIMESTAMPTZ, day DATE, span INTERVAL, raw BYTEA");
  const auto bound = ebb::bind_expression(sql, columns->columns);
  return bound ? to_string((*bound)->type) : "error: " + bound.error().message;
}

// `i + 1` as a tree, or the error.
std::string tree_of(std::string_view sql) {
  const auto columns = ebb::parse_schema(
      "i INTEGER, b BIGINT, s SMALLINT, d DOUBLE PRECISION, r REAL, n NUMERIC(10,2), x TEXT, "
      "v VARCHAR(5), f BOOLEAN, ts TIMESTAMP, tz TIMESTAMPTZ, day DATE, span INTERVAL, raw BYTEA");
  const auto bound = ebb::bind_expression(sql, columns->columns);
  return bound ? ebb::test::text_of(**bound) : "error: " + bound.error().message;
}

// `column: warning`, then its hint, of each.
std::string warnings_of(std::string_view sql) {
  const auto planned = ebb::test::plan(sql);
  if (!planned)
    return "error: " + planned.error().message;
  std::string text;
  for (const auto& warning : planned->graph.warnings)
    text += std::to_string(warning.place.column) + ": " + warning.message
            + "\nhint: " + warning.hint + '\n';
  return text.empty() ? "none" : text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sql)

// The types are those that PostgreSQL 15's pg_typeof gives.
BOOST_AUTO_TEST_CASE(expressions_have_the_types_of_postgresql) {
  check_golden("types.txt", type_of);
}

BOOST_AUTO_TEST_CASE(expressions_are_bound) {
  check_golden("expressions.txt", tree_of);
}

BOOST_AUTO_TEST_CASE(queries_are_planned) {
  check_golden("plans.txt", ebb::test::shown);
}

// Operators whose results are revised.
BOOST_AUTO_TEST_CASE(queries_with_updating_results_are_planned) {
  check_golden("changes.txt", ebb::test::shown);
}

// Tables that are loaded first, rows made of rows, JSONB, conditions on now().
BOOST_AUTO_TEST_CASE(queries_that_look_up_expand_and_live_are_planned) {
  check_golden("rows.txt", ebb::test::shown);
}

// What grows without bound, and by what.
BOOST_AUTO_TEST_CASE(state_that_grows_is_warned_of) {
  check_golden("warnings.txt", warnings_of);
}

BOOST_AUTO_TEST_CASE(wrong_and_unsupported_queries_are_refused_with_their_place) {
  check_golden("errors.txt", ebb::test::shown);
}

BOOST_AUTO_TEST_SUITE_END()
