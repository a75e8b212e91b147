#include "tests/dataflow/time_function_rows.hpp"
#include "tests/dataflow/time_part_rows.hpp"
#include "tests/dataflow/time_pattern_rows.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

using ebb::type_kind;
using ebb::tests::call;
using ebb::tests::column_of;
using ebb::tests::constant_of;
using ebb::tests::text_of;

namespace {

void check(const std::vector<ebb::tests::function_row>& rows) {
  for (const auto& row : rows) {
    std::string what = row.name;
    for (const auto& [kind, text] : row.args)
      what += std::string(" [") + text + "]";
    BOOST_TEST(ebb::tests::run(row) == row.expected, what);
  }
}

std::vector<std::string> texts(const ebb::result<ebb::column>& x) {
  if (!x)
    return {"ERROR: " + x.error().message};
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < x->rows; ++i)
    out.push_back(text_of(*x, i));
  return out;
}

#define CHECK_ROWS(got, ...)                                                                       \
  BOOST_TEST(texts(got) == (std::vector<std::string>{__VA_ARGS__}),                                \
             boost::test_tools::per_element())

} // namespace

BOOST_AUTO_TEST_SUITE(time_functions)

BOOST_AUTO_TEST_CASE(answers_of_postgresql) {
  check(ebb::tests::time_function_rows);
  check(ebb::tests::time_part_rows);
}

BOOST_AUTO_TEST_CASE(answers_of_postgresql_by_pattern) {
  check(ebb::tests::time_pattern_rows);
}

BOOST_AUTO_TEST_CASE(columns_and_constants) {
  const auto times =
      column_of(type_kind::timestamp, {"2001-02-03 04:05:06.5", "1999-12-31 23:59:59", "infinity"});
  CHECK_ROWS(call("extract", {constant_of(type_kind::text, "second", 3), times}), "6.500000",
             "59.000000", "NULL");
  CHECK_ROWS(call("extract", {constant_of(type_kind::text, "year", 3), times}), "2001", "1999",
             "Infinity");
  CHECK_ROWS(call("extract", {constant_of(type_kind::text, "julian", 3), times}),
             "2451944.17021412037037037037", "2451544.99998842592592592593", "Infinity");
  CHECK_ROWS(call("date_part", {constant_of(type_kind::text, "year", 3), times}), "2001", "1999",
             "Infinity");
  CHECK_ROWS(call("date_trunc", {constant_of(type_kind::text, "week", 3), times}),
             "2001-01-29 00:00:00", "1999-12-27 00:00:00", "infinity");
  CHECK_ROWS(call("+", {times, constant_of(type_kind::interval, "1 mon", 3)}),
             "2001-03-03 04:05:06.5", "2000-01-31 23:59:59", "infinity");
  CHECK_ROWS(
      call("-", {constant_of(type_kind::timestamp, "2001-02-04", 3),
                 column_of(type_kind::timestamp, {"2001-02-03", "2001-02-04", "2001-02-05"})}),
      "1 day", "00:00:00", "-1 days");
  CHECK_ROWS(call("to_char", {times, constant_of(type_kind::text, "YYYY", 3)}), "2001", "1999",
             "NULL");
  CHECK_ROWS(call("to_char", {times, column_of(type_kind::text, {"YYYY", "MM", "DD"})}), "2001",
             "12", "NULL");
  CHECK_ROWS(call("to_date", {column_of(type_kind::text, {"2001-02-03", "03.02.2001"}),
                              column_of(type_kind::text, {"YYYY-MM-DD", "DD.MM.YYYY"})}),
             "2001-02-03", "2001-02-03");
  CHECK_ROWS(call("to_number", {column_of(type_kind::text, {"1,5", "2"}),
                                column_of(type_kind::text, {"9G9", ""})}),
             "15", "NULL");
  CHECK_ROWS(call("make_date", {column_of(type_kind::integer, {"2001", "2002"}),
                                constant_of(type_kind::integer, "2", 2),
                                constant_of(type_kind::integer, "28", 2)}),
             "2001-02-28", "2002-02-28");
  CHECK_ROWS(call("date_bin", {constant_of(type_kind::interval, "1 hour", 2),
                               column_of(type_kind::timestamp, {"2001-01-01 01:30", "2001-01-01"}),
                               constant_of(type_kind::timestamp, "2001-01-01 00:15", 2)}),
             "2001-01-01 01:15:00", "2000-12-31 23:15:00");
}

BOOST_AUTO_TEST_CASE(scales_of_extract_are_uniform) {
  const auto times = column_of(type_kind::timestamp, {"2001-02-03 04:05:06", "2001-02-03"});
  for (const auto& [field, scale] : {std::pair{"hour", 0}, std::pair{"milliseconds", 3},
                                     std::pair{"second", 6}, std::pair{"epoch", 6}}) {
    const auto got = call("extract", {constant_of(type_kind::text, field, 2), times});
    BOOST_TEST_REQUIRE(static_cast<bool>(got));
    BOOST_TEST(!got->scales);
    BOOST_TEST(got->scale == scale);
  }
}

