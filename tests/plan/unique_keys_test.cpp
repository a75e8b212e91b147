/// Which columns tell the rows of a result apart, and where their changes are settled before a sink.
#include "actors/plan/changelog.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/plan/stateful_steps.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace ebb {

namespace {

// The result of `sql` over tables of changes with and without a key, and rows that only come.
std::string manifest(const std::string& sql, const std::string& sink, std::uint32_t parallelism,
                     const std::string& more = {}) {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n  parallelism: "
         + std::to_string(parallelism) + "\n  sources:\n"
         + "    - {name: orders, schema: 'id BIGINT, cust BIGINT, shop INT, PRIMARY KEY (id)',"
           " file: {path: o, format: debezium}}\n"
           "    - {name: cust, schema: 'id BIGINT, name TEXT, PRIMARY KEY (id)',"
           " file: {path: c, format: debezium}}\n"
           "    - {name: detail, schema: 'id BIGINT, note TEXT, PRIMARY KEY (id)',"
           " file: {path: d, format: debezium}}\n"
           "    - {name: shop, schema: 'id INT, town TEXT, PRIMARY KEY (id)',"
           " file: {path: s, format: debezium}}\n"
           "    - {name: stock, schema: 'id BIGINT, cust BIGINT',"
           " file: {path: k, format: debezium}}\n"
           "    - {name: events, schema: 'id BIGINT, cust BIGINT', file: {path: e, format: csv}}\n"
           "  operators:\n    - name: q\n"
         + more + "      sql: |\n        " + sql + "\n  sinks:\n    - " + sink + "\n";
}

const std::string file = "{name: out, from: q, file: {path: out, format: debezium}}";

struct planned {
  stream_definition stream;
  plan_graph graph;
};

planned plan_ok(const std::string& text) {
  std::vector<error> warnings;
  auto streams = parse_manifest(text, "m.yaml", warnings);
  BOOST_TEST_REQUIRE(static_cast<bool>(streams), (streams ? "" : to_string(streams.error())));
  planned x;
  x.stream = streams->front();
  auto graph = plan_stream(x.stream);
  BOOST_TEST_REQUIRE(static_cast<bool>(graph), (graph ? "" : to_string(graph.error())));
  x.graph = *std::move(graph);
  return x;
}

// `id, name settled`, or `none`.
std::string key_of(const std::string& sql, const std::string& sink = file) {
  const auto x = plan_ok(manifest(sql, sink, 2));
  const auto& last = x.graph.nodes.back();
  const auto& rows = x.graph.nodes[last.inputs[0]];
  const auto& key = std::get<sink_node>(last.what).key;
  std::string text = key ? "" : "none";
  if (key)
    for (const auto column : *key)
      text += (text.empty() ? "" : ", ") + rows.columns[column].name;
  return text + (rows.label == "settle" ? " settled" : "");
}

} // namespace

BOOST_AUTO_TEST_SUITE(unique_keys)

