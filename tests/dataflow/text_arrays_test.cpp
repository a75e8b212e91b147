// Arrays. The expected results are PostgreSQL 15's.

#include "tests/dataflow/text_support.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

using ebb::test::check;

BOOST_AUTO_TEST_SUITE(text_arrays)

BOOST_AUTO_TEST_CASE(subscripts) {
  check({
      {"subscript", {"i[]:{1,2,NULL}", "i:0"}, "NULL"},
      {"subscript", {"i[]:{1,2,NULL}", "i:1"}, "1"},
      {"subscript", {"i[]:{1,2,NULL}", "i:2"}, "2"},
      {"subscript", {"i[]:{1,2,NULL}", "i:3"}, "NULL"},
      {"subscript", {"i[]:{1,2,NULL}", "i:4"}, "NULL"},
      {"subscript", {"i[]:{1,2,NULL}", "i:-1"}, "NULL"},
      {"subscript", {"i[]:{1,2,NULL}", "i:2147483647"}, "NULL"},
      {"subscript", {"t[]:{a,é}", "i:2"}, "é"},
      {"subscript", {"i[]:{}", "i:1"}, "NULL"},
      {"subscript", {"i[]:\\N", "i:1"}, "NULL"},
      {"array_slice", {"i[]:{1,2,3}", "i:2", "i:3"}, "{2,3}"},
      {"array_slice", {"i[]:{1,2,3}", "i:0", "i:1"}, "{1}"},
      {"array_slice", {"i[]:{1,2,3}", "i:3", "i:2"}, "{}"},
      {"array_slice", {"i[]:{1,2,3}", "i:2", "i:2147483647"}, "{2,3}"},
      {"trim_array", {"i[]:{1,2,3}", "i:1"}, "{1,2}"},
      {"trim_array", {"i[]:{1,2,3}", "i:3"}, "{}"},
      {"trim_array",
       {"i[]:{1,2,3}", "i:4"},
       "error: number of elements to trim must be between 0 and 3"},
      {"trim_array",
       {"i[]:{1,2,3}", "i:-1"},
       "error: number of elements to trim must be between 0 and 3"},
  });
}

