// Text functions. The expected results are PostgreSQL 15's.

#include "actors/dataflow/functions/byte_blocks.hpp"
#include "actors/dataflow/functions/unicode.hpp"
#include "actors/dataflow/functions/utf8.hpp"
#include "tests/dataflow/text_support.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <clocale>
#include <cwctype>
#include <locale.h>
#include <span>
#include <vector>

using ebb::test::check;

BOOST_AUTO_TEST_SUITE(text)

BOOST_AUTO_TEST_CASE(letter_case) {
  check({
      {"lower", {"t:HeLLo WORLD 123"}, "hello world 123"},
      {"lower", {"t:ÀÉÎ Ω ЖЯ"}, "àéî ω жя"},
      {"lower", {"t:"}, ""},
      {"lower", {"t:İ"}, "i"},
      {"upper", {"t:straße é ﬁ"}, "STRAßE É ﬁ"},
      {"upper", {"t:ǆ ǅ"}, "Ǆ Ǆ"},
      {"upper", {"t:ȿ"}, "Ȿ"},
      {"upper", {"t:abcXYZ{`@["}, "ABCXYZ{`@["},
      {"lower", {"t:ABCxyz{`@["}, "abcxyz{`@["},
      {"initcap", {"t:hELLO wORLD éa-b_c 1a"}, "Hello World Éa-B_C 1a"},
      {"initcap", {"t:"}, ""},
  });
}

BOOST_AUTO_TEST_CASE(lengths) {
  check({
      {"length", {"t:"}, "0"},
      {"length", {"t:héllo"}, "5"},
      {"char_length", {"t:日本語"}, "3"},
      {"octet_length", {"t:日本語"}, "9"},
      {"bit_length", {"t:é"}, "16"},
      {"length", {"y:\\x0102"}, "2"},
      {"octet_length", {"y:\\x"}, "0"},
      {"ascii", {"t:é"}, "233"},
      {"ascii", {"t:"}, "0"},
      {"ascii", {"t:x"}, "120"},
  });
}

// Bytes are looked at sixteen at a time: every size around that, every place.
BOOST_AUTO_TEST_CASE(blocks_of_bytes) {
  std::string text;
  std::uint32_t state = 1;
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::uint32_t round = 0; round < 20; ++round) {
      text.clear();
      while (text.size() < size) {
        state = state * 1664525 + 1013904223;
        text += "/ab\xc3\xa9"[(state >> 24) % 5];
      }
      std::vector<std::string_view> fields;
      std::string_view rest = text;
      for (auto at = rest.find('/'); at != std::string_view::npos; at = rest.find('/')) {
        fields.push_back(rest.substr(0, at));
        rest.remove_prefix(at + 1);
      }
      fields.push_back(rest);
      for (std::uint32_t n = 1; n <= fields.size(); ++n)
        BOOST_TEST(ebb::field_between(text, ebb::byte_is('/'), n) == fields[n - 1]);
      const auto behind = static_cast<std::uint32_t>(fields.size() + 1);
      BOOST_TEST(ebb::field_between(text, ebb::byte_is('/'), behind).empty());
      BOOST_TEST(ebb::utf8::length(text) == std::count_if(text.begin(), text.end(), [](char c) {
                   return (c & '\xc0') != '\x80';
                 }));
    }
  }
}

BOOST_AUTO_TEST_CASE(positions) {
  check({
      {"position", {"t:abcabc", "t:c"}, "3"},
      {"position", {"t:héllo", "t:l"}, "3"},
      {"strpos", {"t:abc", "t:"}, "1"},
      {"strpos", {"t:", "t:"}, "1"},
      {"strpos", {"t:", "t:a"}, "0"},
      {"strpos", {"t:abc", "t:x"}, "0"},
      {"position", {"y:\\x010203", "y:\\x03"}, "3"},
      {"starts_with", {"t:abc", "t:ab"}, "true"},
      {"starts_with", {"t:abc", "t:"}, "true"},
      {"starts_with", {"t:a", "t:ab"}, "false"},
      {"^@", {"t:éa", "t:é"}, "true"},
  });
}

