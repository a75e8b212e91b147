// No text may crash the front end or keep it busy for long.

#include "tests/plan/sql_support.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += text;
  return out;
}

std::string message_of(std::string_view sql) {
  const auto planned = ebb::test::plan(sql);
  return planned ? "ok" : planned.error().message;
}

} // namespace

BOOST_AUTO_TEST_SUITE(sql_robustness)

BOOST_AUTO_TEST_CASE(bytes_that_are_no_text_are_refused) {
  BOOST_CHECK_EQUAL(message_of(std::string_view("SELECT i\0 FROM t", 16)),
                    "SQL text contains a NUL byte");
  for (const char* bad : {"SELECT '\xFF' FROM t", "SELECT '\xC3' FROM t", "SELECT '\xED\xA0\x80'",
                          "SELECT '\xF4\x90\x80\x80'", "SELECT '\xC0\x80'"})
    BOOST_CHECK_EQUAL(message_of(bad), "invalid byte sequence for encoding \"UTF8\"");
  BOOST_CHECK_EQUAL(message_of("SELECT '\xF0\x9F\x90\x98' AS x FROM t"), "ok");
}

BOOST_AUTO_TEST_CASE(empty_texts_are_refused) {
  for (const char* empty : {"", "   ", "-- nothing", "/* nothing */", ";"})
    BOOST_CHECK_EQUAL(message_of(empty), "the query is empty");
}

BOOST_AUTO_TEST_CASE(long_texts_are_refused) {
  BOOST_CHECK_EQUAL(message_of("SELECT '" + std::string(1 << 20, 'x') + "' FROM t"),
                    "SQL text is longer than 1 MiB");
}

