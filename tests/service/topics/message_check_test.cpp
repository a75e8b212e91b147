// Bodies of requests: values of a batch from outside, against the columns of its topic; readers
// that are used again.

#include "actors/dataflow/value_builder.hpp"
#include "actors/dataflow/value_text.hpp"
#include "actors/service/topics/message_parsers.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using ebb::batch;
using ebb::column;
using ebb::field;
using ebb::sql_type;
using ebb::type_kind;

// Rows of text as parse_literal reads it.
column column_of(sql_type type, const std::vector<std::string>& rows) {
  ebb::value_builder x(type);
  for (const auto& text : rows) {
    auto value = ebb::parse_literal(text, type);
    BOOST_REQUIRE_MESSAGE(bool(value), text);
    x.append_copy(*value, 0);
  }
  return x.take();
}

std::string said(column x, const field& of) {
  batch rows;
  rows.rows = x.rows;
  rows.columns.push_back(std::move(x));
  const auto checked = check_rows(rows, {of});
  return checked ? ""
                 : std::to_string(checked.error().place.line) + ' ' + checked.error().place.field
                       + ": " + checked.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(message_check)

BOOST_AUTO_TEST_CASE(a_bad_element_is_of_its_row) {
  const field of{"a", sql_type{type_kind::text}.array_of(), false};
  auto x = column_of(of.type, {"{x,y}", "{}", "{z,bad,w}", "{v}"});
  BOOST_TEST(said(x, of).empty());
  const auto& element = x.child->data<ebb::text_ref>()[3];
  const_cast<char*>(element.view().data())[1] = '\xff';
  BOOST_TEST(said(x, of) == "3 a: invalid byte sequence for encoding \"UTF8\"");
}

BOOST_AUTO_TEST_CASE(a_bad_value_is_of_its_row) {
  const field booleans{"b", {type_kind::boolean}, false};
  auto x = column_of(booleans.type, {"true", "false", "true"});
  BOOST_TEST(said(x, booleans).empty());
  x.mutable_data<std::uint8_t>()[1] = 2;
  BOOST_TEST(said(x, booleans) == "2 b: a boolean is 0 or 1");
  const field short_texts{"c", {type_kind::text, type_kind::unknown, 0, 0, 3}, false};
  BOOST_TEST(said(column_of({type_kind::text}, {"äöü", "abcd"}), short_texts)
             == "2 c: value too long for type character varying(3)");
  const field times{"t", {type_kind::timestamp}, false};
  x = column_of(times.type, {"infinity", "4714-11-24 BC", "294247-01-10 04:00:54.775806"});
  BOOST_TEST(said(x, times).empty());
  x.mutable_data<std::int64_t>()[1] -= 1;
  BOOST_TEST(said(x, times) == "2 t: timestamp out of range");
  const field dates{"d", {type_kind::date}, false};
  x = column_of(dates.type, {"-infinity", "4714-11-24 BC", "5874897-12-31"});
  BOOST_TEST(said(x, dates).empty());
  x.mutable_data<std::int32_t>()[2] += 1;
  BOOST_TEST(said(x, dates) == "3 d: date out of range");
  x.mutable_data<std::int32_t>()[1] -= 1;
  BOOST_TEST(said(x, dates) == "2 d: date out of range");
}

BOOST_AUTO_TEST_CASE(a_short_body_leaves_nothing_behind) {
  ebb::message_parsers parsers("t", {{"a", {type_kind::bigint}, false}});
  const auto said_of = [&](ebb::message_form form, std::string_view body) {
    const auto got = parsers.parse(form, body);
    return got ? std::to_string(got->front().rows->rows) + " rows" : got.error().message;
  };
  for (const auto form : {ebb::message_form::lines, ebb::message_form::object}) {
    // No reader has been used yet; those that follow are used again.
    for (const auto* body : {"1", "x", "1", "{"}) {
      BOOST_TEST(!said_of(form, body).starts_with("the body holds no message"), body);
      BOOST_TEST(said_of(form, "{\"a\":1}") == "1 rows");
    }
    for (const auto* body : {"", " ", "\n"}) {
      BOOST_TEST(said_of(form, body) == "the body holds no message");
      BOOST_TEST(said_of(form, "{\"a\":1}") == "1 rows");
    }
    BOOST_TEST(said_of(form, "\xEF\xBB\xBF{}") == "1 rows");
    BOOST_TEST(said_of(form, "\xEF\xBB\xBF\xEF\xBB\xBF{}") != "1 rows");
  }
}

BOOST_AUTO_TEST_SUITE_END()
