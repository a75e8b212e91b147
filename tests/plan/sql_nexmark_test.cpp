// The queries of deployments/examples/nexmark are planned as they should be.

#include "tests/plan/sql_support.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <sstream>

namespace {

std::string plan_of(std::string_view number) {
  const auto path = std::string(EBB_SOURCE_ROOT) + "/deployments/examples/nexmark/"
                    + std::string(number) + ".sql";
  std::ifstream in(path);
  BOOST_REQUIRE_MESSAGE(in, "cannot read " << path);
  std::stringstream text;
  text << in.rdbuf();
  return ebb::test::shown(text.str());
}

} // namespace

BOOST_AUTO_TEST_SUITE(sql_nexmark)

BOOST_AUTO_TEST_CASE(the_examples_are_planned) {
  ebb::test::check_golden("nexmark.txt", plan_of);
}

BOOST_AUTO_TEST_CASE(a_join_kept_for_ever_is_warned_of) {
  const auto planned =
      ebb::test::plan("SELECT p.name FROM auction AS a JOIN person AS p ON a.seller = p.id");
  BOOST_REQUIRE(planned);
  BOOST_REQUIRE_EQUAL(planned->graph.warnings.size(), 1U);
  const auto& warning = planned->graph.warnings.front();
  BOOST_CHECK_EQUAL(warning.message, "this join keeps every row of both sides for ever");
  BOOST_CHECK_EQUAL(warning.place.column, 53U);
  BOOST_CHECK(ebb::test::plan("SELECT id FROM auction")->graph.warnings.empty());
}

BOOST_AUTO_TEST_CASE(operators_read_operators) {
  const auto planned = ebb::test::plan(
      {{"counts",
        "SELECT auction, count(*) AS n, window_end AS e FROM tumble(bid, date_time, INTERVAL "
        "'10 s') GROUP BY auction, window_end"},
       {"most", "SELECT max(n) AS n, e FROM counts GROUP BY e"}},
      "SELECT c.auction FROM counts AS c JOIN most AS m ON c.e = m.e AND c.n = m.n");
  BOOST_REQUIRE(planned);
  BOOST_CHECK_EQUAL(
      ebb::test::dump(*planned),
      "window join(counts, most) inner windows [2 2]=[1 1] keys [1]=[0] -> auction, n, "
      "e@end, n, e@end\nproject(%0) select #0 -> auction\n");
  for (auto id = planned->first; id < planned->graph.nodes.size(); ++id)
    BOOST_CHECK_EQUAL(planned->graph.nodes[id].name, "q");
}

BOOST_AUTO_TEST_SUITE_END()
