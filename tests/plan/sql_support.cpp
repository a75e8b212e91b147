#include "tests/plan/sql_support.hpp"

#include "actors/dataflow/function.hpp"
#include "actors/dataflow/value_text.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>

namespace ebb::test {

namespace {

node_id add_source(plan_graph& graph, std::string name, std::string_view columns,
                   std::string_view event_time) {
  auto parsed = parse_schema(columns);
  EBB_ASSERT(parsed);
  plan_node node;
  node.name = std::move(name);
  node.label = "source";
  node.what = source_node{};
  for (const auto& column : parsed->columns) {
    plan_column made{column.name, column.type, column.not_null, column_role::plain, {}, 0};
    if (column.name == event_time)
      made.role = column_role::event_time;
    node.columns.push_back(std::move(made));
  }
  return graph.add(std::move(node));
}

plan_scope add_sources(plan_graph& graph) {
  const auto all = "i INTEGER, b BIGINT, s SMALLINT, d DOUBLE PRECISION, r REAL, n NUMERIC(10,2), "
                   "x TEXT, v VARCHAR(5), f BOOLEAN, ts TIMESTAMP, tz TIMESTAMPTZ, day DATE, span "
                   "INTERVAL, raw BYTEA";
  plan_scope scope;
  scope["bid"] = add_source(graph, "bid",
                            "auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, "
                            "date_time TIMESTAMP, extra TEXT",
                            "date_time");
  scope["auction"] = add_source(
      graph, "auction",
      "id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, "
      "date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra TEXT",
      "date_time");
  scope["person"] = add_source(graph, "person",
                               "id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city "
                               "TEXT, state TEXT, date_time TIMESTAMP, extra TEXT",
                               "date_time");
  scope["t"] = add_source(graph, "t", all, "ts");
  scope["u"] = add_source(graph, "u", all, "");
  scope["e"] = add_source(graph, "e", "k BIGINT, ts TIMESTAMP, e_val INTEGER", "ts");
  scope["docs"] = add_source(graph, "docs", "id BIGINT, tags TEXT, j JSONB, ts TIMESTAMP", "ts");
  scope["codes"] = add_source(graph, "codes", "k BIGINT, label TEXT", "");
  graph.nodes.back().is_static = true;
  return scope;
}

std::string duration(micros x) {
  if (x == max_time)
    return "unbounded";
  if (x % micros_per_second == 0)
    return std::to_string(x / micros_per_second) + "s";
  return std::to_string(x) + "us";
}

std::string numbers(const std::vector<std::uint32_t>& list) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i)
    out += (i > 0 ? " " : "") + std::to_string(list[i]);
  return out + "]";
}

std::string keys_text(const std::vector<sort_key>& keys) {
  std::string out = "[";
  for (std::size_t i = 0; i < keys.size(); ++i)
    out += (i > 0 ? " " : "") + std::to_string(keys[i].column) + (keys[i].descending ? "v" : "^")
           + (keys[i].nulls_first != keys[i].descending ? "!" : "");
  return out + "]";
}

std::string window_text(const window_spec& w) {
  static constexpr const char* kinds[] = {"tumble", "hop", "cumulate", "session", "attached"};
  std::string out = kinds[static_cast<int>(w.kind)];
  out += '(';
  if (w.kind == window_kind::attached)
    return out + "start=" + std::to_string(w.start_column) + " end=" + std::to_string(w.end_column)
           + ')';
  out += w.processing_time ? "proctime" : std::to_string(w.time_column);
  if (w.slide != 0)
    out += ", " + duration(w.slide);
  out += ", " + duration(w.size);
  if (w.offset != 0)
    out += ", offset " + duration(w.offset);
  return out + ')';
}

std::string call_text(const aggregate_call& call) {
  auto out = (call.function != nullptr ? call.function->name : "") + '(';
  if (call.distinct)
    out += "distinct ";
  for (std::size_t i = 0; i < call.args.size(); ++i)
    out += (i > 0 ? " " : "") + std::to_string(call.args[i]);
  if (!call.order_by.empty())
    out += " order " + keys_text(call.order_by);
  out += ')';
  if (call.filter >= 0)
    out += " filter " + std::to_string(call.filter);
  return out;
}

