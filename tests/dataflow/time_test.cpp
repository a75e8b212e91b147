#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/time_text.hpp"
#include "tests/dataflow/time_text_rows.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

template <class T, class Append>
std::string text_of(const ebb::result<T>& x, Append append) {
  if (!x)
    return "ERROR: " + x.error().message;
  std::string out;
  append(*x, out);
  return out;
}

std::string read_and_write(ebb::type_kind type, const std::string& input) {
  switch (type) {
  case ebb::type_kind::timestamp:
    return text_of(ebb::parse_timestamp(input, false), ebb::append_timestamp);
  case ebb::type_kind::timestamptz:
    return text_of(ebb::parse_timestamp(input, true), ebb::append_timestamptz);
  case ebb::type_kind::date:
    return text_of(ebb::parse_date(input), ebb::append_date);
  default:
    return text_of(ebb::parse_interval(input), ebb::append_interval);
  }
}

std::string iso(ebb::micros t, bool utc) {
  std::string out;
  ebb::append_iso_timestamp(t, utc, out);
  return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(time_text)

BOOST_AUTO_TEST_CASE(reads_and_writes_as_postgresql_does) {
  for (const auto& row : ebb::tests::time_text_rows)
    BOOST_TEST(read_and_write(row.type, row.input) == row.output, row.input);
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back) {
  // Steps of a prime number of microseconds over the whole range.
  constexpr auto step = (ebb::calendar::max_timestamp / 20'011) | 1;
  for (auto t = ebb::calendar::min_timestamp; t < ebb::calendar::max_timestamp - step; t += step) {
    std::string text;
    ebb::append_timestamp(t, text);
    const auto back = ebb::parse_timestamp(text, false);
    BOOST_TEST_REQUIRE(static_cast<bool>(back), text);
    BOOST_TEST_REQUIRE(*back == t, text);
    BOOST_TEST_REQUIRE(ebb::from_civil(ebb::to_civil(t)) == t);
  }
  for (const auto t : {ebb::calendar::min_timestamp, ebb::calendar::max_timestamp}) {
    std::string text;
    ebb::append_timestamp(t, text);
    BOOST_TEST(*ebb::parse_timestamp(text, false) == t, text);
  }
}

BOOST_AUTO_TEST_CASE(calendar_holds_day_by_day) {
  std::int64_t year = -401;
  int month = 1;
  int day = 1;
  auto days = ebb::calendar::days_of(year, 1, 1);
  auto iso_year_start = ebb::calendar::iso_year_start(year);
  for (; year < 2401; ++days) {
    const auto date = ebb::calendar::parts_of(days);
    BOOST_TEST_REQUIRE((date.year == year && date.month == month && date.day == day));
    BOOST_TEST_REQUIRE(ebb::calendar::days_of(year, month, day) == days);
    const auto week = ebb::calendar::iso_week_of(days);
    BOOST_TEST_REQUIRE(ebb::calendar::iso_year_start(week.year) + (week.week - 1) * 7 <= days);
    BOOST_TEST_REQUIRE(ebb::calendar::iso_year_start(week.year) + week.week * 7 > days);
    if (++day > ebb::calendar::days_in_month(year, month)) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
        BOOST_TEST_REQUIRE(ebb::calendar::iso_year_start(year) > iso_year_start);
        iso_year_start = ebb::calendar::iso_year_start(year);
      }
    }
  }
  BOOST_TEST(ebb::calendar::days_of(1970, 1, 1) == 0);
  BOOST_TEST(ebb::days_from_civil(2000, 3, 1) == 11'017);
  BOOST_TEST(ebb::calendar::day_of_week(0) == 4);
}

BOOST_AUTO_TEST_CASE(json_form) {
  const auto t = *ebb::parse_timestamp("2013-01-01 05:00:00", false);
  BOOST_TEST(iso(t, false) == "2013-01-01T05:00:00");
  BOOST_TEST(iso(t + 500'000, true) == "2013-01-01T05:00:00.5Z");
  BOOST_TEST(iso(t + 1, false) == "2013-01-01T05:00:00.000001");
  BOOST_TEST(iso(ebb::max_time, true) == "infinity");
  BOOST_TEST(iso(ebb::min_time, false) == "-infinity");
}

BOOST_AUTO_TEST_CASE(a_zone_can_be_applied_to_a_plain_timestamp) {
  const auto t = *ebb::parse_timestamp("2013-01-01 05:00:00", false);
  BOOST_TEST(*ebb::parse_timestamp("2013-01-01T07:00:00+02:00", true) == t);
  BOOST_TEST(*ebb::parse_timestamp("2013-01-01T07:00:00+02:00", false)
             == t + 2 * ebb::calendar::micros_per_hour);
}

BOOST_AUTO_TEST_CASE(words_for_the_current_time_are_refused_by_name) {
  for (const auto* word : {"now", "today", "tomorrow", "yesterday", "NOW"}) {
    const auto got = ebb::parse_timestamp(word, false);
    BOOST_TEST_REQUIRE(!got);
    BOOST_TEST((got.error().code == ebb::ec::unsupported));
    BOOST_TEST(!got.error().hint.empty());
  }
  // PostgreSQL refuses the text before it looks at the word.
  BOOST_TEST((ebb::parse_timestamp("now foo", false).error().code == ebb::ec::evaluation));
}

BOOST_AUTO_TEST_CASE(named_zones_are_refused_by_name) {
  const auto got = ebb::parse_timestamp("2013-01-01 05:00 Europe/Berlin", true);
  BOOST_TEST_REQUIRE(!got);
  BOOST_TEST(got.error().message == "time zone \"europe/berlin\" not recognized");
  BOOST_TEST(!got.error().hint.empty());
}

BOOST_AUTO_TEST_CASE(odd_bytes_are_errors) {
  using namespace std::string_literals;
  for (const auto& text :
       {"\0"s, "2013-01-01\0"s, "2013-01-01 05:00\xff"s, std::string(5'000, '1'),
        std::string(5'000, '-'), std::string(5'000, 'a'), "1:1:1:1"s, "2013-01-01 5:5:5:5"s}) {
    BOOST_TEST(!ebb::parse_timestamp(text, true), text.substr(0, 40));
    BOOST_TEST(!ebb::parse_date(text), text.substr(0, 40));
  }
  BOOST_TEST(!ebb::parse_interval("1 day\0"s));
  BOOST_TEST(!ebb::parse_interval("P"s + std::string(5'000, '1') + "D"));
}

BOOST_AUTO_TEST_SUITE_END()