BOOST_AUTO_TEST_CASE(bounds) {
  check({
      {"cardinality", {"i[]:{}"}, "0"},
      {"cardinality", {"t[]:{a,NULL}"}, "2"},
      {"array_length", {"i[]:{1,2}", "i:1"}, "2"},
      {"array_length", {"i[]:{1,2}", "i:2"}, "NULL"},
      {"array_length", {"i[]:{}", "i:1"}, "NULL"},
      {"array_upper", {"i[]:{1,2}", "i:1"}, "2"},
      {"array_lower", {"i[]:{1,2}", "i:1"}, "1"},
      {"array_lower", {"i[]:{}", "i:1"}, "NULL"},
      {"array_ndims", {"i[]:{1}"}, "1"},
      {"array_ndims", {"i[]:{}"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(building) {
  check({
      {"array", {"i:1", "i:\\N", "i:3"}, "{1,NULL,3}"},
      {"array", {"t:a b", "t:\\N", "t:"}, "{\"a b\",NULL,\"\"}"},
      {"array", {"n:1.50"}, "{1.50}"},
      {"||", {"i[]:{1}", "i[]:{2,NULL}"}, "{1,2,NULL}"},
      {"||", {"i[]:\\N", "i[]:{2}"}, "{2}"},
      {"||", {"i[]:{1}", "i[]:\\N"}, "{1}"},
      {"array_cat", {"i[]:\\N", "i[]:\\N"}, "NULL"},
      {"array_append", {"i[]:{1}", "i:2"}, "{1,2}"},
      {"array_append", {"i[]:\\N", "i:1"}, "{1}"},
      {"||", {"i[]:{1}", "i:\\N"}, "{1,NULL}"},
      {"array_prepend", {"i:0", "i[]:{1}"}, "{0,1}"},
      {"||", {"t:é", "t[]:{a}"}, "{é,a}"},
      {"array_prepend", {"i:\\N", "i[]:\\N"}, "{NULL}"},
  });
}

BOOST_AUTO_TEST_CASE(searching) {
  check({
      {"is_element_of_array", {"i:1", "i[]:{1,NULL}"}, "true"},
      {"is_element_of_array", {"i:2", "i[]:{1,NULL}"}, "NULL"},
      {"is_element_of_array", {"i:3", "i[]:{1,2}"}, "false"},
      {"is_element_of_array", {"i:\\N", "i[]:{}"}, "false"},
      {"is_element_of_array", {"i:\\N", "i[]:{1}"}, "NULL"},
      {"is_element_of_array", {"i:1", "i[]:\\N"}, "NULL"},
      {"is_element_of_array", {"d:NaN", "d[]:{NaN,0}"}, "true"},
      {"is_element_of_array", {"d:-0", "d[]:{0}"}, "true"},
      {"is_element_of_array", {"n:1", "n[]:{1.0}"}, "true"},
      {"is_element_of_array", {"V:30 days", "V[]:{1 mon}"}, "true"},
      {"is_element_of_array", {"t:é", "t[]:{a,é}"}, "true"},
      {"array_position", {"i[]:{1,2,NULL,2}", "i:2"}, "2"},
      {"array_position", {"i[]:{1,2,NULL}", "i:\\N"}, "3"},
      {"array_position", {"i[]:{1,2}", "i:5"}, "NULL"},
      {"array_position", {"i[]:{1,2,2}", "i:2", "i:3"}, "3"},
      {"array_position", {"i[]:{1,2}", "i:1", "i:2"}, "NULL"},
      {"array_position", {"i[]:{1,2}", "i:1", "i:\\N"}, "error: initial position must not be null"},
      {"array_position", {"i[]:{}", "i:1", "i:\\N"}, "NULL"},
      {"array_positions", {"i[]:{1,2,2}", "i:2"}, "{2,3}"},
      {"array_positions", {"i[]:{1}", "i:2"}, "{}"},
      {"array_remove", {"i[]:{1,NULL,2,1}", "i:1"}, "{NULL,2}"},
      {"array_remove", {"i[]:{1,NULL}", "i:\\N"}, "{1}"},
      {"array_replace", {"i[]:{1,NULL,2}", "i:\\N", "i:5"}, "{1,5,2}"},
      {"array_replace", {"i[]:{1,2,1}", "i:1", "i:\\N"}, "{NULL,2,NULL}"},
  });
}

BOOST_AUTO_TEST_CASE(text_and_arrays) {
  check({
      {"array_to_string", {"i[]:{1,NULL,3}", "t:,"}, "1,3"},
      {"array_to_string", {"i[]:{1,NULL,3}", "t:,", "t:*"}, "1,*,3"},
      {"array_to_string", {"i[]:{1,NULL}", "t:,", "t:\\N"}, "1"},
      {"array_to_string", {"i[]:{1,2}", "t:\\N"}, "NULL"},
      {"array_to_string", {"b[]:{t,f}", "t:"}, "tf"},
      {"array_to_string", {"i[]:{}", "t:,"}, ""},
      {"array_to_string", {"d[]:{1e20,0.1}", "t: "}, "1e+20 0.1"},
      {"string_to_array", {"t:a,b,,c", "t:,"}, "{a,b,\"\",c}"},
      {"string_to_array", {"t:a,b", "t:\\N"}, "{a,\",\",b}"},
      {"string_to_array", {"t:héb", "t:\\N"}, "{h,é,b}"},
      {"string_to_array", {"t:", "t:,"}, "{}"},
      {"string_to_array", {"t:a,b", "t:"}, "{\"a,b\"}"},
      {"string_to_array", {"t:a,,b", "t:,", "t:"}, "{a,NULL,b}"},
      {"string_to_array", {"t:a,,b", "t:,", "t:a"}, "{NULL,\"\",b}"},
      {"string_to_array", {"t:a<>b<>", "t:<>"}, "{a,b,\"\"}"},
      {"string_to_array", {"t:\\N", "t:,"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(array_casts) {
  check({
      {"cast->t[]", {"i[]:{1,NULL}"}, "{1,NULL}"},
      {"cast->I[]", {"i[]:{1,2}"}, "{1,2}"},
      {"cast->i[]", {"t[]:{1,x}"}, "error: invalid input syntax for type integer: \"x\""},
      {"cast->i[]", {"d[]:{1.5,2.5,NULL}"}, "{2,2,NULL}"},
      {"cast->s[]", {"i[]:{1,99999}"}, "error: smallint out of range"},
      {"cast->n[]", {"t[]:{1.50,2}"}, "{1.50,2}"},
      {"cast->t[]", {"i[]:{}"}, "{}"},
      {"cast->t[]", {"b[]:{t}"}, "{true}"},
  });
}

/// The row of a failing element is the row of its array.
BOOST_AUTO_TEST_CASE(errors_name_the_row) {
  using ebb::test::value_of;
  ebb::batch input;
  input.rows = 4;
  std::vector<ebb::column> rows;
  for (const char* text : {"t[]:{1,2}", "t[]:{}", "t[]:{3}", "t[]:{4,x}"})
    rows.push_back(ebb::materialize(value_of(text)));
  input.columns.push_back(ebb::concatenate({&rows[0], &rows[1], &rows[2], &rows[3]}));
  const auto type = ebb::test::type_of("i[]");
  const auto* cast = ebb::builtin_functions().find_cast(ebb::test::type_of("t[]"), type);
  BOOST_TEST_REQUIRE(cast != nullptr);
  const auto call = ebb::make_call(*cast, type, {ebb::make_column_ref(0, rows[0].type)});
  const auto answer = ebb::evaluate(**call, input, ebb::selection::all(input));
  BOOST_TEST_REQUIRE(!answer);
  BOOST_TEST(answer.error().message == "invalid input syntax for type integer: \"x\"");
  BOOST_TEST(*answer.error().row == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