struct spec_text {
  std::string operator()(const filter_project_spec& x) const {
    std::string out;
    if (x.predicate)
      out += " where " + text_of(*x.predicate);
    out += " select ";
    for (std::size_t i = 0; i < x.outputs.size(); ++i)
      out += (i > 0 ? ", " : "") + text_of(*x.outputs[i]);
    return out;
  }

  std::string operator()(const assign_watermarks_spec&) const {
    return {};
  }

  std::string operator()(const window_assign_spec& x) const {
    return ' ' + window_text(x.window);
  }

  std::string operator()(const window_aggregate_spec& x) const {
    auto out = ' ' + window_text(x.window) + " keys " + numbers(x.keys);
    for (const auto& call : x.calls)
      out += ' ' + call_text(call);
    return out;
  }

  std::string operator()(const window_join_spec& x) const {
    return join(x.type) + " windows [" + std::to_string(x.left_start) + ' '
           + std::to_string(x.left_end) + "]=[" + std::to_string(x.right_start) + ' '
           + std::to_string(x.right_end) + "] keys " + numbers(x.left_keys) + '='
           + numbers(x.right_keys) + residual(x.residual);
  }

  std::string operator()(const interval_join_spec& x) const {
    return join(x.type) + " times " + std::to_string(x.left_time) + '-'
           + std::to_string(x.right_time) + " in [" + duration(x.lower) + ", " + duration(x.upper)
           + "] keys " + numbers(x.left_keys) + '=' + numbers(x.right_keys) + residual(x.residual);
  }

  std::string operator()(const stream_join_spec& x) const {
    return " keys " + numbers(x.left_keys) + '=' + numbers(x.right_keys) + residual(x.residual);
  }

  std::string operator()(const window_top_n_spec& x) const {
    static constexpr const char* kinds[] = {"row_number", "rank", "dense_rank"};
    auto out = std::string(" ") + kinds[static_cast<int>(x.rank)]
               + " start=" + std::to_string(x.window_start) + " end=" + std::to_string(x.window_end)
               + " by " + numbers(x.partition) + " order " + keys_text(x.order_by);
    if (x.limit != INT64_MAX)
      out += " limit " + std::to_string(x.limit);
    return out;
  }

  static std::string calls_text(const std::vector<over_call>& calls) {
    static constexpr const char* kinds[] = {"",          "row_number", "rank",         "dense_rank",
                                            "lag",       "lead",       "first_value",  "last_value",
                                            "nth_value", "ntile",      "percent_rank", "cume_dist"};
    std::string out;
    for (const auto& call : calls) {
      const auto& frame = call.frame;
      const auto bound = [&](std::int64_t x) {
        return frame.range ? duration(x) : std::to_string(x);
      };
      out += ' ' + std::string(kinds[static_cast<int>(call.what)]) + call_text(call.call);
      if (call.distance != 1 || call.what == over_call::kind::lag)
        out += "@" + std::to_string(call.distance);
      out += frame.range ? " range " : " rows ";
      out += frame.unbounded ? "unbounded" : bound(frame.preceding);
      if (frame.to_last || frame.following != 0)
        out += frame.to_last ? " to last" : " to " + bound(frame.following);
    }
    return out;
  }

  std::string operator()(const over_spec& x) const {
    return " by " + numbers(x.partition) + " order " + keys_text(x.order_by) + " time "
           + std::to_string(x.time_column) + calls_text(x.calls);
  }

  std::string operator()(const changelog_over_spec& x) const {
    return updating(x.updating) + " by " + numbers(x.partition) + " order " + keys_text(x.order_by)
           + calls_text(x.calls);
  }

  std::string operator()(const union_all_spec& x) const {
    return ' ' + std::to_string(x.inputs);
  }

