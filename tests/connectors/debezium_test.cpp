// Changes in and out: what a record says, and what is refused.

#include "actors/connectors/debezium_writer.hpp"
#include "actors/connectors/json_reader.hpp"
#include "actors/connectors/stdout_table.hpp"
#include "tests/connectors/files_support.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

namespace ebb {
namespace {

using test::column_of;
using test::parsed;
using lines = std::vector<std::string>;

const schema ab = {column_of("a", type_kind::bigint, true), column_of("b", type_kind::text, true)};

parse_options options_of(std::vector<std::string> key) {
  parse_options x;
  x.source = "stock";
  x.file = "stock.ndjson";
  x.columns = ab;
  x.changes = true;
  x.key = std::move(key);
  return x;
}

// In one piece, byte by byte and in small batches: all must give the same rows.
parsed read(std::string_view text, const parse_options& options) {
  json_reader whole(options);
  auto expected = test::run_parser(whole, text, [] { return std::size_t{1} << 20; });
  json_reader bytes(options);
  const auto one = test::run_parser(
      bytes, text, [] { return std::size_t{1}; }, 1);
  BOOST_TEST(one.error == expected.error);
  // A batch of insertions alone carries no weights.
  const auto plain = [](lines rows) {
    for (auto& row : rows)
      if (row[0] == '+')
        row.erase(0, 1);
    return rows;
  };
  BOOST_TEST(plain(one.rows) == plain(expected.rows), boost::test_tools::per_element());
  return expected;
}

void check(const parsed& x, const lines& expected) {
  BOOST_TEST(x.error == "");
  BOOST_TEST(x.rows == expected, boost::test_tools::per_element());
}

std::string refused(const std::string& record, std::vector<std::string> key = {}) {
  return read(record + "\n", options_of(std::move(key))).error;
}

// Rows of (BIGINT, TEXT) with weights.
batch changes_of(const std::vector<std::tuple<std::int32_t, std::int64_t, std::string>>& rows) {
  batch x;
  x.rows = static_cast<std::uint32_t>(rows.size());
  auto a = make_column(sql_type{type_kind::bigint}, x.rows);
  text_builder b(sql_type{type_kind::text}, x.rows);
  x.weights = buffer_ptr::of<std::int32_t>(x.rows);
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    x.weights.as<std::int32_t>()[i] = std::get<0>(rows[i]);
    a.mutable_data<std::int64_t>()[i] = std::get<1>(rows[i]);
    b.append(std::get<2>(rows[i]));
  }
  x.columns = {std::move(a), b.take()};
  return x;
}

std::string written(record_writer& writer, const batch& rows) {
  output_buffer out;
  BOOST_REQUIRE(writer.write(rows, out));
  std::string text;
  for (auto block = out.pop(true); block.size != 0; block = out.pop(true))
    text.append(block.memory.as<char>(), block.size);
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(debezium)

BOOST_AUTO_TEST_CASE(records_become_rows_with_weights) {
  const auto options = options_of({});
  check(read(R"({"op":"c","before":null,"after":{"a":1,"b":"x"}}
{"op":"r","after":{"b":"y","a":2},"ts_ms":5,"source":{"op":"d","before":{}}}

{"op":"u","before":{"a":1,"b":"x"},"after":{"a":1,"b":"z"}}
{"op":"d","before":{"a":2,"b":"y"},"after":null}
)",
             options),
        {"+1|'x'", "+2|'y'", "-1|'x'", "+1|'z'", "-2|'y'"});
  check(read(R"({"schema":{"op":1},"payload":{"after":{"a":3,"b":""},"op":"c"}})", options),
        {"3|''"});
}

BOOST_AUTO_TEST_CASE(with_a_key_before_may_be_short_or_missing) {
  const auto options = options_of({"a"});
  check(read(R"({"op":"u","before":null,"after":{"a":1,"b":"x"}}
{"op":"u","before":{"a":1},"after":{"a":2,"b":"y"}}
{"op":"d","before":{"a":2}}
)",
             options),
        {"+1|'x'", "-1|NULL", "+2|'y'", "-2|NULL"});
  BOOST_TEST(
      refused(R"({"op":"d","before":{"b":"x"}})", {"a"}).find("before: null value in column \"a\"")
      != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_change_is_refused_with_its_place) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"before":null,"after":{"a":1,"b":"x"}})", "the change has no \"op\""},
      {R"({"op":"t"})", "op \"t\" is not supported"},
      {R"({"op":5,"after":{"a":1,"b":"x"}})", "the change has no \"op\""},
      {R"({"op":"c","after":null})", "op \"c\" without \"after\""},
      {R"({"op":"c"})", "op \"c\" without \"after\""},
      {R"({"op":"d","before":null})", "op \"d\" without \"before\""},
      {R"({"op":"u","before":[1],"after":{"a":1,"b":"x"}})", "expected an object or null"},
      {R"({"op":"c","after":"x"})", "expected an object or null"},
      {R"({"op":"u","after":{"a":1,"b":"x"}})",
       "op \"u\" without \"before\", and stock has no PRIMARY KEY"},
      {R"({"op":"d","before":{"a":1}})",
       "before: the field is missing, and stock has no PRIMARY KEY to find the row by"},
      {R"({"op":"u","before":{"b":"x"},"after":{"a":1,"b":"x"}})", "before: the field is missing"},
      {R"({"op":"c","after":{"a":"x","b":"x"}})", "after: "},
      {R"({"op":"u","before":{"a":1,"b":"x"},"after":{"a":1}})",
       "after: null value in column \"b\""},
      {R"({"op":"c","after":{"a":1,"b":"x"})", "expected a comma or a closing brace"},
      {R"(["op"])", "expected an object"},
  };
  for (const auto& [record, message] : cases)
    BOOST_TEST(refused(record).find(message) != std::string::npos,
               record << ": " << refused(record));
}

