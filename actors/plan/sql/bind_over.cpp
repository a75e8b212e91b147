// Functions OVER a window: which rows, in which order, over which frame.

#include "actors/dataflow/ordered_set.hpp"
#include "actors/plan/sql/bind_expr.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace ebb::sql {

namespace {

// Bits of PostgreSQL's WindowDef.frameOptions.
namespace frame_option {
constexpr std::int64_t range = 0x2;
constexpr std::int64_t groups = 0x8;
constexpr std::int64_t start_unbounded_preceding = 0x20;
constexpr std::int64_t end_unbounded_following = 0x100;
constexpr std::int64_t start_offset_preceding = 0x800;
constexpr std::int64_t end_offset_preceding = 0x1000;
constexpr std::int64_t start_offset_following = 0x2000;
constexpr std::int64_t end_offset_following = 0x4000;
constexpr std::int64_t start_offset = start_offset_preceding | start_offset_following;
constexpr std::int64_t end_offset = end_offset_preceding | end_offset_following;
constexpr std::int64_t exclusion = 0x8000 | 0x10000 | 0x20000;
} // namespace frame_option

struct over_function {
  std::string_view name;
  over_call::kind what;
  std::size_t args_min, args_max;
};

constexpr std::array<over_function, 11> functions{{
    {"row_number", over_call::kind::row_number, 0, 0},
    {"rank", over_call::kind::rank, 0, 0},
    {"dense_rank", over_call::kind::dense_rank, 0, 0},
    {"ntile", over_call::kind::ntile, 1, 1},
    {"percent_rank", over_call::kind::percent_rank, 0, 0},
    {"cume_dist", over_call::kind::cume_dist, 0, 0},
    {"lag", over_call::kind::lag, 1, 3},
    {"lead", over_call::kind::lead, 1, 3},
    {"first_value", over_call::kind::first_value, 1, 1},
    {"last_value", over_call::kind::last_value, 1, 1},
    {"nth_value", over_call::kind::nth_value, 2, 2},
}};

sql_type type_of(over_call::kind what) {
  switch (what) {
  case over_call::kind::ntile:
    return sql_type{type_kind::integer};
  case over_call::kind::percent_rank:
  case over_call::kind::cume_dist:
    return sql_type{type_kind::double_precision};
  default:
    return sql_type{type_kind::bigint};
  }
}

bool is_whole_number(type_kind kind) {
  return kind == type_kind::smallint || kind == type_kind::integer || kind == type_kind::bigint;
}

std::optional<std::int64_t> integer_literal(const expr& x) {
  if (x.kind != expr_kind::literal || x.value.is_null(0))
    return std::nullopt;
  switch (x.type.kind) {
  case type_kind::smallint:
    return x.value.data<std::int16_t>()[0];
  case type_kind::integer:
    return x.value.data<std::int32_t>()[0];
  case type_kind::bigint:
    return x.value.data<std::int64_t>()[0];
  default:
    return std::nullopt;
  }
}

} // namespace

result<const ast*> expr_binder::window_named(std::string_view name, std::int32_t at) const {
  if (context_.windows != nullptr)
    for (const auto& item : *context_.windows) {
      const auto node = open(item);
      if (node.is("WindowDef") && ebb::sql::text(*node.body, "name") == name)
        return node.body;
    }
  return text_.fail(ec::invalid_argument, at,
                    "window \"" + std::string(name) + "\" does not exist");
}

result<void> expr_binder::bind_frame(const ast& definition, over_use& use) {
  const auto options = number(definition, "frameOptions");
  const auto at = place_of(definition);
  const auto refuse = [&](const char* what) {
    return text_.fail(ec::unsupported, at, std::string(what) + " is not supported",
                      "use ROWS or RANGE BETWEEN … AND …");
  };
  if ((options & frame_option::groups) != 0)
    return refuse("a GROUPS frame");
  if ((options & frame_option::exclusion) != 0)
    return refuse("EXCLUDE in a frame");
  auto& frame = use.frame;
  frame.range = (options & frame_option::range) != 0;
  frame.unbounded = (options & frame_option::start_unbounded_preceding) != 0;
  frame.to_last = (options & frame_option::end_unbounded_following) != 0;
  const bool offsets = (options & (frame_option::start_offset | frame_option::end_offset)) != 0;
  if (frame.range && offsets && use.order.size() != 1)
    return text_.fail(ec::invalid_argument, at,
                      "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column");
  if ((options & frame_option::start_offset) != 0) {
    EBB_ASSIGN(frame.preceding, frame_offset(child(definition, "startOffset"), "starting", use));
    if ((options & frame_option::start_offset_following) != 0)
      frame.preceding = -frame.preceding;
  }
  if ((options & frame_option::end_offset) != 0) {
    EBB_ASSIGN(frame.following, frame_offset(child(definition, "endOffset"), "ending", use));
    if ((options & frame_option::end_offset_preceding) != 0)
      frame.following = -frame.following;
  }
  return {};
}

