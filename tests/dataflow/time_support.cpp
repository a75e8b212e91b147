#include "tests/dataflow/time_support.hpp"

#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_text.hpp"

#include <boost/test/unit_test.hpp>

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace ebb::tests {

namespace {

void set(column& x, std::uint32_t i, const char* text) {
  switch (x.type.kind) {
  case type_kind::timestamp:
  case type_kind::timestamptz:
    x.mutable_data<micros>()[i] = *parse_timestamp(text, x.type.kind == type_kind::timestamptz);
    break;
  case type_kind::date:
    x.mutable_data<std::int32_t>()[i] = *parse_date(text);
    break;
  case type_kind::interval:
    x.mutable_data<interval_value>()[i] = *parse_interval(text);
    break;
  case type_kind::text:
    x.mutable_data<text_ref>()[i] = text_ref(std::string_view(text));
    break;
  case type_kind::integer:
    x.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(std::strtol(text, nullptr, 10));
    break;
  case type_kind::bigint:
    x.mutable_data<std::int64_t>()[i] = std::strtoll(text, nullptr, 10);
    break;
  case type_kind::real:
    x.mutable_data<float>()[i] = std::strtof(text, nullptr);
    break;
  case type_kind::double_precision:
    x.mutable_data<double>()[i] = std::strtod(text, nullptr);
    break;
  case type_kind::numeric:
    BOOST_TEST_REQUIRE(static_cast<bool>(parse_numeric(text, x, i)));
    break;
  default:
    BOOST_FAIL("a type that these tests do not use");
  }
}

std::string text_of_double(double x) {
  if (std::isnan(x))
    return "NaN";
  if (std::isinf(x))
    return x < 0 ? "-Infinity" : "Infinity";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  return {buffer, end};
}

} // namespace

const function_catalog& time_functions() {
  static const function_catalog catalog = [] {
    function_catalog all;
    register_time(all);
    register_time_casts(all);
    return all;
  }();
  return catalog;
}

column column_of(type_kind kind, const std::vector<const char*>& values) {
  const auto rows = static_cast<std::uint32_t>(values.size());
  auto out = kind == type_kind::numeric ? make_numeric_column(sql_type{kind}, rows)
                                        : make_column(sql_type{kind}, rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (values[i] != nullptr)
      set(out, i, values[i]);
    else
      set_null(out, i);
  }
  return out;
}

column constant_of(type_kind kind, const char* value, std::uint32_t rows) {
  auto out = column_of(kind, {value});
  out.constant = true;
  out.rows = rows;
  return out;
}

std::string text_of(const column& x, std::uint32_t i) {
  if (x.is_null(i))
    return "NULL";
  std::string out;
  switch (x.type.kind) {
  case type_kind::timestamp:
    append_timestamp(x.data<micros>()[i], out);
    break;
  case type_kind::timestamptz:
    append_timestamptz(x.data<micros>()[i], out);
    break;
  case type_kind::date:
    append_date(x.data<std::int32_t>()[i], out);
    break;
  case type_kind::interval:
    append_interval(x.data<interval_value>()[i], out);
    break;
  case type_kind::text:
    out = x.text_of(i);
    break;
  case type_kind::integer:
    out = std::to_string(x.data<std::int32_t>()[i]);
    break;
  case type_kind::boolean:
    out = x.data<std::uint8_t>()[i] != 0 ? "true" : "false";
    break;
  case type_kind::double_precision:
    out = text_of_double(x.data<double>()[i]);
    break;
  case type_kind::numeric:
    append_numeric(x, i, out);
    break;
  default:
    out = "?";
  }
  return out;
}

result<column> call(const char* name, const std::vector<column>& args, const std::uint8_t* valid) {
  std::vector<sql_type> types;
  std::vector<expr_ptr> bound;
  std::uint32_t rows = 1;
  for (const auto& arg : args) {
    types.push_back(sql_type{arg.type.kind});
    const auto is_literal = arg.constant || arg.rows == 1;
    bound.push_back(is_literal
                        ? make_literal(arg)
                        : make_column_ref(static_cast<std::uint32_t>(bound.size()), arg.type));
    rows = std::max(rows, arg.rows);
  }
  std::string wanted(name);
  const scalar_function* function = nullptr;
  if (wanted.starts_with("cast:")) {
    for (const auto kind : {type_kind::date, type_kind::timestamp, type_kind::timestamptz})
      if (wanted
          == (kind == type_kind::date        ? "cast:date"
              : kind == type_kind::timestamp ? "cast:timestamp"
                                             : "cast:timestamptz"))
        function = time_functions().find_cast(types[0], sql_type{kind});
  } else {
    function = time_functions().find(name, types);
  }
  if (function == nullptr)
    return make_error(ec::not_found, "no such function");
  EBB_ASSIGN(const auto expression, make_call(*function, function->returns, bound));
  const call_context context{function->returns, rows, expression->bound.get(), valid};
  EBB_ASSIGN(auto out, function->run(context, args));
  out.type = function->returns;
  return out;
}

std::string run(const function_row& row) {
  std::vector<column> args;
  for (const auto& [kind, text] : row.args)
    args.push_back(column_of(kind, {text}));
  auto out = call(row.name, args);
  return out ? text_of(*out, 0) : "ERROR: " + out.error().message;
}

} // namespace ebb::tests