BOOST_AUTO_TEST_CASE(a_bad_record_leaves_nothing_behind) {
  auto options = options_of({});
  options.on_bad_record = bad_record_policy::quarantine;
  const auto x = read(R"({"op":"c","after":{"a":1,"b":"x"}}
{"op":"u","before":{"a":1,"b":"x"},"after":{"a":"?","b":"z"}}
{"op":"d","before":{"a":1,"b":"x"}}
)",
                      options);
  check(x, {"+1|'x'", "-1|'x'"});
  BOOST_TEST(x.bad == 1U);
  BOOST_REQUIRE(x.quarantined.size() == 1U);
  BOOST_TEST(x.quarantined[0].find("2: ") == 0U);
}

BOOST_AUTO_TEST_CASE(a_record_of_two_rows_fits_behind_a_full_batch) {
  auto options = options_of({});
  options.batch_rows = 3;
  std::string text;
  lines expected;
  for (int i = 0; i < 20; ++i) {
    const auto n = std::to_string(i);
    text += R"({"op":"u","before":{"a":)" + n + R"(,"b":"x"},"after":{"a":)" + n + R"(,"b":"y"}})"
            + "\n";
    expected.push_back("-" + n + "|'x'");
    expected.push_back("+" + n + "|'y'");
  }
  check(read(text, options), expected);
}

BOOST_AUTO_TEST_CASE(rows_are_written_as_changes) {
  const auto keyless = make_debezium_writer(ab, std::nullopt);
  BOOST_TEST(written(*keyless, changes_of({{1, 1, "x"}, {-1, 2, "y"}, {1, 2, "z"}}))
             == R"({"op":"d","before":{"a":2,"b":"y"},"after":null}
{"op":"c","before":null,"after":{"a":1,"b":"x"}}
{"op":"c","before":null,"after":{"a":2,"b":"z"}}
)");
  // What comes and goes within a batch is not said; counts are.
  BOOST_TEST(written(*keyless, changes_of({{1, 1, "x"}, {-1, 1, "x"}})) == "");
  BOOST_TEST(written(*keyless, changes_of({{-1, 1, "x"}, {3, 1, "x"}}))
             == R"({"op":"c","before":null,"after":{"a":1,"b":"x"}}
{"op":"c","before":null,"after":{"a":1,"b":"x"}}
)");
  BOOST_TEST(keyless->rows() == 5U);
}

BOOST_AUTO_TEST_CASE(with_a_unique_key_a_change_is_an_update) {
  const auto keyed = make_debezium_writer(ab, std::vector<std::uint32_t>{0});
  BOOST_TEST(written(*keyed, changes_of({{-1, 1, "x"}, {1, 1, "y"}, {-1, 2, "q"}, {1, 3, "r"}}))
             == R"({"op":"d","before":{"a":2,"b":"q"},"after":null}
{"op":"u","before":{"a":1,"b":"x"},"after":{"a":1,"b":"y"}}
{"op":"c","before":null,"after":{"a":3,"b":"r"}}
)");
  // From the first row to the last.
  BOOST_TEST(written(*keyed, changes_of({{-1, 1, "x"}, {1, 1, "y"}, {-1, 1, "y"}, {1, 1, "z"}}))
             == R"({"op":"u","before":{"a":1,"b":"x"},"after":{"a":1,"b":"z"}}
)");
  BOOST_TEST(written(*keyed, changes_of({{-1, 1, "x"}, {1, 1, "y"}, {-1, 1, "y"}, {1, 1, "x"}}))
             == "");
  BOOST_TEST(written(*keyed, changes_of({{1, 1, "x"}, {-1, 1, "x"}})) == "");
}

BOOST_AUTO_TEST_CASE(rows_without_weights_are_all_new) {
  auto rows = changes_of({{1, 1, "x"}});
  rows.weights = {};
  for (const auto& key :
       {std::optional<std::vector<std::uint32_t>>{}, std::optional{std::vector{0U}}})
    BOOST_TEST(written(*make_debezium_writer(ab, key), rows)
               == "{\"op\":\"c\",\"before\":null,\"after\":{\"a\":1,\"b\":\"x\"}}\n");
}

BOOST_AUTO_TEST_CASE(a_table_shows_which_rows_come_and_go) {
  const auto table = make_signed_writer(ab, make_table_writer);
  output_buffer out;
  table->begin(out);
  BOOST_REQUIRE(table->write(changes_of({{-1, 1, "x"}, {2, 1, "y"}}), out));
  table->end(out);
  std::string text;
  for (auto block = out.pop(true); block.size != 0; block = out.pop(true))
    text.append(block.memory.as<char>(), block.size);
  BOOST_TEST(text
             == " op | a | b\n----+---+---\n -  | 1 | x\n +  | 1 | y\n +  | 1 | y\n(3 rows)\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
