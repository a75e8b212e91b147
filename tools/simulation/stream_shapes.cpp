#include "tools/simulation/stream_shapes.hpp"

#include "tools/simulation/naive_model.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace ebb::sim {

namespace {

/// One query for each sink. `rows`: what a row-at-a-time model says.
struct query {
  const char* name;
  const char* sql;
  std::vector<output_row> (*rows)(const input_rows& a, const input_rows& b);
  bool keeps_order = false;
  std::size_t width = 0; ///< columns of a result that is revised; else 0
};

constexpr query tumble_of_a{
    "tumble_a",
    "SELECT k, window_start, count(*) AS n, CAST(sum(v) AS BIGINT) AS s, min(o) AS least "
    "FROM tumble(a, ts, INTERVAL '1 second') GROUP BY k, window_start, window_end",
    [](const input_rows& a, const input_rows&) { return naive_hop(a, 1'000'000, 1'000'000); }};
constexpr query hop_of_b{
    "hop_b",
    "SELECT k, window_start, count(*) AS n, CAST(sum(v) AS BIGINT) AS s, min(o) AS least "
    "FROM hop(b, ts, INTERVAL '400 milliseconds', INTERVAL '1200 milliseconds') "
    "GROUP BY k, window_start, window_end",
    [](const input_rows&, const input_rows& b) { return naive_hop(b, 400'000, 1'200'000); }};
constexpr query session_of_a{
    "session_a",
    "SELECT k, window_start, window_end, count(*) AS n, CAST(sum(v) AS BIGINT) AS s "
    "FROM session(a, ts, INTERVAL '150 milliseconds') GROUP BY k, window_start, window_end",
    [](const input_rows& a, const input_rows&) { return naive_session(a, 150'000); }};
constexpr query total_of_all{
    "total_all",
    "SELECT window_start, count(*) AS n, CAST(sum(v) AS BIGINT) AS s "
    "FROM tumble(a, ts, INTERVAL '500 milliseconds') GROUP BY window_start, window_end",
    [](const input_rows& a, const input_rows&) { return naive_total(a, 500'000); }};
constexpr query interval_join{
    "near",
    "SELECT a.k AS k, a.ts AS at, b.ts AS bt, a.p AS ap, a.o AS ao, b.p AS bp, b.o AS bo "
    "FROM a JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL '150 milliseconds' "
    "AND a.ts + INTERVAL '200 milliseconds'",
    [](const input_rows& a, const input_rows& b) {
      return naive_interval_join(a, b, -150'000, 200'000);
    }};
constexpr query window_join{
    "both",
    "SELECT x.k AS k, x.window_start AS ws, x.n AS xn, y.n AS yn "
    "FROM (SELECT k, window_start, window_end, count(*) AS n "
    "FROM tumble(a, ts, INTERVAL '1 second') GROUP BY k, window_start, window_end) AS x "
    "JOIN (SELECT k, window_start, window_end, count(*) AS n "
    "FROM tumble(b, ts, INTERVAL '1 second') GROUP BY k, window_start, window_end) AS y "
    "ON x.k = y.k AND x.window_start = y.window_start AND x.window_end = y.window_end",
    [](const input_rows& a, const input_rows& b) { return naive_window_join(a, b, 1'000'000); }};
constexpr query top_of_a{
    "top_a",
    "SELECT k, window_start, v, p, o, r FROM (SELECT k, window_start, window_end, v, p, o, "
    "row_number() OVER (PARTITION BY window_start, window_end, k ORDER BY v DESC, p, o) AS r "
    "FROM tumble(a, ts, INTERVAL '1 second')) AS x WHERE r <= 3",
    [](const input_rows& a, const input_rows&) { return naive_top(a, 1'000'000, 3); }};
constexpr query best_of_b{
    "best_b",
    "SELECT k, window_start, n, r FROM (SELECT k, window_start, count(*) AS n, "
    "rank() OVER (PARTITION BY window_end ORDER BY count(*) DESC) AS r "
    "FROM hop(b, ts, INTERVAL '400 milliseconds', INTERVAL '1200 milliseconds') "
    "GROUP BY k, window_start, window_end) AS x WHERE r <= 2",
    [](const input_rows&, const input_rows& b) { return naive_best(b, 400'000, 1'200'000, 2); }};
constexpr query over_of_b{
    "over_b",
    "SELECT k, ts, p, o, row_number() OVER (PARTITION BY k ORDER BY ts, p, o) AS n, "
    "CAST(sum(v) OVER (PARTITION BY k ORDER BY ts, p, o) AS BIGINT) AS s, "
    "lag(v, 2) OVER (PARTITION BY k ORDER BY ts, p, o) AS before FROM b",
    [](const input_rows&, const input_rows& b) { return naive_over(b, 2); }};
constexpr query passed_of_a{"pass_a", "SELECT k, v, ts, p, o FROM a WHERE v % 3 <> 0",
                            [](const input_rows& a, const input_rows&) { return naive_pass(a, 3); },
                            true};
constexpr query passed_of_b{"pass_b", "SELECT k, v, ts, p, o FROM b WHERE v % 5 <> 0",
                            [](const input_rows&, const input_rows& b) { return naive_pass(b, 5); },
                            true};

// Results that are revised.
constexpr query groups_of_a{"groups_a",
                            "SELECT k, count(*) AS n, CAST(sum(v) AS BIGINT) AS s, count(DISTINCT "
                            "v) AS d FROM a GROUP BY k",
                            [](const input_rows& a, const input_rows&) { return naive_groups(a); },
                            false, 4};
constexpr query sizes_of_b{
    "sizes_b",
    "SELECT n, count(*) AS keys FROM (SELECT k, count(*) % 6 AS n FROM b GROUP BY k) AS x "
    "GROUP BY n",
    [](const input_rows&, const input_rows& b) { return naive_sizes(b); }, false, 2};
constexpr query largest_of_a{
    "largest_a",
    "SELECT g, k, n, r FROM (SELECT k % 3 AS g, k, n, "
    "row_number() OVER (PARTITION BY k % 3 ORDER BY n DESC, k) AS r "
    "FROM (SELECT k, count(*) AS n FROM a GROUP BY k) AS x) AS y WHERE r <= 2",
    [](const input_rows& a, const input_rows&) { return naive_largest(a, 3, 2); }, false, 4};
constexpr query counterparts_of_b{
    "counterparts_b",
    "SELECT b.k AS k, b.p AS p, b.o AS o, x.m AS m, x.n AS n FROM b LEFT JOIN "
    "(SELECT k, v % 3 AS m, count(*) AS n FROM a GROUP BY k, v % 3) AS x ON b.k = x.k",
    [](const input_rows& a, const input_rows& b) { return naive_counterparts(a, b); }, false, 5};
constexpr query pairs_of_both{
    "pairs",
    "SELECT a.k AS k, a.p AS ap, a.o AS ao, b.p AS bp, b.o AS bo "
    "FROM a JOIN b ON a.k = b.k AND a.v = b.v",
    [](const input_rows& a, const input_rows& b) { return naive_pairs(a, b); }};

constexpr std::array<std::pair<query, query>, 12> shapes{{
    {tumble_of_a, interval_join},
    {hop_of_b, session_of_a},
    {window_join, passed_of_a},
    {interval_join, passed_of_b},
    {session_of_a, window_join},
    {total_of_all, hop_of_b},
    {top_of_a, over_of_b},
    {over_of_b, window_join},
    {best_of_b, top_of_a},
    {groups_of_a, counterparts_of_b},
    {largest_of_a, pairs_of_both},
    {sizes_of_b, groups_of_a},
}};

std::string manifest_of(const query& first, const query& second, std::uint32_t parallelism) {
  std::string text = "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: simulated}\n"
                     "spec:\n  sources:\n";
  for (const char* name : {"a", "b"})
    text += std::string("    - name: ") + name
            + "\n      schema: k BIGINT NOT NULL, v BIGINT NOT NULL, ts TIMESTAMP NOT NULL, p "
              "BIGINT NOT NULL, o BIGINT NOT NULL\n"
              "      eventTime: {column: ts, maxDelay: 300ms}\n"
              "      file: {path: in.csv, format: csv}\n";
  text += "  operators:\n";
  for (const auto* x : {&first, &second})
    text += std::string("    - name: ") + x->name + "\n      sql: |\n        " + x->sql + "\n";
  text += "  sinks:\n";
  const auto sink = [&](const char* name, const query& from) {
    text += std::string("    - {name: ") + name + ", from: " + from.name + ", file: {path: " + name
            + (from.width == 0 ? ".csv, format: csv}}\n" : ".ndjson, format: debezium}}\n");
  };
  sink("first", first);
  sink("second", second);
  text += "  parallelism: " + std::to_string(parallelism) + "\n";
  return text;
}

} // namespace

std::size_t stream_shapes::count() noexcept {
  return shapes.size();
}

result<const planned_stream*> stream_shapes::planned(std::size_t shape, std::uint32_t parallelism) {
  if (planned_.empty()) {
    planned_.resize(shapes.size());
    for (auto& x : planned_)
      x.resize(parallelism_max + 1);
  }
  auto& kept = planned_[shape][parallelism];
  if (!kept) {
    std::vector<error> warnings;
    EBB_ASSIGN(auto streams,
               parse_manifest(manifest_of(shapes[shape].first, shapes[shape].second, parallelism),
                              "simulated.yaml", warnings));
    EBB_ASSIGN(const auto graph, plan_stream(streams.front()));
    EBB_ASSIGN(auto plan, make_stages(graph, streams.front()));
    kept = std::make_unique<planned_stream>(
        planned_stream{std::move(streams.front()), std::move(plan)});
  }
  return kept.get();
}

std::vector<std::vector<output_row>> stream_shapes::expected(std::size_t shape, const input_rows& a,
                                                             const input_rows& b) {
  std::vector<std::vector<output_row>> result{shapes[shape].first.rows(a, b),
                                              shapes[shape].second.rows(a, b)};
  for (auto& x : result)
    std::sort(x.begin(), x.end());
  return result;
}

std::vector<output_row> stream_shapes::left_by(std::size_t shape, std::size_t sink,
                                               std::vector<output_row> rows) {
  const auto width = (sink == 0 ? shapes[shape].first : shapes[shape].second).width;
  if (width == 0)
    return rows;
  std::map<output_row, std::int64_t> counts;
  for (auto& x : rows) {
    const auto weight = x.size() > width ? x.back() : 1;
    x.resize(width);
    counts[std::move(x)] += weight;
  }
  std::vector<output_row> result;
  for (const auto& [row, count] : counts) {
    if (count < 0)
      result.emplace_back(row).push_back(count); // what is in no expected result
    result.insert(result.end(), static_cast<std::size_t>(std::max<std::int64_t>(0, count)), row);
  }
  return result;
}

bool stream_shapes::keeps_order(std::size_t shape, std::size_t sink) noexcept {
  return (sink == 0 ? shapes[shape].first : shapes[shape].second).keeps_order;
}

} // namespace ebb::sim
