#include "schemas/batch.hpp"

#include <boost/test/unit_test.hpp>

namespace ebb {

namespace {

column integers(std::vector<int> values, std::vector<std::uint32_t> nulls = {}) {
  auto x = make_column(sql_type{type_kind::integer}, static_cast<std::uint32_t>(values.size()));
  std::copy(values.begin(), values.end(), x.mutable_data<std::int32_t>());
  for (const auto i : nulls)
    set_null(x, i);
  return x;
}

} // namespace

BOOST_AUTO_TEST_SUITE(columns)

BOOST_AUTO_TEST_CASE(gather_follows_the_picks_and_keeps_nulls) {
  const auto x = integers({10, 20, 30, 40}, {2});
  const std::uint32_t picks[] = {3, 2, 2, 0};
  const auto y = gather(x, picks, 4);
  BOOST_TEST(y.data<std::int32_t>()[0] == 40);
  BOOST_TEST(y.is_null(1));
  BOOST_TEST(y.is_null(2));
  BOOST_TEST(!y.is_null(3));
  BOOST_TEST(y.data<std::int32_t>()[3] == 10);
}

BOOST_AUTO_TEST_CASE(gather_without_null_rows_drops_the_bits) {
  const auto x = integers({1, 2, 3}, {1});
  const std::uint32_t picks[] = {0, 2};
  BOOST_TEST(!gather(x, picks, 2).has_nulls());
}

BOOST_AUTO_TEST_CASE(concatenate_joins_bits_of_parts_with_and_without_nulls) {
  const auto a = integers({1, 2, 3});
  const auto b = integers({4, 5}, {0});
  const auto c = concatenate(std::vector<const column*>{&a, &b, &a});
  BOOST_TEST(c.rows == 8U);
  BOOST_TEST(c.is_null(3));
  BOOST_TEST(!c.is_null(4));
  BOOST_TEST(c.data<std::int32_t>()[7] == 3);
}

BOOST_AUTO_TEST_CASE(concatenate_makes_scales_of_different_columns_one_a_value) {
  auto a = make_column(sql_type{type_kind::numeric}, 1);
  a.mutable_data<int128>()[0] = 15;
  a.scale = 1;
  auto b = a;
  b.scale = 2;
  const auto c = concatenate(std::vector<const column*>{&a, &b});
  BOOST_TEST(c.scale_of(0) == 1);
  BOOST_TEST(c.scale_of(1) == 2);
}

BOOST_AUTO_TEST_CASE(a_text_builder_grows_beyond_its_first_room) {
  text_builder builder{sql_type{type_kind::text}, 1};
  for (int i = 0; i < 100; ++i) {
    if (i % 10 == 3)
      builder.append_null();
    else
      builder.append(std::to_string(i));
  }
  const auto x = builder.take();
  BOOST_TEST(x.rows == 100U);
  BOOST_TEST(x.text_of(99) == "99");
  BOOST_TEST(x.is_null(93));
  BOOST_TEST(!x.is_null(94));
}

BOOST_AUTO_TEST_CASE(a_constant_is_written_out) {
  auto x = integers({7});
  x.constant = true;
  x.rows = 3;
  const auto y = materialize(x);
  BOOST_TEST(!y.constant);
  BOOST_TEST(y.data<std::int32_t>()[2] == 7);
}

BOOST_AUTO_TEST_CASE(a_gathered_batch_remembers_where_its_rows_came_from) {
  batch x;
  x.rows = 4;
  x.columns = {integers({1, 2, 3, 4})};
  x.origin.source = std::make_shared<std::string>("source s");
  x.origin.first = 10;
  const std::uint32_t first[] = {1, 3};
  const auto once = gather(x, first, 2);
  const std::uint32_t second[] = {1};
  const auto twice = gather(once, second, 1);
  BOOST_TEST(origin_text(once, 0) == "source s, record 11");
  BOOST_TEST(origin_text(twice, 0) == "source s, record 13");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