// Rows, or what RANGE adds to the ORDER BY column: microseconds, where that is a time.
result<std::int64_t> expr_binder::frame_offset(const ast& node, std::string_view which,
                                               const over_use& use) {
  bind_context constant;
  constant.no_aggregates = "aggregate functions are not allowed in a frame";
  constant.no_overs = "window functions are not allowed in a frame";
  expr_binder binder{text_, std::move(constant)};
  EBB_ASSIGN(auto bound, binder.bind(node));
  const auto place = start_of(node);
  const auto by = use.frame.range ? use.order.front().x->type.kind : type_kind::bigint;
  if (is_whole_number(by)) {
    const auto rows = integer_literal(*bound);
    if (!rows)
      return text_.fail(ec::unsupported, place, "a frame bound must be a constant number");
    if (*rows < 0)
      return text_.fail(ec::invalid_argument, place,
                        use.frame.range
                            ? "invalid preceding or following size in window function"
                            : "frame " + std::string(which) + " offset must not be negative");
    return *rows;
  }
  if (by != type_kind::timestamp && by != type_kind::timestamptz && by != type_kind::date)
    return text_.fail(ec::unsupported, place,
                      "RANGE with offset PRECEDING/FOLLOWING is not supported for column type "
                          + to_string(use.order.front().x->type),
                      "order by a time or a whole number, or use ROWS");
  EBB_ASSIGN(bound,
             coerce(text_, bound, sql_type{type_kind::interval}, cast_context::implicit, place));
  if (bound->kind != expr_kind::literal || bound->value.is_null(0))
    return text_.fail(ec::unsupported, place, "a frame bound must be a constant");
  const auto span = bound->value.data<interval_value>()[0];
  const auto total = static_cast<int128>(span.days) * micros_per_day + span.micros;
  if (span.months != 0)
    return text_.fail(ec::unsupported, place,
                      "a RANGE frame of months is not supported: months differ in length",
                      "write it in days");
  if (total < 0 || total > max_time)
    return text_.fail(ec::invalid_argument, place,
                      "invalid preceding or following size in window function");
  return static_cast<std::int64_t>(total);
}

result<void> expr_binder::bind_window(const ast& definition, expr_binder& inner, over_use& use) {
  // `OVER (w ORDER BY …)` starts from the window w.
  if (has(definition, "refname")) {
    EBB_ASSIGN(const auto* base,
               window_named(ebb::sql::text(definition, "refname"), place_of(definition)));
    if (inner.depth_ >= max_expr_depth)
      return text_.fail(ec::invalid_argument, place_of(definition),
                        "windows refer to each other too deeply");
    ++inner.depth_;
    EBB_TRY(bind_window(*base, inner, use));
    if (!list(definition, "partitionClause").empty())
      return text_.fail(ec::invalid_argument, place_of(definition),
                        "cannot override PARTITION BY clause of window \""
                            + std::string(ebb::sql::text(definition, "refname")) + '"');
  }
  for (const auto& node : list(definition, "partitionClause")) {
    EBB_ASSIGN(auto x, inner.bind_value(node));
    use.partition.push_back(std::move(x));
  }
  for (const auto& node : list(definition, "orderClause")) {
    EBB_ASSIGN(auto item, inner.bind_sort(node));
    use.order.push_back(std::move(item));
  }
  return {};
}

