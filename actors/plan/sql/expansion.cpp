#include "actors/plan/sql/expansion.hpp"

#include <algorithm>
#include <array>

namespace ebb::sql {

namespace {

/// What a function is computed by: an array whose elements are its rows. Empty: its arguments are
/// arrays, or it is a series.
struct expanding {
  std::string_view name;
  std::string_view array;
  std::string_view column; ///< name of its column where it has one of its own
};

constexpr std::array<expanding, 7> functions{{
    {"unnest", "", ""},
    {"generate_series", "", ""},
    {"jsonb_array_elements", "jsonb_elements", "value"},
    {"jsonb_array_elements_text", "jsonb_elements_text", "value"},
    {"jsonb_object_keys", "jsonb_keys", ""},
    {"regexp_split_to_table", "regexp_split_to_array", ""},
    {"string_to_table", "string_to_array", ""},
}};

const expanding* find_function(std::string_view name) {
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const auto& x) { return x.name == name; });
  return found == functions.end() ? nullptr : found;
}

std::string written_types(const std::vector<expr_ptr>& args) {
  std::string out;
  for (const auto& x : args)
    out += (out.empty() ? "" : ", ") + to_string(bare(x->type));
  return out;
}

bool is_time(type_kind kind) {
  return kind == type_kind::timestamp || kind == type_kind::timestamptz || kind == type_kind::date;
}

// The type of a series, as PostgreSQL chooses among its overloads; unknown = it has none of these.
type_kind series_kind(const std::vector<expr_ptr>& args) {
  const auto any = [&](type_kind kind) {
    return std::any_of(args.begin(), args.end(),
                       [&](const auto& x) { return x->type.kind == kind; });
  };
  const bool times = std::any_of(args.begin(), args.begin() + 2,
                                 [](const auto& x) { return is_time(x->type.kind); })
                     || any(type_kind::interval);
  if (times)
    return args.size() < 3               ? type_kind::unknown
           : any(type_kind::timestamptz) ? type_kind::timestamptz
           : any(type_kind::timestamp)   ? type_kind::timestamp
                                         : type_kind::timestamptz;
  for (const auto& x : args)
    if (x->type.kind != type_kind::smallint && x->type.kind != type_kind::integer
        && x->type.kind != type_kind::bigint && x->type.kind != type_kind::unknown)
      return type_kind::unknown;
  return any(type_kind::bigint) ? type_kind::bigint : type_kind::integer;
}

result<void> bind_series(const sql_text& text, std::vector<expr_ptr> args, std::int32_t at,
                         from_expansion& made) {
  const auto kind = args.size() == 2 || args.size() == 3 ? series_kind(args) : type_kind::unknown;
  if (kind == type_kind::unknown)
    return text.fail(
        ec::unsupported, at, "generate_series(" + written_types(args) + ") is not supported",
        "series are of INTEGER, BIGINT, TIMESTAMP or TIMESTAMPTZ; of times they need a "
        "step: generate_series(from, to, INTERVAL '1 day')");
  const bool times = is_time(kind);
  const std::string one = "1";
  if (args.size() == 2)
    args.push_back(make_unknown_literal(&one));
  for (std::size_t i = 0; i < args.size(); ++i) {
    const sql_type type{times && i == 2 ? type_kind::interval : kind};
    EBB_ASSIGN(args[i], coerce(text, args[i], type, cast_context::implicit, at));
    args[i] = folded(args[i]);
  }
  made.spec.series = true;
  made.types.push_back(sql_type{kind});
  made.spec.args = std::move(args);
  return {};
}

result<void> bind_arrays(const sql_text& text, std::vector<expr_ptr> args, std::int32_t at,
                         from_expansion& made) {
  for (const auto& x : args) {
    if (x->type.kind == type_kind::unknown)
      return text.fail(ec::invalid_argument, at, "function unnest(unknown) is not unique",
                       "cast the argument to an array type");
    if (x->type.kind != type_kind::array)
      return text.fail(ec::invalid_argument, at,
                       "function unnest(" + to_string(bare(x->type)) + ") does not exist",
                       "unnest takes arrays; of JSONB use jsonb_array_elements");
    made.types.push_back(x->type.element_type());
  }
  made.spec.args = std::move(args);
  return {};
}

} // namespace

std::vector<std::string> expanding_functions() {
  std::vector<std::string> names;
  for (const auto& x : functions)
    names.emplace_back(x.name);
  return names;
}

std::string expanding_function(const ast& wrapped) {
  const auto call = open(wrapped);
  if (!call.is("FuncCall"))
    return {};
  const auto path = names(list(*call.body, "funcname"));
  const bool plain = path.size() == 1 || (path.size() == 2 && path.front() == "pg_catalog");
  return plain && find_function(path.back()) != nullptr ? path.back() : std::string{};
}

result<from_expansion> bind_expansion(const sql_text& text, const ast& call, bind_context context) {
  const auto at = place_of(call);
  const auto& known = *find_function(names(list(call, "funcname")).back());
  from_expansion made;
  made.function = known.name;
  const auto& nodes = list(call, "args");
  for (const char* modifier : {"agg_star", "agg_distinct", "agg_filter", "agg_order", "over"})
    if (has(call, modifier))
      return text.fail(ec::invalid_argument, at,
                       made.function + " is neither an aggregate nor a window function");
  if (flag(call, "func_variadic"))
    return text.fail(ec::unsupported, at, "VARIADIC arguments are not supported");
  if (nodes.empty())
    return text.fail(ec::invalid_argument, at, "function " + made.function + "() does not exist");
  std::vector<expr_ptr> args;
  expr_binder binder{text, std::move(context)};
  for (const auto& node : nodes) {
    EBB_ASSIGN(auto x, binder.bind(node));
    args.push_back(std::move(x));
  }
  if (known.name == "generate_series") {
    EBB_TRY(bind_series(text, std::move(args), at, made));
  } else if (known.array.empty()) {
    EBB_TRY(bind_arrays(text, std::move(args), at, made));
  } else {
    EBB_ASSIGN(auto array,
               binder.call_function(std::string(known.array), std::move(args), at, made.function));
    made.types.push_back(array->type.element_type());
    made.spec.args.push_back(std::move(array));
  }
  made.columns.assign(made.types.size(),
                      known.column.empty() ? made.function : std::string(known.column));
  made.own_name = !known.column.empty();
  return made;
}

void expand(from_clause& from, from_expansion expansion, const std::string& relation,
            std::vector<std::string> columns, std::int32_t at) {
  auto item = std::make_unique<from_item>();
  item->first = from.root->first;
  const auto first = from.root->first + from.root->width;
  const auto count =
      static_cast<std::uint32_t>(expansion.types.size() + (expansion.spec.ordinality ? 1 : 0));
  item->width = from.root->width + count;
  item->at = at;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto type = i < expansion.types.size() ? expansion.types[i] : sql_type{type_kind::bigint};
    from.names.columns.push_back({relation, columns[i], make_column_ref(first + i, type)});
  }
  from.names.relations.push_back(relation);
  item->expansion = std::move(expansion);
  item->left = std::move(from.root);
  from.root = std::move(item);
}

} // namespace ebb::sql
