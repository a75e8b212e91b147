/// Layouts of state: as text and back, and entries as people read them.
#include "actors/plan/state_layout.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using namespace ebb;
using form = state_part::form;

state_part part(const char* name, form as, type_kind kind = type_kind::bigint) {
  return {name, as, sql_type{kind}};
}

std::string bytes(std::initializer_list<int> values) {
  std::string result;
  for (const auto x : values)
    result.push_back(static_cast<char>(x));
  return result;
}

} // namespace

BOOST_AUTO_TEST_SUITE(state_layouts_of_entries)

BOOST_AUTO_TEST_CASE(layouts_survive_their_text) {
  std::vector<state_layout> layouts(2);
  layouts[0] = {"q/over/0", 3, "rows", {part("k", form::key, type_kind::text)}, {}};
  layouts[1].identity = "j/window join/0";
  for (const auto as : {form::time, form::key, form::value, form::number, form::group, form::flag,
                        form::side, form::hidden, form::met, form::ends, form::set, form::ordered})
    layouts[1].value.push_back(part("a b", as));
  const auto text = to_text(layouts);
  const auto again = state_layouts_from(text);
  BOOST_REQUIRE_EQUAL(again.size(), 2U);
  BOOST_TEST(to_text(again) == text);
  BOOST_TEST((again[1].value.back().as == form::ordered));
  BOOST_TEST(state_layouts_from("x\t1\tname\tz\x1f"
                                "bigint\x1f"
                                "k\t=\n")
                 .empty());
}

BOOST_AUTO_TEST_CASE(parts_are_shown_by_name) {
  const auto number = part("n", form::number);
  BOOST_TEST(show_parts({number}, bytes({0, 0, 0, 0, 0, 0, 1, 2}), false) == "n=258");
  BOOST_TEST(show_parts({part("w", form::group), part("f", form::flag), part("s", form::side)},
                        bytes({1, 0, 1, 0}), false)
             == "w=256, f=true, s=left");
  BOOST_TEST(show_parts({part("", form::hidden), part("f", form::flag)}, bytes({7, 0}), false)
             == "f=false");
  BOOST_TEST(show_parts({number}, bytes({0, 0, 0, 1}), false) == "\\x00000001"); // too short
  BOOST_TEST(show_parts({part("f", form::flag)}, bytes({2}), false) == "\\x02");
  BOOST_TEST(show_parts({part("f", form::flag)}, bytes({1, 1}), false) == "\\x0101");
  BOOST_TEST(show_parts({part("f", form::flag)}, bytes({1, 0}), true) == "f=true, f=false");
}

BOOST_AUTO_TEST_CASE(values_that_calls_keep_are_listed) {
  // Of a BYTEA: a value, of so many bytes; in it values of a SMALLINT.
  const auto seven_five = bytes({1, 6, 0, 0, 0, 1, 7, 0, 1, 5, 0});
  BOOST_TEST(show_parts({part("count", form::set, type_kind::smallint)}, seven_five, false)
             == "count=[7, 5]");
  const auto sorted =
      bytes({1, 26, 0, 0, 0, //
             2, 0,  0, 0, 1, 9, 3, 0, 0, 0, 1, 9, 0, 2, 0, 0, 0, 1, 4, 3, 0, 0, 0, 1, 4, 0});
  BOOST_TEST(show_parts({part("array_agg", form::ordered, type_kind::smallint)}, sorted, false)
             == "array_agg=[4, 9]");
  BOOST_TEST(show_parts({part("a", form::set, type_kind::smallint)}, bytes({1, 0, 0, 0, 0}), false)
             == "a=[]");
  // Cut in a value.
  BOOST_TEST(
      show_parts({part("a", form::set, type_kind::smallint)}, bytes({1, 2, 0, 0, 0, 1, 7}), false)
      == "\\x01020000000107");
}

BOOST_AUTO_TEST_CASE(ends_of_open_windows_are_listed) {
  BOOST_TEST(show_parts({part("until", form::ends)}, bytes({3}), false) == "until=[]");
  BOOST_TEST(
      show_parts({part("until", form::ends)}, bytes({0, 0x80, 0, 0, 0, 0, 0x0f, 0x42, 0x40}), false)
      == "until=[1970-01-01 00:00:01]");
}

BOOST_AUTO_TEST_CASE(flags_of_joined_rows_are_told) {
  const std::vector<state_part> parts{part("join", form::met)};
  BOOST_TEST(show_parts(parts, bytes({0}), false) == "join=waits");
  BOOST_TEST(show_parts(parts, bytes({1 + 2}), false) == "join=matched begun by left");
  BOOST_TEST(show_parts(parts, bytes({2 + 4 + 8, 0, 0, 0, 0, 0, 0, 0, 5}), false)
             == "join=begun by right met 5");
  BOOST_TEST(show_parts(parts, bytes({16}), false) == "join=passed");
  BOOST_TEST(show_parts(parts, bytes({8, 0}), false) == "\\x0800"); // the number is cut
}

BOOST_AUTO_TEST_SUITE_END()
