/// The logical plan: a DAG of sources, operators and sinks of one stream, before it is cut into
/// stages. The SQL front end adds nodes; `make_stages` (stage_plan.hpp) reads them.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/plan/manifest.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ebb {

using node_id = std::uint32_t;

/// What the planner knows of a column beyond its type.
enum class column_role : std::uint8_t { plain, event_time, window_start, window_end };

/// One output column of a node.
struct plan_column {
  std::string name;
  sql_type type;
  bool not_null = false;
  column_role role = column_role::plain;
  /// For window_start/window_end: which window, so that joins can tell equal windows
  /// (same function, size, slide, offset). For event_time: the rows' watermark follows this column.
  window_spec window;
  /// Roles other than plain: no later row that is not late has a value before watermark - lag. 0
  /// for a source's event time; -1 where every row lies behind the watermark (a fired window's
  /// end).
  micros lag = 0;
};

struct source_node {
  std::uint32_t source = 0; ///< index into stream_definition::sources
};

/// Columns whose values, taken together, at most one row has at a time; none at all: one row.
using unique_key = std::optional<std::vector<std::uint32_t>>;

/// Columns that tell the rows of a result apart.
struct row_key {
  std::vector<std::uint32_t> columns;
  /// All changes of one value come in order on one channel; else a row may come before the one that
  /// it takes the place of goes, and the key holds once all changes have come.
  bool in_order = true;

  bool operator==(const row_key&) const = default;
};

struct sink_node {
  std::uint32_t sink = 0; ///< index into stream_definition::sinks
  bool updating = false;  ///< its rows are changes
  unique_key key = {};    ///< of its rows; all changes of one key come in order on one channel
};

struct plan_node {
  std::string name;  ///< of the manifest's operator (or source, sink) this node belongs to
  std::string label; ///< for people: `window aggregate`, `filter, project`
  std::variant<source_node, operator_spec, sink_node> what;
  std::vector<node_id> inputs;
  std::vector<plan_column> columns; ///< output row; empty for sinks
  std::string why;       ///< one sentence for `ebb explain`: append-only or updating, and why
  bool updating = false; ///< rows may be deleted later; else every weight is positive
  std::vector<row_key> keys = {}; ///< of the rows, the one to be preferred first
  /// All rows come from sources that end and have no event time: at the end they are a table that
  /// does not change any more.
  bool is_static = false;
};

struct plan_graph {
  std::vector<plan_node> nodes; ///< inputs come before their users
  std::vector<error> warnings;
  /// Places in `warnings`, ascending, of the query that is being planned: its state grows with its
  /// keys, which `stateRetention` would bound (retention.hpp).
  std::vector<std::size_t> growth;

  node_id add(plan_node node);
  [[nodiscard]] std::vector<sql_type> types(node_id id) const;
};

/// Names a query may read: sources and earlier operators of the manifest.
using plan_scope = std::map<std::string, node_id>;

/// Parses, binds and plans one SELECT; returns the node whose rows are its result. Errors carry
/// line and column within the manifest (from `where`), the excerpt with a caret, and a hint.
[[nodiscard]] result<node_id> plan_query(const operator_definition& where, const plan_scope& scope,
                                         plan_graph& graph);

/// Column definitions as in `schema:` of a source: `a BIGINT NOT NULL, b NUMERIC(10,2)`.
struct parsed_schema {
  schema columns;
  std::vector<std::string> primary_key;
};

[[nodiscard]] result<parsed_schema> parse_schema(std::string_view text);

/// Binds a scalar expression over the given columns (used by the generator connector).
[[nodiscard]] result<expr_ptr> bind_expression(std::string_view sql, const schema& columns);

/// The whole stream: sources, each operator's query, sinks.
[[nodiscard]] result<plan_graph> plan_stream(const stream_definition& stream);

} // namespace ebb
