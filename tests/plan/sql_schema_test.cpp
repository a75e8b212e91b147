// Column definitions of sources, and single expressions.

#include "actors/plan/plan_graph.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace {

// `a bigint not null, b text; key a`, or `line:column: message`.
std::string schema_text(std::string_view sql) {
  const auto parsed = ebb::parse_schema(sql);
  if (!parsed) {
    const auto& problem = parsed.error();
    return std::to_string(problem.place.line) + ':' + std::to_string(problem.place.column) + ": "
           + problem.message;
  }
  std::string out;
  for (const auto& column : parsed->columns)
    out += (out.empty() ? "" : ", ") + column.name + ' ' + to_string(column.type)
           + (column.not_null ? " not null" : "");
  for (std::size_t i = 0; i < parsed->primary_key.size(); ++i)
    out += (i == 0 ? "; key " : ", ") + parsed->primary_key[i];
  return out;
}

std::string expression_error(std::string_view sql) {
  const auto bound = ebb::bind_expression(sql, {{"n", ebb::sql_type{ebb::type_kind::bigint}}});
  if (bound)
    return "ok";
  const auto& problem = bound.error();
  return std::to_string(problem.place.line) + ':' + std::to_string(problem.place.column) + ": "
         + problem.message;
}

struct expectation {
  const char* sql;
  const char* expected;
};

} // namespace

BOOST_AUTO_TEST_SUITE(sql_schema)

BOOST_AUTO_TEST_CASE(types_and_constraints_are_read) {
  const std::vector<expectation> table{
      {"a BIGINT", "a bigint"},
      {"a BIGINT NOT NULL, b NUMERIC(10,2), c VARCHAR(20), PRIMARY KEY (a)",
       "a bigint not null, b numeric(10,2), c character varying(20); key a"},
      {"a int, b int4, c integer, d int8, e smallint, f int2",
       "a integer, b integer, c integer, d bigint, e smallint, f smallint"},
      {"a real, b float, c float(24), d float8, e DOUBLE PRECISION",
       "a real, b double precision, c real, d double precision, e double precision"},
      {"a NUMERIC, b NUMERIC(5), c DECIMAL(38, 38)", "a numeric, b numeric(5,0), c numeric(38,38)"},
      {"a TEXT, b VARCHAR, c CHARACTER VARYING(3)", "a text, b text, c character varying(3)"},
      {"a DATE, b TIMESTAMP, c TIMESTAMPTZ, d TIMESTAMP WITH TIME ZONE, e INTERVAL",
       "a date, b timestamp without time zone, c timestamp with time zone, d timestamp with time "
       "zone, e interval"},
      {"a BOOLEAN, b bool, c BYTEA", "a boolean, b boolean, c bytea"},
      {"a JSONB NOT NULL", "a jsonb not null"},
      {"a BIGINT PRIMARY KEY, b TEXT NULL", "a bigint not null, b text; key a"},
      {"A BIGINT, \"B b\" TEXT, \"user\" TEXT", "a bigint, B b text, user text"},
      {"a BIGINT, b TEXT, PRIMARY KEY (b, a)", "a bigint not null, b text not null; key b, a"},
      {"a BIGINT -- the number", "a bigint"},
      {"\n  a BIGINT,\n  b TEXT\n", "a bigint, b text"},
  };
  for (const auto& [sql, expected] : table)
    BOOST_CHECK_EQUAL(schema_text(sql), expected);
}

BOOST_AUTO_TEST_CASE(errors_have_their_place_in_the_schema) {
  const std::vector<expectation> table{
      {"", "0:0: the schema has no columns"},
      {"a", "1:2: syntax error at end of input"},
      {"a BIGINT,", "1:10: syntax error at or near \")\""},
      {"a BIGINT b TEXT", "1:10: syntax error at or near \"b\""},
      {"a BIGINT, a TEXT", "1:11: column \"a\" specified more than once"},
      {"a BIGNT", "1:3: type \"bignt\" does not exist"},
      {"x INT,\n  a JSON", "2:5: type json is not supported"},
      {"a TIME", "1:3: type time is not supported"},
      {"a CHAR(3)", "1:3: type char is not supported"},
      {"a INT[]", "1:1: columns of an array type are not supported"},
      {"a SERIAL", "1:3: type serial is not supported"},
      {"a NUMERIC(50)", "1:3: NUMERIC precision 50 is more than 38"},
      {"a NUMERIC(3, 5)", "1:3: NUMERIC scale 5 must be between 0 and precision 3"},
      {"a VARCHAR(0)", "1:3: length for type varchar must be at least 1"},
      {"a BIGINT DEFAULT 1", "1:10: this column constraint is not supported"},
      {"a BIGINT UNIQUE", "1:10: this column constraint is not supported"},
      {"a BIGINT, UNIQUE (a)", "1:11: this table constraint is not supported"},
      {"a BIGINT, PRIMARY KEY (b)", "0:0: column \"b\" named in key does not exist"},
      {"a BIGINT, PRIMARY KEY (a, a)", "0:0: column \"a\" appears twice in primary key constraint"},
      {"a BIGINT PRIMARY KEY, PRIMARY KEY (a)", "1:23: multiple primary keys are not allowed"},
      {"a BIGINT); DROP TABLE x; SELECT (1", "1:11: more than one statement"},
      {"a BIGINT) INHERITS (t", "0:0: a schema is a list of column definitions"},
      {"a BIGINT) PARTITION BY RANGE (a", "0:0: a schema is a list of column definitions"},
      {"LIKE t", "0:0: this table constraint is not supported"},
      {"é BIGINT, ö FOO", "1:13: type \"foo\" does not exist"},
  };
  for (const auto& [sql, expected] : table)
    BOOST_CHECK_EQUAL(schema_text(sql), expected);
}

BOOST_AUTO_TEST_CASE(one_expression_is_bound) {
  const std::vector<expectation> table{
      {"n + 1", "ok"},
      {"n % 3 = 0 -- thirds", "ok"},
      {"'x'", "ok"},
      {"m", "1:1: column \"m\" does not exist"},
      {"n +", "1:4: syntax error at or near \")\""},
      {"n, n", "1:1: a row value is not supported"},
      {"1), (2", "0:0: this is not one expression"},
      {"1) FROM x WHERE (1 = 1", "0:0: this is not one expression"},
      {"1; SELECT 2", "1:2: syntax error at or near \";\""},
      {"count(*)", "1:1: aggregate functions are not allowed in this expression"},
      {"row_number() OVER ()", "1:1: window functions are not allowed in this expression"},
      {"(SELECT 1)", "1:1: a subquery here is not supported"},
      {"*", "1:1: syntax error at or near \"*\""},
      {"n\n  + 'a'", "2:3: invalid input syntax for type bigint: \"a\""},
  };
  for (const auto& [sql, expected] : table)
    BOOST_CHECK_EQUAL(expression_error(sql), expected);
}

BOOST_AUTO_TEST_SUITE_END()
