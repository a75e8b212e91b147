#include "actors/connectors/csv_reader.hpp"
#include "tests/connectors/files_support.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

namespace ebb {
namespace {

using test::column_of;
using test::parsed;

parse_options options_of(schema columns) {
  parse_options x;
  x.source = "flights";
  x.file = "flights.csv";
  x.columns = std::move(columns);
  return x;
}

const schema ab = {column_of("a", type_kind::bigint), column_of("b", type_kind::text)};

// Reads `text` in one piece, byte by byte, and cut at random: all must give the same.
parsed read(std::string_view text, const parse_options& options) {
  csv_reader whole(options);
  const auto expected = test::run_parser(whole, text, [] { return std::size_t{1} << 20; });
  csv_reader bytes(options);
  const auto one = test::run_parser(bytes, text, [] { return std::size_t{1}; });
  BOOST_TEST(one.rows == expected.rows, boost::test_tools::per_element());
  BOOST_TEST(one.quarantined == expected.quarantined, boost::test_tools::per_element());
  BOOST_TEST(one.error == expected.error);
  BOOST_TEST((one == expected));
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    csv_reader pieces(options);
    const auto cut = test::run_parser(
        pieces, text, [&] { return 1 + random() % (2 + text.size() / 3); }, 1 + seed % 5);
    BOOST_TEST(cut.rows == expected.rows, boost::test_tools::per_element());
    BOOST_TEST((cut == expected), "cut with seed " << seed << ": " << cut.error);
  }
  return expected;
}

std::string row_of(std::string_view text, const parse_options& options) {
  const auto x = read(text, options);
  BOOST_TEST(x.error == "");
  return x.rows.size() == 1 ? x.rows[0] : std::to_string(x.rows.size()) + " rows";
}

using lines = std::vector<std::string>;

void check_rows(const parsed& x, const lines& expected) {
  BOOST_TEST(x.error == "");
  BOOST_TEST(x.rows == expected, boost::test_tools::per_element());
}

} // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(reads_records_by_the_rules_of_rfc_4180) {
  const auto o = options_of(ab);
  check_rows(read("a,b\n1,x\n2,y\n", o), {"1|'x'", "2|'y'"});
  check_rows(read("a,b\n1,x\n2,y", o), {"1|'x'", "2|'y'"});
  check_rows(read("a,b\r\n1,x\r\n2,y\r\n", o), {"1|'x'", "2|'y'"});
  check_rows(read("a,b\r\n1,\"x\"\r\n2,\"\"\r\n3,\r\n", o), {"1|'x'", "2|''", "3|NULL"});
  check_rows(read("a,b\n1,\"say \"\"hi\"\"\"\n", o), {"1|'say \"hi\"'"});
  check_rows(read("a,b\n1,\"\"\"\"\n2,\"\"\"\"\"\"\n", o), {"1|'\"'", "2|'\"\"'"});
  check_rows(read("a,b\n1,\"x,y\"\n", o), {"1|'x,y'"});
  check_rows(read("a,b\n1,\"line 1\nline 2\r\nline 3\"\n2,z\n", o),
             {"1|'line 1\nline 2\r\nline 3'", "2|'z'"});
  check_rows(read("\"a\",\"b\"\n\"1\",\"x\"\n", o), {"1|'x'"});
  check_rows(read("a,b\n1, x \n", o), {"1|' x '"});
  check_rows(read("a,b\n1,x\ry\n", o), {"1|'x\ry'"});
  check_rows(read("a,b\n1,é 日本 🛩\n", o), {"1|'é 日本 🛩'"});
}

