/// Calls functions on values written as text, the way the evaluator does (validity of strict
/// functions included).
#pragma once

#include "actors/dataflow/function.hpp"
#include "actors/dataflow/numeric.hpp"

#include <boost/test/unit_test.hpp>

#include <charconv>
#include <cmath>
#include <string>
#include <vector>

namespace ebb::test {

inline const function_catalog& numbers() {
  static const function_catalog catalog = [] {
    function_catalog all;
    register_arithmetic(all);
    register_comparison(all);
    register_math(all);
    register_number_casts(all);
    return all;
  }();
  return catalog;
}

inline type_kind kind_named(const std::string& name) {
  if (name == "i2")
    return type_kind::smallint;
  if (name == "i4")
    return type_kind::integer;
  if (name == "i8")
    return type_kind::bigint;
  if (name == "f4")
    return type_kind::real;
  if (name == "f8")
    return type_kind::double_precision;
  if (name == "n")
    return type_kind::numeric;
  if (name == "b")
    return type_kind::boolean;
  if (name == "t")
    return type_kind::text;
  if (name == "date")
    return type_kind::date;
  if (name == "ts")
    return type_kind::timestamp;
  if (name == "tz")
    return type_kind::timestamptz;
  BOOST_REQUIRE_MESSAGE(name == "x", "no such kind: " << name);
  return type_kind::bytea;
}

inline void put(column& x, std::uint32_t i, const std::string& text) {
  if (text == "NULL") {
    set_null(x, i);
    return;
  }
  switch (x.type.kind) {
  case type_kind::boolean:
    x.mutable_data<std::uint8_t>()[i] = text == "t" ? 1 : 0;
    break;
  case type_kind::smallint:
    x.mutable_data<std::int16_t>()[i] = static_cast<std::int16_t>(std::stoi(text));
    break;
  case type_kind::integer:
  case type_kind::date:
    x.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(std::stoll(text));
    break;
  case type_kind::real:
    x.mutable_data<float>()[i] = std::strtof(text.c_str(), nullptr);
    break;
  case type_kind::double_precision:
    x.mutable_data<double>()[i] = std::strtod(text.c_str(), nullptr);
    break;
  case type_kind::numeric:
    BOOST_REQUIRE(parse_numeric(text, x, i));
    break;
  default:
    x.mutable_data<std::int64_t>()[i] = std::stoll(text);
    break;
  }
}

inline column column_of(type_kind kind, const std::vector<std::string>& texts) {
  const auto rows = static_cast<std::uint32_t>(texts.size());
  if (kind == type_kind::text || kind == type_kind::bytea) {
    text_builder built(sql_type{kind}, rows);
    for (const auto& text : texts)
      if (text == "NULL")
        built.append_null();
      else
        built.append(text);
    return built.take();
  }
  column x = kind == type_kind::numeric ? make_numeric_column(sql_type{kind}, rows)
                                        : make_column(sql_type{kind}, rows);
  for (std::uint32_t i = 0; i < rows; ++i)
    put(x, i, texts[i]);
  return x;
}

template <class Float>
std::string float_text(Float x) {
  if (std::isnan(x))
    return "NaN";
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, x).ptr};
}

inline std::string text_at(const column& x, std::uint32_t i) {
  if (x.is_null(i))
    return "NULL";
  const auto k = x.at(i);
  switch (x.type.kind) {
  case type_kind::boolean:
    return x.data<std::uint8_t>()[k] != 0 ? "t" : "f";
  case type_kind::smallint:
    return std::to_string(x.data<std::int16_t>()[k]);
  case type_kind::integer:
  case type_kind::date:
    return std::to_string(x.data<std::int32_t>()[k]);
  case type_kind::real:
    return float_text(x.data<float>()[k]);
  case type_kind::double_precision:
    return float_text(x.data<double>()[k]);
  case type_kind::numeric: {
    std::string text;
    append_numeric(x, i, text);
    return text;
  }
  case type_kind::text:
  case type_kind::bytea:
    return std::string(x.text_of(i));
  default:
    return std::to_string(x.data<std::int64_t>()[k]);
  }
}

/// Runs a function on columns as the evaluator would.
inline result<column> run(const scalar_function& f, sql_type type, std::vector<column> args) {
  const std::uint32_t rows = args.empty() ? 1 : args.front().rows;
  std::vector<std::uint8_t> valid((rows + 7) / 8 + 1, 0);
  for (std::uint32_t i = 0; i < rows; ++i) {
    bool all = true;
    for (const auto& arg : args)
      all &= !arg.is_null(i);
    if (all)
      set_bit(valid.data(), i);
  }
  EBB_ASSIGN(column out, f.run({type, rows, nullptr, f.strict ? valid.data() : nullptr}, args));
  BOOST_REQUIRE(out.type == type);
  BOOST_REQUIRE_EQUAL(out.rows, rows);
  if (f.strict)
    for (std::uint32_t i = 0; i < rows; ++i)
      if (!get_bit(valid.data(), i))
        set_null(out, i);
  return out;
}

/// One call on values `kind:text` (`i4:5`, `n:1.50`, `t:NULL`): the result's text, or the error's.
inline std::string call(const std::string& name, const std::vector<std::string>& values) {
  std::vector<column> args;
  std::vector<sql_type> params;
  for (const auto& value : values) {
    const auto colon = value.find(':');
    const auto kind = kind_named(value.substr(0, colon));
    args.push_back(column_of(kind, {value.substr(colon + 1)}));
    params.push_back(sql_type{kind});
  }
  const auto* f = numbers().find(name, params);
  if (f == nullptr)
    return "no such function";
  const auto out = run(*f, f->returns, args);
  if (!out)
    return out.error().message;
  return text_at(*out, 0);
}

/// One cast to `kind` or, for NUMERIC, `n(p,s)` as precision and scale.
inline std::string cast(const std::string& value, const std::string& to, std::int16_t precision = 0,
                        std::int16_t scale = 0) {
  const auto colon = value.find(':');
  const auto kind = kind_named(value.substr(0, colon));
  const sql_type type{kind_named(to), type_kind::unknown, precision, scale};
  const auto* f = numbers().find_cast(sql_type{kind}, type);
  if (f == nullptr)
    return "no such cast";
  const auto out = run(*f, type, {column_of(kind, {value.substr(colon + 1)})});
  if (!out)
    return out.error().message;
  return text_at(*out, 0);
}

} // namespace ebb::test
