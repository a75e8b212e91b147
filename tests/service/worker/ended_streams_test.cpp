#include "actors/service/worker/ended_streams.hpp"

#include <boost/test/unit_test.hpp>

using namespace ebb;

namespace {

stream_ended end_of(const std::string& uid, std::uint64_t placement) {
  return {uid, placement, true, false, {}, 5, {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(ended_streams_suite)

BOOST_AUTO_TEST_CASE(an_end_is_hosted_until_it_is_forgotten) {
  ended_streams all;
  all.add(end_of("a", 3), 7);
  BOOST_REQUIRE_EQUAL(all.hosted().size(), 1U);
  BOOST_TEST((all.hosted()[0] == hosted_stream{"a", 3, 7}));
  BOOST_REQUIRE(all.find("a", 3) != nullptr);
  BOOST_TEST(all.find("a", 3)->cut);
  BOOST_TEST(all.find("a", 2) == nullptr);
  BOOST_TEST(!all.forget("a", 2));
  BOOST_TEST(!all.forget("b", 3));
  const auto last = all.forget("a", 3);
  BOOST_REQUIRE(last);
  BOOST_TEST(last->next_timer == 5);
  BOOST_TEST(!all.forget("a", 3)); // said for the last time
  BOOST_TEST(all.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_welcome_keeps_what_it_accepts) {
  ended_streams all;
  all.add(end_of("a", 3), 7);
  all.add(end_of("b", 1), 2);
  all.add(end_of("c", 1), 2);
  control_welcome x;
  x.accepted = {{"a", 3}, {"b", 2}, {"z", 9}};
  x.refused = {{"c", 1, "no"}};
  for (int i = 0; i < 2; ++i) {
    const auto again = all.welcomed(x);
    BOOST_REQUIRE_EQUAL(again.size(), 1U);
    BOOST_TEST((again[0] == end_of("a", 3)));
  }
  BOOST_TEST(all.welcomed({}).empty());
  BOOST_TEST(all.size() == 0U);
}

BOOST_AUTO_TEST_CASE(a_newer_placement_makes_older_ends_forgotten) {
  ended_streams all;
  all.add(end_of("a", 3), 0);
  all.add(end_of("a", 4), 0);
  all.add(end_of("a", 5), 0);
  all.add(end_of("b", 1), 0);
  all.replace("a", 5);
  BOOST_TEST(all.size() == 2U);
  BOOST_TEST(all.find("a", 5) != nullptr);
  BOOST_TEST(all.find("b", 1) != nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
