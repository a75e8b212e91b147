// LIKE, regular expressions and SIMILAR TO. The expected results are PostgreSQL 15's.

#include "actors/dataflow/functions/regex.hpp"
#include "tests/dataflow/text_support.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using ebb::test::check;

BOOST_AUTO_TEST_SUITE(text_patterns)

BOOST_AUTO_TEST_CASE(like) {
  check({
      {"~~", {"t:abc", "t:abc"}, "true"},
      {"~~", {"t:abc", "t:a%"}, "true"},
      {"~~", {"t:abc", "t:%c"}, "true"},
      {"~~", {"t:abc", "t:%b%"}, "true"},
      {"~~", {"t:abc", "t:a%c"}, "true"},
      {"~~", {"t:abcabd", "t:%ab%bd"}, "true"},
      {"~~", {"t:aba", "t:ab%ba"}, "false"},
      {"~~", {"t:abc", "t:a_c"}, "true"},
      {"~~", {"t:aéc", "t:a_c"}, "true"},
      {"~~", {"t:日本", "t:__"}, "true"},
      {"~~", {"t:日本", "t:_"}, "false"},
      {"~~", {"t:", "t:"}, "true"},
      {"~~", {"t:", "t:%"}, "true"},
      {"~~", {"t:", "t:_"}, "false"},
      {"~~", {"t:a", "t:"}, "false"},
      {"~~", {"t:a%b", "t:a\\%b"}, "true"},
      {"~~", {"t:axb", "t:a\\%b"}, "false"},
      {"~~", {"t:a\\b", "t:a\\\\b"}, "true"},
      {"~~", {"t:abab", "t:%a_"}, "true"},
      {"~~", {"t:aab", "t:%_b"}, "true"},
      {"~~", {"t:xaxb", "t:%a%_"}, "true"},
      {"~~", {"t:xa", "t:%a%_"}, "false"},
      {"~~", {"t:x", "t:x\\"}, "false"},
      {"~~", {"t:xy", "t:x\\"}, "error: LIKE pattern must not end with escape character"},
      {"~~", {"t:a", "t:x\\"}, "false"},
      {"~~", {"t:", "t:%\\"}, "false"},
      {"~~", {"t:x", "t:%\\"}, "error: LIKE pattern must not end with escape character"},
      {"!~~", {"t:abc", "t:a%"}, "false"},
      {"!~~", {"t:abc", "t:x%"}, "true"},
      {"~~*", {"t:ÀB", "t:àb"}, "true"},
      {"~~*", {"t:aBC", "t:A_c"}, "true"},
      {"!~~*", {"t:abc", "t:ABC"}, "false"},
      {"~~", {"y:\\xff00", "y:\\x5f5f"}, "true"},
      {"~~", {"y:\\xc3a9", "y:\\x5f"}, "false"},
      {"like_escape", {"t:a#%b", "t:#"}, "a\\%b"},
      {"like_escape", {"t:a\\b", "t:"}, "a\\\\b"},
      {"like_escape", {"t:a\\b", "t:\\"}, "a\\b"},
      {"like_escape", {"t:a##b", "t:#"}, "a\\#b"},
      {"like_escape", {"t:a#\\b", "t:#"}, "a\\\\b"},
      {"like_escape", {"t:aéb", "t:é"}, "a\\b"},
      {"like_escape", {"t:a", "t:ab"}, "error: invalid escape string"},
  });
}

