/// Plans queries over a small catalog of sources and shows the result as text.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <string>
#include <string_view>

namespace ebb::test {

/// Sources: `bid`, `auction`, `person` as of Nexmark; `t(i INTEGER, b BIGINT, s SMALLINT, d DOUBLE
/// PRECISION, r REAL, n NUMERIC(10,2), x TEXT, v VARCHAR(5), f BOOLEAN, ts TIMESTAMP, tz
/// TIMESTAMPTZ, day DATE, span INTERVAL, raw BYTEA)` with event time `ts`; `u`, the same without
/// event time; `e(k BIGINT, ts TIMESTAMP, e_val INTEGER)` with event time `ts`.
struct planned {
  plan_graph graph;
  node_id node = 0;
  node_id first = 0; ///< of the query's own nodes
};

[[nodiscard]] result<planned> plan(std::string_view sql);

/// `plan` with the operators before it: name and query.
[[nodiscard]] result<planned> plan(const std::vector<std::pair<std::string, std::string>>& earlier,
                                   std::string_view sql);

/// One line for each node of the query:
/// `window aggregate(#1) tumble(ts=0, 10s) keys 0 calls count() -> auction, window_start, …`
[[nodiscard]] std::string dump(const planned& x);

/// The dump, or the error as `line:column: message (hint)`.
[[nodiscard]] std::string shown(std::string_view sql);

/// Checks a file of tests/golden/sql: blocks of a line `> query` and the text that `answer` gives
/// for it. With EBB_UPDATE_GOLDEN set the answers are written into the file instead.
void check_golden(const std::string& file, std::string (*answer)(std::string_view query));

/// An expression as text: `(i + 1)`, `cast(i)::bigint`.
[[nodiscard]] std::string text_of(const expr& x);

} // namespace ebb::test
