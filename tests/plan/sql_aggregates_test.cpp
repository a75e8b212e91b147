// Aggregates of two arguments, and those with WITHIN GROUP: plans and errors.

#include "tests/plan/sql_support.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(sql_aggregates)

BOOST_AUTO_TEST_CASE(aggregates_are_planned_and_refused) {
  ebb::test::check_golden("aggregates.txt", ebb::test::shown);
}

BOOST_AUTO_TEST_SUITE_END()