BOOST_AUTO_TEST_CASE(rows_that_do_not_count_cannot_fail) {
  const std::array<std::uint8_t, 1> second_only{0b10};
  const auto valid = second_only.data();
  const auto times = column_of(type_kind::timestamp, {"294000-01-01", "2001-01-01"});
  const auto far = constant_of(type_kind::interval, "100000 years", 2);
  const auto near = column_of(type_kind::interval, {"100000 years", "1 year"});
  const auto rejected = call("+", {times, far}, valid);
  BOOST_TEST_REQUIRE(static_cast<bool>(rejected));
  const auto failed =
      call("+", {column_of(type_kind::timestamp, {"2001-01-01", "294000-01-01"}), far});
  BOOST_TEST_REQUIRE(!failed);
  BOOST_TEST(failed.error().message == "timestamp out of range");
  BOOST_TEST(failed.error().row.value() == 1U);
  BOOST_TEST(text_of(*call("+", {times, near}, valid), 1) == "2002-01-01 00:00:00");
  const auto texts_ = column_of(type_kind::text, {"x", "2001"});
  BOOST_TEST(text_of(*call("to_date", {texts_, constant_of(type_kind::text, "YYYY", 2)}, valid), 1)
             == "2001-01-01");
  BOOST_TEST(
      text_of(*call("to_number", {texts_, constant_of(type_kind::text, "9999", 2)}, valid), 1)
      == "2001");
  const auto oldest = column_of(type_kind::timestamp, {"4713-12-01 BC", "2001-05-05"});
  const auto unit = constant_of(type_kind::text, "millennium", 2);
  BOOST_TEST(text_of(*call("date_trunc", {unit, oldest}, valid), 1) == "2001-01-01 00:00:00");
  BOOST_TEST(call("date_trunc", {unit, oldest}).error().row.value() == 0U);
  BOOST_TEST(text_of(*call("make_date",
                           {column_of(type_kind::integer, {"0", "2001"}),
                            constant_of(type_kind::integer, "1", 2),
                            constant_of(type_kind::integer, "1", 2)},
                           valid),
                     1)
             == "2001-01-01");
}

BOOST_AUTO_TEST_CASE(fields_and_units_are_resolved_when_bound) {
  const auto times = column_of(type_kind::timestamp, {"2001-01-01", "2001-01-01"});
  const auto unknown = call("extract", {constant_of(type_kind::text, "yeer", 2), times});
  BOOST_TEST_REQUIRE(!unknown);
  BOOST_TEST(unknown.error().message
             == "unit \"yeer\" not recognized for type timestamp without time zone");
  BOOST_TEST((unknown.error().code == ebb::ec::invalid_argument));
  for (const auto* name : {"extract", "date_part", "date_trunc"}) {
    const auto varying = call(name, {column_of(type_kind::text, {"year", "month"}), times});
    BOOST_TEST_REQUIRE(!varying);
    BOOST_TEST((varying.error().code == ebb::ec::unsupported));
  }
}

BOOST_AUTO_TEST_CASE(refused_by_name) {
  const auto t = column_of(type_kind::timestamp, {"2001-01-01"});
  const auto age = call("age", {t, t});
  BOOST_TEST_REQUIRE(!age);
  BOOST_TEST(age.error().message == "function age is not supported");
  BOOST_TEST(!age.error().hint.empty());
  const auto zone = call("timezone", {column_of(type_kind::text, {"Europe/Berlin"}), t});
  BOOST_TEST_REQUIRE(!zone);
  BOOST_TEST(zone.error().message == "time zone \"Europe/Berlin\" not recognized");
  BOOST_TEST((zone.error().code == ebb::ec::unsupported));
  BOOST_TEST(ebb::tests::time_functions().find("now", {}) == nullptr);
}

BOOST_AUTO_TEST_CASE(contexts_of_casts) {
  using enum ebb::cast_context;
  const auto context = [](type_kind from, type_kind to) {
    const auto* cast =
        ebb::tests::time_functions().find_cast(ebb::sql_type{from}, ebb::sql_type{to});
    return cast == nullptr ? none : cast->cast;
  };
  BOOST_TEST((context(type_kind::date, type_kind::timestamp) == implicit));
  BOOST_TEST((context(type_kind::date, type_kind::timestamptz) == implicit));
  BOOST_TEST((context(type_kind::timestamp, type_kind::timestamptz) == implicit));
  BOOST_TEST((context(type_kind::timestamptz, type_kind::timestamp) == assignment));
  BOOST_TEST((context(type_kind::timestamp, type_kind::date) == assignment));
  BOOST_TEST((context(type_kind::timestamptz, type_kind::date) == assignment));
  BOOST_TEST((context(type_kind::interval, type_kind::timestamp) == none));
}

BOOST_AUTO_TEST_CASE(no_rows) {
  auto empty = ebb::make_column(ebb::sql_type{type_kind::timestamp}, 0);
  const auto& functions = ebb::tests::time_functions();
  const std::vector<ebb::sql_type> types{ebb::sql_type{type_kind::text},
                                         ebb::sql_type{type_kind::timestamp}};
  for (const auto* name : {"extract", "date_part", "date_trunc"}) {
    const auto* function = functions.find(name, types);
    BOOST_TEST_REQUIRE(function != nullptr);
    const auto unit = constant_of(type_kind::text, "year", 0);
    const auto bound = ebb::make_call(*function, function->returns,
                                      {ebb::make_literal(unit), ebb::make_column_ref(0, types[1])});
    BOOST_TEST_REQUIRE(static_cast<bool>(bound));
    const std::vector<ebb::column> args{unit, empty};
    const auto got = function->run({function->returns, 0, (*bound)->bound.get(), nullptr}, args);
    BOOST_TEST_REQUIRE(static_cast<bool>(got));
    BOOST_TEST(got->rows == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