// Arguments of a function that is no aggregate: a value, a constant number, a default.
result<void> expr_binder::bind_over_function(const ast& body, std::size_t args_min,
                                             std::size_t args_max, expr_binder& inner,
                                             over_use& use) {
  const auto& nodes = list(body, "args");
  if (nodes.size() < args_min || nodes.size() > args_max || flag(body, "agg_star"))
    return text_.fail(ec::invalid_argument, use.at,
                      "function " + use.name + " does not take these arguments");
  if (has(body, "agg_filter"))
    return text_.fail(ec::unsupported, use.at,
                      "FILTER is not implemented for non-aggregate window functions");
  use.call.type = type_of(use.what);
  const bool tiles = use.what == over_call::kind::ntile;
  if (!nodes.empty() && !tiles) {
    EBB_ASSIGN(auto value, inner.bind_value(nodes[0]));
    use.call.args.push_back(std::move(value));
  }
  if (nodes.size() > 2) {
    EBB_ASSIGN(auto other, inner.bind(nodes[2]));
    use.call.args.push_back(std::move(other));
    EBB_ASSIGN(use.call.args, to_common_type(std::move(use.call.args),
                                             {start_of(nodes[0]), start_of(nodes[2])}, use.name));
  }
  if (!use.call.args.empty())
    use.call.type = use.call.args.front()->type;
  if (nodes.size() < (tiles ? 1U : 2U))
    return {};
  const auto& node = nodes[tiles ? 0 : 1];
  EBB_ASSIGN(const auto count, inner.bind(node));
  const auto rows = integer_literal(*count);
  if (!rows)
    return text_.fail(ec::unsupported, start_of(node),
                      "the number that " + use.name + " takes must be a constant");
  use.distance = *rows;
  if (use.what == over_call::kind::lag || use.what == over_call::kind::lead) {
    // So many rows back is as many on.
    if (*rows < 0) {
      use.what = use.what == over_call::kind::lag ? over_call::kind::lead : over_call::kind::lag;
      use.distance = -std::max(*rows, -std::numeric_limits<std::int64_t>::max());
    }
  } else if (*rows <= 0) {
    return text_.fail(ec::invalid_argument, start_of(node),
                      "argument of " + use.name + " must be greater than zero");
  }
  return {};
}

result<expr_ptr> expr_binder::bind_over(const std::string& name, const ast& body) {
  const auto at = place_of(body);
  if (context_.overs == nullptr)
    return text_.fail(ec::invalid_argument, at, context_.no_overs);
  auto context = context_;
  context.overs = nullptr;
  context.no_overs = "window function calls cannot be nested";
  expr_binder inner{text_, std::move(context)};
  inner.depth_ = depth_;
  over_use use;
  use.at = at;
  use.name = name;
  const auto* definition = &child(body, "over");
  if (has(*definition, "name")) {
    EBB_ASSIGN(definition,
               window_named(ebb::sql::text(*definition, "name"), place_of(*definition)));
  }
  EBB_TRY(bind_window(*definition, inner, use));
  EBB_TRY(bind_frame(*definition, use));
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const auto& known) { return known.name == name; });
  if (found != functions.end()) {
    use.what = found->what;
    EBB_TRY(bind_over_function(body, found->args_min, found->args_max, inner, use));
  } else if (!find_aggregates(name).empty()) {
    use.what = over_call::kind::aggregate;
    EBB_ASSIGN(use.call, aggregate_call_of(name, body, inner));
    if (is_ordered_set(*use.call.function))
      return text_.fail(ec::unsupported, at,
                        "OVER is not supported for ordered-set aggregate " + name);
    if (use.call.distinct)
      return text_.fail(ec::unsupported, at, "DISTINCT is not implemented for window functions");
    if (has(body, "agg_order"))
      return text_.fail(ec::unsupported, at,
                        "aggregate ORDER BY is not implemented for window functions");
  } else {
    return text_.fail(ec::invalid_argument, at,
                      "OVER specified, but " + name
                          + " is not a window function nor an aggregate function");
  }
  const auto type = use.call.type;
  auto& uses = *context_.overs;
  uses.push_back(std::move(use));
  return make_column_ref(over_base + static_cast<std::uint32_t>(uses.size() - 1), type,
                         name + "() OVER");
}

} // namespace ebb::sql