BOOST_AUTO_TEST_CASE(matches_columns_by_the_header) {
  check_rows(read("b,a\nx,1\n", options_of(ab)), {"1|'x'"});
  check_rows(read("c,B,d,A,e\n9,x,,1,\"q\"\n", options_of(ab)), {"1|'x'"});
  check_rows(read("A,a,b\n7,1,x\n", options_of(ab)), {"1|'x'"});
  check_rows(read("\xEF\xBB\xBF"
                  "a,b\n1,x\n",
                  options_of(ab)),
             {"1|'x'"});
  check_rows(read("A,b\n1,x\n", options_of({column_of("A", type_kind::bigint)})), {"1"});
  const auto both =
      options_of({column_of("a", type_kind::bigint), column_of("A", type_kind::bigint)});
  check_rows(read("A,a\n1,2\n", both), {"2|1"});
  BOOST_TEST(read("A\n1\n", both).error.find("the header has no column \"a\"")
             != std::string::npos);
  BOOST_TEST(read("a\n1\n", options_of(ab)).error
             == "flights.csv:1: b: the header has no column \"b\"\n"
                "hint: the file's columns are: a");
  BOOST_TEST(read("a,b,a\n1,x,2\n", options_of(ab))
                 .error.find("two columns that can be meant: \"a\" and \"a\"")
             != std::string::npos);
  BOOST_TEST(read("A,b,A\n1,x,2\n", options_of(ab))
                 .error.find("two columns that can be meant: \"A\" and \"A\"")
             != std::string::npos);
  BOOST_TEST(read("a,B,\"b\"\n1,x,y\n", options_of(ab)).error == "");
  BOOST_TEST(read("a,\"b\n", options_of(ab)).error.find("not closed") != std::string::npos);
  BOOST_TEST(read("a,b\xFF\n", options_of(ab)).error.find("not UTF-8") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(takes_files_without_rows) {
  check_rows(read("", options_of(ab)), {});
  check_rows(read("a,b", options_of(ab)), {});
  check_rows(read("a,b\r\n", options_of(ab)), {});
  check_rows(read("a,b\n\n\r\n\n", options_of(ab)), {});
  check_rows(read("\xEF\xBB\xBF", options_of(ab)), {});
}

BOOST_AUTO_TEST_CASE(knows_null_from_empty_text) {
  check_rows(read("a,b\n,\n1,\"\"\n", options_of(ab)), {"NULL|NULL", "1|''"});
  auto o = options_of(ab);
  o.null = {"NA", "null"};
  check_rows(read("a,b\nNA,NA\nnull,\"NA\"\n1,\n", o), {"NULL|NULL", "NULL|'NA'", "1|''"});
  BOOST_TEST(read("a,b\n,x\n", o).error.find("invalid input syntax for type bigint: \"\"")
             != std::string::npos);
  o.null = {};
  check_rows(read("a,b\n1,\n", o), {"1|''"});
  o.null = {"", "NA"};
  check_rows(read("a,b\nNA,\n", o), {"NULL|NULL"});
  // One column: an empty line is a record, else NULLs would be lost.
  check_rows(read("b\nx\n\n\"\"\n", options_of({column_of("b", type_kind::text)})),
             {"'x'", "NULL", "''"});
  check_rows(read("a,b\n1,x\n\n\r\n2,y\n", options_of(ab)), {"1|'x'", "2|'y'"});
}

BOOST_AUTO_TEST_CASE(takes_other_delimiters) {
  for (const char delimiter : {';', '\t', '|', ':', 'J', ' ', '*', '0'}) {
    auto o = options_of({column_of("a", type_kind::text), column_of("b", type_kind::text)});
    o.delimiter = delimiter;
    const std::string d(1, delimiter);
    check_rows(read("a" + d + "b\nx,1" + d + "\"q" + d + "r\"\n" + d + "\n", o),
               {"'x,1'|'q" + d + "r'", "NULL|NULL"});
  }
}

BOOST_AUTO_TEST_CASE(reads_every_type) {
  const auto one = [](type_kind kind, const std::string& text) {
    return row_of("v,w\n" + text + ",\n", options_of({column_of("v", kind)}));
  };
  BOOST_TEST(one(type_kind::boolean, "true") == "true");
  BOOST_TEST(one(type_kind::boolean, "f") == "false");
  BOOST_TEST(one(type_kind::smallint, "-32768") == "-32768");
  BOOST_TEST(one(type_kind::integer, "2147483647") == "2147483647");
  BOOST_TEST(one(type_kind::bigint, "-9223372036854775808") == "-9223372036854775808");
  BOOST_TEST(one(type_kind::bigint, "9223372036854775807") == "9223372036854775807");
  BOOST_TEST(one(type_kind::bigint, " +12 ") == "12");
  BOOST_TEST(one(type_kind::bigint, "123456789012345678") == "123456789012345678");
  BOOST_TEST(one(type_kind::real, "0.1") == "0.1");
  BOOST_TEST(one(type_kind::double_precision, "-12.5") == "-12.5");
  BOOST_TEST(one(type_kind::double_precision, "1e308") == "1e+308");
  BOOST_TEST(one(type_kind::double_precision, "NaN") == "NaN");
  BOOST_TEST(one(type_kind::double_precision, "-Infinity") == "-Infinity");
  BOOST_TEST(one(type_kind::double_precision, "0.1234567890123456789") == "0.12345678901234568");
  BOOST_TEST(one(type_kind::numeric, "12.50") == "12.50");
  BOOST_TEST(one(type_kind::numeric, "123456789012345678901234567890123456789012.5")
             == "123456789012345678901234567890123456789012.5");
  BOOST_TEST(one(type_kind::date, "2013-02-28") == "2013-02-28");
  BOOST_TEST(one(type_kind::timestamp, "2013-01-01 05:00:00") == "2013-01-01 05:00:00");
  BOOST_TEST(one(type_kind::timestamp, "2013-01-01T05:00:00.25") == "2013-01-01 05:00:00.25");
  BOOST_TEST(one(type_kind::timestamp, "2013-01-01T05:00:00Z") == "2013-01-01 05:00:00");
  BOOST_TEST(one(type_kind::timestamp, "2013-01-01T05:00:00+02:00") == "2013-01-01 03:00:00");
  BOOST_TEST(one(type_kind::timestamptz, "2013-01-01 05:00:00-05") == "2013-01-01 10:00:00+00");
  BOOST_TEST(one(type_kind::timestamp, "1356998400000") == "2013-01-01 00:00:00");
  BOOST_TEST(one(type_kind::timestamp, "-1") == "1969-12-31 23:59:59.999");
  BOOST_TEST(one(type_kind::timestamp, "infinity") == "infinity");
  BOOST_TEST(one(type_kind::interval, "1 day 02:00:00") == "1 day 02:00:00");
  BOOST_TEST(one(type_kind::bytea, "AAH/") == "\\x0001ff");
  BOOST_TEST(one(type_kind::bytea, "\\x0001ff") == "\\x0001ff");
  BOOST_TEST(one(type_kind::jsonb, "[ 1 ]") == "[1]");
  auto array = options_of({field{"v", sql_type{type_kind::bigint}.array_of()}});
  check_rows(read("v,w\n\"{1,NULL,3}\",\n,\n{},\n", array), {"{1,NULL,3}", "NULL", "{}"});
  auto limited = options_of({field{"v", sql_type{type_kind::text, type_kind::unknown, 0, 0, 3}}});
  check_rows(read("v,w\nabc,\n日本語,\nab    ,\n", limited), {"'abc'", "'日本語'", "'ab '"});
  BOOST_TEST(read("v,w\nabcd,\n", limited).error.find("value too long for type")
             != std::string::npos);
  auto json = options_of({column_of("v", {type_kind::jsonb})});
  BOOST_TEST(read("v,w\n[1; 2],\n", json)
                 .error.find("invalid input syntax for type json: token "
                             "\";\" is invalid (character 3)")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(reads_integers_as_times_in_the_unit_of_the_source) {
  auto o = options_of({column_of("v", type_kind::timestamp)});
  const std::string expected = "1970-01-01 00:01:40";
  o.unit = timestamp_unit::s;
  BOOST_TEST(row_of("v\n100\n", o) == expected);
  BOOST_TEST(read("v\n9223372036854775807\n", o).error.find("timestamp out of range")
             != std::string::npos);
  BOOST_TEST(read("v\n99999999999999999999\n", o).error.find("timestamp out of range")
             != std::string::npos);
  o.unit = timestamp_unit::us;
  BOOST_TEST(row_of("v\n100000000\n", o) == expected);
  o.unit = timestamp_unit::ns;
  BOOST_TEST(row_of("v\n100000000000\n", o) == expected);
  BOOST_TEST(row_of("v\n-1\n", o) == "1969-12-31 23:59:59.999999");
}

BOOST_AUTO_TEST_CASE(stops_at_a_bad_record_with_its_place) {
  const auto o = options_of(ab);
  const auto x = read("a,b\n1,x\nnine,y\n3,z\n", o);
  BOOST_TEST(x.rows == lines{"1|'x'"}, boost::test_tools::per_element());
  BOOST_TEST(x.error
             == "flights.csv:3: a: invalid input syntax for type bigint: \"nine\"\n"
                "hint: correct the record, or give source flights onBadRecord: skip or "
                "onBadRecord: quarantine");
  const auto error = [&](std::string_view text) {
    const auto all = read(text, o).error;
    return all.substr(0, all.find('\n'));
  };
  BOOST_TEST(error("a,b\n1\n") == "flights.csv:2: the record has 1 field, the header has 2");
  BOOST_TEST(error("a,b\n1,x,y\n")
             == "flights.csv:2: the record has more fields than the header, which has 2");
  BOOST_TEST(error("a,b\n1,x\"y\n") == "flights.csv:2: a quote inside an unquoted field: x\"y");
  BOOST_TEST(error("a,b\n1,\"x\"y,z\nnext\n")
             == "flights.csv:2: text behind the closing quote of a field: y,z");
  BOOST_TEST(error("a,b\n1,\"x\n\n")
             == "flights.csv:2: a quoted field is not closed before the end of the file");
  BOOST_TEST(error("a,b\n1,\"x")
             == "flights.csv:2: a quoted field is not closed before the end of the file");
  BOOST_TEST(error(std::string_view("a,b\n1,x\0y\n", 10))
             == "flights.csv:2: invalid byte sequence for encoding \"UTF8\": 0x00");
  BOOST_TEST(error(std::string_view("a,b\n1,\"x\0y\"\n", 12))
             == "flights.csv:2: invalid byte sequence for encoding \"UTF8\": 0x00");
  BOOST_TEST(error("a,b\n1,x\n\n2,\"\n\n\"\n3,\xC3\x28\n")
             == "flights.csv:7: invalid byte sequence for encoding \"UTF8\"");
  BOOST_TEST(error("a,b,c\n1,x,\xFF\n")
             == "flights.csv:2: invalid byte sequence for encoding \"UTF8\"");
  BOOST_TEST(error("a,b\n1,\"\xED\xA0\x80\"\n")
             == "flights.csv:2: invalid byte sequence for encoding \"UTF8\"");
  auto strict = ab;
  strict[1].not_null = true;
  BOOST_TEST(read("a,b\n1,\n", options_of(strict))
                 .error.find("flights.csv:2: b: null value in column \"b\" violates not-null")
             == 0);
  const auto huge = error("a,b\n" + std::string(1000, 'x') + ",y\n");
  BOOST_TEST(huge.size() < 250);
}

BOOST_AUTO_TEST_CASE(leaves_out_bad_records_and_goes_on) {
  const std::string_view text =
      "a,b\n1,x\nnine,\"y\nz\"\n3,q\"q\n4,w\n\xFF,v\n6,\"u\" u,t\n7,s,r,q\n"
      "8\n9,ok\n10,\"open\n";
  auto o = options_of(ab);
  o.on_bad_record = bad_record_policy::skip;
  const auto x = read(text, o);
  check_rows(x, {"1|'x'", "4|'w'", "9|'ok'"});
  BOOST_TEST(x.good == 3);
  BOOST_TEST(x.bad == 7);
  BOOST_TEST(x.origins
                 == (lines{"source flights, file flights.csv, record 1",
                           "source flights, file flights.csv, record 4",
                           "source flights, file flights.csv, record 9"}),
             boost::test_tools::per_element());
  o.on_bad_record = bad_record_policy::quarantine;
  const auto q = read(text, o);
  check_rows(q, {"1|'x'", "4|'w'", "9|'ok'"});
  BOOST_TEST(
      q.quarantined
          == (lines{"2: flights.csv:3: a: invalid input syntax for type bigint: \"nine\" "
                    "[nine,\"y\nz\"]",
                    "3: flights.csv:5: a quote inside an unquoted field: q\"q [3,q\"q]",
                    "5: flights.csv:7: a: invalid input syntax for type bigint: \"\uFFFD\" "
                    "[\xFF,v]",
                    "6: flights.csv:8: text behind the closing quote of a field:  u,t "
                    "[6,\"u\" u,t]",
                    "7: flights.csv:9: the record has more fields than the header, which has 2 "
                    "[7,s,r,q]",
                    "8: flights.csv:10: the record has 1 field, the header has 2 [8]",
                    "10: flights.csv:12: a quoted field is not closed before the end of the "
                    "file [10,\"open]"}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(forgets_a_null_of_a_record_left_out) {
  auto o = options_of({column_of("b", type_kind::text), column_of("a", type_kind::bigint)});
  o.on_bad_record = bad_record_policy::skip;
  check_rows(read("b,a\n,1\n,nine\nx,2\n", o), {"NULL|1", "'x'|2"});
}

BOOST_AUTO_TEST_CASE(holds_records_to_their_greatest_length) {
  auto o = options_of({column_of("b", type_kind::text), column_of("c", type_kind::text)});
  o.max_record = 10;
  o.on_bad_record = bad_record_policy::quarantine;
  const auto x = read("b,c\n12345,7890\n123456,7890\r\n1,\"345\n789\"\n12345,7890\r\n", o);
  check_rows(x, {"'12345'|'7890'", "'12345'|'7890'"});
  BOOST_TEST(x.quarantined
                 == (lines{"2: flights.csv:3: the record is longer than 10 bytes (maxRecord) "
                           "[123456,7890]",
                           "3: flights.csv:4: the record is longer than 10 bytes (maxRecord) "
                           "[1,\"345\n789\"]"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(passes_over_a_huge_record_in_little_memory) {
  auto o = options_of(ab);
  o.max_record = 100'000;
  o.on_bad_record = bad_record_policy::skip;
  std::string text = "a,b\n1,x\n2,\"";
  for (int i = 0; i < 400'000; ++i)
    text += "line\"\"";
  text += "\"\n3,z\n";
  csv_reader reader(o);
  const auto x = test::run_parser(reader, text, [] { return std::size_t{50'000}; });
  check_rows(x, {"1|'x'", "3|'z'"});
  BOOST_TEST(x.bad == 1);
  // Just within the limit, in many pieces.
  o.max_record = 1'000'000;
  const std::string long_text(900'000, 'y');
  for (const std::size_t size : {1'000U, 20'000U, 240'000U}) {
    csv_reader again(o);
    const auto y =
        test::run_parser(again, "a,b\n1,\"" + long_text + "\"\n2,z\n", [&] { return size; });
    BOOST_TEST(y.error == "");
    BOOST_TEST((y.rows == lines{"1|'" + long_text + "'", "2|'z'"}));
  }
}

BOOST_AUTO_TEST_CASE(a_stray_quote_takes_its_line_only) {
  auto o = options_of(ab);
  o.on_bad_record = bad_record_policy::quarantine;
  const auto check = [&](std::string_view text, const lines& rows, const lines& bad) {
    const auto x = read(text, o);
    check_rows(x, rows);
    BOOST_TEST(x.quarantined == bad, boost::test_tools::per_element());
  };
  const std::string open = "a quoted field is not closed before the end of the file";
  check("a,b\n1,\"x\n2,y\n3,z\n", {"2|'y'", "3|'z'"}, {"1: flights.csv:2: " + open + " [1,\"x]"});
  // Doubled quotes close nothing; without a line feed at the end, too.
  check("a,b\n1,\"x\r\n2,\"\"\r\n3,z", {"2|''", "3|'z'"},
        {"1: flights.csv:2: " + open + " [1,\"x]"});
  // The quote of the second line of a record.
  check("a,b\n\"4\n4\",\"x\n2,y\n", {"2|'y'"},
        {"1: flights.csv:2: a: invalid input syntax for type bigint: \"4\\n4\" [\"4\n4\",\"x]"});
  check("b,a\n\"4\n4\",\"x\ny,2\n", {"2|'y'"},
        {"1: flights.csv:3: " + open + " [\"4\n4\",\"x]"});
  // Closed by the quote that opens a field of a later line.
  check("a,b\n1,\"x\n2,y\n3,\"z\"\n4,w\n", {"2|'y'", "3|'z'", "4|'w'"},
        {"1: flights.csv:2: text behind the closing quote of a field: z\" [1,\"x]"});
  // A quote where the record is bad already.
  check("a,b\nnine,\"y\n2,y\n", {"2|'y'"},
        {"1: flights.csv:2: a: invalid input syntax for type bigint: \"nine\" [nine,\"y]"});
  o.max_record = 20;
  check("a,b\n1,\"x\n22,yyyyy\n33,zzzzz\n44,\"\"\n5,\"v\"\n",
        {"22|'yyyyy'", "33|'zzzzz'", "44|''", "5|'v'"},
        {"1: flights.csv:2: the record is longer than 20 bytes (maxRecord): a quoted field is not "
         "closed [1,\"x]"});
  // The line itself is longer.
  check("a,b\n1,\"xxxxxxxxxxxxxxxxxxxxxxxxx\n2,y\n3,\"z\"\n", {"2|'y'", "3|'z'"},
        {"1: flights.csv:2: the record is longer than 20 bytes (maxRecord) "
         "[1,\"xxxxxxxxxxxxxxxxxxxxxxxxx]"});
  o.max_record = 1000;
  o.on_bad_record = bad_record_policy::fail;
  const auto failed = read("b,a\n\"4\n4\",1\n\"5\n5\",\"x\ny,2\n", o);
  BOOST_TEST(failed.error.find("flights.csv:5: " + open) == 0U, failed.error);
}

// However the text is cut, and wherever reading goes on.
BOOST_AUTO_TEST_CASE(stray_quotes_give_the_same_wherever_it_goes_on) {
  const std::string_view pieces[] = {"1",     ",",           "\"",      "\"\"",    "x",          "\n",
                                     "\r\n",  "2,y\n",       "3,\"z\"\n", "\"q\n\"", "\xC3\xA9", "longer text"};
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    auto o = options_of({column_of("a", type_kind::text), column_of("b", type_kind::text)});
    o.on_bad_record = bad_record_policy::quarantine;
    o.max_record = seed % 2 == 0 ? 12 + random() % 40 : 1000;
    const std::string header = "a,b\n";
    auto text = header;
    for (auto count = random() % 60; count > 0; --count)
      text += pieces[random() % std::size(pieces)];
    const auto whole = read(text, o);
    // Row by row; at each position another reader goes on.
    csv_reader reader(o);
    auto chunk = make_chunk(text.size());
    std::memcpy(chunk.begin, text.data(), text.size());
    chunk.end += text.size();
    lines rows;
    lines bad;
    reader.feed(chunk);
    reader.end_input();
    for (;;) {
      batch_ptr made;
      const auto state = reader.next(1, made);
      BOOST_REQUIRE(state);
      for (const auto& x : reader.take_bad())
        bad.push_back(std::to_string(x.number) + ": " + x.error + " [" + x.raw + "]");
      if (*state != record_parser::state::batch)
        break;
      test::append_rows(*made, rows);
      const auto at = reader.position();
      auto start = make_chunk(header.size());
      std::memcpy(start.begin, header.data(), header.size());
      start.end += header.size();
      text_trail trail;
      trail.add(text.data(), at.offset);
      csv_reader again(o);
      BOOST_REQUIRE(again.resume(at, start, trail));
      const auto rest = test::run_parser(again, std::string_view(text).substr(at.offset),
                                         [&] { return 1 + random() % 9; });
      auto all = rows;
      all.insert(all.end(), rest.rows.begin(), rest.rows.end());
      auto all_bad = bad;
      all_bad.insert(all_bad.end(), rest.quarantined.begin(), rest.quarantined.end());
      BOOST_TEST(all == whole.rows, "seed " << seed << " at " << at.offset);
      BOOST_TEST(all_bad == whole.quarantined, "seed " << seed << " at " << at.offset);
    }
    BOOST_TEST((rows == whole.rows && bad == whole.quarantined), "seed " << seed);
  }
}

BOOST_AUTO_TEST_CASE(cuts_batches_by_rows) {
  std::string text = "a,b\n";
  for (int i = 0; i < 10'000; ++i)
    text += std::to_string(i) + ",v" + std::to_string(i) + "\n";
  csv_reader reader(options_of(ab));
  std::vector<std::uint32_t> sizes;
  auto chunk = make_chunk(text.size());
  std::memcpy(chunk.begin, text.data(), text.size());
  chunk.end += text.size();
  reader.feed(chunk);
  reader.end_input();
  for (batch_ptr made;;) {
    auto state = reader.next(5000, made);
    BOOST_REQUIRE(state);
    if (*state != record_parser::state::batch)
      break;
    sizes.push_back(made->rows);
    BOOST_TEST(made->origin.first == (sizes.size() - 1) * 4096 + 1);
  }
  BOOST_TEST(sizes == (std::vector<std::uint32_t>{4096, 4096, 1808}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(csv_times_behind_the_bound_are_bad_records) {
  auto o = options_of({column_of("at", type_kind::timestamp), column_of("a", type_kind::bigint)});
  o.time_column = 0;
  const std::string_view text = R"(at,a
2024-01-01T00:00:00,1
2024-01-01T00:00:02,2
,3
infinity,4
2024-01-01 00:00:02+00,5
2024-01-01T00:00:01,6
)";
  const auto read_until = [&](micros latest, bad_record_policy policy) {
    o.on_bad_record = policy;
    csv_reader reader(o);
    reader.set_latest_time(latest);
    return test::run_parser(reader, text, [] { return std::size_t{1} << 20; });
  };
  test::check_rows_ahead(read_until, {"flights.csv:3", "flights.csv:6"});
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