BOOST_AUTO_TEST_CASE(substrings) {
  check({
      {"substring", {"t:hello", "i:2"}, "ello"},
      {"substring", {"t:hello", "i:-5"}, "hello"},
      {"substring", {"t:hello", "i:0", "i:3"}, "he"},
      {"substring", {"t:hello", "i:-1", "i:3"}, "h"},
      {"substring", {"t:hello", "i:2", "i:0"}, ""},
      {"substring", {"t:hello", "i:10", "i:2"}, ""},
      {"substring", {"t:hello", "i:2", "i:-1"}, "error: negative substring length not allowed"},
      {"substr", {"t:hello", "i:-2147483648", "i:2147483647"}, ""},
      {"substr", {"t:hello", "i:2", "i:2147483647"}, "ello"},
      {"substr", {"t:hello", "i:2147483647", "i:2147483647"}, ""},
      {"substring", {"t:日本語テキスト", "i:3", "i:2"}, "語テ"},
      {"substring", {"t:aé日x", "i:2", "i:2"}, "é日"},
      {"substring", {"y:\\x00010203", "i:2", "i:2"}, "\\x0102"},
      {"substring", {"y:\\x0001", "i:0", "i:1"}, "\\x"},
      {"left", {"t:héllo", "i:2"}, "hé"},
      {"left", {"t:héllo", "i:-2"}, "hél"},
      {"left", {"t:abc", "i:-5"}, ""},
      {"left", {"t:abc", "i:-2147483648"}, ""},
      {"left", {"t:abc", "i:9"}, "abc"},
      {"right", {"t:héllo", "i:4"}, "éllo"},
      {"right", {"t:héllo", "i:-2"}, "llo"},
      {"right", {"t:abc", "i:0"}, ""},
      {"right", {"t:abc", "i:-2147483648"}, "abc"}, // as PostgreSQL has it
      {"right", {"t:日本", "i:1"}, "本"},
  });
}

BOOST_AUTO_TEST_CASE(parts) {
  check({
      {"split_part", {"t:a,b,c", "t:,", "i:1"}, "a"},
      {"split_part", {"t:a,b,c", "t:,", "i:3"}, "c"},
      {"split_part", {"t:a,b,c", "t:,", "i:4"}, ""},
      {"split_part", {"t:a,b,c", "t:,", "i:-1"}, "c"},
      {"split_part", {"t:a,b,c", "t:,", "i:-3"}, "a"},
      {"split_part", {"t:a,b,c", "t:,", "i:-4"}, ""},
      {"split_part", {"t:a,b,c", "t:,", "i:0"}, "error: field position must not be zero"},
      {"split_part", {"t:a,b", "t:", "i:1"}, "a,b"},
      {"split_part", {"t:a,b", "t:", "i:2"}, ""},
      {"split_part", {"t:a,b", "t:", "i:-1"}, "a,b"},
      {"split_part", {"t:", "t:,", "i:1"}, ""},
      {"split_part", {"t:aaa", "t:aa", "i:-1"}, "a"},
      {"split_part", {"t:aaa", "t:aa", "i:-2"}, ""},
      {"split_part", {"t:a<>b<>", "t:<>", "i:3"}, ""},
      {"split_part", {"t:a<>b<>c", "t:<>", "i:-2"}, "b"},
      {"split_part", {"t:éüé", "t:ü", "i:2"}, "é"},
      {"split_part", {"t:a,b", "t:,", "i:-2147483648"}, ""},
  });
}

BOOST_AUTO_TEST_CASE(trimming) {
  check({
      {"btrim", {"t:  a b "}, "a b"},
      {"btrim", {"t:xyhixyx", "t:xy"}, "hi"},
      {"ltrim", {"t:zzzytest", "t:xyz"}, "test"},
      {"rtrim", {"t:testxxzx", "t:xyz"}, "test"},
      {"btrim", {"t:éaé", "t:é"}, "a"},
      {"btrim", {"t:abc", "t:"}, "abc"},
      {"btrim", {"t:aaa", "t:a"}, ""},
      {"btrim", {"t:\t a "}, "\t a"},
      {"ltrim", {"t:日本日", "t:本日"}, ""},
      {"btrim", {"y:\\x0001020100", "y:\\x0001"}, "\\x02"},
      {"ltrim", {"y:\\x000102", "y:\\x00"}, "\\x0102"},
      {"rtrim", {"y:\\x010200", "y:\\x00"}, "\\x0102"},
  });
}