  std::string operator()(const stamp_time_spec&) const {
    return {};
  }

  std::string operator()(const group_aggregate_spec& x) const {
    auto out = updating(x.updating) + " keys " + numbers(x.keys);
    for (const auto& call : x.calls)
      out += ' ' + call_text(call);
    return out;
  }

  std::string operator()(const changelog_join_spec& x) const {
    static constexpr const char* kinds[] = {"inner", "left", "right", "full", "semi", "anti"};
    return ' ' + std::string(kinds[static_cast<int>(x.kind)]) + updating(x.left_updating)
           + updating(x.right_updating) + " keys " + numbers(x.left_keys) + '='
           + numbers(x.right_keys) + residual(x.residual)
           + (x.lookup < 0 ? "" : x.lookup == 0 ? " table left" : " table right");
  }

  std::string operator()(const changelog_top_n_spec& x) const {
    static constexpr const char* kinds[] = {"row_number", "rank", "dense_rank"};
    auto out = updating(x.updating) + ' ' + kinds[static_cast<int>(x.rank)] + " by "
               + numbers(x.partition) + " order " + keys_text(x.order_by);
    if (x.offset != 0)
      out += " offset " + std::to_string(x.offset);
    if (x.limit != INT64_MAX)
      out += " limit " + std::to_string(x.limit);
    return out + (x.with_rank ? " with rank" : "");
  }

  std::string operator()(const weigh_rows_spec& x) const {
    return " by " + std::to_string(x.count_column);
  }

  std::string operator()(const upsert_spec& x) const {
    return " keys " + numbers(x.keys);
  }

  std::string operator()(const settle_spec& x) const {
    return " keys " + numbers(x.keys);
  }

  std::string operator()(const expand_rows_spec& x) const {
    std::string out = x.series ? " series" : " elements";
    for (const auto& arg : x.args)
      out += ' ' + text_of(*arg);
    return out + (x.ordinality ? " numbered" : "") + (x.keeps_empty ? " keeps empty" : "");
  }

  std::string operator()(const live_rows_spec& x) const {
    std::string out;
    for (const auto* bounds : {&x.from, &x.until})
      for (const auto& bound : *bounds)
        out += std::string(bounds == &x.from ? " from #" : " until #")
               + std::to_string(bound.column) + '+' + duration(bound.shift);
    return out + " keys " + numbers(x.keys) + updating(x.updating);
  }

  static std::string updating(bool is) {
    return is ? " updating" : " append";
  }

  static std::string join(join_type type) {
    static constexpr const char* kinds[] = {" inner", " left", " right", " full"};
    return kinds[static_cast<int>(type)];
  }

  static std::string residual(const expr_ptr& x) {
    return x ? " if " + text_of(*x) : std::string{};
  }
};

std::string column_text(const plan_column& column) {
  auto out = column.name;
  if (column.role == column_role::plain)
    return out;
  out += column.role == column_role::event_time     ? "@time"
         : column.role == column_role::window_start ? "@start"
                                                    : "@end";
  const micros usual = column.role == column_role::window_end ? -1 : 0;
  if (column.lag != usual)
    out += '+' + duration(column.lag);
  return out;
}

} // namespace

std::string text_of(const expr& x) {
  const auto list = [&](std::string_view separator) {
    std::string out;
    for (std::size_t i = 0; i < x.args.size(); ++i)
      out += (i > 0 ? std::string(separator) : std::string{}) + text_of(*x.args[i]);
    return out;
  };
  switch (x.kind) {
  case expr_kind::column:
    return '#' + std::to_string(x.index);
  case expr_kind::literal: {
    if (x.value.is_null(0))
      return "null:" + to_string(x.type);
    std::string out;
    append_value_text(x.value, 0, out);
    return '\'' + out + "':" + to_string(x.type);
  }
  case expr_kind::call:
    if (x.function->name == "cast")
      return list("") + "::" + to_string(x.type);
    if (x.args.size() == 2
        && x.function->name.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos)
      return '(' + text_of(*x.args[0]) + ' ' + x.function->name + ' ' + text_of(*x.args[1]) + ')';
    return x.function->name + '(' + list(", ") + ')';
  case expr_kind::and_:
    return '(' + list(" and ") + ')';
  case expr_kind::or_:
    return '(' + list(" or ") + ')';
  case expr_kind::not_:
    return "not " + list("");
  case expr_kind::case_:
    return "case(" + list(", ") + ')';
  case expr_kind::coalesce:
    return "coalesce(" + list(", ") + ')';
  case expr_kind::is_null:
    return list("") + " is null";
  case expr_kind::is_not_null:
    return list("") + " is not null";
  }
  return "?";
}

