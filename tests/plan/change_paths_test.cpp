#include "actors/plan/change_paths.hpp"
#include "actors/plan/state_change.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace ebb {

namespace {

// A stream over a plain file and one of changes; `operators` and `sinks` are YAML.
std::string manifest(const std::string& operators, const std::string& sinks,
                     std::uint32_t parallelism = 1) {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n  parallelism: "
         + std::to_string(parallelism)
         + "\n  sources:\n"
           "    - {name: o, schema: 'k BIGINT, v BIGINT, t TIMESTAMP', eventTime: {column: t}, "
           "file: {path: o.json, format: json}}\n"
           "    - {name: p, schema: 'k BIGINT, v BIGINT', file: {path: p.json, format: debezium}}\n"
           "    - {name: u, schema: 'k BIGINT, v BIGINT, PRIMARY KEY (k)', file: {path: u.json, "
           "format: debezium}}\n"
           "  operators:\n"
         + operators + "  sinks:\n" + sinks;
}

// Operators q0, q1, … of these queries.
std::string operators(const std::vector<std::string>& queries) {
  std::string text;
  for (std::size_t i = 0; i < queries.size(); ++i)
    text += "    - {name: q" + std::to_string(i) + ", sql: \"" + queries[i] + "\"}\n";
  return text;
}

const std::string out = "    - {name: out, file: {path: out, format: debezium}}\n";

planned_state plan_of(const std::string& text) {
  std::vector<error> warnings;
  auto streams = parse_manifest(text, "m.yaml", warnings);
  BOOST_TEST_REQUIRE(static_cast<bool>(streams), (streams ? "" : to_string(streams.error())));
  const auto graph = plan_stream(streams->front());
  BOOST_TEST_REQUIRE(static_cast<bool>(graph), (graph ? "" : to_string(graph.error())));
  const auto plan = make_stages(*graph, streams->front());
  BOOST_TEST_REQUIRE(static_cast<bool>(plan));
  return planned_state_of(*plan, streams->front());
}

planned_state planned(const std::vector<std::string>& queries, const std::string& sinks = out) {
  return plan_of(manifest(operators(queries), sinks));
}

// What a changed manifest is told; nothing where it goes on.
state_change change(const planned_state& before, const planned_state& now) {
  pinned_plan pinned;
  pinned.adopt(before.states, 0, 1);
  pinned.adopt_paths(before.paths, 0);
  return compare_plan(pinned, now, false);
}

std::string told(const std::string& before, const std::string& now) {
  const auto x = change(planned(std::vector{before}), planned(std::vector{now}));
  return x.text();
}

std::string all(const std::vector<change_path>& paths) {
  std::string text;
  for (const auto& x : paths)
    text += x.taker + ": " + x.what + '\n';
  return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(paths_of_changes)

BOOST_AUTO_TEST_CASE(expressions_above_state_that_updates_are_compared) {
  const std::string sums = "SELECT k, sum(v) AS s FROM o GROUP BY k";
  const auto more = told(sums, "SELECT k, sum(v) + 1000 AS s FROM o GROUP BY k");
  BOOST_TEST(more.find("sink out takes changes of other rows than it has got (k, (sum + 1000)")
                 != std::string::npos,
             more);
  BOOST_TEST(told("SELECT k, sum(v) + 1000 AS s FROM o GROUP BY k",
                  "SELECT k, sum(v) + 1001 AS s FROM o GROUP BY k")
             != "");
  // A name is a field of what a sink has written.
  BOOST_TEST(told(sums, "SELECT k, sum(v) AS x FROM o GROUP BY k") != "");
  const std::string some = "SELECT k, count(*) AS n FROM o GROUP BY k HAVING count(*) > 2";
  BOOST_TEST(told(some, "SELECT k, count(*) AS n FROM o GROUP BY k HAVING count(*) > 3") != "");
  const std::string top = "SELECT k, v FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY "
                          "v) AS n FROM o) AS x WHERE n <= 3";
  BOOST_TEST(told(top, "SELECT k, abs(v) AS v FROM (SELECT *, row_number() OVER (PARTITION BY k "
                       "ORDER BY v) AS n FROM o) AS x WHERE n <= 3")
             != "");
  const std::string most = "(SELECT k, max(v) AS v FROM o GROUP BY k) AS a ";
  for (const std::string& join :
       {"SELECT a.k, a.v, u.v AS w FROM " + most + "LEFT JOIN u ON a.k = u.k",
        "SELECT a.k, a.v, b.v AS w FROM " + most
            + "JOIN (SELECT k, min(v) AS v FROM o GROUP BY k) AS b ON a.k = b.k"}) {
    BOOST_TEST(told(join, join + " AND a.v < 7 * a.k + coalesce(2, a.k)") != "");
    BOOST_TEST(told(join, join + " WHERE a.v > 1") != "");
  }
}

BOOST_AUTO_TEST_CASE(spelling_and_what_never_takes_back_go_on) {
  BOOST_TEST(told("SELECT k, sum(v) + 1000 AS s FROM o GROUP BY k",
                  "select K,  (SUM(o.v) + 1000) as s from o group by 1 -- as before")
             == "");
  // Rows that stay, and state below which other rows come from now on.
  BOOST_TEST(told("SELECT k, v FROM o WHERE v > 1", "SELECT k, v + 1 AS x FROM o WHERE v > 2") == "");
  BOOST_TEST(told("SELECT k, count(*) AS n FROM o WHERE v > 1 GROUP BY k",
                  "SELECT k, count(*) AS n FROM o WHERE v > 2 GROUP BY k")
             == "");
  const std::string window = "SELECT window_end, sum(v) AS s FROM tumble(o, t, INTERVAL '1 minute') "
                             "GROUP BY window_start, window_end";
  auto more = window;
  BOOST_TEST(told(window, more.replace(more.find("sum(v)"), 6, "sum(v) + 7")) == "");
  BOOST_TEST(told("SELECT a.v, b.v AS w FROM o AS a JOIN o AS b ON a.k = b.k",
                  "SELECT a.v, b.v + 1 AS w FROM o AS a JOIN o AS b ON a.k = b.k AND a.v < b.v")
             == "");
  // Of a union, the arm whose rows stay; and the order of its arms.
  BOOST_TEST(told("SELECT k, v FROM p UNION ALL SELECT k, v FROM o",
                  "SELECT k, v + 1 AS v FROM o UNION ALL SELECT k, v FROM p")
             == "");
  const auto dropped = std::string("    - {name: out, discard: {}}\n");
  BOOST_TEST(change(planned({"SELECT k, sum(v) AS s FROM o GROUP BY k"}, dropped),
                    planned({"SELECT k, sum(v) + 1 AS s FROM o GROUP BY k"}, dropped))
                 .fits());
}

// What is meant decides, not how it is written.
BOOST_AUTO_TEST_CASE(qualifiers_and_aliases_mean_nothing) {
  const std::string plain = "SELECT k, sum(v) AS s FROM o GROUP BY k";
  for (const std::string other : {"SELECT o.k, sum(o.v) AS s FROM o GROUP BY o.k",
                                   "SELECT a.k, sum(a.v) AS s FROM o AS a GROUP BY a.k",
                                   "SELECT k, sum(v) AS s FROM o AS b GROUP BY b.k"})
    BOOST_TEST(told(plain, other) == "", other << ": " << told(plain, other));
  const std::string made = "SELECT k % 7 AS g, sum(v + 1) AS s, count(*) FILTER (WHERE v > 1 AND k > 2) AS n "
                           "FROM o GROUP BY k % 7";
  const std::string spelt = "SELECT a.k%7 AS g, sum(a.v+1) AS s, count(*) FILTER (WHERE a.k > 2 AND a.v > 1) AS n "
                            "FROM o AS a GROUP BY a.k % 7";
  BOOST_TEST(told(made, spelt) == "", told(made, spelt));
  const std::string join = "SELECT o.k, p.v, o.v + 1 AS w FROM o LEFT JOIN p ON o.k % 7 = p.k % 7 AND o.v < p.v";
  const std::string renamed = "SELECT a.k, b.v, a.v + 1 AS w FROM o AS a LEFT JOIN p AS b ON a.v < b.v AND a.k % 7 = b.k % 7";
  BOOST_TEST(told(join, renamed) == "", told(join, renamed));
  const std::string window = "SELECT window_end, k + 1 AS x, max(v * 2) AS m FROM tumble(o, t, INTERVAL '1 minute') "
                             "GROUP BY window_start, window_end, k + 1";
  const std::string other = "SELECT w.window_end, w.k + 1 AS x, max(w.v * 2) AS m FROM tumble(o, t, INTERVAL '1 minute') AS w "
                            "GROUP BY w.window_start, w.window_end, w.k + 1";
  BOOST_TEST(told(window, other) == "", told(window, other));
}

// The same letters that mean something else are something else.
BOOST_AUTO_TEST_CASE(other_columns_of_the_same_name_are_others) {
  const auto differ = [](const std::string& a, const std::string& b) {
    BOOST_TEST(told(a, b) != "", a << " / " << b);
    BOOST_TEST(told(b, a) != "", b << " / " << a);
  };
  differ("SELECT k % 7 AS g, count(*) AS n FROM o GROUP BY k % 7",
         "SELECT v % 7 AS g, count(*) AS n FROM o GROUP BY v % 7");
  differ("SELECT k, sum(v + 1) AS s FROM o GROUP BY k", "SELECT k, sum(v + 2) AS s FROM o GROUP BY k");
  differ("SELECT k, sum(v) FILTER (WHERE v > 1) AS s FROM o GROUP BY k",
         "SELECT k, sum(v) FILTER (WHERE v > 2) AS s FROM o GROUP BY k");
  // Of one side of a join, and of the other.
  const std::string from = " AS n FROM o AS a LEFT JOIN o AS b ON a.v = b.v GROUP BY ";
  differ("SELECT a.k, count(*)" + from + "a.k", "SELECT b.k, count(*)" + from + "b.k");
  differ("SELECT a.k % 7 AS k, count(*)" + from + "a.k % 7", "SELECT b.k % 7 AS k, count(*)" + from + "b.k % 7");
  differ("SELECT a.v, sum(a.k)" + from + "a.v", "SELECT a.v, sum(b.k)" + from + "a.v");
  // An alias that stands for another column now.
  differ("SELECT x, count(*) AS n FROM (SELECT k AS x, v AS y FROM o) AS q GROUP BY x",
         "SELECT x, count(*) AS n FROM (SELECT v AS x, k AS y FROM o) AS q GROUP BY x");
}

BOOST_AUTO_TEST_CASE(conditions_come_in_any_order) {
  const std::string some = "SELECT k, count(*) AS n FROM o GROUP BY k HAVING ";
  const std::string both = some + "count(*) > 2 AND k < 9 AND sum(v) > 3";
  const std::string turned = some + "sum(v) > 3 AND (count(*) > 2 AND k < 9)";
  BOOST_TEST(told(both, turned) == "", told(both, turned));
  const auto either = some + "count(*) > 2 OR sum(v) > 3";
  BOOST_TEST(told(either, some + "sum(v) > 3 OR count(*) > 2") == "");
  BOOST_TEST(told(either, some + "count(*) > 2 AND sum(v) > 3") != "");
  BOOST_TEST(told(both, some + "count(*) > 2 AND k < 9 AND sum(v) > 4") != "");
  BOOST_TEST(told(both, some + "count(*) > 2 AND sum(v) > 3") != "");
  const std::string read = "SELECT k, count(*) AS n FROM p WHERE ";
  BOOST_TEST(told(read + "v > 1 AND k > 2 GROUP BY k", read + "k > 2 AND v > 1 GROUP BY k") == "");
  BOOST_TEST(told(read + "v > 1 AND k > 2 GROUP BY k", read + "k > 1 AND v > 2 GROUP BY k") != "");
}

BOOST_AUTO_TEST_CASE(a_column_that_nothing_reads_changes_no_state) {
  const auto read = [](const std::string& schema) {
    auto text = manifest(operators({"SELECT window_end, count(*) AS n FROM tumble(o, t, INTERVAL '1 minute') "
                                    "GROUP BY window_start, window_end"}),
                         out);
    const std::string before = "k BIGINT, v BIGINT, t TIMESTAMP'";
    return plan_of(text.replace(text.find(before), before.size(), schema + "'"));
  };
  const auto plain = read("k BIGINT, v BIGINT, t TIMESTAMP");
  for (const std::string more : {"k BIGINT, v BIGINT, t TIMESTAMP, x TEXT", "x TEXT, k BIGINT, t TIMESTAMP", "t TIMESTAMP"})
    BOOST_TEST(change(plain, read(more)).text() == "", more);
  // Rows that are kept whole have it.
  const auto whole = [](const std::string& schema) {
    auto text = manifest(operators({"SELECT a.*, b.v AS w FROM o AS a JOIN o AS b ON a.k = b.k"}), out);
    const std::string before = "k BIGINT, v BIGINT, t TIMESTAMP'";
    return plan_of(text.replace(text.find(before), before.size(), schema + "'"));
  };
  BOOST_TEST(change(whole("k BIGINT, v BIGINT, t TIMESTAMP"), whole("k BIGINT, v BIGINT, t TIMESTAMP, x TEXT")).text() != "");
}

// A row's deletion comes as the row did, or it is not found.
BOOST_AUTO_TEST_CASE(changes_on_their_way_into_state_are_compared) {
  const std::string count = "SELECT k, count(*) AS n FROM p WHERE v > 1 GROUP BY k";
  const auto other = told(count, "SELECT k, count(*) AS n FROM p WHERE v > 2 GROUP BY k");
  BOOST_TEST(other.find("q0/group aggregate/0 takes changes of other rows") == 0U, other);
  BOOST_TEST(told("SELECT k, v FROM p WHERE v > 1", "SELECT k, v FROM p WHERE v > 2") != "");
  const auto x = change(
      planned({"SELECT k, max(v) AS m FROM o GROUP BY k", "SELECT m, count(*) AS n FROM q0 GROUP BY m"}),
      planned({"SELECT k, max(v) + 1 AS m FROM o GROUP BY k",
               "SELECT m, count(*) AS n FROM q0 GROUP BY m"}));
  BOOST_TEST(x.text().find("q1/group aggregate/0 takes changes") == 0U, x.text());
  // Both begin anew: else one would take back what the other no longer has.
  BOOST_TEST(x.to_empty == (std::vector<std::string>{"q0/group aggregate/0", "q1/group aggregate/0"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(new_sinks_and_new_state_have_nothing_to_take_back) {
  const std::string sums = "SELECT k, sum(v) AS s FROM o GROUP BY k";
  BOOST_TEST(change(planned({sums}),
                    planned({"SELECT k, sum(v) + 1 AS s FROM o GROUP BY k"},
                            "    - {name: other, file: {path: out, format: debezium}}\n"))
                 .fits());
  // The state is another: that alone is told, and reset empties that alone.
  const auto x = change(planned({sums}), planned({"SELECT k, max(v) AS s FROM o GROUP BY k"}));
  BOOST_TEST(x.changed.size() == 1U);
  BOOST_TEST(x.other_rows.empty());
  BOOST_TEST(x.to_empty.empty());
}

// Its first change of an older row would take back what it never got.
BOOST_AUTO_TEST_CASE(new_state_over_rows_that_update_is_refused) {
  const std::string sums = "SELECT k, sum(v) AS s FROM o GROUP BY k";
  const std::string sinks = "    - {name: out, from: q0, file: {path: out, format: debezium}}\n"
                            "    - {name: more, from: q1, file: {path: more, format: debezium}}\n";
  const auto before = planned({sums});
  const auto with = [&](const std::string& query) { return change(before, planned({sums, query}, sinks)); };
  const auto x = with("SELECT s, count(*) AS n FROM q0 GROUP BY s");
  BOOST_TEST(x.text().find("q1/group aggregate/0 is new, and takes changes of rows that it has not got")
                 == 0U,
             x.text());
  BOOST_TEST(x.to_empty == std::vector<std::string>{"q0/group aggregate/0"},
             boost::test_tools::per_element());
  BOOST_TEST(with("SELECT DISTINCT s FROM q0").other_rows.size() == 1U);
  BOOST_TEST(with("SELECT a.k, b.s FROM o AS a JOIN q0 AS b ON a.k = b.k").other_rows.size() == 1U);
  // Also over a keyed source of changes, whose rows ebb keeps.
  const auto keyed = planned({"SELECT k, v FROM u WHERE v > 0"});
  BOOST_TEST(change(keyed, planned({"SELECT k, v FROM u WHERE v > 0",
                                    "SELECT v, count(*) AS n FROM u GROUP BY v"}, sinks))
                 .other_rows.size()
             == 1U);
  // Rows that are only added, and those of state that is new itself, are none of these.
  BOOST_TEST(with("SELECT v, count(*) AS n FROM o GROUP BY v").fits());
  BOOST_TEST(change(before, planned({sums, "SELECT n, count(*) AS m FROM (SELECT v, count(*) AS n FROM o "
                                           "GROUP BY v) AS x GROUP BY n"}, sinks))
                 .fits());
  BOOST_TEST(with("SELECT s + 1 AS s FROM q0").fits());
}

// An ebb before has left the join's state alone; its rows have gone out.
BOOST_AUTO_TEST_CASE(state_that_another_ebb_did_not_keep_is_refused) {
  const auto now = planned({"SELECT a.k, b.v FROM u AS a JOIN u AS b ON b.k = a.v"});
  auto before = now;
  std::erase_if(before.states, [](const auto& x) { return x.identity == "q0/settle/0"; });
  std::erase_if(before.paths, [](const auto& x) { return x.taker == "q0/settle/0"; });
  BOOST_TEST_REQUIRE(before.states.size() + 1 == now.states.size());
  pinned_plan pinned;
  pinned.adopt(before.states, 0, 1);
  pinned.adopt_paths(before.paths, 0);
  const auto x = compare_plan(pinned, now, true);
  BOOST_TEST(x.text().find("q0/settle/0 is new, and takes changes of rows that it has not got") == 0U,
             x.text());
  BOOST_TEST(!x.to_empty.empty());
  pinned.adopt(now.states, 0, 2);
  BOOST_TEST(compare_plan(pinned, now, true).fits());
}

// Else a stream whose parallelism is changed, or that gets another operator, would be refused.
BOOST_AUTO_TEST_CASE(paths_depend_on_nothing_else) {
  const std::vector<std::string> queries{
      "SELECT k, sum(v) + 1 AS s, count(*) AS n FROM o WHERE v > 1 GROUP BY k HAVING count(*) > 1",
      "SELECT a.k, b.v * 2 AS w FROM (SELECT k, max(v) AS v FROM o GROUP BY k) AS a LEFT JOIN u AS "
      "b ON a.k = b.k AND b.v < a.v",
      "SELECT k, v + 1 AS v FROM p UNION ALL SELECT k, v FROM o",
      "SELECT k, count(*) AS v FROM p GROUP BY k INTERSECT ALL SELECT k, v FROM o"};
  std::string sinks;
  for (const char* x : {"q0", "q1", "q2", "q3"})
    sinks += std::string("    - {name: of_") + x + ", from: " + x + ", file: {path: " + x
             + ", format: debezium}}\n";
  auto named = queries;
  const auto one = plan_of(manifest(operators(named), sinks));
  BOOST_TEST(one.paths.size() > 4U);
  for (const std::uint32_t parallelism : {2U, 3U, 8U})
    BOOST_TEST(all(plan_of(manifest(operators(named), sinks, parallelism)).paths) == all(one.paths));
  named.push_back("SELECT k, s FROM q0 WHERE n > 5");
  const auto more = plan_of(manifest(
      operators(named), sinks + "    - {name: of_v, from: q4, file: {path: v, format: debezium}}\n"));
  BOOST_TEST(change(one, more).fits(), change(one, more).text());
}

// Expressions on expressions double with each step.
BOOST_AUTO_TEST_CASE(long_expressions_are_cut_and_told_apart) {
  std::vector<std::string> queries{"SELECT k, sum(v) AS s FROM o GROUP BY k"};
  for (int i = 0; i < 20; ++i)
    queries.push_back("SELECT k, s * s + s AS s FROM q" + std::to_string(i));
  const auto deep = planned(queries);
  BOOST_TEST(all(deep.paths).size() < 2000U);
  auto other = queries;
  other[1] = "SELECT k, s * s - s AS s FROM q0";
  BOOST_TEST(!change(deep, planned(other)).fits());
  BOOST_TEST(change(deep, planned(queries)).fits());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