BOOST_AUTO_TEST_CASE(edits) {
  check({
      {"replace", {"t:aaa", "t:aa", "t:b"}, "ba"},
      {"replace", {"t:abc", "t:", "t:x"}, "abc"},
      {"replace", {"t:abcabc", "t:bc", "t:"}, "aa"},
      {"replace", {"t:é-é", "t:é", "t:日本"}, "日本-日本"},
      {"lpad", {"t:hi", "i:5", "t:xy"}, "xyxhi"},
      {"lpad", {"t:hello", "i:2", "t:x"}, "he"},
      {"lpad", {"t:hi", "i:5"}, "   hi"},
      {"lpad", {"t:hi", "i:-1", "t:x"}, ""},
      {"lpad", {"t:hi", "i:5", "t:"}, "hi"},
      {"lpad", {"t:é", "i:4", "t:üß"}, "üßüé"},
      {"rpad", {"t:hi", "i:5", "t:xy"}, "hixyx"},
      {"rpad", {"t:hi", "i:6", "t:日"}, "hi日日日日"},
      {"rpad", {"t:hi", "i:0"}, ""},
      {"lpad", {"t:x", "i:2147483647", "t:y"}, "error: requested length too large"},
      {"repeat", {"t:ab", "i:3"}, "ababab"},
      {"repeat", {"t:ab", "i:-1"}, ""},
      {"repeat", {"t:", "i:2147483647"}, ""},
      {"repeat", {"t:ab", "i:2147483647"}, "error: requested length too large"},
      {"reverse", {"t:héllo"}, "olléh"},
      {"reverse", {"t:abc"}, "cba"},
      {"reverse", {"t:"}, ""},
      {"translate", {"t:12345", "t:143", "t:ax"}, "a2x5"},
      {"translate", {"t:abca", "t:aa", "t:xy"}, "xbcx"},
      {"translate", {"t:éa", "t:éa", "t:日"}, "日"},
      {"translate", {"t:abc", "t:", "t:x"}, "abc"},
      {"overlay", {"t:hello", "t:XX", "i:2", "i:3"}, "hXXo"},
      {"overlay", {"t:hello", "t:XX", "i:2"}, "hXXlo"},
      {"overlay", {"t:hello", "t:XX", "i:0"}, "error: negative substring length not allowed"},
      {"overlay", {"t:hello", "t:XX", "i:2", "i:-1"}, "hXXhello"},
      {"overlay", {"t:hello", "t:XX", "i:10", "i:2"}, "helloXX"},
      {"overlay", {"t:a", "t:b", "i:2147483647", "i:5"}, "error: integer out of range"},
      {"overlay", {"t:héllo", "t:é", "i:2", "i:1"}, "héllo"},
      {"overlay", {"y:\\x010203", "y:\\xff", "i:2", "i:1"}, "\\x01ff03"},
      {"chr", {"i:233"}, "é"},
      {"chr", {"i:128512"}, "😀"},
      {"chr", {"i:0"}, "error: null character not permitted"},
      {"chr", {"i:-1"}, "error: character number must be positive"},
      {"chr", {"i:55296"}, "error: requested character not valid for encoding: 55296"},
      {"chr", {"i:1114112"}, "error: requested character too large for encoding: 1114112"},
      {"to_hex", {"i:255"}, "ff"},
      {"to_hex", {"i:-1"}, "ffffffff"},
      {"to_hex", {"I:-1"}, "ffffffffffffffff"},
      {"to_hex", {"i:0"}, "0"},
  });
}