result<planned> plan(const std::vector<std::pair<std::string, std::string>>& earlier,
                     std::string_view sql) {
  planned x;
  auto scope = add_sources(x.graph);
  for (const auto& [name, query] : earlier) {
    operator_definition before;
    before.name = name;
    before.sql = query;
    EBB_ASSIGN(scope[name], plan_query(before, scope, x.graph));
  }
  operator_definition where;
  where.name = "q";
  where.sql = sql;
  x.first = static_cast<node_id>(x.graph.nodes.size());
  EBB_ASSIGN(x.node, plan_query(where, scope, x.graph));
  return x;
}

result<planned> plan(std::string_view sql) {
  return plan({}, sql);
}

std::string dump(const planned& x) {
  std::string out;
  for (node_id id = x.first; id < x.graph.nodes.size(); ++id) {
    const auto& node = x.graph.nodes[id];
    out += node.label + '(';
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto input = node.inputs[i];
      out += i > 0 ? ", " : "";
      out += input < x.first ? x.graph.nodes[input].name : '%' + std::to_string(input - x.first);
    }
    out += ')' + std::visit(spec_text{}, std::get<operator_spec>(node.what)) + " ->";
    for (std::size_t i = 0; i < node.columns.size(); ++i)
      out += (i > 0 ? ", " : " ") + column_text(node.columns[i]);
    if (node.updating) {
      out += "; updating";
      for (const auto& key : node.keys)
        out += ", key " + numbers(key.columns) + (key.in_order ? "" : " out of order");
    }
    out += '\n';
  }
  return out;
}

std::string shown(std::string_view sql) {
  auto made = plan(sql);
  if (made)
    return dump(*made);
  const auto& problem = made.error();
  return std::to_string(problem.place.line) + ':' + std::to_string(problem.place.column) + ": "
         + to_string(problem.code) + ": " + problem.message + '\n'
         + (problem.hint.empty() ? "" : "hint: " + problem.hint + '\n') + problem.excerpt;
}

void check_golden(const std::string& file, std::string (*answer)(std::string_view query)) {
  const auto path = std::string(EBB_SOURCE_ROOT) + "/tests/golden/sql/" + file;
  std::ifstream in(path);
  BOOST_REQUIRE_MESSAGE(in, "cannot read " << path);
  std::string line;
  std::string query;
  std::string expected;
  std::string made;
  std::size_t count = 0;
  const auto finish = [&] {
    if (query.empty())
      return;
    auto got = answer(query);
    if (!got.empty() && got.back() != '\n')
      got += '\n';
    made += "> " + query + '\n' + got + '\n';
    if (std::getenv("EBB_UPDATE_GOLDEN") == nullptr)
      BOOST_CHECK_MESSAGE(got == expected, file << ": " << query << "\nexpected:\n"
                                                << expected << "got:\n"
                                                << got);
    ++count;
  };
  while (std::getline(in, line)) {
    if (line.starts_with("> ")) {
      finish();
      query = line.substr(2);
      expected.clear();
    } else if (!line.empty()) {
      expected += line + '\n';
    }
  }
  finish();
  BOOST_CHECK_GT(count, 0U);
  in.close();
  if (std::getenv("EBB_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path) << made;
}

} // namespace ebb::test
