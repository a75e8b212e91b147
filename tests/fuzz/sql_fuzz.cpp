// Queries in a manifest: any text gives a plan that holds together, or an error that points into
// the query. A query in a YAML block is planned as the same text alone, and its errors stand where
// it stands in the file.

#include "actors/plan/manifest.hpp"
#include "actors/plan/plan_graph.hpp"
#include "actors/plan/stage_plan.hpp"
#include "tests/fuzz/support.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace {

using namespace ebb; // NOLINT

const std::string file = "fuzz.yaml";

const std::string head = R"(apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: fuzz}
spec:
  sources:
    - name: t
      schema: >
        i INTEGER, b BIGINT, s SMALLINT, d DOUBLE PRECISION, r REAL, n NUMERIC(10,2), x TEXT, v VARCHAR(5),
        f BOOLEAN, ts TIMESTAMP NOT NULL, tz TIMESTAMPTZ, day DATE, span INTERVAL, raw BYTEA
      eventTime: {column: ts, maxDelay: 10s}
      file: {path: t.ndjson, format: json}
    - name: u
      schema: k BIGINT, ts TIMESTAMP, x TEXT, at TIMESTAMPTZ
      eventTime: {column: at}
      file: {path: u.csv, format: csv}
    - name: w
      schema: k BIGINT, x TEXT
      file: {path: w.csv, format: csv}
  operators:
    - name: earlier
      sql: SELECT window_start, window_end, i, count(*) AS c FROM tumble(t, ts, INTERVAL '1 min') GROUP BY 1, 2, 3
    - name: fuzzed
      sql: |
)";
constexpr std::size_t indent = 8;
const auto head_lines = static_cast<std::uint32_t>(std::count(head.begin(), head.end(), '\n'));

std::string manifest_of(std::string_view sql) {
  auto out = head;
  while (!sql.empty()) {
    const auto end = std::min(sql.find('\n'), sql.size());
    if (end != 0)
      out += std::string(indent, ' ');
    out += sql.substr(0, end);
    out += '\n';
    sql.remove_prefix(std::min(end + 1, sql.size()));
  }
  return out + "  parallelism: 2\n";
}

stream_definition stream_of(const std::string& manifest) {
  std::vector<error> warnings;
  auto streams = parse_manifest(manifest, file, warnings);
  EBB_FUZZ_CHECK(static_cast<bool>(streams), to_string(streams.error()));
  return std::move(streams->front());
}

// Text that a block scalar takes as it is.
bool is_block_text(std::string_view sql) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t';
  };
  return !sql.empty() && static_cast<unsigned char>(sql.front()) > 0x20
         && static_cast<unsigned char>(sql.back()) > 0x20 && sql.find('\x7f') == sql.npos
         && std::all_of(sql.begin(), sql.end(), plain) && fuzz::is_utf8(sql);
}

void check_graph(const plan_graph& graph) {
  for (node_id id = 0; id < graph.nodes.size(); ++id) {
    const auto& node = graph.nodes[id];
    for (const auto from : node.inputs)
      EBB_FUZZ_CHECK(from < id, node.name);
    for (const auto& column : node.columns)
      EBB_FUZZ_CHECK(column.type.kind != type_kind::unknown, node.label + ' ' + column.name);
  }
  for (const auto& warning : graph.warnings)
    fuzz::check_error(warning);
}

void check_stages(const stage_plan& plan) {
  for (std::size_t k = 0; k < plan.stages.size(); ++k) {
    const auto& stage = plan.stages[k];
    EBB_FUZZ_CHECK(stage.parallelism >= 1 && !stage.steps.empty(), "");
    for (const auto& from : stage.inputs) {
      EBB_FUZZ_CHECK(from.from_stage < k, "");
      const auto& sender = plan.stages[from.from_stage];
      EBB_FUZZ_CHECK(from.from_step < sender.steps.size(), "");
      for (const auto key : from.keys)
        EBB_FUZZ_CHECK(key < sender.steps[from.from_step].columns.size(), "");
      EBB_FUZZ_CHECK(from.kind != exchange_kind::forward || sender.parallelism == stage.parallelism,
                     "");
    }
    for (std::size_t i = 0; i < stage.steps.size(); ++i)
      for (const auto& from : stage.steps[i].inputs)
        EBB_FUZZ_CHECK(from.index < (from.from_outside ? stage.inputs.size() : i),
                       stage.steps[i].label);
  }
}

// `explain`'s text, or the error.
result<std::string> plan(const stream_definition& stream) {
  EBB_ASSIGN(const auto graph, plan_stream(stream));
  check_graph(graph);
  EBB_ASSIGN(const auto stages, make_stages(graph, stream));
  check_stages(stages);
  EBB_FUZZ_CHECK(nlohmann::json::accept(explain_json(graph, stages, stream)), "");
  return explain_text(graph, stages, stream) + explain_dot(graph, stages, stream);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto usual = stream_of(manifest_of("SELECT i FROM t"));
  const std::string sql(reinterpret_cast<const char*>(data), size);
  auto stream = usual;
  stream.operators.back().sql = sql + '\n';
  stream.operators.back().sql_place = {};
  const auto alone = plan(stream);
  const auto again = plan(stream);
  EBB_FUZZ_CHECK(static_cast<bool>(alone) == static_cast<bool>(again), sql);
  if (alone)
    EBB_FUZZ_CHECK(*alone == *again, *alone);
  else
    fuzz::check_error(alone.error());
  if (!is_block_text(sql))
    return 0;
  const auto manifest = manifest_of(sql);
  const auto placed_stream = stream_of(manifest);
  EBB_FUZZ_CHECK(placed_stream.operators.back().sql == sql + '\n',
                 placed_stream.operators.back().sql);
  const auto placed = plan(placed_stream);
  EBB_FUZZ_CHECK(static_cast<bool>(alone) == static_cast<bool>(placed), sql);
  if (alone) {
    EBB_FUZZ_CHECK(*alone == *placed, *placed);
    return 0;
  }
  const auto& x = alone.error();
  const auto& y = placed.error();
  EBB_FUZZ_CHECK(x.message == y.message && x.hint == y.hint && x.code == y.code, to_string(y));
  EBB_FUZZ_CHECK(x.excerpt == y.excerpt, to_string(y));
  EBB_FUZZ_CHECK(y.place.file == file && y.place.line > head_lines, to_string(y));
  EBB_FUZZ_CHECK(x.code != ec::unsupported || !x.hint.empty(), to_string(y));
  if (x.place.line != 0) {
    EBB_FUZZ_CHECK(y.place.line == head_lines + x.place.line, to_string(y));
    EBB_FUZZ_CHECK(y.place.column == indent + x.place.column, to_string(y));
  }
  return 0;
}