BOOST_AUTO_TEST_CASE(joining) {
  check({
      {"||", {"t:a", "t:é"}, "aé"},
      {"||", {"t:", "t:"}, ""},
      {"||", {"y:\\x01", "y:\\x02"}, "\\x0102"},
      {"concat", {"t:a", "t:\\N", "t:b"}, "ab"},
      {"concat", {"t:\\N"}, ""},
      {"concat_ws", {"t:,", "t:a", "t:\\N", "t:", "t:b"}, "a,,b"},
      {"concat_ws", {"t:\\N", "t:a"}, "NULL"},
      {"concat_ws", {"t:, ", "t:\\N"}, ""},
      {"||", {"t:a", "t:\\N"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(codes) {
  check({
      {"md5", {"t:"}, "d41d8cd98f00b204e9800998ecf8427e"},
      {"md5", {"t:The quick brown fox"}, "a2004f37730b9445670a738fa0fc9ee5"},
      {"md5", {"y:\\x00"}, "93b885adfe0da089cdf634904fd59f71"},
      {"sha224", {"y:\\x616263"}, "\\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {"sha256",
       {"y:\\x616263"},
       "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"sha384",
       {"y:\\x616263"},
       "\\xcb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca1"
       "34c825a7"},
      {"sha512",
       {"y:\\x"},
       "\\xcf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2"
       "877eec2f63b931bd47417a81a538327af927da3e"},
      {"encode", {"y:\\x00ff41", "t:hex"}, "00ff41"},
      {"encode", {"y:\\x00ff415c", "t:escape"}, "\\000\\377A\\\\"},
      {"encode", {"y:\\x616263", "t:Base64"}, "YWJj"},
      {"encode", {"y:\\x6162", "t:base64"}, "YWI="},
      {"encode",
       {"y:"
        "\\xabababababababababababababababababababababababababababababababababababababababababababa"
        "bababababababababababababab",
        "t:base64"},
       "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\n"},
      {"encode",
       {"y:"
        "\\xabababababababababababababababababababababababababababababababababababababababababababa"
        "babababababababababababababab",
        "t:base64"},
       "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\nqw=="},
      {"encode",
       {"y:"
        "\\x616161616161616161616161616161616161616161616161616161616161616161616161616161616161616"
        "1616161616161616161616161",
        "t:base64"},
       "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="},
      {"encode", {"y:\\x", "t:foo"}, "error: unrecognized encoding: \"foo\""},
      {"decode", {"t:YWI=", "t:base64"}, "\\x6162"},
      {"decode", {"t:YW I=", "t:base64"}, "\\x6162"},
      {"decode", {"t:YWI", "t:base64"}, "error: invalid base64 end sequence"},
      {"decode", {"t:a===", "t:base64"}, "error: unexpected \"=\" while decoding base64 sequence"},
      {"decode",
       {"t:a$", "t:base64"},
       "error: invalid symbol \"$\" found while decoding base64 sequence"},
      {"decode", {"t:00 fF", "t:hex"}, "\\x00ff"},
      {"decode", {"t:0", "t:hex"}, "error: invalid hexadecimal data: odd number of digits"},
      {"decode", {"t:zz", "t:hex"}, "error: invalid hexadecimal digit: \"z\""},
      {"decode", {"t:a\\001\\\\", "t:escape"}, "\\x61015c"},
      {"decode", {"t:\\x41", "t:escape"}, "error: invalid input syntax for type bytea"},
      {"decode", {"t:x", "t:foo"}, "error: unrecognized encoding: \"foo\""},
      {"convert_from", {"y:\\xc3a9", "t:UTF8"}, "é"},
      {"convert_to", {"t:é", "t:utf-8"}, "\\xc3a9"},
  });
}

BOOST_AUTO_TEST_CASE(quoting) {
  check({
      {"quote_literal", {"t:O'Re\\illy"}, "E'O''Re\\\\illy'"},
      {"quote_literal", {"t:"}, "''"},
      {"quote_nullable", {"t:\\N"}, "NULL"},
      {"quote_nullable", {"t:a"}, "'a'"},
      {"quote_ident", {"t:select"}, "\"select\""},
      {"quote_ident", {"t:abc"}, "abc"},
      {"quote_ident", {"t:Abc"}, "\"Abc\""},
      {"quote_ident", {"t:a\"b"}, "\"a\"\"b\""},
      {"quote_ident", {"t:"}, "\"\""},
      {"quote_ident", {"t:1x"}, "\"1x\""},
      {"quote_ident", {"t:zone"}, "zone"},
      {"format", {"t:%s %I %L %%", "t:a", "t:b c", "t:d'e"}, "a \"b c\" 'd''e' %"},
      {"format", {"t:%2$s %1$s %s", "t:a", "t:b"}, "b a b"},
      {"format", {"t:%-4s|%4s|", "t:é", "t:b"}, "é   |   b|"},
      {"format", {"t:%s|%L", "t:\\N", "t:\\N"}, "|NULL"},
      {"format", {"t:%I", "t:\\N"}, "error: null values cannot be formatted as an SQL identifier"},
      {"format", {"t:%s"}, "error: too few arguments for format()"},
      {"format", {"t:%", "t:a"}, "error: unterminated format() type specifier"},
      {"format", {"t:%x", "t:a"}, "error: unrecognized format() type specifier \"x\""},
      {"format",
       {"t:%0$s", "t:a"},
       "error: format specifies argument 0, but arguments are numbered from 1"},
      {"format", {"t:%*s|%-*s|", "t:3", "t:a", "t:3", "t:b"}, "  a|b  |"},
      {"format", {"t:%2$*1$s|%s", "t:-3", "t:a", "t:b"}, "a  |b"},
      {"format", {"t:%*s|", "t:\\N", "t:a"}, "a|"},
      {"format", {"t:%*s", "t:x", "t:a"}, "error: invalid input syntax for type integer: \"x\""},
      {"format", {"t:%*s", "t:-2147483648", "t:a"}, "error: number is out of range"},
      {"format", {"t:%*1s", "t:1", "t:a"}, "error: width argument position must be ended by \"$\""},
      {"format",
       {"t:%*0$s", "t:1", "t:a"},
       "error: format specifies argument 0, but arguments are numbered from 1"},
      {"format", {"t:%*s", "t:1"}, "error: too few arguments for format()"},
      {"format", {"t:plain"}, "plain"},
      {"format", {"t:\\N", "t:a"}, "NULL"},
  });
}

BOOST_AUTO_TEST_CASE(trim_is_btrim) {
  check({{"trim", {"t: a "}, "a"}, {"trim", {"t:xax", "t:x"}, "a"}});
}

/// Results that are parts of their input point into it.
BOOST_AUTO_TEST_CASE(parts_share_bytes) {
  const auto shares = [](const char* name, std::vector<ebb::column> args) {
    std::vector<ebb::sql_type> types;
    std::vector<ebb::expr_ptr> exprs;
    ebb::batch input;
    input.rows = 1;
    for (auto& arg : args) {
      arg.constant = false;
      types.push_back(arg.type);
      exprs.push_back(
          ebb::make_column_ref(static_cast<std::uint32_t>(input.columns.size()), arg.type));
      input.columns.push_back(arg);
    }
    const auto* function = ebb::builtin_functions().find(name, types);
    BOOST_TEST_REQUIRE(function != nullptr);
    const auto call = ebb::make_call(*function, function->returns, exprs);
    BOOST_TEST_REQUIRE(static_cast<bool>(call));
    auto answer = ebb::evaluate(**call, input, ebb::selection::all(input));
    BOOST_TEST_REQUIRE(static_cast<bool>(answer));
    const auto whole = input.columns[0].text_of(0);
    const auto& texts = answer->type.kind == ebb::type_kind::array ? *answer->child : *answer;
    const auto part = texts.text_of(0);
    const bool inside =
        part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
    return inside && texts.heap == input.columns[0].heap && !texts.heap.empty();
  };
  using ebb::test::value_of;
  const auto path = value_of("t:https://example.org/a/b");
  BOOST_TEST(shares("substring", {path, value_of("i:3"), value_of("i:9")}));
  BOOST_TEST(shares("left", {path, value_of("i:5")}));
  BOOST_TEST(shares("right", {path, value_of("i:5")}));
  BOOST_TEST(shares("split_part", {path, value_of("t:/"), value_of("i:3")}));
  BOOST_TEST(shares("btrim", {path, value_of("t:hb")}));
  BOOST_TEST(shares("replace", {path, value_of("t:xyz"), value_of("t:q")}));
  BOOST_TEST(shares("regexp_match", {path, value_of("t:[a-z]+\\.org")}));
  BOOST_TEST(shares("substring", {path, value_of("t:[a-z]+\\.org")}));
  BOOST_TEST(shares("string_to_array", {path, value_of("t:/")}));
}

/// The tables are those of the C library where it has the locale.
BOOST_AUTO_TEST_CASE(characters_are_those_of_c_utf8) {
  const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (locale == nullptr) {
    BOOST_TEST_MESSAGE("no C.UTF-8 locale on this machine");
    return;
  }
  const auto in = [](std::span<const ebb::unicode::code_range> ranges, char32_t c) {
    return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
      return c >= range.first && c <= range.last && (c - range.first) % range.stride == 0;
    });
  };
  std::size_t differences = 0;
  // Every character of the first planes that have letters; beyond, a sample.
  for (char32_t c = 1; c < 0x20000; c += c < 0x3000 ? 1 : 7) {
    const auto w = static_cast<wint_t>(c);
    differences += ebb::unicode::to_upper(c) != static_cast<char32_t>(towupper_l(w, locale));
    differences += ebb::unicode::to_lower(c) != static_cast<char32_t>(towlower_l(w, locale));
    differences += ebb::unicode::is_alnum(c) != (iswalnum_l(w, locale) != 0);
    differences += in(ebb::unicode::alpha, c) != (iswalpha_l(w, locale) != 0);
    differences += in(ebb::unicode::punct, c) != (iswpunct_l(w, locale) != 0);
    differences += in(ebb::unicode::upper, c) != (iswupper_l(w, locale) != 0);
    differences += in(ebb::unicode::lower, c) != (iswlower_l(w, locale) != 0);
  }
  freelocale(locale);
  BOOST_TEST(differences == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
