// Arrays made from elements and arrays, and taken apart: ARRAY[…], subscripts, ||, lengths.

#include "actors/dataflow/functions/array_kernel.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// array[i]; NULL outside.
result<column> subscript(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  const value_arg<std::int32_t> index(args[1]);
  if (array.elements().rows == 0)
    return make_null_column(context.type, context.rows);
  std::vector<std::uint32_t> picks(context.rows, 0);
  std::vector<std::uint32_t> missing;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (!skipped(context, i) && index[i] >= 1
        && static_cast<std::uint32_t>(index[i]) <= array.size(i))
      picks[i] = array.first(i) + static_cast<std::uint32_t>(index[i]) - 1;
    else
      missing.push_back(i);
  }
  column out = gather(array.elements(), picks.data(), context.rows);
  for (const auto i : missing)
    set_null(out, i);
  return out;
}

/// array[from:to]; empty where the bounds do not meet the array.
result<column> slice_array(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  const value_arg<std::int32_t> from(args[1]);
  const value_arg<std::int32_t> to(args[2]);
  array_output out(context);
  const auto base = out.add_source(array.elements());
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (!skipped(context, i)) {
      const auto start = std::max<std::int64_t>(from[i], 1);
      const auto end = std::min<std::int64_t>(to[i], array.size(i));
      for (auto k = start; k <= end; ++k)
        out.append(base + array.first(i) + static_cast<std::uint32_t>(k - 1));
    }
    out.end_row(i);
  }
  return out.take();
}

result<column> trim_array(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  const value_arg<std::int32_t> count(args[1]);
  array_output out(context);
  const auto base = out.add_source(array.elements());
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (!skipped(context, i)) {
      if (count[i] < 0 || static_cast<std::uint32_t>(count[i]) > array.size(i))
        return row_error(i, "number of elements to trim must be between 0 and "
                                + std::to_string(array.size(i)));
      for (auto k = array.first(i); k < array.last(i) - static_cast<std::uint32_t>(count[i]); ++k)
        out.append(base + k);
    }
    out.end_row(i);
  }
  return out.take();
}

result<column> make_array(const call_context& context, std::span<const column> args) {
  array_output out(context);
  std::vector<std::uint32_t> bases;
  bases.reserve(args.size());
  for (const auto& arg : args)
    bases.push_back(out.add_source(arg));
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    for (std::size_t k = 0; k < args.size(); ++k)
      out.append(bases[k] + args[k].at(i));
    out.end_row(i);
  }
  return out.take();
}

/// Which argument is the array; the other one is an element.
template <std::size_t Array>
result<column> add_element(const call_context& context, std::span<const column> args) {
  const array_arg array(args[Array]);
  const auto& element = args[1 - Array];
  array_output out(context);
  const auto base = out.add_source(array.elements());
  const auto extra = out.add_source(element);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if constexpr (Array == 1)
      out.append(extra + element.at(i));
    if (!args[Array].is_null(i))
      for (auto k = array.first(i); k < array.last(i); ++k)
        out.append(base + k);
    if constexpr (Array == 0)
      out.append(extra + element.at(i));
    out.end_row(i);
  }
  return out.take();
}

result<column> array_cat(const call_context& context, std::span<const column> args) {
  array_output out(context);
  const array_arg arrays[2] = {array_arg(args[0]), array_arg(args[1])};
  const std::uint32_t bases[2] = {out.add_source(arrays[0].elements()),
                                  out.add_source(arrays[1].elements())};
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    for (std::size_t side = 0; side < 2; ++side)
      if (!args[side].is_null(i))
        for (auto k = arrays[side].first(i); k < arrays[side].last(i); ++k)
          out.append(bases[side] + k);
    if (args[0].is_null(i) && args[1].is_null(i))
      out.null_row(i);
    else
      out.end_row(i);
  }
  return out.take();
}

result<column> cardinality(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    values[i] = static_cast<std::int32_t>(array.size(i));
  return out;
}

enum class bound : std::uint8_t { lower, upper, dimensions };

/// Of the one dimension; NULL for empty arrays and other dimensions.
template <bound Bound>
result<column> array_bound(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto size = static_cast<std::int32_t>(array.size(i));
    values[i] = Bound == bound::upper ? size : 1;
    const bool first = Bound == bound::dimensions || value_arg<std::int32_t>(args[1])[i] == 1;
    if (size == 0 || !first)
      set_null(out, i);
  }
  return out;
}

} // namespace

void register_array_build(function_catalog& catalog) {
  const sql_type integer{type_kind::integer};
  for (const auto kind : element_kinds) {
    const sql_type element{kind};
    const sql_type array = element.array_of();
    const auto add = [&](const char* name, std::vector<sql_type> params, sql_type returns,
                         kernel run, bool strict = true) {
      scalar_function function;
      function.name = name;
      function.params = std::move(params);
      function.returns = returns;
      function.run = run;
      function.strict = strict;
      function.variadic = function.name == "array";
      function.may_fail = function.name == "trim_array";
      catalog.add(std::move(function));
    };
    add("subscript", {array, integer}, element, subscript);
    add("array_slice", {array, integer, integer}, array, slice_array);
    add("trim_array", {array, integer}, array, trim_array);
    add("array", {element}, array, make_array, false);
    add("cardinality", {array}, integer, cardinality);
    add("array_length", {array, integer}, integer, array_bound<bound::upper>);
    add("array_upper", {array, integer}, integer, array_bound<bound::upper>);
    add("array_lower", {array, integer}, integer, array_bound<bound::lower>);
    add("array_ndims", {array}, integer, array_bound<bound::dimensions>);
    for (const char* name : {"array_cat", "||"})
      add(name, {array, array}, array, array_cat, false);
    for (const char* name : {"array_append", "||"})
      add(name, {array, element}, array, add_element<0>, false);
    for (const char* name : {"array_prepend", "||"})
      add(name, {element, array}, array, add_element<1>, false);
  }
}

} // namespace ebb
