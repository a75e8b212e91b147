// Where errors of a query lie in its manifest.

#include "actors/plan/plan_graph.hpp"

#include <boost/test/unit_test.hpp>

namespace {

ebb::error failure(const ebb::operator_definition& where) {
  ebb::plan_graph graph;
  ebb::plan_node source;
  source.name = "t";
  source.what = ebb::source_node{};
  source.columns.push_back(
      {"i", ebb::sql_type{ebb::type_kind::integer}, false, ebb::column_role::plain, {}, 0});
  const ebb::plan_scope scope{{"t", graph.add(std::move(source))}};
  const auto planned = ebb::plan_query(where, scope, graph);
  BOOST_REQUIRE(!planned);
  BOOST_CHECK_EQUAL(graph.nodes.size(), 1U); // what failed leaves nothing behind
  return planned.error();
}

ebb::operator_definition defined(std::string sql, std::uint32_t line, std::uint32_t column) {
  ebb::operator_definition where;
  where.name = "q";
  where.sql = std::move(sql);
  where.sql_place = {"flights.yaml", line, column, "spec.operators[0].sql"};
  return where;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sql_place)

BOOST_AUTO_TEST_CASE(a_block_keeps_its_lines) {
  auto where = defined("SELECT i,\n  'é', j\nFROM t", 12, 9);
  where.sql_is_block = true;
  where.sql_indent = 8;
  const auto problem = failure(where);
  BOOST_CHECK_EQUAL(problem.place.file, "flights.yaml");
  BOOST_CHECK_EQUAL(problem.place.line, 13U);
  BOOST_CHECK_EQUAL(problem.place.column, 16U);
  BOOST_CHECK_EQUAL(problem.place.field, "spec.operators[0].sql");
  BOOST_CHECK_EQUAL(problem.message, "column \"j\" does not exist");
  BOOST_CHECK_EQUAL(problem.excerpt, "  'é', j\n       ^");
}

BOOST_AUTO_TEST_CASE(one_line_counts_from_its_first_character) {
  const auto problem = failure(defined("SELECT j FROM t", 7, 12));
  BOOST_CHECK_EQUAL(problem.place.line, 7U);
  BOOST_CHECK_EQUAL(problem.place.column, 19U);
}

BOOST_AUTO_TEST_CASE(later_lines_of_a_folded_text_have_the_place_of_the_text) {
  const auto problem = failure(defined("SELECT i FROM t\nWHERE j = 1", 7, 12));
  BOOST_CHECK_EQUAL(problem.place.line, 7U);
  BOOST_CHECK_EQUAL(problem.place.column, 12U);
  BOOST_CHECK_EQUAL(problem.excerpt, "WHERE j = 1\n      ^");
}

BOOST_AUTO_TEST_CASE(syntax_errors_count_characters) {
  auto where = defined("SELECT 'ééé' 5 FROM t", 3, 5);
  where.sql_is_block = true;
  where.sql_indent = 4;
  const auto problem = failure(where);
  BOOST_CHECK_EQUAL(problem.message, "syntax error at or near \"5\"");
  BOOST_CHECK_EQUAL(problem.place.line, 3U);
  BOOST_CHECK_EQUAL(problem.place.column, 18U);
  BOOST_CHECK_EQUAL(problem.excerpt, "SELECT 'ééé' 5 FROM t\n             ^");
}

BOOST_AUTO_TEST_CASE(tabs_and_carriage_returns_keep_the_caret_in_place) {
  const auto problem = failure(defined("SELECT\r\n\tj\r\nFROM t", 0, 0));
  BOOST_CHECK_EQUAL(problem.place.line, 2U);
  BOOST_CHECK_EQUAL(problem.place.column, 2U);
  BOOST_CHECK_EQUAL(problem.excerpt, "\tj\n\t^");
}

BOOST_AUTO_TEST_CASE(long_lines_are_cut_around_the_place) {
  const std::string many(300, ' ');
  const auto problem = failure(defined("SELECT " + many + "j" + many + "FROM t", 0, 0));
  BOOST_CHECK_EQUAL(problem.place.column, 308U);
  BOOST_CHECK_LT(problem.excerpt.size(), 350U);
  const auto caret = problem.excerpt.find('^');
  const auto line_start = problem.excerpt.find('\n') + 1;
  BOOST_CHECK_EQUAL(problem.excerpt[caret - line_start], 'j');
}

BOOST_AUTO_TEST_SUITE_END()