BOOST_AUTO_TEST_CASE(deep_texts_are_refused) {
  const auto deep = [](const std::string& sql) {
    const auto message = message_of(sql);
    return message.starts_with("stack depth limit exceeded") || message.starts_with("FROM ")
           || message == "the expression is too large"
           || message == "UNION ALL of more than 256 queries"
           || message == "SQL text is longer than 1 MiB" || message.starts_with("syntax error");
  };
  for (const std::size_t count : {1'000U, 10'000U, 40'000U}) {
    BOOST_CHECK(deep("SELECT " + repeated("(", count) + "i" + repeated(")", count) + " FROM t")
                || count < 10'000);
    BOOST_CHECK(deep("SELECT " + repeated("NOT ", count) + "f FROM t"));
    BOOST_CHECK(deep("SELECT " + repeated("- ", count) + "i FROM t"));
    BOOST_CHECK(deep("SELECT " + repeated("i + ", count) + "i FROM t") || count < 10'000);
    BOOST_CHECK(deep("SELECT " + repeated("i+", count) + "i FROM t") || count < 10'000);
    BOOST_CHECK(deep("SELECT i" + repeated("::int", count) + " FROM t"));
    BOOST_CHECK(deep("SELECT f" + repeated(" IS TRUE", count) + " FROM t"));
    BOOST_CHECK(deep("SELECT f" + repeated(" ISNULL", count) + " FROM t"));
    BOOST_CHECK(
        deep("SELECT " + repeated("lower(", count) + "x" + repeated(")", count) + " FROM t"));
    BOOST_CHECK(deep("SELECT " + repeated("CASE WHEN f THEN ", count) + "1"
                     + repeated(" END", count) + " FROM t"));
    BOOST_CHECK(deep("SELECT i FROM t" + repeated(" CROSS JOIN t", count)));
    BOOST_CHECK(deep("SELECT i FROM t" + repeated(" UNION ALL SELECT i FROM t", count)));
    BOOST_CHECK(deep(repeated("SELECT i FROM (", count) + "t" + repeated(") AS x", count)));
    BOOST_CHECK(
        deep(repeated("SELECT * FROM (", count) + "SELECT i FROM t" + repeated(") AS x", count)));
    BOOST_CHECK(deep("SELECT " + repeated("(", count) + "f" + repeated(" BETWEEN f AND f)", count)
                     + " FROM t"));
    BOOST_CHECK(deep("SELECT i, i FROM t" + repeated(" UNION ALL SELECT i, i FROM t", count)));
    BOOST_CHECK(deep("SELECT i FROM t" + repeated(" JOIN t ON i = i AND f", count)));
    BOOST_CHECK(deep("SELECT f" + repeated(" BETWEEN f AND f IS TRUE", count) + " FROM t"));
    BOOST_CHECK(deep("SELECT " + repeated("CASE WHEN f AND ", count) + "f THEN 1"
                     + repeated(" END = 1 THEN 1", count - 1) + " END FROM t"));
    // Texts in which parentheses, commas and quotes do not count.
    for (const char* operand : {"i+/*,*/", "i+--,\n", "i+/*and*/"})
      BOOST_CHECK(deep("SELECT " + repeated(operand, count) + "i FROM t") || count < 10'000);
    for (const char* operand : {"$$),($$||", "$a$),$$,($a$||", "E'\\',('||", "'a'')'||"})
      BOOST_CHECK(deep("SELECT " + repeated(operand, count) + "x FROM t") || count < 10'000);
  }
}

BOOST_AUTO_TEST_CASE(operands_that_a_construct_repeats_cannot_explode) {
  std::string x = "i";
  for (int i = 0; i < 60; ++i)
    x = "NULLIF(" + x + ", 1)";
  BOOST_CHECK_EQUAL(message_of("SELECT " + x + " FROM t"), "the expression is too large");
  x = "f";
  for (int i = 0; i < 60; ++i)
    x = "((" + x + ") BETWEEN f AND f)";
  BOOST_CHECK_EQUAL(message_of("SELECT " + x + " FROM t"), "the expression is too large");
  x = "i";
  for (int i = 0; i < 60; ++i)
    x = "CASE " + x + " WHEN 1 THEN 2 WHEN 3 THEN 4 END";
  BOOST_CHECK_EQUAL(message_of("SELECT " + x + " FROM t"), "the expression is too large");
}

BOOST_AUTO_TEST_CASE(wide_texts_are_planned) {
  const auto commas = [](std::string_view item, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
      out += (i > 0 ? ", " : "") + std::string(item);
    return out;
  };
  BOOST_CHECK_EQUAL(message_of("SELECT i FROM t WHERE i IN (" + commas("7", 4'000) + ")"), "ok");
  BOOST_CHECK_EQUAL(message_of("SELECT concat(" + commas("x", 500) + ") FROM t"), "ok");
  BOOST_CHECK_EQUAL(message_of("SELECT i FROM t WHERE true" + repeated(" AND i > 0", 1'000)), "ok");
  BOOST_CHECK_EQUAL(message_of("SELECT " + commas("i", 2'000) + " FROM t"),
                    "target lists can have at most 1664 entries");
  BOOST_CHECK_EQUAL(message_of("SELECT " + repeated("i + ", 4'000) + "i AS x FROM t"), "ok");
  BOOST_CHECK_EQUAL(message_of("SELECT " + repeated("x || ", 4'000) + "x AS x FROM t"), "ok");
  BOOST_CHECK_EQUAL(message_of("SELECT i FROM t WHERE f" + repeated(" AND i > 0", 50'000)), "ok");
  BOOST_CHECK_EQUAL(message_of("SELECT i FROM t WHERE f" + repeated(" OR i=1 AND f", 50'000)),
                    "ok");
  BOOST_CHECK_EQUAL(
      message_of("SELECT CASE i" + repeated(" WHEN 1 THEN 2", 2'000) + " END AS x FROM t"), "ok");
}

BOOST_AUTO_TEST_CASE(nesting_is_limited_by_name) {
  const auto nested = [](std::size_t count) {
    return message_of(repeated("SELECT * FROM (", count) + "SELECT i FROM t"
                      + repeated(") AS x", count));
  };
  BOOST_CHECK_EQUAL(nested(60), "ok");
  for (const std::size_t count : {64U, 2'000U, 20'000U})
    BOOST_CHECK_EQUAL(nested(count), "stack depth limit exceeded: the query is nested too deeply");
}

BOOST_AUTO_TEST_CASE(subqueries_cannot_pile_up_deep_expressions) {
  std::string sql = "SELECT i AS x FROM t";
  for (int i = 0; i < 30; ++i)
    sql = "SELECT " + repeated("(x + 1) * ", 40) + "1 AS x FROM (" + sql + ") AS q";
  BOOST_CHECK_EQUAL(message_of(sql), "ok");
}

// Words of SQL in random order, and queries with random bytes changed.
BOOST_AUTO_TEST_CASE(random_texts_do_no_harm) {
  const std::vector<std::string> words{"SELECT",
                                       "FROM",
                                       "WHERE",
                                       "GROUP BY",
                                       "HAVING",
                                       "JOIN",
                                       "LEFT JOIN",
                                       "ON",
                                       "USING",
                                       "(",
                                       ")",
                                       ",",
                                       "*",
                                       "i",
                                       "b",
                                       "x",
                                       "f",
                                       "ts",
                                       "t",
                                       "e",
                                       "t.i",
                                       "e.k",
                                       "window_start",
                                       "window_end",
                                       "1",
                                       "2.5",
                                       "'a'",
                                       "NULL",
                                       "+",
                                       "-",
                                       "=",
                                       "<",
                                       "AND",
                                       "OR",
                                       "NOT",
                                       "count(*)",
                                       "sum(i)",
                                       "AS",
                                       "tumble(t, ts, INTERVAL '1 s')",
                                       "session(e, ts, INTERVAL '1 s')",
                                       "OVER",
                                       "PARTITION BY",
                                       "ORDER BY",
                                       "row_number()",
                                       "CASE",
                                       "WHEN",
                                       "THEN",
                                       "END",
                                       "IN",
                                       "BETWEEN",
                                       "LIKE",
                                       "IS",
                                       "::int",
                                       "UNION ALL",
                                       "WITH",
                                       "DISTINCT",
                                       "coalesce(",
                                       "[1]",
                                       "ARRAY[",
                                       "]",
                                       "lower(",
                                       "INTERVAL",
                                       ".",
                                       "(SELECT i, ts FROM t) AS q",
                                       "$1",
                                       ";",
                                       "FILTER (WHERE f)",
                                       "proctime()"};
  std::mt19937 random{20'260'101};
  for (int round = 0; round < 3'000; ++round) {
    std::string sql = "SELECT ";
    const auto length = random() % 25;
    for (std::size_t i = 0; i < length; ++i)
      sql += words[random() % words.size()] + ' ';
    sql += round % 2 == 0 ? "FROM t" : "FROM tumble(t, ts, INTERVAL '1 s') GROUP BY window_end";
    message_of(sql);
  }
  const std::string valid = "WITH q AS (SELECT i, count(*) AS n, window_end FROM hop(t, ts, "
                            "INTERVAL '1 s', INTERVAL '5 s') "
                            "WHERE x LIKE 'a%' GROUP BY i, window_end HAVING sum(b) > 1) SELECT "
                            "q.i, e.e_val, CASE WHEN n > 1 "
                            "THEN 'a' ELSE lower('B') END FROM q JOIN e ON q.i = e.k AND e.ts "
                            "BETWEEN q.window_end - INTERVAL "
                            "'1 s' AND q.window_end";
  BOOST_CHECK_EQUAL(message_of(valid), "ok");
  for (int round = 0; round < 3'000; ++round) {
    auto sql = valid;
    const auto changes = 1 + random() % 4;
    for (std::size_t i = 0; i < changes; ++i) {
      const auto at = random() % sql.size();
      switch (random() % 3) {
      case 0:
        sql[at] = static_cast<char>(random() % 256);
        break;
      case 1:
        sql.erase(at, 1 + random() % 12);
        break;
      default:
        sql.insert(at, sql.substr(random() % sql.size(), random() % 12));
        break;
      }
    }
    message_of(sql);
    static_cast<void>(ebb::parse_schema(sql));
  }
}

BOOST_AUTO_TEST_SUITE_END()
