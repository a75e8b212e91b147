#include "schemas/types.hpp"

#include <cstddef>

namespace ebb {

const char* to_string(type_kind kind) noexcept {
  switch (kind) {
  case type_kind::unknown:
    return "unknown";
  case type_kind::boolean:
    return "boolean";
  case type_kind::smallint:
    return "smallint";
  case type_kind::integer:
    return "integer";
  case type_kind::bigint:
    return "bigint";
  case type_kind::real:
    return "real";
  case type_kind::double_precision:
    return "double precision";
  case type_kind::numeric:
    return "numeric";
  case type_kind::text:
    return "text";
  case type_kind::bytea:
    return "bytea";
  case type_kind::date:
    return "date";
  case type_kind::timestamp:
    return "timestamp without time zone";
  case type_kind::timestamptz:
    return "timestamp with time zone";
  case type_kind::interval:
    return "interval";
  case type_kind::array:
    return "array";
  case type_kind::jsonb:
    return "jsonb";
  }
  return "unknown";
}

std::string to_string(const sql_type& type) {
  if (type.kind == type_kind::array)
    return std::string(to_string(type.element)) + "[]";
  if (type.kind == type_kind::numeric && type.precision != 0)
    return "numeric(" + std::to_string(type.precision) + ',' + std::to_string(type.scale) + ')';
  if (type.kind == type_kind::text && type.length != 0)
    return "character varying(" + std::to_string(type.length) + ')';
  return to_string(type.kind);
}

std::size_t value_width(type_kind kind) noexcept {
  switch (kind) {
  case type_kind::boolean:
    return 1;
  case type_kind::smallint:
    return 2;
  case type_kind::integer:
  case type_kind::real:
  case type_kind::date:
  case type_kind::array:
    return 4;
  case type_kind::bigint:
  case type_kind::double_precision:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return 8;
  case type_kind::unknown:
  case type_kind::numeric:
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::jsonb:
  case type_kind::interval:
    return 16;
  }
  return 16;
}

} // namespace ebb
