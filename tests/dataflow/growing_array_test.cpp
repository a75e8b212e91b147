// Arrays that grow without being there twice.
#include "actors/dataflow/growing_array.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <utility>

using ebb::growing_array;

BOOST_AUTO_TEST_SUITE(growing_arrays)

BOOST_AUTO_TEST_CASE(values_stay_when_it_grows) {
  growing_array<std::uint64_t> x;
  BOOST_TEST(x.size() == 0U);
  BOOST_TEST(x.all().empty());
  for (std::uint64_t i = 0; i < 1'000'000; ++i)
    x.push_back(i * 3);
  BOOST_TEST(x.size() == 1'000'000U);
  BOOST_TEST(x.capacity() >= x.size());
  bool same = true;
  for (std::uint64_t i = 0; i < x.size(); ++i)
    same = same && x[i] == i * 3;
  BOOST_TEST(same);
}

BOOST_AUTO_TEST_CASE(new_values_are_copies_of_the_first_one) {
  struct pair {
    std::uint32_t a = 7;
    std::uint32_t b = 9;
  };

  growing_array<pair> x;
  x.grow(3, {});
  x[1] = {1, 2};
  x.grow(2, {5, 5}); // never smaller
  x.grow(100, {5, 6});
  BOOST_TEST(x.size() == 100U);
  BOOST_TEST(x[0].a == 7U);
  BOOST_TEST(x[1].b == 2U);
  BOOST_TEST(x[2].b == 9U);
  BOOST_TEST(x[3].a == 5U);
  BOOST_TEST(x[99].b == 6U);
}

BOOST_AUTO_TEST_CASE(an_own_value_may_be_pushed) {
  growing_array<std::uint64_t> x;
  x.push_back(42);
  for (int i = 0; i < 100; ++i)
    x.push_back(x[0]);
  BOOST_TEST(x[100] == 42U);
}

BOOST_AUTO_TEST_CASE(moved_and_cleared) {
  growing_array<std::uint32_t> x;
  x.grow(10, 4);
  growing_array<std::uint32_t> y{std::move(x)};
  BOOST_TEST(y.size() == 10U);
  growing_array<std::uint32_t> z;
  z.push_back(1);
  z = std::move(y);
  BOOST_TEST(z.size() == 10U);
  BOOST_TEST(z[9] == 4U);
  const auto room = z.capacity();
  z.clear();
  BOOST_TEST(z.size() == 0U);
  BOOST_TEST(z.capacity() == room);
  z.grow(2, 8);
  BOOST_TEST(z[1] == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