BOOST_AUTO_TEST_CASE(keys_of_results) {
  struct row {
    std::string sql;
    std::string key;
  };
  const std::string joined = " FROM orders o JOIN cust c ON c.id = o.cust";
  const std::string ranked = " FROM (SELECT id, cust, row_number() OVER (PARTITION BY cust ORDER BY "
                             "id) AS n FROM orders) x WHERE n <= 3";
  const std::vector<row> rows{
      // Sources and what leaves rows alone.
      {"SELECT cust, id AS number FROM orders WHERE cust > 3", "number"},
      {"SELECT cust FROM orders", "none"},
      {"SELECT id, cust FROM stock", "none"},
      // A join with the row of a primary key.
      {"SELECT o.id, c.name" + joined, "id settled"},
      {"SELECT o.id, o.cust, c.name" + joined, "id settled"},
      {"SELECT c.name" + joined, "none"},
      {"SELECT o.id, c.name FROM orders o LEFT JOIN cust c ON c.id = o.cust", "id settled"},
      {"SELECT o.id, c.name FROM cust c RIGHT JOIN orders o ON c.id = o.cust", "id settled"},
      {"SELECT o.id, c.name FROM cust c JOIN orders o ON c.id = o.cust", "id settled"},
      {"SELECT o.id, c.name FROM orders o JOIN cust c ON c.id = o.cust AND c.name > 'a'", "id settled"},
      {"SELECT o.id, d.note FROM orders o JOIN detail d ON d.id = o.id", "id"},
      {"SELECT o.id, d.note, c.name FROM orders o JOIN detail d ON d.id = o.id JOIN cust c ON c.id = "
       "o.cust",
       "id settled"},
      // The other side's column has the same value, if it has one.
      {"SELECT d.id, c.name FROM cust c JOIN detail d ON d.id = c.id", "id"},
      {"SELECT d.id, c.name FROM cust c LEFT JOIN detail d ON d.id = c.id", "none"},
      {"SELECT c.id, d.note FROM cust c LEFT JOIN detail d ON d.id = c.id", "id"},
      // Integers of different widths are equal.
      {"SELECT o.id, s.town FROM orders o JOIN shop s ON s.id = o.shop", "id settled"},
      {"SELECT o.id, c.name FROM orders o JOIN cust c ON c.id = o.shop", "id settled"},
      {"SELECT o.id, s.town FROM orders o JOIN shop s ON s.id = o.cust", "id settled"},
      // Several rows on both sides, and rows without a partner.
      {"SELECT c.id AS one, o.id FROM cust c LEFT JOIN orders o ON o.cust = c.id", "one, id settled"},
      {"SELECT o.id, c.id AS one FROM orders o FULL JOIN cust c ON c.id = o.cust", "id, one settled"},
      {"SELECT o.id, d.id AS other FROM orders o JOIN detail d ON d.note = o.cust::text",
       "id, other settled"},
      {"SELECT o.id, d.id AS other FROM orders o JOIN detail d ON d.id > o.id", "id, other"},
      {"SELECT s.id, c.name FROM stock s JOIN cust c ON c.id = s.cust", "none"},
      {"SELECT e.id, c.name FROM events e JOIN cust c ON c.id = e.cust", "none"},
      // Subqueries.
      {"SELECT id FROM orders WHERE cust IN (SELECT id FROM cust)", "id settled"},
      {"SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM cust c WHERE c.id = o.cust)",
       "id settled"},
      {"SELECT o.id, (SELECT c.name FROM cust c WHERE c.id = o.cust) AS name FROM orders o",
       "id settled"},
      // OVER and ranks.
      {"SELECT id, count(*) OVER (PARTITION BY cust) AS n FROM orders", "id settled"},
      {"SELECT id, lag(id) OVER (PARTITION BY cust ORDER BY id) AS before FROM orders", "id settled"},
      {"SELECT id, count(*) OVER (PARTITION BY id) AS n FROM orders", "id"},
      {"SELECT id, count(*) OVER () AS n FROM orders", "id"},
      {"SELECT id, cust" + ranked, "id settled"},
      {"SELECT id, cust, n" + ranked, "cust, n"},
      {"SELECT cust, n" + ranked, "cust, n"},
      {"SELECT n" + ranked, "none"},
      {"SELECT id, cust FROM orders ORDER BY cust LIMIT 3", "id"},
      // Sets and groups.
      {"SELECT id FROM orders UNION ALL SELECT id FROM cust", "none"},
      {"SELECT id, name FROM cust UNION SELECT id, note FROM detail", "id, name"},
      {"SELECT id, name FROM cust EXCEPT SELECT id, note FROM detail", "id, name"},
      {"SELECT id, name FROM cust INTERSECT SELECT id, note FROM detail", "id, name"},
      {"SELECT DISTINCT cust FROM orders", "cust"},
      {"SELECT c.name, count(*) AS n" + joined + " GROUP BY c.name", "name"},
      {"SELECT o.id, max(c.name) AS name" + joined + " GROUP BY o.id", "id"},
  };
  for (const auto& x : rows)
    BOOST_TEST_CONTEXT(x.sql)
    BOOST_TEST(key_of(x.sql) == x.key);
}

const std::string scattered = "SELECT o.id, c.name FROM orders o JOIN cust c ON c.id = o.cust";

BOOST_AUTO_TEST_CASE(only_sinks_that_write_changes_read_them_settled) {
  BOOST_TEST(key_of(scattered, "{name: out, from: q, stdout: {}}") == "id settled");
  BOOST_TEST(key_of(scattered, "{name: out, from: q, discard: {}}") == "none");
  BOOST_TEST(key_of("SELECT id, cust FROM events", "{name: out, from: q, stdout: {}}") == "none");
}

// One operator for all sinks, and the same at every parallelism.
BOOST_AUTO_TEST_CASE(changes_are_settled_once) {
  std::vector<std::string> first;
  for (const std::uint32_t parallelism : {1U, 2U, 5U}) {
    const auto x = plan_ok(manifest(
        scattered, file + "\n    - {name: again, from: q, stdout: {}}", parallelism));
    const auto plan = make_stages(x.graph, x.stream);
    BOOST_TEST_REQUIRE(static_cast<bool>(plan));
    std::vector<std::string> names;
    for (const auto& step : stateful_steps(*plan))
      names.push_back(step.identity);
    std::sort(names.begin(), names.end());
    BOOST_TEST(std::count(names.begin(), names.end(), "q/settle/0") == 1);
    BOOST_TEST(std::count(names.begin(), names.end(), "q/settle/1") == 0);
    if (first.empty())
      first = names;
    BOOST_TEST(names == first, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(explain_says_why) {
  const auto x = plan_ok(manifest(scattered, file, 2, "      stateRetention: 1h\n"));
  const auto plan = make_stages(x.graph, x.stream);
  BOOST_TEST_REQUIRE(static_cast<bool>(plan));
  const auto text = explain_text(x.graph, *plan, x.stream);
  for (const auto* part :
       {"settle q\n    changes: updating, unique key id\n    state: the rows of each key, dropped by "
        "key when not written for 3600 s of processing time\n",
        "changes: updating, unique key id once settled\n", "hash by id\n",
        "q: changes of one (id) come from several subtasks and are put in order, since join q has "
        "rows meet by (cust)\n"})
    BOOST_TEST(text.find(part) != std::string::npos, part << " is not in\n" << text);
  const auto json = explain_json(x.graph, *plan, x.stream);
  for (const auto* part : {"\"uniqueOnceSettled\"", "\"settled\": \"changes of one (id)"})
    BOOST_TEST(json.find(part) != std::string::npos, part << " is not in\n" << json);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
