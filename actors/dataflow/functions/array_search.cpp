// Looking for elements: = ANY, array_position, array_remove, array_replace.

#include "actors/dataflow/functions/array_kernel.hpp"

namespace ebb {

namespace {

/// Element k and row i of `value`; NULLs are equal to each other.
bool not_distinct(const column& elements, std::uint32_t k, const column& value, std::uint32_t i) {
  if (elements.is_null(k) || value.is_null(i))
    return elements.is_null(k) == value.is_null(i);
  return equal_values(elements, k, value, i);
}

bool has_null_element(const array_arg& array, std::uint32_t i) {
  for (auto k = array.first(i); k < array.last(i); ++k)
    if (array.elements().is_null(k))
      return true;
  return false;
}

/// `element = ANY (array)`: NULL where it is not found among NULLs.
result<column> is_element(const call_context& context, std::span<const column> args) {
  const auto& wanted = args[0];
  const array_arg array(args[1]);
  const auto& elements = array.elements();
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    values[i] = 0;
    if (args[1].is_null(i)) {
      set_null(out, i);
      continue;
    }
    bool unknown = wanted.is_null(i) && array.size(i) != 0;
    for (auto k = array.first(i); k < array.last(i) && !wanted.is_null(i); ++k) {
      if (elements.is_null(k)) {
        unknown = true;
      } else if (equal_values(elements, k, wanted, i)) {
        values[i] = 1;
        unknown = false;
        break;
      }
    }
    if (unknown)
      set_null(out, i);
  }
  return out;
}

result<column> array_position(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  column out = make_column(context.type, context.rows);
  auto* values = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    values[i] = 0;
    if (args[0].is_null(i) || array.size(i) == 0
        || (args[1].is_null(i) && !has_null_element(array, i))) {
      set_null(out, i);
      continue;
    }
    std::int64_t start = 1;
    if (args.size() == 3) {
      if (args[2].is_null(i))
        return row_error(i, "initial position must not be null");
      start = std::max<std::int64_t>(1, value_arg<std::int32_t>(args[2])[i]);
    }
    for (auto k = start; k <= array.size(i) && values[i] == 0; ++k)
      if (not_distinct(array.elements(), array.first(i) + static_cast<std::uint32_t>(k - 1),
                       args[1], i))
        values[i] = static_cast<std::int32_t>(k);
    if (values[i] == 0)
      set_null(out, i);
  }
  return out;
}

result<column> array_positions(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  column out = make_column(context.type, context.rows);
  auto* offsets = out.mutable_data<std::uint32_t>();
  std::vector<std::int32_t> found;
  offsets[0] = 0;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i))
      set_null(out, i);
    else
      for (std::uint32_t k = 0; k < array.size(i); ++k)
        if (not_distinct(array.elements(), array.first(i) + k, args[1], i))
          found.push_back(static_cast<std::int32_t>(k + 1));
    offsets[i + 1] = static_cast<std::uint32_t>(found.size());
  }
  column elements =
      make_column(sql_type{type_kind::integer}, static_cast<std::uint32_t>(found.size()));
  std::copy(found.begin(), found.end(), elements.mutable_data<std::int32_t>());
  out.child = std::make_shared<column>(std::move(elements));
  return out;
}

result<column> array_remove(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  array_output out(context);
  const auto base = out.add_source(array.elements());
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i)) {
      out.null_row(i);
      continue;
    }
    for (auto k = array.first(i); k < array.last(i); ++k)
      if (!not_distinct(array.elements(), k, args[1], i))
        out.append(base + k);
    out.end_row(i);
  }
  return out.take();
}

result<column> array_replace(const call_context& context, std::span<const column> args) {
  const array_arg array(args[0]);
  array_output out(context);
  const auto base = out.add_source(array.elements());
  const auto with = out.add_source(args[2]);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (args[0].is_null(i)) {
      out.null_row(i);
      continue;
    }
    for (auto k = array.first(i); k < array.last(i); ++k)
      out.append(not_distinct(array.elements(), k, args[1], i) ? with + args[2].at(i) : base + k);
    out.end_row(i);
  }
  return out.take();
}

/// Refuses the set-returning function; it is in the catalog so that the message names it.
result<std::shared_ptr<const bound_call>> refuse_unnest(std::span<const expr_ptr>) {
  return make_error(ec::unsupported, "set-returning function unnest is not supported here",
                    "use a subscript, = ANY (…) or array_to_string");
}

result<column> never(const call_context& context, std::span<const column>) {
  return make_null_column(context.type, context.rows);
}

} // namespace

void register_array_search(function_catalog& catalog) {
  const sql_type integer{type_kind::integer};
  for (const auto kind : element_kinds) {
    const sql_type element{kind};
    const sql_type array = element.array_of();
    const auto add = [&](const char* name, std::vector<sql_type> params, sql_type returns,
                         kernel run) {
      scalar_function function;
      function.name = name;
      function.params = std::move(params);
      function.returns = returns;
      function.run = run;
      function.strict = false;
      function.may_fail = function.params.size() == 3 && run == array_position;
      catalog.add(std::move(function));
    };
    add("is_element_of_array", {element, array}, sql_type{type_kind::boolean}, is_element);
    add("array_position", {array, element}, integer, array_position);
    add("array_position", {array, element, integer}, integer, array_position);
    add("array_positions", {array, element}, integer.array_of(), array_positions);
    add("array_remove", {array, element}, array, array_remove);
    add("array_replace", {array, element, element}, array, array_replace);
    scalar_function unnest;
    unnest.name = "unnest";
    unnest.params = {array};
    unnest.returns = element;
    unnest.run = never;
    unnest.bind = refuse_unnest;
    catalog.add(std::move(unnest));
  }
}

} // namespace ebb
