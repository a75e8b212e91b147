#include "actors/plan/delivery.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/plan/state_change.hpp"
#include "actors/plan/state_layout.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <set>

namespace ebb {

namespace {

// A stream over Nexmark's bids; `operators` and `sinks` are YAML.
std::string manifest(const std::string& operators, std::uint32_t parallelism,
                     const std::string& sinks = "    - discard: {}\n") {
  return "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n  parallelism: "
         + std::to_string(parallelism)
         + "\n  sources:\n"
           "    - name: bid\n"
           "      eventTime: {column: date_time, maxDelay: 4s}\n"
           "      nexmark: {table: bid, events: 1000}\n"
           "  operators:\n"
         + operators + "  sinks:\n" + sinks;
}

struct planned {
  stream_definition stream;
  plan_graph graph;
  stage_plan plan;
};

result<planned> plan(const std::string& text) {
  std::vector<error> warnings;
  EBB_ASSIGN(auto streams, parse_manifest(text, "m.yaml", warnings));
  planned x;
  x.stream = streams.front();
  EBB_ASSIGN(x.graph, plan_stream(x.stream));
  EBB_ASSIGN(x.plan, make_stages(x.graph, x.stream));
  return x;
}

planned plan_ok(const std::string& text) {
  auto x = plan(text);
  BOOST_TEST_REQUIRE(static_cast<bool>(x), (x ? "" : to_string(x.error())));
  return *std::move(x);
}

// One line a stage: `0x2: source, filter, project <- hash(1) <- …`.
std::string shape(const stage_plan& plan) {
  std::string text;
  for (const auto& stage : plan.stages) {
    text += 'x' + std::to_string(stage.parallelism);
    for (const auto& input : stage.inputs) {
      constexpr const char* kinds[] = {"forward", "hash", "broadcast", "gather"};
      text += ' ' + std::string(kinds[static_cast<int>(input.kind)]) + ' '
              + std::to_string(input.from_stage);
      for (const auto key : input.keys)
        text += '/' + plan.stages[input.from_stage].steps[input.from_step].columns[key].name;
    }
    text += ": " + std::to_string(stage.steps.size()) + '\n';
  }
  return text;
}

template <class Spec>
std::size_t count(const stage_plan& plan) {
  std::size_t n = 0;
  for (const auto& stage : plan.stages)
    for (const auto& step : stage.steps)
      if (const auto* spec = std::get_if<operator_spec>(&step.what))
        n += std::holds_alternative<Spec>(*spec) ? 1 : 0;
  return n;
}

const std::string count_by_auction =
    "    - name: counts\n"
    "      sql: |\n"
    "        SELECT auction, window_start, window_end, count(*) AS num\n"
    "        FROM hop(bid, date_time, INTERVAL '2 seconds', INTERVAL '10 seconds')\n"
    "        GROUP BY auction, window_start, window_end\n";

} // namespace

BOOST_AUTO_TEST_SUITE(stages)

BOOST_AUTO_TEST_CASE(alone_everything_is_one_stage) {
  BOOST_TEST(plan_ok(manifest(count_by_auction, 1)).plan.stages.size() == 1U);
}

BOOST_AUTO_TEST_CASE(stateless_operators_stay_with_their_source) {
  const auto x = plan_ok(manifest("    - name: f\n      sql: SELECT price * 2 AS p FROM bid "
                                  "WHERE auction > 3\n",
                                  4));
  BOOST_TEST(x.plan.stages.size() == 1U);
  BOOST_TEST(x.plan.stages[0].parallelism == 4U);
}

BOOST_AUTO_TEST_CASE(a_keyed_aggregate_runs_in_two_phases_around_the_exchange) {
  const auto x = plan_ok(manifest(count_by_auction, 2));
  BOOST_REQUIRE(x.plan.stages.size() == 2U);
  const auto& input = x.plan.stages[1].inputs.at(0);
  BOOST_CHECK(input.kind == exchange_kind::hash);
  BOOST_TEST(input.keys == std::vector<std::uint32_t>{0});
  const auto& partial = std::get<operator_spec>(x.plan.stages[0].steps[input.from_step].what);
  BOOST_CHECK(std::get<window_aggregate_spec>(partial).phase == aggregate_phase::partial);
}

// Rows stay, and the calls add up in any order; else all rows change hands.
BOOST_AUTO_TEST_CASE(groups_without_windows_run_in_two_phases_where_they_can) {
  const auto phases_of = [](const std::string& sql, std::uint32_t parallelism) {
    const auto x = plan_ok(manifest("    - name: groups\n      sql: " + sql + "\n", parallelism,
                                    "    - {name: out, file: {path: o, format: debezium}}\n"));
    std::string text;
    for (const auto& stage : x.plan.stages)
      for (const auto& step : stage.steps)
        if (const auto* spec = std::get_if<operator_spec>(&step.what))
          if (const auto* groups = std::get_if<group_aggregate_spec>(spec)) {
            text += "cpf"[static_cast<int>(groups->phase)];
            BOOST_TEST((step.label.find("(partial)") != std::string::npos)
                       == (groups->phase == group_phase::partial));
          }
    return text;
  };
  const std::string sums =
      "SELECT auction, count(*) AS n, avg(price) AS p FROM bid GROUP BY auction";
  BOOST_TEST(phases_of(sums, 2) == "pf");
  BOOST_TEST(phases_of(sums, 1) == "c");
  BOOST_TEST(phases_of("SELECT count(*) AS n FROM bid", 3) == "pf");
  BOOST_TEST(phases_of("SELECT auction, count(DISTINCT bidder) AS n FROM bid GROUP BY auction", 2)
             == "c");
  BOOST_TEST(phases_of("SELECT auction, string_agg(channel, ',') AS t FROM bid GROUP BY auction", 2)
             == "c");
  BOOST_TEST(phases_of("SELECT DISTINCT auction FROM bid", 2) == "c");
  // The outer one's input is revised.
  BOOST_TEST(phases_of("SELECT n, count(*) AS c FROM (" + sums + ") AS x GROUP BY n", 2) == "pfc");
}

// What one phase keeps, the final one of two does: a stream may change its parallelism.
BOOST_AUTO_TEST_CASE(phases_keep_the_same_state) {
  const auto states = [](std::uint32_t parallelism) {
    return kept_states(
        plan_ok(manifest("    - name: groups\n      sql: SELECT bidder, max(price) AS m FROM bid "
                         "GROUP BY bidder\n",
                         parallelism, "    - {name: out, file: {path: o, format: debezium}}\n"))
            .plan);
  };
  BOOST_TEST((states(1) == states(2)));
  BOOST_TEST(states(2).back().shape == "keys bidder; max(price)");
}

// Else a stream whose parallelism is changed would be refused.
BOOST_AUTO_TEST_CASE(what_is_kept_does_not_depend_on_the_parallelism) {
  const std::pair<const char*, const char*> queries[] = {
      {"most",
       "SELECT max(n) AS top, window_start, window_end FROM (SELECT auction, count(*) AS n, "
       "window_start, window_end FROM hop(bid, date_time, INTERVAL '1 second', INTERVAL '4 "
       "seconds') GROUP BY auction, window_start, window_end) AS c GROUP BY window_start, "
       "window_end"},
      {"top",
       "SELECT bidder, price, r FROM (SELECT *, row_number() OVER (PARTITION BY window_start, "
       "window_end, auction ORDER BY price DESC) AS r FROM tumble(bid, date_time, INTERVAL '2 "
       "seconds')) AS x WHERE r <= 2"},
      {"ov",
       "SELECT bidder, sum(price) OVER (PARTITION BY bidder ORDER BY date_time) AS s FROM bid"},
      {"g", "SELECT bidder, sum(price * 2) AS p, max(price) FILTER (WHERE price > 100) AS m, "
            "count(DISTINCT auction) AS d FROM bid GROUP BY bidder"},
      {"gg", "SELECT auction, avg(price + 1) AS a FROM bid GROUP BY auction"},
      {"tn", "SELECT auction, a FROM gg ORDER BY a DESC LIMIT 5"},
      {"j", "SELECT b.price, a.bidder FROM bid AS b JOIN bid AS a ON b.auction = a.auction AND "
            "b.date_time BETWEEN a.date_time - INTERVAL '1 second' AND a.date_time"},
      {"se",
       "SELECT bidder, count(*) AS n FROM session(bid, date_time, INTERVAL '1 second') GROUP BY "
       "bidder, window_start, window_end"},
      {"best",
       "SELECT b.price FROM bid AS b JOIN (SELECT max(price) AS most, window_end FROM "
       "tumble(bid, date_time, INTERVAL '10 seconds') GROUP BY window_start, window_end) AS m "
       "ON b.price = m.most AND b.date_time BETWEEN m.window_end - INTERVAL '10 seconds' AND "
       "m.window_end"}};
  std::string operators, sinks;
  for (const auto& [name, sql] : queries) {
    operators += std::string("    - name: ") + name + "\n      sql: \"" + sql + "\"\n";
    sinks += std::string("    - {from: ") + name + ", discard: {}}\n";
  }
  const auto one = kept_states(plan_ok(manifest(operators, 1, sinks)).plan);
  BOOST_TEST(one.size() > 9U);
  for (const std::uint32_t parallelism : {2U, 3U, 8U}) {
    const auto more = kept_states(plan_ok(manifest(operators, parallelism, sinks)).plan);
    const auto change = compare_state(one, more);
    BOOST_TEST(change.fits(), change.text());
    BOOST_TEST(change.added.empty());
  }
}

// `ebb inspect` shows two calls of one function.
BOOST_AUTO_TEST_CASE(entries_of_aggregates_name_their_calls) {
  for (const std::uint32_t parallelism : {1U, 2U}) {
    const auto x = plan_ok(manifest(
        "    - name: sums\n      sql: SELECT bidder, sum(price) AS a, sum(price * 2) AS b, count(*) AS "
        "n, sum(price) FILTER (WHERE price > 100) AS c FROM tumble(bid, date_time, INTERVAL '2 "
        "seconds') GROUP BY bidder, window_start, window_end\n",
        parallelism));
    std::set<std::string> names;
    for (const auto& layout : state_layouts(x.plan))
      if (layout.name == "panes")
        for (const auto& part : layout.value)
          BOOST_TEST((part.as == state_part::form::hidden || names.insert(part.name).second),
                     part.name);
    BOOST_TEST(names.contains("sum(price)"));
    BOOST_TEST(names.contains("count"));
    BOOST_TEST(names.size() >= 4U);
  }
}

BOOST_AUTO_TEST_CASE(differences_of_state_are_told_in_the_words_of_queries) {
  const auto told = [](const std::string& before, const std::string& now) {
    const auto states = [](const std::string& sql) {
      return kept_states(plan_ok(manifest("    - {name: q, sql: \"" + sql + "\"}\n", 1,
                                          "    - {file: {path: o, format: debezium}}\n"))
                             .plan);
    };
    return compare_state(states(before), states(now)).text();
  };
  const auto over = [](const std::string& window) {
    return "SELECT auction, window_end, count(*) AS n FROM " + window
           + " GROUP BY auction, window_start, window_end";
  };
  const auto hour = over("tumble(bid, date_time, INTERVAL '1 hour')");
  BOOST_TEST(told(hour, over("tumble(bid, date_time, INTERVAL '90 seconds')"))
             == "q/window aggregate/0 keeps other state (window tumble of 90 seconds, before tumble "
                "of 1 hour)");
  BOOST_TEST(told(hour, over("hop(bid, date_time, INTERVAL '2 seconds', INTERVAL '1 minute')"))
             == "q/window aggregate/0 keeps other state (window hop of 1 minute every 2 seconds, "
                "before tumble of 1 hour)");
  const auto join = [](const std::string& what, const std::string& span) {
    return "SELECT a.price FROM bid AS a " + what
           + " JOIN bid AS b ON a.auction = b.auction AND a.date_time BETWEEN b.date_time AND "
             "b.date_time + INTERVAL '"
           + span + "'";
  };
  BOOST_TEST(told(join("", "1 minute"), join("LEFT", "1 minute"))
             == "q/interval join/0 keeps other state (join left, before inner)");
  BOOST_TEST(told(join("", "1 minute"), join("", "2 minutes"))
             == "q/interval join/0 keeps other state (times 0 seconds to 2 minutes, before 0 seconds "
                "to 1 minute)");
  const std::string top = "SELECT auction, price FROM bid ORDER BY price DESC LIMIT ";
  BOOST_TEST(told(top + "3", top + "5")
             == "q/changelog top-n/0 keeps other state (LIMIT 5, before 3)");
}

// Stages come in another order where a source is read by one subtask and others are not.
BOOST_AUTO_TEST_CASE(states_of_one_kind_are_told_apart_alike_at_each_parallelism) {
  const auto states = [](std::uint32_t parallelism) {
    auto kept = kept_states(
        plan_ok("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n"
                "  parallelism: "
                + std::to_string(parallelism)
                + "\n  sources:\n"
                  "    - {name: o, schema: k BIGINT, file: {path: o.json, format: json}}\n"
                  "    - {name: p, schema: k BIGINT, file: {path: p.json, format: debezium}}\n"
                  "  operators:\n    - name: r\n      sql: SELECT count(k) AS n FROM o UNION ALL "
                  "SELECT max(k) FROM p UNION ALL SELECT min(k) FROM o\n"
                  "  sinks:\n    - file: {path: out, format: debezium}\n")
            .plan);
    std::ranges::sort(kept, {}, &kept_state::identity);
    return kept;
  };
  const auto one = states(1);
  BOOST_TEST_REQUIRE(one.size() == 3U);
  BOOST_TEST(one[0].shape == "count(k)");
  BOOST_TEST(one[1].shape == "max(k)");
  for (const std::uint32_t parallelism : {2U, 3U, 8U})
    BOOST_TEST((states(parallelism) == one));
}

BOOST_AUTO_TEST_CASE(an_aggregate_by_window_alone_runs_in_two_phases) {
  const auto most = [](const std::string& group) {
    return count_by_auction + "    - name: most\n      sql: SELECT max(num) AS top, " + group
           + " FROM counts GROUP BY " + group + "\n";
  };
  const std::pair<const char*, const char*> cases[] = {
      {"window_start, window_end", "hash 1/window_start/window_end"},
      {"window_end", "hash 1/window_end"}};
  for (const auto& [group, exchange] : cases) {
    const auto x = plan_ok(manifest(most(group), 2));
    BOOST_TEST_CONTEXT(shape(x.plan)) {
      BOOST_TEST(count<window_aggregate_spec>(x.plan) == 4U);
      BOOST_TEST(shape(x.plan).find(exchange) != std::string::npos);
    }
  }
  // With a key the rows have been grouped once.
  const auto keyed = plan_ok(manifest(most("num, window_start, window_end"), 2));
  BOOST_TEST(count<window_aggregate_spec>(keyed.plan) == 3U);
}

BOOST_AUTO_TEST_CASE(an_ordered_aggregate_is_not_split) {
  const auto x = plan_ok(manifest(
      "    - name: a\n      sql: SELECT auction, string_agg(channel, ',' ORDER BY bidder) AS c, "
      "window_end FROM tumble(bid, date_time, INTERVAL '1 second') GROUP BY auction, window_end\n",
      2));
  BOOST_TEST(x.plan.stages.size() == 2U);
  BOOST_TEST(count<window_aggregate_spec>(x.plan) == 1U);
}

BOOST_AUTO_TEST_CASE(an_equal_subplan_is_computed_once) {
  const auto x = plan_ok(
      manifest(count_by_auction
                   + "    - name: top\n"
                     "      sql: |\n"
                     "        SELECT c.auction, c.num FROM counts AS c JOIN (\n"
                     "          SELECT max(num) AS most, window_start, window_end FROM counts\n"
                     "          GROUP BY window_start, window_end) AS m\n"
                     "        ON c.window_start = m.window_start AND c.window_end = m.window_end\n"
                     "           AND c.num >= m.most\n",
               1));
  BOOST_TEST(count<window_aggregate_spec>(x.plan) == 2U);
  BOOST_TEST(count<window_join_spec>(x.plan) == 1U);
}

BOOST_AUTO_TEST_CASE(a_side_with_one_row_a_window_is_broadcast) {
  const auto x = plan_ok(manifest(
      "    - name: best\n"
      "      sql: |\n"
      "        SELECT b.auction, b.price FROM bid AS b JOIN (\n"
      "          SELECT max(price) AS most, window_end FROM tumble(bid, date_time, INTERVAL '10 "
      "seconds')\n"
      "          GROUP BY window_start, window_end) AS m\n"
      "        ON b.price = m.most AND b.date_time BETWEEN m.window_end - INTERVAL '10 seconds'\n"
      "           AND m.window_end\n",
      2));
  bool broadcast = false, hashed_bids = false;
  for (const auto& stage : x.plan.stages)
    for (const auto& input : stage.inputs) {
      broadcast |= input.kind == exchange_kind::broadcast;
      hashed_bids |= input.kind == exchange_kind::hash;
    }
  BOOST_TEST(broadcast);
  BOOST_TEST(!hashed_bids);
}

BOOST_AUTO_TEST_CASE(unread_columns_do_not_travel) {
  const auto x = plan_ok(manifest("    - name: j\n      sql: SELECT a.price FROM bid AS a JOIN bid "
                                  "AS b ON a.auction = b.bidder\n",
                                  2));
  for (const auto& stage : x.plan.stages)
    for (const auto& input : stage.inputs)
      BOOST_TEST(x.plan.stages[input.from_stage].steps[input.from_step].columns.size() <= 2U);
}

BOOST_AUTO_TEST_CASE(a_file_sink_gathers_and_discard_does_not) {
  const std::string f = "    - name: f\n      sql: SELECT price FROM bid\n";
  BOOST_TEST(shape(plan_ok(manifest(f, 3)).plan).find("gather") == std::string::npos);
  BOOST_TEST(
      shape(plan_ok(manifest(f, 3, "    - file: {path: x.csv, format: csv}\n")).plan).find("gather")
      != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_operator_that_nothing_reads_is_left_out) {
  const auto x =
      plan_ok(manifest(count_by_auction + "    - name: f\n      sql: SELECT price FROM bid\n", 1,
                       "    - {from: f, discard: {}}\n"));
  BOOST_TEST(count<window_aggregate_spec>(x.plan) == 0U);
}

BOOST_AUTO_TEST_CASE(a_cycle_is_explained) {
  const auto x = plan(manifest("    - name: a\n      sql: SELECT price FROM b\n"
                               "    - name: b\n      sql: SELECT price FROM a\n",
                               1));
  BOOST_REQUIRE(!x);
  BOOST_TEST(x.error().message == "operator a reads operator b, which comes later");
  const auto self = plan(manifest("    - name: a\n      sql: SELECT price FROM a\n", 1));
  BOOST_REQUIRE(!self);
  BOOST_TEST(self.error().message == "operator a reads itself");
}

BOOST_AUTO_TEST_CASE(the_event_time_column_must_exist_and_be_a_time) {
  auto text = manifest("    - name: a\n      sql: SELECT price FROM bid\n", 1);
  auto wrong = text;
  wrong.replace(wrong.find("column: date_time"), 17, "column: date_tim ");
  const auto missing = plan(wrong);
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().hint == "did you mean date_time?");
  wrong.replace(wrong.find("column: date_tim "), 17, "column: price    ");
  const auto number = plan(wrong);
  BOOST_REQUIRE(!number);
  BOOST_TEST(number.error().message == "column price is bigint, and event time must be TIMESTAMP");
}

BOOST_AUTO_TEST_CASE(parts_of_a_folder_are_written_where_rows_are) {
  const auto shape_of = [](const std::string& path) {
    return shape(plan_ok(manifest("    - {name: a, sql: SELECT price FROM bid}\n", 2,
                                  "    - file: {path: " + path + ", format: json}\n"))
                     .plan);
  };
  BOOST_TEST(shape_of("one.json").find("gather") != std::string::npos);
  BOOST_TEST(shape_of("no-such-folder/").find("gather") == std::string::npos);
  const auto folder = std::filesystem::temp_directory_path().string();
  BOOST_TEST(shape_of(folder).find("gather") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(topics_are_written_where_rows_are) {
  const auto x = plan_ok(manifest("    - {name: a, sql: SELECT price FROM bid}\n", 2,
                                  "    - topic: {name: prices}\n"));
  BOOST_TEST(shape(x.plan).find("gather") == std::string::npos);
  BOOST_TEST(explain_text(x.graph, x.plan, x.stream).find("sink sink (topic prices)")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(explain_names_stages_exchanges_and_state) {
  const auto x = plan_ok(manifest(count_by_auction, 2));
  const auto text = explain_text(x.graph, x.plan, x.stream);
  for (const auto* part : {"stage 1, parallelism 2", "hash by auction", "accumulators per window",
                           "counts: append-only", "    from: watermarks bid\n",
                           "    from: stage 0: ", "delivery: none (rows are dropped)",
                           "delivery: exactly-once (made again from the recorded number)"})
    BOOST_TEST(text.find(part) != std::string::npos, part << " is missing in\n" << text);
  const auto json = explain_json(x.graph, x.plan, x.stream);
  BOOST_TEST(json.find("\"exchange\": \"hash\"") != std::string::npos);
  BOOST_TEST(json.find("\"inputs\": [\n            {\n              \"stage\": 0,\n")
             != std::string::npos);
  BOOST_TEST(explain_dot(x.graph, x.plan, x.stream).find("subgraph cluster_1")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(each_connector_has_a_delivery_class) {
  sink_definition sink;
  const auto sink_text = [&](bool exactly_once) {
    return to_string(delivery_of(sink, exactly_once, "/dev"));
  };
  sink.connector = file_sink{"o.json", record_format::json, ','};
  BOOST_TEST(sink_text(true) == "exactly-once (append at the recorded offset)");
  BOOST_TEST(sink_text(false) == "at-least-once (append at once)");
  sink.connector = file_sink{"parts/", record_format::json, ','};
  BOOST_TEST(sink_text(true) == "exactly-once (parts get their names after the commit)");
  BOOST_TEST(sink_text(false) == "at-least-once (parts get their names before the commit)");
  sink.connector = file_sink{"null", record_format::json, ','};
  BOOST_TEST(sink_text(true)
             == "at-least-once (no regular file: written after the commit, perhaps twice)");
  sink.connector = stdout_sink{};
  BOOST_TEST(sink_text(true) == "at-least-once (written after the commit, perhaps twice)");
  sink.connector = discard_sink{};
  BOOST_TEST(sink_text(true) == "none (rows are dropped)");
  sink.connector = topic_sink{"t"};
  BOOST_TEST(sink_text(true)
             == "exactly-once (appended after the commit, with a mark that tells a repetition)");
  BOOST_TEST(sink_text(false) == "at-least-once (append at once)");
  source_definition source;
  const auto source_text = [&] { return to_string(replay_of(source, "/dev")); };
  source.connector = file_source{};
  BOOST_TEST(source_text() == "exactly-once (read again from the recorded byte)");
  std::get<file_source>(source.connector).path = "null";
  BOOST_TEST(source_text() == "none (no regular file: it cannot be read again)");
  source.connector = topic_source{};
  BOOST_TEST(source_text() == "exactly-once (read again from the recorded offset)");
  source.connector = generator_source{};
  BOOST_TEST(source_text() == "exactly-once (made again from the recorded number)");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(key_groups)

BOOST_AUTO_TEST_CASE(every_group_has_one_owner) {
  for (const std::uint32_t n : {1U, 2U, 3U, 5U, 128U}) {
    BOOST_TEST(first_key_group(0, n, 128) == 0U);
    BOOST_TEST(first_key_group(n, n, 128) == 128U);
    for (std::uint32_t i = 0; i < n; ++i)
      BOOST_TEST(first_key_group(i, n, 128) < first_key_group(i + 1, n, 128));
  }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace ebb