BOOST_AUTO_TEST_CASE(regular_expressions) {
  check({
      {"~", {"t:abc", "t:b"}, "true"},
      {"~", {"t:abc", "t:^b"}, "false"},
      {"~", {"t:abc", "t:c$"}, "true"},
      {"~", {"t:a\nb", "t:a.b"}, "true"},
      {"~", {"t:a\nb", "t:^b"}, "false"},
      {"~", {"t:a\nb", "t:(?n)^b"}, "true"},
      {"~", {"t:a\nb", "t:(?n)a.b"}, "false"},
      {"~", {"t:a\nb", "t:(?p)^b"}, "false"},
      {"~", {"t:a\nb", "t:(?w)^b"}, "true"},
      {"~", {"t:", "t:"}, "true"},
      {"~", {"t:abc", "t:"}, "true"},
      {"~", {"t:a", "t:a||b"}, "true"},
      {"~", {"t:é", "t:^.$"}, "true"},
      {"~", {"t:É", "t:(?i)é"}, "true"},
      {"~", {"t:K", "t:(?i)K"}, "true"},
      {"~", {"t:S", "t:(?i)ſ"}, "true"},
      {"~", {"t:é", "t:\\w"}, "true"},
      {"~", {"t:-", "t:\\w"}, "false"},
      {"~", {"t:٣", "t:\\d"}, "false"},
      {"~", {"t:٣", "t:\\w"}, "true"},
      {"~", {"t: ", "t:\\s"}, "true"},
      {"~", {"t: ", "t:\\s"}, "false"},
      {"~", {"t:aé", "t:\\yé"}, "false"},
      {"~", {"t:élan vital", "t:\\mvital"}, "true"},
      {"~", {"t:élan", "t:\\mé"}, "true"},
      {"~", {"t:aé", "t:a\\M"}, "false"},
      {"~", {"t:a é", "t:a\\M"}, "true"},
      {"~", {"t:a-b", "t:\\m-"}, "false"},
      {"~", {"t:a-b", "t:-\\M"}, "false"},
      {"~", {"t:", "t:\\Y"}, "true"},
      {"~", {"t:a", "t:\\Y"}, "false"},
      {"~", {"t:a", "t:[[:<:]]a[[:>:]]"}, "true"},
      {"~", {"t:ab", "t:[[:<:]]a[[:>:]]"}, "false"},
      {"~", {"t:]", "t:[]]"}, "true"},
      {"~", {"t:a", "t:[^]]"}, "true"},
      {"~", {"t:-", "t:[a-]"}, "true"},
      {"~", {"t:b", "t:[a\\-z]"}, "false"},
      {"~", {"t:-", "t:[+--]"}, "true"},
      {"~", {"t:é", "t:[à-ü]"}, "true"},
      {"~", {"t:É", "t:(?i)[à-ü]"}, "true"},
      {"~", {"t:\t", "t:[[:blank:]]"}, "true"},
      {"~", {"t:_", "t:[[:punct:]]"}, "true"},
      {"~", {"t:.", "t:[[.period.]]"}, "true"},
      {"~", {"t:=", "t:[[=equals-sign=]]"}, "true"},
      {"~", {"t:A", "t:\\101"}, "true"},
      {"~", {"t:a", "t:\\x61"}, "true"},
      {"~", {"t:é", "t:\\u00e9"}, "true"},
      {"~", {"t:\\", "t:\\B"}, "true"},
      {"~", {"t:a{", "t:^a{$"}, "true"},
      {"~", {"t:a{,2}", "t:^a{,2}$"}, "true"},
      {"~", {"t:aaa", "t:^a{2,3}$"}, "true"},
      {"~", {"t:a.b", "t:***=a.b"}, "true"},
      {"~", {"t:axb", "t:***=a.b"}, "false"},
      {"~", {"t:ab", "t:(?x) a b # c"}, "true"},
      {"~", {"t:ab", "t:a(?#no)b"}, "true"},
      {"~", {"t:a+", "t:(?q)a+"}, "true"},
      {"~", {"t:b", "t:(a){0}b"}, "true"},
      {"~*", {"t:ABC", "t:b"}, "true"},
      {"!~", {"t:abc", "t:x"}, "true"},
      {"!~*", {"t:ABC", "t:b"}, "false"},
      {"regexp_like", {"t:abc", "t:B", "t:i"}, "true"},
      {"regexp_like",
       {"t:abc", "t:B", "t:g"},
       "error: regexp_like() does not support the \"global\" option"},
      {"regexp_like", {"t:abc", "t:B", "t:z"}, "error: invalid regular expression option: \"z\""},
      {"~", {"t:\\N", "t:a"}, "NULL"},
      {"~", {"t:a", "t:\\N"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(invalid_patterns) {
  check({
      {"~", {"t:a", "t:("}, "error: invalid regular expression: parentheses () not balanced"},
      {"~", {"t:a", "t:)"}, "error: invalid regular expression: parentheses () not balanced"},
      {"~", {"t:a", "t:[a"}, "error: invalid regular expression: brackets [] not balanced"},
      {"~", {"t:a", "t:[]"}, "error: invalid regular expression: brackets [] not balanced"},
      {"~", {"t:a", "t:a**"}, "error: invalid regular expression: quantifier operand invalid"},
      {"~", {"t:a", "t:*a"}, "error: invalid regular expression: quantifier operand invalid"},
      {"~", {"t:a", "t:^*"}, "error: invalid regular expression: quantifier operand invalid"},
      {"~", {"t:a", "t:a|*b"}, "error: invalid regular expression: quantifier operand invalid"},
      {"~", {"t:a", "t:\\y+"}, "error: invalid regular expression: quantifier operand invalid"},
      {"~", {"t:a", "t:a{2,1}"}, "error: invalid regular expression: invalid repetition count(s)"},
      {"~", {"t:a", "t:a{256}"}, "error: invalid regular expression: invalid repetition count(s)"},
      {"~", {"t:a", "t:a{1"}, "error: invalid regular expression: braces {} not balanced"},
      {"~", {"t:a", "t:a{1x}"}, "error: invalid regular expression: invalid repetition count(s)"},
      {"~", {"t:a", "t:a\\"}, "error: invalid regular expression: invalid escape \\ sequence"},
      {"~", {"t:a", "t:\\q"}, "error: invalid regular expression: invalid escape \\ sequence"},
      {"~", {"t:a", "t:\\x412013"}, "false"},
      {"~", {"t:a", "t:(?i)b|\\x412013?a"}, "true"},
      {"~", {"t:a", "t:[^\\x412013]"}, "true"},
      {"~", {"t:b", "t:[a-\\x412013]"}, "true"},
      {"~",
       {"t:a", "t:\\x7fffffff"},
       "error: invalid regular expression: invalid escape \\ sequence"},
      {"~", {"t:a", "t:[z-a]"}, "error: invalid regular expression: invalid character range"},
      {"~", {"t:a", "t:[a-\\d]"}, "error: invalid regular expression: invalid character range"},
      {"~", {"t:a", "t:[\\w-z]"}, "error: invalid regular expression: invalid character range"},
      {"~", {"t:a", "t:[a-c-e]"}, "error: invalid regular expression: invalid character range"},
      {"~", {"t:a", "t:[[:foo:]]"}, "error: invalid regular expression: invalid character class"},
      {"~",
       {"t:a", "t:[[.nosuch.]]"},
       "error: invalid regular expression: invalid collating element"},
      {"~", {"t:a", "t:[[:alpha:"}, "error: invalid regular expression: brackets [] not balanced"},
      {"~", {"t:a", "t:(?i"}, "error: invalid regular expression: invalid embedded option"},
      {"~", {"t:a", "t:(?Pa)"}, "error: invalid regular expression: invalid embedded option"},
      {"~", {"t:a", "t:(?"}, "error: invalid regular expression: quantifier operand invalid"},
      {"~", {"t:a", "t:\\9"}, "error: invalid regular expression: invalid backreference number"},
      {"~", {"t:a", "t:\\u12"}, "error: invalid regular expression: invalid escape \\ sequence"},
      {"~", {"t:a", "t:***a"}, "error: invalid regular expression: quantifier operand invalid"},
  });
}

BOOST_AUTO_TEST_CASE(groups) {
  check({
      {"regexp_match", {"t:foobar", "t:o.b"}, "{oob}"},
      {"regexp_match", {"t:foobar", "t:(o.)(b)"}, "{oo,b}"},
      {"regexp_match", {"t:abc", "t:(x)?b"}, "{NULL}"},
      {"regexp_match", {"t:abc", "t:x"}, "NULL"},
      {"regexp_match", {"t:", "t:a*"}, "{\"\"}"},
      {"regexp_match", {"t:a1b22", "t:([a-z])(\\d+)$"}, "{b,22}"},
      {"regexp_match", {"t:k=v;x", "t:(\\w+)=([^;]*)"}, "{k,v}"},
      {"regexp_match", {"t:/a/b/c", "t:^(.*)/(.*)$"}, "{/a/b,c}"},
      {"regexp_match", {"t:&channel_id=12&x", "t:(&|^)channel_id=([^&]*)"}, "{&,12}"},
      {"regexp_match", {"t:channel_id=", "t:(&|^)channel_id=([^&]*)"}, "{\"\",\"\"}"},
      {"regexp_match", {"t:2013-01-31", "t:^(\\d{4})-(\\d\\d)-(\\d\\d)$"}, "{2013,01,31}"},
      {"regexp_match", {"t:foo.jpeg", "t:(\\w+)\\.(jpg|jpeg)"}, "{foo,jpeg}"},
      {"regexp_match", {"t:abab", "t:(ab)+"}, "{ab}"},
      {"regexp_match", {"t:aab", "t:(a|b)*"}, "{b}"},
      {"regexp_match", {"t:ab", "t:(a)|(b)"}, "{a,NULL}"},
      {"regexp_match", {"t:b", "t:(a)|(b)"}, "{NULL,b}"},
      {"regexp_match", {"t:été", "t:(é)t(.)"}, "{é,é}"},
      {"regexp_match", {"t:xxabyy", "t:x*(a?b)y*"}, "{ab}"},
      {"regexp_match", {"t:b", "t:(a){0}(b)"}, "{NULL,b}"},
      {"regexp_match", {"t:é-ab", "t:\\m(\\w)(\\w)\\M"}, "{a,b}"},
      {"regexp_match", {"t:ABC", "t:(b)", "t:i"}, "{B}"},
      {"regexp_match",
       {"t:abc", "t:b", "t:g"},
       "error: regexp_match() does not support the \"global\" option"},
      {"substring", {"t:foobar", "t:o(.)b"}, "o"},
      {"substring", {"t:foobar", "t:o.b"}, "oob"},
      {"substring", {"t:foobar", "t:(x)?o.b"}, "NULL"},
      {"substring", {"t:foobar", "t:z"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(replacing) {
  check({
      {"regexp_replace", {"t:abab", "t:b", "t:X"}, "aXab"},
      {"regexp_replace", {"t:abab", "t:b", "t:X", "t:g"}, "aXaX"},
      {"regexp_replace",
       {"t:abab", "t:(b)", "t:[\\1\\&\\\\\\2\\q]", "t:g"},
       "a[bb\\\\q]a[bb\\\\q]"},
      {"regexp_replace", {"t:aab", "t:a*", "t:-", "t:g"}, "--b-"},
      {"regexp_replace", {"t:éàé", "t:", "t:-", "t:g"}, "-é-à-é-"},
      {"regexp_replace", {"t:abc", "t:$", "t:!"}, "abc!"},
      {"regexp_replace", {"t:ABC", "t:b", "t:x", "t:gi"}, "AxC"},
      {"regexp_replace",
       {"t:abc", "t:b", "t:X", "t:1"},
       "error: invalid regular expression option: \"1\""},
      {"regexp_replace", {"t:abab", "t:b", "t:X", "i:3"}, "abaX"},
      {"regexp_replace", {"t:abab", "t:b", "t:X", "i:2", "i:2"}, "abaX"},
      {"regexp_replace", {"t:ababab", "t:b", "t:X", "i:3", "i:0"}, "abaXaX"},
      {"regexp_replace", {"t:aBab", "t:b", "t:X", "i:1", "i:2", "t:i"}, "aBaX"},
      {"regexp_replace",
       {"t:abab", "t:b", "t:X", "i:0"},
       "error: invalid value for parameter \"start\": 0"},
      {"regexp_replace",
       {"t:abab", "t:b", "t:X", "i:1", "i:-1"},
       "error: invalid value for parameter \"n\": -1"},
      {"regexp_replace", {"t:ab", "t:b", "t:X", "i:9"}, "ab"},
      {"regexp_replace", {"t:ab", "t:x", "t:"}, "ab"},
      {"regexp_replace", {"t:", "t:^", "t:x"}, "x"},
      {"regexp_replace", {"t:a b", "t:\\m", "t:<", "t:g"}, "<a <b"},
      {"regexp_replace", {"t:a é", "t:\\M", "t:>", "t:g"}, "a> é>"},
      {"regexp_replace",
       {"t:ab", "t:b\\", "t:X"},
       "error: invalid regular expression: invalid escape \\ sequence"},
  });
}

BOOST_AUTO_TEST_CASE(counting) {
  check({
      {"regexp_count", {"t:abab", "t:b"}, "2"},
      {"regexp_count", {"t:aaa", "t:a*"}, "2"},
      {"regexp_count", {"t:éé", "t:"}, "3"},
      {"regexp_count", {"t:abab", "t:b", "i:3"}, "1"},
      {"regexp_count", {"t:abab", "t:b", "i:0"}, "error: invalid value for parameter \"start\": 0"},
      {"regexp_count", {"t:abAB", "t:b", "i:1", "t:i"}, "2"},
      {"regexp_instr", {"t:abcabc", "t:b"}, "2"},
      {"regexp_instr", {"t:éabc", "t:b", "i:1", "i:1", "i:1"}, "4"},
      {"regexp_instr", {"t:abcabc", "t:b", "i:3"}, "5"},
      {"regexp_instr", {"t:abcabc", "t:b(c)", "i:1", "i:2", "i:0", "t:", "i:1"}, "6"},
      {"regexp_instr", {"t:abc", "t:b", "i:1", "i:1", "i:0", "t:", "i:1"}, "2"},
      {"regexp_instr", {"t:abc", "t:b", "i:1", "i:1", "i:0", "t:", "i:2"}, "0"},
      {"regexp_instr",
       {"t:abc", "t:b", "i:1", "i:1", "i:2"},
       "error: invalid value for parameter \"endoption\": 2"},
      {"regexp_instr", {"t:abc", "t:x"}, "0"},
      {"regexp_instr",
       {"t:abc", "t:b", "i:1", "i:0"},
       "error: invalid value for parameter \"n\": 0"},
      {"regexp_substr", {"t:abcabc", "t:b."}, "bc"},
      {"regexp_substr", {"t:abcabd", "t:b.", "i:3"}, "bd"},
      {"regexp_substr", {"t:abcabd", "t:b.", "i:1", "i:2"}, "bd"},
      {"regexp_substr", {"t:abc", "t:b(c)", "i:1", "i:1", "t:", "i:1"}, "c"},
      {"regexp_substr", {"t:abc", "t:b", "i:10"}, "NULL"},
      {"regexp_substr", {"t:ABC", "t:b", "i:1", "i:1", "t:i"}, "B"},
      {"regexp_split_to_array", {"t:abc", "t:"}, "{a,b,c}"},
      {"regexp_split_to_array", {"t:a1b22c", "t:\\d+"}, "{a,b,c}"},
      {"regexp_split_to_array", {"t:,a,", "t:,"}, "{\"\",a,\"\"}"},
      {"regexp_split_to_array", {"t:", "t:x"}, "{\"\"}"},
      {"regexp_split_to_array", {"t:aXb", "t:x", "t:i"}, "{a,b}"},
      {"regexp_split_to_array",
       {"t:a", "t:a", "t:g"},
       "error: regexp_split_to_array() does not support the \"global\" option"},
  });
}

BOOST_AUTO_TEST_CASE(similar) {
  check({
      {"similar_to_escape", {"t:a%b_c|(d)[^e]\\.x"}, "^(?:a.*b.c|(?:d)[^e]\\.x)$"},
      {"similar_to_escape", {"t:a#%b", "t:#"}, "^(?:a\\%b)$"},
      {"similar_to_escape", {"t:^a$."}, "^(?:\\^a\\$\\.)$"},
      {"similar_to_escape", {"t:[]_%]_"}, "^(?:[]_%].)$"},
      {"similar_to_escape", {"t:[^]a%]"}, "^(?:[^]a%])$"},
      {"similar_to_escape", {"t:[[:alpha:]_]%"}, "^(?:[[:alpha:]_].*)$"},
      {"similar_to_escape", {"t:a", "t:##"}, "error: invalid escape string"},
      {"similar_to_escape", {"t:a\\b_", "t:"}, "^(?:a\\\\b.)$"},
      {"substring", {"t:abc", "t:a%", "t:#"}, "abc"},
      {"substring", {"t:abc", "t:b", "t:#"}, "NULL"},
  });
}

/// Linear time cannot do these; the message names them.
BOOST_AUTO_TEST_CASE(refused) {
  const char* non_greedy =
      "error: regular expression with a non-greedy quantifier is not supported";
  const char* look = "error: regular expression with look-around is not supported";
  const char* back = "error: regular expression with a back reference is not supported";
  const char* groups =
      "error: regular expression whose groups can match in more than one way is not "
      "supported";
  check({
      {"~", {"t:a", "t:a+?"}, non_greedy},
      {"~", {"t:a", "t:a{1,2}?"}, non_greedy},
      {"~", {"t:a", "t:(?=a)"}, look},
      {"~", {"t:a", "t:(?!a)"}, look},
      {"~", {"t:a", "t:(?<=a)"}, look},
      {"~", {"t:aa", "t:(a)\\1"}, back},
      {"~",
       {"t:a", "t:(?e)a"},
       "error: regular expression with embedded option b or e is not supported"},
      {"regexp_match", {"t:abcd", "t:(a|ab)(c|bcd)(d*)"}, groups},
      {"regexp_match", {"t:abb", "t:a?(?:ab)?(b*)"}, groups},
      {"regexp_match", {"t:aaaa", "t:(a{1,2})+"}, groups},
      {"regexp_match", {"t:ab", "t:(?:(a)|b)*"}, groups},
      {"regexp_match", {"t:", "t:(a*)?"}, groups},
      // Without a need for groups the same patterns are fine.
      {"~", {"t:abcd", "t:(a|ab)(c|bcd)(d*)"}, "true"},
      {"regexp_replace", {"t:aaaa", "t:(a{1,2})+", "t:x"}, "x"},
      {"regexp_replace", {"t:aaaa", "t:(a{1,2})+", "t:\\1"}, groups},
      {"regexp_matches",
       {"t:a", "t:a"},
       "error: set-returning function regexp_matches is not supported here"},
      {"substring",
       {"t:foobar", "t:%#\"o_b#\"%", "t:#"},
       "error: SIMILAR pattern with an escape and a double quote is not supported"},
  });
}

/// Patterns from a column, more than are kept at a time.
BOOST_AUTO_TEST_CASE(patterns_of_rows) {
  const std::uint32_t rows = 1000;
  ebb::text_builder texts({ebb::type_kind::text}, rows);
  ebb::text_builder patterns({ebb::type_kind::text}, rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    texts.append("<" + std::to_string(i) + ">");
    patterns.append("^.(" + std::to_string(i % 500) + ")>$");
  }
  ebb::batch input;
  input.rows = rows;
  input.columns = {texts.take(), patterns.take()};
  const ebb::sql_type text{ebb::type_kind::text};
  const std::vector<ebb::sql_type> params{text, text};
  const auto* function = ebb::builtin_functions().find("substring", params);
  BOOST_TEST_REQUIRE(function != nullptr);
  const auto call = ebb::make_call(*function, text,
                                   {ebb::make_column_ref(0, text), ebb::make_column_ref(1, text)});
  const auto answer = ebb::evaluate(**call, input, ebb::selection::all(input));
  BOOST_TEST_REQUIRE(static_cast<bool>(answer));
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < rows; ++i)
    wrong += i < 500 ? answer->is_null(i) || answer->text_of(i) != std::to_string(i)
                     : !answer->is_null(i);
  BOOST_TEST(wrong == 0U);
}

/// The pattern may be a call on constants: x LIKE 'a#%' ESCAPE '#'.
BOOST_AUTO_TEST_CASE(folded_patterns_are_bound) {
  using ebb::test::value_of;
  const ebb::sql_type text{ebb::type_kind::text};
  const std::vector<ebb::sql_type> params{text, text};
  const auto* escape = ebb::builtin_functions().find("like_escape", params);
  const auto* like = ebb::builtin_functions().find("~~", params);
  const auto pattern = ebb::make_call(
      *escape, text, {ebb::make_literal(value_of("t:a#%")), ebb::make_literal(value_of("t:#"))});
  const auto call =
      ebb::make_call(*like, {ebb::type_kind::boolean}, {ebb::make_column_ref(0, text), *pattern});
  BOOST_TEST_REQUIRE(static_cast<bool>(call));
  BOOST_TEST(((*call)->bound != nullptr));
}

/// Long input and nesting end in linear time or a refusal, not in a hang or a crash.
BOOST_AUTO_TEST_CASE(hostile_patterns) {
  using ebb::regex;
  const auto compiles = [](const std::string& pattern) {
    return static_cast<bool>(regex::compile(pattern, {}, true));
  };
  BOOST_TEST(!compiles(std::string(100'000, '(')));
  BOOST_TEST(!compiles("((((((((a{255}){255}){255}){255}){255}){255}){255}){255})"));
  BOOST_TEST(compiles(std::string(5'000, 'a') + "\\M"));
  const auto nested = regex::compile("(?:(?:a*)*)*b", {}, false);
  BOOST_TEST_REQUIRE(static_cast<bool>(nested));
  BOOST_TEST(!(*nested)->match(std::string(200'000, 'a'), 0, {}));
  const auto words = regex::compile("(?:\\y.*)*é\\M", {}, false);
  BOOST_TEST_REQUIRE(static_cast<bool>(words));
  BOOST_TEST((*words)->match(std::string(5'000, 'a') + "é", 0, {}));
}

BOOST_AUTO_TEST_SUITE_END()
