#include "actors/plan/sql/type_name.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace ebb::sql {

namespace {

constexpr std::array<std::pair<std::string_view, type_kind>, 15> kinds{{
    {"bool", type_kind::boolean},
    {"int2", type_kind::smallint},
    {"int4", type_kind::integer},
    {"int8", type_kind::bigint},
    {"float4", type_kind::real},
    {"float8", type_kind::double_precision},
    {"numeric", type_kind::numeric},
    {"text", type_kind::text},
    {"varchar", type_kind::text},
    {"bytea", type_kind::bytea},
    {"date", type_kind::date},
    {"timestamp", type_kind::timestamp},
    {"timestamptz", type_kind::timestamptz},
    {"interval", type_kind::interval},
    {"jsonb", type_kind::jsonb},
}};

// Of the fraction of a second: times have microseconds.
constexpr std::int64_t most_digits = 6;

constexpr const char* known_types =
    "the types are BOOLEAN, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE PRECISION, NUMERIC(p, s), "
    "TEXT, "
    "VARCHAR(n), BYTEA, DATE, TIMESTAMP, TIMESTAMPTZ, INTERVAL, JSONB, and but for columns of sources arrays of them";

// Types that PostgreSQL has and ebb has not.
bool postgres_has(std::string_view name) {
  static constexpr std::array<std::string_view, 27> others{
      "bpchar",   "char",  "time",   "timetz",   "json",    "uuid",
      "xml",      "bit",   "varbit", "money",    "inet",    "cidr",      "macaddr",
      "macaddr8", "point", "line",   "lseg",     "box",     "path",      "polygon",
      "circle",   "name",  "oid",    "tsvector", "tsquery", "int4range", "tsrange"};
  return std::find(others.begin(), others.end(), name) != others.end();
}

std::optional<std::int64_t> integer_constant(const ast& wrapped) {
  const auto node = open(wrapped);
  if (!node.is("A_Const") || !has(*node.body, "ival"))
    return std::nullopt;
  return number(child(*node.body, "ival"), "ival");
}

result<void> apply_modifiers(const sql_text& text, const ast& type_name, sql_type& type,
                             cast_modifiers* more) {
  const auto at = place_of(type_name);
  std::vector<std::int64_t> values;
  for (const auto& item : list(type_name, "typmods")) {
    const auto value = integer_constant(item);
    if (!value)
      return text.fail(ec::invalid_argument, at, "type modifiers must be simple constants");
    values.push_back(*value);
  }
  if (values.empty())
    return {};
  switch (type.kind) {
  case type_kind::numeric: {
    if (values.size() > 2)
      return text.fail(ec::invalid_argument, at, "invalid NUMERIC type modifier");
    const auto precision = values[0];
    const auto scale = values.size() > 1 ? values[1] : 0;
    if (precision < 1 || precision > 1000)
      return text.fail(ec::invalid_argument, at,
                       "NUMERIC precision " + std::to_string(precision)
                           + " must be between 1 and 1000");
    if (precision > 38)
      return text.fail(ec::unsupported, at,
                       "NUMERIC precision " + std::to_string(precision) + " is more than 38",
                       "use NUMERIC without precision: it is exact to far more digits");
    if (scale < 0 || scale > precision)
      return text.fail(ec::unsupported, at,
                       "NUMERIC scale " + std::to_string(scale)
                           + " must be between 0 and precision " + std::to_string(precision));
    type.precision = static_cast<std::int16_t>(precision);
    type.scale = static_cast<std::int16_t>(scale);
    return {};
  }
  case type_kind::text:
    if (values[0] < 1)
      return text.fail(ec::invalid_argument, at, "length for type varchar must be at least 1");
    if (values[0] > 10485760)
      return text.fail(ec::invalid_argument, at, "length for type varchar cannot exceed 10485760");
    type.length = static_cast<std::int32_t>(values[0]);
    return {};
  case type_kind::timestamp:
  case type_kind::timestamptz:
    if (values[0] < 0)
      return text.fail(ec::invalid_argument, at,
                       "TIMESTAMP(" + std::to_string(values[0])
                           + (type.kind == type_kind::timestamptz ? ") WITH TIME ZONE" : ")")
                           + " precision must not be negative");
    if (values[0] >= most_digits)
      return {};
    if (more == nullptr)
      return text.fail(ec::unsupported, at,
                       "a precision of TIMESTAMP other than 6 is not supported here",
                       "times have microseconds; round them by a cast in a query");
    more->digits = static_cast<std::int32_t>(values[0]);
    return {};
  case type_kind::interval: {
    if (more == nullptr)
      return text.fail(ec::unsupported, at,
                       "INTERVAL with fields or a precision is not supported here", "use INTERVAL");
    constexpr std::int64_t full_range = 0x7FFF;
    more->fields = values[0] == full_range ? 0 : static_cast<std::int32_t>(values[0]);
    if (values.size() > 1) {
      if (values[1] < 0)
        return text.fail(ec::invalid_argument, at,
                         "INTERVAL(" + std::to_string(values[1])
                             + ") precision must not be negative");
      if (values[1] < most_digits)
        more->digits = static_cast<std::int32_t>(values[1]);
    }
    return {};
  }
  default:
    return text.fail(ec::invalid_argument, at,
                     "type modifier is not allowed for type \"" + std::string(to_string(type.kind))
                         + "\"");
  }
}

} // namespace

error several_dimensions(const sql_text& text, std::int32_t offset) {
  return text.fail(ec::unsupported, offset, "arrays of several dimensions are not supported",
                   "use an array of one dimension, for example by joining them with ||");
}

std::string_view last_name(const ast& type_name) {
  const auto& parts = list(type_name, "names");
  if (parts.empty())
    return {};
  const auto node = open(parts.back());
  return node.is("String") ? ebb::sql::text(*node.body, "sval") : std::string_view{};
}

result<sql_type> type_of_name(const sql_text& text, const ast& type_name, cast_modifiers* more) {
  const auto at = place_of(type_name);
  const auto parts = names(list(type_name, "names"));
  if (parts.empty() || flag(type_name, "setof") || flag(type_name, "pct_type"))
    return text.fail(ec::unsupported, at, "this form of type name is not supported", known_types);
  const auto name = parts.back();
  const bool qualified = parts.size() > 1 && parts.front() != "pg_catalog";
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  if (qualified || found == kinds.end()) {
    if (!qualified && postgres_has(name))
      return text.fail(ec::unsupported, at,
                       "type " + (name == "bpchar" ? "char" : name) + " is not supported",
                       known_types);
    if (!qualified && name.ends_with("serial"))
      return text.fail(ec::unsupported, at, "type " + name + " is not supported", known_types);
    return text.fail(ec::invalid_argument, at, "type \"" + name + "\" does not exist", known_types);
  }
  sql_type type{found->second};
  EBB_TRY(apply_modifiers(text, type_name, type, more));
  const auto dimensions = list(type_name, "arrayBounds").size();
  if (dimensions > 1)
    return several_dimensions(text, at);
  if (dimensions == 0)
    return type;
  if (more != nullptr)
    more->element = type;
  else if (!(type == sql_type{type.kind}))
    return text.fail(ec::unsupported, at,
                     "a length or precision of array elements is not supported here",
                     std::string("use ") + to_string(type.kind) + "[]");
  return type.array_of();
}

} // namespace ebb::sql
